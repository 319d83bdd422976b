"""What users were told, compared with what has happened at Stripe and with what was delivered."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from django.conf import settings

from django_videoq_billing.models import Notification, PaymentTransaction
from django_videoq_billing.services.outbox import NEWS
from tests.simulation import mail
from tests.simulation.account import moment
from tests.simulation.findings import Findings
from tests.simulation.post import Seen
from tests.simulation.year import Year

Kind, State = Notification.Kind, Notification.State
ACTIVE = ("active", "trialing")
GRACE = timedelta(days=settings.VIDEOQ_BILLING.get("GRACE_PERIOD_DAYS", 3))
A_STEP = timedelta(hours=36)


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
    users = {person.customer: person.pk for person, _ in year.people if person.customer}
    truth = what_happened(year, users)
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
        for user in users.values():
            expected, slack = truth[user, kind.value], year.books.unsure[user]
            more = slack if kind == Kind.DOWNGRADE_SCHEDULED else 0
            findings.within(f"user {user}, {kind.value}", here[user], expected - slack, expected + more)


def what_happened(year: Year, users: dict[str | None, int]) -> Counter[tuple[int, str]]:
    """Read off the subscriptions' events; that a downgrade was asked for, the driver knows."""
    truth: Counter[tuple[int, str]] = Counter(year.books.accepted)
    begun: set[str] = set()
    for seen in sorted(year.post.seen, key=lambda seen: seen.at):
        subscription = seen.object
        user = users.get(subscription["customer"])
        if user is None or "videoq_surplus" in subscription["metadata"]:
            continue
        if subscription["status"] in ACTIVE and subscription["id"] not in begun:
            begun.add(subscription["id"])
            truth[user, Kind.UPGRADE_CONFIRMED.value] += 1
        if seen.type == "customer.subscription.deleted":
            truth[user, Kind.CANCELLATION_DONE.value] += subscription["id"] in begun
        elif seen.type == "customer.subscription.updated":
            for kind in changes(seen):
                truth[user, kind.value] += 1
    return truth


def changes(seen: Seen) -> list[Notification.Kind]:
    now, found = seen.object, []
    more = price_change(seen)
    if more:
        found.append(Kind.UPGRADE_CONFIRMED if more > 0 else Kind.DOWNGRADE_DONE)
    was_ending = seen.before.get("cancel_at_period_end")
    if was_ending is False and now["cancel_at_period_end"]:
        found.append(Kind.CANCELLATION_SCHEDULED)
    if was_ending is True and not now["cancel_at_period_end"] and not more and now["status"] != "canceled":
        found.append(Kind.REACTIVATED)
    return found


def price_change(seen: Seen) -> int:
    """How much more the subscription costs than before."""
    items = (seen.before.get("items") or {}).get("data")
    if not items or "price" not in items[0]:
        return 0
    before, now = items[0]["price"], seen.object["items"]["data"][0]["price"]
    return int(now["unit_amount"] - before["unit_amount"])


def payments(year: Year, findings: Findings) -> None:
    """Each renewal that failed is followed up under its own name; no step of it is told twice."""
    users = {person.customer: person.pk for person, _ in year.people if person.customer}
    failures: Counter[tuple[int, str]] = Counter()
    paid_soon: set[tuple[int, str]] = set()
    since: dict[str, tuple[int, tuple[int, str]]] = {}
    for seen in sorted(year.post.seen, key=lambda seen: seen.at):
        subscription, user = seen.object, users.get(seen.object["customer"])
        if user is None:
            continue
        if subscription["status"] == "past_due" and subscription["id"] not in since:
            failure = (user, (moment(seen.at) + GRACE).isoformat())
            failures[failure] += 1
            since[subscription["id"]] = (seen.at, failure)
        elif subscription["status"] != "past_due" and subscription["id"] in since:
            at, failure = since.pop(subscription["id"])
            if moment(seen.at) - moment(at) < A_STEP:
                paid_soon.add(failure)
    follow_ups = Notification.objects.filter(kind__in=(Kind.PAYMENT_FAILED, Kind.GRACE_ENDED))
    here = Counter((row.user_id, row.facts["grace_end"]) for row in follow_ups)
    findings.compared["failures"] = len(failures)
    findings.compared["mails about them"] = len(follow_ups)
    for failure in sorted(failures.keys() - here.keys() - paid_soon):
        findings.complaints.append(f"user {failure[0]}: nothing about the grace period until {failure[1]}")
    for failure in sorted(here.keys() - failures.keys()):
        findings.complaints.append(f"user {failure[0]}: told of a grace period until {failure[1]}")
    steps = Counter((row.user_id, row.kind, row.facts["grace_end"], row.facts.get("step")) for row in follow_ups)
    for step, count in steps.items():
        findings.equal(f"step {step}", count, 1)


def trials(year: Year, findings: Findings) -> None:
    """Who was on trial until its end and meant to stay was told once; nobody twice, and nobody else."""
    users = {person.customer: person.pk for person, _ in year.people if person.customer}
    here = Counter(Notification.objects.filter(kind=Kind.TRIAL_ENDING).values_list("user_id", "key"))
    now = year.account.sandbox.now()
    known: Counter[tuple[int, str]] = Counter()
    for subscription in year.account.each("subscriptions", status="all"):
        user, end = users.get(subscription["customer"]), subscription["trial_end"]
        if user is None or not end:
            continue
        trial = (user, moment(end).isoformat())
        known[trial] += 1
        findings.compared["trials"] += 1
        left_early = any(
            seen.object["id"] == subscription["id"]
            and (seen.object["cancel_at_period_end"] or seen.object["status"] == "canceled")
            for seen in year.post.seen
            if seen.at <= end
        )
        findings.within(f"trial {trial}", here[trial], 0 if left_early or end > now else 1, 1)
    findings.compared["told"] = sum(here.values())
    for trial in sorted(here.keys() - known.keys()):
        findings.complaints.append(f"no trial: {trial}")


def refunds(year: Year, findings: Findings) -> None:
    """Once for each refund in the ledger that was found out while it was news."""
    here = Counter(Notification.objects.filter(kind=Kind.REFUND).values_list("key", flat=True))
    lines = PaymentTransaction.objects.filter(status=PaymentTransaction.Status.REFUNDED, user__isnull=False)
    for line in lines:
        is_news = line.recorded_at - line.created_at <= NEWS
        findings.compared["refunds" if is_news else "refunds found out late"] += 1
        findings.equal(f"refund of line {line.pk}", here.pop(str(line.pk), 0), int(is_news))
    findings.equal("mails about no refund", sum(here.values()), 0)
