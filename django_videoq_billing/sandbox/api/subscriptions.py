"""Subscriptions and their items."""

from collections.abc import Mapping

from django_videoq_billing.sandbox.api.router import CREATED, Call, Listing, Matcher, chosen, endpoint, within
from django_videoq_billing.sandbox.billing import cycle, methods, statuses, subscribing
from django_videoq_billing.sandbox.billing import subscriptions as moves
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import subscriptions
from django_videoq_billing.sandbox.params import (
    CLEARABLE_TEXT,
    EXPAND,
    FLAG,
    METADATA,
    MOMENT,
    NATURAL,
    PAGING,
    RANGE,
    TEXT,
    Choice,
    Either,
    Fields,
    Flag,
    Hash,
    Many,
    Params,
    Text,
    Whole,
)
from django_videoq_billing.sandbox.store import Record

PRORATION = Choice(("always_invoice", "create_prorations", "none"))
PAYMENT_BEHAVIOR = Choice(("allow_incomplete", "default_incomplete", "error_if_incomplete"))
FEEDBACK = (
    "customer_service", "low_quality", "missing_features", "other", "switched_service", "too_complex",
    "too_expensive", "unused",
)  # fmt: skip
CANCELLATION_DETAILS = Hash({"comment": CLEARABLE_TEXT, "feedback": Choice(FEEDBACK, clearable=True)})
CHANGE_BEHAVIOR = Choice((*PAYMENT_BEHAVIOR.options, "pending_if_incomplete"))
DISCOUNTS = Many(Hash({"coupon": TEXT, "promotion_code": TEXT}), clearable=True)
TRIAL_SETTINGS = Hash(
    {
        "end_behavior": Hash(
            {"missing_payment_method": Choice(("cancel", "create_invoice", "pause"), required=True)},
            required=True,
        )
    }
)
TRIAL_END = Either((Choice(("now",)), MOMENT))
CANCEL_AT = Either((Choice(("min_period_end", "max_period_end")), MOMENT), clearable=True)
NEW_ITEM: Fields = {"price": TEXT, "quantity": Whole(least=0), "metadata": METADATA}
CHANGED_ITEM: Fields = {**NEW_ITEM, "id": TEXT, "deleted": FLAG}
AUTOMATIC_TAX = Hash({"enabled": Flag(required=True)})
COMMON: Fields = {
    "automatic_tax": AUTOMATIC_TAX,
    "cancel_at": CANCEL_AT,
    "cancel_at_period_end": FLAG,
    "collection_method": Choice(("charge_automatically",)),
    "default_payment_method": TEXT,
    "description": CLEARABLE_TEXT,
    "discounts": DISCOUNTS,
    "metadata": METADATA,
    "off_session": FLAG,
    "payment_behavior": PAYMENT_BEHAVIOR,
    "payment_settings": Hash(
        {
            "payment_method_types": Many(Choice(("card",)), clearable=True),
            "save_default_payment_method": Choice(("off", "on_subscription")),
        }
    ),
    "proration_behavior": PRORATION,
    "trial_end": TRIAL_END,
    "trial_settings": TRIAL_SETTINGS,
}
STATUSES = (
    "active", "all", "canceled", "ended", "incomplete", "incomplete_expired", "past_due", "paused", "trialing",
    "unpaid",
)  # fmt: skip


def has_status(subscription: Record, wanted: str) -> bool:
    if wanted == "ended":
        return subscription["status"] in statuses.ENDED
    return wanted == "all" or bool(subscription["status"] == wanted)


def has_price(subscription: Record, price: str) -> bool:
    return any(item["price"] == price for item in subscriptions.items(subscription))


FILTERS: Fields = {
    **CREATED,
    "customer": TEXT,
    "price": TEXT,
    "status": Choice(STATUSES),
    "collection_method": Choice(("charge_automatically",)),
    "test_clock": TEXT,
    "current_period_end": RANGE,
    "current_period_start": RANGE,
}
MATCHERS: Mapping[str, Matcher] = {
    "status": has_status,
    "price": has_price,
    "created": within,
    "current_period_end": lambda record, wanted: within(
        subscriptions.items(record)[0], wanted, "current_period_end"
    ),
    "current_period_start": lambda record, wanted: within(
        subscriptions.items(record)[0], wanted, "current_period_start"
    ),
}


@endpoint("GET", "/v1/subscriptions", {**PAGING, **FILTERS})
def list_subscriptions(call: Call) -> Listing:
    """Without a status the canceled ones are left out, as Stripe leaves them out."""
    found = call.box.store.all("subscription")
    if "status" not in call.params:
        found = [one for one in found if one["status"] not in {"canceled", "incomplete_expired"}]
    return Listing(chosen(found, call.params, MATCHERS), "/v1/subscriptions")


@endpoint("GET", "/v1/subscriptions/{id}")
def retrieve_subscription(call: Call) -> Record:
    return call.the("subscription", "subscription")


@endpoint("GET", "/v1/customers/{customer}/subscriptions", PAGING)
def list_customer_subscriptions(call: Call) -> Listing:
    customer = call.the("customer", "customer", "customer")
    mine = [
        one
        for one in call.box.store.where("subscription", customer=customer["id"])
        if one["status"] not in statuses.ENDED
    ]
    return Listing(chosen(mine, call.params, MATCHERS), f"/v1/customers/{customer['id']}/subscriptions")


@endpoint(
    "POST",
    "/v1/subscriptions",
    {
        **COMMON,
        "billing_cycle_anchor": MOMENT,
        "currency": TEXT,
        "customer": Text(required=True),
        "items": Many(Hash(NEW_ITEM), required=True),
        "trial_period_days": Whole(least=1, most=730),
    },
)
def create_subscription(call: Call) -> Record:
    customer = call.named("customer", "customer", "customer")
    if customer is None:
        raise StripeError.required("customer")
    params = _with_method(call, dict(call.params), customer)
    return subscribing.create(call.box, customer, params)


@endpoint(
    "POST",
    "/v1/subscriptions/{id}",
    {
        **COMMON,
        "billing_cycle_anchor": Choice(("now", "unchanged")),
        "cancellation_details": CANCELLATION_DETAILS,
        "items": Many(Hash(CHANGED_ITEM)),
        "payment_behavior": CHANGE_BEHAVIOR,
        "pause_collection": Hash(
            {
                "behavior": Choice(("keep_as_draft", "mark_uncollectible", "void"), required=True),
                "resumes_at": MOMENT,
            },
            clearable=True,
        ),
        "proration_date": MOMENT,
    },
)
def update_subscription(call: Call) -> Record:
    subscription = call.the("subscription", "subscription")
    customer = call.box.store.the("customer", subscription["customer"])
    return moves.update(call.box, subscription, _with_method(call, dict(call.params), customer))


def _with_method(call: Call, params: Params, customer: Record) -> Params:
    key = params.get("default_payment_method")
    if key is not None:
        method = methods.usable(call.box, key, "default_payment_method", customer)
        params["default_payment_method"] = method["id"]
    return params


@endpoint(
    "DELETE",
    "/v1/subscriptions/{id}",
    {"cancellation_details": CANCELLATION_DETAILS, "expand": EXPAND, "invoice_now": FLAG, "prorate": FLAG},
)
def cancel_subscription(call: Call) -> Record:
    return cycle.cancel_now(call.box, call.the("subscription", "subscription"), call.params)


@endpoint(
    "POST",
    "/v1/subscriptions/{id}/resume",
    {
        "billing_cycle_anchor": Choice(("now", "unchanged")),
        "proration_behavior": PRORATION,
        "proration_date": MOMENT,
    },
)
def resume_subscription(call: Call) -> Record:
    return cycle.resume(call.box, call.the("subscription", "subscription"), call.params)


ITEM: Fields = {
    "metadata": METADATA,
    "payment_behavior": CHANGE_BEHAVIOR,
    "price": TEXT,
    "proration_behavior": PRORATION,
    "proration_date": MOMENT,
    "quantity": NATURAL,
}
ITEM_OWN = {"metadata", "price", "quantity"}


def _owner(call: Call) -> tuple[Record, Record]:
    key = call.path["id"]
    for subscription in call.box.store.all("subscription"):
        for item in subscriptions.items(subscription):
            if item["id"] == key:
                return subscription, item
    raise StripeError.missing("subscription_item", key)


def _change(call: Call, subscription: Record, entry: Params) -> Record:
    params = {name: value for name, value in call.params.items() if name not in ITEM_OWN | {"subscription"}}
    return moves.update(call.box, subscription, {**params, "items": [entry]})


@endpoint("GET", "/v1/subscription_items", {**PAGING, "subscription": Text(required=True)})
def list_items(call: Call) -> Listing:
    subscription = call.named("subscription", "subscription", "subscription")
    found = subscriptions.items(subscription) if subscription else []
    return Listing(found, "/v1/subscription_items")


@endpoint("GET", "/v1/subscription_items/{id}")
def retrieve_item(call: Call) -> Record:
    return _owner(call)[1]


@endpoint("POST", "/v1/subscription_items", {**ITEM, "subscription": Text(required=True)})
def create_item(call: Call) -> Record:
    subscription = call.named("subscription", "subscription", "subscription")
    if subscription is None:
        raise StripeError.required("subscription")
    _change(call, subscription, {name: value for name, value in call.params.items() if name in ITEM_OWN})
    return subscriptions.items(subscription)[-1]


@endpoint("POST", "/v1/subscription_items/{id}", {**ITEM, "off_session": FLAG})
def update_item(call: Call) -> Record:
    subscription, item = _owner(call)
    entry = {name: value for name, value in call.params.items() if name in ITEM_OWN}
    _change(call, subscription, {**entry, "id": item["id"]})
    return _owner(call)[1]


@endpoint(
    "DELETE", "/v1/subscription_items/{id}", {"proration_behavior": PRORATION, "proration_date": MOMENT}
)
def delete_item(call: Call) -> Record:
    subscription, item = _owner(call)
    _change(call, subscription, {"id": item["id"], "deleted": True})
    return {"id": item["id"], "object": "subscription_item", "deleted": True}
