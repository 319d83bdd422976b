"""The control API, for tests and for the console's buttons. JSON in, JSON out, no key needed (loopback only).

GET  /_sandbox/health              {"ok": true, "now": 1790000000, "api_version": "..."}
GET  /_sandbox/clock               {"now", "frozen"}
POST /_sandbox/clock               {"advance_seconds": n} or {"to": unix time}, plus {"drain": true} to attempt due
                                   deliveries after each thing that happens on the way, so that receivers which
                                   ask back see the state of that moment
POST /_sandbox/reset               forget everything; a seed starts its ids over
GET  /_sandbox/switches            all switches (see config.Switches)
POST /_sandbox/switches            any of them: {"duplicate": 2, "shuffle": true, "delay_seconds": 60,
                                   "drop": "none|first|all", "paused": true, "concurrency": 2,
                                   "signature_time": "wall|clock", "retry_days": [3, 5, 7],
                                   "after_retries": "cancel|unpaid|past_due"}
POST /_sandbox/outage              {"mode": "500|503|429|hang|lost", "requests": n, "seconds": s, "path": "/v1/...",
                                       "retry_after": s};
                                   `hang` does nothing, `lost` does the work, both answer 503 after `seconds`
GET  /_sandbox/deliveries          {"deliveries": [...]} oldest first; filters: status, event, type
POST /_sandbox/deliveries/drain    attempt everything due until nothing is due any more: {"attempted", "pending"}
POST /_sandbox/deliveries/flush    attempt each pending delivery once, due or not, paused or not
POST /_sandbox/events/{id}/redeliver   {"endpoint": id} or nothing for all; 201 with the new deliveries
POST /_sandbox/events/delete       {"type": pattern}: events and their deliveries vanish, as after 30 days
POST /_sandbox/customers/{id}/fail_next    {"payments": 1, "reason": "insufficient_funds"}; 0 clears
POST /_sandbox/disputes            {"charge": id, "reason", "amount"}: the cardholder complains; with
                                   {"inquiry": true} the bank only asks, and no money moves
POST /_sandbox/disputes/{id}/close {"won": true}; an inquiry is closed without an outcome
POST /_sandbox/refunds/{id}/fail   {"reason": "lost_or_stolen_card"}: the bank sends the money back
POST /_sandbox/webhook_endpoints/{id}/roll_secret   a second v1 signature with the new secret: {"secret", "old"}
GET  /_sandbox/objects/{kind}      {"objects": [...]}: everything of one kind, e.g. `subscription`
POST /_sandbox/checkout/{session}/pay      {"card": "4242...", "email", "name", "authenticate": true}: what a
                                   person would do on the page: {"outcome", "decline_code", "success_url"}; with a
                                   test bank account's number (cards.ACCOUNTS) the outcome is `processing`
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args, get_origin, get_type_hints

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from django_videoq_billing.sandbox.billing import checkout, methods, money_back
from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.config import API_VERSION, Outage, Switches
from django_videoq_billing.sandbox.deliveries import KIND
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.render import render
from django_videoq_billing.sandbox.store import Record

Answer = dict[str, Any]
Work = Callable[[Sandbox, Request, Answer], Awaitable[Answer]]


async def health(box: Sandbox, request: Request, body: Answer) -> Answer:
    return {"ok": True, "now": box.now(), "api_version": API_VERSION}


async def clock(box: Sandbox, request: Request, body: Answer) -> Answer:
    if request.method == "POST":
        to = body["to"] if "to" in body else box.now() + int(body.get("advance_seconds", 0))
        await advance(box, int(to), drain=bool(body.get("drain")))
    return {"now": box.now(), "frozen": box.clock.frozen}


async def advance(box: Sandbox, to: int, *, drain: bool) -> None:
    for _ in box.advance(to):
        if drain:
            await box.deliveries.send_due()
    if drain:
        await box.deliveries.send_due()
    box.deliveries.wake.set()


async def reset(box: Sandbox, request: Request, body: Answer) -> Answer:
    box.reset()
    return {"now": box.now()}


async def switches(box: Sandbox, request: Request, body: Answer) -> Answer:
    known = {field.name for field in fields(Switches)} - {"outage"}
    _refuse_unknown(body, known)
    for name, value in body.items():
        if not fits(value, Switches, name):
            raise StripeError(f"{name} cannot be {value!r}.")
    for name, value in body.items():
        setattr(box.switches, name, value)
    box.deliveries.wake.set()
    return asdict(box.switches)


async def outage(box: Sandbox, request: Request, body: Answer) -> Answer:
    _refuse_unknown(body, {field.name for field in fields(Outage)})
    for name, value in body.items():
        if not fits(value, Outage, name):
            raise StripeError(f"{name} cannot be {value!r}.")
    box.switches.outage = Outage(**{"requests": 1, **body})
    return asdict(box.switches.outage)


def fits(value: Any, owner: type, name: str) -> bool:
    """Whether a value has the type that a switch declares."""
    hint = get_type_hints(owner)[name]
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) is list:
        return isinstance(value, list) and all(type(item) is int for item in value)
    return type(value) is hint or (hint is float and type(value) is int)


def _refuse_unknown(body: Answer, known: set[str]) -> None:
    unknown = sorted(body.keys() - known)
    if unknown:
        raise StripeError(f"Unknown: {', '.join(unknown)}. Known: {', '.join(sorted(known))}.")


async def deliveries(box: Sandbox, request: Request, body: Answer) -> Answer:
    wanted = dict(request.query_params)
    found = [record for record in box.store.all(KIND) if wanted.items() <= record.items()]
    return {"deliveries": found}


async def drain(box: Sandbox, request: Request, body: Answer) -> Answer:
    attempted = 0
    while batch := await box.deliveries.send_due():
        attempted += batch
    return {"attempted": attempted, "pending": len(box.deliveries.pending())}


async def flush(box: Sandbox, request: Request, body: Answer) -> Answer:
    return {"attempted": await box.deliveries.send_due(force=True), "pending": len(box.deliveries.pending())}


async def redeliver(box: Sandbox, request: Request, body: Answer) -> Answer:
    event = _the(box, "event", request)
    endpoints = box.store.all("webhook_endpoint")
    if "endpoint" in body:
        endpoints = [one for one in endpoints if one["id"] == body["endpoint"]]
    return {"deliveries": box.deliveries.redeliver(event, endpoints)}


async def forget_events(box: Sandbox, request: Request, body: Answer) -> Answer:
    gone = [one for one in box.store.all("event") if fnmatchcase(one["type"], body.get("type", "*"))]
    for event in gone:
        box.deliveries.forget(event)
        box.store.remove(event)
    return {"deleted": len(gone)}


async def fail_next(box: Sandbox, request: Request, body: Answer) -> Answer:
    customer = _the(box, "customer", request)
    count = int(body.get("payments", 1))
    reason = body.get("reason", "generic_decline")
    customer["_fail_next"] = {"payments": count, "reason": reason} if count > 0 else None
    box.store.save(customer)
    return {"customer": customer["id"], "fail_next": customer["_fail_next"]}


async def open_dispute(box: Sandbox, request: Request, body: Answer) -> Answer:
    charge = box.store.get("charge", body.get("charge"))
    if charge is None:
        raise StripeError.missing("charge", body.get("charge"), "charge")
    dispute = money_back.open_dispute(
        box,
        charge,
        body.get("reason", "fraudulent"),
        body.get("amount"),
        inquiry=bool(body.get("inquiry")),
    )
    return _shown(box, dispute)


async def close_dispute(box: Sandbox, request: Request, body: Answer) -> Answer:
    dispute = _the(box, "dispute", request)
    money_back.close_dispute(box, dispute, won=bool(body.get("won")))
    return _shown(box, dispute)


async def fail_refund(box: Sandbox, request: Request, body: Answer) -> Answer:
    refund = _the(box, "refund", request)
    money_back.fail_refund(box, refund, body.get("reason", "lost_or_stolen_card"))
    return _shown(box, refund)


async def roll_secret(box: Sandbox, request: Request, body: Answer) -> Answer:
    endpoint = _the(box, "webhook_endpoint", request)
    endpoint["_secrets"] = [box.ids.new("whsec"), endpoint["_secrets"][0]]
    box.store.save(endpoint)
    return {"secret": endpoint["_secrets"][0], "old": endpoint["_secrets"][1]}


async def objects(box: Sandbox, request: Request, body: Answer) -> Answer:
    return {"objects": [_shown(box, record) for record in box.store.all(request.path_params["id"])]}


async def pay_checkout(box: Sandbox, request: Request, body: Answer) -> Answer:
    session = _the(box, "checkout.session", request)
    if session["status"] != "open":
        raise StripeError(f"This session is {session['status']}.")
    success_url = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
    known = box.store.get("customer", session["customer"])
    email = (
        body.get("email") or session["customer_email"] or (known and known["email"]) or "person@example.com"
    )
    card = methods.card_for(str(body.get("card", "4242424242424242")))
    outcome = checkout.pay(
        box, session, checkout.Payer(card, 12, 2034, email, body.get("name", "Sandbox Person"))
    )
    if outcome.kind == "requires_action" and body.get("authenticate", True):
        outcome = checkout.authenticate(box, session)
    return {
        "outcome": outcome.kind,
        "decline_code": outcome.decline.reason if outcome.decline else None,
        "success_url": success_url if outcome.goes_through else None,
    }


def _the(box: Sandbox, kind: str, request: Request) -> Record:
    found = box.store.get(kind, request.path_params["id"])
    if found is None:
        raise StripeError.missing(kind, request.path_params["id"])
    return found


def _shown(box: Sandbox, record: Record) -> Record:
    shown: Record = render(box.store, record)
    return shown


def _route(path: str, work: Work, methods_: list[str]) -> Route:
    async def handle(request: Request) -> JSONResponse:
        box: Sandbox = request.app.state.box
        raw = await request.body() if request.method == "POST" else b""
        try:
            body = json.loads(raw) if raw.strip() else {}
            box.run_due()
            answer = await work(box, request, body)
            box.run_due()
        except StripeError as error:
            return JSONResponse(error.payload("req_control"), error.status)
        except (ValueError, TypeError, KeyError) as error:
            return JSONResponse({"error": {"message": f"{type(error).__name__}: {error}"}}, 400)
        return JSONResponse(answer)

    return Route(f"/_sandbox/{path}", handle, methods=methods_)


ROUTES = [
    _route("health", health, ["GET"]),
    _route("clock", clock, ["GET", "POST"]),
    _route("reset", reset, ["POST"]),
    _route("switches", switches, ["GET", "POST"]),
    _route("outage", outage, ["POST"]),
    _route("deliveries", deliveries, ["GET"]),
    _route("deliveries/drain", drain, ["POST"]),
    _route("deliveries/flush", flush, ["POST"]),
    _route("events/delete", forget_events, ["POST"]),
    _route("events/{id}/redeliver", redeliver, ["POST"]),
    _route("customers/{id}/fail_next", fail_next, ["POST"]),
    _route("disputes", open_dispute, ["POST"]),
    _route("disputes/{id}/close", close_dispute, ["POST"]),
    _route("refunds/{id}/fail", fail_refund, ["POST"]),
    _route("webhook_endpoints/{id}/roll_secret", roll_secret, ["POST"]),
    _route("objects/{id}", objects, ["GET"]),
    _route("checkout/{id}/pay", pay_checkout, ["POST"]),
]
