"""Our migrations make the same tables on PostgreSQL and MariaDB as on SQLite."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import pytest
from django.db import connection

from tests.databases import ON_MARIADB
from tests.test_migrations import run_migrations


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_our_migrations_from_nothing_on_a_server() -> None:
    name = f"{connection.settings_dict['NAME']}_migrated"
    address = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        try:
            # MariaDB has no index on an expression: the time line of a user reads all events there.
            run_migrations(address, frozenset({"vqb_webhook_customer"} if ON_MARIADB else ()))
        finally:
            cursor.execute(f"DROP DATABASE {name}")
