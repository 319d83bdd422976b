"""Refunds and disputes."""

from __future__ import annotations

from django_videoq_billing.sandbox.billing import charging
from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import payments
from django_videoq_billing.sandbox.params import Params
from django_videoq_billing.sandbox.store import Record

DISPUTE_FEE = 1500
OPEN_DISPUTES = frozenset(
    {"needs_response", "under_review", "warning_needs_response", "warning_under_review"}
)


def refund(box: Sandbox, charge: Record, amount: int | None, fields: Params) -> Record:
    """Give a charge's money back, wholly or in part: refund.created, charge.refunded, refund.updated."""
    if charge["disputed"]:
        raise StripeError(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
        )
    left = charge["amount_captured"] - charge["amount_refunded"]
    if charge["status"] != "succeeded" or (left == 0 and charge["refunded"]):
        raise StripeError(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if amount is not None and amount > left:
        raise StripeError(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            code="amount_too_large", param="amount",
        )  # fmt: skip
    given = left if amount is None else amount
    record = payments.refund(box, charge, amount=given, **fields)
    entry = payments.balance_transaction(box, record, -given, "refund")
    record["balance_transaction"] = entry["id"]
    box.store.save(entry)
    box.store.save(record)
    box.emit("refund.created", record)
    with box.changing(charge, "charge.refunded"):
        charge["amount_refunded"] += given
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    with box.changing(record, "refund.updated"):
        details = record["destination_details"]
        details[details["type"]] |= {"reference": box.ids.token(11), "reference_status": "available"}
    return record


def fail_refund(box: Sandbox, record: Record, reason: str = "lost_or_stolen_card") -> None:
    """The bank sends the money back, days later: it is the account's again."""
    if record["status"] != "succeeded":
        raise StripeError(f"The refund {record['id']} is {record['status']}.")
    charge = box.store.the("charge", record["charge"])
    charge["amount_refunded"] -= record["amount"]
    charge["refunded"] = False
    box.store.save(charge)
    entry = payments.balance_transaction(box, record, record["amount"], "refund_failure")
    box.store.save(entry)
    with box.changing(record, "refund.updated"):
        record |= {
            "status": "failed", "failure_reason": reason, "failure_balance_transaction": entry["id"],
        }  # fmt: skip
    box.emit("refund.failed", record)


def open_dispute(
    box: Sandbox,
    charge: Record,
    reason: str = "fraudulent",
    amount: int | None = None,
    *,
    inquiry: bool = False,
) -> Record:
    """The cardholder's bank takes the money back: created, then updated and funds_withdrawn.

    Or it only asks, and the money stays: https://docs.stripe.com/disputes/how-disputes-work#inquiries
    """
    if charge["disputed"]:
        raise StripeError(f"Charge {charge['id']} is already disputed.", code="charge_disputed")
    if charge["status"] != "succeeded" or charge["payment_method_details"]["type"] != "card":
        raise StripeError(f"Charge {charge['id']} cannot be disputed: it is no payment by card.")
    given = charge["amount"] if amount is None else amount
    dispute = payments.dispute(box, charge, reason=reason, amount=given)
    charge["disputed"] = True
    box.store.save(charge)
    box.store.save(dispute)
    if inquiry:
        dispute |= {"status": "warning_needs_response", "is_charge_refundable": True}
        dispute["payment_method_details"]["card"]["case_type"] = "inquiry"
        box.store.save(dispute)
    box.emit("charge.dispute.created", dispute)
    if inquiry:
        return dispute
    with box.changing(dispute, "charge.dispute.updated"):
        entry = payments.balance_transaction(box, dispute, -given, "adjustment", DISPUTE_FEE)
        box.store.save(entry)
        dispute["balance_transactions"] = [entry]
    box.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def submit_evidence(box: Sandbox, dispute: Record, evidence: dict[str, str], *, submit: bool) -> None:
    with box.changing(dispute, "charge.dispute.updated"):
        dispute["evidence"] |= evidence
        details = dispute["evidence_details"]
        details["has_evidence"] = details["has_evidence"] or bool(evidence)
        if submit:
            details["submission_count"] += 1
            is_inquiry = dispute["status"].startswith("warning_")
            dispute["status"] = "warning_under_review" if is_inquiry else "under_review"


def close_dispute(box: Sandbox, dispute: Record, *, won: bool) -> None:
    if dispute["status"] not in OPEN_DISPUTES:
        raise StripeError(f"This dispute is already closed: it was {dispute['status']}.")
    is_inquiry = dispute["status"].startswith("warning_")
    dispute["status"] = "warning_closed" if is_inquiry else "won" if won else "lost"
    if won and not is_inquiry:
        entry = payments.balance_transaction(box, dispute, dispute["amount"], "adjustment", -DISPUTE_FEE)
        box.store.save(entry)
        dispute["balance_transactions"].append(entry)
        charge = box.store.the("charge", dispute["charge"])
        charge["disputed"] = False
        box.store.save(charge)
    box.store.save(dispute)
    box.emit("charge.dispute.closed", dispute)
    if won and not is_inquiry:
        box.emit("charge.dispute.funds_reinstated", dispute)


def dispute_if_fated(box: Sandbox, intent: Record) -> None:
    """Stripe's test card for disputes: it pays, then its holder complains."""
    method = box.store.get("payment_method", intent["payment_method"])
    fate = charging.card_of(method).disputed if method else None
    if fate:
        open_dispute(box, box.store.the("charge", intent["latest_charge"]), fate)
