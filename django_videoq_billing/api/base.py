"""What the endpoints share: JSON in the contract's shape, and what each of them may answer besides success."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connections, transaction
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer, Serializer
from rest_framework.views import APIView

from django_videoq_billing.api.errors import billing_exception_handler
from django_videoq_billing.api.parsers import BodyParser
from django_videoq_billing.api.schema import Refusals
from django_videoq_billing.api.serializers import BillingErrorSerializer
from django_videoq_billing.api.throttles import BillingThrottle
from django_videoq_billing.services.notifications import remember_language

THROTTLED = {429: "`throttled`"}
SIGNED_IN = {401: "`not_authenticated`", 403: "`permission_denied`", **THROTTLED}
INVALID = {400: "`invalid_request`, with the field errors in `details`"}


def refusals(codes: Mapping[int, str], others: Mapping[int, type[Serializer[Any]]] | None = None) -> Refusals:
    return Refusals(BillingErrorSerializer, dict(sorted(codes.items())), others or {})


class BillingView(APIView):
    """JSON in the contract's shape. Of the host's REST framework defaults, only the authenticators count."""

    permission_classes = [IsAuthenticated]
    throttle_classes = [BillingThrottle]
    throttle_scope = "read"
    parser_classes = [BodyParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = DefaultContentNegotiation
    versioning_class = None

    def get_exception_handler(self) -> Any:
        return billing_exception_handler

    def read(self, serializer_class: type[BaseSerializer[Any]], data: Any) -> Any:
        """Return the serializer with valid data; raises ValidationError, which is 400 invalid_request."""
        serializer = serializer_class(data=data)
        serializer.is_valid(raise_exception=True)
        return serializer


@method_decorator(never_cache, name="dispatch")
class PersonalView(BillingView):
    """What a user alone may see: no cache keeps it, so none can show it to the next user."""


class OutsideTransactions:
    """For views that speak to Stripe: they open transactions of their own, whatever ATOMIC_REQUESTS says.

    A request to Stripe must neither keep rows locked nor be undone here when it cannot be undone there.
    """

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        view = super().as_view(**initkwargs)  # type: ignore[misc]
        for alias in connections:
            view = transaction.non_atomic_requests(alias)(view)
        return view


class StripeView(OutsideTransactions, PersonalView):
    """What a user does at Stripe."""

    throttle_scope = "write"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Also keep the language of whoever does something, for the e-mails that come of it."""
        super().initial(request, *args, **kwargs)
        if request.method == "POST" and isinstance(request.user, AbstractBaseUser):
            remember_language(request.user)
