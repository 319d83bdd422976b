"""Invoices, invoice items, invoice payments, previews."""

from typing import Any

from django_videoq_billing.sandbox.api.router import CREATED, Call, Listing, endpoint, readable, within
from django_videoq_billing.sandbox.api.subscriptions import CANCEL_AT, CHANGED_ITEM, PRORATION, TRIAL_END
from django_videoq_billing.sandbox.billing import collection, invoicing, lines, methods, preview
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import invoices
from django_videoq_billing.sandbox.params import (
    CLEARABLE_TEXT,
    FLAG,
    METADATA,
    MOMENT,
    PAGING,
    TEXT,
    WHOLE,
    Choice,
    Currency,
    Fields,
    Hash,
    Many,
    Text,
    merged_metadata,
)
from django_videoq_billing.sandbox.render import lazy, listing
from django_videoq_billing.sandbox.store import Record, Store

STATUSES = Choice(("draft", "open", "paid", "uncollectible", "void"))

readable(
    "/v1/invoices", "invoice", "invoice",
    {**CREATED, "customer": TEXT, "status": STATUSES, "subscription": TEXT,
     "collection_method": Choice(("charge_automatically",))},
    {"subscription": lambda record, key: invoices.subscription_of(record) == key},
)  # fmt: skip
readable(
    "/v1/invoice_payments", "invoice_payment", "invoice payment",
    {
        **CREATED, "invoice": TEXT, "status": Choice(("canceled", "open", "paid")),
        "payment": Hash({"payment_intent": TEXT, "type": Choice(("payment_intent",), required=True)}),
    },
    {"payment": lambda record, wanted: wanted.items() <= record["payment"].items()},
)  # fmt: skip


@lazy("invoice", "payments")
def invoice_payments(store: Store, invoice: Record) -> Record:
    found = store.where("invoice_payment", invoice=invoice["id"])
    return listing(found, f"/v1/invoice_payments?invoice={invoice['id']}")


@lazy("invoice", "confirmation_secret")
def confirmation_secret(store: Store, invoice: Record) -> Record | None:
    payment = store.get("invoice_payment", invoice["_payment"])
    if payment is None:
        return None
    intent = store.the("payment_intent", payment["payment"]["payment_intent"])
    return {"client_secret": intent["client_secret"], "type": "payment_intent"}


DETAILS: Fields = {
    "billing_cycle_anchor": Choice(("now", "unchanged")),
    "cancel_at": CANCEL_AT,
    "cancel_at_period_end": FLAG,
    "cancel_now": FLAG,
    "items": Many(Hash(CHANGED_ITEM)),
    "proration_behavior": PRORATION,
    "proration_date": MOMENT,
    "trial_end": TRIAL_END,
}


@endpoint(
    "POST",
    "/v1/invoices/create_preview",
    {
        "currency": Currency(),
        "customer": TEXT,
        "preview_mode": Choice(("next",)),
        "subscription": TEXT,
        "subscription_details": Hash(DETAILS),
    },
)
def create_preview(call: Call) -> Record:
    customer = call.named("customer", "customer", "customer")
    subscription = call.named("subscription", "subscription", "subscription")
    if subscription is not None:
        return preview.of_subscription(call.box, subscription, call.params)
    if customer is None:
        raise StripeError("You must specify either `customer` or `subscription`.", code="parameter_missing")
    if (call.params.get("subscription_details") or {}).get("items"):
        return preview.of_new_subscription(call.box, customer, call.params)
    live = [
        one for one in call.box.store.where("subscription", customer=customer["id"]) if not one["ended_at"]
    ]
    if not live:
        raise StripeError(
            f"No upcoming invoices for customer: {customer['id']}", code="invoice_upcoming_none", status=404
        )
    return preview.of_subscription(call.box, live[0], call.params)


@endpoint("GET", "/v1/invoices/{id}/lines", PAGING)
def list_lines(call: Call) -> Listing:
    invoice = call.the("invoice", "invoice")
    return Listing(invoice["lines"]["data"], invoice["lines"]["url"])


EDITABLE: Fields = {
    "auto_advance": FLAG,
    "default_payment_method": CLEARABLE_TEXT,
    "description": CLEARABLE_TEXT,
    "footer": CLEARABLE_TEXT,
    "metadata": METADATA,
}


@endpoint(
    "POST",
    "/v1/invoices",
    {
        **EDITABLE,
        "collection_method": Choice(("charge_automatically",)),
        "currency": Currency(),
        "customer": Text(required=True),
        "pending_invoice_items_behavior": Choice(("exclude", "include")),
        "subscription": TEXT,
    },
)
def create_invoice(call: Call) -> Record:
    customer = call.named("customer", "customer", "customer")
    if customer is None:
        raise StripeError.required("customer")
    subscription = call.named("subscription", "subscription", "subscription")
    automatic = call.params.get("auto_advance", False)
    fields: dict[str, Any] = {
        name: call.params[name] for name in EDITABLE if call.params.get(name) is not None
    }
    fields["auto_advance"] = automatic
    if automatic:
        fields["automatically_finalizes_at"] = call.box.now() + invoicing.DRAFT_SECONDS
    if subscription is None:
        fields["currency"] = call.params.get("currency") or customer["currency"] or call.box.config.currency
    invoice = invoicing.draft(call.box, customer, [], subscription=subscription, **fields)
    if call.params.get("pending_invoice_items_behavior", "exclude") == "include" or subscription is not None:
        waiting = invoicing.pending_items(
            call.box, customer["id"], subscription["id"] if subscription else None
        )
        invoicing.fill(call.box, invoice, invoicing.take_pending(call.box, invoice["id"], waiting))
    call.box.emit("invoice.created", call.box.store.save(invoice))
    return invoice


@endpoint("POST", "/v1/invoices/{id}", EDITABLE)
def update_invoice(call: Call) -> Record:
    invoice = call.the("invoice", "invoice")
    with call.box.changing(invoice, "invoice.updated"):
        metadata = merged_metadata(invoice["metadata"], call.params.get("metadata", {}))
        invoice |= {**call.params, "metadata": metadata}
        if invoice["status"] == "draft" and call.params.get("auto_advance"):
            invoice["automatically_finalizes_at"] = call.box.now() + invoicing.DRAFT_SECONDS
    return invoice


@endpoint("DELETE", "/v1/invoices/{id}")
def delete_invoice(call: Call) -> Record:
    invoice = call.the("invoice", "invoice")
    if invoice["status"] != "draft" or invoices.subscription_of(invoice):
        raise StripeError("You can only delete one-off draft invoices.", code="invoice_not_editable")
    call.box.store.remove(invoice)
    call.box.emit("invoice.deleted", invoice)
    return {"id": invoice["id"], "object": "invoice", "deleted": True}


@endpoint("POST", "/v1/invoices/{id}/finalize", {"auto_advance": FLAG})
def finalize_invoice(call: Call) -> Record:
    invoice = call.the("invoice", "invoice")
    invoicing.finalize(call.box, invoice)
    if invoice["amount_due"] == 0:
        collection.collect(call.box, invoice)
    return invoice


@endpoint(
    "POST",
    "/v1/invoices/{id}/pay",
    {"forgive": FLAG, "off_session": FLAG, "paid_out_of_band": FLAG, "payment_method": TEXT},
)
def pay_invoice(call: Call) -> Record:
    """A declined card is a 402, and the attempt stays on record."""
    invoice = call.the("invoice", "invoice")
    if invoice["status"] == "draft":
        invoicing.finalize(call.box, invoice)
    if invoice["status"] == "paid":
        raise StripeError("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] not in {"open", "uncollectible"}:
        raise StripeError(
            f"The invoice is {invoice['status']} and cannot be paid.", code="invoice_not_editable"
        )
    if call.params.get("paid_out_of_band"):
        collection.paid_out_of_band(call.box, invoice)
        return invoice
    method = invoicing.method_for(call.box, invoice)
    if "payment_method" in call.params:
        customer = call.box.store.the("customer", invoice["customer"])
        method = methods.usable(call.box, call.params["payment_method"], "payment_method", customer)
    if method is None and invoice["amount_due"] > 0:
        raise StripeError(
            "There is no `default_payment_method` set on this Customer or Invoice. Please set a "
            "`default_payment_method`."
        )
    outcome = collection.collect(call.box, invoice, method=method)
    if not outcome.goes_through:
        raise outcome.error("invoice")
    return invoice


@endpoint("POST", "/v1/invoices/{id}/void")
def void_invoice(call: Call) -> Record:
    invoice = call.the("invoice", "invoice")
    collection.void(call.box, invoice)
    return invoice


@endpoint("POST", "/v1/invoices/{id}/mark_uncollectible")
def mark_invoice_uncollectible(call: Call) -> Record:
    invoice = call.the("invoice", "invoice")
    collection.mark_uncollectible(call.box, invoice)
    return invoice


readable(
    "/v1/invoiceitems", "invoiceitem", "invoice item",
    {**CREATED, "customer": TEXT, "invoice": TEXT, "pending": FLAG},
    {
        "pending": lambda record, wanted: (record["invoice"] is None) == wanted,
        "created": lambda record, wanted: within(record, wanted, "date"),
    },
)  # fmt: skip


@endpoint(
    "POST",
    "/v1/invoiceitems",
    {
        "amount": WHOLE,
        "currency": Currency(),
        "customer": Text(required=True),
        "description": TEXT,
        "metadata": METADATA,
        "pricing": Hash({"price": TEXT}),
        "quantity": WHOLE,
    },
)
def create_invoice_item(call: Call) -> Record:
    customer = call.named("customer", "customer", "customer")
    if customer is None:
        raise StripeError.required("customer")
    params, extra = dict(call.params), {}
    price = call.box.store.get("price", params.pop("pricing", {}).get("price"))
    amount, currency = params.pop("amount", None), params.pop("currency", None)
    params.pop("customer")
    if price is not None:
        amount = lines.amount_of(price, params.get("quantity", 1))
        currency, extra = price["currency"], {"pricing": invoices.pricing(price)}
    if amount is None:
        raise StripeError.required("amount")
    params["metadata"] = merged_metadata({}, params.get("metadata") or {})
    item = invoices.invoice_item(
        call.box, customer, amount, currency or call.box.config.currency, **params, **extra
    )
    call.box.emit("invoiceitem.created", call.box.store.save(item))
    return item


@endpoint("DELETE", "/v1/invoiceitems/{id}")
def delete_invoice_item(call: Call) -> Record:
    item = call.the("invoiceitem", "invoice item")
    if item["invoice"] is not None:
        raise StripeError(
            "The invoice item is on an invoice and cannot be deleted.", code="invoice_not_editable"
        )
    call.box.store.remove(item)
    call.box.emit("invoiceitem.deleted", item)
    return {"id": item["id"], "object": "invoiceitem", "deleted": True}
