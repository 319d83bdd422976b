"""`settings.VIDEOQ_BILLING` as one frozen, typed object.

Nothing is read at import: call `get_settings()` where a setting is needed. A value that cannot be right
raises ImproperlyConfigured at start, with every problem listed and what to write instead.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from functools import cache
from typing import Any, Literal

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils import translation
from django.utils.translation import gettext_noop

from django_videoq_billing.conf_rules import (
    ALL_EMAILS,
    DEFAULT_RATES,
    PLAN_RULES,
    SETTING_RULES,
    Rule,
    matches,
    shown,
)

SETTING = "VIDEOQ_BILLING"
Interval = Literal["month", "year"]


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """One entry of `PLANS`. A limit of None means unlimited; prices are in the currency's minor unit."""

    slug: str
    name: str
    description: str = ""
    price_cents: int = 0
    currency: str = "USD"
    interval: Interval = "month"
    video_limit: int | None = None
    transcription_limit_minutes: int | None = None
    features: Sequence[str] = ()
    sort_order: int = 0
    trial_days: int = 0
    is_public: bool = True
    feature_flags: Mapping[str, Any] = field(default_factory=dict)

    def as_fields(self) -> dict[str, Any]:
        """The plan as plain values for a `SubscriptionPlan` row; lazy texts in the site's own language."""
        with translation.override(django_settings.LANGUAGE_CODE):
            return {
                **{option.name: getattr(self, option.name) for option in fields(self)},
                "name": str(self.name),
                "description": str(self.description),
                "features": [str(line) for line in self.features],
                "feature_flags": dict(self.feature_flags),
            }


SEED_PLANS: Mapping[str, Mapping[str, Any]] = {
    "free": {
        "name": "Free",
        "description": gettext_noop("To try it out."),
        "video_limit": 3,
        "transcription_limit_minutes": 30,
    },
    "standard": {
        "name": "Standard",
        "description": gettext_noop("For people who publish every week."),
        "price_cents": 1200,
        "video_limit": 50,
        "transcription_limit_minutes": 300,
        "sort_order": 1,
    },
    "premium": {
        "name": "Premium",
        "description": gettext_noop("For teams and archives."),
        "price_cents": 4900,
        "transcription_limit_minutes": 1000,
        "sort_order": 2,
    },
}


@dataclass(frozen=True, slots=True)
class BillingSettings:
    """Every key of `VIDEOQ_BILLING`, each with its default. docs/settings.md says what each one does."""

    PLANS: Mapping[str, PlanSettings]
    DEFAULT_PLAN: str = "free"
    AUTO_ASSIGN_DEFAULT_PLAN: bool = True
    USAGE_STORE: str = "database"
    USAGE_REDIS_ALIAS: str = "default"
    USAGE_REDIS_FACTORY: str = ""
    USAGE_REDIS_PREFIX: str = "vqb"
    USAGE_REDIS_AWAY: Literal["database", "refuse"] = "database"
    USAGE_DURABILITY: Literal["async", "sync"] = "async"
    USAGE_ENTITLEMENT_SECONDS: int = 900
    RECOUNT: Mapping[str, str] = field(default_factory=dict)
    RESERVATION_SECONDS: int = 3600
    QUOTA_EXCEEDED_STATUS: int = 403
    UPGRADE_URL: str = ""
    WARNING_THRESHOLDS: tuple[int, ...] = (80, 90, 100)
    GRACE_PERIOD_DAYS: int = 3
    TRANSCRIPTION_COST_PER_SECOND: Decimal = Decimal("0.0001")
    TRANSCRIPTION_COST_BY_MODEL: Mapping[str, Decimal] = field(default_factory=dict)
    ALLOWED_REDIRECT_HOSTS: tuple[str, ...] = ()
    HEALTH_TOKEN: str = field(default="", repr=False)
    THROTTLE_RATES: Mapping[str, str | None] = field(default_factory=lambda: dict(DEFAULT_RATES))
    STRIPE_SECRET_KEY: str = field(default="", repr=False)
    STRIPE_WEBHOOK_SECRET: str | tuple[str, ...] = field(default="", repr=False)
    STRIPE_API_BASE: str = ""
    STRIPE_TIMEOUT_SECONDS: int = 20
    STRIPE_MAX_NETWORK_RETRIES: int = 2
    CHECKOUT_SUCCESS_URL: str = "/"
    CHECKOUT_CANCEL_URL: str = "/"
    CHECKOUT_PAYMENT_METHOD_TYPES: tuple[str, ...] = ()
    CHECKOUT_PROMOTION_CODES: bool = False
    CHECKOUT_AUTOMATIC_TAX: bool = False
    CHECKOUT_LOCALE: str = "auto"
    CANCEL_ON_USER_DELETE: bool = True
    WEBHOOK_PROCESSING: Literal["inline", "worker", "celery"] = "inline"
    WEBHOOK_TOLERANCE_SECONDS: int = 300
    WEBHOOK_MAX_BYTES: int = 1_000_000
    WEBHOOK_RETRY_MINUTES: tuple[int, ...] = (1, 5, 15, 60)
    WEBHOOK_LEASE_SECONDS: int = 300
    WEBHOOK_RETENTION_DAYS: int = 90
    USAGE_RETENTION_MONTHS: int = 24
    EMAIL_FROM: str = ""
    EMAIL_SENDING: Literal["inline", "worker", "celery"] = "inline"
    EMAILS: Mapping[str, bool] = field(default_factory=lambda: dict(ALL_EMAILS))
    SITE_URL: str = ""
    SITE_NAME: str = ""
    BILLING_URL: str = ""
    BASE_TEMPLATE: str = ""
    NO_SCRIPT_URL: str = ""
    USER_LANGUAGE: str = ""
    PAYMENT_REMINDER_DAYS: tuple[int, ...] = (1, 2)
    TRIAL_ENDING_DAYS: int = 3

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """Every secret that is valid now: two while one is being rotated."""
        given = self.STRIPE_WEBHOOK_SECRET
        return tuple(filter(None, (given,) if isinstance(given, str) else given))


@cache
def get_settings() -> BillingSettings:
    """Return the validated settings; raises ImproperlyConfigured. Cached until the Django setting changes."""
    given = getattr(django_settings, SETTING, {})
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(f"{SETTING} must be a dict of options, not {shown(given)}.")
    values, problems = _read_options(given, BillingSettings, SETTING_RULES, SETTING)
    plans, plan_problems = _read_plans(given.get("PLANS", SEED_PLANS), f"{SETTING}['PLANS']")
    problems += plan_problems
    if not problems:
        problems = _default_plan_problems(plans, values.get("DEFAULT_PLAN", "free"))
    if problems:
        raise ImproperlyConfigured("\n".join(problems))
    return BillingSettings(**{**values, "PLANS": plans})


def _forget(*, setting: str, **kwargs: object) -> None:
    if setting == SETTING:
        get_settings.cache_clear()


setting_changed.connect(_forget, dispatch_uid="videoq_billing.settings")


def _read_options(
    given: Mapping[str, Any], target: type, rules: Mapping[str, Rule], where: str
) -> tuple[dict[str, Any], list[str]]:
    """Read the keys that have a rule; name those that are unknown or wrong."""
    names = [option.name for option in fields(target) if option.name != "slug"]
    values: dict[str, Any] = {}
    problems: list[str] = []
    for key, value in given.items():
        if key not in names:
            close = difflib.get_close_matches(str(key), names, n=1)
            close = close or [name for name in names if name.lower() == str(key).lower()]
            hint = f"Did you mean {close[0]!r}?" if close else f"Known keys: {', '.join(names)}."
            problems.append(f"{where} has no key {key!r}. {hint}")
        elif key in rules and not rules[key].accepts(value):
            value_shown = "what it is" if rules[key].secret else shown(value)
            problems.append(f"{where}[{key!r}] must be {rules[key].expected}, not {value_shown}.")
        elif key in rules:
            values[key] = rules[key].read(value)
    return values, problems


def _read_plans(given: object, where: str) -> tuple[dict[str, PlanSettings], list[str]]:
    """Read a mapping of slug to plan; also accepts a list of plans that name their slug themselves."""
    entries: list[tuple[Any, Any]] = []
    if isinstance(given, list | tuple) and all(isinstance(plan, Mapping) for plan in given):
        entries = [(plan.get("slug"), {k: v for k, v in plan.items() if k != "slug"}) for plan in given]
    elif isinstance(given, Mapping):
        entries = list(given.items())
    if not entries:
        return {}, [f"{where} must be a dict from slug to plan with at least one, not {shown(given)}."]
    plans: dict[str, PlanSettings] = {}
    problems: list[str] = []
    for slug, options in entries:
        plan, found = _read_plan(slug, options, where)
        if plan:
            found += [
                f"{where} has two plans with {twin}; rename one." for twin in _twins(plan, plans.values())
            ]
            plans[plan.slug] = plan
        problems += found
    return plans, problems


def _read_plan(slug: object, options: object, where: str) -> tuple[PlanSettings | None, list[str]]:
    if not isinstance(slug, str) or not matches(r"[-a-zA-Z0-9_]{1,50}")(slug):
        return None, [
            f"{where}: {shown(slug)} is no slug; use a text of up to 50 letters, digits, '-' and '_'."
        ]
    where = f"{where}[{slug!r}]"
    if not isinstance(options, Mapping):
        return None, [f"{where} must be a dict of options, not {shown(options)}."]
    values, problems = _read_options(options, PlanSettings, PLAN_RULES, where)
    if "name" not in options:
        problems.append(f"{where} needs a 'name': {PLAN_RULES['name'].expected}.")
    if problems:
        return None, problems
    plan = PlanSettings(slug=slug, **values)
    if plan.price_cents and plan.video_limit is None and plan.transcription_limit_minutes is None:
        problems = [
            f"{where} costs money and limits nothing; set video_limit or transcription_limit_minutes."
        ]
    return plan, problems


def _twins(plan: PlanSettings, others: Iterable[PlanSettings]) -> list[str]:
    slugs = {other.slug.lower() for other in others}
    names = {str(other.name).casefold() for other in others}
    same_slug = [f"the slug {plan.slug!r} (letter case does not count)"] if plan.slug.lower() in slugs else []
    return same_slug + ([f"the name {str(plan.name)!r}"] if str(plan.name).casefold() in names else [])


def _default_plan_problems(plans: Mapping[str, PlanSettings], default: str) -> list[str]:
    where = f"{SETTING}['DEFAULT_PLAN'] is {default!r}"
    free = sorted(slug for slug, plan in plans.items() if not plan.price_cents)
    advice = f"use one of {free}" if free else "add one with price_cents 0 to PLANS"
    if default not in plans:
        return [f"{where}, which PLANS lacks; {advice}."]
    if plans[default].price_cents:
        return [f"{where}, which costs money, and everybody gets it unasked; {advice}."]
    return []
