"""What users were told, compared with what has happened at Stripe and with what was delivered."""

from __future__ import annotations

from collections import Counter

from django_videoq_billing.models import Notification, PaymentTransaction
from django_videoq_billing.services.outbox import NEWS
from tests.simulation import mail
from tests.simulation.account import moment
from tests.simulation.findings import Findings
from tests.simulation.history import DRAFT, GRACE, Failure, failures_of, what_happened
from tests.simulation.year import Year

Kind, State = Notification.Kind, Notification.State


def delivered(year: Year, findings: Findings) -> None:
    """Each row that was sent has one mail, and each mail a row; twice only where a sender was killed."""
    mails, again = mail.delivered(), 0
    for row in Notification.objects.all():
        count = mails.pop(str(row.message_id), 0)
        findings.compared[row.state] += 1
        if row.state not in (State.SENT, State.SKIPPED):
            findings.complaints.append(f"{row.kind} {row.key} is {row.state}: {row.error}")
        if row.state == State.SENT and not count:
            findings.complaints.append(f"{row.kind} {row.key} counts as sent, and nothing came")
        again += max(0, count - 1) if row.state == State.SENT else count
    findings.compared["mails twice"] = again
    findings.within("mails of a sender that was killed", again, 0, year.kills["worker"])
    findings.equal("mails of no row", sum(mails.values()), 0)


def told(kind: Notification.Kind) -> Counter[int]:
    return Counter(Notification.objects.filter(kind=kind).values_list("user_id", flat=True))


def news(year: Year, findings: Findings) -> None:
    """As often as it happened; less only by the moves that an outage has cut short."""
    truth = what_happened(year)
    for kind in (
        Kind.UPGRADE_CONFIRMED,
        Kind.DOWNGRADE_SCHEDULED,
        Kind.DOWNGRADE_DONE,
        Kind.CANCELLATION_SCHEDULED,
        Kind.CANCELLATION_DONE,
        Kind.REACTIVATED,
    ):
        here = told(kind)
        findings.compared[kind.value] = sum(here.values())
        for user in year.customers.values():
            expected, slack = truth[user, kind.value], year.books.unsure[user]
            more = slack if kind == Kind.DOWNGRADE_SCHEDULED else 0
            findings.within(f"user {user}, {kind.value}", here[user], expected - slack, expected + more)


def payments(year: Year, findings: Findings) -> None:
    """Each renewal that failed is followed up under its own name; no step of it is told twice."""
    names: dict[tuple[int, str], Failure] = {}
    customers = year.customers
    for failure in failures_of(year.post):
        if (user := customers.get(failure.customer)) is None:
            continue
        findings.compared["failures"] += 1
        # Where the cardholder was missing nothing was tried, and the days count from the draft, an hour before.
        for began in (failure.began, failure.began - DRAFT):
            names[user, (began + GRACE).isoformat()] = failure
    follow_ups = Notification.objects.filter(kind__in=(Kind.PAYMENT_FAILED, Kind.GRACE_ENDED))
    here = Counter((row.user_id, row.facts["grace_end"]) for row in follow_ups)
    findings.compared["mails about them"] = len(follow_ups)
    followed_up = [names.get(name) for name in here]
    for failure in dict.fromkeys(names.values()):
        findings.compared["to be noticed"] += failure.is_to_be_noticed
        if failure.is_to_be_noticed and failure not in followed_up:
            findings.complaints.append(f"nothing about {failure}")
    for name in sorted(here.keys() - names.keys()):
        findings.complaints.append(f"user {name[0]}: told of a grace period until {name[1]}")
    steps = Counter(
        (row.user_id, row.kind, row.facts["grace_end"], row.facts.get("step")) for row in follow_ups
    )
    for step, count in steps.items():
        findings.equal(f"step {step}", count, 1)


def trials(year: Year, findings: Findings) -> None:
    """Who was on trial until its end and meant to stay was told once; nobody twice, and nobody else.

    A trial that was cut short by a plan that has none may have been told of before that, by the end it had then.
    """
    here = Counter(Notification.objects.filter(kind=Kind.TRIAL_ENDING).values_list("user_id", "key"))
    now, customers = year.account.sandbox.now(), year.customers
    known: Counter[tuple[int, str]] = Counter()
    for subscription in year.account.each("subscriptions", status="all"):
        user, end = customers.get(subscription["customer"]), subscription["trial_end"]
        if user is None or not end:
            continue
        told = [seen for seen in year.post.seen if seen.object["id"] == subscription["id"]]
        ends = {end, *(seen.object["trial_end"] for seen in told if seen.object.get("trial_end"))}
        left_early = len(ends) > 1 or any(
            seen.object["cancel_at_period_end"] or seen.object["status"] == "canceled"
            for seen in told
            if seen.at <= end
        )
        findings.compared["trials"] += 1
        for trial in sorted((user, moment(each).isoformat()) for each in ends):
            known[trial] += 1
            findings.within(f"trial {trial}", here[trial], 0 if left_early or end > now else 1, 1)
    findings.compared["told"] = sum(here.values())
    for trial in sorted(here.keys() - known.keys()):
        findings.complaints.append(f"no trial: {trial}")


def refunds(year: Year, findings: Findings) -> None:
    """Once for each refund in the ledger that was found out while it was news, and before it failed at the bank."""
    here = Counter(Notification.objects.filter(kind=Kind.REFUND).values_list("key", flat=True))
    failed = {refund["id"] for refund in year.account.each("refunds") if refund["status"] == "failed"}
    lines = PaymentTransaction.objects.filter(status=PaymentTransaction.Status.REFUNDED, user__isnull=False)
    for line in lines:
        is_news = line.recorded_at - line.created_at <= NEWS
        findings.compared["refunds" if is_news else "refunds found out late"] += 1
        least = int(is_news and line.stripe_object_id not in failed)
        findings.within(f"refund of line {line.pk}", here.pop(str(line.pk), 0), least, int(is_news))
    findings.equal("mails about no refund", sum(here.values()), 0)
