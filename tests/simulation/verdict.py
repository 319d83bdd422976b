"""What must be true in the end, each compared with a truth of its own, and told with numbers."""

from __future__ import annotations

from collections.abc import Callable

from tests.simulation import verdict_mail, verdict_stripe, verdict_usage
from tests.simulation.findings import Findings
from tests.simulation.year import Year

SHOWN = 12

CHECKS: dict[str, Callable[[Year, Findings], None]] = {
    "subscriptions equal Stripe's": verdict_stripe.subscriptions,
    "ledger lines equal Stripe's money": verdict_stripe.ledger,
    "sums of money equal Stripe's": verdict_stripe.sums,
    "events known and processed": verdict_stripe.inbox,
    "usage equals what was admitted": verdict_usage.records,
    "limits are those that were paid for": verdict_usage.limits,
    "answers to uploads and days of grace were right": verdict_usage.admissions,
    "usage alerts, each once": verdict_usage.alerts,
    "mails sent once": verdict_mail.delivered,
    "news of subscriptions told once": verdict_mail.news,
    "failed payments followed up": verdict_mail.payments,
    "trials' ends told once": verdict_mail.trials,
    "refunds told once": verdict_mail.refunds,
    "nothing left over": verdict_stripe.left_over,
}


def judge(year: Year) -> int:
    """Print what was compared; return how many complaints there are."""
    for title, counts in (
        ("happened", year.books.happened),
        ("refused", year.books.refused),
        ("post", year.post.happened),
        ("died", year.kills),
        ("jobs", year.jobs),
    ):
        told = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
        print(f"{title}: {told}")
    complaints = 0
    for name, check in CHECKS.items():
        findings = Findings()
        check(year, findings)
        complaints += len(findings.complaints)
        mark = "WRONG" if findings.complaints else "ok"
        print(f"  {mark:<6} {name}: {findings.summary}")
        for complaint in findings.complaints[:SHOWN]:
            print(f"         {complaint}")
        if len(findings.complaints) > SHOWN:
            print(f"         and {len(findings.complaints) - SHOWN} more")
    return complaints
