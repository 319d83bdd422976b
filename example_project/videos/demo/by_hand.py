"""What staff did: plans given, extra allowances, corrected counters, money given back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar

from django.contrib.auth.models import User

from django_videoq_billing.models import ExtraAllowance, UsageCorrection, UsageRecord
from django_videoq_billing.types import Metric
from example_project.videos.demo.lives import PREMIUM, STUDIO, Kind, Life, Line, Paid, Plans, Type

T = TypeVar("T")
Dated = tuple[T, datetime]
"""A row, and when it is to be said that it was made."""

GIVEN_AT = timedelta(days=20)
GIVEN = ((STUDIO, None), (PREMIUM, timedelta(days=40)), (PREMIUM, timedelta(days=10)))
EXTRAS, CORRECTIONS = 8, 5
ONE_REFUND_IN, DISPUTES = 60, 2


def give_plans(lives: list[Life], plans: Plans, rng: Random) -> None:
    """A custom plan for one customer, and two promotions that will end by themselves."""
    for life, (slug, length) in zip(rng.sample(lives, len(GIVEN)), GIVEN, strict=True):
        at = life.now - GIVEN_AT
        life.spans = [replace(span, plan=plans[slug]) if span.end > at else span for span in life.spans]
        until = None if length is None else life.now + length
        life.row |= {"plan": plans[slug], "assigned_at": at, "assigned_until": until}


def give_back(lives: list[Life], rng: Random) -> None:
    """Refunds, some of them of a part, and disputes: the first is lost, the second won."""
    paid = [(life, line) for life in lives for line in life.lines if _may_come_back(life, line)]
    chosen = rng.sample(paid, DISPUTES + max(3, len(paid) // ONE_REFUND_IN))
    for life, line in chosen[DISPUTES:]:
        given = {"amount": -line.amount // rng.choice((1, 1, 2)), "description": "requested by customer"}
        at = line.at + timedelta(days=rng.uniform(0.5, 9))
        _add(life, line, at=at, type=Type.SUBSCRIPTION_REFUND, status=Paid.REFUNDED, **given)
        life.tell(Kind.REFUND, at, number=life.lines[-1].number)
    for place, (life, line) in enumerate(chosen[:DISPUTES]):
        taken = {"amount": -line.amount, "description": "fraudulent", "type": Type.DISPUTE}
        _add(life, line, at=line.at + timedelta(days=rng.uniform(2, 9)), status=Paid.DISPUTED, **taken)
        if place == 1:
            life.lines.append(replace(life.lines[-1], status=Paid.SUCCEEDED, amount=line.amount))


def _may_come_back(life: Life, line: Line) -> bool:
    return line.status == Paid.SUCCEEDED and line.amount > 1 and life.now - line.at > timedelta(days=10)


def _add(life: Life, paid: Line, **other: Any) -> None:
    life.lines.append(replace(paid, number=len(life.lines), **other))


def extras_of(
    records: list[UsageRecord], author: User, rng: Random, now: datetime
) -> list[Dated[ExtraAllowance]]:
    """For users at their limit, who have used a part of it since. Two are over, one of them taken back."""
    full = [each for each in records if each.video_limit and each.video_count == each.video_limit]
    running = [each for each in full if each.billing_period_end > now]
    over = [each for each in full if each.billing_period_end <= now]
    chosen = rng.sample(running, min(EXTRAS - 2, len(running))) + rng.sample(over, min(2, len(over)))
    return list(_extras(chosen, author, now))


def _extras(chosen: list[UsageRecord], author: User, now: datetime) -> Iterator[Dated[ExtraAllowance]]:
    for place, record in enumerate(chosen):
        is_over = record.billing_period_end <= now
        taken_back = is_over and place == len(chosen) - 1
        amount = max(2, record.video_limit or 0)
        if not taken_back:
            record.video_limit = (record.video_limit or 0) + amount
            record.video_count += amount // 2
        allowance = ExtraAllowance(
            user=record.user,
            metric=Metric.VIDEO,
            amount=amount,
            reason=REASONS[place % len(REASONS)],
            author=author,
            expires_at=record.billing_period_end,
            revoked_at=record.billing_period_end - timedelta(hours=2) if taken_back else None,
        )
        yield allowance, record.last_video_uploaded_at or now


def corrections_of(
    records: list[UsageRecord], author: User, rng: Random, now: datetime
) -> list[Dated[UsageCorrection]]:
    """Videos that were counted twice; the record stands where the correction put it."""
    some = [each for each in records if each.video_count and each.video_limit is None]
    chosen = rng.sample(some, min(CORRECTIONS, len(some)))
    return [(_correction(record, author, rng), record.last_video_uploaded_at or now) for record in chosen]


def _correction(record: UsageRecord, author: User, rng: Random) -> UsageCorrection:
    return UsageCorrection(
        user=record.user,
        metric=Metric.VIDEO,
        period_start=record.billing_period_start,
        before=record.video_count + rng.randrange(1, 4),
        after=record.video_count,
        reason="Uploads that broke off were counted twice",
        author=author,
    )


REASONS = (
    "Conference week, agreed by mail",
    "Upload failed on our side",
    "Trial of a larger plan",
    "Thanks for the bug report",
)
