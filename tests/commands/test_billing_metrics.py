from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management.base import CommandError

from django_videoq_billing.models import UserSubscription
from tests.commands.conftest import Run
from tests.factories import make_payment, make_plan, make_user, subscribed

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def _business(db: None) -> Any:
    """One who pays in dollars, one in yen who is late with it, and one who has left."""
    with time_machine.travel(NOW, tick=False):
        users: list[tuple[int, str, dict[str, Any]]] = [
            (1200, "USD", {}),
            (1480, "JPY", {"status": "past_due"}),
            (900, "EUR", {"status": "cancelled", "cancelled_at": NOW - timedelta(days=3)}),
        ]
        for number, (price, currency, fields) in enumerate(users):
            plan = make_plan(slug=f"in-{currency.lower()}", price_cents=price, currency=currency)
            user = subscribed(plan, make_user(), stripe_subscription_id=f"sub_{number}", **fields)
            failed = fields.get("status") == "past_due"
            at, status = NOW - timedelta(days=2), "failed" if failed else "succeeded"
            make_payment(user=user, amount_cents=price, currency=currency, created_at=at, status=status)
        yield


@pytest.mark.usefixtures("_business")
def test_text(run: Run) -> None:
    said = run("billing_metrics")
    assert said.startswith("2026-10-26 12:00 to 2026-11-25 12:00 UTC\n")
    for line in (
        "Recurring, now  paying  a month   a year  trials would add",
        "JPY                  1   ¥1,480  ¥17,760                ¥0",
        "USD                  1   $12.00  $144.00             $0.00",
        "JPY                     1  ¥1,480            0      ¥0          0.0",
        "in-eur           0         0         0      0      1",
        "New customers       2",
        "Cancellations       1 ended (33.3 %), 0 ending",
        "from Stripe to here       0      -      -      -",
        "0 waiting now; 0 of them failed and will be tried again",
    ):
        assert line in said.splitlines(), said


@pytest.mark.usefixtures("_business")
def test_json_has_minor_units_and_all_figures(run: Run) -> None:
    told = json.loads(run("billing_metrics", format="json"))
    assert told["recurring"][1] == {
        "currency": "JPY",
        "subscriptions": 1,
        "mrr": 1480,
        "arr": 17760,
        "trial_mrr": 0,
    }
    assert told["revenue"][-1] == {
        "currency": "USD",
        "payments": 1200,
        "refunds": 0,
        "disputes": 0,
        "net": 1200,
    }
    assert told["webhooks"]["processing"] == {"count": 0, "p50": None, "p95": None, "max": None}
    assert (told["since"], told["until"]) == ("2026-10-26T12:00:00Z", "2026-11-25T12:00:00Z")


@pytest.mark.usefixtures("_business")
def test_csv_has_one_line_a_figure(run: Run) -> None:
    lines = list(csv.reader(StringIO(run("billing_metrics", format="csv"))))
    assert lines[0] == ["figure", "of", "value"]
    figures = {(name, of): value for name, of, value in lines[1:]}
    assert len(figures) == len(lines) - 1
    assert figures["recurring.mrr", "JPY"] == "1480"
    assert figures["plans.past_due", "in-jpy"] == "1"
    assert figures["dunning.recovery_rate", "USD"] == "", "nothing failed, so there is no rate"
    assert figures["churn.rate", ""] == "33.3"


@pytest.mark.usefixtures("_business")
@pytest.mark.parametrize(
    ("since", "until", "payments"),
    [
        ("2026-11-23", None, {"EUR": 900, "JPY": 0, "USD": 1200}),
        ("2026-11-23T12:00", None, {"EUR": 900, "JPY": 0, "USD": 1200}),
        ("2026-11-23T12:00:01", None, {}),
        ("2026-11-23T21:00+09:00", "2026-11-23T12:00:01Z", {"EUR": 900, "JPY": 0, "USD": 1200}),
        ("2026-11-01", "2026-11-23T12:00Z", {}),
        (None, "2026-11-24", {"EUR": 900, "JPY": 0, "USD": 1200}),
        ("1970-01-01", "9999-12-31", {"EUR": 900, "JPY": 0, "USD": 1200}),
    ],
)
def test_the_window_is_half_open_and_utc(
    run: Run, since: str | None, until: str | None, payments: dict[str, int], settings: Any
) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    told = json.loads(run("billing_metrics", since=since, until=until, format="json"))
    assert {row["currency"]: row["payments"] for row in told["revenue"]} == payments


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"since": "yesterday"}, "--since takes a day or a moment, .*, not 'yesterday'"),
        ({"until": "2026-02-30"}, "--until takes a day or a moment, .*, not '2026-02-30'"),
        ({"since": ""}, "--since takes a day or a moment"),
        ({"until": "0001-01-01T00:00+09:00"}, "--until takes a day or a moment"),
        ({"until": "0001-01-02"}, "--until 0001-01-02 is too early"),
        (
            {"since": "2026-02-01", "until": "2026-02-01"},
            r"--since \(2026-02-01T00:00Z\) must lie before --until \(2026-02-01T00:00Z\)",
        ),
    ],
)
def test_what_is_no_window(run: Run, given: dict[str, str], refusal: str) -> None:
    with pytest.raises(CommandError, match=refusal):
        run("billing_metrics", **given)


def test_an_empty_site(run: Run) -> None:
    assert "New customers       0" in run("billing_metrics")
    assert not UserSubscription.objects.exists()
