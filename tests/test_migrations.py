from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.test import override_settings

ROOT = Path(__file__).parent.parent

# Prints the tables as they are after all migrations, then undoes ours. Sentences go to stderr.
PROGRAM = """
import json, sys
import django
django.setup()
from django.core.management import call_command
from django.db import connection
from django_videoq_billing.models import SubscriptionPlan
from tests.test_migrations import our_tables

call_command("migrate", "videoq_billing", verbosity=0)
plans_of_migrations = SubscriptionPlan.objects.count()
call_command("makemigrations", "videoq_billing", check=True, dry_run=True, verbosity=0)
for _ in range(2):
    call_command("seed_plans", stdout=sys.stderr)
result = {
    "plans_of_migrations": plans_of_migrations,
    "plans": list(SubscriptionPlan.objects.values_list("slug", flat=True)),
    "tables": our_tables(),
}
call_command("migrate", "videoq_billing", "zero", verbosity=0)
result["left"] = [name for name in connection.introspection.table_names() if "videoq_billing" in name]
json.dump(result, sys.stdout)
"""


def our_tables() -> dict[str, Any]:
    """Return the columns, and the names of the constraints and indexes, that the database really has."""
    tables = {}
    with connection.cursor() as cursor:
        for model in apps.get_app_config("videoq_billing").get_models():
            name = model._meta.db_table
            columns = connection.introspection.get_table_description(cursor, name)
            constraints = connection.introspection.get_constraints(cursor, name)
            tables[name] = {
                "columns": sorted([column.name, bool(column.null_ok)] for column in columns),
                "constraints": sorted(key for key in constraints if key.startswith("vqb_")),
            }
    return tables


@pytest.mark.django_db
@override_settings(MIGRATION_MODULES={})  # the suite itself runs without migrations
def test_no_migration_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("makemigrations", "videoq_billing", check=True, dry_run=True)
    assert "No changes detected" in capsys.readouterr().out


@override_settings(MIGRATION_MODULES={})
def test_our_migrations_wait_for_nothing_but_django_itself() -> None:
    """Above all not for dj-stripe's, which take half a minute."""
    loader = MigrationLoader(None)
    parents = {
        parent[0]
        for (app, _), migration in loader.disk_migrations.items()
        if app == "videoq_billing"
        for parent in migration.dependencies
    }
    assert parents <= {"videoq_billing", "contenttypes", "auth", "__setting__"}


def run_migrations(database_url: str, missing: frozenset[str] = frozenset()) -> None:
    """Forth and back on an empty database, without dj-stripe's, which ours do not wait for."""
    run = subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    assert result["plans_of_migrations"] == 0, "plans are the host's decision: `seed_plans` makes them"
    assert result["plans"] == ["free", "standard", "premium"]
    names = {name for table in result["tables"].values() for name in table["constraints"]}
    for model in apps.get_app_config("videoq_billing").get_models():
        expected = {field.column for field in model._meta.concrete_fields}
        assert {name for name, _ in result["tables"][model._meta.db_table]["columns"]} == expected
        assert {constraint.name for constraint in model._meta.constraints} <= names
        assert {index.name for index in model._meta.indexes} - missing <= names
    assert result["left"] == []


def test_all_migrations_from_nothing(tmp_path: Path) -> None:
    run_migrations(f"sqlite:///{tmp_path / 'fresh.sqlite3'}")
