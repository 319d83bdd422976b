from __future__ import annotations

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from django_videoq_billing.conf import get_settings


class BillingThrottle(SimpleRateThrottle):
    """One rate per scope of THROTTLE_RATES, counted per user, or per address for nobody.

    A view names its scope in `throttle_scope`; a scope without a rate is not throttled.
    """

    def __init__(self) -> None:
        """Leave the rate to `allow_request`: it depends on the view."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        scope: str | None = getattr(view, "throttle_scope", None)
        self.rate = get_settings().THROTTLE_RATES.get(scope) if scope else None
        if self.rate is None:
            return True
        self.scope = f"videoq_billing_{scope}"
        self.num_requests, self.duration = self.parse_rate(self.rate)
        return super().allow_request(request, view)

    def get_cache_key(self, request: Request, view: APIView) -> str:
        user = request.user
        ident = user.pk if user.is_authenticated else self.get_ident(request)
        return self.cache_format % {"scope": self.scope, "ident": ident}
