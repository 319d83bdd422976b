"""Stripe's parameters: bracket syntax decoded, then checked against a declaration.

A declaration is a dict of field name to `Field`; what it does not name is refused as Stripe refuses it. An empty
string unsets a field that is `clearable` (its value is then None) and is an error elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django_videoq_billing.sandbox.errors import StripeError

Params = dict[str, Any]
KEY = re.compile(r"\[([^\]]*)\]")
AN_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
CURRENCIES = (
    "aed", "afn", "all", "amd", "ang", "aoa", "ars", "aud", "awg", "azn", "bam", "bbd", "bdt", "bgn", "bhd", "bif",
    "bmd", "bnd", "bob", "brl", "bsd", "bwp", "byn", "bzd", "cad", "cdf", "chf", "clp", "cny", "cop", "crc", "cve",
    "czk", "djf", "dkk", "dop", "dzd", "egp", "etb", "eur", "fjd", "fkp", "gbp", "gel", "gip", "gmd", "gnf", "gtq",
    "gyd", "hkd", "hnl", "htg", "huf", "idr", "ils", "inr", "isk", "jmd", "jod", "jpy", "kes", "kgs", "khr", "kmf",
    "krw", "kwd", "kyd", "kzt", "lak", "lbp", "lkr", "lrd", "lsl", "mad", "mdl", "mga", "mkd", "mmk", "mnt", "mop",
    "mro", "mur", "mvr", "mwk", "mxn", "myr", "mzn", "nad", "ngn", "nio", "nok", "npr", "nzd", "omr", "pab", "pen",
    "pgk", "php", "pkr", "pln", "pyg", "qar", "ron", "rsd", "rub", "rwf", "sar", "sbd", "scr", "sek", "sgd", "shp",
    "sle", "sos", "srd", "std", "svc", "szl", "thb", "tjs", "tnd", "top", "try", "ttd", "twd", "tzs", "uah", "ugx",
    "usd", "uyu", "uzs", "vnd", "vuv", "wst", "xaf", "xcd", "xof", "xpf", "yer", "zar", "zmw",
)  # fmt: skip


def decode(pairs: Iterable[tuple[str, str]]) -> Params:
    """`items[0][price]=x` becomes {"items": {"0": {"price": "x"}}}; `expand[]=y` becomes {"expand": {"0": "y"}}."""
    result: Params = {}
    for key, value in pairs:
        head = key.split("[", 1)[0]
        path = [head, *KEY.findall(key[len(head) :])]
        node = result
        for name in path[:-1]:
            if not isinstance(node.get(name), dict):
                node[name] = {}
            node = node[name]
        node[path[-1] or str(len(node))] = value
    return result


@dataclass(frozen=True, kw_only=True)
class Field:
    required: bool = False
    clearable: bool = False

    def parse(self, value: Any, param: str) -> Any:
        if value == "":
            if self.clearable:
                return None
            raise StripeError.empty(param)
        return self.convert(value, param)

    def convert(self, value: Any, param: str) -> Any:
        """Return the value as this kind of parameter means it; each kind below brings its own."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Text(Field):
    longest: int = 5000

    def convert(self, value: Any, param: str) -> str:
        if not isinstance(value, str):
            raise StripeError("Invalid string: must be a string", param=param)
        if len(value) > self.longest:
            raise StripeError(
                f"Invalid string: {value[:10]}...; must be at most {self.longest} characters",
                code="parameter_invalid_string_too_long" if self.longest != 5000 else None,
                param=param,
            )
        return value


@dataclass(frozen=True, kw_only=True)
class Currency(Field):
    """Three letters; Stripe answers in lower case."""

    def convert(self, value: Any, param: str) -> str:
        if not isinstance(value, str) or value.lower() not in CURRENCIES:
            raise StripeError(
                f"Invalid currency: {value}. Stripe currently supports these currencies: "
                f"{', '.join(CURRENCIES)}",
                param=param,
            )
        return value.lower()


@dataclass(frozen=True, kw_only=True)
class Email(Field):
    clearable: bool = True

    def convert(self, value: Any, param: str) -> str:
        if not isinstance(value, str) or not AN_ADDRESS.fullmatch(value):
            raise StripeError(f"Invalid email address: {value}", code="email_invalid", param=param)
        return value


@dataclass(frozen=True, kw_only=True)
class Whole(Field):
    least: int | None = None
    most: int | None = None

    def convert(self, value: Any, param: str) -> int:
        try:
            number = int(value)
        except (TypeError, ValueError):
            raise StripeError(
                f"Invalid integer: {value}", code="parameter_invalid_integer", param=param
            ) from None
        if self.least is not None and number < self.least:
            raise StripeError(
                f"This value must be greater than or equal to {self.least}.",
                code="parameter_invalid_integer",
                param=param,
            )
        if self.most is not None and number > self.most:
            raise StripeError(
                f"This value must be less than or equal to {self.most}.",
                code="parameter_invalid_integer",
                param=param,
            )
        return number


@dataclass(frozen=True, kw_only=True)
class Fraction(Field):
    def convert(self, value: Any, param: str) -> Decimal:
        try:
            return Decimal(value)
        except (InvalidOperation, TypeError, ValueError):
            raise StripeError(f"Invalid decimal: {value}", param=param) from None


@dataclass(frozen=True, kw_only=True)
class Flag(Field):
    def convert(self, value: Any, param: str) -> bool:
        if value not in {"true", "false"}:
            raise StripeError(f"Invalid boolean: {value}", param=param)
        return bool(value == "true")


@dataclass(frozen=True)
class Choice(Field):
    options: tuple[str, ...]

    def convert(self, value: Any, param: str) -> str:
        if value not in self.options:
            known = (
                ", ".join(self.options[:-1]) + f"{' or ' if len(self.options) > 1 else ''}{self.options[-1]}"
            )
            raise StripeError(f"Invalid {param}: must be one of {known}", param=param)
        return str(value)


@dataclass(frozen=True, kw_only=True)
class Metadata(Field):
    clearable: bool = True

    def convert(self, value: Any, param: str) -> dict[str, str]:
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            raise StripeError("Invalid hash", param=param)
        if len(value) > 50 or any(len(key) > 40 or len(item) > 500 for key, item in value.items()):
            raise StripeError(
                "Metadata can have up to 50 keys of up to 40 characters, with values of up to 500 characters.",
                param=param,
            )
        return value


@dataclass(frozen=True)
class Hash(Field):
    fields: Mapping[str, Field]

    def convert(self, value: Any, param: str) -> Params:
        if not isinstance(value, dict):
            raise StripeError("Invalid hash", param=param)
        return parse(self.fields, value, param)


@dataclass(frozen=True)
class Many(Field):
    of: Field

    def convert(self, value: Any, param: str) -> list[Any]:
        if not isinstance(value, dict):
            raise StripeError("Invalid array", param=param)
        return [self.of.parse(item, f"{param}[{index}]") for index, item in value.items()]


@dataclass(frozen=True)
class Either(Field):
    """The first form that takes the value; the last one's error if none does."""

    forms: tuple[Field, ...]

    def convert(self, value: Any, param: str) -> Any:
        for form in self.forms[:-1]:
            try:
                return form.parse(value, param)
            except StripeError:
                continue
        return self.forms[-1].parse(value, param)


Fields = Mapping[str, Field]


def parse(fields: Fields, values: Mapping[str, Any], within: str = "") -> Params:
    def name(key: str) -> str:
        return f"{within}[{key}]" if within else key

    for key in values:
        if key not in fields:
            raise StripeError.unknown(name(key))
    for key, field in fields.items():
        if field.required and key not in values:
            raise StripeError.required(name(key))
    return {key: fields[key].parse(value, name(key)) for key, value in values.items()}


def merged_metadata(current: dict[str, str] | None, given: dict[str, str] | None) -> dict[str, str]:
    """Stripe's rule: keys are merged, an empty value deletes its key, an empty string for the whole clears all."""
    if given is None:
        return {}
    merged = {**(current or {}), **given}
    return {key: value for key, value in merged.items() if value != ""}


TEXT = Text()
CLEARABLE_TEXT = Text(clearable=True)
EMAIL = Email()
FLAG = Flag()
WHOLE = Whole()
NATURAL = Whole(least=0)
MOMENT = Whole(least=0)
METADATA = Metadata()
EXPAND = Many(TEXT)
RANGE = Either((MOMENT, Hash({"gt": MOMENT, "gte": MOMENT, "lt": MOMENT, "lte": MOMENT})))
PAGING: Fields = {
    "limit": Whole(least=1, most=100),
    "starting_after": TEXT,
    "ending_before": TEXT,
    "expand": EXPAND,
}
