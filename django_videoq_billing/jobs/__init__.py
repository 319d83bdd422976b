"""What has to be done when nobody is looking, and when; `run_billing_jobs` and the Celery tasks are skins on it."""

from django_videoq_billing.jobs.registry import JOBS
from django_videoq_billing.jobs.running import Job, Run, due, due_jobs, is_running, next_at, run_job

__all__ = ["JOBS", "Job", "Run", "due", "due_jobs", "is_running", "next_at", "run_job"]
