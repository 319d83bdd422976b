"""Indexes that do the same on every database."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement


class OpenRowsIndex(models.Index):
    """An index of the few rows that are still to be worked on, in the order in which they are.

    MariaDB's indexes have no conditions, and one over all rows would be read from the first that was ever done. There
    it begins with `told_by`, the column that tells the open ones.
    """

    def __init__(self, *, told_by: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.told_by = told_by

    def deconstruct(self) -> tuple[str, Any, dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "told_by": self.told_by}

    def create_sql(
        self,
        model: type[models.Model],
        schema_editor: BaseDatabaseSchemaEditor,
        using: str = "",
        **kwargs: Any,
    ) -> Statement:
        if schema_editor.connection.features.supports_partial_indexes:
            return super().create_sql(model, schema_editor, using, **kwargs)
        whole = models.Index(fields=[self.told_by, *self.fields], name=self.name)
        return whole.create_sql(model, schema_editor, using, **kwargs)
