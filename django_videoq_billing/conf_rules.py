"""What a value of a setting must be: in words for the error message, and as a test. See conf.py."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from babel.numbers import is_currency
from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value must be, in words, and the test for it; `read` brings it into its final type."""

    expected: str
    accepts: Callable[[Any], bool]
    read: Callable[[Any], Any] = lambda value: value
    secret: bool = False


def is_int(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def whole(low: int, high: int, unit: str = "") -> Rule:
    return Rule(f"a whole number{unit} from {low} to {high}", lambda value: is_int(value, low, high))


def limit(high: int, unit: str) -> Rule:
    return Rule(
        f"a whole number{unit} from 0 to {high}, or None for unlimited",
        lambda value: value is None or is_int(value, 0, high),
    )


def is_text(value: object) -> bool:
    return isinstance(value, str | Promise)


def is_name(value: object) -> bool:
    return is_text(value) and 1 <= len(str(value).strip()) <= len(str(value)) <= 100


def is_list_of(value: object, accepts: Callable[[Any], bool]) -> bool:
    return isinstance(value, list | tuple) and all(accepts(item) for item in value)


def matches(pattern: str) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII) is not None


def is_link(value: object) -> bool:
    """A path, a web address or the name of a URL pattern; nothing that a browser reads as something else."""
    if not isinstance(value, str) or re.search(r"[\\\s\x00-\x1f]", value):
        return False
    if re.match(r"https?:", value, re.IGNORECASE):
        return _is_web_address(value)
    return re.fullmatch(r"|/([^/].*)?|[\w-]+(:[\w-]+)*", value) is not None


def _is_web_address(value: str) -> bool:
    try:
        return value.lower().startswith(("http://", "https://")) and bool(urlsplit(value).hostname)
    except ValueError:
        return False


def is_base_address(value: object) -> bool:
    return value == "" or (isinstance(value, str) and _is_web_address(value) and not value.endswith("/"))


def is_secret(value: object) -> bool:
    return isinstance(value, str) and re.search(r"\s", value) is None


COST_DECIMALS = 8
"""As many as a job's cost is stored with, so that none is ever rounded: 15 digits are what SQLite keeps."""


def is_cost(value: object) -> bool:
    if not isinstance(value, Decimal | str | int) or isinstance(value, bool):
        return False
    try:
        cost = Decimal(value)
        return 0 <= cost <= 1 and cost == round(cost, COST_DECIMALS)
    except InvalidOperation:  # no number, or NaN, which has no order
        return False


def _is_costs(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(model, str) and 1 <= len(model) <= 50 and is_cost(cost) for model, cost in value.items()
    )


def is_json_object(value: object) -> bool:
    """Whether it comes back from the database as it went in, so that `seed_plans` finds it unchanged."""
    try:
        return isinstance(value, dict) and json.loads(json.dumps(value, allow_nan=False)) == value
    except (TypeError, ValueError, RecursionError):
        return False


def shown(value: object) -> str:
    return "a lazy value" if isinstance(value, Promise) else f"{value!r:.80}"  # repr() would evaluate it


DEFAULT_RATES: Mapping[str, str | None] = {"plans": "60/min", "read": "120/min", "write": "20/min"}

ALL_EMAILS: Mapping[str, bool] = dict.fromkeys(
    (
        "upgrade_confirmed",
        "downgrade_scheduled",
        "downgrade_done",
        "cancellation_scheduled",
        "cancellation_done",
        "reactivated",
        "payment_failed",
        "payment_authentication",
        "grace_ended",
        "trial_ending",
        "refund",
        "usage_warning",
    ),
    True,
)
"""The kinds of e-mails (`Notification.Kind`), each sent unless it is switched off."""


def _is_switches(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        kind in ALL_EMAILS and isinstance(wanted, bool) for kind, wanted in value.items()
    )


def _is_rates(value: object) -> bool:
    is_rate = matches(r"[1-9][0-9]*/(s|sec|second|m|min|minute|h|hour|d|day)")
    return isinstance(value, Mapping) and all(
        scope in DEFAULT_RATES and (rate is None or is_rate(rate)) for scope, rate in value.items()
    )


_DOTTED_PATH = r"[^\W\d]\w*(\.[^\W\d]\w*)+"

_BOOL = Rule("True or False", lambda value: isinstance(value, bool))

_LINK = Rule(
    "a path such as '/billing/', an http(s) URL, or the name of a URL pattern such as 'plans'", is_link
)

_COST = (
    f"Decimal (or its text) from 0 to 1 with at most {COST_DECIMALS} decimals, such as Decimal('0.0001'); "
    "a float is not exact"
)

_WHERE = Rule("'inline', 'worker' or 'celery'", lambda value: value in ("inline", "worker", "celery"))

_WAY_BACK = Rule(_LINK.expected, lambda value: value != "" and is_link(value))

SETTING_RULES: dict[str, Rule] = {
    "DEFAULT_PLAN": Rule("the slug of one of PLANS", lambda value: isinstance(value, str)),
    "AUTO_ASSIGN_DEFAULT_PLAN": _BOOL,
    "USAGE_STORE": Rule(
        "'database', 'redis' or the dotted path of a UsageStore class",
        matches(rf"database|redis|{_DOTTED_PATH}"),
    ),
    "USAGE_REDIS_ALIAS": Rule("the alias of a django-redis cache in CACHES", matches(r".+")),
    "USAGE_REDIS_FACTORY": Rule(
        "the dotted path of a function that returns a Redis client, or ''", matches(rf"|{_DOTTED_PATH}")
    ),
    "USAGE_REDIS_PREFIX": Rule("1 to 20 letters, digits, '-' and '_'", matches(r"[\w-]{1,20}")),
    "USAGE_REDIS_AWAY": Rule("'database' or 'refuse'", lambda value: value in ("database", "refuse")),
    "USAGE_DURABILITY": Rule("'async' or 'sync'", lambda value: value in ("async", "sync")),
    "USAGE_ENTITLEMENT_SECONDS": whole(1, 86400, " of seconds"),
    "RECOUNT": Rule(
        "a dict from 'video' or 'transcription' to the dotted path of a function (user, period) -> int",
        lambda value: (
            isinstance(value, Mapping)
            and all(
                key in ("video", "transcription") and matches(_DOTTED_PATH)(path)
                for key, path in value.items()
            )
        ),
        dict,
    ),
    "RESERVATION_SECONDS": whole(1, 30 * 86400, " of seconds"),
    "QUOTA_EXCEEDED_STATUS": whole(400, 499),
    "UPGRADE_URL": _LINK,
    "WARNING_THRESHOLDS": Rule(
        "a list of rising whole percentages from 1 to 100",
        lambda value: is_list_of(value, whole(1, 100).accepts) and list(value) == sorted(set(value)),
        tuple,
    ),
    "GRACE_PERIOD_DAYS": whole(0, 365, " of days"),
    "TRANSCRIPTION_COST_PER_SECOND": Rule(f"a {_COST}", is_cost, Decimal),
    "TRANSCRIPTION_COST_BY_MODEL": Rule(
        f"a dict from a model's name to a {_COST}",
        _is_costs,
        lambda value: {model: Decimal(cost) for model, cost in value.items()},
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
    "HEALTH_TOKEN": Rule(
        "a text of 20 to 200 letters, digits and '-._~+/=', or '' for none",
        matches(r"|[\w\-.~+/=]{20,200}"),
        secret=True,
    ),
    "STRIPE_SECRET_KEY": Rule(
        "a secret or restricted key of Stripe ('sk_...' or 'rk_...')", matches(r"|(sk|rk)_\w+"), secret=True
    ),
    "STRIPE_WEBHOOK_SECRET": Rule(
        "the signing secret of the webhook endpoint ('whsec_...'), or a list while it is rotated",
        lambda value: is_secret(value) or is_list_of(value, is_secret),
        lambda value: value if isinstance(value, str) else tuple(value),
        secret=True,
    ),
    "STRIPE_API_BASE": Rule("a web address such as 'http://127.0.0.1:12111', or ''", is_base_address),
    "STRIPE_TIMEOUT_SECONDS": whole(1, 80, " of seconds"),
    "STRIPE_MAX_NETWORK_RETRIES": whole(0, 5),
    "CHECKOUT_SUCCESS_URL": _WAY_BACK,
    "CHECKOUT_CANCEL_URL": _WAY_BACK,
    "CHECKOUT_PAYMENT_METHOD_TYPES": Rule(
        "a list of Stripe's payment method types such as 'card'; empty for those chosen in the dashboard",
        lambda value: is_list_of(value, matches(r"[a-z_]+")),
        tuple,
    ),
    "CHECKOUT_PROMOTION_CODES": _BOOL,
    "CHECKOUT_AUTOMATIC_TAX": _BOOL,
    "CHECKOUT_LOCALE": Rule("'auto' or a locale of Stripe Checkout such as 'ja'", matches(r"[a-zA-Z-]{2,7}")),
    "CANCEL_ON_USER_DELETE": _BOOL,
    "WEBHOOK_PROCESSING": _WHERE,
    "WEBHOOK_TOLERANCE_SECONDS": whole(1, 3600, " of seconds"),
    "WEBHOOK_MAX_BYTES": whole(1000, 10**8, " of bytes"),
    "WEBHOOK_RETRY_MINUTES": Rule(
        "a list of whole minutes from 1; the last one repeats",
        lambda value: bool(value) and is_list_of(value, whole(1, 10080).accepts),
        tuple,
    ),
    "WEBHOOK_LEASE_SECONDS": whole(10, 86400, " of seconds"),
    "WEBHOOK_RETENTION_DAYS": whole(30, 3650, " of days"),
    "USAGE_RETENTION_MONTHS": whole(12, 600, " of months"),
    "EMAIL_FROM": Rule(
        "an address such as 'Billing <billing@example.com>', or '' for DEFAULT_FROM_EMAIL",
        matches(r"|[^\r\n]*[^\s@<>]+@[^\s@<>]+>?"),
    ),
    "EMAIL_SENDING": _WHERE,
    "EMAILS": Rule(
        f"a dict from {', '.join(ALL_EMAILS)} to True or False",
        _is_switches,
        lambda value: {**ALL_EMAILS, **value},
    ),
    "SITE_URL": Rule("a web address such as 'https://example.com', or ''", is_base_address),
    "SITE_NAME": Rule(
        "a text of up to 100 characters", lambda value: is_text(value) and len(str(value)) <= 100
    ),
    "BILLING_URL": _LINK,
    "BASE_TEMPLATE": Rule("the name of a template such as 'base.html', or ''", matches(r"\S*")),
    "NO_SCRIPT_URL": _LINK,
    "USER_LANGUAGE": Rule(
        "the dotted path of a function (user) -> language code, or ''", matches(rf"|{_DOTTED_PATH}")
    ),
    "PAYMENT_REMINDER_DAYS": Rule(
        "a list of rising whole days from 1 to 365",
        lambda value: is_list_of(value, whole(1, 365).accepts) and list(value) == sorted(set(value)),
        tuple,
    ),
    "TRIAL_ENDING_DAYS": whole(1, 30, " of days"),
}

PLAN_RULES: dict[str, Rule] = {
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
