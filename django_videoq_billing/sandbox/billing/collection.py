"""Taking an invoice's money: attempts, retries, and what its subscription becomes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django_videoq_billing.sandbox.billing import charging, invoicing, money_back, statuses
from django_videoq_billing.sandbox.billing.charging import SUCCEEDS, Outcome
from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.config import DAY
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import invoices
from django_videoq_billing.sandbox.store import Record


def finalize_and_collect(box: Sandbox, invoice: Record, *, authenticated: bool = False) -> Outcome:
    """Open a draft and try to have it paid at once."""
    invoicing.finalize(box, invoice)
    return collect(box, invoice, authenticated=authenticated, automatic=True)


def collect(
    box: Sandbox, invoice: Record, *, method: Record | None = None, authenticated: bool = False,
    automatic: bool = False,
) -> Outcome:  # fmt: skip
    """One attempt at an open invoice. Only the first attempt and the automatic ones count towards the retries."""
    if invoice["amount_due"] == 0:
        return _paid(box, invoice)
    intent = invoicing.intent_of(box, invoice)
    if intent is None:
        raise LookupError(f"{invoice['id']} has no payment intent")
    if intent["status"] == "processing":
        raise StripeError(
            "This invoice has a payment that is still processing.", code="payment_intent_unexpected_state"
        )
    if automatic or not invoice["attempted"]:
        invoice["attempt_count"] += 1
    invoice["attempted"] = True
    outcome = charging.attempt(
        box, intent, method or invoicing.method_for(box, invoice), authenticated=authenticated
    )
    if outcome.kind == "succeeds":
        with _keeping_method(box, invoice, intent):
            _paid(box, invoice)
        money_back.dispute_if_fated(box, intent)
    elif outcome.kind == "processing":
        _under_way(box, invoice)
    else:
        failed(box, invoice, outcome, automatic=automatic)
    return outcome


def _under_way(box: Sandbox, invoice: Record) -> None:
    """A debit is trusted until it fails: the subscription is active though its invoice is open."""
    invoice["next_payment_attempt"] = None
    box.store.save(invoice)
    statuses.payment_started(box, invoice)


def settle(box: Sandbox, intent: Record) -> tuple[Record | None, Outcome]:
    """A debit's days are over: the invoice that it pays, if any, and how it ended."""
    outcome = charging.settle(box, intent)
    invoice = box.store.get("invoice", intent["_invoice"])
    if invoice is not None and outcome.kind == "succeeds":
        with _keeping_method(box, invoice, intent):
            _paid(box, invoice)
    elif invoice is not None:
        failed(box, invoice, outcome, automatic=invoice["auto_advance"])
    return invoice, outcome


@contextmanager
def _keeping_method(box: Sandbox, invoice: Record, intent: Record) -> Iterator[None]:
    """payment_settings[save_default_payment_method]=on_subscription, said together with the new status."""
    subscription = box.store.get("subscription", invoices.subscription_of(invoice))
    if subscription is None:
        yield
        return
    with box.changing(subscription, statuses.UPDATED):
        keep = subscription["payment_settings"]["save_default_payment_method"] == "on_subscription"
        if keep and not subscription["default_payment_method"]:
            subscription["default_payment_method"] = intent["payment_method"]
        yield


def _paid(box: Sandbox, invoice: Record) -> Outcome:
    invoicing.settle(box, invoice)
    statuses.closed(box, invoice)
    return SUCCEEDS


def paid_out_of_band(box: Sandbox, invoice: Record) -> None:
    """The money came some other way; Stripe only takes note."""
    invoicing.settle(box, invoice, out_of_band=True)
    statuses.closed(box, invoice)


def failed(box: Sandbox, invoice: Record, outcome: Outcome, *, automatic: bool) -> None:
    """Say that an attempt failed or waits for the customer; plan the next one."""
    first = invoice["billing_reason"] == "subscription_create"
    waits = outcome.kind == "requires_action"
    delays = box.switches.retry_days
    exhausted = automatic and invoice["attempt_count"] > len(delays) and not first
    if automatic and not first:
        invoice["next_payment_attempt"] = (
            None if exhausted else box.now() + delays[invoice["attempt_count"] - 1] * DAY
        )
    invoice["auto_advance"] = invoice["auto_advance"] and not exhausted
    box.store.save(invoice)
    if not waits or invoice["billing_reason"] == "subscription_cycle":
        box.emit("invoice.payment_failed", invoice)
    if waits:
        box.emit("invoice.payment_action_required", invoice)
    statuses.payment_failed(box, invoice, exhausted=exhausted)


def confirm(box: Sandbox, intent: Record, method: Record | None, *, authenticated: bool = False) -> Outcome:
    """Confirm a payment intent, with its invoice if it pays one."""
    invoice = box.store.get("invoice", intent["_invoice"])
    if invoice is not None:
        return collect(box, invoice, method=method, authenticated=authenticated)
    outcome = charging.attempt(box, intent, method, authenticated=authenticated)
    if outcome.kind == "succeeds":
        money_back.dispute_if_fated(box, intent)
    return outcome


def authentication_failed(box: Sandbox, intent: Record) -> None:
    charging.fail_authentication(box, intent)
    invoice = box.store.get("invoice", intent["_invoice"])
    if invoice is not None and invoice["status"] == "open":
        box.emit("invoice.payment_failed", invoice)
        statuses.payment_failed(box, invoice, exhausted=False)


def invoice_due(box: Sandbox, invoice: Record) -> None:
    """The agenda's call: a draft's hour is over, or a retry's day has come."""
    if invoice["status"] == "draft":
        finalize_and_collect(box, invoice)
    else:
        invoice["next_payment_attempt"] = None
        collect(box, invoice, automatic=True)


def void(box: Sandbox, invoice: Record) -> None:
    invoicing.void(box, invoice)
    statuses.closed(box, invoice)


def mark_uncollectible(box: Sandbox, invoice: Record) -> None:
    invoicing.mark_uncollectible(box, invoice)
    statuses.closed(box, invoice)
