"""The owner reads the dashboard, and others see what is theirs to see."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.admin import OpenPage
from tests.browser.conftest import picture
from tests.browser.site import DemoSite

if TYPE_CHECKING:
    from playwright.sync_api import Page

DASHBOARD = "/admin/videoq_billing/dailyfigures/"


@pytest.mark.parametrize(("lang", "dark"), [("en", False), ("ja", True)])
def test_the_dashboard_is_read(open_page: OpenPage, site: DemoSite, lang: str, dark: bool) -> None:
    page = open_page(site, "admin", lang=lang, dark=dark)
    page.goto(DASHBOARD)
    charts = page.locator("canvas")
    assert charts.count() >= 6
    for number in range(charts.count()):
        assert colours(page, number) > 3, "a chart is drawn, and not only its axes"
    picture(page, f"admin-dashboard-{lang}")
    revenue = page.locator(".vqb-tiles dd").first.inner_text()
    assert re.search(r"\d", revenue)

    page.locator(".vqb-controls nav a").last.click()
    expect(page.locator("nav a[aria-current]")).to_have_text("12 months" if lang == "en" else "12か月")
    table = page.locator("details").first
    table.locator("summary").press("Enter")
    expect(table.locator("tbody tr").nth(9)).to_be_visible()  # twelve months, as a table too

    with page.expect_download() as download:
        page.locator(".vqb-controls").get_by_text("CSV").click()
    with open(download.value.path(), newline="") as file:
        lines = list(csv.reader(file))
    assert len(lines) > 300
    assert len({len(line) for line in lines}) == 1


def colours(page: Page, number: int) -> int:
    """How many colours there are on a canvas."""
    script = """number => {
        const canvas = document.querySelectorAll('canvas')[number]
        const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
        return new Set(new Uint32Array(data.buffer)).size
    }"""
    return int(page.evaluate(script, number))


def test_who_may_only_look_sees_no_button(open_page: OpenPage, site: DemoSite) -> None:
    site.manage("billing_groups")
    site.shell(
        "from django.contrib.auth.models import Group, User;"
        "user = User.objects.create_user('watcher', 'w@example.com', 'demo-password', is_staff=True);"
        "user.groups.set(Group.objects.filter(name='Billing: view'))"
    )
    page = open_page(site, "watcher")
    page.goto("/admin/videoq_billing/usersubscription/")
    page.locator("#result_list tbody th a").first.click()
    for button in ("Correct usage", "Assign a plan", "Grant an extra allowance"):
        assert page.get_by_role("link", name=button).count() == 0
    page.goto(DASHBOARD)
    assert page.locator("canvas").count() >= 6
