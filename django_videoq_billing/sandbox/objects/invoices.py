"""Invoices, their lines and the invoice items that wait for one."""

from typing import Any

from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.objects import ISSUER, born, empty_list, without
from django_videoq_billing.sandbox.store import Record


def invoice(box: Sandbox, customer: Record, **given: Any) -> Record:
    key = given.pop("id", None) or box.ids.new("in")
    now = box.now()
    return born(
        box, "invoice", "in", {**given, "id": key},
        account_country=box.config.country, account_name=box.config.account_name, account_tax_ids=None,
        amount_due=0, amount_overpaid=0, amount_paid=0, amount_paid_off_stripe=0, amount_remaining=0,
        amount_shipping=0, application=None, attempt_count=0, attempted=False, auto_advance=True,
        automatic_tax={"disabled_reason": None, "enabled": False, "liability": None, "provider": None, "status": None},
        automatically_finalizes_at=None, billing_reason="manual", collection_method="charge_automatically",
        currency="usd", custom_fields=None, customer=customer["id"], customer_account=None,
        customer_address=customer["address"], customer_email=customer["email"], customer_name=customer["name"],
        customer_phone=customer["phone"], customer_shipping=customer["shipping"],
        customer_tax_exempt=customer["tax_exempt"], customer_tax_ids=[], default_payment_method=None,
        default_source=None, default_tax_rates=[], description=None, discounts=[], due_date=None, effective_at=None,
        ending_balance=None, footer=None, from_invoice=None, hosted_invoice_url=None, invoice_pdf=None,
        issuer=dict(ISSUER), last_finalization_error=None, latest_revision=None,
        lines=empty_list(f"/v1/invoices/{key}/lines"), next_payment_attempt=None, number=None, on_behalf_of=None,
        parent=None, payment_settings={"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        period_end=now, period_start=now, post_payment_credit_notes_amount=0, pre_payment_credit_notes_amount=0,
        receipt_number=None, rendering=None, shipping_cost=None, shipping_details=None, starting_balance=0,
        statement_descriptor=None, status="draft",
        status_transitions={"finalized_at": None, "marked_uncollectible_at": None, "paid_at": None, "voided_at": None},
        subtotal=0, subtotal_excluding_tax=0, test_clock=customer["test_clock"], total=0, total_discount_amounts=[],
        total_excluding_tax=0, total_pretax_credit_amounts=[], total_taxes=[], webhooks_delivered_at=None,
        _payment=None,
    )  # fmt: skip


def of_subscription(subscription: Record) -> Record:
    details = {"metadata": dict(subscription["metadata"]), "subscription": subscription["id"]}
    return {"quote_details": None, "subscription_details": details, "type": "subscription_details"}


def subscription_of(invoice: Record) -> str | None:
    details = (invoice["parent"] or {}).get("subscription_details")
    return details["subscription"] if details else None


def pricing(price: Record) -> Record:
    return {
        "price_details": {"price": price["id"], "product": price["product"]}, "type": "price_details",
        "unit_amount_decimal": price["unit_amount_decimal"],
    }  # fmt: skip


def line(box: Sandbox, amount: int, currency: str, **given: Any) -> Record:
    record = born(
        box, "line_item", "il", given,
        amount=amount, currency=currency, description=None, discount_amounts=[], discountable=True, discounts=[],
        invoice=None, parent=None, period={"end": box.now(), "start": box.now()}, pretax_credit_amounts=[],
        pricing=None, quantity=1, quantity_decimal=str(given.get("quantity") or 1), subscription=None, subtotal=amount,
        taxes=[],
    )  # fmt: skip
    return without(record, "created")


def item_parent(subscription_id: str, item_id: str, invoice_item: str | None = None) -> Record:
    """Where a line came from: the subscription item itself, or a proration of it."""
    details = {
        "invoice_item": invoice_item, "proration": invoice_item is not None,
        "proration_details": {"credited_items": None}, "subscription": subscription_id, "subscription_item": item_id,
    }  # fmt: skip
    return {
        "invoice_item_details": None,
        "subscription_item_details": details,
        "type": "subscription_item_details",
    }


def loose_parent(invoice_item: Record) -> Record:
    details = {
        "invoice_item": invoice_item["id"], "proration": False, "proration_details": {"credited_items": None},
        "subscription": None,
    }  # fmt: skip
    return {
        "invoice_item_details": details,
        "subscription_item_details": None,
        "type": "invoice_item_details",
    }


def invoice_item(box: Sandbox, customer: Record, amount: int, currency: str, **given: Any) -> Record:
    record = born(
        box, "invoiceitem", "ii", given,
        amount=amount, currency=currency, customer=customer["id"], customer_account=None, date=box.now(),
        description=None, discountable=True, discounts=[], invoice=None, net_amount=amount, parent=None,
        period={"end": box.now(), "start": box.now()}, pricing=None, proration=False, proration_details={"credited_items": None, "discount_amounts": []},
        quantity=1, quantity_decimal=str(given.get("quantity") or 1), tax_rates=[],
        test_clock=customer["test_clock"],
    )  # fmt: skip
    return without(record, "created")
