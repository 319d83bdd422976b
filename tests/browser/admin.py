"""What several journeys in the admin do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

OpenPage = Callable[..., "Page"]


def support_page_of(page: Page, user: str) -> None:
    """As support finds it: by the user's name, from the admin's first page."""
    page.goto("/admin/")
    page.get_by_role("link", name="Users", exact=True).click()
    page.locator("#searchbar").fill(user)
    page.locator("#searchbar").press("Enter")
    page.locator("#result_list").get_by_role("link", name=user, exact=True).click()
    page.get_by_role("link", name="Plan, allowances, corrections, cancelling").click()


def message(page: Page) -> str:
    return page.locator(".messagelist").inner_text()


def row(page: Page, label: str) -> str:
    """What stands beside a label of an admin form."""
    return page.locator(".form-row").filter(has_text=label).first.inner_text()


def reload_until(page: Page, happened: Callable[[], bool]) -> None:
    for _ in range(60):
        if happened():
            return
        page.wait_for_timeout(500)
        page.reload()
    pytest.fail("It did not happen in half a minute.")
