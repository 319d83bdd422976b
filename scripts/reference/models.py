"""docs/models.md: every public model, its fields, and what may be asked of a row."""

from __future__ import annotations

import inspect
from typing import Any

from django.db.models import Field, ForeignKey, Model
from django.db.models.fields import NOT_PROVIDED
from django.utils import translation

from django_videoq_billing import models
from scripts.reference.text import docstring, join, table

INTRO = """# Models

All are in `django_videoq_billing.models`. Read them as you like; write through the [services](services.md) or the
[admin](admin.md), which keep rows, counters, Stripe and the log together. Moments are in UTC, money is an integer in the
currency's minor unit. This page is written from the code."""


def page() -> str:
    with translation.override("en"):
        return join([INTRO, *(_section(getattr(models, name)) for name in models.__all__)])


def _section(model: type[Model]) -> str:
    fields = [field for field in model._meta.get_fields() if isinstance(field, Field)]
    return join(
        [
            f"## {model.__name__}",
            docstring(model),
            table(["field", "kind", "what it is"], [_row(field) for field in fields]),
            table(["on a row", "what it says"], _questions(model)),
        ]
    ).rstrip("\n")


def _row(field: Field[Any, Any]) -> list[str]:
    return [f"`{field.name}`", _kind(field), _meaning(field)]


def _kind(field: Field[Any, Any]) -> str:
    if isinstance(field, ForeignKey):
        kind = f"to `{_target(field)}`"
    else:
        kind = field.get_internal_type().removesuffix("Field")
    return f"{kind}, may be empty" if field.null else kind


def _target(field: ForeignKey[Any, Any]) -> str:
    return (
        "AUTH_USER_MODEL" if field.related_model._meta.model_name == "user" else field.related_model.__name__
    )


def _meaning(field: Field[Any, Any]) -> str:
    name = str(field.verbose_name)
    parts = ["" if name.lower() == field.name.replace("_", " ") else name, str(field.help_text)]
    if field.choices:
        parts.append(", ".join(f"`{value}`" for value, _ in field.flatchoices))
    if field.default is not NOT_PROVIDED and not callable(field.default) and field.default != "":
        parts.append(f"default `{field.default}`")
    return "; ".join(part.rstrip(".") for part in parts if part)


def _questions(model: type[Model]) -> list[list[str]]:
    """The public properties and methods that the class itself defines and explains."""
    found = []
    for name, value in vars(model).items():
        if name.startswith("_") or not (isinstance(value, property) or inspect.isfunction(value)):
            continue
        asked = value.fget if isinstance(value, property) else value
        if asked is not None and asked.__module__ == model.__module__ and asked.__doc__:
            call = "" if isinstance(value, property) else _parameters(asked)
            found.append([f"`{name}{call}`", docstring(asked).split("\n\n")[0]])
    return found


def _parameters(function: Any) -> str:
    return f"({', '.join(name for name in inspect.signature(function).parameters if name != 'self')})"
