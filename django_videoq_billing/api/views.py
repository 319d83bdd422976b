"""The contract's endpoints: permission, shape, and one call to a service each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer
from rest_framework.views import APIView

from django_videoq_billing.api.errors import billing_exception_handler
from django_videoq_billing.api.parsers import BodyParser
from django_videoq_billing.api.schema import Refusals, documented
from django_videoq_billing.api.serializers import (
    BillingErrorSerializer,
    PaymentHistoryQuerySerializer,
    PaymentHistorySerializer,
    SubscriptionPlanSerializer,
    UsageAllowedSerializer,
    UsageCheckSerializer,
    UsageHistoryQuerySerializer,
    UsageRecordSerializer,
    UsageRefusedSerializer,
    UserSubscriptionSerializer,
)
from django_videoq_billing.api.throttles import BillingThrottle
from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import NoSubscription, NoUsage
from django_videoq_billing.http import status_for, upgrade_url
from django_videoq_billing.models import PaymentTransaction, SubscriptionPlan, UserSubscription
from django_videoq_billing.services.entitlements import check_user, ensure_subscription, find_subscription
from django_videoq_billing.services.usage_tracker import UsageTracker, past_reports

_THROTTLED = {429: "`throttled`"}
_SIGNED_IN = {401: "`not_authenticated`", 403: "`permission_denied`", **_THROTTLED}
_INVALID = {400: "`invalid_request`, with the field errors in `details`"}


def _refusals(
    codes: Mapping[int, str], others: Mapping[int, type[Serializer[Any]]] | None = None
) -> Refusals:
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


class PlansView(BillingView):
    """The plans that anyone may choose."""

    permission_classes = [AllowAny]
    throttle_scope = "plans"

    @documented("billing_plans_list", SubscriptionPlanSerializer(many=True), _refusals(_THROTTLED))
    def get(self, request: Request) -> Response:
        return Response(SubscriptionPlanSerializer(SubscriptionPlan.objects.listed(), many=True).data)


class SubscriptionView(PersonalView):
    """The signed-in user's subscription."""

    @documented(
        "billing_subscription_retrieve",
        UserSubscriptionSerializer,
        _refusals({**_SIGNED_IN, 404: "`no_subscription`"}),
    )
    def get(self, request: Request) -> Response:
        return Response(UserSubscriptionSerializer(_subscription(request)).data)


class UsageView(PersonalView):
    """Usage of the current period, up to this moment."""

    @documented("billing_usage_retrieve", UsageRecordSerializer, _refusals({**_SIGNED_IN, 404: "`no_usage`"}))
    def get(self, request: Request) -> Response:
        if not get_settings().AUTO_ASSIGN_DEFAULT_PLAN and find_subscription(request.user) is None:
            raise NoUsage.for_user()
        return Response(UsageRecordSerializer(UsageTracker.report(request.user)).data)


class UsageCheckView(PersonalView):
    """Would this be admitted now? Advice for a screen: nothing is counted and nothing is held."""

    @documented(
        "billing_usage_check",
        UsageAllowedSerializer,
        _refusals(
            {
                **_SIGNED_IN,
                **_INVALID,
                403: "`allowed` is false; or `permission_denied`",
                413: "`payload_too_large`",
            },
            {403: UsageRefusedSerializer},
        ),
        request=UsageCheckSerializer,
    )
    def post(self, request: Request) -> Response:
        check = self.read(UsageCheckSerializer, request.data)
        refusal = UsageTracker.advise(request.user, check.metric, check.amount)
        if refusal is not None:
            answer = {"allowed": False, "reason": refusal.message, "upgrade_url": upgrade_url()}
            return Response(answer, status=status_for(refusal))
        usage = UsageRecordSerializer(UsageTracker.report(request.user)).data
        return Response({"allowed": True, "reason": None, "current_usage": usage})


class UsageHistoryView(PersonalView):
    """Past periods, newest first; the current one is at `billing/usage`."""

    @documented(
        "billing_usage_history_list",
        UsageRecordSerializer(many=True),
        _refusals({**_SIGNED_IN, **_INVALID}),
        query=UsageHistoryQuerySerializer,
    )
    def get(self, request: Request) -> Response:
        limit = self.read(UsageHistoryQuerySerializer, request.query_params).validated_data["limit"]
        return Response([UsageRecordSerializer(report).data for report in past_reports(request.user, limit)])


class HistoryView(PersonalView):
    """The user's payments, newest first."""

    @documented(
        "billing_history_retrieve",
        PaymentHistorySerializer,
        _refusals({**_SIGNED_IN, **_INVALID}),
        query=PaymentHistoryQuerySerializer,
    )
    def get(self, request: Request) -> Response:
        page = self.read(PaymentHistoryQuerySerializer, request.query_params).validated_data
        payments: QuerySet[PaymentTransaction] = PaymentTransaction.objects.filter(
            user_id=check_user(request.user)
        )
        shown = payments[page["offset"] : page["offset"] + page["limit"]]
        return Response(PaymentHistorySerializer({"total": payments.count(), "transactions": shown}).data)


def _subscription(request: Request) -> UserSubscription:
    """Return the user's subscription; a first look gives the default plan where every user has one."""
    if get_settings().AUTO_ASSIGN_DEFAULT_PLAN:
        return ensure_subscription(request.user)
    subscription = find_subscription(request.user)
    if subscription is None:
        raise NoSubscription.for_user()
    return subscription
