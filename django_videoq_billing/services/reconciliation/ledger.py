"""Payments: a page of Stripe's invoices, refunds or disputes beside the lines of the ledger."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from django_videoq_billing.exceptions import BillingError, StripeUnavailable
from django_videoq_billing.models import PaymentTransaction, UserSubscription
from django_videoq_billing.money import display_money
from django_videoq_billing.services import payments
from django_videoq_billing.services.reconciliation.findings import Difference, Findings
from django_videoq_billing.services.reconciliation.rows import rows_of
from django_videoq_billing.services.stripe_payloads import id_of

logger = logging.getLogger("django_videoq_billing")

Status = PaymentTransaction.Status
Json = dict[str, Any]
Known = dict[str, dict[str, int]]
"""The amounts of the lines about an object, by its id and the line's status."""


@dataclass(frozen=True, slots=True)
class Ledger:
    findings: Findings
    dry_run: bool

    def invoices(self, page: list[Json]) -> None:
        rows = rows_of(id_of(invoice.get("customer")) for invoice in page)
        ours = [invoice for invoice in page if id_of(invoice.get("customer")) in rows]
        known = _known(ours)
        for invoice in ours:
            row = rows[str(id_of(invoice["customer"]))]
            lines = known.get(invoice["id"], {})
            paid = invoice["amount_paid"] if invoice["status"] == "paid" else 0
            if _lacks(invoice, lines):
                self._book("missing_payment", row, invoice["id"], payments.record_invoice)
            elif paid and lines[Status.SUCCEEDED] != paid:
                here, there = (_money(amount, invoice) for amount in (lines[Status.SUCCEEDED], paid))
                self.findings.add(Difference("payment_amount", str(row.user_id), here, there, mended=False))

    def refunds(self, page: list[Json]) -> None:
        self._of_charges(page, "missing_refund", _refund_states, payments.record_refund)

    def disputes(self, page: list[Json]) -> None:
        self._of_charges(page, "missing_dispute", _dispute_states, payments.record_dispute)

    def _of_charges(
        self, page: list[Json], kind: str, states: Callable[[Json], set[str]], record: Callable[[str], object]
    ) -> None:
        """Compare objects whose charge is expanded: it alone names the customer."""
        rows = rows_of(_customer_of(item) for item in page)
        ours = [item for item in page if _customer_of(item) in rows]
        known = _known(ours)
        for item in ours:
            if states(item) - known.get(item["id"], {}).keys():
                self._book(kind, rows[str(_customer_of(item))], item["id"], record)

    def _book(
        self, kind: str, row: UserSubscription, object_id: str, record: Callable[[str], object]
    ) -> None:
        """Write the lines that are missing, and tell which they are; to look only, write and take back."""
        lines = PaymentTransaction.objects.filter(stripe_object_id=object_id)
        known = set(lines.values_list("pk", flat=True))
        try:
            with transaction.atomic() if self.dry_run else nullcontext():
                record(object_id)
                missing = list(lines.exclude(pk__in=known))
                if self.dry_run:
                    transaction.set_rollback(True)
        except StripeUnavailable:
            raise
        except BillingError as error:
            logger.exception("reconcile_failed", extra={"user_id": str(row.user_id)})
            self.findings.add(Difference("error", str(row.user_id), "", type(error).__name__, mended=False))
            return
        for line in missing:
            told = f"{display_money(line.amount_cents, line.currency, 'en')} {line.status}"
            self.findings.add(Difference(kind, str(row.user_id), "", told, mended=not self.dry_run))


def _known(objects: list[Json]) -> Known:
    lines = PaymentTransaction.objects.filter(stripe_object_id__in=[item["id"] for item in objects])
    known: Known = {}
    for object_id, status, amount in lines.values_list("stripe_object_id", "status", "amount_cents"):
        known.setdefault(object_id, {})[status] = amount
    return known


def _lacks(invoice: Json, lines: Mapping[str, int]) -> bool:
    """Whether a line may be missing: of its payment, or of an attempt that failed and was not made good."""
    if invoice["status"] == "paid":
        return bool(invoice["amount_paid"]) and Status.SUCCEEDED not in lines
    tried = invoice["amount_due"] > 0 and invoice.get("attempt_count", 0) > 0
    return tried and invoice["status"] != "draft" and Status.FAILED not in lines


def _refund_states(refund: Json) -> set[str]:
    states = {"succeeded": {Status.REFUNDED}, "failed": {Status.REFUNDED, Status.FAILED}}
    return {str(state) for state in states.get(refund["status"], set())}


def _dispute_states(dispute: Json) -> set[str]:
    if dispute["status"] in payments.INQUIRY:
        return set()
    won = {str(Status.SUCCEEDED)} if dispute["status"] in payments.WON else set()
    return {str(Status.DISPUTED), *won}


def _customer_of(item: Json) -> str | None:
    charge = item.get("charge")
    return id_of(charge.get("customer")) if isinstance(charge, dict) else None


def _money(amount: int, invoice: Json) -> str:
    return display_money(amount, invoice["currency"].upper(), "en")
