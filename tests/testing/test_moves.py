"""What a host's test does with the fixtures, seen from the rows and from Stripe."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils import timezone

from django_videoq_billing.models import PaymentTransaction, SubscriptionPlan
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.testing import BillingSandbox, SandboxError, make_plan, make_user_on
from tests.api.clients import URLS

Move = Callable[..., Any]

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
DECLINED, REFUSED_LATER = "4000000000000002", "4000000000000341"


def ledger(user: User) -> list[tuple[str, int]]:
    return list(
        PaymentTransaction.objects.filter(user=user)
        .order_by("created_at")
        .values_list("status", "amount_cents")
    )


def test_a_paid_plan_was_paid_for(subscribed_user: Move, billing_sandbox: BillingSandbox) -> None:
    user = subscribed_user(plan="standard", username="ada")

    assert (user.username, user.subscription.plan.slug, user.subscription.status) == (
        "ada",
        "standard",
        "active",
    )
    assert ledger(user) == [("succeeded", 1200)]
    assert [one["status"] for one in billing_sandbox.objects("subscription")] == ["active"]
    assert [message.to for message in mail.outbox] == [[user.email]], "it is said that the upgrade was paid"


def test_a_free_plan_asks_nobody(subscribed_user: Move, billing_sandbox: BillingSandbox) -> None:
    gift = make_plan(slug="gift", video_limit=7)

    users = subscribed_user(plan="free"), subscribed_user(plan=gift)

    assert [user.subscription.plan.slug for user in users] == ["free", "gift"]
    assert billing_sandbox.objects("customer") == []


def test_a_plan_of_the_test_is_made_known_to_stripe(subscribed_user: Move) -> None:
    plan = make_plan(slug="team", price_cents=9900)
    assert ledger(subscribed_user(plan=plan)) == [("succeeded", 9900)]


def test_trials_and_years(subscribed_user: Move, billing_sandbox: BillingSandbox) -> None:
    plan = make_plan(slug="yearly", price_cents=9900, interval="year", trial_days=14)
    user = subscribed_user(plan=plan)
    assert (user.subscription.status, ledger(user)) == ("trialing", [])

    assert billing_sandbox.renew(user).status == "active"
    assert timezone.now() < START + timedelta(days=15)
    billing_sandbox.renew(user)

    assert timezone.now() > START + timedelta(days=365 + 14)
    assert ledger(user) == [("succeeded", 9900)] * 2


def test_every_copy_of_a_user_is_told(subscribed_user: Move, billing_sandbox: BillingSandbox) -> None:
    user = subscribed_user(plan="standard")
    copy = User.objects.get(pk=user.pk)
    for one in (user, copy):
        billing_sandbox.subscription_of(one)
        assert not one.subscription.cancel_at_period_end

    billing_sandbox.cancel(user)

    assert [one.subscription.cancel_at_period_end for one in (user, copy)] == [True, True]


def test_a_user_of_the_host_may_be_given(subscribed_user: Move, user: User) -> None:
    assert subscribed_user("premium", user) is user
    assert user.subscription.plan.slug == "premium"


def test_both_clocks_move(advance_billing_time: Move, billing_sandbox: BillingSandbox) -> None:
    assert timezone.now() == START
    advance_billing_time(days=1, hours=1)
    advance_billing_time(months=1)
    assert timezone.now() == datetime(2026, 7, 2, 13, tzinfo=UTC)

    advance_billing_time(to=datetime(2027, 1, 1, tzinfo=UTC))

    assert timezone.now() == datetime(2027, 1, 1, tzinfo=UTC)
    assert User.objects.create(username="late").date_joined == timezone.now()
    [account] = billing_sandbox.objects("account")
    assert account["id"]


def test_time_does_not_go_back(advance_billing_time: Move) -> None:
    advance_billing_time(days=2)
    for back in ({"days": -1}, {"to": START}, {"to": datetime(2027, 1, 1)}):  # noqa: DTZ001 - of no zone
        with pytest.raises(SandboxError, match="forward only"):
            advance_billing_time(**back)


def test_a_renewal_is_told_when_it_is_delivered(
    subscribed_user: Move, advance_billing_time: Move, deliver_webhooks: Move
) -> None:
    user = subscribed_user(plan="standard")
    advance_billing_time(days=31)
    assert ledger(user) == [("succeeded", 1200)], "on its way"

    told = deliver_webhooks()

    assert "invoice.paid" in told
    assert ledger(user) == [("succeeded", 1200)] * 2
    assert user.subscription.current_period_start == START + timedelta(days=30, minutes=1)
    assert deliver_webhooks() == [], "each once"


def test_events_may_come_twice_and_in_any_order(
    subscribed_user: Move, billing_sandbox: BillingSandbox, deliver_webhooks: Move
) -> None:
    user = subscribed_user(plan="standard")
    before = len(billing_sandbox.objects("event"))
    billing_sandbox.advance(days=31)
    doubled = [event["type"] for event in billing_sandbox.objects("event")[before:] for _ in range(2)]

    told = deliver_webhooks(twice=True, shuffled=3)

    assert told != doubled
    assert sorted(told) == sorted(doubled)
    assert ledger(user) == [("succeeded", 1200)] * 2


def test_a_payment_fails_and_the_grace_ends(
    subscribed_user: Move,
    fail_next_payment: Move,
    advance_billing_time: Move,
    deliver_webhooks: Move,
    run_billing_jobs: Move,
    assert_quota: Move,
) -> None:
    user = subscribed_user(plan="standard")
    fail_next_payment(user, times=9)
    advance_billing_time(days=31)
    deliver_webhooks()
    assert user.subscription.status == "past_due"
    assert_quota(user, "video", limit=50)

    mail.outbox.clear()
    advance_billing_time(days=4)
    run_billing_jobs()

    assert_quota(user, "video", limit=3, allowed=True)
    assert mail.outbox, "the user is told that the grace has ended"

    advance_billing_time(days=14)
    deliver_webhooks()
    assert user.subscription.status == "cancelled"


def test_a_payment_that_failed_once_is_made_up_for(
    subscribed_user: Move, fail_next_payment: Move, billing_sandbox: BillingSandbox
) -> None:
    user = subscribed_user(plan="standard")
    fail_next_payment(user)
    assert billing_sandbox.renew(user).status == "past_due"
    billing_sandbox.advance(days=4)
    billing_sandbox.deliver_webhooks()
    assert ledger(user) == [("succeeded", 1200), ("failed", 1200), ("succeeded", 1200)]


def test_up_at_once_down_at_the_end_and_away(
    subscribed_user: Move, billing_sandbox: BillingSandbox, assert_quota: Move
) -> None:
    user = subscribed_user(plan="standard")
    assert billing_sandbox.change_plan(user, "premium").plan.slug == "premium"
    assert_quota(user, "video", limit=None)
    scheduled = billing_sandbox.change_plan(user, "standard")
    assert (scheduled.plan.slug, scheduled.pending_plan and scheduled.pending_plan.slug) == (
        "premium",
        "standard",
    )
    assert billing_sandbox.renew(user).plan.slug == "standard"

    assert billing_sandbox.cancel(user).cancel_at_period_end
    assert not billing_sandbox.reactivate(user).cancel_at_period_end
    billing_sandbox.cancel(user)
    assert billing_sandbox.renew(user).status == "cancelled"
    assert billing_sandbox.subscription_of(user).status == user.subscription.status
    assert_quota(user, "video", limit=3)


def test_the_hosts_own_checkout_is_paid(
    client: Client, user: User, billing_sandbox: BillingSandbox, deliver_webhooks: Move
) -> None:
    client.force_login(user)
    plan = SubscriptionPlan.objects.get(slug="standard")
    answer = client.post(URLS["billing/subscription/checkout"], {"plan_id": plan.pk}, "application/json")
    assert answer.status_code == 200, answer.content

    with pytest.raises(SandboxError, match=f"{DECLINED} was declined: generic_decline"):
        billing_sandbox.pay_checkout(user, card=DECLINED)
    assert billing_sandbox.pay_checkout(user).startswith("http://testserver/")
    deliver_webhooks()

    assert ledger(user)[-1] == ("succeeded", 1200)


def test_what_was_used_before_is_not_counted_against_what_is_paid_for(
    subscribed_user: Move, billing_sandbox: BillingSandbox, assert_quota: Move
) -> None:
    user = subscribed_user(plan="free")
    UsageTracker.increment_video_count(user, 3)
    billing_sandbox.subscribe(user, "standard")
    assert_quota(user, "video", used=0, limit=50)


def test_a_card_that_saves_and_then_fails(subscribed_user: Move) -> None:
    with pytest.raises(SandboxError, match="declined"):
        subscribed_user(plan="standard", card=REFUSED_LATER)


def test_what_differs_of_a_quota_is_said_at_once(subscribed_user: Move, assert_quota: Move) -> None:
    user = subscribed_user(plan="free")
    UsageTracker.increment_video_count(user, 3)
    assert_quota(user, "video", used=3, limit=3, allowed=False)
    assert_quota(user, "transcription", used=0, limit=1800, allowed=True)

    with pytest.raises(AssertionError) as wrong:
        assert_quota(user, "video", used=2, limit=None, allowed=True)

    assert str(wrong.value).startswith(
        f"video of {user}: used 3, not 2; limit 3, not None; one more is refused: "
    )
    with pytest.raises(AssertionError, match="one more is let through"):
        assert_quota(user, "transcription", allowed=False)


def test_a_user_may_be_given_a_plan_without_stripe(
    billing_sandbox: BillingSandbox, assert_quota: Move
) -> None:
    user = make_user_on("premium", username="friend")
    assert_quota(user, "video", limit=None)
    assert billing_sandbox.objects("customer") == []


@pytest.mark.parametrize("number", [1, 2])
def test_every_test_begins_anew(number: int, subscribed_user: Move, billing_sandbox: BillingSandbox) -> None:
    assert billing_sandbox.objects("customer") == []
    assert timezone.now() == START
    subscribed_user(plan="standard")
    billing_sandbox.advance(days=40)


@pytest.mark.django_db(transaction=True)
def test_it_works_without_a_transaction_of_the_test(
    subscribed_user: Move, billing_sandbox: BillingSandbox
) -> None:
    user = subscribed_user(plan="standard")
    assert billing_sandbox.renew(user).status == "active"
    assert ledger(user) == [("succeeded", 1200)] * 2
