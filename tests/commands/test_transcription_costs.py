from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.core.management.base import CommandError
from django.test import override_settings

from django_videoq_billing.services import transcription
from tests.commands.conftest import Run

NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)


@pytest.fixture
def eve(ada: User) -> User:
    """Ada and Eve have had something transcribed in November, and Ada in October, too."""
    eve = User.objects.create_user("eve")
    jobs = [(ada, 10, 5), (ada, 11, 1200), (ada, 11, 34), (eve, 11, 7)]
    for number, (user, month, seconds) in enumerate(jobs):
        with time_machine.travel(datetime(2026, month, 15, tzinfo=UTC), tick=False):
            video = Group.objects.create(name=f"video {number}")
            transcription.complete(transcription.start(user, video, 1), seconds)
    return eve


@time_machine.travel(NOW, tick=False)
def test_the_page_an_operator_reads(run: Run, eve: User) -> None:
    assert run("transcription_costs").splitlines() == [
        "2026-11     jobs      seconds                 cost",
        "ada            2         1234               0.1234",
        "eve            1            7               0.0007",
        "total          3         1241               0.1241",
    ]
    assert run("transcription_costs", month="2026-10").splitlines()[1:] == [
        "ada            1            5               0.0005",
        "total          1            5               0.0005",
    ]


def test_two_decimals_at_least(run: Run, ada: User) -> None:
    assert run("transcription_costs", "--month=2026-01").splitlines()[1:] == [
        "total          0            0                 0.00"
    ]


def test_one_user(run: Run, eve: User) -> None:
    page = run("transcription_costs", "--month=2026-11", "--user=eve")
    assert "ada" not in page
    assert page.splitlines()[-1].split() == ["total", "1", "7", "0.0007"]
    for nobody in ("nobody", ""):
        with pytest.raises(CommandError, match=f"There is no user '{nobody}'"):
            run("transcription_costs", f"--user={nobody}")


def test_json_is_for_programs(run: Run, ada: User, eve: User) -> None:
    report = json.loads(run("transcription_costs", "--month=2026-11", "--format=json"))
    assert (report["month"], report["jobs"], report["seconds"]) == ("2026-11", 3, 1241)
    assert Decimal(report["cost_cents"]) == Decimal("12.41")
    assert isinstance(report["cost_cents"], str), "a number of JSON is not exact"
    assert [row["username"] for row in report["users"]] == ["ada", "eve"]
    assert Decimal(report["users"][0]["cost_cents"]) == Decimal("12.34")


def test_csv_is_for_tables(run: Run, ada: User, eve: User) -> None:
    rows = list(csv.reader(StringIO(run("transcription_costs", "--month=2026-11", "--format=csv"))))
    assert rows == [
        ["month", "user_id", "username", "jobs", "seconds", "cost_cents"],
        ["2026-11", str(ada.pk), "ada", "2", "1234", "12.340000"],
        ["2026-11", str(eve.pk), "eve", "1", "7", "0.070000"],
    ]


@override_settings(TIME_ZONE="Asia/Tokyo")
@time_machine.travel(datetime(2026, 11, 30, 15, tzinfo=UTC), tick=False)
def test_the_present_month_is_the_site_s(run: Run, ada: User) -> None:
    assert run("transcription_costs").startswith("2026-12")


@pytest.mark.parametrize("month", ["2026", "2026-13", "2026-00", "26-11", "2026-1", "0001-01", "", "last"])
def test_a_month_that_is_none(run: Run, month: str) -> None:
    with pytest.raises(CommandError, match="is no month; write it as 2026-11"):
        run("transcription_costs", f"--month={month}")
