"""Inserting beside others who insert the same, in one statement and without a deadlock, on every database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from django.db import connections, models

Row = TypeVar("Row", bound=models.Model)


def insert_missing(rows: models.QuerySet[Row], new: Iterable[Row], key: Sequence[str]) -> None:
    """Insert those of the new rows whose `key`, which does not begin with the primary key, nobody has.

    Where InnoDB finds a key taken, an INSERT (also with IGNORE, as for `ignore_conflicts`) keeps a shared lock on the
    row until the transaction ends. Two who have it, and want to write to the row then, wait for each other. An upsert
    that changes nothing locks the row at once, one after the other.
    """
    if connections[rows.db].vendor == "mysql":
        upsert(rows, new, key, key[:1])
    else:
        rows.bulk_create(list(new), ignore_conflicts=True)


def upsert(rows: models.QuerySet[Row], new: Iterable[Row], key: Sequence[str], fields: Sequence[str]) -> None:
    """Insert the new rows; where the key is taken, write their `fields` to the row that has it.

    MariaDB looks at all unique keys of the table, so no other one may be taken.
    """
    has_target = connections[rows.db].features.supports_update_conflicts_with_target
    rows.bulk_create(
        list(new),
        batch_size=1000,
        update_conflicts=True,
        unique_fields=list(key) if has_target else None,
        update_fields=list(fields),
    )
