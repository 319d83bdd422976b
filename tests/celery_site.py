"""A host with Celery, as its documentation says: run by `celery -A tests.celery_site`, on what the environment names."""

from __future__ import annotations

import os

from celery import Celery

from django_videoq_billing.beat import beat_schedule

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.celery_settings")

app = Celery("site", broker=os.environ.get("BROKER_URL"))
app.conf.broker_connection_retry_on_startup = True
app.conf.worker_prefetch_multiplier = 1
app.conf.broker_transport_options = {"visibility_timeout": 5}
app.conf.beat_schedule |= beat_schedule()
app.autodiscover_tasks()
