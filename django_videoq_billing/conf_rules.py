"""What a value of a setting must be: in words for the error message, and as a test. See conf.py."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value must be, in words, and the test for it; `read` brings it into its final type."""

    expected: str
    accepts: Callable[[Any], bool]
    read: Callable[[Any], Any] = lambda value: value


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


def is_cost(value: object) -> bool:
    if not isinstance(value, Decimal | str | int) or isinstance(value, bool):
        return False
    try:
        return 0 <= Decimal(value) <= 1
    except InvalidOperation:  # no number, or NaN, which has no order
        return False


def is_json_object(value: object) -> bool:
    """Whether it comes back from the database as it went in, so that `seed_plans` finds it unchanged."""
    try:
        return isinstance(value, dict) and json.loads(json.dumps(value, allow_nan=False)) == value
    except (TypeError, ValueError, RecursionError):
        return False


def shown(value: object) -> str:
    return "a lazy value" if isinstance(value, Promise) else f"{value!r:.80}"  # repr() would evaluate it
