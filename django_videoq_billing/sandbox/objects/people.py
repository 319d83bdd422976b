"""Customers, their payment methods and setup intents."""

from typing import Any

from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.cards import TestCard
from django_videoq_billing.sandbox.objects import NO_ADDRESS, born
from django_videoq_billing.sandbox.store import Record


def customer(box: Sandbox, **given: Any) -> Record:
    """`_fail_next` counts the coming payments that the control API wants to fail."""
    settings = {
        "custom_fields": None,
        "default_payment_method": None,
        "footer": None,
        "rendering_options": None,
    }
    return born(
        box, "customer", "cus", given,
        address=None, balance=0, currency=None, customer_account=None, default_source=None, delinquent=False,
        description=None, discount=None, email=None, invoice_prefix=box.ids.token(8).upper(),
        invoice_settings=settings, name=None, next_invoice_sequence=1, phone=None, preferred_locales=[],
        shipping=None, tax_exempt="none", test_clock=None, _fail_next=None,
    )  # fmt: skip


def billing_details(given: Record | None = None) -> Record:
    return {
        "address": dict(NO_ADDRESS),
        "email": None,
        "name": None,
        "phone": None,
        "tax_id": None,
        **(given or {}),
    }


def payment_method(box: Sandbox, card: TestCard, *, exp_month: int, exp_year: int, **given: Any) -> Record:
    """`_number` decides how the card or account behaves; `_set_up` means that its 3-D Secure was done once."""
    face = _account_face(card) if card.kind == "us_bank_account" else _card_face(card, exp_month, exp_year)
    return born(
        box, "payment_method", "pm", {**given, card.kind: face},
        allow_redisplay="unspecified", billing_details=billing_details(), customer=None, customer_account=None,
        type=card.kind, _number=card.number, _set_up=False, **{card.kind: None},
    )  # fmt: skip


def _account_face(account: TestCard) -> Record:
    return {
        "account_holder_type": "individual", "account_type": "checking", "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": None, "fingerprint": f"fp{account.number}", "last4": account.number[-4:],
        "networks": {"preferred": "ach", "supported": ["ach"]}, "routing_number": "110000000", "status_details": {},
    }  # fmt: skip


def _card_face(card: TestCard, exp_month: int, exp_year: int) -> Record:
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": card.brand,
        "exp_month": exp_month,
        "exp_year": exp_year,
        "fingerprint": f"fp{card.number[-14:]}",
        "funding": card.funding,
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def setup_intent(box: Sandbox, **given: Any) -> Record:
    key = given.get("id") or box.ids.new("seti")
    return born(
        box, "setup_intent", "seti", {**given, "id": key},
        application=None, automatic_payment_methods=None, cancellation_reason=None,
        client_secret=f"{key}_secret_{box.ids.token(25)}", customer=None, customer_account=None, description=None,
        flow_directions=None, last_setup_error=None, latest_attempt=None, mandate=None, next_action=None,
        on_behalf_of=None, payment_method=None, payment_method_configuration_details=None,
        payment_method_options={"card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}},
        payment_method_types=["card"], single_use_mandate=None, status="requires_payment_method", usage="off_session",
    )  # fmt: skip
