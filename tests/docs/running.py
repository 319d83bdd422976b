"""Running the Python blocks of a page, in order, as a reader would: each in a module with what the text says is there."""

from __future__ import annotations

import ast
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.test import override_settings
from django.urls import include, path

from django_videoq_billing.conf import get_settings
from tests.docs.pages import ROOT, blocks_of

Names = dict[str, Any]


class Page:
    """A page being read: `run(2, user=user)` executes its second Python block and returns the names it leaves."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.blocks = {block.number: block for block in blocks_of(name, "python")}
        self.not_yet = {number for number, block in self.blocks.items() if not block.excuse}

    def run(
        self, number: int, modules: Names | None = None, here: dict[str, str] | None = None, **names: Any
    ) -> Names:
        """`names` are what the block takes for granted; `modules` stands for modules of the reader's project.

        `here` has what the reader would write in place of an example's own: an address, say.
        """
        block = self.blocks[number]
        code = runnable(block.code)
        for example, ours in (here or {}).items():
            assert example in code
            code = code.replace(example, ours)
        self.not_yet.discard(number)
        found = {"__name__": f"docs_{self.name.partition('.')[0]}_{number}", **a_project(), **names}
        with present(modules or {}):
            exec(compile(code, str(block), "exec"), found)  # noqa: S102 (our own pages)
        if "VIDEOQ_BILLING" in found:
            with override_settings(VIDEOQ_BILLING=found["VIDEOQ_BILLING"]):
                assert get_settings().PLANS
        return found

    def run_the_rest(self) -> None:
        """Blocks of settings and URLs need no more than a project, and nobody to look at what they do."""
        for number in sorted(self.not_yet):
            self.run(number)


@contextmanager
def present(modules: Names) -> Iterator[None]:
    """Within the block these can be imported. Whatever else is imported meanwhile stays."""
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in modules:
            del sys.modules[name]


def a_project() -> Names:
    """What stands in every new project's settings and URLs before our lines are added."""
    given = {"BASE_DIR": ROOT, "INSTALLED_APPS": [], "MIDDLEWARE": [], "urlpatterns": []}
    return {**given, "include": include, "path": path}


def runnable(code: str) -> str:
    """A block with a bare `return` is the inside of a function."""
    if any(isinstance(node, ast.Return) for node in _outside_functions(ast.parse(code))):
        return f"def snippet():\n{textwrap.indent(code, '    ')}\nanswer = snippet()\n"
    return code


def _outside_functions(node: ast.AST) -> list[ast.AST]:
    inner = [
        child
        for child in ast.iter_child_nodes(node)
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda)
    ]
    return [*inner, *(deeper for child in inner for deeper in _outside_functions(child))]


Reader = Callable[[Page, Any], None]
READERS: dict[str, Reader] = {}


def reads(page: str) -> Callable[[Reader], Reader]:
    """Name the page whose Python blocks the function runs, each once at least, and looks at."""

    def register(reader: Reader) -> Reader:
        READERS[page] = reader
        return reader

    return register
