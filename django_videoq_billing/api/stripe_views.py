"""The endpoints that lead to Stripe: permission, shape, and one call to a service each."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.base_user import AbstractBaseUser
from rest_framework.request import Request
from rest_framework.response import Response

from django_videoq_billing.api.base import INVALID, SIGNED_IN, PersonalView, StripeView, refusals
from django_videoq_billing.api.schema import documented
from django_videoq_billing.api.serializers import UserSubscriptionSerializer
from django_videoq_billing.api.stripe_serializers import (
    CancelledSubscriptionSerializer,
    CancelSerializer,
    ChangePreviewSerializer,
    CheckoutSerializer,
    CheckoutSessionSerializer,
    PaymentMethodSerializer,
    PlanChoiceSerializer,
    PortalSerializer,
    PortalSessionSerializer,
    SyncSerializer,
)
from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import InvalidPlan
from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services import checkout, plan_changes, stripe_mirror
from django_videoq_billing.services.entitlements import check_user, find_subscription
from django_videoq_billing.services.redirects import safe_redirect

_BODY = {413: "`payload_too_large`"}
_NONE = {404: "`no_subscription`"}
_STRIPE = {
    409: "`conflict`",
    502: "`stripe_error`, such as a declined card; `details.reason` says which",
    503: "`stripe_unavailable`",
}
_CHOICE = {400: "`invalid_request`, `invalid_plan`, `already_on_plan`"}


class CheckoutView(StripeView):
    """Open Stripe's page to pay on for a first paid plan; the page that is open already is used again."""

    @documented(
        "billing_subscription_checkout",
        CheckoutSessionSerializer,
        refusals(
            {
                **SIGNED_IN,
                **_BODY,
                **_STRIPE,
                400: "`invalid_request`, `invalid_plan`, `already_on_plan`, `invalid_redirect_url`",
                409: "`subscription_exists`: change the plan instead; `conflict`",
            }
        ),
        request=CheckoutSerializer,
    )
    def post(self, request: Request) -> Response:
        wanted = self.read(CheckoutSerializer, request.data).validated_data
        plan = _chosen_plan(request, wanted["plan_id"])
        success_url = _way_back(request, "success_url", wanted, get_settings().CHECKOUT_SUCCESS_URL)
        cancel_url = _way_back(request, "cancel_url", wanted, get_settings().CHECKOUT_CANCEL_URL)
        session = checkout.start_checkout(_user(request), plan, success_url, cancel_url)
        return Response(CheckoutSessionSerializer(session).data)


class CancelView(StripeView):
    """Cancel for the end of the paid period. What is paused ends at once; staff may end their own at once, too."""

    @documented(
        "billing_subscription_cancel",
        CancelledSubscriptionSerializer.SCHEMA,
        refusals({**SIGNED_IN, **INVALID, **_NONE, **_BODY, **_STRIPE}),
        request=CancelSerializer,
    )
    def post(self, request: Request) -> Response:
        immediate = self.read(CancelSerializer, request.data).validated_data["immediate"]
        subscription = plan_changes.cancel(_user(request), immediate=immediate)
        return Response(CancelledSubscriptionSerializer(subscription).data)


class ReactivateView(StripeView):
    """Undo a cancellation before it takes effect."""

    @documented(
        "billing_subscription_reactivate",
        UserSubscriptionSerializer,
        refusals({**SIGNED_IN, **_NONE, **_STRIPE, 400: "`not_scheduled_for_cancellation`"}),
    )
    def post(self, request: Request) -> Response:
        return Response(UserSubscriptionSerializer(plan_changes.reactivate(_user(request))).data)


class PreviewView(StripeView):
    """What a change to this plan would cost and when it would happen. Changes nothing."""

    @documented(
        "billing_subscription_preview",
        ChangePreviewSerializer,
        refusals({**SIGNED_IN, **_CHOICE, **_NONE, **_STRIPE}),
        query=PlanChoiceSerializer,
    )
    def get(self, request: Request) -> Response:
        wanted = self.read(PlanChoiceSerializer, request.query_params).validated_data
        preview = plan_changes.preview(_user(request), _chosen_plan(request, wanted["plan_id"]))
        return Response(ChangePreviewSerializer(preview).data)


class ChangeView(StripeView):
    """Change the plan: up at once with proration, down at the end of the period.

    The present plan as choice drops a change or a cancellation that was scheduled. Where the bank wants the
    payment confirmed (`stripe_error`, reason `authentication_required`), send the user to
    `details.payment_url`; the change waits for that, a day at most.
    """

    @documented(
        "billing_subscription_change",
        UserSubscriptionSerializer,
        refusals({**SIGNED_IN, **_CHOICE, **_NONE, **_BODY, **_STRIPE}),
        request=PlanChoiceSerializer,
    )
    def post(self, request: Request) -> Response:
        wanted = self.read(PlanChoiceSerializer, request.data).validated_data
        subscription = plan_changes.change(_user(request), _chosen_plan(request, wanted["plan_id"]))
        return Response(UserSubscriptionSerializer(subscription).data)


class SyncView(StripeView):
    """Read the subscription afresh from Stripe: for the page after checkout, when the webhook is late."""

    @documented(
        "billing_subscription_sync",
        UserSubscriptionSerializer,
        refusals({**SIGNED_IN, **INVALID, **_NONE, **_BODY, **_STRIPE}),
        request=SyncSerializer,
    )
    def post(self, request: Request) -> Response:
        session_id = self.read(SyncSerializer, request.data).validated_data.get("session_id")
        return Response(UserSubscriptionSerializer(plan_changes.sync(_user(request), session_id)).data)


class PortalView(StripeView):
    """Open Stripe's customer portal: cards, invoices, addresses."""

    @documented(
        "billing_portal",
        PortalSessionSerializer,
        refusals(
            {**SIGNED_IN, **_NONE, **_BODY, **_STRIPE, 400: "`invalid_request`, `invalid_redirect_url`"}
        ),
        request=PortalSerializer,
    )
    def post(self, request: Request) -> Response:
        wanted = self.read(PortalSerializer, request.data).validated_data
        return_url = _way_back(request, "return_url", wanted, get_settings().CHECKOUT_CANCEL_URL)
        return Response({"portal_url": plan_changes.portal_url(_user(request), return_url)})


class PaymentMethodView(PersonalView):
    """The card that pays next, from the local copy of what Stripe knows."""

    @documented("billing_payment_method_retrieve", PaymentMethodSerializer, refusals(SIGNED_IN))
    def get(self, request: Request) -> Response:
        subscription = find_subscription(request.user)
        customer_id = subscription.stripe_customer_id if subscription else None
        return Response(PaymentMethodSerializer(stripe_mirror.default_card(customer_id or "")).data)


def _user(request: Request) -> AbstractBaseUser:
    """Return the signed-in user; raises AccountInactive for one whom only the host lets in."""
    check_user(request.user)
    return cast(AbstractBaseUser, request.user)


def _chosen_plan(request: Request, plan_id: int) -> SubscriptionPlan:
    """Return a plan that is offered to everybody, or the user's own, which may be offered no more."""
    user_id = _user(request).pk
    plans = SubscriptionPlan.objects.filter(pk=plan_id)
    plan = plans.listed().first() or plans.filter(subscriptions__user=user_id).first()
    if plan is None:
        raise InvalidPlan.unknown(str(plan_id)[:20])
    return plan


def _way_back(request: Request, field: str, wanted: dict[str, Any], default: str) -> str:
    origin = f"{request.scheme}://{request.get_host()}"
    return safe_redirect(field, wanted.get(field), default, origin=origin)
