"""The hosted checkout page and its 3-D Secure step."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from django_videoq_billing.sandbox.billing import checkout
from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.pages.forms import CardForm
from django_videoq_billing.sandbox.pages.rendering import go, notice, page, route
from django_videoq_billing.sandbox.store import Record

UNAUTHENTICATED = "We are unable to authenticate your payment method. Please choose a different payment method and try again."


def _open_session(box: Sandbox, request: Request) -> Record | Response:
    session = box.store.get("checkout.session", request.path_params["id"])
    if session is None:
        return notice(request, "Nothing here", "There is no such checkout session.", status=404)
    if session["status"] == "complete":
        return notice(request, "All done here", "This checkout was completed.", link=success_url(session))
    if session["status"] == "expired":
        return notice(
            request,
            "This link has expired",
            "The checkout session has timed out.",
            link=session["cancel_url"],
            label=f"Back to {box.config.account_name}",
        )
    return session


def success_url(session: Record) -> str:
    url: str = session["success_url"]
    return url.replace("{CHECKOUT_SESSION_ID}", session["id"])


def _shown(box: Sandbox, request: Request, session: Record, form: CardForm) -> Response:
    customer = box.store.get("customer", session["customer"])
    for name, typed in session.get("_payer", {}).items():
        form.values.setdefault(name, typed)
    form.values.setdefault("email", (customer and customer["email"]) or session["customer_email"] or "")
    data = session["_subscription_data"]
    lines = checkout.summary(box, session)
    trial_days = data.get("trial_period_days")
    return page(
        request, "checkout.html", 200 if not form.errors else 402,
        session=session, form=form, lines=lines, trial_days=trial_days, known_customer=customer,
        trial=trial_days or data.get("trial_end"),
    )  # fmt: skip


async def show(box: Sandbox, request: Request) -> Response:
    session = _open_session(box, request)
    if isinstance(session, Response):
        return session
    form = CardForm()
    if request.query_params.get("error") == "authentication":
        form.errors["general"] = UNAUTHENTICATED
    return _shown(box, request, session, form)


async def submit(box: Sandbox, request: Request) -> Response:
    session = _open_session(box, request)
    if isinstance(session, Response):
        return session
    form = CardForm.read(await request.form())
    if form.values.get("action") == "promotion_code":
        return _apply_code(box, request, session, form)
    payer = form.payer(box.now())
    if payer is None:
        return _shown(box, request, session, form)
    try:
        outcome = checkout.pay(box, session, payer)
        if outcome.decline is not None:
            raise outcome.error()
    except StripeError as error:
        form.refused(error)
        return _shown(box, request, session, form)
    return go(f"/c/pay/{session['id']}/3ds" if outcome.kind == "requires_action" else success_url(session))


def _apply_code(box: Sandbox, request: Request, session: Record, form: CardForm) -> Response:
    try:
        if not session["allow_promotion_codes"]:
            raise StripeError("This code is invalid.")
        checkout.use_code(box, session, form.values.get("promotion_code", ""))
    except StripeError as error:
        form.errors["promotion_code"] = error.message
        return _shown(box, request, session, form)
    return go(f"/c/pay/{session['id']}")


async def authenticate(box: Sandbox, request: Request) -> Response:
    """The bank's question within a checkout."""
    session = _open_session(box, request)
    if isinstance(session, Response):
        return session
    back = f"/c/pay/{session['id']}"
    if session["_method"] is None:
        return go(back)
    if request.method == "GET":
        return page(
            request, "authentication.html", amount=session["amount_total"], currency=session["currency"]
        )
    form = await request.form()
    if form.get("answer") != "complete":
        checkout.give_up_authentication(box, session)
        return go(f"{back}?error=authentication")
    outcome = checkout.authenticate(box, session)
    if outcome.kind == "succeeds":
        return go(success_url(session))
    declined = CardForm()
    declined.refused(outcome.error())
    return _shown(box, request, session, declined)


ROUTES = [
    route("/c/pay/{id}", show),
    route("/c/pay/{id}", submit, "POST"),
    route("/c/pay/{id}/3ds", authenticate, "GET", "POST"),
]
