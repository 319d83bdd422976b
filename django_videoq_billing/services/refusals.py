"""What a person is told who was refused."""

from __future__ import annotations

import math
from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from django_videoq_billing.types import Metric, Reservation


def refusal_text(reservation: Reservation) -> str:
    """Say in the current language what was refused and what to do."""
    limit = reservation.limit or 0
    if reservation.metric is Metric.VIDEO:
        return _("Video limit reached (%(used)d/%(limit)d). Upgrade to upload more.") % {
            "used": reservation.used,
            "limit": limit,
        }
    return _(
        "Transcription limit reached (%(used)s of %(limit)s minutes used, %(asked)s more needed). "
        "Upgrade to transcribe more."
    ) % {
        "used": _begun_minutes(reservation.used),
        "limit": _begun_minutes(limit),
        "asked": _begun_minutes(reservation.amount),
    }


def _begun_minutes(seconds: int) -> str:
    """Minutes rounded up to a tenth, so that what does not fit never looks as if it did."""
    tenths = math.ceil(seconds / 6)
    return number_format(Decimal(tenths) / 10, decimal_pos=1 if tenths % 10 else 0)
