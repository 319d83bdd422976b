"""The main path without a mouse: choose a plan, pay, come back, cancel, change one's mind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.admin import OpenPage
from tests.browser.customer import LONG, Customer
from tests.browser.site import CARD, DemoSite

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

FOCUSED = "element => element === document.activeElement"
OUTLINED = "element => { const s = getComputedStyle(element); return s.outlineStyle !== 'none' || s.boxShadow !== 'none' }"


def tab_to(page: Page, wanted: Locator) -> None:
    for _ in range(80):
        page.keyboard.press("Tab")
        if wanted.evaluate(FOCUSED):
            assert wanted.evaluate(OUTLINED), "one sees where one is"
            return
    raise AssertionError("Nobody gets there by the keyboard.")


def press(page: Page, wanted: Locator, key: str = "Enter") -> None:
    wanted.wait_for()
    tab_to(page, wanted)
    page.keyboard.press(key)


def test_from_free_to_paid_and_back(open_page: OpenPage, shop: DemoSite) -> None:
    page = open_page(shop)
    customer = Customer(page, shop, "en", "keyboard")
    customer.sign_up()
    customer.open_billing()
    press(page, customer.button("plans.choose", plan="Standard"))
    page.wait_for_url(f"{shop.stripe.url}/**")
    for label, text in (
        ("Email", "keyboard@example.com"), ("Card number", CARD), ("Expiry", "12 / 34"), ("CVC", "123"),
        ("Name on card", "Ada Lovelace"),
    ):  # fmt: skip
        field = page.get_by_label(label)
        if not field.evaluate(FOCUSED):
            tab_to(page, field)
        page.keyboard.press("Control+A")
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    customer.heading("checkout.doneTitle", plan="Standard").wait_for(timeout=LONG)
    press(page, page.get_by_role("link", name=customer.t("checkout.toBilling")))
    customer.settle()
    customer.is_on("Standard")

    opener = customer.button("settings.cancel")
    press(page, opener)
    page.get_by_role("dialog").wait_for()
    page.wait_for_function("document.querySelector('[role=dialog]').contains(document.activeElement)")
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    expect(opener).to_be_focused()  # focus comes back to where it was
    page.keyboard.press("Enter")
    press(page, customer.dialog_button("cancel.confirm"))
    customer.sees("status.ending")
    press(page, customer.button("settings.reactivate"))
    press(page, customer.dialog_button("reactivate.confirm", plan="Standard"))
    customer.sees("reactivate.done", plan="Standard")
