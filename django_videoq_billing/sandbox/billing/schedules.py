"""Subscription schedules: phases that change a subscription's items when their time comes."""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise
from typing import Any

from django_videoq_billing.sandbox.billing import changes, cycle, lines, periods, statuses, subscribing
from django_videoq_billing.sandbox.billing import subscriptions as moves
from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import subscriptions
from django_videoq_billing.sandbox.params import Params, merged_metadata
from django_videoq_billing.sandbox.store import Record

UPDATED = "subscription_schedule.updated"
LIVE = frozenset({"not_started", "active"})


def from_subscription(box: Sandbox, subscription: Record) -> Record:
    """A schedule with one phase: what the subscription is now, until its period ends."""
    if subscription["schedule"]:
        raise StripeError(
            "You cannot migrate a subscription that is already attached to a schedule: "
            f"`{subscription['schedule']}`.",
            param="from_subscription",
        )
    if subscription["status"] in statuses.ENDED | {"incomplete"}:
        raise StripeError(
            f"You cannot create a schedule from a subscription that is {subscription['status']}.",
            param="from_subscription",
        )
    start, end = subscriptions.period(subscription)
    entries = [
        subscriptions.phase_item(item["price"], item["quantity"])
        for item in subscriptions.items(subscription)
    ]
    schedule = subscriptions.schedule(
        box, customer=subscription["customer"], subscription=subscription["id"], status="active",
        current_phase={"end_date": end, "start_date": start}, test_clock=subscription["test_clock"],
        phases=[subscriptions.phase(start, end, entries, currency=subscription["currency"])],
    )  # fmt: skip
    box.store.save(schedule)
    box.emit("subscription_schedule.created", schedule)
    with box.changing(subscription, statuses.UPDATED):
        subscription["schedule"] = schedule["id"]
    return schedule


def create(box: Sandbox, customer: Record, params: Params) -> Record:
    """A schedule of its own: its subscription is born when the first phase starts."""
    start = params.get("start_date", "now")
    start = box.now() if start == "now" else start
    schedule = subscriptions.schedule(
        box, customer=customer["id"], phases=_phases(box, params["phases"], start), test_clock=customer["test_clock"],
        metadata=merged_metadata({}, params.get("metadata") or {}),
        end_behavior=params.get("end_behavior", "release"),
    )  # fmt: skip
    box.store.save(schedule)
    box.emit("subscription_schedule.created", schedule)
    return schedule


def update(box: Sandbox, schedule: Record, params: Params) -> Record:
    _require_live(schedule)
    phases = None
    if "phases" in params:
        phases = _phases(box, params["phases"], _current_start(schedule, params["phases"]))
        current = schedule["current_phase"]
        if current and phases[0]["start_date"] != current["start_date"]:
            raise StripeError(
                "You can not modify the start date of the current phase.", param="phases[0][start_date]"
            )
    with box.changing(schedule, UPDATED):
        if "metadata" in params:
            schedule["metadata"] = merged_metadata(schedule["metadata"], params["metadata"])
        schedule["end_behavior"] = params.get("end_behavior", schedule["end_behavior"])
        if phases is not None:
            schedule["phases"] = phases
            _refresh_current(box, schedule, params)
    return schedule


def _current_start(schedule: Record, given: list[Params]) -> int:
    start = given[0].get("start_date") if given else None
    if start is None:
        raise StripeError.required("phases[0][start_date]")
    return int(
        schedule["current_phase"]["start_date"] if start == "now" and schedule["current_phase"] else start
    )


def _refresh_current(box: Sandbox, schedule: Record, params: Params) -> None:
    """The phase that runs now may have another end or other items."""
    if schedule["status"] != "active":
        return
    current = next((one for one in schedule["phases"] if one["end_date"] > box.now()), schedule["phases"][-1])
    schedule["current_phase"] = {"end_date": current["end_date"], "start_date": current["start_date"]}
    subscription = box.store.the("subscription", schedule["subscription"])
    behavior = params.get("proration_behavior", "create_prorations")
    change_items(box, subscription, current, behavior)


def _phases(box: Sandbox, given: list[Params], start: int) -> list[Record]:
    if not given:
        raise StripeError.required("phases")
    phases: list[Record] = []
    for index, entry in enumerate(given):
        begins = start if index == 0 else phases[-1]["end_date"]
        if index and entry.get("start_date") not in {None, begins}:
            raise StripeError(
                "The start date of a phase must be the end date of the one before it.",
                param=f"phases[{index}][start_date]",
            )
        phases.append(_phase(box, entry, begins, f"phases[{index}]"))
    for one, other in pairwise(phases):
        if other["end_date"] <= one["end_date"]:
            raise StripeError("Each phase must end after the one before it.", param="phases")
    return phases


def _phase(box: Sandbox, entry: Params, start: int, param: str) -> Record:
    entries = []
    for index, item in enumerate(entry["items"]):
        price = changes.usable_price(box.store, item.get("price", ""), f"{param}[items][{index}][price]")
        entries.append(subscriptions.phase_item(price["id"], item.get("quantity", 1)))
    first = box.store.the("price", entries[0]["price"])
    interval, count = first["recurring"]["interval"], first["recurring"]["interval_count"]
    if "duration" in entry:
        interval, count = entry["duration"]["interval"], entry["duration"].get("interval_count", 1)
    end = entry.get("end_date") or periods.shifted(start, interval, count)
    extra: dict[str, Any] = {
        name: entry[name] for name in ("description", "trial_end", "billing_cycle_anchor") if entry.get(name)
    }
    return subscriptions.phase(
        start, end, entries,
        currency=first["currency"], proration_behavior=entry.get("proration_behavior", "create_prorations"),
        metadata=merged_metadata({}, entry.get("metadata") or {}), **extra,
    )  # fmt: skip


def release(box: Sandbox, schedule: Record) -> Record:
    """Let go of the subscription, which lives on as it is."""
    _require_live(schedule)
    subscription = box.store.get("subscription", schedule["subscription"])
    schedule |= {
        "status": "released", "released_at": box.now(), "released_subscription": schedule["subscription"],
        "subscription": None, "current_phase": None,
    }  # fmt: skip
    box.store.save(schedule)
    if subscription is not None:
        with box.changing(subscription, statuses.UPDATED):
            subscription["schedule"] = None
    box.emit("subscription_schedule.released", schedule)
    return schedule


def cancel(box: Sandbox, schedule: Record) -> Record:
    """Cancel the schedule and its subscription at once."""
    _require_live(schedule)
    subscription = box.store.get("subscription", schedule["subscription"])
    if subscription is not None and subscription["status"] not in statuses.ENDED:
        statuses.end(box, subscription, "cancellation_requested")
        return schedule
    schedule |= {"status": "canceled", "canceled_at": box.now(), "current_phase": None}
    box.store.save(schedule)
    box.emit("subscription_schedule.canceled", schedule)
    return schedule


def _require_live(schedule: Record) -> None:
    if schedule["status"] not in LIVE:
        raise StripeError(
            f"The subscription schedule is {schedule['status']}; only not_started and active ones can change."
        )


def due_at(schedule: Record) -> int | None:
    if schedule["status"] == "not_started":
        return int(schedule["phases"][0]["start_date"])
    return int(schedule["current_phase"]["end_date"]) if schedule["status"] == "active" else None


def act(box: Sandbox, schedule: Record) -> None:
    """The agenda's call: the first phase starts, or one ends and the next begins, or all is over."""
    if schedule["status"] == "not_started":
        _start(box, schedule)
        return
    subscription = box.store.the("subscription", schedule["subscription"])
    following = [
        one for one in schedule["phases"] if one["start_date"] >= schedule["current_phase"]["end_date"]
    ]
    if following:
        _enter(box, schedule, subscription, following[0])
    elif schedule["end_behavior"] == "cancel":
        schedule |= {"status": "completed", "completed_at": box.now(), "current_phase": None}
        box.store.save(schedule)
        box.emit("subscription_schedule.completed", schedule)
        statuses.end(box, subscription, None)
    else:
        release(box, schedule)


def _start(box: Sandbox, schedule: Record) -> None:
    phase = schedule["phases"][0]
    customer = box.store.the("customer", schedule["customer"])
    items = [{"price": item["price"], "quantity": item["quantity"]} for item in phase["items"]]
    subscription = subscribing.create(box, customer, {"items": items, "metadata": phase["metadata"]})
    with box.changing(schedule, UPDATED):
        schedule |= {
            "status": "active", "subscription": subscription["id"],
            "current_phase": {"end_date": phase["end_date"], "start_date": phase["start_date"]},
        }  # fmt: skip
    with box.changing(subscription, statuses.UPDATED):
        subscription["schedule"] = schedule["id"]


def _enter(box: Sandbox, schedule: Record, subscription: Record, phase: Record) -> None:
    with box.changing(schedule, UPDATED):
        schedule["current_phase"] = {"end_date": phase["end_date"], "start_date": phase["start_date"]}
    change_items(box, subscription, phase, phase["proration_behavior"])


def change_items(box: Sandbox, subscription: Record, phase: Record, behavior: str) -> None:
    """Bring a subscription to a phase's items; at the end of a period the renewal does it, without prorations."""
    if subscription["status"] in statuses.ENDED:
        return
    items = _items_for(box, subscription, phase)
    wanted = [(item["price"], item["quantity"]) for item in items]
    if wanted == [(item["price"], item["quantity"]) for item in subscriptions.items(subscription)]:
        return
    if subscriptions.period(subscription)[1] <= box.now() and subscription["status"] != "trialing":
        cycle.renew(box, subscription, items=items)
        return
    change = changes.weigh(box.store, subscription, items, behavior, box.now())
    with box.changing(subscription, statuses.UPDATED):
        moves.apply(box, subscription, change, {"proration_behavior": behavior})


def _items_for(box: Sandbox, subscription: Record, phase: Record) -> list[Record]:
    """A phase's items, keeping the ids of the items they take over."""
    present = deepcopy(subscriptions.items(subscription))
    items = []
    for index, entry in enumerate(phase["items"]):
        if index < len(present):
            item = present[index] | {"price": entry["price"], "quantity": entry["quantity"]}
        else:
            price = box.store.the("price", entry["price"])
            item = subscriptions.item(
                box, subscription["id"], price, subscriptions.period(subscription), quantity=entry["quantity"]
            )
        items.append(item)
    changes.check_items(box.store, items)
    return items


def coming_items(box: Sandbox, subscription: Record) -> list[Record] | None:
    """What a subscription's schedule will bill when the present period is over, if it changes anything."""
    schedule = box.store.get("subscription_schedule", subscription["schedule"])
    end = subscriptions.period(subscription)[1]
    coming = [one for one in schedule["phases"] if one["start_date"] == end] if schedule else []
    return _items_for(box, subscription, coming[0]) if coming else None


def price_names(box: Sandbox, phase: Record) -> str:
    """For the console and the portal."""
    return ", ".join(
        lines.product_name(box.store, box.store.the("price", item["price"])) for item in phase["items"]
    )
