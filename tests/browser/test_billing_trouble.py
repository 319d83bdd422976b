"""What the billing page says when something is in the way, and that it goes on when it is not any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.admin import OpenPage
from tests.browser.conftest import picture
from tests.browser.customer import PASSWORD, Customer
from tests.browser.site import DemoSite

if TYPE_CHECKING:
    from playwright.sync_api import Route


@pytest.fixture
def customer(open_page: OpenPage, shop: DemoSite, request: pytest.FixtureRequest) -> Customer:
    """Somebody who has just signed up."""
    someone = Customer(open_page(shop), shop, "en", f"user-{abs(hash(request.node.name)) % 10**8}")
    someone.sign_up()
    return someone


@pytest.mark.expects_errors("503")
def test_stripe_is_away(customer: Customer) -> None:
    customer.open_billing()
    customer.site.stripe.control("outage", requests=1000)
    try:
        customer.button("plans.choose", plan="Standard").click()
        alert = customer.page.get_by_role("alert").filter(has_text="payment service cannot be reached")
        alert.wait_for()
        customer.check("billing-stripe-away")
    finally:
        customer.site.stripe.control("outage", requests=0)
    customer.button("plans.choose", plan="Standard").click()
    customer.page.wait_for_url(f"{customer.site.stripe.url}/**")


@pytest.mark.expects_errors("40[13] ")
def test_the_session_is_over(customer: Customer) -> None:
    customer.open_billing()
    customer.page.context.clear_cookies()
    customer.button("plans.choose", plan="Standard").click()
    customer.sees("error.signedOut")
    customer.check("billing-signed-out")
    customer.page.get_by_role("link", name=customer.t("error.signIn")).first.click()
    customer.page.wait_for_url("**/login/?next=*")
    customer.page.locator("[name=username]").fill(customer.name)
    customer.page.locator("[name=password]").fill(PASSWORD)
    customer.page.locator("[name=password]").press("Enter")
    customer.page.wait_for_url("**/billing/")
    customer.settle()


def test_the_network_is_slow(customer: Customer) -> None:
    held: list[Route] = []
    customer.page.route("**/api/billing/**", lambda route: held.append(route))
    customer.page.goto("/billing/")
    customer.sees("page.slow")
    picture(customer.page, "billing-slow")
    for route in held:
        route.continue_()
    customer.page.unroute("**/api/billing/**")
    customer.settle()
    customer.is_on("Free")


@pytest.mark.expects_errors("ERR_INTERNET_DISCONNECTED|dynamically imported module")
def test_the_network_is_gone(customer: Customer) -> None:
    customer.open_billing()
    customer.page.context.set_offline(True)
    customer.button("plans.choose", plan="Standard").click()
    customer.sees("error.network")
    customer.page.context.set_offline(False)
    customer.button("plans.choose", plan="Standard").click()
    customer.page.wait_for_url(f"{customer.site.stripe.url}/**")


@pytest.mark.expects_errors("500")
def test_one_part_that_fails_leaves_the_others(customer: Customer) -> None:
    customer.page.route(
        "**/api/billing/history*", lambda route: route.fulfill(status=500, body="<h1>oops</h1>")
    )
    customer.page.goto("/billing/")
    customer.sees("error.unexpected")
    customer.is_on("Free")
    assert "oops" not in customer.body()
    customer.check("billing-part-fails")
    customer.page.unroute("**/api/billing/history*")
    customer.button("error.retry").click()
    customer.sees("history.empty")
