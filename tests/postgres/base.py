"""Django's PostgreSQL backend with a quick flush: the tests that commit spent half their time on emptying tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql import base, operations

# `flush` makes their rows again, the same for every test.
KEPT = {"auth_permission", "django_content_type"}


class DatabaseOperations(operations.DatabaseOperations):
    def sql_flush(
        self,
        style: Any,
        tables: Sequence[str],
        *,
        reset_sequences: bool = False,
        allow_cascade: bool = False,
    ) -> list[str]:
        """Delete the rows of tables that have some, all in one transaction: foreign keys are looked at in its end.

        TRUNCATE, which Django sends for every table there is, makes a new file for each.
        """
        if reset_sequences:
            return super().sql_flush(
                style, tables, reset_sequences=reset_sequences, allow_cascade=allow_cascade
            )
        quoted = [self.quote_name(table) for table in sorted(set(tables) - KEPT)]
        has_rows = ", ".join(f"EXISTS (SELECT FROM {table})" for table in quoted)
        with self.connection.cursor() as cursor:
            cursor.execute(f"SELECT {has_rows}")
            found = cursor.fetchone()
        filled = [table for table, any_row in zip(quoted, found, strict=True) if any_row]
        return [f"DELETE FROM {table}" for table in filled]  # noqa: S608 (the names of Django's own tables)


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations
