"""Support's work on the page of a user's subscription."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from django_videoq_billing.models import ExtraAllowance, SubscriptionPlan, UsageCorrection, UserSubscription
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.services.support import grant_allowance
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.admin.conftest import log, move, page, staff_who_may, text
from tests.factories import make_plan, make_user, subscribed

ALL = {
    "assign": "assign_plan",
    "grant": "grant_allowance",
    "revoke": "grant_allowance",
    "correct": "correct_usage",
    "extend": "extend_grace",
    "cancel": "cancel_subscription",
    "reactivate": "cancel_subscription",
}
BUTTONS = {
    "assign": "Assign a plan",
    "grant": "Grant an extra allowance",
    "revoke": "Revoke an extra allowance",
    "correct": "Correct usage",
    "extend": "Extend the grace period",
    "cancel": "Cancel the subscription",
    "reactivate": "Take the cancellation back",
}


@pytest.fixture
def ada(plan: SubscriptionPlan) -> Any:
    """On a plan of 5 videos, 2 of which are used."""
    user = subscribed(plan, make_user(username="ada"))
    UsageTracker.increment_video_count(user, 2)
    return user


def do(client: Client, user: Any, name: str, **form: Any) -> str:
    return text(client.post(move(user.subscription, name), form, follow=True))


def typed(moment: datetime) -> str:
    """As the browser's own calendar sends it."""
    return f"{moment:%Y-%m-%dT%H:%M}"


def in_a_week() -> datetime:
    return (timezone.now() + timedelta(days=7)).replace(second=0, microsecond=0)


class TestAssigning:
    def test_for_good(self, admin_client: Client, ada: Any) -> None:
        gift = make_plan(name="Gift", slug="gift", is_public=False)
        shown = do(admin_client, ada, "assign", plan=gift.pk, until="")
        assert "The plan “Gift” was assigned to ada." in shown
        assert entitlement_for(ada).plan_slug == "gift"
        assert UserSubscription.objects.get().assigned_until is None
        assert log() == ["Plan gift assigned for good."]

    def test_for_a_time(self, admin_client: Client, ada: Any) -> None:
        gift, until = make_plan(slug="gift"), in_a_week()
        do(admin_client, ada, "assign", plan=gift.pk, until=typed(until))
        assert UserSubscription.objects.get().assigned_until == until
        assert log() == [f"Plan gift assigned until {until:%Y-%m-%dT%H:%M}+00:00."]

    def test_not_into_the_past_and_not_what_is_inactive(self, admin_client: Client, ada: Any) -> None:
        gone = make_plan(is_active=False)
        assert "Select a valid choice" in do(admin_client, ada, "assign", plan=gone.pk)
        past = typed(timezone.now() - timedelta(days=1))
        shown = do(admin_client, ada, "assign", plan=make_plan().pk, until=past)
        assert "must lie in the future" in shown
        assert entitlement_for(ada).plan_slug == ada.subscription.plan.slug
        assert log() == []

    def test_not_where_stripe_bills(self, admin_client: Client, plan: SubscriptionPlan) -> None:
        user = subscribed(plan, stripe_subscription_id="sub_1")
        shown = do(admin_client, user, "assign", plan=make_plan().pk)
        assert "billed by Stripe; change it there" in shown
        assert log() == []


class TestAllowances:
    def test_are_granted_with_reason_and_author(self, admin_client: Client, ada: Any) -> None:
        shown = do(admin_client, ada, "grant", metric="video", amount=4, until="", reason="Upload lost")
        assert "Granted: +4 videos" in shown
        row = ExtraAllowance.objects.get()
        assert (row.amount, row.reason, str(row.author)) == (4, "Upload lost", "admin")
        assert row.expires_at == entitlement_for(ada).period.end
        assert "2 of 9" in shown
        assert log()[0].endswith("Upload lost")

    @pytest.mark.parametrize(
        ("wrong", "sentence"),
        [({"reason": " "}, "required"), ({"amount": 0}, "greater than"), ({"metric": "cpu"}, "valid choice")],
    )
    def test_nonsense_is_said_beside_the_field(
        self, admin_client: Client, ada: Any, wrong: dict[str, Any], sentence: str
    ) -> None:
        form = {"metric": "video", "amount": 4, "reason": "Lost", **wrong}
        assert sentence in do(admin_client, ada, "grant", **form)
        assert not ExtraAllowance.objects.exists()

    def test_are_revoked(self, admin_client: Client, ada: Any) -> None:
        rows = [grant_allowance(ada, "video", n, reason=f"No. {n}", author=None) for n in (3, 1)]
        others = grant_allowance(make_user(), "video", 9, reason="Not ada's", author=None)
        shown = text(admin_client.get(move(ada.subscription, "revoke")))
        assert "No. 3" in shown
        assert "Not ada" not in shown
        assert "valid choice" in do(admin_client, ada, "revoke", allowance=others.pk)
        assert "Revoked: +3" in do(admin_client, ada, "revoke", allowance=rows[0].pk)
        assert entitlement_for(ada).video_limit == 6


class TestCorrecting:
    def test_resets_with_a_reason(self, admin_client: Client, ada: Any) -> None:
        shown = do(admin_client, ada, "correct", metric="video", used=0, reason="Counted twice")
        assert "Corrected from 2 to 0 videos." in shown
        assert UsageTracker.get_usage(ada)["video_count"] == 0
        row = UsageCorrection.objects.get()
        assert (row.before, row.after, row.reason, str(row.author)) == (2, 0, "Counted twice", "admin")
        assert log() == ["videos of ada corrected from 2 to 0: Counted twice"]

    def test_to_where_it_stands_is_refused_in_words(self, admin_client: Client, ada: Any) -> None:
        shown = do(admin_client, ada, "correct", metric="video", used=2, reason="?")
        assert "stands there already" in shown
        assert log() == []


class TestGrace:
    def test_is_extended(self, admin_client: Client, plan: SubscriptionPlan) -> None:
        user = subscribed(plan, status="past_due", stripe_subscription_id="sub_1")
        until = in_a_week()
        assert "paid or not" in do(admin_client, user, "extend", until=typed(until))
        assert UserSubscription.objects.get().grace_period_end == until

    def test_where_nothing_is_overdue_it_is_refused(self, admin_client: Client, ada: Any) -> None:
        shown = do(admin_client, ada, "extend", until=typed(in_a_week()))
        assert "No payment is overdue" in shown


class TestWhoMay:
    @pytest.mark.parametrize("name", ALL)
    def test_only_with_the_permission_of_the_move(self, ada: Any, name: str) -> None:
        others = set(ALL.values()) - {ALL[name]}
        address = move(ada.subscription, name)
        without = staff_who_may("view_usersubscription", "change_usersubscription", *others)
        before = UserSubscription.objects.values().get()
        for answer in (
            without.get(address),
            without.post(address, {"reason": "x", "used": 0, "when": "now"}),
        ):
            assert answer.status_code == 403
        assert UserSubscription.objects.values().get() == before
        assert not LogEntry.objects.exists()
        with_it = staff_who_may("view_usersubscription", ALL[name])
        assert with_it.get(address).status_code == (405 if name == "reactivate" else 200)
        assert staff_who_may(ALL[name]).get(address).status_code == 403, "one must see the user's row, too"
        assert Client().get(address).status_code == 302

    def test_the_buttons_are_those_that_work(self, ada: Any) -> None:
        address = page("usersubscription", "change", ada.subscription.pk)

        def buttons(*permissions: str) -> set[str]:
            shown = text(staff_who_may("view_usersubscription", *permissions).get(address))
            return {name for name, button in BUTTONS.items() if f">{button}<" in shown}

        assert buttons() == set()
        assert buttons(*ALL.values()) == {"assign", "grant", "correct"}
        assert buttons("grant_allowance") == {"grant"}
        grant_allowance(ada, "video", 1, reason="x", author=None)
        UserSubscription.objects.update(
            stripe_subscription_id="sub_1", status="past_due", cancel_at_period_end=True
        )
        assert buttons(*ALL.values()) == set(ALL) - {"assign"}

    def test_looking_changes_nothing(self, admin_client: Client, ada: Any) -> None:
        before = UserSubscription.objects.values().get()
        for name in set(ALL) - {"reactivate"}:
            query: dict[str, Any] = {
                "plan": make_plan().pk,
                "metric": "video",
                "used": 0,
                "reason": "x",
                "when": "now",
            }
            text(admin_client.get(move(ada.subscription, name), query))
        assert UserSubscription.objects.values().get() == before

    def test_an_unknown_move_or_row_is_not_found(self, admin_client: Client, ada: Any) -> None:
        assert admin_client.get(move(ada.subscription, "dance")).status_code == 404
        address = move(ada.subscription, "grant").replace(f"/{ada.subscription.pk}/", "/999999/")
        assert admin_client.get(address).status_code == 404

    def test_a_forged_form_is_refused(self, admin_user: Any, ada: Any) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(admin_user)
        form = {"metric": "video", "used": 0, "reason": "x"}
        assert client.post(move(ada.subscription, "correct"), form).status_code == 403
        assert UsageTracker.get_usage(ada)["video_count"] == 2


@pytest.mark.parametrize(
    ("key", "path"),
    [("sk_test_0123456789", "test/customers/cus_1"), ("sk_live_0123456789", "customers/cus_1")],
)
def test_the_customer_in_stripes_dashboard(
    admin_client: Client, plan: SubscriptionPlan, settings: Any, key: str, path: str
) -> None:
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "STRIPE_SECRET_KEY": key}
    user = subscribed(plan, stripe_customer_id="cus_1")
    shown = text(admin_client.get(page("usersubscription", "change", user.subscription.pk)))
    assert f'"https://dashboard.stripe.com/{path}"' in shown


def test_in_japanese(admin_client: Client, ada: Any) -> None:
    shown = text(
        admin_client.post(
            move(ada.subscription, "correct"),
            {"metric": "video", "used": 0, "reason": "二重"},
            follow=True,
            headers={"accept-language": "ja"},
        )
    )
    assert "使用量を修正" in shown
    assert log() == ["videos of ada corrected from 2 to 0: 二重"], "the log is read by more than its author"
