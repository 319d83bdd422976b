"""The spans, as an exporter of the real SDK receives them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from django_videoq_billing import instruments
from django_videoq_billing.exceptions import QuotaExceeded, StripeUnavailable
from django_videoq_billing.instruments import opentelemetry
from django_videoq_billing.services import plan_changes
from django_videoq_billing.services.usage_tracker import UsageTracker, flush_usage
from django_videoq_billing.webhooks import inbox
from tests.api.shop import Shop
from tests.factories import make_user
from tests.leaks import leaks


class Spans:
    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    def all(self) -> Sequence[ReadableSpan]:
        return self._exporter.get_finished_spans()

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.all() if span.name == f"videoq_billing.{name}"]

    def clear(self) -> None:
        self._exporter.clear()


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spans]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("tests")
    monkeypatch.setattr(opentelemetry, "tracer", lambda: tracer)
    yield Spans(exporter)
    provider.shutdown()


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return {name.removeprefix("videoq_billing."): value for name, value in (span.attributes or {}).items()}


def test_an_upload(user: Any, spans: Spans) -> None:
    with UsageTracker.reserve(user, "video", 2):
        pass
    reserve, commit = spans.all()
    assert (reserve.name, commit.name) == ("videoq_billing.reserve", "videoq_billing.commit")
    assert attributes(reserve) == {"metric": "video", "amount": 2, "granted": True, "replayed": False}


def test_a_refusal_is_no_error(user: Any, spans: Spans) -> None:
    with pytest.raises(QuotaExceeded):
        UsageTracker.reserve(user, "video", 4)
    (reserve,) = spans.all()
    assert attributes(reserve)["granted"] is False
    assert reserve.status.status_code is StatusCode.UNSET


def test_what_fails_is_given_back(user: Any, spans: Spans) -> None:
    with pytest.raises(OSError, match="disk"), UsageTracker.reserve(user, "video"):
        raise OSError("disk full")
    assert [span.name.rpartition(".")[2] for span in spans.all()] == ["reserve", "release"]


@pytest.mark.django_db(transaction=True)
def test_a_flush(redis_settings: Any, spans: Spans) -> None:
    UsageTracker.count(make_user(), "video")
    flush_usage()
    (flush,) = spans.named("flush")
    assert attributes(flush) == {"entries": 2}


def test_an_error_is_told_by_its_class_alone(spans: Spans) -> None:
    with pytest.raises(ValueError, match="anna"), instruments.span("checkout", plan="pro"):
        raise ValueError("anna@example.com has cus_1Secret23")
    (span,) = spans.all()
    assert span.status.status_code is StatusCode.ERROR
    assert attributes(span) == {"plan": "pro", "error.type": "ValueError"}
    assert not span.events
    assert "anna" not in span.to_json()


def test_a_checkout_and_what_it_asks_of_stripe(shop: Shop, spans: Spans) -> None:
    assert shop.checkout(shop.standard).status_code == 200
    (checkout,) = spans.named("checkout")
    assert attributes(checkout) == {"plan": "standard"}
    calls = spans.named("stripe")
    assert calls
    assert checkout.context is not None
    assert {call.parent.span_id for call in calls if call.parent} == {checkout.context.span_id}
    told = [attributes(call) for call in calls]
    assert {"method": "POST", "path": "/v1/checkout/sessions", "http_status": 200} in told


def test_a_life_tells_no_id_and_nobodys_name(shop: Shop, spans: Spans) -> None:
    shop.subscribe(shop.standard)
    for event in shop.stripe.all_events():
        inbox.store(event)
        inbox.process_event(event["id"])
    plan_changes.change(shop.user, shop.premium)
    plan_changes.cancel(shop.user)

    paths = {attributes(span)["path"] for span in spans.named("stripe")}
    assert "/v1/subscriptions/{sub}" in paths
    assert "/v1/invoices/{in}" in paths
    kinds = {attributes(span)["event_type"] for span in spans.named("webhook")}
    assert {"invoice.paid", "customer.subscription.created"} <= kinds
    for span in spans.all():
        told = json.dumps(json.loads(span.to_json()))
        assert not leaks(told), told
        assert shop.user.email not in told
        assert shop.user.username not in told


def test_every_span_is_on_the_page() -> None:
    package = Path(instruments.__file__).parent.parent
    source = "".join(path.read_text(encoding="utf-8") for path in package.rglob("*.py"))
    page = (package.parent / "docs/operations.md").read_text(encoding="utf-8")
    assert set(re.findall(r'instruments\.span\(\s*"(\w+)"', source)) == set(
        re.findall(r"`videoq_billing\.(\w+)`", page.partition("\n## OpenTelemetry\n")[2])
    )


def test_an_event_that_fails(shop: Shop, spans: Spans) -> None:
    shop.subscribe(shop.standard)
    event = next(one for one in shop.stripe.all_events() if one["type"] == "invoice.paid")
    inbox.store(event)
    spans.clear()
    shop.stripe.control("outage", mode="503", requests=1)
    inbox.process_event(event["id"])

    (webhook,) = spans.named("webhook")
    assert webhook.status.status_code is StatusCode.ERROR
    assert attributes(webhook) == {
        "event_type": "invoice.paid",
        "attempts": 1,
        "error.type": StripeUnavailable.__name__,
    }
    assert attributes(spans.named("stripe")[0])["http_status"] == 503
