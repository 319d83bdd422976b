"""The contract's endpoints: permission, shape, and one call to a service each."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from django_videoq_billing.api.errors import billing_exception_handler
from django_videoq_billing.api.schema import documented
from django_videoq_billing.api.serializers import (
    ErrorSerializer,
    HistoryQuerySerializer,
    HistorySerializer,
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


class BillingView(APIView):
    permission_classes = [IsAuthenticated]
    throttle_classes = [BillingThrottle]
    throttle_scope = "read"

    def get_exception_handler(self) -> Any:
        return billing_exception_handler

    def read(self, serializer_class: type[BaseSerializer[Any]], data: Any) -> Any:
        """Return the serializer with valid data; raises ValidationError, which is 400 invalid_request."""
        serializer = serializer_class(data=data)
        serializer.is_valid(raise_exception=True)
        return serializer


class PlansView(BillingView):
    """The plans that anyone may choose."""

    permission_classes = [AllowAny]
    throttle_scope = "plans"

    @documented(_200=SubscriptionPlanSerializer(many=True))
    def get(self, request: Request) -> Response:
        return Response(SubscriptionPlanSerializer(SubscriptionPlan.objects.listed(), many=True).data)


class SubscriptionView(BillingView):
    """The signed-in user's subscription."""

    @documented(_200=UserSubscriptionSerializer, _401=ErrorSerializer, _404=ErrorSerializer)
    def get(self, request: Request) -> Response:
        return Response(UserSubscriptionSerializer(_subscription(request)).data)


class UsageView(BillingView):
    """Usage of the current period, up to this moment."""

    @documented(_200=UsageRecordSerializer, _401=ErrorSerializer, _404=ErrorSerializer)
    def get(self, request: Request) -> Response:
        try:
            _subscription(request)
        except NoSubscription:
            raise NoUsage.for_user() from None
        return Response(UsageRecordSerializer(UsageTracker.report(request.user)).data)


class UsageCheckView(BillingView):
    """Would this be admitted now? Advice for a screen: nothing is counted and nothing is held."""

    @documented(
        request=UsageCheckSerializer,
        _200=UsageAllowedSerializer,
        _400=ErrorSerializer,
        _401=ErrorSerializer,
        _403=UsageRefusedSerializer,
    )
    def post(self, request: Request) -> Response:
        check = self.read(UsageCheckSerializer, request.data)
        refusal = UsageTracker.advise(request.user, check.metric, check.amount)
        if refusal is not None:
            answer = {"allowed": False, "reason": refusal.message, "upgrade_url": upgrade_url()}
            return Response(answer, status=status_for(refusal))
        usage = UsageRecordSerializer(UsageTracker.report(request.user)).data
        return Response({"allowed": True, "reason": None, "current_usage": usage})


class UsageHistoryView(BillingView):
    """Past periods, newest first; the current one is at `billing/usage`."""

    @documented(
        query=UsageHistoryQuerySerializer,
        _200=UsageRecordSerializer(many=True),
        _400=ErrorSerializer,
        _401=ErrorSerializer,
    )
    def get(self, request: Request) -> Response:
        limit = self.read(UsageHistoryQuerySerializer, request.query_params).validated_data["limit"]
        return Response([UsageRecordSerializer(report).data for report in past_reports(request.user, limit)])


class HistoryView(BillingView):
    """The user's payments, newest first."""

    @documented(
        query=HistoryQuerySerializer, _200=HistorySerializer, _400=ErrorSerializer, _401=ErrorSerializer
    )
    def get(self, request: Request) -> Response:
        page = self.read(HistoryQuerySerializer, request.query_params).validated_data
        payments: QuerySet[PaymentTransaction] = PaymentTransaction.objects.filter(
            user_id=check_user(request.user)
        )
        shown = payments[page["offset"] : page["offset"] + page["limit"]]
        return Response(HistorySerializer({"total": payments.count(), "transactions": shown}).data)


def _subscription(request: Request) -> UserSubscription:
    """Return the user's subscription; a first look gives the default plan where every user has one."""
    if get_settings().AUTO_ASSIGN_DEFAULT_PLAN:
        return ensure_subscription(request.user)
    subscription = find_subscription(request.user)
    if subscription is None:
        raise NoSubscription.for_user()
    return subscription
