"""What each kind of e-mail says, and whether it is still true: one small function for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.dateparse import parse_datetime

from django_videoq_billing.models import Notification, SubscriptionPlan, UserSubscription
from django_videoq_billing.services.entitlements import default_plan, effective_plan
from django_videoq_billing.services.plans import limits_of, price_display

Kind = Notification.Kind


class Outdated(Exception):
    """What the e-mail was to say is not true any more, or is not wanted; the text says why, to operators."""


@dataclass(frozen=True, slots=True)
class Message:
    """A kind, whose templates are used, and what they are given besides what all e-mails are given."""

    kind: Notification.Kind
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """A row of the outbox beside what holds now."""

    notification: Notification
    user: AbstractBaseUser
    subscription: UserSubscription | None

    @property
    def facts(self) -> Mapping[str, Any]:
        return dict(self.notification.facts)

    @property
    def row(self) -> UserSubscription:
        """Raises Outdated where the user has no subscription."""
        if self.subscription is None:
            raise Outdated("The user has no subscription any more.")
        return self.subscription

    def moment(self, name: str) -> datetime:
        at = parse_datetime(str(self.facts[name]))
        if at is None or at.tzinfo is None:
            raise ValueError(f"The fact {name!r} is no moment.")
        return at

    def plan(self, name: str = "plan") -> SubscriptionPlan:
        """Raises Outdated for a plan that was deleted."""
        plan = SubscriptionPlan.objects.filter(slug=self.facts[name]).first()
        if plan is None:
            raise Outdated("The plan does not exist any more.")
        return plan

    def message(self, kind: Notification.Kind | None = None, **context: Any) -> Message:
        return Message(kind or Kind(self.notification.kind), context)


Teller = Callable[[Case], Message]
TELLERS: dict[str, Teller] = {}


def tells(*kinds: Notification.Kind) -> Callable[[Teller], Teller]:
    def register(teller: Teller) -> Teller:
        TELLERS.update(dict.fromkeys(kinds, teller))
        return teller

    return register


def ensure(still_true: object, otherwise: str) -> None:
    if not still_true:
        raise Outdated(otherwise)


@dataclass(frozen=True, slots=True)
class PlanText:
    """A plan in words, in the language that is active."""

    name: str
    price: str
    limits: list[str]


def plan_text(plan: SubscriptionPlan) -> PlanText:
    return PlanText(plan.name, price_display(plan), limits_of(plan))


def fallback(case: Case) -> PlanText:
    """The plan whose limits hold where the user's own gives none."""
    own = case.subscription
    return plan_text(default_plan() if own is None else effective_plan(own))
