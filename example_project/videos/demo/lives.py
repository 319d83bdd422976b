"""What becomes of one made-up user from sign-up to now: plans, payments, and what they are told of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from dateutil.relativedelta import relativedelta

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import Notification, PaymentTransaction, SubscriptionPlan, UserSubscription

Status = UserSubscription.Status
Kind = Notification.Kind
Type, Paid = PaymentTransaction.Type, PaymentTransaction.Status
Plans = Mapping[str, SubscriptionPlan]

FREE, STANDARD, PREMIUM = "free", "standard", "premium"
YEN, YEARLY, STUDIO = "demo-standard-jpy", "demo-premium-yearly", "demo-studio"

TRIAL = timedelta(days=14)
GIVEN_UP = timedelta(days=7)
"""How long Stripe tries a card again before it ends the subscription."""

FAILS, MENDED, LOST = 0.05, 0.6, 0.35
CHANGES = ((0.055, "cancel"), (0.105, "change"), (0.12, "hesitate"))
"""Up to which draw a paid month has which event; above the last it has none."""


@dataclass(frozen=True, slots=True)
class Span:
    """A period of usage, and the plan whose limits held at its end."""

    start: datetime
    end: datetime
    plan: SubscriptionPlan


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the ledger. Lines of one payment have one number."""

    at: datetime
    number: int
    plan: SubscriptionPlan
    amount: int
    type: PaymentTransaction.Type
    status: PaymentTransaction.Status
    description: str


@dataclass(slots=True)
class Life:
    """A user's year. `row` has what the subscription says now."""

    joined: datetime
    now: datetime
    grace: timedelta
    spans: list[Span] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    news: list[tuple[Notification.Kind, datetime, dict[str, Any]]] = field(default_factory=list)
    row: dict[str, Any] = field(default_factory=dict)

    def tell(self, kind: Notification.Kind, at: datetime, /, **facts: Any) -> None:
        if at <= self.now:
            self.news.append((kind, at, facts))

    def months_on(self, plan: SubscriptionPlan, start: datetime, until: datetime | None = None) -> Span:
        """Add month after month from `start`, the last one cut at `until`; return the last."""
        count, over = 0, False
        while not over:
            begin, end = (start + relativedelta(months=each) for each in (count, count + 1))
            over = end > self.now if until is None else end >= until
            self.spans.append(Span(begin, until if until and over else end, plan))
            count += 1
        return self.spans[-1]

    def stands(
        self, plan: SubscriptionPlan, period: Span, status: Status = Status.ACTIVE, **more: Any
    ) -> None:
        self.row = {
            "plan": plan,
            "status": status,
            "current_period_start": period.start,
            "current_period_end": period.end,
            "period_anchor": period.start,
            **more,
        }


@dataclass(frozen=True, slots=True)
class Story:
    """What is decided beforehand; the rest is chance. `now_happens` comes true in the running period."""

    joined: datetime
    buys_at: datetime | None = None
    plan: str = FREE
    trial: bool = False
    now_happens: str = ""


def live(story: Story, plans: Plans, rng: Random, now: datetime, grace: timedelta) -> Life:
    life = Life(story.joined, now, grace)
    if story.buys_at is None or story.buys_at >= now:
        first = life.months_on(plans[FREE], story.joined)
        life.stands(plans[FREE], first, period_anchor=story.joined)
        return life
    life.months_on(plans[FREE], story.joined, story.buys_at)
    _Paying(life, plans, rng, story).begin(story.buys_at)
    return life


class _Paying:
    """A subscription from its checkout to its end, or to now."""

    def __init__(self, life: Life, plans: Plans, rng: Random, story: Story) -> None:
        self.life, self.plans, self.rng, self.story = life, plans, rng, story
        self.plan = plans[story.plan]
        self.pending: SubscriptionPlan | None = None
        self.at_stripe: dict[str, Any] = {"billed": True}

    def begin(self, start: datetime) -> None:
        self.life.tell(Kind.UPGRADE_CONFIRMED, start, plan=self.plan.slug)
        if not self.story.trial:
            self.renew_from(start)
            return
        end = start + TRIAL
        period = Span(start, end, self.plan)
        self.life.spans.append(period)
        self.at_stripe["trial_end"] = end
        lost = self.rng.random() < LOST
        if not lost:
            self.life.tell(
                Kind.TRIAL_ENDING, end - timedelta(days=get_settings().TRIAL_ENDING_DAYS), at=end.isoformat()
            )
        if end > self.life.now:
            self.life.stands(self.plan, period, Status.TRIALING, **self.at_stripe)
        elif lost:
            self.end(period, start + (end - start) * self.rng.uniform(0.2, 0.9))
        else:
            self.renew_from(end)

    def renew_from(self, anchor: datetime) -> None:
        count, going_on = 0, True
        while going_on:
            begin = anchor + relativedelta(months=count)
            end = anchor + relativedelta(months=count + self.plan.months)
            going_on = self.pay(begin, end, first=begin == self.story.buys_at) and self.spend(begin, end)
            count += self.plan.months

    def pay(self, begin: datetime, end: datetime, *, first: bool) -> bool:
        """The renewal; return whether it was paid."""
        if self.pending:
            self.life.tell(Kind.DOWNGRADE_DONE, begin, plan=self.pending.slug, **{"from": self.plan.slug})
            self.plan, self.pending = self.pending, None
        number = len(self.life.lines)
        amount, text = self.plan.price_cents, f"1 \u00d7 {self.plan}"
        price = (self.plan, amount, Type.SUBSCRIPTION_PAYMENT)
        chance, mended, after = self.rng.random(), self.rng.random(), self.rng.uniform(0.3, 2.8)
        fails = self.happens_now(end) == "fail" if self.story.now_happens else chance < FAILS
        if first or not fails:
            self.life.lines.append(Line(begin, number, *price, Paid.SUCCEEDED, text))
            return True
        self.life.lines.append(Line(begin, number, *price, Paid.FAILED, text))
        grace_end = begin + self.life.grace
        mended_at = begin + timedelta(days=after)
        is_mended = mended < MENDED and mended_at <= self.life.now and self.story.now_happens != "fail"
        self.remind(begin, grace_end, mended_at if is_mended else grace_end)
        if is_mended:
            self.life.lines.append(Line(mended_at, number, *price, Paid.SUCCEEDED, text))
            return True
        self.life.tell(Kind.GRACE_ENDED, grace_end, grace_end=grace_end.isoformat())
        if begin + GIVEN_UP > self.life.now:
            period = Span(begin, end, self.plan if grace_end > self.life.now else self.plans[FREE])
            self.life.spans.append(period)
            self.life.stands(self.plan, period, Status.PAST_DUE, grace_period_end=grace_end, **self.at_stripe)
        else:
            self.life.spans.append(Span(begin, end, self.plans[FREE]))
            self.end(self.life.spans[-1], begin + GIVEN_UP, unpaid=True)
        return False

    def remind(self, begin: datetime, grace_end: datetime, until: datetime) -> None:
        for step in (0, *get_settings().PAYMENT_REMINDER_DAYS):
            at = begin + timedelta(days=step)
            if at < until:
                self.life.tell(Kind.PAYMENT_FAILED, at, step=step, grace_end=grace_end.isoformat())

    def spend(self, begin: datetime, end: datetime) -> bool:
        """The period that was paid; return whether another one follows."""
        at, happens = begin + (end - begin) * self.rng.uniform(0.1, 0.9), self.draw()
        if self.story.now_happens:
            at, happens = begin + (self.life.now - begin) * 0.6, self.happens_now(end)
        leaves = at <= self.life.now and self.happens(happens, at, begin, end)
        period = Span(begin, end, self.plan)
        self.life.spans.append(period)
        if end > self.life.now:
            ending: dict[str, Any] = {"cancel_at_period_end": True, "cancelled_at": at} if leaves else {}
            if self.pending:
                ending = {"pending_plan": self.pending, "pending_plan_effective_at": end}
            self.life.stands(self.plan, period, **ending, **self.at_stripe)
            return False
        if leaves:
            self.end(period, at)
        return not leaves

    def draw(self) -> str:
        chance = self.rng.random()
        return next((what for up_to, what in CHANGES if chance < up_to), "")

    def happens_now(self, end: datetime) -> str:
        """What was decided beforehand for the running period; nothing in those before it."""
        return self.story.now_happens if end > self.life.now else ""

    def happens(self, what: str, at: datetime, begin: datetime, end: datetime) -> bool:
        """Return whether the user leaves at the end of the period."""
        if what in ("cancel", "hesitate"):
            self.life.tell(Kind.CANCELLATION_SCHEDULED, at, at=end.isoformat())
        if what == "hesitate":
            self.life.tell(Kind.REACTIVATED, at + (min(end, self.life.now) - at) / 2, plan=self.plan.slug)
        elif what == "change" and self.plan.slug == STANDARD:
            self.upgrade(at, (end - at) / (end - begin))
        elif what == "change" and self.plan.slug == PREMIUM:
            self.pending = self.plans[STANDARD]
            self.life.tell(Kind.DOWNGRADE_SCHEDULED, at, plan=STANDARD, at=end.isoformat())
        return what == "cancel"

    def upgrade(self, at: datetime, rest: float) -> None:
        old, self.plan = self.plan, self.plans[PREMIUM]
        amount = round((self.plan.price_cents - old.price_cents) * rest)
        text = f"Remaining time on {self.plan.name} after {at:%d %b %Y}"
        number = len(self.life.lines)
        line = Line(at, number, self.plan, amount, Type.PRORATION, Paid.SUCCEEDED, text)
        self.life.lines.append(line)
        self.life.tell(Kind.UPGRADE_CONFIRMED, at, plan=PREMIUM)

    def end(self, period: Span, decided_at: datetime, *, unpaid: bool = False) -> None:
        ended_at = decided_at if unpaid else period.end
        if not unpaid:
            self.life.tell(Kind.CANCELLATION_SCHEDULED, decided_at, at=period.end.isoformat())
        self.life.tell(Kind.CANCELLATION_DONE, ended_at, plan=self.plan.slug, unpaid=unpaid)
        if period.end <= self.life.now:
            self.life.months_on(self.plans[FREE], period.end)
        more = {"cancelled_at": decided_at, **self.at_stripe}
        self.life.stands(self.plan, period, Status.CANCELLED, **more)
