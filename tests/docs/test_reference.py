"""The reference leaves nothing out: what is written from the code is up to date, and the rest has its row."""

from __future__ import annotations

import ast
import inspect
import pkgutil
import re
from collections import defaultdict
from typing import Any

import pytest
import yaml
from django.dispatch import Signal
from django.urls import resolve

from django_videoq_billing import models, services, signals
from django_videoq_billing.templatetags import videoq_billing
from scripts.reference import services as public_services
from scripts.reference.writing import PAGES as WRITTEN
from tests.docs.pages import DOCS, ROOT, text_of
from tests.test_docs import rows

SIGNALS = {name: value for name, value in vars(signals).items() if isinstance(value, Signal)}


@pytest.mark.parametrize("name", WRITTEN)
def test_pages_written_from_the_code_are_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == WRITTEN[name](), "run: python -m scripts.reference"


def test_every_model_has_its_section() -> None:
    assert re.findall(r"^## (\w+)$", text_of("models.md"), re.MULTILINE) == models.__all__


def test_every_module_of_services_is_public_or_said_to_be_internal() -> None:
    found = {module.name for module in pkgutil.iter_modules(services.__path__)}
    assert found == {*public_services.PUBLIC, *public_services.INTERNAL}
    assert set(public_services.PUBLIC) & set(public_services.INTERNAL) == set()


def test_every_function_of_the_public_services_is_there_and_explained() -> None:
    page = text_of("services.md")
    for name in public_services.PUBLIC:
        module = __import__(f"{public_services.PREFIX}.{name}", fromlist=["_"])
        for given in public_services.public_names(module):
            assert not callable(getattr(module, given)) or f"### {given}\n" in page, given


def test_every_signal_has_its_row() -> None:
    assert rows(text_of("signals.md")).keys() == SIGNALS.keys()


@pytest.mark.parametrize("name", SIGNALS)
def test_the_arguments_of_a_signal_are_the_documented_ones(name: str) -> None:
    documented = set(re.findall(r"`(\w+)`", rows(text_of("signals.md"))[name][0]))
    assert sent()[name] == documented


def sent() -> dict[str, set[str]]:
    """The arguments with which the package sends each signal, sender apart."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in (ROOT / "django_videoq_billing").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                for name in signals_of(node):
                    found[name] |= {str(keyword.arg) for keyword in node.keywords}
    return found


def signals_of(call: ast.Call) -> list[str]:
    """`payment_failed.send_robust(...)`, `partial(signal.send_robust, ...)`; `signal` is any of the module's payments."""
    candidates = [call.func, *call.args]
    senders = [
        node.value for node in candidates if isinstance(node, ast.Attribute) and node.attr == "send_robust"
    ]
    names = [node.id for node in senders if isinstance(node, ast.Name)]
    if "signal" in names:  # services.payments chooses between the two
        return ["payment_succeeded", "payment_failed"]
    return [name for name in names if name in SIGNALS]


def test_every_template_tag_is_shown() -> None:
    pages = text_of("usage.md") + text_of("wording.md") + everything()
    names: Any = {*videoq_billing.register.tags, *videoq_billing.register.filters}
    assert [name for name in names if f"{{% {name}" not in pages] == []


def everything() -> str:
    return "".join(path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md")))


def test_every_parameter_of_the_decorator_is_explained() -> None:
    from django_videoq_billing.decorators import requires_quota

    section = text_of("usage.md").partition("## In code")[0]
    assert [name for name in inspect.signature(requires_quota).parameters if name not in section] == []


def test_endpoints_that_the_text_names_exist() -> None:
    described = yaml.safe_load((DOCS / "openapi.yaml").read_text(encoding="utf-8"))["paths"]
    pages = everything() + text_of("README.md")
    named = set(re.findall(r"`(GET|POST) (billing/[a-z/-]+)", pages))
    assert named
    assert [(method, path) for method, path in named if method.lower() not in described[f"/api/{path}"]] == []
    for path in set(re.findall(r"/api/(billing/[a-z/-]+[a-z])", pages)):
        resolve(f"/api/{path}")
