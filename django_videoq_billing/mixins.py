"""`QuotaRequiredMixin`: the decorator for class-based views that prefer attributes."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from django_videoq_billing.decorators import UNSAFE_METHODS, requires_quota
from django_videoq_billing.types import Metric


class QuotaRequiredMixin:
    """Put it first among a view's bases; the rules are those of `requires_quota`."""

    quota_metric: Metric | str
    quota_methods = UNSAFE_METHODS

    def get_quota_amount(self, request: HttpRequest) -> int:
        """Return how much this request counts; override it to read the request."""
        return 1

    def form_invalid(self, form: Any) -> HttpResponse:
        """Show the form again with status 422, so that a form with errors costs nothing."""
        response: HttpResponse = super().form_invalid(form)  # type: ignore[misc]
        response.status_code = 422
        return response

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        guard = requires_quota(self.quota_metric, self.get_quota_amount, methods=self.quota_methods)
        response: HttpResponseBase = guard(super().dispatch)(request, *args, **kwargs)  # type: ignore[misc]
        return response
