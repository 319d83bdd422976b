"""Usage and its alerts, compared with what the driver was told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from django.conf import settings
from django.utils import timezone

from django_videoq_billing.models import SubscriptionPlan, UsageAlert, UsageRecord
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.types import Metric
from tests.simulation.account import price_of
from tests.simulation.books import Reached, Whose
from tests.simulation.findings import Findings
from tests.simulation.history import ACTIVE, GRACE, failures_of
from tests.simulation.year import Year

THRESHOLDS = settings.VIDEOQ_BILLING.get("WARNING_THRESHOLDS", (80, 90, 100))


def records(year: Year, findings: Findings) -> None:
    """In the rows, for every period, and for the present one in the store, too."""
    here: dict[Whose, int] = {}
    for row in UsageRecord.objects.all():
        here[row.user_id, str(Metric.VIDEO), row.billing_period_start] = row.video_count
        here[row.user_id, str(Metric.TRANSCRIPTION), row.billing_period_start] = row.transcription_seconds
    for whose in sorted({*here, *year.books.settled}):
        user, metric, start = whose
        about = f"user {user}, {metric} from {start}"
        findings.equal(about, here.get(whose, 0), year.books.settled[whose])
        findings.compared[f"{metric} in all"] += year.books.settled[whose]
        findings.compared["periods"] += metric == Metric.VIDEO
    for person, _ in year.people:
        report = UsageTracker.report(person.user)
        for metric in Metric:
            truth = year.books.settled[person.pk, str(metric), report.period.start]
            findings.equal(f"user {person.pk}, {metric} now", report.counters.used(metric), truth)


def limits(year: Year, findings: Findings) -> None:
    """Those of the plan that is paid for, or still may be within the days of grace; else the default plan's."""
    plans = {plan.stripe_price_id: plan for plan in SubscriptionPlan.objects.all()}
    default = SubscriptionPlan.objects.get(slug="free")
    unpaid = {one.customer: one for one in failures_of(year.post) if one.ended is None}
    for person, _ in year.people:
        living = year.account.living(person.customer)
        plan = plans[price_of(living)["id"]] if living else default
        if living and living["status"] not in ACTIVE:
            failure = unpaid.get(living["customer"])
            if failure is None or timezone.now() >= failure.began + GRACE:
                plan = default
        report = UsageTracker.report(person.user)
        findings.compared[plan.slug] += 1
        here = (report.video_limit, report.transcription_limit_seconds)
        findings.equal(f"user {person.pk}", here, (plan.video_limit, plan.transcription_limit_seconds))


def admissions(year: Year, findings: Findings) -> None:
    for name in (
        "upload admitted",
        "upload refused",
        "upload repeated",
        "upload without an answer",
        "grace judged",
    ):
        findings.compared[name] = year.books.happened[name]
    findings.complaints += year.books.complaints


def alerts(year: Year, findings: Findings) -> None:
    """Where settled usage stood at a threshold there is an alert for it or a higher one, and no alert else."""
    told: dict[Whose, list[UsageAlert]] = defaultdict(list)
    for alert in UsageAlert.objects.all():
        told[alert.user_id, alert.metric, alert.period_start].append(alert)
        findings.compared[f"of {alert.threshold} %"] += 1
    for whose in sorted({*told, *year.books.reached}):
        stood = year.books.reached.get(whose, [])
        findings.complaints += [f"{whose}: {about}" for about in _missing(told[whose], stood)]
        findings.complaints += [
            f"{whose}: {about}" for about in _unfounded(told[whose], year.books.settled[whose])
        ]


def _missing(told: list[UsageAlert], stood: list[Reached]) -> Iterator[str]:
    for moment in stood:
        threshold = highest(moment)
        if threshold and moment.at_once and not any(covers(alert, threshold, moment) for alert in told):
            yield f"nobody was told of {threshold} % of {moment.limit}"


def _unfounded(told: list[UsageAlert], most: int) -> Iterator[str]:
    for alert in told:
        if alert.used > most or alert.used * 100 < alert.threshold * alert.limit:
            yield f"{alert.threshold} % were told at {alert.used}, and it was {most} at most"
    if len({alert.threshold for alert in told}) < len(told):
        yield "a threshold was told twice"


def highest(stood: Reached) -> int | None:
    reached = [threshold for threshold in THRESHOLDS if stood.used * 100 >= threshold * stood.limit]
    return max(reached, default=None)


def covers(alert: UsageAlert, threshold: int, stood: Reached) -> bool:
    higher = alert.threshold > threshold and alert.limit >= stood.limit
    return alert.threshold == threshold or higher
