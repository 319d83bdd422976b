"""Every Python block of README and docs/ is run."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.docs.pages import PAGES, all_blocks, blocks_of
from tests.docs.readers import settings_only
from tests.docs.running import READERS, Page

# They are files of a project that test_tutorial.py makes.
FOLLOWED = {"tutorial.md"}
WITH_PYTHON = [page.name for page in PAGES if blocks_of(page.name, "python") and page.name not in FOLLOWED]


@pytest.fixture
def client(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("name", WITH_PYTHON)
def test_every_python_block_runs(name: str, client: Client) -> None:
    page = Page(name)
    READERS.get(name, settings_only)(page, client)
    assert page.not_yet == set(), f"blocks of {name} that nobody has run"


def test_readers_are_of_pages_that_exist() -> None:
    assert READERS.keys() - set(WITH_PYTHON) == set()


def test_few_blocks_are_not_run() -> None:
    excused = [f"{block}: {block.excuse}" for block in all_blocks("python") if block.excuse]
    assert len(excused) <= 3, excused
