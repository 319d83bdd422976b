"""A customer's whole life on the billing page: free, at the limit, paying, warned, changing, cancelling, failing to pay."""

from __future__ import annotations

import re
import secrets

import pytest
from playwright.sync_api import expect

from tests.browser.admin import OpenPage
from tests.browser.customer import LONG, Customer
from tests.browser.site import DemoSite

DECLINED_LATER = "4000 0000 0000 0341"


@pytest.mark.expects_errors("403 .*/usage/check")  # the check that refuses the upload
@pytest.mark.parametrize(("lang", "narrow"), [("en", False), ("ja", True)])
def test_from_sign_up_to_a_failed_card(open_page: OpenPage, shop: DemoSite, lang: str, narrow: bool) -> None:
    page = open_page(shop, lang=lang, narrow=narrow)
    customer = Customer(page, shop, lang, f"ada-{lang}-{secrets.token_hex(2)}")
    look = f"billing-{lang}"
    reaches_the_limit(customer, look)
    upgrades(customer, look)
    is_warned(customer, look)
    moves_up_and_down(customer, look)
    cancels_and_comes_back(customer, look)
    has_a_card_that_fails(customer, look)


def reaches_the_limit(customer: Customer, look: str) -> None:
    customer.sign_up()
    customer.open_billing()
    customer.is_on("Free")
    customer.check(f"{look}-free")
    customer.upload("jingle.wav")
    customer.page.wait_for_url(re.compile(r"/videos/(?!upload)"))
    customer.page.goto("/videos/upload/")
    customer.page.locator("input[type=file]").wait_for()
    customer.use(increment_video_count=2)  # in another tab, meanwhile
    customer.upload_here("chime.flac")
    refusal = customer.page.get_by_role("alert").filter(has_text="3/3")
    refusal.wait_for()
    customer.check(f"{look}-refused")
    refusal.get_by_role("link").click()
    customer.settle()
    customer.sees("usage.full")
    customer.check(f"{look}-full")


def upgrades(customer: Customer, look: str) -> None:
    customer.button("plans.choose", plan="Standard").click()
    customer.pay(email=f"{customer.name}@example.com")
    customer.page.wait_for_url(re.compile("/billing/success/"))
    customer.heading("checkout.doneTitle", plan="Standard").wait_for(timeout=LONG)
    customer.check(f"{look}-success")
    customer.page.get_by_role("link", name=customer.t("checkout.toBilling")).click()
    customer.settle()
    customer.is_on("Standard")
    customer.sees("usage.ofVideos_other", used=0, limit=50)


def is_warned(customer: Customer, look: str) -> None:
    customer.use(increment_video_count=41, increment_transcription_seconds=19_000)
    customer.open_billing()
    customer.sees("usage.warning", threshold=80)
    customer.sees("usage.full")
    customer.check(f"{look}-warning")


def moves_up_and_down(customer: Customer, look: str) -> None:
    customer.button("plans.change", plan="Premium").click()
    customer.page.get_by_role("dialog").get_by_text(customer.t("change.due")).wait_for()
    customer.check(f"{look}-preview")
    pay = customer.t("change.confirmPay").split("{{amount}}")
    customer.page.get_by_role("dialog").get_by_role("button").filter(has_text=pay[0] or pay[1]).click()
    customer.is_on("Premium")
    customer.button("plans.change", plan="Standard").click()
    customer.dialog_button("change.confirmLater").click()
    customer.sees("change.doneLater", plan="Standard")
    customer.check(f"{look}-downgrade")
    customer.page.reload()
    customer.settle()
    customer.sees("standing.changes", plan="Standard") if customer.lang == "ja" else customer.sees(
        "settings.changesOn"
    )


def cancels_and_comes_back(customer: Customer, look: str) -> None:
    customer.button("settings.cancel").click()
    customer.page.get_by_role("dialog").get_by_text(customer.t("cancel.charges")).wait_for()
    customer.check(f"{look}-cancel")
    customer.dialog_button("cancel.confirm").click()
    customer.page.get_by_role("dialog").wait_for(state="detached")
    customer.sees("status.ending")
    customer.check(f"{look}-cancelled")
    customer.button("settings.reactivate").click()
    customer.dialog_button("reactivate.confirm", plan="Premium").click()
    customer.page.get_by_role("dialog").wait_for(state="detached")
    customer.sees("status.active")


def has_a_card_that_fails(customer: Customer, look: str) -> None:
    page = customer.page
    customer.button("payment.manage").click()
    page.wait_for_url(f"{customer.site.stripe.url}/**")
    page.get_by_text("Use another card").click()
    customer.fill_card(DECLINED_LATER)
    page.get_by_role("button", name="Save card", exact=True).click()
    page.get_by_role("listitem").filter(has_text="0341").filter(has_text="Default").wait_for()
    page.get_by_role("link", name=re.compile("Return to")).click()
    customer.settle()
    customer.site.stripe.advance(days=33)
    customer.site.manage("run_billing_jobs")
    customer.open_billing()
    customer.sees("status.past_due")
    customer.check(f"{look}-past-due")
    history = page.locator("#videoq-billing table").last
    assert (
        customer.t("history.state.failed") in history.inner_text()
        or customer.t("history.state.pending") in history.inner_text()
    )
    assert customer.t("history.state.succeeded") in history.inner_text()
    assert page.get_by_role("link", name=re.compile(customer.t("history.view"))).count() >= 1


@pytest.mark.parametrize("dark", [False, True])
def test_a_customer_of_a_year(open_page: OpenPage, site: DemoSite, dark: bool) -> None:
    """Twelve months of usage as a chart and as a table, payments page by page, and plans by the year."""
    name = site.shell(
        "from django.contrib.auth.models import User;"
        "from django.db.models import Count;"
        "from django_videoq_billing.models import SubscriptionPlan;"
        "SubscriptionPlan.objects.filter(interval='year').update(is_public=True);"
        "users = User.objects.filter(subscription__plan__slug='standard', subscription__status='active');"
        "users = users.annotate(lines=Count('payment_transactions', distinct=True)).order_by('-lines', 'pk');"
        "user = users.first(); user.set_password('demo-password'); user.save(); print(user.username)"
    )
    page = open_page(site, name, dark=dark)
    customer = Customer(page, site, "en", name)
    customer.open_billing()
    customer.heading("usage.chart").wait_for()
    customer.check("billing-of-a-year-dark" if dark else "billing-of-a-year")
    page.get_by_text(customer.t("usage.table")).click()
    expect(page.get_by_role("row").filter(has_text=re.compile(r"20\d\d")).nth(5)).to_be_visible()

    page.get_by_role("radio", name=customer.t("plans.year")).click()
    page.get_by_role("heading", name="Premium, yearly", exact=True).wait_for()
    page.get_by_text(customer.t("plans.compare")).click()
    page.get_by_role("columnheader", name="Premium, yearly").wait_for()
    customer.check(f"billing-yearly{'-dark' * dark}")
