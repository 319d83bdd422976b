"""What follows from a move: a deleted user is charged no more, and the site hears of each change once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.dispatch import Signal

from django_videoq_billing import signals
from django_videoq_billing.exceptions import (
    StripeUnavailable,
)
from django_videoq_billing.services import plan_changes
from django_videoq_billing.services.entitlements import entitlement_for
from tests.stripe.lifecycles import dispute, first_subscription, refund_that_fails, trial
from tests.stripe.site import Site

pytestmark = pytest.mark.django_db


def test_every_write_may_be_repeated(site: Site) -> None:
    """Each carries a key of ours, by which Stripe knows it again."""
    site.checkout(site.standard)
    plan_changes.change(site.user, site.premium)
    plan_changes.change(site.user, site.standard)
    plan_changes.cancel(site.user)
    plan_changes.reactivate(site.user)
    site.user.delete()
    requests = [event["request"] for event in site.sandbox.new_events() if event["request"]["id"]]
    assert len({request["id"] for request in requests}) >= 8
    assert [one for one in requests if not str(one["idempotency_key"]).startswith("videoq-")] == []


class TestDeletion:
    def test_a_deleted_user_is_charged_no_more(self, site: Site) -> None:
        first_subscription(site)
        subscription = str(site.row.stripe_subscription_id)
        site.user.delete()
        assert site.sandbox.status(subscription) == "canceled"

    def test_nor_are_several_at_once(self, site: Site, caplog: pytest.LogCaptureFixture) -> None:
        first_subscription(site)
        subscription = str(site.row.stripe_subscription_id)
        caplog.clear()
        User.objects.all().delete()
        assert site.sandbox.status(subscription) == "canceled"
        assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []

    def test_nobody_is_deleted_while_stripe_is_away(self, site: Site) -> None:
        first_subscription(site)
        site.sandbox.control("outage", mode="503", requests=99)
        with pytest.raises(StripeUnavailable), transaction.atomic():
            site.user.delete()
        assert User.objects.filter(username="ada").exists()

    def test_the_host_may_leave_it_to_itself(self, site: Site, settings: Any) -> None:
        first_subscription(site)
        subscription = str(site.row.stripe_subscription_id)
        settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "CANCEL_ON_USER_DELETE": False}
        site.user.delete()
        assert site.sandbox.status(subscription) == "active"

    def test_a_customer_deleted_in_the_dashboard_leaves_the_default_plan(self, site: Site) -> None:
        first_subscription(site)
        site.sandbox.api.customers.delete(str(site.row.stripe_customer_id))
        site.settle()
        assert site.row.status == "cancelled"
        assert entitlement_for(site.user).plan_slug == "free"


class TestSignals:
    @pytest.fixture
    def heard(self) -> Iterator[list[str]]:
        names = [name for name, value in vars(signals).items() if isinstance(value, Signal)]
        names.remove("work_waiting")  # wakes the sender of e-mails, which tests/stripe/test_news.py is about
        said: list[str] = []
        receivers = []
        for name in names:
            receivers.append(receiver := lambda name=name, **_: said.append(name))
            getattr(signals, name).connect(receiver, weak=False)
        yield said
        for name, receiver in zip(names, receivers, strict=True):
            getattr(signals, name).disconnect(receiver)

    def test_each_is_sent_once(
        self, site: Site, heard: list[str], django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            trial(site)
            plan_changes.change(site.user, site.premium)
            plan_changes.cancel(site.user)
            site.advance(days=40)
            site.settle()

        assert sorted(heard) == [
            "payment_succeeded",
            "payment_succeeded",
            "plan_changed",
            "plan_changed",
            "subscription_activated",
            "subscription_cancelled",
        ]

    @pytest.mark.parametrize("life", [refund_that_fails, dispute])
    def test_money_that_moves_back_is_no_payment(
        self,
        site: Site,
        heard: list[str],
        django_capture_on_commit_callbacks: Any,
        life: Callable[[Site], None],
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            life(site)
        assert sorted(heard) == ["payment_succeeded", "plan_changed", "subscription_activated"]
