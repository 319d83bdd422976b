"""A real Chromium at the example site. Runs by itself: `pytest tests/browser -m browser`.

Playwright's event loop and those of the asynchronous tests do not live in one process, so every other run leaves these
tests out. CHROMIUM names a browser; without one they are skipped, and fail where CI is set.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.site import PASSWORD, DemoSite, databases, demo_site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

FOLDER = Path(__file__).parent
PICTURES = FOLDER.parents[1] / ".cache" / "screenshots"
PUBLISHED = {
    "billing-of-a-year": "billing",
    "billing-of-a-year-dark": "billing-dark",
    "billing-en-preview": "billing-change",
    "billing-ja-warning": "billing-narrow",
}
"""Pictures that README and docs show, under the names they have there: what fits into a window."""
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.browser)


def chromium() -> str:
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        sentence = "There is no Chromium on this machine; install one, or name it in CHROMIUM."
        (pytest.fail if os.environ.get("CI") else pytest.skip)(sentence)
    return str(found)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--force-color-profile=srgb"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def new_database(browser: Browser) -> Iterator[Callable[[str], str]]:
    with databases() as make:
        yield make


@pytest.fixture(scope="session")
def site(new_database: Callable[[str], str]) -> Iterator[DemoSite]:
    """One for all tests, with a made-up year: what they do there must not be in each other's way."""
    with demo_site(new_database("site")) as site:
        site.manage("demo_data", "--users", "120")
        yield site


@pytest.fixture(scope="session")
def shop(new_database: Callable[[str], str]) -> Iterator[DemoSite]:
    """One without customers, whose time the tests move: months, if need be."""
    with demo_site(new_database("shop")) as site:
        yield site


@pytest.fixture
def open_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """`open_page(site, "pro", lang="ja", narrow=True, dark=True)`: a fresh browser profile, logged in.

    Whatever a page writes to the console as an error fails the test.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_one(
        at: DemoSite,
        user: str | None = None,
        *,
        lang: str = "en",
        narrow: bool = False,
        dark: bool = False,
    ) -> Page:
        options: dict[str, Any] = {
            "base_url": at.url,
            "locale": {"en": "en-US", "ja": "ja-JP"}[lang],
            "viewport": NARROW if narrow else WIDE,
            "color_scheme": "dark" if dark else "light",
            "timezone_id": "UTC",
            "reduced_motion": "reduce",
        }
        context = browser.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", partial(_hear, complaints))
        if user is not None:
            log_in(page, user)
        return page

    yield open_one
    for context in contexts:
        context.close()
    expected = request.node.get_closest_marker("expects_errors")
    unexpected = [text for text in complaints if not (expected and re.search(expected.args[0], text))]
    assert not unexpected


def _hear(complaints: list[str], message: ConsoleMessage) -> None:
    if message.type == "error" and not message.location["url"].endswith("/favicon.ico"):
        complaints.append(f"{message.text} {message.location['url']}")


def log_in(page: Page, user: str, password: str = PASSWORD) -> None:
    page.goto("/login/")
    page.locator("[name=username]").fill(user)
    page.locator("[name=password]").fill(password)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url(re.compile("^(?!.*/login/)"))


def picture(page: Page, name: str, *, whole: bool = True) -> None:
    """Keep a picture of the page, to be looked at after the run; UPDATE_PICTURES=1 renews those of the docs."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=whole and name not in PUBLISHED)
    if name in PUBLISHED and os.environ.get("UPDATE_PICTURES"):
        shutil.copy(
            PICTURES / f"{name}.png", FOLDER.parents[1] / "docs" / "images" / f"{PUBLISHED[name]}.png"
        )
