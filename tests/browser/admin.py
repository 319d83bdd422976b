"""What several journeys in the admin do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

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


def is_told(page: Page, text: str) -> None:
    """Wait for the admin's message."""
    expect(page.locator(".messagelist")).to_contain_text(text)


def has_row(page: Page, label: str, text: str) -> None:
    """Wait until the text stands beside a label of an admin form."""
    expect(page.locator(".form-row").filter(has_text=label).first).to_contain_text(text)


def reload_until(page: Page, happened: Callable[[], bool]) -> None:
    for _ in range(60):
        page.wait_for_load_state()
        if happened():
            return
        page.wait_for_timeout(500)
        page.reload()
    pytest.fail("It did not happen in half a minute.")
