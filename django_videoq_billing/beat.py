"""What Celery's beat has to send. Imports nothing, so that a host's celery.py, and its settings, may import it."""

from __future__ import annotations

from typing import Any

PACE_SECONDS = 5.0


def beat_schedule() -> dict[str, dict[str, Any]]:
    """Return the one entry that beat needs: `app.conf.beat_schedule |= beat_schedule()`.

    The task looks which jobs are due and sends each of them; when they ran last is written down in the database,
    so a beat that forgets everything does no harm.
    """
    return {
        "videoq-billing": {
            "task": "videoq_billing.run_due_jobs",
            "schedule": PACE_SECONDS,
            "options": {"expires": 60.0},  # while no worker runs its messages must not pile up
        }
    }
