"""From a stored record to what the API shows: private keys left out, embedded objects put in, `expand` obeyed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.store import Record, Store

MAX_DEPTH = 4
"""A list's `data` counts too."""
AN_ID = re.compile(r"[a-z]+(_[a-z]+)*_[A-Za-z0-9]{8,}")
EMBEDDED = {"subscription_item": {"price": "price"}, "item": {"price": "price"}}
"""References that Stripe always shows in full: the object, its field, the field's kind."""

Lazy = Callable[[Store, Record], Any]
ABSENT = object()
"""What a lazy field answers where Stripe takes the expansion but has nothing to show."""
LAZY: dict[tuple[str, str], Lazy] = {}
"""Fields that exist only when a request expands them."""


def lazy(kind: str, field: str) -> Callable[[Lazy], Lazy]:
    def register(function: Lazy) -> Lazy:
        LAZY[kind, field] = function
        return function

    return register


def listing(records: Iterable[Record], url: str) -> Record:
    return {"object": "list", "data": list(records), "has_more": False, "url": url}


def render(store: Store, value: Any) -> Any:
    """A deep copy fit for the outside."""
    if isinstance(value, list):
        return [render(store, item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("deleted") is True:
        return {"id": value["id"], "object": value["object"], "deleted": True}
    shown = {key: render(store, item) for key, item in value.items() if not key.startswith("_")}
    for field, kind in EMBEDDED.get(str(shown.get("object")), {}).items():
        if isinstance(shown.get(field), str):
            shown[field] = render(store, store.the(kind, shown[field]))
    return shown


def expand(store: Store, shown: Record, paths: Iterable[str]) -> Record:
    for path in paths:
        steps = path.split(".")
        if len(steps) > MAX_DEPTH:
            raise StripeError(
                f"You cannot expand more than {MAX_DEPTH} levels of a property. Property: {path}",
                code="property_expansion_max_depth",
            )
        _expand(store, shown, steps, path)
    return shown


def _expand(store: Store, node: Any, steps: list[str], path: str) -> None:
    if isinstance(node, list):
        for item in node:
            _expand(store, item, steps, path)
        return
    if not steps or node is None:
        return
    field, *rest = steps
    if not isinstance(node, dict):
        raise _not_expandable(path)
    maker = LAZY.get((str(node.get("object", "")), field))
    if maker is not None and field not in node:
        made = maker(store, store.find(node.get("id", "")) or node)
        if made is ABSENT:
            return
        node[field] = render(store, made)
    if not _is_expandable(store, node.get(field, "")):
        raise _not_expandable(path)
    node[field] = _resolved(store, node[field])
    _expand(store, node[field], rest, path)


def _is_expandable(store: Store, value: Any) -> bool:
    """References and what they would be; texts, numbers and flags are not."""
    if isinstance(value, str):
        return store.find(value) is not None or AN_ID.fullmatch(value) is not None
    return value is None or isinstance(value, (dict, list))


def _resolved(store: Store, value: Any) -> Any:
    if isinstance(value, str):
        found = store.find(value)
        return render(store, found) if found is not None else value
    if isinstance(value, list):
        return [_resolved(store, item) for item in value]
    return value


def _not_expandable(path: str) -> StripeError:
    return StripeError(
        f"This property cannot be expanded ({path}). You may want to try expanding 'data.{path}' instead.",
        param="expand",
    )
