"""The frame that the package gives its pages where the host has no base template."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.site import MANAGE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

STYLES = MANAGE.parents[1] / "django_videoq_billing/static/django_videoq_billing/standalone.css"
PAGE = """<!DOCTYPE html><html><head><style>{styles}</style></head><body><main class="{frame}">
<section style="overflow-x: auto"><table style="min-width: 60rem"><tr><td>The plans, compared</td></tr></table></section>
</main></body></html>"""


@pytest.mark.parametrize("frame", ["wide", ""])
def test_what_is_too_wide_scrolls_by_itself(browser: Browser, frame: str) -> None:
    with browser.new_page(viewport={"width": 360, "height": 740}) as page:
        page.set_content(PAGE.format(styles=STYLES.read_text(encoding="utf-8"), frame=frame))
        assert page.evaluate("document.querySelector('table').offsetWidth") > 360
        assert page.evaluate("document.documentElement.scrollWidth") == 360
