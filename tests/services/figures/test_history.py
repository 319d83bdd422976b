"""The days before the first look, and those on which nobody looked, as far as payments tell them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from django_videoq_billing.models import (
    DailyFigures,
    DailyMoney,
    PaymentTransaction,
    SubscriptionPlan,
)
from django_videoq_billing.services.figures import rebuild, roll_up
from tests.factories import make_payment, make_plan, make_user
from tests.services.figures.days import DAY, MONDAY, MOVES, ends, interrupted, money, pays

pytestmark = pytest.mark.django_db


class TestHistory:
    """Before the first look, as far as payments tell it."""

    def everything(self) -> list[list[dict[str, Any]]]:
        names = [field.name for field in DailyMoney._meta.fields if field.name != "id"]
        money: Any = DailyMoney.objects.order_by("date", "currency").values(*names)
        days: Any = DailyFigures.objects.order_by("date").values()
        return [list(money), list(days)]

    def of(self, day: date, currency: str = "USD") -> dict[str, int]:
        row = DailyMoney.objects.filter(date=day, currency=currency).first()
        return {name: getattr(row, name) for name in MOVES if row and getattr(row, name)}

    def paid(self, user: User, plan: SubscriptionPlan, *days: tuple[int, int], **fields: Any) -> None:
        for month, day in days:
            at = datetime(2026, month, day, 12, tzinfo=UTC)
            make_payment(user=user, plan=plan, currency=plan.currency, created_at=at, **fields)

    def test_a_life_in_payments(self, standard: SubscriptionPlan, premium: SubscriptionPlan) -> None:
        user = make_user()
        self.paid(user, standard, (3, 10), (4, 10), (5, 12))
        self.paid(user, premium, (5, 20), type=PaymentTransaction.Type.PRORATION)
        roll_up(MONDAY)
        assert self.of(date(2026, 3, 9)) == {}
        assert self.of(date(2026, 3, 10)) == {"arr": 14400, "new": 14400}
        assert self.of(date(2026, 5, 11)) == {"arr": 14400}, "two days late, and within the days of grace"
        assert self.of(date(2026, 5, 20)) == {"arr": 30000, "expansion": 15600}
        assert self.of(date(2026, 11, 22)) == {"arr": 30000}
        assert DailyFigures.objects.get(date=date(2026, 5, 20)).plans == {"premium": {"active": 1}}

    @pytest.mark.parametrize(("day", "gone"), [(13, {}), (14, {"churn": 14400})])
    def test_the_last_day_of_grace(self, standard: SubscriptionPlan, day: int, gone: dict[str, int]) -> None:
        self.paid(make_user(), standard, (3, 10), (4, day))
        roll_up(MONDAY)
        assert self.of(date(2026, 4, 10)) == (gone or {"arr": 14400})
        assert self.of(date(2026, 4, day)) == {"arr": 14400, **({"new": 14400} if gone else {})}

    def test_an_upgrade_within_the_days_of_grace(self, standard: SubscriptionPlan) -> None:
        user, larger = make_user(), make_plan(slug="larger", price_cents=2400)
        self.paid(user, standard, (3, 10), (5, 20))
        self.paid(user, larger, (4, 11), type=PaymentTransaction.Type.PRORATION)
        roll_up(MONDAY)
        assert self.of(date(2026, 4, 10)) == {"arr": 14400}
        assert self.of(date(2026, 4, 11)) == {"arr": 28800, "expansion": 14400}
        assert self.of(date(2026, 4, 12)) == {"churn": 28800}
        assert self.of(date(2026, 5, 20)) == {"arr": 14400, "new": 14400}

    def test_no_payment_came_any_more(self, standard: SubscriptionPlan, in_yen: SubscriptionPlan) -> None:
        self.paid(make_user(), standard, (3, 31), (4, 30))
        self.paid(make_user(), in_yen, (5, 1))
        roll_up(MONDAY)
        assert self.of(date(2026, 5, 29)) == {"arr": 14400}
        assert self.of(date(2026, 5, 30)) == {"churn": 14400}
        assert self.of(date(2026, 6, 1), "JPY") == {"churn": 17760}
        assert self.of(date(2026, 6, 2)) == {}

    def test_who_pays_now_has_not_ended(self, standard: SubscriptionPlan) -> None:
        self.paid(pays(standard), standard, (10, 21))
        roll_up(MONDAY)
        assert self.of(date(2026, 11, 22)) == {"arr": 14400}
        assert self.of(MONDAY.date()) == {"arr": 14400}

    @pytest.mark.parametrize(
        ("with_period", "ended"), [(False, date(2026, 11, 5)), (True, date(2026, 11, 12))]
    )
    def test_who_cancelled_ended_when_the_row_says(
        self, standard: SubscriptionPlan, with_period: bool, ended: date
    ) -> None:
        decided, over = datetime(2026, 11, 5, tzinfo=UTC), datetime(2026, 11, 12, tzinfo=UTC)
        user = pays(
            standard,
            status="cancelled",
            cancelled_at=decided,
            cancel_at_period_end=with_period,
            current_period_start=over - 30 * DAY,
            current_period_end=over,
        )
        self.paid(user, standard, (10, 13))
        roll_up(MONDAY)
        assert self.of(ended - DAY) == {"arr": 14400}
        assert self.of(ended) == {"churn": 14400}
        assert self.of(ended + DAY) == {}

    def test_it_never_replaces_what_was_measured(self, standard: SubscriptionPlan) -> None:
        pays(standard)
        roll_up(MONDAY)
        measured = DailyMoney.objects.filter(date=MONDAY.date())
        before = list(measured.values())
        self.paid(make_user(), standard, (10, 21))
        assert rebuild(date(2026, 10, 1), MONDAY) == 54
        assert list(measured.values()) == before
        assert [(row["source"], row["arr"]) for row in before] == [("measured", 14400)]
        assert self.of(date(2026, 10, 21)) == {"arr": 14400, "new": 14400}

    def test_a_gap_between_looks_is_filled_and_the_looks_stay(self, standard: SubscriptionPlan) -> None:
        free_of_charge = pays(standard)
        roll_up(MONDAY - 6 * DAY)
        ends(free_of_charge)
        roll_up(MONDAY - 4 * DAY)
        roll_up(MONDAY)
        looks = [MONDAY - 6 * DAY, MONDAY - 4 * DAY]
        before = [money(day) for day in looks]
        self.paid(pays(standard), standard, (11, 10))
        rebuild(date(2026, 11, 1), MONDAY)
        assert [money(day) for day in looks] == before == [{"arr": 14400}, {"churn": 14400}]
        assert money(MONDAY - 5 * DAY) == {"arr": 14400}, "from payments"

    def test_a_first_run_that_is_cut_short_is_repeated(
        self, standard: SubscriptionPlan, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.paid(pays(standard), standard, (10, 21))
        with monkeypatch.context() as broken:
            broken.setattr("django_videoq_billing.services.figures.recurring.look", interrupted)
            with pytest.raises(ConnectionError):
                roll_up(MONDAY)
        roll_up(MONDAY)
        assert self.of(date(2026, 10, 21)) == {"arr": 14400, "new": 14400}
        assert DailyMoney.objects.get(date=date(2026, 10, 21)).payments == 1200

    def test_rebuilding_twice_is_rebuilding_once(self, standard: SubscriptionPlan) -> None:
        user = make_user()
        self.paid(user, standard, (3, 10), (4, 10))
        roll_up(MONDAY)
        once = self.everything()
        assert len(once[0]) == 62, "two months, and the day of the end"
        rebuild(MONDAY.date() - timedelta(days=365), MONDAY)
        assert self.everything() == once
