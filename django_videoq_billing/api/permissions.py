from __future__ import annotations

from typing import ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from django_videoq_billing.decorators import UNSAFE_METHODS
from django_videoq_billing.exceptions import BillingError
from django_videoq_billing.http import drf_exception
from django_videoq_billing.services.usage_tracker import UsageTracker, read_metric
from django_videoq_billing.types import Metric


class HasQuota(BasePermission):
    """Refuse early, before a large body is read, when nothing is left of a metric.

    A permission has no way to count, so this is advice: keep `requires_quota` on the method, which counts.
    Use it as `permission_classes = [IsAuthenticated, HasQuota.of("video")]`.
    """

    metric: ClassVar[Metric] = Metric.VIDEO

    @classmethod
    def of(cls, metric: Metric | str) -> type[HasQuota]:
        known = read_metric(metric)
        return type(f"Has{known.value.title()}Quota", (cls,), {"metric": known})

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method not in UNSAFE_METHODS:
            return True
        try:
            refusal = UsageTracker.advise(request.user, self.metric)
        except BillingError as error:
            raise drf_exception(error) from None
        if refusal is not None:
            raise drf_exception(refusal)
        return True
