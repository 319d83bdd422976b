from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.utils import timezone

from django_videoq_billing.models import PaymentTransaction, WebhookEvent
from django_videoq_billing.webhooks import handles, inbox, registry
from tests.commands.conftest import Run
from tests.stripe_site import OperatorsDriver, receive, row_of


@pytest.fixture
def arrived(stripe_account: OperatorsDriver, customer: User) -> User:
    """A customer all of whose events are in the inbox, and none is processed."""
    receive(stripe_account)
    return customer


@pytest.fixture
def hosts_handlers() -> Iterator[None]:
    """Whatever is registered inside is forgotten."""
    before = {name: list(found) for name, found in registry._handlers.items()}
    yield
    registry._handlers.clear()
    registry._handlers.update(before)


def states() -> set[str]:
    return set(WebhookEvent.objects.values_list("state", flat=True))


def payments() -> list[int]:
    return list(PaymentTransaction.objects.values_list("amount_cents", flat=True))


class TestProcess:
    def test_what_is_due_is_processed_and_mirrored(self, run: Run, arrived: User) -> None:
        count = WebhookEvent.objects.count()
        assert run("process_webhooks") == f"Worked on {count} events, {count} for the mirror.\n"
        assert (row_of(arrived).plan.slug, payments()) == ("standard", [1200])
        assert states() == {"processed", "ignored"}
        assert run("process_webhooks", once=True) == "Worked on 0 events, 0 for the mirror.\n"

    def test_a_limit(self, run: Run, arrived: User) -> None:
        assert run("process_webhooks", limit=1) == "Worked on 1 event, 1 for the mirror.\n"
        assert WebhookEvent.objects.filter(processed_at=None).exists()

    def test_a_loop_ends_at_its_limit(self, run: Run, arrived: User) -> None:
        count = WebhookEvent.objects.count()
        assert run("process_webhooks", loop=True, limit=count).startswith(f"Worked on {count} events")

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    @pytest.mark.usefixtures("hosts_handlers")
    def test_a_signal_stops_it_between_two_events(
        self, run: Run, arrived: User, number: signal.Signals
    ) -> None:
        first = WebhookEvent.objects.order_by("created_at", "pk").first()
        assert first is not None
        handles(first.type)(lambda event: os.kill(os.getpid(), number))
        usual = signal.getsignal(number)
        assert run("process_webhooks", loop=True) == "Worked on 1 event, 0 for the mirror.\n"
        assert signal.getsignal(number) == usual
        first.refresh_from_db()
        assert first.state == "processed", "the event in hand is finished"
        assert WebhookEvent.objects.filter(state="received").count() == WebhookEvent.objects.count() - 1

    @pytest.mark.usefixtures("hosts_handlers")
    def test_events_that_fail_are_counted(self, run: Run, arrived: User) -> None:
        @handles("invoice.paid")
        def fail(event: WebhookEvent) -> None:
            raise ValueError("a host's mistake")

        assert run("process_webhooks").endswith(". 1 event failed and will be tried again.\n")
        assert row_of(arrived).plan.slug == "standard"

    @pytest.mark.parametrize("options", [{"limit": 0}, {"interval": 0}])
    def test_impossible_numbers(self, run: Run, options: dict[str, Any]) -> None:
        with pytest.raises(CommandError, match="must be"):
            run("process_webhooks", **options)


class TestReplay:
    def test_nothing_is_booked_twice(self, run: Run, arrived: User) -> None:
        inbox.process_due()
        count = WebhookEvent.objects.count()
        assert run("replay_webhooks", since="1d").splitlines() == [
            f"Marked {count} events to be processed once more.",
            f"Worked on {count} events, {count} for the mirror.",
        ]
        assert (row_of(arrived).plan.slug, payments()) == ("standard", [1200])
        assert states() == {"processed", "ignored"}

    def test_it_mends_what_was_wrong(self, run: Run, arrived: User) -> None:
        inbox.process_due()
        row = row_of(arrived)
        row.status = "past_due"
        row.save()
        run("replay_webhooks", type="customer.subscription.*")
        assert row_of(arrived).status == "active"

    @pytest.mark.usefixtures("hosts_handlers")
    def test_failed_ones_alone(self, run: Run, arrived: User) -> None:
        broken = [True]

        @handles("invoice.*")
        def fail(event: WebhookEvent) -> None:
            if broken:
                raise ValueError("a host's mistake")

        inbox.process_due()
        failed = WebhookEvent.objects.filter(state="failed").count()
        assert failed > 1
        broken.clear()
        assert run("replay_webhooks", failed=True).startswith(f"Marked {failed} events")
        assert states() == {"processed", "ignored"}

    def test_left_to_the_worker(self, run: Run, arrived: User) -> None:
        inbox.process_due()
        out = run("replay_webhooks", type="invoice.paid", no_process=True)
        assert out == "Marked 1 event to be processed once more.\n"
        assert WebhookEvent.objects.get(type="invoice.paid").state == "received"

    def test_since(self, run: Run, arrived: User) -> None:
        inbox.process_due()
        old = timezone.now() - timedelta(days=3)
        WebhookEvent.objects.filter(type="invoice.paid").update(created_at=old)
        count = WebhookEvent.objects.count()
        marked = [
            run("replay_webhooks", since=since, no_process=True).split()[1]
            for since in ("2d", "100h", "30m", f"{old:%Y-%m-%d}", f"{old:%Y-%m-%dT%H:%M:%S}", "2999-01-01")
        ]
        assert marked == [str(one) for one in (count - 1, count, count - 1, count, count, 0)]

    @pytest.mark.parametrize("since", ["yesterday", "7w", "", "2026-02-30", "999999999d"])
    def test_a_moment_that_is_none(self, run: Run, since: str) -> None:
        with pytest.raises(CommandError, match="since"):
            run("replay_webhooks", "--since", since)

    def test_not_everything_by_accident(self, run: Run) -> None:
        with pytest.raises(CommandError, match="Say which events"):
            run("replay_webhooks")


class TestFetchMissed:
    def test_lost_events_are_fetched(self, run: Run, stripe_account: OperatorsDriver, customer: User) -> None:
        events = stripe_account.all_events()
        inbox.store(events[0])
        lost = len(events) - 1
        assert run("fetch_missed_events").splitlines() == [
            f"Fetched {lost} events that had not arrived.",
            f"Worked on {len(events)} events, {len(events)} for the mirror.",
        ]
        assert (row_of(customer).plan.slug, payments()) == ("standard", [1200])
        assert run("fetch_missed_events") == "Fetched 0 events that had not arrived.\n"
        stored = {event.stripe_event_id: event.payload for event in WebhookEvent.objects.all()}
        assert stored.keys() == {event["id"] for event in events}
        assert stored[events[1]["id"]]["data"] == events[1]["data"]

    def test_more_than_a_page(self, run: Run, stripe_account: OperatorsDriver) -> None:
        for number in range(51):
            product = stripe_account.api.products.create(params={"name": f"Product {number}"})
            stripe_account.api.products.update(product.id, params={"name": f"Renamed {number}"})
        out = run("fetch_missed_events", no_process=True)
        assert out == "Fetched 102 events that had not arrived.\n"
        assert WebhookEvent.objects.filter(state="received").count() == 102

    def test_only_so_far_back(self, run: Run, stripe_account: OperatorsDriver, customer: User) -> None:
        stripe_account.advance(days=3)
        recent = [
            event
            for event in stripe_account.all_events()
            if event["created"] >= timezone.now().timestamp() - 86400
        ]
        out = run("fetch_missed_events", days=1, no_process=True)
        assert out.startswith(f"Fetched {len(recent)} event")

    def test_as_far_back_as_stripe_keeps_them(
        self, run: Run, stripe_account: OperatorsDriver, customer: User
    ) -> None:
        stripe_account.advance(days=29)
        with time_machine.travel(timezone.now() + timedelta(days=29)):
            assert run("fetch_missed_events", days=28, no_process=True).startswith("Fetched 0 events")
            run("fetch_missed_events")
        assert (row_of(customer).plan.slug, payments()) == ("standard", [1200])

    @pytest.mark.parametrize("days", [0, 31])
    def test_impossible_days(self, run: Run, days: int) -> None:
        with pytest.raises(CommandError, match="--days must be from 1 to 30"):
            run("fetch_missed_events", days=days)
