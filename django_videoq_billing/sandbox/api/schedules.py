"""Subscription schedules."""

from django_videoq_billing.sandbox.api.router import CREATED, Call, endpoint, readable
from django_videoq_billing.sandbox.api.subscriptions import PRORATION
from django_videoq_billing.sandbox.billing import schedules
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.params import (
    FLAG,
    METADATA,
    MOMENT,
    RANGE,
    TEXT,
    Choice,
    Either,
    Fields,
    Hash,
    Many,
    Whole,
)
from django_videoq_billing.sandbox.store import Record

START = Either((Choice(("now",)), MOMENT))
DURATION: Fields = {
    "interval": Choice(("day", "week", "month", "year"), required=True),
    "interval_count": Whole(least=1),
}
PHASE: Fields = {
    "billing_cycle_anchor": Choice(("automatic", "phase_start")),
    "collection_method": Choice(("charge_automatically",)),
    "description": TEXT,
    "duration": Hash(DURATION),
    "end_date": MOMENT,
    "items": Many(Hash({"price": TEXT, "quantity": Whole(least=0), "metadata": METADATA}), required=True),
    "metadata": METADATA,
    "proration_behavior": PRORATION,
    "trial_end": MOMENT,
}
END_BEHAVIOR = Choice(("cancel", "release"))

readable(
    "/v1/subscription_schedules", "subscription_schedule", "subscription schedule",
    {**CREATED, "customer": TEXT, "scheduled": FLAG, "canceled_at": RANGE, "released_at": RANGE},
    {"scheduled": lambda record, wanted: (record["status"] == "not_started") == wanted},
)  # fmt: skip


@endpoint(
    "POST",
    "/v1/subscription_schedules",
    {
        "customer": TEXT,
        "end_behavior": END_BEHAVIOR,
        "from_subscription": TEXT,
        "metadata": METADATA,
        "phases": Many(Hash(PHASE)),
        "start_date": START,
    },
)
def create_schedule(call: Call) -> Record:
    subscription = call.named("subscription", "subscription", "from_subscription")
    if subscription is not None:
        if len(call.params) > 1:
            other = next(name for name in call.params if name != "from_subscription")
            raise StripeError(f"You cannot set `{other}` if `from_subscription` is set.", param=other)
        return schedules.from_subscription(call.box, subscription)
    customer = call.named("customer", "customer", "customer")
    if customer is None:
        raise StripeError.required("customer")
    if not call.params.get("phases"):
        raise StripeError.required("phases")
    return schedules.create(call.box, customer, call.params)


@endpoint(
    "POST",
    "/v1/subscription_schedules/{id}",
    {
        "end_behavior": END_BEHAVIOR,
        "metadata": METADATA,
        "phases": Many(Hash({**PHASE, "start_date": START})),
        "proration_behavior": PRORATION,
    },
)
def update_schedule(call: Call) -> Record:
    schedule = call.the("subscription_schedule", "subscription schedule")
    return schedules.update(call.box, schedule, call.params)


@endpoint("POST", "/v1/subscription_schedules/{id}/release", {"preserve_cancel_date": FLAG})
def release_schedule(call: Call) -> Record:
    return schedules.release(call.box, call.the("subscription_schedule", "subscription schedule"))


@endpoint("POST", "/v1/subscription_schedules/{id}/cancel", {"invoice_now": FLAG, "prorate": FLAG})
def cancel_schedule(call: Call) -> Record:
    return schedules.cancel(call.box, call.the("subscription_schedule", "subscription schedule"))
