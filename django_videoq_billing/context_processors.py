from __future__ import annotations

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from django_videoq_billing.services.usage_tracker import report_or_none


def billing(request: HttpRequest) -> dict[str, object]:
    """Put `billing_usage` into templates: the user's UsageReport, or something false for nobody.

    It costs queries only on a page that reads it.
    """
    user = getattr(request, "user", None)
    return {"billing_usage": SimpleLazyObject(lambda: report_or_none(user))}
