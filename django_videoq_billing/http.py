"""The one place that knows HTTP: which error is which status, and how it is told to programs and people."""

from __future__ import annotations

import json
import logging
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import (
    AccountInactive,
    AlreadyOnPlan,
    BillingError,
    Conflict,
    InvalidPlan,
    InvalidRedirectUrl,
    InvalidRequest,
    InvalidSignature,
    MalformedPayload,
    NoSubscription,
    NotAuthenticated,
    NotScheduledForCancellation,
    NoUsage,
    PayloadTooLarge,
    PermissionDenied,
    QuotaExceeded,
    StripeFailure,
    StripeUnavailable,
    SubscriptionExists,
    UsageUnavailable,
)
from django_videoq_billing.types import Metric, Period, Reservation

if TYPE_CHECKING:
    from rest_framework.exceptions import APIException

logger = logging.getLogger("django_videoq_billing")

STATUS_BY_ERROR: dict[type[BillingError], HTTPStatus] = {
    InvalidRequest: HTTPStatus.BAD_REQUEST,
    InvalidPlan: HTTPStatus.BAD_REQUEST,
    AlreadyOnPlan: HTTPStatus.BAD_REQUEST,
    InvalidRedirectUrl: HTTPStatus.BAD_REQUEST,
    NotScheduledForCancellation: HTTPStatus.BAD_REQUEST,
    InvalidSignature: HTTPStatus.BAD_REQUEST,
    MalformedPayload: HTTPStatus.BAD_REQUEST,
    NotAuthenticated: HTTPStatus.UNAUTHORIZED,
    AccountInactive: HTTPStatus.FORBIDDEN,
    PermissionDenied: HTTPStatus.FORBIDDEN,
    NoSubscription: HTTPStatus.NOT_FOUND,
    NoUsage: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    SubscriptionExists: HTTPStatus.CONFLICT,
    PayloadTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    StripeFailure: HTTPStatus.BAD_GATEWAY,
    StripeUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    UsageUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


def status_for(error: BillingError) -> int:
    if isinstance(error, QuotaExceeded):
        return get_settings().QUOTA_EXCEEDED_STATUS
    known = (STATUS_BY_ERROR[kind] for kind in type(error).__mro__ if kind in STATUS_BY_ERROR)
    return next(known, HTTPStatus.INTERNAL_SERVER_ERROR)


def retry_after(error: BillingError) -> int | None:
    """Return after how many seconds to come back, where that is known."""
    return error.retry_after if isinstance(error, StripeUnavailable | UsageUnavailable) else None


def error_body(error: BillingError) -> dict[str, Any]:
    """The contract's error body, in plain JSON values; a refusal also says where to get more."""
    details = json.loads(json.dumps(error.details, cls=DjangoJSONEncoder))
    if isinstance(error, QuotaExceeded):
        details = {**(details or {}), "upgrade_url": upgrade_url()}
    return {"error": error.code, "message": error.message, "details": details}


def billing_page() -> str:
    """Return the path of this package's own page, or "" where the host has not included it.

    A worker may have no URLconf at all.
    """
    try:
        return reverse("videoq_billing_page:billing") if getattr(settings, "ROOT_URLCONF", "") else ""
    except (NoReverseMatch, ImportError):
        return ""


def upgrade_url() -> str | None:
    """Return where a user can get a larger plan, or None where the site does not say."""
    target = get_settings().UPGRADE_URL
    if not target:
        return billing_page() or None
    try:
        return resolve_url(target)
    except NoReverseMatch:
        # Check E003 reports this at start; a refusal must not turn into a server error because of it.
        logger.error("upgrade_url_unknown", extra={"upgrade_url": target})
        return None


def wants_page(request: HttpRequest) -> bool:
    """Whether a person in a browser is asking, rather than a program."""
    return request.get_preferred_type(["application/json", "text/html"]) == "text/html"


def error_response(request: HttpRequest, error: BillingError) -> HttpResponse:
    """Answer an error: a page for browsers, the contract's JSON for everybody else."""
    status = status_for(error)
    response: HttpResponse
    if wants_page(request):
        context = {"error": error, "upgrade_url": upgrade_url()}
        response = render(request, "django_videoq_billing/refused.html", context, status=status)
    else:
        response = JsonResponse(error_body(error), status=status)
    patch_vary_headers(response, ["Accept"])
    if isinstance(error, QuotaExceeded):
        add_ratelimit_fields(response, error.reservation)
    if wait := retry_after(error):
        response["Retry-After"] = str(wait)
    return response


def add_ratelimit_fields(response: HttpResponseBase, reservation: Reservation) -> None:
    """Say how much is left and until when, in the fields of the IETF draft.

    https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ (draft 10: RateLimit-Policy and
    RateLimit, lists of named policies). Nothing is said about a metric without a limit.
    """
    remaining = reservation.remaining
    if remaining is None:
        return
    left = max(int((reservation.period.end - timezone.now()).total_seconds()), 0)
    _append(response, "RateLimit-Policy", _policy(reservation.metric, reservation.limit, reservation.period))
    _append(response, "RateLimit", f'"{reservation.metric}";r={remaining};t={left}')


@lru_cache(maxsize=4096)
def _policy(metric: Metric, limit: int | None, period: Period) -> str:
    return f'"{metric}";q={limit};w={int((period.end - period.start).total_seconds())}'


def _append(response: HttpResponseBase, field: str, item: str) -> None:
    response[field] = f"{response[field]}, {item}" if field in response else item


def drf_exception(error: BillingError) -> APIException:
    """Return the error as REST framework wants it raised; its default handler then answers our body."""
    from rest_framework.exceptions import APIException

    exception = APIException(code=error.code)
    exception.status_code = status_for(error)
    exception.detail = error_body(error)
    if wait := retry_after(error):
        exception.wait = wait  # type: ignore[attr-defined] # the default handler writes Retry-After from it
    return exception
