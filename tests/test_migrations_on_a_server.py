"""Our migrations make the same tables on PostgreSQL and MariaDB as on SQLite."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import pytest
from django.db import connection

from tests.databases import ON_MARIADB
from tests.test_migrations import check_tables, run_program

# Without dj-stripe's, which take long.
PROGRAM = """
import json, sys
import django
django.setup()
from django.core.management import call_command
from django.db import connection
from tests.test_migrations import our_tables

call_command("migrate", "videoq_billing", verbosity=0)
for _ in range(2):
    call_command("seed_plans", stdout=sys.stderr)
result = {"tables": our_tables()}
call_command("migrate", "videoq_billing", "zero", verbosity=0)
result["left"] = [name for name in connection.introspection.table_names() if "videoq_billing" in name]
json.dump(result, sys.stdout)
"""


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_our_migrations_from_nothing_on_a_server() -> None:
    name = f"{connection.settings_dict['NAME']}_migrated"
    address = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        try:
            result = run_program(PROGRAM, address)
        finally:
            cursor.execute(f"DROP DATABASE {name}")
    # MariaDB has no index on an expression: the time line of a user reads all events there.
    check_tables(result, frozenset({"vqb_webhook_customer"} if ON_MARIADB else ()))
