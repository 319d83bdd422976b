"""The account itself, webhook endpoints and test clocks."""

from typing import Any

from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.config import DAY
from django_videoq_billing.sandbox.objects import NO_ADDRESS, born, without
from django_videoq_billing.sandbox.store import Record


def account(box: Sandbox) -> Record:
    config = box.config
    names = {"kana": None, "kanji": None}
    settings = {
        "bacs_debit_payments": {"display_name": None, "service_user_number": None},
        "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
        "card_issuing": {"tos_acceptance": {"date": None, "ip": None}},
        "card_payments": {
            "decline_on": {"avs_failure": False, "cvc_failure": False}, "statement_descriptor_prefix": None,
            **{f"statement_descriptor_prefix_{name}": value for name, value in names.items()},
        },
        "dashboard": {"display_name": config.account_name, "timezone": "Etc/UTC"},
        "invoices": {"default_account_tax_ids": None, "hosted_payment_method_save": "offer"},
        "payments": {
            "statement_descriptor": "SANDBOX",
            **{f"statement_descriptor_{name}": value for name, value in names.items()},
        },
        "payouts": {
            "debit_negative_balances": True, "schedule": {"delay_days": 2, "interval": "daily"},
            "statement_descriptor": None,
        },
        "sepa_debit_payments": {},
    }  # fmt: skip
    profile = {
        "annual_revenue": None, "estimated_worker_count": None, "mcc": None, "name": config.account_name,
        "product_description": None, "support_address": dict(NO_ADDRESS), "support_email": None,
        "support_phone": None, "support_url": None, "url": None,
    }  # fmt: skip
    record = born(
        box, "account", "acct", {},
        business_profile=profile, business_type="company",
        capabilities={"card_payments": "active", "transfers": "active"}, charges_enabled=True,
        controller={"type": "account"}, country=config.country, default_currency=config.currency,
        details_submitted=True, email="sandbox@example.com", payouts_enabled=True, settings=settings,
        tos_acceptance={"date": None, "ip": None, "user_agent": None}, type="standard",
    )  # fmt: skip
    return without(record, "livemode")


def webhook_endpoint(box: Sandbox, url: str, enabled_events: list[str], **given: Any) -> Record:
    """`_secrets`: the current one first, the old one too while it is being rotated."""
    return born(
        box, "webhook_endpoint", "we", given,
        api_version=None, application=None, description=None, enabled_events=enabled_events, status="enabled",
        url=url, _secrets=[box.ids.new("whsec")],
    )  # fmt: skip


def test_clock(box: Sandbox, frozen_time: int, name: str | None) -> Record:
    record = born(
        box, "test_helpers.test_clock", "clock", {},
        deletes_after=frozen_time + 30 * DAY, frozen_time=frozen_time, name=name, status="ready", status_details={},
    )  # fmt: skip
    return without(record, "metadata")
