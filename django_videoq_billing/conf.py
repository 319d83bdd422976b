"""`settings.VIDEOQ_BILLING` as one frozen, typed object.

Nothing is read at import: call `get_settings()` where a setting is needed. A value that cannot be right
raises ImproperlyConfigured at start, with every problem listed and what to write instead.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Literal

from babel.numbers import is_currency
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.functional import Promise

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
        """The plan as plain values for a `SubscriptionPlan` row."""
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
        "description": "To try it out.",
        "video_limit": 3,
        "transcription_limit_minutes": 30,
        "sort_order": 0,
    },
    "standard": {
        "name": "Standard",
        "description": "For people who publish every week.",
        "price_cents": 1200,
        "video_limit": 50,
        "transcription_limit_minutes": 300,
        "sort_order": 1,
    },
    "premium": {
        "name": "Premium",
        "description": "For teams and archives.",
        "price_cents": 4900,
        "video_limit": None,
        "transcription_limit_minutes": 1000,
        "sort_order": 2,
    },
}

THROTTLE_SCOPES = ("plans", "read", "write")


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
    THROTTLE_RATES: Mapping[str, str | None] = field(
        default_factory=lambda: {"plans": "60/min", "read": "120/min", "write": "20/min"}
    )


@cache
def get_settings() -> BillingSettings:
    """Return the validated settings; raises ImproperlyConfigured. Cached until the Django setting changes."""
    given = getattr(django_settings, SETTING, {})
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(f"{SETTING} must be a dict of options, not {given!r:.80}.")
    values, problems = _read_fields(given, BillingSettings, _SETTING_RULES, SETTING)
    plans, plan_problems = _read_plans(given.get("PLANS", SEED_PLANS))
    problems += plan_problems
    if not plan_problems and "DEFAULT_PLAN" not in {problem.key for problem in problems}:
        problems += _default_plan_problems(plans, values.get("DEFAULT_PLAN", "free"))
    if problems:
        raise ImproperlyConfigured("\n".join(str(problem) for problem in problems))
    return BillingSettings(**{**values, "PLANS": plans})


@dataclass(frozen=True, slots=True)
class _Problem:
    key: str
    sentence: str

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a value must be, in words, and the test for it; `read` brings it into its final type."""

    expected: str
    accepts: Callable[[Any], bool]
    read: Callable[[Any], Any] = lambda value: value


def _is_int(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _whole(low: int, high: int, unit: str = "") -> _Rule:
    return _Rule(f"a whole number{unit} from {low} to {high}", lambda value: _is_int(value, low, high))


def _text(value: object) -> bool:
    return isinstance(value, str | Promise)


def _is_list_of(value: object, accepts: Callable[[Any], bool]) -> bool:
    return isinstance(value, list | tuple) and all(accepts(item) for item in value)


def _is_host(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\.?[A-Za-z0-9.-]+(:\d{1,5})?", value) is not None


def _is_cost(value: object) -> bool:
    if not isinstance(value, Decimal | str | int) or isinstance(value, bool):
        return False
    try:
        return 0 <= Decimal(value) < 1000  # False for NaN, too: it compares unequal to everything
    except InvalidOperation:
        return False


def _is_rates(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        scope in THROTTLE_SCOPES
        and (rate is None or (isinstance(rate, str) and re.fullmatch(r"[1-9]\d*/(s|m|h|d)[a-z]*", rate)))
        for scope, rate in value.items()
    )


_BOOL = _Rule("True or False", lambda value: isinstance(value, bool))
_LIMIT = _Rule(
    "a whole number from 0 to 1000000000, or None for unlimited",
    lambda value: value is None or _is_int(value, 0, 10**9),
)

_SETTING_RULES: dict[str, _Rule] = {
    "DEFAULT_PLAN": _Rule("the slug of one of PLANS", lambda value: isinstance(value, str)),
    "AUTO_ASSIGN_DEFAULT_PLAN": _BOOL,
    "USAGE_STORE": _Rule(
        "'database' or the dotted path of a UsageStore class",
        lambda value: isinstance(value, str) and (value == "database" or "." in value.strip(".")),
    ),
    "RESERVATION_SECONDS": _whole(1, 30 * 86400, " of seconds"),
    "QUOTA_EXCEEDED_STATUS": _whole(400, 499),
    "UPGRADE_URL": _Rule(
        "a path such as '/billing/', an http(s) URL, or the name of a URL pattern",
        lambda value: isinstance(value, str) and re.match(r"//|[^/?#]*\\|(?!https?:)\w+:/", value) is None,
    ),
    "WARNING_THRESHOLDS": _Rule(
        "a list of rising whole percentages from 1 to 100",
        lambda value: (
            _is_list_of(value, lambda item: _is_int(item, 1, 100)) and list(value) == sorted(set(value))
        ),
        tuple,
    ),
    "GRACE_PERIOD_DAYS": _whole(0, 365, " of days"),
    "TRANSCRIPTION_COST_PER_SECOND": _Rule(
        "a Decimal (or its text) from 0 to 1000, such as Decimal('0.0001'); a float is not exact",
        _is_cost,
        Decimal,
    ),
    "ALLOWED_REDIRECT_HOSTS": _Rule(
        "a list of host names such as 'app.example.com', without scheme or path",
        lambda value: _is_list_of(value, _is_host),
        tuple,
    ),
    "THROTTLE_RATES": _Rule(
        f"a dict from {', '.join(THROTTLE_SCOPES)} to a rate such as '60/min', or None for no throttle",
        _is_rates,
    ),
}

_PLAN_RULES: dict[str, _Rule] = {
    "name": _Rule("a text of 1 to 100 characters", lambda value: _text(value) and 0 < len(str(value)) <= 100),
    "description": _Rule("a text", _text),
    "price_cents": _whole(0, 10**8, " of the currency's minor unit (1200 is 12.00 USD)"),
    "currency": _Rule(
        "an ISO 4217 code such as 'USD'",
        lambda value: isinstance(value, str) and value == value.upper() and is_currency(value),
    ),
    "interval": _Rule("'month' or 'year'", lambda value: value in ("month", "year")),
    "video_limit": _LIMIT,
    "transcription_limit_minutes": _Rule(
        "a whole number of minutes from 0 to 10000000, or None for unlimited",
        lambda value: value is None or _is_int(value, 0, 10**7),
    ),
    "features": _Rule("a list of texts", lambda value: _is_list_of(value, _text), tuple),
    "sort_order": _whole(-(10**6), 10**6),
    "trial_days": _whole(0, 730, " of days"),
    "is_public": _BOOL,
    "feature_flags": _Rule("a dict of JSON values", lambda value: isinstance(value, dict)),
}


def _read_fields(
    given: Mapping[str, Any], target: type, rules: Mapping[str, _Rule], where: str
) -> tuple[dict[str, Any], list[_Problem]]:
    """Read the keys that have a rule; name those that are unknown, wrong or missing."""
    names = [option.name for option in fields(target)]
    values: dict[str, Any] = {}
    problems: list[_Problem] = []
    for key, value in given.items():
        if key not in names:
            close = difflib.get_close_matches(str(key), names, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else f"Known keys: {', '.join(names)}."
            problems.append(_Problem(str(key), f"{where} has no key {key!r}. {hint}"))
        elif key in rules and not rules[key].accepts(value):
            problems.append(
                _Problem(key, f"{where}[{key!r}] must be {rules[key].expected}, not {value!r:.80}.")
            )
        elif key in rules:
            values[key] = rules[key].read(value)
    required = {o.name for o in fields(target) if o.default is MISSING and o.default_factory is MISSING}
    problems += [
        _Problem(name, f"{where} needs a {name!r}: {rules[name].expected}.")
        for name in names
        if name in required & rules.keys() and name not in given
    ]
    return values, problems


def _read_plans(given: object) -> tuple[dict[str, PlanSettings], list[_Problem]]:
    """Read a mapping of slug to plan; also accepts a list of plans that name their slug themselves."""
    where = f"{SETTING}['PLANS']"
    if isinstance(given, list | tuple) and all(isinstance(plan, Mapping) for plan in given):
        entries = [(plan.get("slug"), {k: v for k, v in plan.items() if k != "slug"}) for plan in given]
    elif isinstance(given, Mapping) and given:
        entries = list(given.items())
    else:
        return {}, [
            _Problem(
                "PLANS", f"{where} must be a dict from slug to plan with at least one, not {given!r:.80}."
            )
        ]
    plans: dict[str, PlanSettings] = {}
    problems: list[_Problem] = []
    for slug, options in entries:
        plan, plan_problems = _read_plan(slug, options, where)
        problems += plan_problems
        if plan is None:
            continue
        if taken := _twin(plan, plans.values()):
            problems.append(_Problem("PLANS", f"{where} has two plans with {taken}; rename one of them."))
        plans[plan.slug] = plan
    return plans, problems


def _read_plan(slug: object, options: object, where: str) -> tuple[PlanSettings | None, list[_Problem]]:
    if not isinstance(slug, str) or re.fullmatch(r"[-a-zA-Z0-9_]{1,50}", slug) is None:
        return None, [
            _Problem("PLANS", f"{where}: {slug!r:.80} is no slug; use up to 50 letters, digits, '-' and '_'.")
        ]
    if not isinstance(options, Mapping):
        return None, [_Problem("PLANS", f"{where}[{slug!r}] must be a dict of options, not {options!r:.80}.")]
    values, problems = _read_fields(options, PlanSettings, _PLAN_RULES, f"{where}[{slug!r}]")
    if problems:
        return None, problems
    plan = PlanSettings(slug=slug, **values)
    if plan.price_cents and plan.video_limit is None and plan.transcription_limit_minutes is None:
        sentence = "costs money and limits nothing; set video_limit or transcription_limit_minutes."
        return None, [_Problem("PLANS", f"{where}[{slug!r}] {sentence}")]
    return plan, []


def _twin(plan: PlanSettings, others: Any) -> str | None:
    for other in others:
        if plan.slug.lower() == other.slug.lower():
            return f"the slug {plan.slug!r} (letter case does not count)"
        if str(plan.name) == str(other.name):
            return f"the name {str(plan.name)!r}"
    return None


def _default_plan_problems(plans: Mapping[str, PlanSettings], default: str) -> list[_Problem]:
    where = f"{SETTING}['DEFAULT_PLAN']"
    if default not in plans:
        return [
            _Problem(
                "DEFAULT_PLAN", f"{where} is {default!r}, which PLANS lacks; use one of {sorted(plans)}."
            )
        ]
    if plans[default].price_cents:
        return [
            _Problem(
                "DEFAULT_PLAN",
                f"{where} is {default!r}, which costs money; everybody gets it unasked, "
                "so name a plan with price_cents 0.",
            )
        ]
    return []


def _forget(*, setting: str, **kwargs: object) -> None:
    if setting == SETTING:
        get_settings.cache_clear()


setting_changed.connect(_forget, dispatch_uid="videoq_billing.settings")
