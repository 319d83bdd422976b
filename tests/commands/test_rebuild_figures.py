from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import time_machine
from django.core.management.base import CommandError

from django_videoq_billing.jobs import JOBS, run_job
from django_videoq_billing.models import DailyFigures, DailyMoney
from tests.commands.conftest import Run
from tests.factories import make_payment, make_plan

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.django_db
def test_days_from_before_the_first_look(run: Run) -> None:
    plan = make_plan(slug="in-yen", price_cents=1480, currency="JPY")
    with time_machine.travel(NOW, tick=False):
        make_payment(
            plan=plan, currency="JPY", amount_cents=1480, created_at=datetime(2025, 3, 1, tzinfo=UTC)
        )
        row = run_job(JOBS["roll_up_figures"])
        assert row is not None
        assert (row.outcome, row.done) == ("ok", 366)
        assert not DailyMoney.objects.exists()
        assert "The figures of 635 days are written." in run("rebuild_figures", since="2025-03-01")
    first = DailyMoney.objects.get(date=date(2025, 3, 1))
    assert (first.currency, first.source, first.arr, first.payments) == ("JPY", "ledger", 17760, 1480)
    assert DailyFigures.objects.get(measured_at__isnull=False).date == NOW.date()


@pytest.mark.django_db
def test_the_next_runs_read_what_may_still_change() -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        assert run_job(JOBS["roll_up_figures"])
        clock.move_to(NOW.replace(hour=13))
        row = run_job(JOBS["roll_up_figures"])
    assert row is not None
    assert row.done == 46


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("since", "refusal"),
    [("soon", "--since takes a day"), ("2126-01-01", "lies ahead"), ("1926-01-01", "ten years back")],
)
def test_what_is_no_day(run: Run, since: str, refusal: str) -> None:
    with pytest.raises(CommandError, match=refusal):
        run("rebuild_figures", since=since)
