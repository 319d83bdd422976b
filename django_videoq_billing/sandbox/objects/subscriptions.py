"""Subscriptions, their items and schedules."""

from typing import Any

from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.objects import ISSUER, NO_TAX, born, empty_list, without
from django_videoq_billing.sandbox.store import Record

CLASSIC = {"flexible": None, "type": "classic"}
MISSING_METHOD = {"end_behavior": {"missing_payment_method": "create_invoice"}}


def subscription(box: Sandbox, **given: Any) -> Record:
    """`_trial_notice` remembers that trial_will_end was sent, `_pending` the change that waits for its payment."""
    key = box.ids.new("sub")
    now = box.now()
    return born(
        box, "subscription", "sub", {**given, "id": key},
        application=None, application_fee_percent=None, automatic_tax=dict(NO_TAX), billing_cycle_anchor=now,
        billing_cycle_anchor_config=None, billing_mode=dict(CLASSIC), billing_schedules=[], billing_thresholds=None,
        cancel_at=None, cancel_at_period_end=False, canceled_at=None,
        cancellation_details={"comment": None, "feedback": None, "reason": None},
        collection_method="charge_automatically", currency="usd", customer="", customer_account=None,
        days_until_due=None, default_payment_method=None, default_source=None, default_tax_rates=[],
        description=None, discounts=[], ended_at=None,
        invoice_settings={"account_tax_ids": None, "issuer": dict(ISSUER)},
        items=empty_list(f"/v1/subscription_items?subscription={key}"), latest_invoice=None,
        next_pending_invoice_item_invoice=None, on_behalf_of=None, pause_collection=None,
        payment_settings={"payment_method_options": None, "payment_method_types": None, "save_default_payment_method": "off"},
        pending_invoice_item_interval=None, pending_setup_intent=None, pending_update=None, schedule=None,
        start_date=now, status="incomplete", test_clock=None, transfer_data=None, trial_end=None,
        trial_settings=MISSING_METHOD, trial_start=None, _trial_notice=False, _pending=None,
    )  # fmt: skip


def item(box: Sandbox, subscription_id: str, price: Record, period: tuple[int, int], **given: Any) -> Record:
    record = born(
        box, "subscription_item", "si", given,
        billing_thresholds=None, current_period_end=period[1], current_period_start=period[0], discounts=[],
        price=price["id"], quantity=1, subscription=subscription_id, tax_rates=[],
    )  # fmt: skip
    return without(record, "livemode")


def items(subscription: Record) -> list[Record]:
    data: list[Record] = subscription["items"]["data"]
    return data


def period(subscription: Record) -> tuple[int, int]:
    """All items of a classic subscription share one period."""
    first = items(subscription)[0]
    return first["current_period_start"], first["current_period_end"]


def set_period(subscription: Record, start: int, end: int) -> None:
    for entry in items(subscription):
        entry["current_period_start"] = start
        entry["current_period_end"] = end


def schedule(box: Sandbox, **given: Any) -> Record:
    defaults = {
        "application_fee_percent": None, "automatic_tax": dict(NO_TAX), "billing_cycle_anchor": "automatic",
        "billing_thresholds": None, "collection_method": "charge_automatically", "default_payment_method": None,
        "description": None, "invoice_settings": {"account_tax_ids": None, "days_until_due": None, "issuer": dict(ISSUER)},
        "on_behalf_of": None, "transfer_data": None,
    }  # fmt: skip
    return born(
        box, "subscription_schedule", "sub_sched", given,
        application=None, billing_mode=dict(CLASSIC), canceled_at=None, completed_at=None, current_phase=None,
        customer="", customer_account=None, default_settings=defaults, end_behavior="release", phases=[],
        released_at=None, released_subscription=None, status="not_started", subscription=None, test_clock=None,
    )  # fmt: skip


def phase(start: int, end: int, entries: list[Record], **given: Any) -> Record:
    return {
        "add_invoice_items": [], "application_fee_percent": None, "automatic_tax": dict(NO_TAX),
        "billing_cycle_anchor": None, "billing_thresholds": None, "collection_method": None, "currency": "usd",
        "default_payment_method": None, "default_tax_rates": [], "description": None, "discounts": [],
        "end_date": end, "invoice_settings": None, "items": entries, "metadata": {}, "on_behalf_of": None,
        "proration_behavior": "create_prorations", "start_date": start, "transfer_data": None, "trial_end": None,
        **given,
    }  # fmt: skip


def phase_item(price_id: str, quantity: int = 1) -> Record:
    return {
        "billing_thresholds": None, "discounts": [], "metadata": {}, "price": price_id, "quantity": quantity,
        "tax_rates": [],
    }  # fmt: skip
