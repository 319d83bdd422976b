"""The declarative heart of the API: an endpoint is a method, a path, the parameters it takes and a function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.params import EXPAND, PAGING, RANGE, Fields, Params
from django_videoq_billing.sandbox.store import Record

Matcher = Callable[[Record, Any], bool]


@dataclass(frozen=True)
class Call:
    """One request, its parameters already checked."""

    box: Sandbox
    params: Params
    path: Mapping[str, str]

    def the(self, kind: str, noun: str, name: str = "id") -> Record:
        """The record that the path names; 404 where there is none."""
        found = self.box.store.get(kind, self.path[name])
        if found is None:
            raise StripeError.missing(noun, self.path[name], name)
        return found

    def named(self, kind: str, noun: str, param: str) -> Record | None:
        """The record that a parameter names, if it was given; 400 where there is none."""
        key = self.params.get(param)
        if key is None:
            return None
        found = self.box.store.get(kind, key)
        if found is None or found.get("deleted"):
            raise StripeError.missing(noun, key, param, status=400)
        return found


class Listing(NamedTuple):
    """Records in the order in which they are shown; the dispatcher cuts the page."""

    records: list[Record]
    url: str


Handler = Callable[[Call], Record | Listing]


@dataclass(frozen=True)
class Endpoint:
    method: str
    path: str
    fields: Fields
    handler: Handler


ENDPOINTS: list[Endpoint] = []


def endpoint(method: str, path: str, fields: Fields | None = None) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        expandable: Fields = {} if method == "DELETE" else {"expand": EXPAND}
        ENDPOINTS.append(Endpoint(method, path, {**expandable, **(fields or {})}, handler))
        return handler

    return register


def within(record: Record, wanted: Any, field: str = "created") -> bool:
    """A timestamp filter: a moment or gt / gte / lt / lte."""
    value = record[field]
    if not isinstance(wanted, dict):
        return bool(value == wanted)
    return bool(
        value > wanted.get("gt", -1)
        and value >= wanted.get("gte", 0)
        and value < wanted.get("lt", float("inf"))
        and value <= wanted.get("lte", float("inf"))
    )


def chosen(records: Iterable[Record], params: Params, matchers: Mapping[str, Matcher]) -> list[Record]:
    """Newest first, those that match every filter given."""
    filters = {name: value for name, value in params.items() if name not in PAGING}

    def fits(record: Record) -> bool:
        return not record.get("deleted") and all(
            matchers[name](record, value) if name in matchers else record.get(name) == value
            for name, value in filters.items()
        )

    return [record for record in reversed(list(records)) if fits(record)]


def readable(
    path: str,
    kind: str,
    noun: str,
    filters: Fields | None = None,
    matchers: Mapping[str, Matcher] | None = None,
) -> None:
    """Register the list and the retrieval of a kind; filters compare fields unless a matcher says otherwise."""
    known = {"created": within, **(matchers or {})}

    @endpoint("GET", path, {**PAGING, **(filters or {})})
    def listed(call: Call) -> Listing:
        return Listing(chosen(call.box.store.all(kind), call.params, known), path)

    @endpoint("GET", f"{path}/{{id}}")
    def retrieved(call: Call) -> Record:
        return call.the(kind, noun)


CREATED: Fields = {"created": RANGE}
