from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError

from django_videoq_billing.models import SubscriptionPlan
from tests.commands.conftest import Run

if TYPE_CHECKING:
    from pytest_django import Settings


def plans(**changes: dict[str, Any]) -> dict[str, Any]:
    return {"PLANS": {"free": {"name": "Free", "video_limit": 3}, **changes}}


def test_a_fresh_site_gets_the_three_plans(run: Run) -> None:
    assert run("seed_plans").splitlines() == [
        "created     free",
        "created     standard",
        "created     premium",
    ]
    assert list(SubscriptionPlan.objects.values_list("slug", "price_cents", "video_limit")) == [
        ("free", 0, 3),
        ("standard", 1200, 50),
        ("premium", 4900, None),
    ]


def test_the_second_run_changes_nothing(run: Run) -> None:
    run("seed_plans")
    before = list(SubscriptionPlan.objects.values())
    assert run("seed_plans").splitlines() == [
        "unchanged   free",
        "unchanged   standard",
        "unchanged   premium",
    ]
    assert list(SubscriptionPlan.objects.values()) == before


def test_an_update_names_the_fields_that_changed(run: Run, settings: Settings) -> None:
    settings.VIDEOQ_BILLING = plans()
    run("seed_plans")
    settings.VIDEOQ_BILLING = plans(free={"name": "Free of charge", "video_limit": 5})
    assert run("seed_plans") == "updated     free (name, video_limit)\n"
    assert SubscriptionPlan.objects.get().video_limit == 5


def test_prune_deactivates_what_the_settings_no_longer_name(run: Run, settings: Settings) -> None:
    run("seed_plans")
    SubscriptionPlan.objects.create(slug="for-acme", name="Acme", is_public=False)
    settings.VIDEOQ_BILLING = plans()
    assert "deactivated" not in run("seed_plans")
    assert run("seed_plans", prune=True).splitlines()[1:] == ["deactivated standard", "deactivated premium"]
    active = SubscriptionPlan.objects.filter(is_active=True).values_list("slug", flat=True)
    assert set(active) == {"free", "for-acme"}, "a custom plan made in the admin is left alone"
    assert run("seed_plans", prune=True) == "unchanged   free\n"


def test_a_dry_run_says_everything_and_writes_nothing(run: Run, settings: Settings) -> None:
    run("seed_plans")
    settings.VIDEOQ_BILLING = plans(
        standard={"name": "Standard", "video_limit": 60}, pro={"name": "Pro", "video_limit": 9}
    )
    before = list(SubscriptionPlan.objects.values())
    lines = run("seed_plans", dry_run=True, prune=True).splitlines()
    assert lines[0] == "created     pro"
    assert lines[-2:] == ["deactivated premium", "Dry run: nothing was written."]
    assert list(SubscriptionPlan.objects.values()) == before


def test_a_name_that_another_plan_has_is_a_sentence(run: Run, settings: Settings) -> None:
    SubscriptionPlan.objects.create(slug="basic", name="Pro")
    settings.VIDEOQ_BILLING = plans(pro={"name": "Pro", "video_limit": 9})
    with pytest.raises(CommandError, match=r"Nothing was written: .* has the name of another plan"):
        run("seed_plans")
    assert not SubscriptionPlan.objects.filter(slug="free").exists()


def test_who_has_a_pruned_plan_keeps_it(run: Run, ada: User, settings: Settings) -> None:
    run("seed_plans")
    standard = SubscriptionPlan.objects.get(slug="standard")
    ada.subscription.plan = standard
    ada.subscription.save()
    settings.VIDEOQ_BILLING = plans()
    run("seed_plans", prune=True)
    ada.subscription.refresh_from_db()
    assert ada.subscription.plan == standard
    assert "standard (active)" in run("show_usage", "ada")


def test_before_migrate_it_says_what_to_do_first(tmp_path: Path) -> None:
    program = "import django; django.setup(); from django.core.management import call_command as call; call('seed_plans')"
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/new.sqlite3"}
    run = subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert run.stderr.splitlines()[-1].endswith("Run `python manage.py migrate` first.")
