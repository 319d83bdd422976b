"""What each Stripe object looks like when it is born: one builder per resource, every field that Stripe shows.

Builders take the sandbox (for ids and the time) and the fields that differ from the defaults; they save nothing
and emit nothing.
"""

from typing import Any

from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.store import Record

NO_TAX = {"disabled_reason": None, "enabled": False, "liability": None}
NO_ADDRESS: Record = {
    "city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None,
}  # fmt: skip
ISSUER = {"type": "self"}


def born(box: Sandbox, kind: str, prefix: str, given: dict[str, Any], **defaults: Any) -> Record:
    """The fields that every object has, then this kind's defaults, then what was given."""
    unknown = given.keys() - defaults.keys() - {"id", "created", "metadata"}
    private = {key for key in unknown if key.startswith("_")}
    if unknown != private:
        raise TypeError(f"A {kind} has no {sorted(unknown - private)}")
    identity = {
        "id": given.get("id") or box.ids.new(prefix),
        "object": kind,
        "created": box.now(),
        "livemode": False,
    }
    return {
        **identity,
        "metadata": {},
        **defaults,
        **{key: value for key, value in given.items() if key != "id"},
    }


def without(record: Record, *fields: str) -> Record:
    return {key: value for key, value in record.items() if key not in fields}


def empty_list(url: str) -> Record:
    return {"object": "list", "data": [], "has_more": False, "url": url}
