"""What the package promises, as data: `python -m tests.public_surface` writes it anew into public_surface.json.

Do that when you mean to change it, and say in CHANGELOG.md and docs/upgrading.md what a host has to do.
"""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any

import django
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from tests.docs.pages import text_of

PACKAGE = "django_videoq_billing"
FILE = Path(__file__).parent / "public_surface.json"
UPGRADING = Path(__file__).parent.parent / "docs" / "upgrading.md"
SOURCES = Path(__file__).parent.parent / PACKAGE
WITH_ALL = ("models", "types", "exceptions", "services.transcription", "testing")
INCLUDED = ("urls", "pages.urls")
CONSTANT = (str, int, float, tuple, list, dict, frozenset, type(None))


def surface() -> dict[str, Any]:
    from django_videoq_billing import models
    from django_videoq_billing.conf import SEED_PLANS, BillingSettings, PlanSettings
    from django_videoq_billing.templatetags import videoq_billing as tags

    return {
        "names": {
            module: {name: shape(module, name) for name in names} for module, names in listed().items()
        },
        "signals": signals(),
        "settings": {**defaults(BillingSettings), "PLANS": SEED_PLANS},
        "keys of a plan": defaults(PlanSettings),
        "urls": urls(),
        "template tags": {name: parameters(getattr(tags, name)) for name in tags.register.tags},
        "templates": sorted(
            path.relative_to(SOURCES / "templates").as_posix()
            for path in (SOURCES / "templates" / PACKAGE).rglob("*.*")
        ),
        "commands": {name: options_of(name) for name, app in get_commands().items() if app == PACKAGE},
        "checks": sorted(set(re.findall(r'"(videoq_billing\.[EW]\d+)"', source()))),
        "codes": codes(),
        "records": records(),
        "metrics and spans": instruments(),
        "columns": {
            name: sorted(
                f"{field.name}: {field.get_internal_type()}" for field in columns(getattr(models, name))
            )
            for name in models.__all__
        },
    }


def source() -> str:
    return "".join(path.read_text(encoding="utf-8") for path in sorted(SOURCES.rglob("*.py")))


def listed() -> dict[str, list[str]]:
    """The modules and names of the table in docs/upgrading.md, and every `__all__` it speaks of."""
    rows = re.findall(
        r"^\| `(django_videoq_billing[\w.]*)` \| (`.+`) \|$", UPGRADING.read_text("utf-8"), re.MULTILINE
    )
    table = {module: re.findall(r"`(\w+)`", names) for module, names in rows}
    whole = {f"{PACKAGE}.{name}": import_module(f"{PACKAGE}.{name}").__all__ for name in WITH_ALL}
    return {module: sorted(names) for module, names in {**table, **whole}.items()}


def shape(module: str, name: str) -> Any:
    """How something is called: for a class, each public attribute that it has itself."""
    value = getattr(import_module(module), name)
    if module.endswith("testing.plugin"):
        return "fixture"  # what stands there is pytest's, and another in each of its versions
    if is_enum(value):
        return members(value)
    if inspect.isclass(value):
        return {
            "bases": [base.__name__ for base in value.__bases__ if base.__module__.startswith(PACKAGE)],
            **({"fields": parameters(value)} if is_dataclass(value) else {}),
            **({"code": value.code, "status": status(value)} if hasattr(value, "code") else {}),
            "public": attributes(value),
        }
    return parameters(value) if callable(value) else type(value).__name__


def status(error: Any) -> int:
    from django_videoq_billing.http import status_for

    return status_for(error.__new__(error))


def attributes(kind: type) -> dict[str, Any]:
    """Methods by their parameters, enumerations by their members. The fields of a dataclass are told apart.

    How errors are made is the package's own affair, so their methods are left out.
    """
    annotated = {} if is_dataclass(kind) else inspect.get_annotations(kind)
    given = {
        name: attribute(value, getattr(kind, name))
        for name, value in vars(kind).items()
        if not name.startswith("_")
    }
    if hasattr(kind, "code"):
        given = {name: how for name, how in given.items() if how in ("attribute", "property")}
    found = {name: "attribute" for name in annotated if not name.startswith("_")}
    return dict(sorted((found | {name: how for name, how in given.items() if how}).items()))


def attribute(value: Any, bound: Any) -> Any:
    """What a class has itself, and not Django or Python for it: of those nothing is promised."""
    if is_enum(value):
        return members(value)
    if isinstance(value, property):
        return "property" if is_ours(value.fget) else None
    if isinstance(value, CONSTANT):
        return "attribute"
    return parameters(bound) if is_ours(value) else None


def members(value: Any) -> dict[str, str]:
    return {member.name: str(member.value) for member in value}


def is_enum(value: Any) -> bool:
    return inspect.isclass(value) and issubclass(value, Enum)


def is_ours(given: Any) -> bool:
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


def defaults(kind: Any) -> dict[str, str]:
    return {option.name: default_of(option) for option in fields(kind)}


def default_of(option: Field[Any]) -> str:
    if option.default_factory is not MISSING:
        return repr(option.default_factory())
    return "has to be given" if option.default is MISSING else repr(option.default)


def urls() -> dict[str, str]:
    modules = [import_module(f"{PACKAGE}.{name}") for name in INCLUDED]
    return {
        f"{module.app_name}:{pattern.name}": str(pattern.pattern)
        for module in modules
        for pattern in module.urlpatterns
    }


def codes() -> dict[str, int]:
    """What the endpoints answer beside this package's own errors."""
    from django_videoq_billing.api.errors import _CODES, SERVER_ERROR

    known = {code: kind.status_code for kind, code in _CODES.items() if hasattr(kind, "status_code")}
    return {**known, SERVER_ERROR: 500}


def signals() -> dict[str, list[str]]:
    """As the page has them; tests/docs/test_reference.py compares it with what is sent."""
    from tests.test_docs import rows

    return {name: re.findall(r"`(\w+)`", cells[0]) for name, cells in rows(text_of("signals.md")).items()}


def records() -> dict[str, str]:
    """As the page has them; tests/test_log_records.py compares it with what is logged."""
    from tests.test_log_records import documented

    return {
        name: f"{', '.join(sorted(levels))}: {', '.join(sorted(extras))}".rstrip(": ")
        for name, (levels, extras) in documented().items()
    }


def instruments() -> dict[str, list[str]]:
    """As the page has them; tests/instruments compares it with what is counted and timed."""
    found = re.findall(r"^\| (`videoq_billing.+?`) \|([^|]*)\|", text_of("operations.md"), re.MULTILINE)
    return {names.replace("`", ""): re.findall(r"`(\w+)`", labels) for names, labels in found}


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
