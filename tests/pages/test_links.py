"""Where links to billing lead: what the host says, and else the page of this package."""

from __future__ import annotations

from typing import Any

import pytest

from django_videoq_billing import http
from django_videoq_billing.services.notifications import links

pytestmark = pytest.mark.urls("tests.pages.urls")

SITE = "https://videos.example.com"


@pytest.mark.parametrize(
    ("given", "upgrade", "billing"),
    [
        ({}, "/billing/", "/billing/"),
        ({"UPGRADE_URL": "/plans/"}, "/plans/", "/billing/"),
        ({"BILLING_URL": "account"}, "/billing/", "/account/"),
        ({"UPGRADE_URL": "/plans/", "BILLING_URL": "account"}, "/plans/", "/account/"),
    ],
)
def test_a_host_that_has_included_the_page(
    given: dict[str, str], upgrade: str, billing: str, settings: Any
) -> None:
    settings.VIDEOQ_BILLING = {"SITE_URL": SITE, **given}

    assert http.upgrade_url() == upgrade
    assert links.upgrade_url() == SITE + upgrade
    assert links.billing_url() == SITE + billing


@pytest.mark.urls("tests.urls")
def test_a_host_that_has_not(settings: Any) -> None:
    settings.VIDEOQ_BILLING = {"SITE_URL": SITE}
    assert (http.upgrade_url(), links.upgrade_url(), links.billing_url()) == (None, "", "")

    settings.VIDEOQ_BILLING = {"SITE_URL": SITE, "UPGRADE_URL": "/plans/"}
    assert links.billing_url() == f"{SITE}/plans/"


@pytest.mark.parametrize("name", ["no.such.module", "", None])
def test_a_worker_without_urls(name: str | None, settings: Any) -> None:
    settings.ROOT_URLCONF = name
    assert http.billing_page() == ""
