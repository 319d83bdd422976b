"""What Prometheus sees, read as it reads it: from prometheus-client's own registry."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest

from django_videoq_billing import instruments
from django_videoq_billing.exceptions import BillingError, InvalidSignature, QuotaExceeded, StripeUnavailable
from django_videoq_billing.instruments import prometheus
from django_videoq_billing.models import WebhookEvent
from django_videoq_billing.services import health
from django_videoq_billing.services.stripe_service import StripeService
from django_videoq_billing.services.usage_tracker import UsageTracker, flush_usage
from django_videoq_billing.webhooks import inbox, registry
from tests.api.shop import Shop
from tests.api.test_privacy import signed
from tests.factories import make_user

PACKAGE = Path(instruments.__file__).parent.parent


@pytest.fixture
def rise() -> Callable[..., float]:
    """A function that tells how much a series has risen since the test began."""

    def value(name: str, labels: dict[str, str]) -> float:
        return REGISTRY.get_sample_value(f"videoq_billing_{name}", labels) or 0

    before: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in prometheus_families()
        for sample in family.samples
    }

    def risen(name: str, **labels: str) -> float:
        key = (f"videoq_billing_{name}", tuple(sorted(labels.items())))
        return value(name, labels) - before.get(key, 0)

    return risen


def prometheus_families() -> list[Any]:
    meters = prometheus.meters()
    assert meters is not None
    return [
        family
        for one in (*meters._counters.values(), *meters._histograms.values())
        for family in one.collect()
    ]


def event(event_type: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"evt_{timezone.now().timestamp()}",
        "object": "event",
        "type": event_type,
        "livemode": False,
        "created": int(timezone.now().timestamp()) - 45,
        "data": {"object": {"id": "x"}},
        **fields,
    }


def test_what_was_admitted_and_what_was_refused(user: Any, rise: Callable[..., float]) -> None:
    with UsageTracker.reserve(user, "video", 2, key="k"):
        pass
    UsageTracker.reserve(user, "video", 2, key="k")
    UsageTracker.count(user, "transcription", 60)
    with pytest.raises(QuotaExceeded):
        UsageTracker.reserve(user, "video", 2)

    assert rise("admitted_total", metric="video") == 1, "a repetition is admitted once"
    assert rise("admitted_total", metric="transcription") == 1
    assert rise("refused_total", metric="video") == 1
    assert rise("refused_total", metric="transcription") == 0


@pytest.mark.django_db(transaction=True)
def test_what_was_flushed(redis_settings: Any, rise: Callable[..., float]) -> None:
    UsageTracker.count(make_user(), "video")
    assert flush_usage() == rise("usage_flushed_total") == 2
    flush_usage()
    assert rise("usage_flushed_total") == 2


@pytest.mark.django_db
class TestWebhooks:
    @pytest.fixture
    def handler(self, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        """Called for product.* in the package's own handler's place; raises what is put in."""
        raised: list[Any] = []

        def handle(_event: WebhookEvent) -> None:
            if raised:
                raise raised[0]

        monkeypatch.setitem(registry._handlers, "product.*", [handle])
        return raised

    def test_by_what_they_are_about(self, handler: list[Any], rise: Callable[..., float]) -> None:
        received = event("product.updated")
        inbox.store(received)
        inbox.store(received)
        inbox.process_event(received["id"])
        inbox.process_event(received["id"])

        assert rise("webhooks_received_total", family="product") == 2, "each delivery"
        assert rise("webhooks_processed_total", family="product") == 1
        assert rise("webhooks_failed_total", family="product") == 0
        assert rise("webhook_lag_seconds_count") == 1
        assert 44 < rise("webhook_lag_seconds_sum") < 60
        assert rise("webhook_lag_seconds_bucket", le="30.0") == 0
        assert rise("webhook_lag_seconds_bucket", le="60.0") == 1

    def test_what_failed_and_then_did_not(self, handler: list[Any], rise: Callable[..., float]) -> None:
        handler.append(StripeUnavailable.after(None))
        received = event("product.updated")
        inbox.store(received)
        inbox.process_event(received["id"])
        handler.clear()
        inbox.replay(WebhookEvent.objects.all())
        inbox.process_event(received["id"])

        assert rise("webhooks_failed_total", family="product") == 1
        assert rise("webhooks_processed_total", family="product") == 1

    def test_a_replay_says_nothing_of_the_lag(self, handler: list[Any], rise: Callable[..., float]) -> None:
        received = event("product.updated")
        inbox.store(received)
        inbox.process_event(received["id"])
        inbox.replay(WebhookEvent.objects.all())
        inbox.process_event(received["id"])
        assert rise("webhooks_processed_total", family="product") == 2
        assert rise("webhook_lag_seconds_count") == 1

    @pytest.mark.parametrize("event_type", ["charge.captured", "nonsense", "", "a.b.c.d.e", "x" * 200])
    def test_what_nobody_handles_is_one_series(self, event_type: str, rise: Callable[..., float]) -> None:
        inbox.store(event(event_type))
        assert rise("webhooks_received_total", family="other") == 1

    def test_the_families_are_few(self) -> None:
        handled = {
            name.removesuffix("*") + "x" if name.endswith("*") else name for name in registry._handlers
        }
        families = {registry.family_of(name) for name in handled}
        assert "other" not in families
        assert {"invoice", "customer.subscription", "checkout.session", "charge.dispute"} <= families
        assert len(families) < 20

    def test_what_was_refused(self, rise: Callable[..., float], settings: Any) -> None:
        with pytest.raises(InvalidSignature):
            inbox.receive(b"{}", "")
        assert rise("webhooks_refused_total", reason="invalid_signature") == 1


def test_what_stripe_refused_or_did_not_answer(shop: Shop, rise: Callable[..., float]) -> None:
    with pytest.raises(BillingError):
        StripeService.retrieve_invoice("in_1Unknown00000")
    shop.stripe.control("outage", mode="503", requests=1)
    with pytest.raises(StripeUnavailable):
        StripeService.retrieve_invoice("in_1Unknown00000")
    assert rise("stripe_failures_total", kind="missing") == 1
    assert rise("stripe_failures_total", kind="unavailable") == 1


def test_a_delivery_is_counted_where_it_arrives(shop: Shop, rise: Callable[..., float]) -> None:
    body, signature = signed(event("invoice.paid"))
    inbox.receive(body.encode(), signature)
    assert rise("webhooks_received_total", family="invoice") == 1


@pytest.mark.django_db
class TestGauges:
    def test_they_are_looked_up_when_somebody_asks(self, django_assert_num_queries: Any) -> None:
        scraped = CollectorRegistry(auto_describe=True)
        with django_assert_num_queries(0):
            instruments.expose(health.figures, scraped)
        assert scraped.get_sample_value("videoq_billing_webhooks_waiting") == 0

        moment = timezone.now() - timedelta(minutes=11)
        WebhookEvent.objects.create(
            stripe_event_id="evt_1", type="x", payload={}, next_attempt_at=moment, created_at=moment
        )
        text = generate_latest(scraped).decode()
        assert "videoq_billing_webhooks_waiting 1.0" in text
        overdue = re.search(r"^videoq_billing_webhooks_overdue_seconds ([\d.]+)$", text, re.MULTILINE)
        assert overdue is not None
        assert 660 <= float(overdue[1]) < 670
        assert 'videoq_billing_healthy{check="webhooks"} 0.0' in text
        assert 'videoq_billing_healthy{check="usage_store"} 1.0' in text
        assert "videoq_billing_usage_store_lag_seconds 0.0" in text

    def test_the_default_registry_has_them_with_the_counters(self) -> None:
        text = generate_latest(REGISTRY).decode()
        assert 'videoq_billing_healthy{check="database"} 1.0' in text
        for name in prometheus.COUNTERS:
            assert f"# TYPE videoq_billing_{name}_total counter" in text
        assert "# TYPE videoq_billing_webhook_lag_seconds histogram" in text

    def test_a_check_that_breaks_does_not_break_the_scrape(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken() -> health.Finding:
            raise OSError

        monkeypatch.setitem(health.PROBES, "usage_store", broken)
        scraped = CollectorRegistry()
        instruments.expose(health.figures, scraped)
        assert scraped.get_sample_value("videoq_billing_healthy", {"check": "usage_store"}) == 0
        assert scraped.get_sample_value("videoq_billing_healthy", {"check": "database"}) == 1


def test_every_series_is_on_the_page() -> None:
    page = (PACKAGE.parent / "docs/operations.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `videoq_billing_(\w+)` \|([^|]*)\|", page, re.MULTILINE)
    documented = {name: tuple(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    assert documented.pop("healthy") == ("check",)
    assert documented == {
        **{f"{name}_total": labels for name, (_, labels) in prometheus.COUNTERS.items()},
        **dict.fromkeys(prometheus.HISTOGRAMS, ()),
    }


def test_every_check_of_health_is_on_the_page() -> None:
    page = (PACKAGE.parent / "docs/operations.md").read_text(encoding="utf-8")
    section = page.partition("\n## Health\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(health.PROBES)
    for bound in (health.LAG_SECONDS, health.OVERDUE_SECONDS, health.MOST_COUNTED):
        assert re.search(rf"\b{bound}\b", section)


def test_every_series_is_counted_somewhere() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    counted = set(re.findall(r'instruments\.count\(\s*"(\w+)"', source))
    observed = set(re.findall(r'instruments\.observe\(\s*"(\w+)"', source))
    assert counted == set(prometheus.COUNTERS)
    assert observed == set(prometheus.HISTOGRAMS)


@pytest.mark.parametrize("name", prometheus.COUNTERS)
def test_every_series_takes_its_labels(name: str, rise: Callable[..., float]) -> None:
    labels = dict.fromkeys(prometheus.COUNTERS[name][1], "x")
    instruments.count(name, 3, **labels)
    assert rise(f"{name}_total", **labels) == 3
