"""The account, events, webhook endpoints, test clocks."""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase

from django_videoq_billing.sandbox.api.router import (
    CREATED,
    Call,
    Listing,
    Matcher,
    chosen,
    endpoint,
    readable,
    within,
)
from django_videoq_billing.sandbox.config import DAY
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import platform
from django_videoq_billing.sandbox.params import (
    CLEARABLE_TEXT,
    FLAG,
    METADATA,
    PAGING,
    TEXT,
    Fields,
    Many,
    Text,
    Whole,
    merged_metadata,
)
from django_videoq_billing.sandbox.store import Record


@endpoint("GET", "/v1/account")
def retrieve_account(call: Call) -> Record:
    return call.box.store.all("account")[0]


@endpoint("GET", "/v1/accounts/{id}")
def retrieve_account_by_id(call: Call) -> Record:
    return call.the("account", "account")


EVENT_LIFE = 30 * DAY
EVENT_FILTERS: Mapping[str, Matcher] = {
    "created": within,
    "type": lambda record, pattern: fnmatchcase(record["type"], pattern),
    "types": lambda record, kinds: record["type"] in kinds,
    "delivery_success": lambda record, wanted: (record.get("_undelivered", 0) == 0) == wanted,
}


@endpoint(
    "GET", "/v1/events", {**PAGING, **CREATED, "type": TEXT, "types": Many(TEXT), "delivery_success": FLAG}
)
def list_events(call: Call) -> Listing:
    """Only the last 30 days' events, as Stripe keeps them."""
    oldest = call.box.now() - EVENT_LIFE
    recent = [event for event in call.box.store.all("event") if event["created"] >= oldest]
    return Listing(chosen(recent, call.params, EVENT_FILTERS), "/v1/events")


@endpoint("GET", "/v1/events/{id}")
def retrieve_event(call: Call) -> Record:
    return call.the("event", "event")


readable("/v1/webhook_endpoints", "webhook_endpoint", "webhook endpoint")

ANY_EVENT = "*"
EVENT_TYPE = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")
ENDPOINT: Fields = {"description": CLEARABLE_TEXT, "metadata": METADATA}


@endpoint(
    "POST",
    "/v1/webhook_endpoints",
    {
        **ENDPOINT,
        "api_version": TEXT,
        "enabled_events": Many(TEXT, required=True),
        "url": Text(required=True),
    },
)
def create_endpoint(call: Call) -> Record:
    """The answer is the only one that shows the secret."""
    _check_url(call.params["url"])
    _check_types(call.params["enabled_events"])
    record = platform.webhook_endpoint(
        call.box, call.params["url"], call.params["enabled_events"], api_version=call.params.get("api_version"),
        description=call.params.get("description"), metadata=merged_metadata({}, call.params.get("metadata") or {}),
    )  # fmt: skip
    call.box.store.save(record)
    return {**record, "secret": record["_secrets"][0]}


@endpoint(
    "POST",
    "/v1/webhook_endpoints/{id}",
    {**ENDPOINT, "disabled": FLAG, "enabled_events": Many(TEXT), "url": TEXT},
)
def update_endpoint(call: Call) -> Record:
    record = call.the("webhook_endpoint", "webhook endpoint")
    params = dict(call.params)
    if "disabled" in params:
        record["status"] = "disabled" if params.pop("disabled") else "enabled"
    if "url" in params:
        _check_url(params["url"])
    _check_types(params.get("enabled_events", []))
    record["metadata"] = merged_metadata(record["metadata"], params.pop("metadata", {}))
    record |= params
    return call.box.store.save(record)


@endpoint("DELETE", "/v1/webhook_endpoints/{id}")
def delete_endpoint(call: Call) -> Record:
    record = call.the("webhook_endpoint", "webhook endpoint")
    call.box.store.remove(record)
    return {"id": record["id"], "object": "webhook_endpoint", "deleted": True}


def _check_url(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise StripeError(
            "Invalid URL: An explicit scheme (such as https) must be provided.",
            code="url_invalid",
            param="url",
        )


def _check_types(kinds: list[str]) -> None:
    """Types in full, or `*` for all; Stripe has no patterns such as `invoice.*` here."""
    for index, kind in enumerate(kinds):
        if kind != ANY_EVENT and EVENT_TYPE.fullmatch(kind) is None:
            param = f"enabled_events[{index}]"
            raise StripeError(f"Invalid {param}: must be the type of an event, or {ANY_EVENT}.", param=param)


CLOCK = "test_helpers.test_clock"
readable("/v1/test_helpers/test_clocks", CLOCK, "test clock")


@endpoint(
    "POST",
    "/v1/test_helpers/test_clocks",
    {"frozen_time": Whole(least=0, required=True), "name": TEXT},
)
def create_clock(call: Call) -> Record:
    """The sandbox has one time for all: a clock ahead of it moves it, a clock behind it stands where it is."""
    for _ in call.box.advance(call.params["frozen_time"]):
        pass
    record = platform.test_clock(call.box, call.box.now(), call.params.get("name"))
    call.box.emit("test_helpers.test_clock.created", call.box.store.save(record))
    return record


@endpoint("POST", "/v1/test_helpers/test_clocks/{id}/advance", {"frozen_time": Whole(least=0, required=True)})
def advance_clock(call: Call) -> Record:
    """Everything is done when this answers; it still says `advancing`, as Stripe does, so that clients poll."""
    record = call.the(CLOCK, "test clock")
    target = call.params["frozen_time"]
    if target <= record["frozen_time"]:
        raise StripeError(
            "You can only advance a test clock to a time after its current one.", param="frozen_time"
        )
    advancing = {
        **record,
        "status": "advancing",
        "status_details": {"advancing": {"target_frozen_time": target}},
    }
    call.box.emit("test_helpers.test_clock.advancing", advancing)
    for _ in call.box.advance(target):
        pass
    record["frozen_time"] = call.box.now()
    call.box.emit("test_helpers.test_clock.ready", call.box.store.save(record))
    return advancing


@endpoint("DELETE", "/v1/test_helpers/test_clocks/{id}")
def delete_clock(call: Call) -> Record:
    record = call.the(CLOCK, "test clock")
    call.box.store.remove(record)
    call.box.emit("test_helpers.test_clock.deleted", record)
    return {"id": record["id"], "object": CLOCK, "deleted": True}
