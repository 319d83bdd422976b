"""Columns that mean the same on every database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:  # Django's own, so that django-stubs knows which values they hold
    ExactCharField = models.CharField
    HoldIdField = models.UUIDField
else:

    class ExactCharField(models.CharField):
        """Text that is compared character by character: ids of others, and keys.

        PostgreSQL and SQLite always do. The collations that MariaDB and MySQL take by themselves hold "a" and "A" for
        the same, and "a" and "a ", so that two keys would be one.
        """

        def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
            parameters = super().db_parameters(connection)
            if connection.vendor != "mysql":
                return parameters
            exact = "utf8mb4_nopad_bin" if connection.mysql_is_mariadb else "utf8mb4_0900_bin"
            return {**parameters, "collation": exact}

    class HoldIdField(models.UUIDField):
        """The id of a hold. MariaDB's own type refuses some of version 8, one in 64 of those that the Redis store makes."""

        def db_type(self, connection: BaseDatabaseWrapper) -> str:
            return "char(32)" if connection.vendor == "mysql" else super().db_type(connection)

        def get_db_prep_value(
            self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False
        ) -> Any:
            value = super().get_db_prep_value(value, connection, prepared)
            return value.hex if connection.vendor == "mysql" and isinstance(value, UUID) else value
