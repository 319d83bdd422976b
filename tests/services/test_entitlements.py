from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, User
from django.test import override_settings
from django.utils import timezone

from django_videoq_billing.exceptions import AccountInactive, NotAuthenticated
from django_videoq_billing.models import SubscriptionPlan, UsageRecord, UserSubscription
from django_videoq_billing.services.entitlements import (
    effective_plan,
    ensure_subscription,
    entitlement_for,
    find_subscription,
)
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.types import Period
from tests.factories import make_plan, make_user, subscribed

pytestmark = pytest.mark.django_db
Status = UserSubscription.Status


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestDefaultPlan:
    @pytest.mark.django_db(transaction=True)
    def test_a_new_user_is_on_the_default_plan_at_once(self) -> None:
        user = make_user()

        assert user.subscription.plan.slug == "free"
        assert user.subscription.status == Status.ACTIVE

    @pytest.mark.django_db(transaction=True)
    def test_a_host_may_keep_it_for_the_first_use(self) -> None:
        with override_settings(VIDEOQ_BILLING={"AUTO_ASSIGN_DEFAULT_PLAN": False}):
            user = make_user()
            assert not UserSubscription.objects.exists()
            assert find_subscription(user) is None
            assert entitlement_for(user).plan_slug == "free"
            assert UserSubscription.objects.get().user == user

    @pytest.mark.django_db(transaction=True)
    def test_loading_a_fixture_gives_nothing(self) -> None:
        user = User(pk=77, username="loaded")
        user.save_base(raw=True)

        assert not UserSubscription.objects.exists()

    def test_a_user_older_than_the_app_gets_it_on_first_use(self) -> None:
        user = make_user()
        UserSubscription.objects.all().delete()

        entitlement = entitlement_for(user)

        assert (entitlement.plan_slug, entitlement.video_limit) == ("free", 3)
        assert entitlement.transcription_limit_seconds == 30 * 60

    def test_the_first_period_is_a_calendar_month_from_now(self) -> None:
        with time_machine.travel(moment("2026-01-31T10:30"), tick=False):
            period = entitlement_for(make_user()).period

        assert period == Period(moment("2026-01-31T10:30"), moment("2026-02-28T10:30"))

    def test_the_row_of_the_database_wins_over_the_settings(self) -> None:
        make_plan(slug="free", name="Gratis", video_limit=7)

        assert entitlement_for(make_user()).video_limit == 7

    def test_assigning_twice_keeps_the_first(self) -> None:
        user = make_user()

        assert ensure_subscription(user).pk == ensure_subscription(user).pk

    def test_it_carries_the_flags_of_the_effective_plan(self) -> None:
        user = subscribed(make_plan(feature_flags={"hd": True}), status=Status.PAUSED)
        assert entitlement_for(user).feature_flags == {}
        UserSubscription.objects.update(status=Status.ACTIVE)
        assert entitlement_for(user).feature_flags == {"hd": True}

    def test_a_plan_that_took_its_name_is_not_in_the_way(self) -> None:
        make_plan(name="Free", slug="old-free")

        assert entitlement_for(make_user()).plan_name == "Free (free)"

    @pytest.mark.django_db(transaction=True)
    def test_an_account_deleted_in_the_middle_of_a_request_is_nobody(self) -> None:
        user = make_user()
        User.objects.filter(pk=user.pk).delete()

        with pytest.raises(NotAuthenticated):
            entitlement_for(user)


class TestWho:
    @pytest.mark.parametrize("nobody", [AnonymousUser(), get_user_model()(), None])
    def test_nobody_is_refused(self, nobody: Any) -> None:
        with pytest.raises(NotAuthenticated):
            entitlement_for(nobody)
        assert not UserSubscription.objects.exists()

    def test_an_inactive_user_is_refused(self) -> None:
        with pytest.raises(AccountInactive):
            entitlement_for(make_user(is_active=False))


class TestEffectivePlan:
    @pytest.mark.parametrize(
        ("fields", "paid"),
        [
            ({"status": Status.ACTIVE}, True),
            ({"status": Status.TRIALING}, True),
            ({"status": Status.PAST_DUE}, True),
            ({"status": Status.PAST_DUE, "current_period_start": moment("2026-04-28")}, False),
            ({"status": Status.PAST_DUE, "grace_period_end": timedelta(seconds=1)}, True),
            ({"status": Status.PAST_DUE, "grace_period_end": timedelta(0)}, False),
            ({"status": Status.CANCELLED}, False),
            ({"status": Status.INCOMPLETE}, False),
            ({"status": Status.INCOMPLETE_EXPIRED}, False),
            ({"status": Status.UNPAID}, False),
            ({"status": Status.PAUSED}, False),
            ({"status": Status.ACTIVE, "cancel_at_period_end": True}, True),
        ],
    )
    def test_status_decides(self, fields: dict[str, Any], paid: bool) -> None:
        with time_machine.travel(moment("2026-05-01"), tick=False):
            if "grace_period_end" in fields:
                fields = {**fields, "grace_period_end": timezone.now() + fields["grace_period_end"]}
            user = subscribed(make_plan(slug="paid", video_limit=50), **fields)

            assert entitlement_for(user).plan_slug == ("paid" if paid else "free")

    def test_a_cancelled_plan_ends_with_its_period_though_no_webhook_came(self) -> None:
        user = subscribed(make_plan(slug="paid"), stripe_subscription_id="sub_1", cancel_at_period_end=True)
        end = user.subscription.current_period_end

        with time_machine.travel(end - timedelta(seconds=1), tick=False):
            assert entitlement_for(user).plan_slug == "paid"
        for later in (end, end + timedelta(days=100)):
            with time_machine.travel(later, tick=False):
                assert entitlement_for(user).plan_slug == "free"
                assert entitlement_for(user).plan_slug == "free", "a second look must not undo it"

    def test_a_changed_plan_counts_from_the_next_look(self) -> None:
        plan = make_plan(video_limit=5)
        user = subscribed(plan)
        assert entitlement_for(user).video_limit == 5

        SubscriptionPlan.objects.filter(pk=plan.pk).update(video_limit=6)

        assert entitlement_for(user).video_limit == 6
        assert effective_plan(ensure_subscription(user)).video_limit == 6


class TestRolling:
    def test_a_period_that_ended_is_followed_by_the_next_and_saved(self) -> None:
        with time_machine.travel(moment("2026-01-31T12:00"), tick=False):
            user = subscribed(make_plan())

        ends = []
        for month in ("2026-02-28T12:00", "2026-03-31T11:59", "2026-03-31T12:00", "2026-06-01"):
            with time_machine.travel(moment(month), tick=False):
                ends.append(entitlement_for(user).period)
                user.subscription.refresh_from_db()
                assert user.subscription.period == ends[-1]

        assert ends == [
            Period(moment("2026-02-28T12:00"), moment("2026-03-31T12:00")),
            Period(moment("2026-02-28T12:00"), moment("2026-03-31T12:00")),
            Period(moment("2026-03-31T12:00"), moment("2026-04-30T12:00")),
            Period(moment("2026-05-31T12:00"), moment("2026-06-30T12:00")),
        ]

    def test_a_yearly_plan_has_a_yearly_period(self) -> None:
        with time_machine.travel(moment("2024-02-29"), tick=False):
            user = subscribed(make_plan(interval="year"))
            assert entitlement_for(user).period.end == moment("2025-02-28")
        with time_machine.travel(moment("2028-02-29"), tick=False):
            assert entitlement_for(user).period == Period(moment("2028-02-29"), moment("2029-02-28"))

    def test_a_yearly_subscriber_who_fell_back_has_the_default_plans_allowance_each_month(self) -> None:
        with time_machine.travel(moment("2026-01-31"), tick=False):
            user = subscribed(make_plan(interval="year", video_limit=900))
            UsageTracker.increment_video_count(user, 500)
        UserSubscription.objects.update(status=Status.UNPAID)

        with time_machine.travel(moment("2026-03-15"), tick=False):
            assert entitlement_for(user).period == Period(moment("2026-02-28"), moment("2026-03-31"))
            for _ in range(3):
                UsageTracker.reserve(user, "video").commit()
            assert not UsageTracker.can_upload_video(user)[0]
        with time_machine.travel(moment("2026-03-31"), tick=False):
            assert UsageTracker.can_upload_video(user)[0]

    def test_a_late_renewal_neither_blocks_nor_gives_the_old_allowance_again(self) -> None:
        """Stripe bills this one and its webhook is late: the next period is forecast and nothing is saved."""
        with time_machine.travel(moment("2026-01-15"), tick=False):
            user = subscribed(make_plan(video_limit=2), stripe_subscription_id="sub_1")
            UsageTracker.reserve(user, "video", 2).commit()

        with time_machine.travel(moment("2026-02-15T00:05"), tick=False):
            UsageTracker.reserve(user, "video").commit()
            user.subscription.refresh_from_db()
            assert user.subscription.current_period_end == moment("2026-02-15")

            # The webhook comes: the same start, so what was used meanwhile stays counted.
            UserSubscription.objects.update(
                current_period_start=moment("2026-02-15"), current_period_end=moment("2026-03-15")
            )
            assert UsageTracker.get_usage(user)["video_count"] == 1
        assert sorted(UsageRecord.objects.values_list("video_count", flat=True)) == [1, 2]

    def test_a_period_set_by_hand_is_kept_and_the_next_begins_at_its_end(self) -> None:
        user = subscribed(
            make_plan(),
            current_period_start=moment("2026-01-10"),
            current_period_end=moment("2026-01-31"),
            period_anchor=moment("2026-01-10"),
        )
        periods = []
        for day in ("2026-01-20", "2026-01-31", "2026-03-01", "2026-03-31"):
            with time_machine.travel(moment(day), tick=False):
                periods.append(entitlement_for(user).period)

        assert periods == [
            Period(moment("2026-01-10"), moment("2026-01-31")),
            Period(moment("2026-01-31"), moment("2026-02-28")),
            Period(moment("2026-02-28"), moment("2026-03-31")),
            Period(moment("2026-03-31"), moment("2026-04-30")),
        ]
