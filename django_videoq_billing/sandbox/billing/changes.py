"""What a change of a subscription's items means: new items, prorations, a new cycle. Nothing is saved or emitted here."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal

from django_videoq_billing.sandbox.billing import lines, periods
from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import subscriptions
from django_videoq_billing.sandbox.params import Params, merged_metadata
from django_videoq_billing.sandbox.store import Record, Store


@dataclass(frozen=True)
class Proration:
    """A credit for unused time (negative) or a charge for the rest of the period."""

    amount: int
    description: str
    item: Record
    start: int
    end: int


@dataclass
class Change:
    items: list[Record]
    prorations: list[Proration] = field(default_factory=list)
    new_cycle: bool = False
    """The period starts afresh now and is invoiced at once."""


def usable_price(store: Store, key: str, param: str) -> Record:
    price = store.get("price", key)
    if price is None:
        raise StripeError.missing("price", key, param, status=400)
    if not price["active"]:
        raise StripeError(
            f"The price specified is inactive. This field only accepts active prices. (`{key}`)", param=param
        )
    if price["type"] != "recurring":
        raise StripeError(
            "The price specified is set to `type=one_time` but this field only accepts prices with "
            "`type=recurring`.",
            param=param,
        )
    return price


def check_items(store: Store, items: list[Record]) -> None:
    if not items:
        raise StripeError("A subscription must have at least one active plan.", param="items")
    currencies = {store.the("price", item["price"])["currency"] for item in items}
    if len(currencies) > 1:
        raise StripeError("All prices on a subscription must have the same currency.", param="items")
    if len({lines.interval_of(store, item) for item in items}) > 1:
        raise StripeError(
            "All prices on a subscription must have the same `recurring.interval` and "
            "`recurring.interval_count`.",
            param="items",
        )
    if len({item["price"] for item in items}) < len(items):
        raise StripeError("Cannot add multiple subscription items with the same price.", param="items")


def new_items(box: Sandbox, subscription: Record, given: list[Params]) -> list[Record]:
    """The items after `given` was applied: named by id they change or go, without an id they are added."""
    items = {item["id"]: deepcopy(item) for item in subscriptions.items(subscription)}
    for index, entry in enumerate(given):
        param = f"items[{index}]"
        key = entry.get("id")
        if key is not None and key not in items:
            raise StripeError.missing("subscription_item", key, f"{param}[id]", status=400)
        if key is not None and entry.get("deleted"):
            del items[key]
        elif key is not None:
            _amend(box.store, items[key], entry, param)
        else:
            added = _added(box, subscription, entry, param)
            items[added["id"]] = added
    result = list(items.values())
    check_items(box.store, result)
    return result


def _amend(store: Store, item: Record, entry: Params, param: str) -> None:
    if "price" in entry and entry["price"] != item["price"]:
        item["price"] = usable_price(store, entry["price"], f"{param}[price]")["id"]
    item["quantity"] = entry.get("quantity", item["quantity"])
    if "metadata" in entry:
        item["metadata"] = merged_metadata(item["metadata"], entry["metadata"])


def _added(box: Sandbox, subscription: Record, entry: Params, param: str) -> Record:
    if "price" not in entry:
        raise StripeError.required(f"{param}[price]")
    price = usable_price(box.store, entry["price"], f"{param}[price]")
    return subscriptions.item(
        box,
        subscription["id"],
        price,
        subscriptions.period(subscription),
        quantity=entry.get("quantity", 1),
        metadata=merged_metadata({}, entry.get("metadata") or {}),
    )


def weigh(
    store: Store, subscription: Record, items: list[Record], behavior: str, at: int, *, restart: bool = False
) -> Change:
    """The prorations of going from the present items to `items` at `at`; none while trialing."""
    before = {item["id"]: item for item in subscriptions.items(subscription)}
    changed = [item for item in items if _differs(before.get(item["id"]), item)]
    gone = [item for key, item in before.items() if _differs(item, _by_id(items, key))]
    if subscription["status"] == "trialing" and not restart:
        return Change(items)
    new_cycle = restart or _needs_new_cycle(store, list(before.values()), items)
    if new_cycle:
        gone = list(before.values())
    if behavior == "none" or subscription["status"] == "trialing":
        return Change(items, [], new_cycle)
    start, end = subscriptions.period(subscription)
    share = Decimal(max(0, end - at)) / Decimal(max(1, end - start))
    if not share:
        return Change(items, [], new_cycle)
    prorations = [_prorate(store, item, -share, (at, end)) for item in gone]
    if not new_cycle:
        prorations += [_prorate(store, item, share, (at, end)) for item in changed]
    return Change(items, [proration for proration in prorations if proration.amount], new_cycle)


def _by_id(items: list[Record], key: str) -> Record | None:
    return next((item for item in items if item["id"] == key), None)


def _differs(one: Record | None, other: Record | None) -> bool:
    if one is None or other is None:
        return True
    return (one["price"], one["quantity"]) != (other["price"], other["quantity"])


def _needs_new_cycle(store: Store, before: list[Record], after: list[Record]) -> bool:
    """Another interval, or the step from free to paid, starts the cycle afresh, as Stripe does."""
    if not after:
        return False
    if lines.interval_of(store, before[0]) != lines.interval_of(store, after[0]):
        return True
    free = sum(lines.item_amount(store, item) for item in before) == 0
    return free and sum(lines.item_amount(store, item) for item in after) > 0


def _prorate(store: Store, item: Record, share: Decimal, span: tuple[int, int]) -> Proration:
    price = store.the("price", item["price"])
    exact = Decimal(price["unit_amount_decimal"]) * item["quantity"] * share
    words = "Unused time on" if share < 0 else "Remaining time on"
    name = lines.product_name(store, price)
    if item["quantity"] != 1:
        name = f"{item['quantity']} {lines.TIMES} {name}"
    text = f"{words} {name} after {periods.day(span[0])}"
    return Proration(lines.whole(exact), text, item, *span)


def install(store: Store, subscription: Record, change: Change, now: int) -> None:
    """Put a change's items into a subscription, and start its cycle afresh where it says so."""
    subscription["items"]["data"] = deepcopy(change.items)
    if change.new_cycle:
        interval, count = lines.interval_of(store, change.items[0])
        subscription["billing_cycle_anchor"] = now
        subscriptions.set_period(subscription, now, periods.shifted(now, interval, count))
        if subscription["status"] == "trialing":
            subscription |= {"status": "active", "trial_end": now}
    if subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = subscriptions.period(subscription)[1]
