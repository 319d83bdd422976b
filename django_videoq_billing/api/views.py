"""The endpoints that read local rows alone: permission, shape, and one call to a service each."""

from __future__ import annotations

from django.db.models import QuerySet
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from django_videoq_billing.api.base import INVALID, SIGNED_IN, THROTTLED, BillingView, PersonalView, refusals
from django_videoq_billing.api.schema import documented
from django_videoq_billing.api.serializers import (
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
from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import NoSubscription, NoUsage
from django_videoq_billing.http import status_for, upgrade_url
from django_videoq_billing.models import PaymentTransaction, SubscriptionPlan, UserSubscription
from django_videoq_billing.services.entitlements import check_user, ensure_subscription, find_subscription
from django_videoq_billing.services.usage_tracker import UsageTracker, past_reports


class PlansView(BillingView):
    """The plans that anyone may choose."""

    permission_classes = [AllowAny]
    throttle_scope = "plans"

    @documented("billing_plans_list", SubscriptionPlanSerializer(many=True), refusals(THROTTLED))
    def get(self, request: Request) -> Response:
        return Response(SubscriptionPlanSerializer(SubscriptionPlan.objects.listed(), many=True).data)


class SubscriptionView(PersonalView):
    """The signed-in user's subscription."""

    @documented(
        "billing_subscription_retrieve",
        UserSubscriptionSerializer,
        refusals({**SIGNED_IN, 404: "`no_subscription`"}),
    )
    def get(self, request: Request) -> Response:
        return Response(UserSubscriptionSerializer(_subscription(request)).data)


class UsageView(PersonalView):
    """Usage of the current period, up to this moment."""

    @documented("billing_usage_retrieve", UsageRecordSerializer, refusals({**SIGNED_IN, 404: "`no_usage`"}))
    def get(self, request: Request) -> Response:
        if not get_settings().AUTO_ASSIGN_DEFAULT_PLAN and find_subscription(request.user) is None:
            raise NoUsage.for_user()
        return Response(UsageRecordSerializer(UsageTracker.report(request.user)).data)


class UsageCheckView(PersonalView):
    """Would this be admitted now? Advice for a screen: nothing is counted and nothing is held."""

    @documented(
        "billing_usage_check",
        UsageAllowedSerializer,
        refusals(
            {
                **SIGNED_IN,
                **INVALID,
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
        refusals({**SIGNED_IN, **INVALID}),
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
        refusals({**SIGNED_IN, **INVALID}),
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
