from __future__ import annotations

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from django_videoq_billing.exceptions import BillingError
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.types import UsageReport


def billing(request: HttpRequest) -> dict[str, object]:
    """Put `billing_usage` into templates: the user's UsageReport, or None for nobody.

    It costs queries only on a page that reads it.
    """

    def usage() -> UsageReport | None:
        try:
            return UsageTracker.report(request.user)
        except BillingError:
            return None

    return {"billing_usage": SimpleLazyObject(usage)}
