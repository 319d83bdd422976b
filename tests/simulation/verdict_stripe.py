"""Subscriptions, money and events, compared with what Stripe has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django_videoq_billing.models import (
    JobRun,
    PaymentTransaction,
    SubscriptionPlan,
    UsageReservation,
    UsageSettlement,
    UserSubscription,
    WebhookEvent,
)
from tests.simulation.account import LIVING, Json, moment, pending_of, period_of, price_of
from tests.simulation.findings import Findings
from tests.simulation.year import Year

SPELLED = {"canceled": "cancelled"}
WON, INQUIRIES = ("won", "prevented"), ("warning_needs_response", "warning_under_review", "warning_closed")
Status, Type = PaymentTransaction.Status, PaymentTransaction.Type


def subscriptions(year: Year, findings: Findings) -> None:
    plans = {plan.stripe_price_id: plan.slug for plan in SubscriptionPlan.objects.all()}
    for person, _ in year.people:
        row = person.row
        theirs = year.account.subscriptions(row.stripe_customer_id)
        living = [one for one in theirs if one["status"] in LIVING]
        if len(living) > 1:
            findings.complaints.append(f"user {person.pk} pays for {len(living)} subscriptions")
        findings.compared["users"] += 1
        findings.compared["paying"] += bool(living)
        findings.compared[f"of {len(theirs)} subscriptions"] += bool(theirs)
        if living:
            findings.equal(f"user {person.pk}", ours(row), truth_of(living[0], plans))
        else:
            findings.equal(f"user {person.pk}", row.status, status_without(theirs))


def ours(row: UserSubscription) -> dict[str, Any]:
    pending = row.pending_plan and (row.pending_plan.slug, row.pending_plan_effective_at)
    return {
        "id": row.stripe_subscription_id,
        "status": row.status,
        "plan": row.plan.slug,
        "period": (row.current_period_start, row.current_period_end),
        "ends": row.cancel_at_period_end,
        "pending": pending,
        "trial_end": row.trial_end,
    }


def truth_of(living: Json, plans: dict[str | None, str]) -> dict[str, Any]:
    pending = pending_of(living)
    trial_end = living["trial_end"]
    return {
        "id": living["id"],
        "status": living["status"],
        "plan": plans[price_of(living)["id"]],
        "period": tuple(map(moment, period_of(living))),
        "ends": living["cancel_at_period_end"],
        "pending": pending and (plans[pending[0]], moment(pending[1])),
        "trial_end": trial_end and moment(trial_end),
    }


def status_without(theirs: list[Json]) -> str:
    """Nothing is paid for: what is open comes before what has ended."""
    statuses = {one["status"] for one in theirs}
    found = [status for status in ("incomplete", "canceled", "incomplete_expired") if status in statuses]
    return SPELLED.get(found[0], found[0]) if found else "active"


Line = tuple[str, str, str, int, str]
"""What it is about, type, status, amount, currency."""


def money_at_stripe(year: Year) -> Counter[Line]:
    return Counter([*_paid(year), *_given_back(year), *_disputed(year)])


def _paid(year: Year) -> Iterator[Line]:
    for invoice in year.account.each("invoices"):
        is_change = invoice["billing_reason"] == "subscription_update"
        kind = Type.PRORATION if is_change else Type.SUBSCRIPTION_PAYMENT
        if invoice["status"] == "paid" and invoice["amount_paid"]:
            yield _line(invoice, kind, Status.SUCCEEDED, invoice["amount_paid"])


def _given_back(year: Year) -> Iterator[Line]:
    for refund in year.account.each("refunds"):
        yield _line(refund, Type.SUBSCRIPTION_REFUND, Status.REFUNDED, -refund["amount"])
        if refund["status"] == "failed":
            yield _line(refund, Type.SUBSCRIPTION_REFUND, Status.FAILED, refund["amount"])


def _disputed(year: Year) -> Iterator[Line]:
    for dispute in year.account.each("disputes"):
        if dispute["status"] in INQUIRIES:
            continue
        yield _line(dispute, Type.DISPUTE, Status.DISPUTED, -dispute["amount"])
        if dispute["status"] in WON:
            yield _line(dispute, Type.DISPUTE, Status.SUCCEEDED, dispute["amount"])


def _line(about: Json, kind: str, status: str, amount: int) -> Line:
    return about["id"], str(kind), str(status), amount, about["currency"].upper()


def money_here() -> Counter[Line]:
    """Without the attempts that failed: no money moved."""
    attempts = {"status": Status.FAILED, "type__in": (Type.SUBSCRIPTION_PAYMENT, Type.PRORATION)}
    rows = PaymentTransaction.objects.exclude(**attempts)
    return Counter(rows.values_list("stripe_object_id", "type", "status", "amount_cents", "currency"))


def ledger(year: Year, findings: Findings) -> None:
    truth, here = money_at_stripe(year), money_here()
    for line in truth:
        findings.compared[f"{line[1]} {line[2]}"] += 1
    for line in sorted((truth - here).elements()):
        findings.complaints.append(f"not in the ledger: {line}")
    for line in sorted((here - truth).elements()):
        findings.complaints.append(f"in the ledger alone: {line}")


def sums(year: Year, findings: Findings) -> None:
    truth, here = by_currency(money_at_stripe(year)), by_currency(money_here())
    for currency, total in sorted(truth.items()):
        findings.compared[f"minor units of {currency}"] += total
    findings.equal("sums", here, truth)


def by_currency(lines: Counter[Line]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for (*_, amount, currency), count in lines.items():
        totals[currency] = totals.get(currency, 0) + amount * count
    return totals


def inbox(year: Year, findings: Findings) -> None:
    rows = WebhookEvent.objects.in_bulk(list(year.post.known), field_name="stripe_event_id")
    findings.compared["events"] = len(year.post.known)
    findings.compared["dropped for good"] = year.post.happened["dropped for good"]
    for event_id in sorted(year.post.known - rows.keys()):
        findings.complaints.append(f"{event_id} never came into the inbox")
    for row in rows.values():
        if row.state not in WebhookEvent.DONE:
            findings.complaints.append(f"{row.type} of {row.created_at} is {row.state}: {row.error}")


def left_over(year: Year, findings: Findings) -> None:
    """No hold is open, nothing told waits to be carried out, no job fails, and nobody holds a lease."""
    findings.compared["jobs"] = JobRun.objects.count()
    findings.equal("open holds", UsageReservation.objects.held().count(), 0)
    findings.equal("settlements not carried out", UsageSettlement.objects.count(), 0)
    for row in JobRun.objects.all():
        findings.equal(f"job {row.name}", (row.failures, row.leased_until, row.holder), (0, None, ""))
