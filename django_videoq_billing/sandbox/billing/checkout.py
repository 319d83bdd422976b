"""What a person does on the checkout page: pay, authenticate, or let the session expire."""

from __future__ import annotations

from dataclasses import dataclass

from django_videoq_billing.sandbox.billing import charging, collection, discounts, lines, methods, subscribing
from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.cards import TestCard
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import people, sessions
from django_videoq_billing.sandbox.params import Params
from django_videoq_billing.sandbox.store import Record


@dataclass(frozen=True)
class Payer:
    card: TestCard
    exp_month: int
    exp_year: int
    email: str
    name: str


def due_at(session: Record) -> int | None:
    return int(session["expires_at"]) if session["status"] == "open" else None


def expire(box: Sandbox, session: Record) -> None:
    if session["status"] != "open":
        raise StripeError(
            'Only Checkout Sessions with a status in ["open"] can be expired. '
            f"This Checkout Session has a status of `{session['status']}`."
        )
    session |= {"status": "expired", "url": None}
    box.store.save(session)
    box.emit("checkout.session.expired", session)


def price_up(box: Sandbox, session: Record) -> None:
    """The session's sums, from its lines and its discount; a trial is free today."""
    subtotal = sum(line["amount_subtotal"] for line in session["_lines"])
    coupon = _coupon(box, session)
    off = lines.taken_off(coupon, subtotal) if coupon else 0
    trial = subscribing.trial_end_of(box, session["_subscription_data"]) is not None
    session |= {
        "amount_subtotal": 0 if trial else subtotal,
        "amount_total": 0 if trial else subtotal - off,
        "total_details": {"amount_discount": 0 if trial else off, "amount_shipping": 0, "amount_tax": 0},
    }


def _coupon(box: Sandbox, session: Record) -> Record | None:
    for entry in session["discounts"]:
        if entry["promotion_code"]:
            code = box.store.the("promotion_code", entry["promotion_code"])
            return box.store.the("coupon", code["promotion"]["coupon"])
        return box.store.the("coupon", entry["coupon"])
    return None


def use_code(box: Sandbox, session: Record, text: str) -> None:
    """A promotion code typed on the page."""
    code = discounts.by_code(box, text)
    if code is None:
        raise StripeError("This code is invalid.", param="promotion_code")
    discounts.usable_code(box, code, "promotion_code", session["customer"])
    session["discounts"] = [{"coupon": None, "promotion_code": code["id"]}]
    price_up(box, session)
    box.store.save(session)


def pay(box: Sandbox, session: Record, payer: Payer) -> charging.Outcome:
    """Try to complete a session with a card. Nothing is created unless it succeeds, as on Stripe's own page.

    A bank account completes it too, unpaid; days later its debit succeeds or fails.
    """
    if payer.card.kind not in session["payment_method_types"]:
        raise StripeError.card(
            "This checkout takes no bank accounts.",
            code="incorrect_number",
            decline_code=None,
            param="number",
        )
    method = people.payment_method(
        box, payer.card, exp_month=payer.exp_month, exp_year=payer.exp_year,
        billing_details=people.billing_details({"email": payer.email, "name": payer.name or None}),
    )  # fmt: skip
    customer = box.store.get("customer", session["customer"])
    outcome = charging.foresee(customer, method)
    if session["amount_total"] == 0 and payer.card.declined_on_attach is False:
        outcome = charging.SUCCEEDS
    if outcome.kind == "declined":
        charging.use_up_failure(customer)
    elif outcome.kind == "requires_action":
        session["_method"] = box.store.save(method)["id"]
        session["_payer"] = {"email": payer.email, "name": payer.name}
        box.store.save(session)
    elif outcome.goes_through:
        complete(box, session, method, authenticated=False)
    return outcome


def authenticate(box: Sandbox, session: Record) -> charging.Outcome:
    """The customer passed 3-D Secure; the bank may still decline."""
    method = box.store.the("payment_method", session["_method"])
    outcome = charging.foresee(box.store.get("customer", session["customer"]), method, authenticated=True)
    if outcome.kind == "succeeds":
        method["_set_up"] = True
        complete(box, session, method, authenticated=True)
    else:
        give_up_authentication(box, session)
    return outcome


def give_up_authentication(box: Sandbox, session: Record) -> None:
    session["_method"] = None
    box.store.save(session)


def complete(box: Sandbox, session: Record, method: Record, *, authenticated: bool) -> None:
    """Customer, payment method, subscription with its paid invoice, then checkout.session.completed."""
    details = method["billing_details"]
    customer = _customer(box, session, method)
    methods.attach(box, method, customer)
    data: Params = {
        **session["_subscription_data"],
        "items": [{"price": line["price"], "quantity": line["quantity"]} for line in session["_lines"]],
        "default_payment_method": method["id"],
        "discounts": session["discounts"],
    }
    subscription = subscribing.create(box, customer, data, authenticated=authenticated)
    session |= {
        "status": "complete", "customer": customer["id"], "subscription": subscription["id"],
        "invoice": subscription["latest_invoice"], "url": None, "_method": None,
        "payment_status": _payment_status(box, session, subscription["latest_invoice"]),
        "customer_details": sessions.customer_details(customer["email"] or details["email"], details["name"]),
    }  # fmt: skip
    box.store.save(session)
    box.emit("checkout.session.completed", session)


def _payment_status(box: Sandbox, session: Record, invoice: str) -> str:
    if session["amount_total"] == 0:
        return "no_payment_required"
    return "paid" if box.store.the("invoice", invoice)["status"] == "paid" else "unpaid"


def settle_debit(box: Sandbox, intent: Record) -> None:
    """The agenda's call: a debit's days are over; the session that began it hears of it after its invoice."""
    invoice, outcome = collection.settle(box, intent)
    session = next(box.store.where("checkout.session", invoice=invoice["id"]), None) if invoice else None
    if session is None or session["payment_status"] == "paid":
        return
    if outcome.kind == "succeeds":
        session["payment_status"] = "paid"
        box.store.save(session)
    end = "succeeded" if outcome.kind == "succeeds" else "failed"
    box.emit(f"checkout.session.async_payment_{end}", session)


def _customer(box: Sandbox, session: Record, method: Record) -> Record:
    found = box.store.get("customer", session["customer"])
    if found is not None:
        return found
    details = method["billing_details"]
    customer = people.customer(box, email=details["email"], name=details["name"])
    box.store.save(customer)
    box.emit("customer.created", customer)
    return customer


def summary(box: Sandbox, session: Record) -> list[tuple[str, str, str]]:
    """Name, amount and rhythm of each line, for the page."""
    result = []
    for line in session["_lines"]:
        price = box.store.the("price", line["price"])
        recurring = price["recurring"]
        count = recurring["interval_count"]
        every = recurring["interval"] if count == 1 else f"{count} {recurring['interval']}s"
        name = lines.product_name(box.store, price)
        result.append((name, lines.money(line["amount_subtotal"], line["currency"]), every))
    return result
