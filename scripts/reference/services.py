"""docs/services.md: the functions that a host may call, with what their docstrings say.

A function without a docstring is a helper of its module, and no part of it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

from scripts.reference.text import docstring, join

PREFIX = "django_videoq_billing.services"
# What hosts may call. Other modules of `services` are the package's own.
PUBLIC = [
    *("usage_tracker", "transcription", "entitlements", "subscriptions", "plans"),
    *("checkout", "plan_changes", "payments"),
    *("support", "recount", "privacy", "notifications"),
    *("metrics", "figures", "health", "timeline"),
]
INTERNAL = [
    *("alert_sweep", "counting", "dunning", "extra_allowances", "moving_in", "outbox", "period_ends"),
    *("promotions", "reconciliation", "redirects", "refusal_notes", "refusals", "retention"),
    *(
        "stripe_attempts",
        "stripe_catalog",
        "stripe_mirror",
        "stripe_payloads",
        "stripe_plans",
        "stripe_rebuild",
    ),
    *("stripe_service", "stripe_surplus", "stripe_sync", "subscription_news", "usage_alerts"),
]

INTRO = """# Services

Each business move is one function in `django_videoq_billing.services`; the decorator, the endpoints, the admin and the
commands call the same ones. None takes a request. They raise [errors](errors.md), and may be called from anywhere. What is promised
to stay as it is: [Upgrade](upgrading.md). This page is written from the code."""


def page() -> str:
    return join([INTRO, *(_section(name) for name in PUBLIC)])


def public_names(module: ModuleType) -> list[str]:
    """What the module says is public, else what it defines without an underscore."""
    given: list[str] | None = getattr(module, "__all__", None)
    if given is not None:
        return list(given)
    own = (
        name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__
    )
    return [name for name in own if not name.startswith("_") and docstring(getattr(module, name))]


def _section(name: str) -> str:
    module = import_module(f"{PREFIX}.{name}")
    things = [(given, getattr(module, given)) for given in public_names(module)]
    things = [(given, thing) for given, thing in things if callable(thing)]
    return join(
        [f"## {name}", docstring(module), *(part for each in things for part in _thing(*each))]
    ).rstrip("\n")


def _thing(name: str, thing: Any) -> Iterator[str]:
    yield f"### {name}"
    if inspect.isclass(thing):
        yield _prose(thing)
        if is_dataclass(thing):
            yield f"Fields: {', '.join(f'`{field.name}`' for field in fields(thing))}."
        for method, function in _methods(thing):
            yield f"`{method}{parameters(function)}`: {_prose(function)}"
    else:
        yield f"`{name}{parameters(thing)}`"
        yield _prose(thing)


def _methods(kind: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, value in vars(kind).items():
        function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        if inspect.isfunction(function) and not name.startswith("_") and function.__doc__:
            yield name, function


def parameters(function: Callable[..., Any]) -> str:
    """The parameters as one writes them, without `self` and without types."""
    signature = inspect.signature(function)
    given = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for name, parameter in signature.parameters.items()
        if name not in ("self", "cls")
    ]
    text = str(signature.replace(parameters=given, return_annotation=inspect.Signature.empty))
    return re.sub(r"<function (?:\w+\.)?(\S+) at 0x[0-9a-f]+>", r"\1", text)


def _prose(thing: object) -> str:
    """The docstring; a dataclass without one has only its signature, which is no prose."""
    text = docstring(thing)
    return "" if text.startswith(f"{getattr(thing, '__name__', '')}(") else text
