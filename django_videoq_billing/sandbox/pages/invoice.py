"""The hosted invoice page, its PDF, and paying an open invoice."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from django_videoq_billing.sandbox.billing import collection, methods
from django_videoq_billing.sandbox.billing.lines import money
from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import people
from django_videoq_billing.sandbox.pages.forms import CardForm
from django_videoq_billing.sandbox.pages.pdf import document
from django_videoq_billing.sandbox.pages.rendering import day, go, notice, page, route
from django_videoq_billing.sandbox.store import Record


def _invoice(box: Sandbox, request: Request) -> Record | None:
    return next(box.store.where("invoice", _token=request.path_params["token"]), None)


def _absent(request: Request) -> Response:
    return notice(request, "Nothing here", "There is no such invoice.", status=404)


async def show(box: Sandbox, request: Request) -> Response:
    invoice = _invoice(box, request)
    if invoice is None:
        return _absent(request)
    return page(request, "invoice.html", invoice=invoice, sums=_sums(invoice), form=CardForm())


async def pay(box: Sandbox, request: Request) -> Response:
    invoice = _invoice(box, request)
    if invoice is None or invoice["status"] != "open":
        return _absent(request)
    form = CardForm.read(await request.form())
    payer = form.payer(box.now(), with_email=False)
    if payer is not None:
        customer = box.store.the("customer", invoice["customer"])
        details = people.billing_details({"email": customer["email"], "name": payer.name})
        method = people.payment_method(
            box, payer.card, exp_month=payer.exp_month, exp_year=payer.exp_year, billing_details=details
        )
        try:
            methods.attach(box, method, customer)
            outcome = collection.collect(box, invoice, method=method)
            if outcome.kind == "declined":
                raise outcome.error()
        except StripeError as error:
            form.refused(error)
        else:
            intent = next(box.store.where("payment_intent", _invoice=invoice["id"]))
            waits = outcome.kind == "requires_action"
            return go(f"/3ds/{intent['client_secret']}" if waits else request.url.path)
    return page(request, "invoice.html", 402, invoice=invoice, sums=_sums(invoice), form=form)


def _sums(invoice: Record) -> list[tuple[str, str]]:
    """What stands below the lines: labels and amounts."""
    applied = invoice["starting_balance"] - (invoice["ending_balance"] or 0)
    rows = [
        ("Subtotal", invoice["subtotal"]),
        *(("Discount", -discount["amount"]) for discount in invoice["total_discount_amounts"] or ()),
        ("Total", invoice["total"]),
        *([("Applied balance", applied)] if applied else ()),
        ("Amount due", invoice["amount_due"]),
        *([("Amount paid", invoice["amount_paid"])] if invoice["amount_paid"] else ()),
    ]
    return [(label, money(amount, invoice["currency"])) for label, amount in rows]


async def pdf(box: Sandbox, request: Request) -> Response:
    invoice = _invoice(box, request)
    if invoice is None:
        return _absent(request)
    name = f"Invoice-{invoice['number']}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    return Response(document(_rows(invoice)), headers=headers, media_type="application/pdf")


def _rows(invoice: Record) -> list[tuple[str, str, int]]:
    """Left text, right text, size of each row of the PDF."""
    currency = invoice["currency"]
    rows = [
        (f"Invoice {invoice['number']}", invoice["account_name"], 18),
        ("", "", 10),
        (f"Date of issue: {day(invoice['effective_at'])}", "", 10),
        (f"Bill to: {invoice['customer_name'] or ''} {invoice['customer_email'] or ''}", "", 10),
        (f"Status: {invoice['status']}", "", 10),
        ("", "", 10),
    ]
    for line in invoice["lines"]["data"]:
        period = f"{day(line['period']['start'])} to {day(line['period']['end'])}"
        rows += [(line["description"] or "", money(line["amount"], currency), 10), (period, "", 8)]
    rows += [("", "", 10), *((label, amount, 10) for label, amount in _sums(invoice)), ("", "", 10)]
    return [*rows, ("Made by a local sandbox. No money has moved.", "", 9)]


async def receipt(box: Sandbox, request: Request) -> Response:
    charge = box.store.get("charge", request.path_params["id"])
    if charge is None:
        return notice(request, "Nothing here", "There is no such receipt.", status=404)
    amount = money(charge["amount"], charge["currency"])
    return notice(
        request, f"Receipt: {amount}", f"Paid on {day(charge['created'])}. Status: {charge['status']}."
    )


ROUTES = [
    route("/i/{token}", show),
    route("/i/{token}", pay, "POST"),
    route("/i/{token}/pdf", pdf),
    route("/receipts/{id}", receipt),
]
