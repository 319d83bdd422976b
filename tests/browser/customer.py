"""A customer of the example site in a browser: what several tests do on the billing page and at the local Stripe."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import picture
from tests.browser.site import CARD, DemoSite
from tests.browser.texts import Texts

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SAMPLES = Path(__file__).parents[2] / "example_project" / "samples"
PASSWORD = "a-long-demo-password"
LONG = 45_000
"""How long a webhook and the page that waits for it may take on a busy machine, in milliseconds."""


class Customer:
    def __init__(self, page: Page, site: DemoSite, lang: str, name: str) -> None:
        self.page, self.site, self.t, self.name = page, site, Texts(lang), name
        self.lang = lang

    # --- the example site ---

    def sign_up(self) -> None:
        self.page.goto("/signup/")
        self.page.locator("[name=username]").fill(self.name)
        if self.page.locator("[name=email]").count():
            self.page.locator("[name=email]").fill(f"{self.name}@example.com")
        self.page.locator("[name=password1]").fill(PASSWORD)
        self.page.locator("[name=password2]").fill(PASSWORD)
        self.page.locator("main form button").click()
        self.page.wait_for_url("**/videos/")

    def upload(self, sample: str) -> None:
        self.page.goto("/videos/upload/")
        self.upload_here(sample)

    def upload_here(self, sample: str) -> None:
        self.page.locator("input[type=file]").set_input_files(SAMPLES / sample)
        self.page.locator("main form button").click()

    def use(self, **amounts: int) -> None:
        """Count usage as if the customer had uploaded that much."""
        code = [
            "from django.contrib.auth.models import User",
            "from django_videoq_billing.services.usage_tracker import UsageTracker",
            f"user = User.objects.get(username={self.name!r})",
            *(f"UsageTracker.{method}(user, {amount})" for method, amount in amounts.items()),
        ]
        self.site.shell("; ".join(code))

    # --- the billing page ---

    def open_billing(self) -> None:
        self.page.goto("/billing/")
        self.settle()

    def settle(self) -> None:
        """Until the billing page is there with everything on it."""
        self.heading("page.title").wait_for()
        self.loaded()

    def loaded(self) -> None:
        for text in (self.t("page.loading"), self.t("page.slow")):
            expect(self.page.get_by_text(text, exact=True)).to_have_count(0, timeout=LONG)

    def heading(self, key: str, **values: object) -> Locator:
        return self.page.get_by_role("heading", name=self.t(key, **values), exact=True).first

    def button(self, key: str, **values: object) -> Locator:
        return self.page.get_by_role("button", name=self.t(key, **values), exact=True)

    def dialog_button(self, key: str, **values: object) -> Locator:
        return self.page.get_by_role("dialog").get_by_role("button", name=self.t(key, **values), exact=True)

    def sees(self, key: str, **values: object) -> None:
        """Wait until the text is on the page, as far as it is known."""
        self.page.get_by_text(self.t.start(key, **values)).first.wait_for(timeout=LONG)

    def is_on(self, plan: str) -> None:
        """Wait until the page says that this is the plan."""
        self.page.get_by_role("heading", name=plan, exact=True, level=2).wait_for(timeout=LONG)

    def body(self) -> str:
        return self.page.locator("#videoq-billing").inner_text()

    # --- Stripe's pages ---

    def pay(self, number: str = CARD, *, email: str = "") -> None:
        """Fill in the checkout's form and subscribe."""
        page = self.page
        page.wait_for_url(f"{self.site.stripe.url}/**")
        if email:
            page.get_by_label("Email").fill(email)
        self.fill_card(number)
        page.get_by_role("button", name=re.compile("Subscribe|Start trial")).click()

    def fill_card(self, number: str) -> None:
        self.page.get_by_label("Card number").fill(number)
        self.page.get_by_label("Expiry").fill("12 / 34")
        self.page.get_by_label("CVC").fill("123")
        self.page.get_by_label("Name on card").fill("Ada Lovelace")

    # --- what everybody must be able to use ---

    def check(self, name: str) -> None:
        """Keep a picture, and let axe look at the page."""
        in_dialog = self.page.get_by_role("dialog").count() > 0
        if not in_dialog:
            self.loaded()
        picture(self.page, name, whole=not in_dialog)
        results = Axe().run(
            self.page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
        )
        assert results.violations_count == 0, results.generate_report()
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert self.page.evaluate(overflow) <= 0, "the page must not scroll sideways"
