"""The figures of each day: kept by a job, filled in from payments where nobody looked, and read by the dashboard.

The definitions are those of `metrics`; docs/dashboard.md says what can be built anew and what cannot.
"""

from django_videoq_billing.services.figures.report import Report, flat, report
from django_videoq_billing.services.figures.roll_up import rebuild, roll_up
from django_videoq_billing.services.figures.usage import close_to_limits

__all__ = ["Report", "close_to_limits", "flat", "rebuild", "report", "roll_up"]
