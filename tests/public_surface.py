"""What the package promises, as data: `python -m tests.public_surface` writes it anew into public_surface.json.

Do that when you mean to change it, and say in CHANGELOG.md and docs/upgrading.md what a host has to do.
"""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import fields
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any

import django
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand
from django.dispatch import Signal

PACKAGE = "django_videoq_billing"
FILE = Path(__file__).parent / "public_surface.json"
UPGRADING = Path(__file__).parent.parent / "docs" / "upgrading.md"
WITH_ALL = ("models", "types", "exceptions", "services.transcription")


def surface() -> dict[str, Any]:
    from django_videoq_billing import models, signals, urls
    from django_videoq_billing.conf import BillingSettings, PlanSettings

    return {
        "names": {
            module: {name: shape(module, name) for name in names} for module, names in listed().items()
        },
        "signals": sorted(name for name, value in vars(signals).items() if isinstance(value, Signal)),
        "settings": {
            kind.__name__: sorted(option.name for option in fields(kind))
            for kind in (BillingSettings, PlanSettings)
        },
        "urls": {str(pattern.name): str(pattern.pattern) for pattern in urls.urlpatterns},
        "commands": {name: options_of(name) for name, app in get_commands().items() if app == PACKAGE},
        "columns": {
            name: sorted(
                f"{field.name}: {field.get_internal_type()}" for field in columns(getattr(models, name))
            )
            for name in models.__all__
        },
    }


def listed() -> dict[str, list[str]]:
    """The modules and names of the table in docs/upgrading.md, and every `__all__` it speaks of."""
    rows = re.findall(
        r"^\| `(django_videoq_billing[\w.]*)` \| (`.+`) \|$", UPGRADING.read_text("utf-8"), re.MULTILINE
    )
    table = {module: re.findall(r"`(\w+)`", names) for module, names in rows}
    whole = {f"{PACKAGE}.{name}": import_module(f"{PACKAGE}.{name}").__all__ for name in WITH_ALL}
    return {module: sorted(names) for module, names in {**table, **whole}.items()}


def shape(module: str, name: str) -> Any:
    """How something is called: for a class, each public method by its parameters."""
    value = getattr(import_module(module), name)
    if is_enum(value):
        return {member.name: str(member.value) for member in value}
    if inspect.isclass(value):
        return {
            "bases": [base.__name__ for base in value.__bases__ if base.__module__.startswith(PACKAGE)],
            **({"code": value.code} if hasattr(value, "code") else {}),
            "public": {
                attribute: parameters(getattr(value, attribute))
                for attribute, given in sorted(vars(value).items())
                if not attribute.startswith("_") and is_ours(given) and not hasattr(value, "code")
            },
        }
    return parameters(value) if callable(value) else type(value).__name__


def is_enum(value: Any) -> bool:
    return inspect.isclass(value) and issubclass(value, Enum)


def is_ours(given: Any) -> bool:
    """A method that the class itself has, and not Django for it."""
    function = getattr(given, "__func__", given)
    return inspect.isfunction(function) and function.__module__.startswith(PACKAGE)


def parameters(function: Any) -> str:
    """Names, kinds and defaults, without annotations: those may become more exact."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return "(...)"
    bare = [
        parameter.replace(annotation=inspect.Parameter.empty, default=in_order(parameter.default))
        for parameter in signature.parameters.values()
    ]
    return re.sub(
        r" at 0x\w+", "", str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))
    )


def in_order(default: Any) -> Any:
    return sorted(default) if isinstance(default, frozenset) else default


def columns(model: Any) -> list[Any]:
    return list(model._meta.concrete_fields)


def options_of(command: str) -> list[str]:
    own = load_command_class(PACKAGE, command).create_parser("manage.py", command)
    everybodys = BaseCommand().create_parser("manage.py", command)
    known = {option for action in everybodys._actions for option in action.option_strings}
    return sorted(
        "/".join(action.option_strings) or action.dest
        for action in own._actions
        if not set(action.option_strings) & known
    )


def main() -> None:
    django.setup()
    FILE.write_text(json.dumps(surface(), indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
