"""Taking the first row that nobody else is about to take."""

from __future__ import annotations

from typing import TypeVar

from django.db import connections, models, router

Row = TypeVar("Row", bound=models.Model)

LOOKED_AT = 100
"""How many rows others may have locked before what comes after them is left for the next look."""


def first_unlocked(rows: models.QuerySet[Row]) -> Row | None:
    """Lock and return the first of the rows, in their order, that no other transaction has locked.

    Only within a transaction. InnoDB locks everything that it has to sort, and others would find nothing that is free; so
    there the order is read without a lock, and one row after the other is tried.
    """
    rows = rows.using(router.db_for_write(rows.model))
    if connections[rows.db].vendor != "mysql":
        return rows.select_for_update(skip_locked=True).first()
    for pk in list(rows.values_list("pk", flat=True)[:LOOKED_AT]):
        if row := rows.filter(pk=pk).select_for_update(skip_locked=True).first():
            return row
    return None
