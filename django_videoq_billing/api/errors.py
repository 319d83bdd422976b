"""Every error of these endpoints in the contract's shape, whatever the host's own exception handler does."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import Http404
from django.utils.log import log_response
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler, set_rollback

from django_videoq_billing.exceptions import BillingError, StripeFailure, StripeUnavailable
from django_videoq_billing.http import drf_exception

SERVER_ERROR = "server_error"


class PayloadTooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = gettext_lazy("The request's body is too large.")


_CODES: dict[type[Exception], str] = {
    exceptions.ValidationError: "invalid_request",
    exceptions.ParseError: "invalid_request",
    exceptions.NotAuthenticated: "not_authenticated",
    exceptions.AuthenticationFailed: "not_authenticated",
    exceptions.PermissionDenied: "permission_denied",
    PermissionDenied: "permission_denied",
    exceptions.NotFound: "not_found",
    Http404: "not_found",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
    PayloadTooLarge: "payload_too_large",
    exceptions.Throttled: "throttled",
}


def billing_exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Let DRF find the status and headers, then write the contract's body."""
    if isinstance(error, BillingError):
        return _refusal(error, context)
    if isinstance(error, SuspiciousOperation | BadRequest):
        logging.getLogger(f"django.security.{type(error).__name__}").warning(str(error), exc_info=error)
        too_large = isinstance(error, RequestDataTooBig)
        error = PayloadTooLarge() if too_large else exceptions.ParseError(_("The request is malformed."))
    response = exception_handler(error, context)
    if response is None:
        return _unexpected(error, context)
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        # DRF says 403 where the first authenticator is the session; the contract says 401 everywhere.
        response.status_code = status.HTTP_401_UNAUTHORIZED
    data = response.data
    details = _field_errors(data) if isinstance(error, exceptions.ValidationError) else None
    response.data = _body(_code(error, response.status_code), _message(error, data), details)
    return response


def _refusal(error: BillingError, context: dict[str, Any]) -> Response | None:
    response = exception_handler(drf_exception(error), context)
    if response is not None and isinstance(error, StripeFailure | StripeUnavailable):
        # A declined card is no fault of the site: Django would log every 502 and 503 as one, and mail it.
        request = context["request"]._request
        log_response(
            "%s: %s", response.reason_phrase, request.path, response=response, request=request, level="info"
        )
    return response


def _unexpected(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer a bug without showing it: Django's log, mails and signal tell the host as they always do.

    While debugging it is left to Django, whose page shows the trace.
    """
    if settings.DEBUG or settings.DEBUG_PROPAGATE_EXCEPTIONS:
        return None
    set_rollback()
    request = context["request"]._request
    got_request_exception.send(sender=None, request=request)
    body = _body(SERVER_ERROR, _("Something went wrong on our side. Please try again later."), None)
    response = Response(body, status=status.HTTP_500_INTERNAL_SERVER_ERROR)
    reason = response.reason_phrase
    log_response("%s: %s", reason, request.path, response=response, request=request, exception=error)
    return response


def _body(code: str, message: str, details: dict[str, Any] | None) -> dict[str, Any]:
    return {"error": code, "message": message, "details": details}


def _code(error: Exception, status_code: int) -> str:
    """Return the code of the error's class or of the nearest class above it: hosts raise subclasses."""
    otherwise = "invalid_request" if status_code < status.HTTP_500_INTERNAL_SERVER_ERROR else SERVER_ERROR
    return next((_CODES[kind] for kind in type(error).__mro__ if kind in _CODES), otherwise)


def _field_errors(data: Any) -> dict[str, Any]:
    return data if isinstance(data, dict) else {api_settings.NON_FIELD_ERRORS_KEY: data}


def _message(error: Exception, data: Any) -> str:
    if isinstance(error, exceptions.ValidationError):
        return str(_first(data))
    return str(data.get("detail", "")) if isinstance(data, dict) else str(_first(data))


def _first(data: Any) -> Any:
    """Return the first sentence in DRF's nested lists and dicts of field errors."""
    while isinstance(data, dict | list) and data:
        data = next(iter(data.values())) if isinstance(data, dict) else data[0]
    return data
