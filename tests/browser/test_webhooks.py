"""A webhook that could not be processed, and is after somebody has looked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import expect

from tests.browser.admin import OpenPage, is_told, reload_until, support_page_of
from tests.browser.conftest import picture
from tests.browser.site import DemoSite
from tests.sandbox.driver import Driver

EVENTS = "/admin/videoq_billing/webhookevent/"


@contextmanager
def changed_while_stripe_is_away(stripe: Driver, subscription: str) -> Iterator[None]:
    """The subscription is cancelled at Stripe, whose event arrives while nothing about it can be read."""
    stripe.control("switches", paused=True)
    stripe.api.subscriptions.update(subscription, params={"cancel_at_period_end": True})
    stripe.control("outage", requests=10_000, path="/v1/subscriptions")
    stripe.control("switches", paused=False)
    try:
        yield
    finally:
        stripe.control("outage", requests=0)


def test_a_webhook_that_failed_is_processed_again(open_page: OpenPage, site: DemoSite) -> None:
    """Stripe was away when the event came, so it could not be read; the change is there after "process again"."""
    [subscription] = [each for each in site.stripe.api.subscriptions.list().data if each.status == "active"]
    page = open_page(site, "admin")
    support_page_of(page, "pro")
    address, events = page.url, page.locator("#result_list tbody tr")
    with changed_while_stripe_is_away(site.stripe, subscription.id):
        page.goto(f"{EVENTS}?state__exact=failed")
        reload_until(page, lambda: events.count() == 2)
    assert "1 event has been failing for more than an hour." in page.locator("#content").inner_text()
    picture(page, "admin-webhooks")
    assert "StripeUnavailable" in events.first.inner_text()
    events.first.get_by_role("link").first.click()
    body = page.locator("pre")
    expect(body).to_contain_text("cancel_at_period_end")
    expect(body).not_to_contain_text(subscription.id)  # ids are masked
    picture(page, "admin-webhook")
    page.go_back()
    page.locator("#action-toggle").check()
    page.get_by_label("Action:").select_option(label="Process the selected events again")
    page.get_by_role("button", name=re.compile("Go|Run")).click()
    is_told(page, "2 events will be processed again.")
    reload_until(page, lambda: events.count() == 0)
    assert "failing for more than an hour" not in page.locator("#content").inner_text()

    page.goto(address)
    page.get_by_role("button", name="Take the cancellation back").click()
    is_told(page, "The subscription goes on.")
    assert not site.stripe.api.subscriptions.retrieve(subscription.id).cancel_at_period_end
