from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from django_videoq_billing.models import WebhookEvent

Handler = Callable[[WebhookEvent], object]

_handlers: dict[str, list[Handler]] = defaultdict(list)


def handles(*event_types: str) -> Callable[[Handler], Handler]:
    """Call the function for every event of these types; "charge.dispute.*" names all that begin so.

    A handler may run more than once for an event and in any order: fetch the object, do not trust the body.
    What it raises is kept with the event, and the event is tried again.
    """

    def register(handler: Handler) -> Handler:
        for event_type in event_types:
            if handler not in _handlers[event_type]:
                _handlers[event_type].append(handler)
        return handler

    return register


def handlers_for(event_type: str) -> list[Handler]:
    """Return the handlers in the order in which they were registered."""
    families = [
        ".".join(event_type.split(".")[:depth]) + ".*" for depth in range(event_type.count(".") + 1, 0, -1)
    ]
    found = [handler for name in (event_type, *families) for handler in _handlers.get(name, [])]
    return list(dict.fromkeys(found))


def family_of(event_type: str) -> str:
    """What an event is about, for a label of a metric: of events that nobody handles, "other"."""
    return event_type.rpartition(".")[0] if handlers_for(event_type) else "other"
