"""A host project tests its billing with the built wheel and nothing but public names; so do the page's examples."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.site import PROJECT, Host, snippets

PUBLIC = {"", ".decorators", ".signals", ".testing", ".testing.plugin", ".urls"}
PACKAGE = "django_videoq_billing"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Host:
    return Host(tmp_path_factory.mktemp("host"))


@pytest.fixture
def host(machine: Host) -> Host:
    machine.begin_anew()
    return machine


def test_the_hosts_tests_pass_with_pytest(host: Host) -> None:
    assert "8 passed" in host.pytest("test_billing.py")


def test_the_hosts_tests_pass_with_djangos_runner_in_two_processes(host: Host) -> None:
    assert "Ran 2 tests" in host.run("manage.py", "test", "--parallel", "2")


def test_the_hosts_tests_pass_with_usage_in_redis(host: Host, redis_url: str) -> None:
    """Where the key of a user, here a UUID, is part of the names of what is counted."""
    cache = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": redis_url}
    with (host.project / "mysite/settings.py").open("a") as settings:
        settings.write(f'CACHES = {{"default": {cache}}}\nVIDEOQ_BILLING["USAGE_STORE"] = "redis"\n')
    assert "8 passed" in host.pytest("test_billing.py")


def test_the_plugin_may_be_named_on_the_command_line_before_django_is_there(host: Host) -> None:
    plugins = (f"{PACKAGE}.testing.plugin", "pytest_django.plugin")
    assert "1 passed" in host.pytest("test_billing.py", "-k", "friend", plugins=plugins)


def test_without_pytest_django_the_plugin_says_so(host: Host) -> None:
    said = host.pytest("test_billing.py", "-o", "filterwarnings=", plugins=(), fails=True)
    assert "pip install pytest-django" in said


def test_the_examples_of_the_page_pass(host: Host) -> None:
    conftest, *examples = snippets()
    assert "pytest_plugins" in conftest
    (host.project / "conftest.py").write_text(conftest)
    for number, example in enumerate(examples):
        (host.project / f"test_example_{number}.py").write_text(example)

    names = [f"test_example_{number}.py" for number in range(len(examples))]
    said = host.pytest("-n", "2", *names, plugins=("pytest_django.plugin", "xdist.plugin"))

    expected = sum(len(re.findall(r"^ *def test_", example, re.MULTILINE)) for example in examples)
    assert f"{expected} passed" in said


def test_the_hosts_types_are_right(host: Host) -> None:
    said = host.run("-m", "mypy", "--no-incremental", "mysite", "uploads", "test_billing.py")
    assert "no issues found" in said


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_only_public_names_are_used() -> None:
    used = {name for path in PROJECT.rglob("*.py") for name in imports(path) if name.startswith(PACKAGE)}
    assert f"{PACKAGE}.testing" in used
    assert {name.removeprefix(PACKAGE) for name in used} <= PUBLIC
    assert [path for path in PROJECT.rglob("*.py") if re.search(r"\btests\.", path.read_text())] == []
