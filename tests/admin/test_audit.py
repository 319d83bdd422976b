"""Who changed what, in one place."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.admin.conftest import page, staff_who_may, text
from tests.admin.test_plans import add
from tests.factories import make_plan, make_user, subscribed

ADDRESS = "/admin/videoq_billing/usersubscription/changes/"


@pytest.fixture
def boss(db: None) -> User:
    """Has changed two plans, one subscription, and somebody's user name."""
    boss = make_user(username="boss")
    ada = subscribed(make_plan(name="Pro"), make_user(username="ada"))
    for row, sentence in (
        (make_plan(name="Platinum"), "Set is_active to False."),
        (make_plan(name="Silver"), "Made as a copy of gold."),
        (ada.subscription, "Reactivated."),
        (ada, "Renamed."),
    ):
        LogEntry.objects.log_actions(boss.pk, [row], CHANGE, change_message=sentence)
    return boss


def test_our_tables_newest_first(admin_client: Client, boss: User) -> None:
    shown = text(admin_client.get(ADDRESS))
    places = [shown.index(sentence) for sentence in ("Reactivated.", "Made as a copy", "Set is_active")]
    assert places == sorted(places)
    assert "Renamed." not in shown, "the host's tables are the host's"
    assert "boss" in shown
    assert "3 changes" in shown


def test_what_django_logs_itself_is_there_too(admin_client: Client) -> None:
    add(admin_client)
    assert "Added" in text(admin_client.get(ADDRESS))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "Platinum"}, {"Set is_active"}),
        ({"q": "copy of"}, {"Made as a copy"}),
        ({"q": "boss"}, {"Set is_active", "Made as a copy", "Reactivated"}),
        ({"q": "nobody"}, set()),
        ({"since": "2999-01-01"}, set()),
        ({"since": "rubbish"}, {"Set is_active", "Made as a copy", "Reactivated"}),
        ({"p": "99"}, {"Set is_active", "Made as a copy", "Reactivated"}),
    ],
)
def test_is_searched(admin_client: Client, boss: User, query: dict[str, str], found: set[str]) -> None:
    shown = text(admin_client.get(ADDRESS, query))
    assert {one for one in ("Set is_active", "Made as a copy", "Reactivated") if one in shown} == found


def test_one_kind_alone(admin_client: Client, boss: User) -> None:
    kind = LogEntry.objects.get(change_message="Reactivated.").content_type_id
    shown = text(admin_client.get(ADDRESS, {"of": str(kind)}))
    assert "Reactivated." in shown
    assert "Set is_active" not in shown


def test_as_a_file(admin_client: Client, boss: User) -> None:
    answer: Any = admin_client.get(ADDRESS, {"format": "csv", "q": "Platinum"})
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert "boss,subscriptionplan," in lines[1]
    assert lines[1].endswith("Set is_active to False.")


def test_cannot_be_changed_here(admin_client: Client, boss: User) -> None:
    before = list(LogEntry.objects.values())
    admin_client.post(ADDRESS, {"q": "x"})
    assert list(LogEntry.objects.values()) == before


def test_needs_the_permission_to_view_the_log(boss: User) -> None:
    stranger = staff_who_may("view_usersubscription", "view_subscriptionplan")
    for query in ({}, {"format": "csv"}):
        assert stranger.get(ADDRESS, query).status_code == 403
    assert "What was changed" not in text(stranger.get(page("subscriptionplan")))
    reader = staff_who_may("view_logentry", "view_subscriptionplan")
    assert reader.get(ADDRESS).status_code == 200
    assert reverse("admin:videoq_billing_changes") in text(reader.get(page("subscriptionplan")))
