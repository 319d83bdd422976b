"""Spans for OpenTelemetry, where its API is installed. The only module that knows it.

Where they go is decided by the host's own SDK; without one they are dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from django_videoq_billing import __version__

if TYPE_CHECKING:
    from opentelemetry import trace

PREFIX = "videoq_billing."


@cache
def _api() -> Any:
    try:
        from opentelemetry import trace
    except ImportError:
        return None
    return trace


@cache
def _tracer_of(provider: trace.TracerProvider) -> trace.Tracer:
    return provider.get_tracer("django_videoq_billing", __version__)


def tracer() -> trace.Tracer | None:
    """None without the API, and while the host has set up no provider: many packages bring the API along."""
    api = _api()
    if api is None:
        return None
    provider = api.get_tracer_provider()
    return None if isinstance(provider, api.ProxyTracerProvider) else _tracer_of(provider)


class TracedSpan:
    """One span. Of an error it tells the class alone: messages may quote what a user or Stripe has written."""

    def __init__(
        self, source: trace.Tracer, name: str, attributes: Mapping[str, str | int | float | bool]
    ) -> None:
        self._current = source.start_as_current_span(
            PREFIX + name,
            attributes={PREFIX + key: value for key, value in attributes.items()},
        )

    def set(self, **attributes: str | int | float | bool) -> None:
        for key, value in attributes.items():
            self._span.set_attribute(PREFIX + key, value)

    def __enter__(self) -> Self:
        self._span = self._current.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._span.set_attribute("error.type", kind.__name__)
            self._span.set_status(_api().Status(_api().StatusCode.ERROR))
        self._current.__exit__(None, None, None)  # the SDK would record what the error says
