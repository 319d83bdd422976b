"""What an operator wants counted and timed, told to whichever of the libraries is installed.

Without them each call is one look at a None.
"""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from django_videoq_billing.instruments import opentelemetry, prometheus
from django_videoq_billing.instruments.prometheus import expose

__all__ = ["Span", "count", "expose", "observe", "span"]

_meters = prometheus.meters()

Value = str | int | float | bool


class Span(Protocol):
    """A stretch of work. Attributes carry no personal data, no id of Stripe's and no secret."""

    def set(self, **attributes: Value) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class _NoSpan:
    def set(self, **attributes: Value) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


_NO_SPAN = _NoSpan()


def count(name: str, amount: int = 1, **labels: str) -> None:
    """Add to a counter of `prometheus.COUNTERS`."""
    if _meters is not None:
        _meters.count(name, tuple(labels.values()), amount)


def observe(name: str, value: float) -> None:
    """Enter a value into a histogram of `prometheus.HISTOGRAMS`."""
    if _meters is not None:
        _meters.observe(name, value)


def span(name: str, **attributes: Value) -> Span:
    """Time the block as `videoq_billing.<name>`, within whatever span the host has open."""
    tracer = opentelemetry.tracer()
    return _NO_SPAN if tracer is None else opentelemetry.TracedSpan(tracer, name, attributes)
