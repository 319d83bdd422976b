"""The dashboard: who may see it, what it shows, and what it costs."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_videoq_billing.models import DailyMoney, SubscriptionPlan, UsageRecord, UserSubscription
from django_videoq_billing.services.figures import roll_up
from tests.admin.conftest import page, staff_who_may, text
from tests.factories import make_payment, make_plan, make_user, subscribed

pytestmark = pytest.mark.django_db

PACKAGE = Path(__file__).parent.parent.parent / "django_videoq_billing"
NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
DAY = timedelta(days=1)
URL = "/admin/videoq_billing/dailyfigures/"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def _business() -> None:
    """Three pay in dollars and one of them leaves; two pay in yen; a day passes."""
    standard = make_plan(slug="standard", name="Standard", price_cents=1250)
    in_yen = make_plan(slug="in-yen", name="In yen", price_cents=1480, currency="JPY")
    users = [pays(plan, number) for number, plan in enumerate([standard] * 3 + [in_yen] * 2)]
    roll_up(NOW - DAY)
    UserSubscription.objects.filter(user=users[0]).update(status="cancelled")
    pays(in_yen, 9)
    make_payment(user=users[1], status="failed", created_at=NOW, amount_cents=1250)
    record(users[1], 9)
    record(users[2], 3)
    roll_up(NOW)


def pays(plan: SubscriptionPlan, number: int) -> Any:
    return subscribed(plan, make_user(), stripe_subscription_id=f"sub_{number}")


def record(user: Any, used: int) -> UsageRecord:
    UserSubscription.objects.filter(user=user).update(current_period_start=NOW - DAY)
    return UsageRecord.objects.create(
        user=user,
        billing_period_start=NOW - DAY,
        billing_period_end=NOW + DAY,
        video_count=used,
        video_limit=10,
    )


def drawn(response: Any) -> dict[str, Any]:
    """What the script of the page draws, by chart."""
    found = re.findall(
        r'<script id="vqb-(\w+)-data" type="application/json">(.*?)</script>', text(response), re.DOTALL
    )
    return {key: json.loads(data) for key, data in found}


def series(chart: dict[str, Any]) -> dict[str, Any]:
    return {row["name"]: [value for value in row["values"] if value] for row in chart["series"]}


class TestWhoMayLook:
    def test_the_permission_and_nothing_else(self) -> None:
        assert staff_who_may("view_dashboard").get(page("dailyfigures")).status_code == 200
        others = Permission.objects.exclude(codename="view_dashboard").values_list("codename", flat=True)
        assert staff_who_may(*others).get(page("dailyfigures")).status_code == 403
        assert Client().get(page("dailyfigures")).status_code == 302

    def test_nobody_who_is_not_staff(self) -> None:
        client, person = Client(), make_user()
        person.user_permissions.set(Permission.objects.filter(codename="view_dashboard"))
        client.force_login(person)
        assert client.get(page("dailyfigures")).status_code == 302

    def test_the_file_asks_for_the_same(self) -> None:
        assert staff_who_may("view_paymenttransaction").get(URL, {"format": "csv"}).status_code == 403

    def test_the_index_leads_there(self) -> None:
        assert f'href="{URL}"' in text(staff_who_may("view_dashboard").get("/admin/"))
        assert f'href="{URL}"' not in text(staff_who_may("view_subscriptionplan").get("/admin/"))

    def test_there_is_nothing_to_change(self, admin_client: Client) -> None:
        roll_up(NOW)
        for address in (f"{URL}add/", f"{URL}{NOW.date()}/change/", f"{URL}{NOW.date()}/delete/"):
            assert admin_client.post(address, {"post": "yes"}).status_code == 404

    @pytest.mark.usefixtures("_business")
    def test_users_are_for_those_who_may_see_usage(self) -> None:
        close = UsageRecord.objects.get(video_count=9).user.get_username()
        assert close in text(staff_who_may("view_dashboard", "view_usagerecord").get(URL))
        assert close not in text(staff_who_may("view_dashboard").get(URL))


@pytest.mark.usefixtures("_business")
class TestFigures:
    def test_each_currency_by_itself(self, admin_client: Client) -> None:
        dollars = drawn(admin_client.get(URL, {"currency": "USD"}))
        assert series(dollars["mrr"]) == {"Recurring revenue": [3750, 2500]}
        assert series(dollars["movement"])["Churn"] == [-1250]
        assert (dollars["mrr"]["currency"], dollars["mrr"]["decimals"]) == ("USD", 2)
        yen = drawn(admin_client.get(URL, {"currency": "JPY"}))
        assert series(yen["movement"]) == {"New": [1480], "Expansion": [], "Contraction": [], "Churn": []}
        assert (yen["mrr"]["currency"], yen["mrr"]["decimals"]) == ("JPY", 0)

    def test_the_currency_with_the_most_subscriptions_comes_first(self, admin_client: Client) -> None:
        assert drawn(admin_client.get(URL))["mrr"]["currency"] == "JPY"
        assert drawn(admin_client.get(URL, {"currency": "XXX"}))["mrr"]["currency"] == "JPY"

    def test_every_currency_has_its_tile(self, admin_client: Client) -> None:
        shown = text(admin_client.get(URL))
        assert "$25.00" in shown
        assert "¥4,440" in shown

    def test_the_table_has_what_the_chart_draws(self, admin_client: Client) -> None:
        shown = text(admin_client.get(URL, {"currency": "USD"}))
        table = re.search(r'<table id="vqb-movement-table">.*?</table>', shown, re.DOTALL)
        assert table is not None
        assert re.findall(r"<td>(.*?)</td>", table[0])[:4] == ["$0.00", "$0.00", "$0.00", "-$12.50"]

    def test_days_weeks_and_months(self, admin_client: Client) -> None:
        counts = []
        for days in (30, 90, 730):
            query = {"since": (NOW.date() - (days - 1) * DAY).isoformat(), "currency": "USD"}
            chart = drawn(admin_client.get(URL, query))["movement"]
            counts.append(len(chart["labels"]))
            assert series(chart)["Churn"] == [-1250], "added up, whatever the points are"
        assert counts == [30, 14, 25]

    def test_plans_and_usage(self, admin_client: Client) -> None:
        charts = drawn(admin_client.get(URL))
        assert series(charts["plans"]) == {"Standard": [3, 2], "In yen": [2, 3]}
        assert series(charts["usage"])["Videos"] == [1, 1]

    def test_in_japanese(self, admin_client: Client) -> None:
        shown = text(admin_client.get(URL, headers={"accept-language": "ja"}))
        assert "ダッシュボード" in shown
        assert "¥4,440" in shown or "￥4,440" in shown

    def test_the_file_has_every_figure_in_minor_units(self, admin_client: Client) -> None:
        response = admin_client.get(URL, {"since": NOW.date().isoformat(), "format": "csv"})
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        lines = list(csv.reader(StringIO(text(response))))
        assert lines[0] == ["date", "figure", "of", "value"]
        told = {(figure, of): value for _, figure, of, value in lines[1:]}
        assert {day for day, *_ in lines[1:]} == {"2026-11-23"}
        assert (told["recurring.mrr", "USD"], told["recurring.mrr", "JPY"]) == ("2500", "4440")
        assert (told["movement.churn", "USD"], told["ledger.failed_amount", "USD"]) == ("1250", "1250")
        assert (told["plans.active", "standard"], told["recurring.source", "USD"]) == ("2", "measured")
        assert len(told) == len(lines) - 1

    def test_a_day_on_which_nobody_looked_is_no_zero(self, admin_client: Client) -> None:
        roll_up(NOW + 3 * DAY)
        query = {"since": NOW.date().isoformat(), "until": (NOW + 3 * DAY).date().isoformat()}
        lines = csv.reader(StringIO(text(admin_client.get(URL, {**query, "format": "csv"}))))
        told = {day: value for day, figure, of, value in lines if (figure, of) == ("recurring.mrr", "USD")}
        assert list(told.values()) == ["2500", "", "", "2500"]


class TestThePage:
    def test_nobody_has_looked_yet(self, admin_client: Client) -> None:
        shown = text(admin_client.get(URL))
        assert "roll_up_figures" in shown
        assert "<canvas" not in shown

    def test_the_job_stands_still(self, admin_client: Client, clock: time_machine.Traveller) -> None:
        roll_up(NOW)
        assert "See that the jobs are run" not in text(admin_client.get(URL))
        clock.move_to(NOW + timedelta(hours=4))
        assert "See that the jobs are run" in text(admin_client.get(URL))

    @pytest.mark.parametrize(
        ("query", "refusal"),
        [
            ({"since": "2026-11-20", "until": "2026-11-19"}, "must not lie after"),
            ({"since": "1926-01-01"}, "Ten years at most"),
            ({"since": "yesterday"}, "Enter a valid date"),
        ],
    )
    def test_what_is_no_range(self, admin_client: Client, query: dict[str, str], refusal: str) -> None:
        assert refusal in text(admin_client.get(URL, query))
        assert text(admin_client.get(URL, {**query, "format": "csv"})).startswith("<!DOCTYPE html>")

    def test_no_script_and_no_style_stands_in_the_page(self, admin_client: Client) -> None:
        """So that it works under a Content-Security-Policy without exceptions."""
        make_plan(name="</script><script>alert(1)</script>", slug="x")
        roll_up(NOW)
        content = text(admin_client.get(URL)).partition('class="vqb-dashboard"')[2].partition("</main>")[0]
        assert content
        assert not re.findall(r"<script(?! id=\"vqb-\w+-data\" type=\"application/json\")", content)
        assert not re.findall(r"\son\w+=|style=|https?://", content)

    @pytest.mark.usefixtures("_business")
    def test_as_many_queries_for_many_users_and_days(self) -> None:
        client = staff_who_may("view_dashboard", "view_usagerecord")
        client.get(URL)
        with CaptureQueriesContext(connection) as few:
            client.get(URL, {"since": NOW.date().isoformat()})
        for number in range(20):
            plan = make_plan(price_cents=900, currency=("EUR", "GBP")[number % 2])
            record(pays(plan, 100 + number), 9)
        roll_up(NOW + DAY)
        with CaptureQueriesContext(connection) as many:
            shown = text(client.get(URL, {"since": "2025-12-01", "until": "2026-11-24"}))
        assert "GBP" in shown
        assert len(many) == len(few) <= 8, [query["sql"] for query in many]


def test_the_static_files_suit_djangos_manifest_storage(tmp_path: Path) -> None:
    """It refuses files that lead to others which are not there, such as a source map."""
    source = PACKAGE / "static"
    shutil.copytree(source, tmp_path, dirs_exist_ok=True)
    storage = ManifestStaticFilesStorage(location=str(tmp_path), base_url="/static/")
    names = [path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()]
    done = list(storage.post_process({name: (storage, name) for name in names}))
    assert [result for *_, result in done if isinstance(result, Exception)] == []
    assert {name.rsplit("/", 1)[-1] for name in names} >= {"chart.umd.min.js", "LICENSE.md", "dashboard.js"}


def test_a_year_in_the_past_that_payments_tell(admin_client: Client) -> None:
    plan = make_plan(slug="standard", price_cents=1200)
    user = subscribed(plan, make_user(), stripe_subscription_id="sub_1")
    for month in range(1, 12):
        make_payment(user=user, plan=plan, created_at=datetime(2026, month, 20, tzinfo=UTC))
    roll_up(NOW)
    assert DailyMoney.objects.get(date=date(2026, 1, 20)).source == "ledger"
    chart = drawn(admin_client.get(URL, {"since": "2026-01-01"}))
    assert set(series(chart["mrr"])["Recurring revenue"]) == {1200}
    assert series(chart["movement"])["New"] == [1200]
