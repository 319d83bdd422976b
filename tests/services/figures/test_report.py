"""What the dashboard reads of the days that are kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from django_videoq_billing.models import DailyFigures, DailyMoney
from django_videoq_billing.services.figures.report import MOVEMENT, OF_LEDGER, RECURRING, Report, flat, report
from tests.services.figures.days import MONDAY

pytestmark = pytest.mark.django_db

MEASURED, EMPTY, LOOKED_AT, UNSEEN, AFTER = (MONDAY.date() + timedelta(days=number) for number in range(5))
"""A day with money, one without, one of which the ledger alone tells, one that is unknown, and one not yet written."""


@pytest.fixture
def found() -> Report:
    figures: list[dict[str, Any]] = [
        {"date": MEASURED, "measured_at": MONDAY, "plans": {"standard": {"active": 3}}, "trials_ended": 4},
        {"date": EMPTY, "measured_at": MONDAY, "webhooks": {"failed": 2, "seconds": {"median": 1}}},
        {"date": LOOKED_AT, "usage": {"video": {"full": 5}}},
        {"date": UNSEEN},
    ]
    DailyFigures.objects.bulk_create(DailyFigures(**day) for day in figures)
    usd: dict[str, Any] = {"currency": "USD", "arr": 14406, "subscriptions": 3, "new": 1200, "churn": 24}
    DailyMoney.objects.bulk_create(
        [
            DailyMoney(date=MEASURED, source="measured", payments=900, failed=1, **usd),
            DailyMoney(date=MEASURED, source="measured", currency="JPY", subscriptions=4),
            DailyMoney(date=LOOKED_AT, source="ledger", **usd),
            DailyMoney(date=UNSEEN, source="unknown", refunds=70, **usd),
        ]
    )
    return report(MEASURED, AFTER)


def test_recurring_figures_are_a_months_and_subscriptions_are_subscriptions(found: Report) -> None:
    assert found.recurring(MEASURED, "USD", "mrr") == 1201, "half a cent is rounded up"
    assert found.recurring(MEASURED, "USD", "subscriptions") == 3
    assert [found.recurring(LOOKED_AT, "USD", name) for name in MOVEMENT] == [100, 0, 0, 2]
    assert found.a_year(MEASURED, "USD", "arr") == 14406


def test_nothing_and_nobody_knows_are_two_things(found: Report) -> None:
    days = (MEASURED, EMPTY, LOOKED_AT, UNSEEN, AFTER)
    assert [found.recurring(day, "JPY", "mrr") for day in days] == [0, 0, None, None, None]
    assert [found.a_year(day, "USD", "arr") for day in days] == [14406, 0, 14406, None, None]
    assert [found.of_ledger(day, "USD", "refunds") for day in days] == [0, 0, 0, 70, None]
    assert [found.of_ledger(day, "USD", "payments") for day in days] == [900, 0, 0, 0, None]
    sources = [found.source(day, "USD") for day in days]
    assert sources == ["measured", "measured", "ledger", "unknown", "unknown"]
    assert [found.source(day, "EUR") for day in days] == ["measured", "measured", *["unknown"] * 3]


def test_the_site_at_a_glance(found: Report) -> None:
    assert found.all_days == [MEASURED, EMPTY, LOOKED_AT, UNSEEN, AFTER]
    assert found.currencies == ["JPY", "USD"]
    assert found.main_currency() == "JPY", "the one with the most subscriptions"
    assert found.latest is not None
    assert found.latest.date == EMPTY


def test_before_anything_is_kept() -> None:
    empty = report(MEASURED, EMPTY)
    assert (empty.latest, empty.currencies, empty.main_currency(), list(flat(empty))) == (None, [], "", [])


def test_every_figure_by_itself(found: Report) -> None:
    lines = {(day, name, of): value for day, name, of, value in flat(found)}
    assert lines[MEASURED, "recurring.mrr", "USD"] == 1201
    assert lines[MEASURED, "movement.new", "USD"] == 100
    assert lines[MEASURED, "ledger.payments", "USD"] == 900
    assert lines[UNSEEN, "recurring.source", "USD"] == "unknown"
    assert lines[UNSEEN, "recurring.mrr", "USD"] is None
    assert lines[MEASURED, "plans.active", "standard"] == 3
    assert lines[LOOKED_AT, "usage.full", "video"] == 5
    assert (lines[MEASURED, "trials.ended", ""], lines[EMPTY, "trials.ended", ""]) == (4, 0)
    assert (lines[EMPTY, "webhooks.failed", ""], lines[EMPTY, "webhooks.seconds.median", ""]) == (2, 1)
    of_money = 2 * 5 * (1 + len(RECURRING) + len(MOVEMENT) + len(OF_LEDGER))  # for each currency, on each day
    of_days = 4 * 4 + 4  # four about trials for each day that is kept, and what else there is
    assert len(lines) == of_money + of_days
