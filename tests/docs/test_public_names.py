"""What the pages tell a host to import, to name in a setting or to look up is promised: docs/upgrading.md lists it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.docs.pages import PAGES, Block, all_blocks, text_of
from tests.public_surface import INCLUDED, PACKAGE, listed, signals, urls

# They are for who works on the package, and speak of its inside.
OF_THE_INSIDE = {"CONTRIBUTING.md", "architecture.md", "mutation.md", "security.md", "stripe-versions.md"}
FOR_HOSTS = [page.name for page in PAGES if page.name not in OF_THE_INSIDE]

# Named with the word that it may change: what the local Stripe can be made to do.
NOT_PROMISED = {f"{PACKAGE}.sandbox.control"}

PROMISED = {
    PACKAGE,
    *(f"{PACKAGE}.{name}" for name in (*INCLUDED, "services", "signals")),
    *(f"{PACKAGE}.signals.{name}" for name in signals()),
    *(
        part
        for module, names in listed().items()
        for part in (module, *(f"{module}.{name}" for name in names))
    ),
}


def used(code: str) -> Iterator[str]:
    """The package's names that a block imports, names in a string, or looks up in a module that it imported."""
    nodes = list(ast.walk(ast.parse(code)))
    modules: dict[str, str] = {}
    for node in nodes:
        match node:
            case ast.ImportFrom(module=str(module), names=names) if ours(module):
                modules |= {alias.asname or alias.name: f"{module}.{alias.name}" for alias in names}
                yield from (f"{module}.{alias.name}" for alias in names)
            case ast.Import(names=names):
                yield from (alias.name for alias in names if ours(alias.name))
            case ast.Constant(value=str(text)) if re.fullmatch(rf"{PACKAGE}(\.\w+)*", text):
                yield text
    for node in nodes:
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if modules.get(name) in listed():
                yield f"{modules[name]}.{attribute}"


def ours(module: str) -> bool:
    return module.partition(".")[0] == PACKAGE


@pytest.mark.parametrize("block", all_blocks("python"), ids=str)
def test_what_a_block_uses_is_promised(block: Block) -> None:
    assert [name for name in used(block.code) if name not in PROMISED] == []


def test_blocks_are_read() -> None:
    found = {name for block in all_blocks("python") for name in used(block.code)}
    assert f"{PACKAGE}.decorators.requires_quota" in found
    assert f"{PACKAGE}.logs.JsonFormatter" in found, "a setting"
    assert f"{PACKAGE}.services.support.grant_allowance" in found, "looked up in a module"


@pytest.mark.parametrize("page", FOR_HOSTS)
def test_what_a_page_names_is_promised(page: str) -> None:
    text = text_of(page)
    named = set(re.findall(rf"`({PACKAGE}(?:\.\w+)+)", text))
    named |= {f"{PACKAGE}.{name}" for name in re.findall(r"`(services(?:\.\w+)+)", text)}
    assert named - PROMISED - NOT_PROMISED == set()
    assert set(re.findall(r"videoq_billing(?:_page)?:[a-z-]+", text)) - urls().keys() == set()
