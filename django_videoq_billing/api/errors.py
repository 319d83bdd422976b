"""Every error of these endpoints in the contract's shape, whatever the host's own exception handler does."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from django_videoq_billing.exceptions import BillingError
from django_videoq_billing.http import drf_exception

_CODES: dict[type[Exception], str] = {
    exceptions.ValidationError: "invalid_request",
    exceptions.ParseError: "invalid_request",
    exceptions.UnsupportedMediaType: "invalid_request",
    exceptions.NotAuthenticated: "not_authenticated",
    exceptions.AuthenticationFailed: "not_authenticated",
    exceptions.PermissionDenied: "permission_denied",
    PermissionDenied: "permission_denied",
    exceptions.NotFound: "not_found",
    Http404: "not_found",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.Throttled: "throttled",
}


def billing_exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Let DRF find the status and headers, then write the contract's body. None for what is no API error."""
    if isinstance(error, BillingError):
        return exception_handler(drf_exception(error), context)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        # DRF says 403 where the first authenticator is the session; the contract says 401 everywhere.
        response.status_code = status.HTTP_401_UNAUTHORIZED
    response.data = {
        "error": _CODES.get(type(error), "invalid_request"),
        "message": _message(error, response.data),
        "details": response.data if isinstance(error, exceptions.ValidationError) else None,
    }
    return response


def _message(error: Exception, data: Any) -> str:
    if isinstance(error, exceptions.ValidationError):
        return str(_first(data))
    return str(data.get("detail", "")) if isinstance(data, dict) else ""


def _first(data: Any) -> Any:
    """Return the first sentence in DRF's nested lists and dicts of field errors."""
    while isinstance(data, dict | list) and data:
        data = next(iter(data.values())) if isinstance(data, dict) else data[0]
    return data
