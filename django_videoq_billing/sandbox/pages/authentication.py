"""3-D Secure of a payment or setup intent, where its `next_action` points."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from django_videoq_billing.sandbox.billing import collection, methods
from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.pages.rendering import notice, page, route
from django_videoq_billing.sandbox.store import Record


def _intent(box: Sandbox, secret: str) -> Record | None:
    for kind in ("payment_intent", "setup_intent"):
        for intent in box.store.where(kind, client_secret=secret):
            return intent
    return None


async def authenticate(box: Sandbox, request: Request) -> Response:
    intent = _intent(box, request.path_params["secret"])
    if intent is None:
        return notice(request, "Nothing here", "There is no such payment.", status=404)
    if intent["status"] != "requires_action":
        return notice(request, "Nothing to confirm", f"This payment is {intent['status'].replace('_', ' ')}.")
    if request.method == "GET":
        amount = intent.get("amount")
        return page(request, "authentication.html", amount=amount, currency=intent.get("currency", ""))
    answer = (await request.form()).get("answer")
    if intent["object"] == "setup_intent":
        _set_up(box, intent, passed=answer == "complete")
    elif answer == "complete":
        method = box.store.get("payment_method", intent["payment_method"])
        collection.confirm(box, intent, method, authenticated=True)
    else:
        collection.authentication_failed(box, intent)
    if intent["status"] == "succeeded":
        text = "Thank you, your bank has confirmed it. You can close this page."
        return notice(request, "Confirmed", text, link=_invoice_page(box, intent), label="To the invoice")
    text = "The payment could not be confirmed. Please try another card."
    return notice(request, "Not confirmed", text, link=_invoice_page(box, intent), label="Use another card")


def _invoice_page(box: Sandbox, intent: Record) -> str | None:
    """Where an invoice's payment goes on; other payments belong to no page of ours."""
    invoice = box.store.get("invoice", intent.get("_invoice"))
    return str(invoice["hosted_invoice_url"]) if invoice else None


def _set_up(box: Sandbox, intent: Record, *, passed: bool) -> None:
    method = box.store.the("payment_method", intent["payment_method"])
    if not passed:
        intent |= {"status": "requires_payment_method", "next_action": None, "payment_method": None}
        box.emit("setup_intent.setup_failed", box.store.save(intent))
        return
    method["_set_up"] = True
    customer = box.store.get("customer", intent["customer"])
    if customer is not None:
        methods.attach(box, method, customer)
    intent |= {"status": "succeeded", "next_action": None}
    box.emit("setup_intent.succeeded", box.store.save(intent))


ROUTES = [route("/3ds/{secret}", authenticate, "GET", "POST")]
