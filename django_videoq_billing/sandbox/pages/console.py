"""The console: the clock, switches, objects, events with their payload, deliveries with their attempts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from django_videoq_billing.sandbox import control
from django_videoq_billing.sandbox.billing import lines, money_back
from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.config import DAY, Outage
from django_videoq_billing.sandbox.deliveries import KIND
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import subscriptions
from django_videoq_billing.sandbox.pages.rendering import go, notice, page, route
from django_videoq_billing.sandbox.render import render
from django_videoq_billing.sandbox.store import Record

HIDDEN = {"event", KIND}
PAGE_SIZE = 100
BACK = "Back to the console"
STEPS = (("1 hour", 3600), ("1 day", DAY), ("3 days", 3 * DAY), ("1 week", 7 * DAY), ("1 month", 31 * DAY))


def _charged(record: Record) -> str:
    return f"{lines.money(record['amount'], record['currency'])} · {record['status']}"


SUMMARIES: dict[str, Callable[[Sandbox, Record], str]] = {
    "customer": lambda box, record: record["email"] or record["name"] or "",
    "product": lambda box, record: record["name"],
    "price": lambda box, record: (
        f"{lines.money(lines.amount_of(record, 1), record['currency'])} · {record['lookup_key'] or ''}"
    ),
    "subscription": lambda box, record: (
        f"{record['status']} · "
        + ", ".join(lines.described(box.store, item) for item in subscriptions.items(record))
    ),
    "subscription_schedule": lambda box, record: f"{record['status']} · {len(record['phases'])} phases",
    "invoice": lambda box, record: (
        f"{record['number'] or 'draft'} · {record['status']} · "
        + lines.money(record["total"], record["currency"])
    ),
    "payment_intent": lambda box, record: _charged(record),
    "charge": lambda box, record: _charged(record),
    "refund": lambda box, record: _charged(record),
    "dispute": lambda box, record: _charged(record),
    "checkout.session": lambda box, record: f"{record['status']} · {record['payment_status']}",
    "payment_method": lambda box, record: f"{record['card']['brand']} {record['card']['last4']}",
    "webhook_endpoint": lambda box, record: f"{record['url']} · {record['status']}",
}


def summary(box: Sandbox, record: Record) -> str:
    describe = SUMMARIES.get(record["object"])
    return "deleted" if record.get("deleted") else describe(box, record) if describe else ""


async def overview(box: Sandbox, request: Request) -> Response:
    kinds = sorted(
        (kind, len(records)) for kind, records in box.store.kinds.items() if records and kind not in HIDDEN
    )
    upcoming = sorted(box.agenda.entries.values())[:6]
    return page(
        request, "console/overview.html", tab="overview", kinds=kinds, upcoming=upcoming, steps=STEPS,
        switches=box.switches, events=list(reversed(box.store.all("event")))[:12],
        pending=len(box.deliveries.pending()),
    )  # fmt: skip


async def listed(box: Sandbox, request: Request) -> Response:
    kind = request.path_params["kind"]
    found = list(reversed(box.store.all(kind)))[:PAGE_SIZE]
    rows = [(record, summary(box, record)) for record in found]
    return page(request, "console/objects.html", tab="overview", kind=kind, rows=rows)


async def shown(box: Sandbox, request: Request) -> Response:
    record = box.store.find(request.path_params["id"])
    if record is None:
        return notice(
            request, "Nothing here", "There is no such object.", link="/_sandbox/", label=BACK, status=404
        )
    payload = json.dumps(render(box.store, record), indent=2, ensure_ascii=False)
    related = [event for event in box.store.all("event") if event["data"]["object"].get("id") == record["id"]]
    return page(
        request, "console/object.html", tab="overview", record=record, payload=payload,
        summary=summary(box, record), related=list(reversed(related)),
        deliveries=list(box.store.where(KIND, event=record["id"])),
    )  # fmt: skip


async def events(box: Sandbox, request: Request) -> Response:
    wanted = request.query_params.get("type", "")
    found = [event for event in reversed(box.store.all("event")) if wanted in event["type"]]
    return page(
        request,
        "console/events.html",
        tab="events",
        events=found[:PAGE_SIZE],
        wanted=wanted,
        total=len(found),
    )


async def deliveries(box: Sandbox, request: Request) -> Response:
    found = list(reversed(box.store.all(KIND)))
    return page(
        request, "console/deliveries.html", tab="deliveries", deliveries=found[:PAGE_SIZE], total=len(found),
        endpoints=box.store.all("webhook_endpoint"), pending=len(box.deliveries.pending()),
    )  # fmt: skip


async def act(box: Sandbox, request: Request) -> Response:
    """A button of the console."""
    form = await request.form()
    back = str(form.get("back") or "/_sandbox/")
    try:
        await _do(box, str(form.get("action")), form)
    except (StripeError, ValueError) as error:
        return notice(request, "That did not work", str(error), link="/_sandbox/", label=BACK, status=400)
    return go(back if back.startswith("/_sandbox/") else "/_sandbox/")


async def _do(box: Sandbox, action: str, form: FormData) -> None:
    if action == "advance":
        seconds = float(str(form.get("days") or 0)) * DAY + int(str(form.get("seconds") or 0))
        await control.advance(box, box.now() + int(seconds), drain=form.get("drain") == "on")
    elif action == "next":
        upcoming = min(box.agenda.entries.values(), default=None)
        if upcoming is not None:
            await control.advance(box, upcoming.at, drain=False)
    elif action == "switches":
        _switch(box, form)
    elif action == "outage":
        box.switches.outage = Outage(
            mode=str(form.get("mode")),  # type: ignore[arg-type]
            requests=int(str(form.get("requests"))),
        )
    elif action == "flush":
        await box.deliveries.send_due(force=True)
    else:
        _on_object(box, action, str(form.get("id")), form)


def _switch(box: Sandbox, form: FormData) -> None:
    values: dict[str, Any] = {
        "duplicate": int(str(form.get("duplicate") or 0)),
        "delay_seconds": int(str(form.get("delay_seconds") or 0)),
        "drop": str(form.get("drop")),
        "after_retries": str(form.get("after_retries")),
        "shuffle": form.get("shuffle") == "on",
        "paused": form.get("paused") == "on",
    }
    for name, value in values.items():
        setattr(box.switches, name, value)
    box.deliveries.wake.set()


def _on_object(box: Sandbox, action: str, key: str, form: FormData) -> None:
    record = box.store.find(key)
    if record is None:
        raise StripeError(f"There is no {key}.")
    if action == "redeliver":
        box.deliveries.redeliver(record, box.store.all("webhook_endpoint"))
    elif action == "refund":
        money_back.refund(box, record, None, {})
    elif action == "dispute":
        money_back.open_dispute(box, record)
    elif action in {"win", "lose"}:
        money_back.close_dispute(box, record, won=action == "win")
    elif action == "fail_next":
        record["_fail_next"] = {"payments": int(str(form.get("payments") or 1)), "reason": "generic_decline"}


ROUTES = [
    route("/_sandbox/", overview),
    route("/_sandbox/console/act", act, "POST"),
    route("/_sandbox/console/events", events),
    route("/_sandbox/console/deliveries", deliveries),
    route("/_sandbox/console/kinds/{kind}", listed),
    route("/_sandbox/console/objects/{id}", shown),
]
