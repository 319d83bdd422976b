"""From lives to rows, written in bulk: no signal, no e-mail, nobody asks Stripe."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import F, Model, OuterRef, Subquery

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import (
    ExtraAllowance,
    Notification,
    PaymentTransaction,
    TranscriptionJob,
    UsageAlert,
    UsageCorrection,
    UsageRecord,
    UsageRefusal,
    UserSubscription,
    WebhookEvent,
)
from django_videoq_billing.services import extra_allowances
from django_videoq_billing.services.entitlements import plan_or_period_changed
from example_project.videos.demo import by_hand, cast, inbox, people, usage
from example_project.videos.demo.lives import Kind, Life, Type
from example_project.videos.demo.plans import make_plans
from example_project.videos.models import Video

BATCH = 500
M = TypeVar("M", bound=Model)

_OBJECTS = {Type.SUBSCRIPTION_REFUND: "re", Type.DISPUTE: "dp"}


@transaction.atomic
def fill(users: int, seed: int, now: datetime) -> dict[str, int]:
    """Make the rows of so many users over the year before `now`, all or none; return how many of each kind."""
    rng = Random(seed)  # noqa: S311 (chance that can be repeated)
    plans = make_plans()
    grace = timedelta(days=get_settings().GRACE_PERIOD_DAYS)
    lives = cast.lives_of(users, plans, rng, now, grace)
    by_hand.give_plans(cast.on_the_default_plan(lives, timedelta(days=40)), plans, rng)
    by_hand.give_back(lives, rng)
    people_made = _bulk(people.users_of(lives, rng))
    pairs = list(zip(people_made, lives, strict=True))
    author = people.make_author()

    rows = _bulk([_subscription(number, user, life) for number, (user, life) in enumerate(pairs, start=1)])
    lines = _bulk([line for number, pair in enumerate(pairs, start=1) for line in _lines(number, *pair)])
    counted = _count(pairs, author, rng, now)
    mails = _bulk(_mails(pairs, lines, counted[UsageAlert], rng, now))
    events = _bulk(inbox.events_of(lines, rows, rng, now))
    _backdate()
    made: list[list[Any]] = [people_made, rows, lines, *counted.values(), mails, events]
    plan_or_period_changed()
    return {str(each[0]._meta.verbose_name_plural): len(each) for each in made if each}


def _bulk(rows: list[M]) -> list[M]:
    return type(rows[0])._default_manager.bulk_create(rows, BATCH) if rows else []


def _subscription(number: int, user: User, life: Life) -> UserSubscription:
    """Without a customer at Stripe, so that no job asks Stripe about it, and finds nothing."""
    fields = dict(life.row)
    billed = fields.pop("billed", False)
    return UserSubscription(
        user=user, stripe_subscription_id=f"sub_demo_{number:05}" if billed else None, **fields
    )


def _lines(number: int, user: User, life: Life) -> list[PaymentTransaction]:
    return [
        PaymentTransaction(
            user=user,
            plan=line.plan,
            stripe_object_id=f"{_OBJECTS.get(line.type, 'in')}_demo_{number:05}_{line.number}",
            amount_cents=line.amount,
            currency=line.plan.currency,
            type=line.type,
            status=line.status,
            description=line.description,
            created_at=line.at,
        )
        for line in life.lines
    ]


def _count(
    pairs: list[tuple[User, Life]], author: User, rng: Random, now: datetime
) -> dict[type[Model], list[Any]]:
    records = [record for user, life in pairs for record in usage.records_of(user, life, rng)]
    kind = ContentType.objects.get_for_model(Video)
    jobs = [job for record in records for job in usage.jobs_of(record, kind, rng)]
    extras = by_hand.extras_of(records, author, rng, now)
    corrections = by_hand.corrections_of(records, author, rng, now)
    alerts = [alert for record in records for alert in usage.alerts_of(record)]
    refusals = [refusal for record in records for refusal in usage.refusals_of(record, now, rng)]
    _bulk(records), _bulk(jobs), _bulk(alerts), _bulk(refusals)
    by_staff: list[by_hand.Dated[Any]] = [*extras, *corrections]
    for row, at in by_staff:
        row.save()
        type(row).objects.filter(pk=row.pk).update(created_at=at)
    for extra, _at in extras:
        extra_allowances.refresh(extra.user_id)
    return {
        UsageRecord: records,
        TranscriptionJob: jobs,
        UsageAlert: alerts,
        UsageRefusal: refusals,
        ExtraAllowance: [row for row, _at in extras],
        UsageCorrection: [row for row, _at in corrections],
    }


def _mails(
    pairs: list[tuple[User, Life]],
    lines: list[PaymentTransaction],
    alerts: list[UsageAlert],
    rng: Random,
    now: datetime,
) -> list[Notification]:
    """The outbox: sent, all but a few that were overtaken by events, and one that the mail server refused."""
    by_id = {line.stripe_object_id: line.pk for line in lines if line.type == Type.SUBSCRIPTION_REFUND}
    found = []
    for number, (user, life) in enumerate(pairs, start=1):
        for place, (kind, at, facts) in enumerate(life.news):
            key = f"demo-{place}"
            if kind == Kind.REFUND:
                facts = {"transaction": by_id[f"re_demo_{number:05}_{facts['number']}"]}
                key = str(facts["transaction"])
            elif kind == Kind.TRIAL_ENDING:
                key = facts["at"]
            elif "grace_end" in facts:
                key = facts["grace_end"] + (f"/{facts['step']}" if "step" in facts else "")
            found.append(_mail(user, kind, key, facts, at))
    found += [_mail(alert.user, Kind.USAGE_WARNING, str(alert.pk), {}, alert.created_at) for alert in alerts]
    for mail in rng.sample(found, len(found) // 50):
        mail.state, mail.error = Notification.State.SKIPPED, "It is not true any more."
    refused = max(found, key=lambda mail: mail.created_at)
    refused.state, refused.attempts = Notification.State.FAILED, 5
    refused.error = "SMTPRecipientsRefused: 550 mailbox unavailable"
    return found


def _mail(user: User, kind: Kind, key: str, facts: dict[str, Any], at: datetime) -> Notification:
    return Notification(
        user=user,
        kind=kind,
        key=key,
        facts=facts,
        state=Notification.State.SENT,
        attempts=1,
        next_attempt_at=at,
        created_at=at,
        settled_at=at + timedelta(seconds=2),
    )


def _backdate() -> None:
    """What a row's creation writes by itself is moved to when it would have happened."""
    own = {"user__email__endswith": people.MARK}
    TranscriptionJob.objects.filter(**own).update(created_at=F("started_at"))
    UsageRecord.objects.filter(**own).update(created_at=F("billing_period_start"))
    joined = User.objects.filter(pk=OuterRef("user_id")).values("date_joined")
    UserSubscription.objects.filter(**own).update(created_at=Subquery(joined))
    events = WebhookEvent.objects.filter(stripe_event_id__startswith=inbox.MARK)
    events.update(received_at=F("created_at") + timedelta(seconds=2))
    events.filter(processed_at__isnull=False).update(received_at=F("next_attempt_at"))
