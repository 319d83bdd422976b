"""What is sent to Stripe for a checkout page and a change, and what comes back in a webhook."""

from __future__ import annotations

from typing import Any

from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import MalformedPayload
from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.stripe_payloads import moment, storable
from django_videoq_billing.services.stripe_service.client import Json, given
from django_videoq_billing.types import StripeSubscriptionState, UserId


def checkout_params(
    user_id: UserId, plan: SubscriptionPlan, customer_id: str, urls: tuple[str, str], *, trial: bool
) -> Any:
    """https://docs.stripe.com/api/checkout/sessions/create"""
    settings = get_settings()
    metadata = {"user_id": str(user_id), "plan_id": str(plan.pk)}
    return given(
        {
            "mode": "subscription",
            "customer": customer_id,
            "client_reference_id": str(user_id),
            "line_items": [{"price": plan.stripe_price_id, "quantity": 1}],
            "success_url": urls[0],
            "cancel_url": urls[1],
            "metadata": {**metadata, "price_id": plan.stripe_price_id},
            "subscription_data": given(
                {"metadata": metadata, "trial_period_days": (plan.trial_days or None) if trial else None}
            ),
            "payment_method_types": list(settings.CHECKOUT_PAYMENT_METHOD_TYPES),
            "allow_promotion_codes": settings.CHECKOUT_PROMOTION_CODES or None,
            "automatic_tax": {"enabled": True} if settings.CHECKOUT_AUTOMATIC_TAX else None,
            "customer_update": {"address": "auto"} if settings.CHECKOUT_AUTOMATIC_TAX else None,
            "locale": settings.CHECKOUT_LOCALE,
        }
    )


def change_params(subscription: StripeSubscriptionState, price_id: str, *, end_trial: bool) -> Any:
    """What a change of the price at once is, for making it and for a preview of it."""
    return given(
        {
            "items": [{"id": subscription.item_id, "price": price_id}],
            "proration_behavior": "always_invoice",
            "trial_end": "now" if end_trial else None,
        }
    )


def schedule_params(subscription: StripeSubscriptionState, price_id: str) -> Any:
    """What a change of the price at the end of the period is: the phase that runs, and the one after it."""
    start, end = (int(edge.timestamp()) for edge in (subscription.period.start, subscription.period.end))
    now = {"price": subscription.price.stripe_id, "quantity": 1}
    later = {"price": price_id, "quantity": 1}
    return {
        "end_behavior": "release",
        "phases": [
            {"items": [now], "start_date": start, "end_date": end, "proration_behavior": "none"},
            {"items": [later], "start_date": end, "proration_behavior": "none"},
        ],
    }


def read_event(payload: bytes) -> Json:
    """Return the event in a body whose signature is verified; raises MalformedPayload."""
    try:
        event = storable(payload)
        moment(event["created"])
        fits = isinstance(event["id"], str) and len(event["id"]) <= 255 and isinstance(event["type"], str)
        if fits and isinstance(event["data"]["object"], dict):  # which has no id where it is a balance
            return dict(event)
    except (KeyError, OverflowError, RecursionError, TypeError, ValueError):
        pass
    raise MalformedPayload.not_an_event()
