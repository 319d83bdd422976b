"""The customer portal: plan, card, invoices, cancel and resume."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from django_videoq_billing.sandbox.billing import lines, methods, schedules, statuses
from django_videoq_billing.sandbox.billing import subscriptions as moves
from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import people, subscriptions
from django_videoq_billing.sandbox.pages.forms import CardForm
from django_videoq_billing.sandbox.pages.rendering import go, notice, page, route
from django_videoq_billing.sandbox.store import Record


def _session(box: Sandbox, request: Request) -> Record | None:
    url = f"{box.config.url}/p/session/{request.path_params['token']}"
    return next(box.store.where("billing_portal.session", url=url), None)


def _plans(box: Sandbox, customer: Record) -> list[dict[str, Any]]:
    """The customer's living subscriptions, described."""
    found = []
    for subscription in box.store.where("subscription", customer=customer["id"]):
        if subscription["status"] in statuses.ENDED:
            continue
        items = subscriptions.items(subscription)
        schedule = box.store.get("subscription_schedule", subscription["schedule"])
        end = subscriptions.period(subscription)[1]
        coming = [one for one in schedule["phases"] if one["start_date"] >= end] if schedule else []
        found.append(
            {
                "subscription": subscription,
                "items": [lines.described(box.store, item) for item in items],
                "end": end,
                "coming": schedules.price_names(box, coming[0]) if coming else None,
            }
        )
    return found


def _shown(box: Sandbox, request: Request, session: Record, form: CardForm, problem: str = "") -> Response:
    """The page, with what is wrong with the card in its form, or with something else above all."""
    customer = box.store.the("customer", session["customer"])
    default = customer["invoice_settings"]["default_payment_method"]
    plans = _plans(box, customer)
    in_use = [plan["subscription"]["default_payment_method"] for plan in plans]
    invoices = [
        one for one in box.store.where("invoice", customer=customer["id"]) if one["status"] != "draft"
    ]
    cards = list(box.store.where("payment_method", customer=customer["id"], type="card"))
    return page(
        request, "portal.html", 402 if form.errors or problem else 200,
        session=session, customer=customer, plans=plans, default=next(filter(None, in_use), None) or default,
        problem=problem, cards=cards, invoices=list(reversed(invoices)), form=form, flow=(session["flow"] or {}).get("type"),
    )  # fmt: skip


async def show(box: Sandbox, request: Request) -> Response:
    session = _session(box, request)
    if session is None:
        return notice(request, "Nothing here", "This portal link is not valid.", status=404)
    return _shown(box, request, session, CardForm())


async def submit(box: Sandbox, request: Request) -> Response:
    session = _session(box, request)
    if session is None:
        return notice(request, "Nothing here", "This portal link is not valid.", status=404)
    form = CardForm.read(await request.form())
    customer = box.store.the("customer", session["customer"])
    try:
        _act(box, customer, form)
    except StripeError as error:
        if form.values.get("action") != "card":
            return _shown(box, request, session, CardForm(), problem=error.message)
        form.refused(error)
    if form.errors:
        return _shown(box, request, session, form)
    return go(_after(session) or request.url.path)


def _after(session: Record) -> str | None:
    """Where a flow leads back to, once it is done."""
    after = (session["flow"] or {}).get("after_completion") or {}
    redirect: Record = after.get("redirect") or {}
    return redirect.get("return_url")


def _act(box: Sandbox, customer: Record, form: CardForm) -> None:
    action = form.values.get("action")
    if action == "card":
        _add_card(box, customer, form)
        return
    subscription = box.store.get("subscription", form.values.get("subscription"))
    if subscription is None or subscription["customer"] != customer["id"]:
        raise StripeError("There is no such subscription.")
    if action == "cancel":
        _leave_schedule(box, subscription)
        moves.update(box, subscription, {"cancel_at_period_end": True})
    elif action == "resume":
        moves.update(box, subscription, {"cancel_at_period_end": False})


def _leave_schedule(box: Sandbox, subscription: Record) -> None:
    schedule = box.store.get("subscription_schedule", subscription["schedule"])
    if schedule is not None:
        schedules.release(box, schedule)


def _add_card(box: Sandbox, customer: Record, form: CardForm) -> None:
    payer = form.payer(box.now(), with_email=False)
    if payer is None:
        return
    details = people.billing_details({"email": customer["email"], "name": payer.name})
    method = people.payment_method(
        box,
        payer.card,
        exp_month=payer.exp_month,
        exp_year=payer.exp_year,
        billing_details=details,
        _set_up=True,
    )
    methods.attach(box, method, customer)
    methods.make_default(box, customer, method)
    for plan in _plans(box, customer):
        if plan["subscription"]["default_payment_method"]:
            moves.update(box, plan["subscription"], {"default_payment_method": method["id"]})


ROUTES = [route("/p/session/{token}", show), route("/p/session/{token}", submit, "POST")]
