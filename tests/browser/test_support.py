"""Support's work for one customer, as support and the customer see it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.admin import OpenPage, has_row, is_told, support_page_of
from tests.browser.conftest import picture
from tests.browser.site import DemoSite

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_a_plan_for_one_customer_is_made_and_assigned(open_page: OpenPage, site: DemoSite) -> None:
    page = open_page(site, "admin")
    support_page_of(page, "demo")
    page.get_by_role("link", name="New plan for this user").click()
    page.get_by_label("Name:").press_sequentially("Acme Corporation")
    expect(page.get_by_label("Slug:")).to_have_value("acme-corporation")  # written while one types
    assert not page.get_by_label("Listed").is_checked()
    page.get_by_label("Video limit:").fill("77")
    page.get_by_label("Transcription limit in minutes:").fill("100")
    picture(page, "admin-custom-plan")
    page.get_by_role("button", name="Save", exact=True).click()
    picture(page, "admin-assign")
    page.get_by_role("button", name="Assign to a user").click()
    is_told(page, "The plan “Acme Corporation” was assigned to demo.")
    has_row(page, "Limits now come from", "Acme Corporation")

    customer = open_page(site, "demo")
    customer.goto("/videos/")
    assert "of 77" in customer.locator("body").inner_text()
    customer.goto("/plans/")
    offered = customer.locator("main h2, main h3").all_inner_texts()
    assert "Standard" in offered


def test_usage_is_corrected_and_the_customer_goes_on(open_page: OpenPage, site: DemoSite) -> None:
    site.shell(
        "from django.contrib.auth.models import User;"
        "from django_videoq_billing.models import SubscriptionPlan;"
        "from django_videoq_billing.services.subscriptions import assign_plan;"
        "from django_videoq_billing.services.usage_tracker import UsageTracker;"
        "user = User.objects.create_user('grace', 'grace@example.com', 'demo-password');"
        "assign_plan(user, SubscriptionPlan.objects.get(slug='free'));"
        "UsageTracker.increment_video_count(user, 3)"
    )
    customer = open_page(site, "grace")
    customer.goto("/videos/upload/")
    assert customer.locator("input[type=file]").count() == 0
    assert "limit" in customer.locator("main").inner_text().lower()
    picture(customer, "upload-refused")

    page = open_page(site, "admin")
    support_page_of(page, "grace")
    has_row(page, "Videos in this period", "3 of 3")
    page.get_by_role("link", name="Correct usage").click()
    page.get_by_label("Used in this period:").fill("3")
    page.get_by_label("Reason:").fill("An upload was counted that never arrived.")
    page.get_by_role("button", name="Correct usage").click()
    expect(page.locator(".errornote, .errorlist").first).to_contain_text("stands there already")
    page.get_by_label("Used in this period:").fill("2")
    page.get_by_role("button", name="Correct usage").click()
    is_told(page, "Corrected from 3 to 2 videos.")
    has_row(page, "Videos in this period", "2 of 3")

    page.get_by_role("link", name="Time line").click()
    told = page.locator("#content")
    expect(told).to_contain_text("3 → 2 videos")
    expect(told).to_contain_text("admin: An upload was counted that never arrived.")
    picture(page, "admin-time-line")

    upload(customer)
    customer.wait_for_url(re.compile("/videos/(?!upload)"))
    expect(customer.locator("main")).to_contain_text("jingle")


def upload(page: Page) -> None:
    page.goto("/videos/upload/")
    sample = Path(__file__).parents[2] / "example_project" / "samples" / "jingle.wav"
    page.locator("input[type=file]").set_input_files(sample)
    page.locator("main form button, main form input[type=submit]").last.click()
