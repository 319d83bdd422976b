"""Counters for Prometheus, where prometheus-client is installed. The only module that knows it.

They live in its default registry, the one that django-prometheus shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Metric

PREFIX = "videoq_billing_"

COUNTERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "admitted": ("Operations admitted and counted.", ("metric",)),
    "refused": ("Operations refused at the limit.", ("metric",)),
    "webhooks_received": ("Events of Stripe taken into the inbox, repeated ones among them.", ("family",)),
    "webhooks_refused": ("Deliveries that were no event signed by Stripe.", ("reason",)),
    "webhooks_processed": ("Events worked on to the end.", ("family",)),
    "webhooks_failed": ("Attempts at an event that failed.", ("family",)),
    "stripe_failures": ("Calls that Stripe refused or did not answer.", ("kind",)),
    "usage_flushed": ("Entries that a flush brought into the database.", ()),
    "emails_sent": ("E-mails handed to the mail server.", ("kind",)),
    "emails_failed": ("E-mails that the mail server did not take.", ("kind",)),
}
"""What each one counts, and its labels, in the order in which they are given."""

HISTOGRAMS: Mapping[str, tuple[str, tuple[float, ...]]] = {
    "webhook_lag_seconds": (
        "From the moment something happened at Stripe to the moment it was worked on here.",
        (0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400),
    ),
}
"""What each one measures, and the upper bounds of its buckets."""

Figures = Callable[[], Iterable[tuple[str, Mapping[str, float], bool]]]
"""What is looked up when somebody asks: for each part of the system its name, its figures and whether it is well."""


class Meters:
    def __init__(self) -> None:
        from prometheus_client import Counter, Histogram

        self._counters = {
            name: Counter(PREFIX + name, text, labels) for name, (text, labels) in COUNTERS.items()
        }
        self._histograms = {
            name: Histogram(PREFIX + name, text, buckets=buckets)
            for name, (text, buckets) in HISTOGRAMS.items()
        }
        self._child = cache(self._child_of)  # labels take few values, and looking them up takes a lock

    def _child_of(self, name: str, labels: tuple[str, ...]) -> Any:
        counter = self._counters[name]
        return counter.labels(*labels) if labels else counter

    def count(self, name: str, labels: tuple[str, ...], amount: int) -> None:
        self._child(name, labels).inc(amount)

    def observe(self, name: str, value: float) -> None:
        self._histograms[name].observe(value)


@cache
def meters() -> Meters | None:
    """The process's own; None without prometheus-client."""
    try:
        import prometheus_client  # noqa: F401
    except ImportError:
        return None
    return Meters()


class FiguresCollector:
    """Asks for the figures when they are scraped, and not before."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def describe(self) -> Iterable[Metric]:
        """Nothing: a registry that is told nothing asks for the figures when the collector is registered."""
        return []

    def collect(self) -> Iterable[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        health = GaugeMetricFamily(
            f"{PREFIX}healthy", "Whether a check of the health view passes.", labels=["check"]
        )
        for check, figures, well in self._figures():
            health.add_metric([check], float(well))
            for name, value in figures.items():
                yield GaugeMetricFamily(
                    f"{PREFIX}{check}_{name}", f"As in the health view: {check}, {name}.", value=value
                )
        yield health


def expose(figures: Figures, registry: CollectorRegistry | None = None) -> None:
    """Have the figures looked up whenever the registry (the default one) is scraped."""
    if meters() is None:
        return
    from prometheus_client import REGISTRY

    (registry or REGISTRY).register(FiguresCollector(figures))
