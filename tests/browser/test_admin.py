"""The main journeys of support and of the owner in the admin, by mouse and keyboard, with a made-up year of customers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import picture
from tests.browser.site import DemoSite

if TYPE_CHECKING:
    from playwright.sync_api import Page

OpenPage = Callable[..., "Page"]


@pytest.fixture(scope="module", autouse=True)
def year(site: DemoSite) -> None:
    site.manage("demo_data", "--users", "120")


def test_a_plan_for_one_customer_is_made_and_assigned(open_page: OpenPage, site: DemoSite) -> None:
    page = open_page("admin")
    page.goto("/admin/")
    picture(page, "admin")
