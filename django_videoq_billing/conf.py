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

from babel.numbers import is_currency
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils import translation
from django.utils.translation import gettext_noop

from django_videoq_billing.conf_rules import (
    Rule,
    is_cost,
    is_json_object,
    is_link,
    is_list_of,
    is_name,
    is_text,
    limit,
    matches,
    shown,
    whole,
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

DEFAULT_RATES: Mapping[str, str | None] = {"plans": "60/min", "read": "120/min", "write": "20/min"}


@dataclass(frozen=True, slots=True)
class BillingSettings:
    """Every key of `VIDEOQ_BILLING`, each with its default. docs/settings.md says what each one does."""

    PLANS: Mapping[str, PlanSettings]
    DEFAULT_PLAN: str = "free"
    AUTO_ASSIGN_DEFAULT_PLAN: bool = True
    USAGE_STORE: str = "database"
    RESERVATION_SECONDS: int = 3600
    QUOTA_EXCEEDED_STATUS: int = 403
    UPGRADE_URL: str = ""
    WARNING_THRESHOLDS: tuple[int, ...] = (80, 90, 100)
    GRACE_PERIOD_DAYS: int = 3
    TRANSCRIPTION_COST_PER_SECOND: Decimal = Decimal("0.0001")
    ALLOWED_REDIRECT_HOSTS: tuple[str, ...] = ()
    THROTTLE_RATES: Mapping[str, str | None] = field(default_factory=lambda: dict(DEFAULT_RATES))


@cache
def get_settings() -> BillingSettings:
    """Return the validated settings; raises ImproperlyConfigured. Cached until the Django setting changes."""
    given = getattr(django_settings, SETTING, {})
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(f"{SETTING} must be a dict of options, not {shown(given)}.")
    values, problems = _read_options(given, BillingSettings, _SETTING_RULES, SETTING)
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


def _is_rates(value: object) -> bool:
    is_rate = matches(r"[1-9][0-9]*/(s|sec|second|m|min|minute|h|hour|d|day)")
    return isinstance(value, Mapping) and all(
        scope in DEFAULT_RATES and (rate is None or is_rate(rate)) for scope, rate in value.items()
    )


_BOOL = Rule("True or False", lambda value: isinstance(value, bool))

_SETTING_RULES: dict[str, Rule] = {
    "DEFAULT_PLAN": Rule("the slug of one of PLANS", lambda value: isinstance(value, str)),
    "AUTO_ASSIGN_DEFAULT_PLAN": _BOOL,
    "USAGE_STORE": Rule(
        "'database' or the dotted path of a UsageStore class", matches(r"database|[^\W\d]\w*(\.[^\W\d]\w*)+")
    ),
    "RESERVATION_SECONDS": whole(1, 30 * 86400, " of seconds"),
    "QUOTA_EXCEEDED_STATUS": whole(400, 499),
    "UPGRADE_URL": Rule(
        "a path such as '/billing/', an http(s) URL, or the name of a URL pattern such as 'plans'", is_link
    ),
    "WARNING_THRESHOLDS": Rule(
        "a list of rising whole percentages from 1 to 100",
        lambda value: is_list_of(value, whole(1, 100).accepts) and list(value) == sorted(set(value)),
        tuple,
    ),
    "GRACE_PERIOD_DAYS": whole(0, 365, " of days"),
    "TRANSCRIPTION_COST_PER_SECOND": Rule(
        "a Decimal (or its text) from 0 to 1, such as Decimal('0.0001'); a float is not exact",
        is_cost,
        Decimal,
    ),
    "ALLOWED_REDIRECT_HOSTS": Rule(
        "a list of host names such as 'app.example.com' or 'localhost:3000', without scheme or path",
        lambda value: is_list_of(value, matches(r"\.?[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)*(:[0-9]{1,5})?")),
        lambda value: tuple(host.lower() for host in value),
    ),
    "THROTTLE_RATES": Rule(
        f"a dict from {', '.join(DEFAULT_RATES)} to a rate such as '60/min' (sec, min, hour or day), "
        "or None for no throttle",
        _is_rates,
        lambda value: {**DEFAULT_RATES, **value},
    ),
}

_PLAN_RULES: dict[str, Rule] = {
    "name": Rule("a text of 1 to 100 characters", is_name),
    "description": Rule("a text", is_text),
    "price_cents": whole(0, 10**8, " of the currency's minor unit (1200 is 12.00 USD)"),
    "currency": Rule(
        "an ISO 4217 code such as 'USD'", lambda value: matches(r"[A-Z]{3}")(value) and is_currency(value)
    ),
    "interval": Rule("'month' or 'year'", lambda value: value in ("month", "year")),
    "video_limit": limit(10**9, ""),
    "transcription_limit_minutes": limit(10**7, " of minutes"),
    "features": Rule("a list of texts", lambda value: is_list_of(value, is_text), tuple),
    "sort_order": whole(-(10**6), 10**6),
    "trial_days": whole(0, 730, " of days"),
    "is_public": _BOOL,
    "feature_flags": Rule("a dict of JSON values: keys are texts, lists are no tuples", is_json_object),
}


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
            problems.append(f"{where}[{key!r}] must be {rules[key].expected}, not {shown(value)}.")
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
    values, problems = _read_options(options, PlanSettings, _PLAN_RULES, where)
    if "name" not in options:
        problems.append(f"{where} needs a 'name': {_PLAN_RULES['name'].expected}.")
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
