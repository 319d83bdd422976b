"""Checkout sessions, their line items, and billing portal sessions with the default configuration."""

from typing import Any

from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.objects import NO_ADDRESS, born, without
from django_videoq_billing.sandbox.store import Record


def checkout_session(box: Sandbox, **given: Any) -> Record:
    key = box.ids.new("cs_test")
    return born(
        box, "checkout.session", "cs_test", {**given, "id": key},
        adaptive_pricing={"enabled": False}, after_expiration=None, allow_promotion_codes=None, amount_subtotal=0,
        amount_total=0, automatic_tax={"enabled": False, "liability": None, "provider": None, "status": None},
        billing_address_collection=None, cancel_url=None, client_reference_id=None, client_secret=None,
        collected_information=None, consent=None, consent_collection=None, currency="usd", currency_conversion=None,
        custom_fields=[],
        custom_text={"after_submit": None, "shipping_address": None, "submit": None, "terms_of_service_acceptance": None},
        customer=None, customer_account=None, customer_creation=None, customer_details=None, customer_email=None,
        discounts=[], expires_at=box.now() + 86_400, invoice=None, invoice_creation=None, locale=None,
        mode="subscription", origin_context=None, payment_intent=None, payment_link=None,
        payment_method_collection="always", payment_method_configuration_details=None,
        payment_method_options={"card": {"request_three_d_secure": "automatic"}}, payment_method_types=["card"],
        payment_status="unpaid", permissions=None, phone_number_collection={"enabled": False}, recovered_from=None,
        saved_payment_method_options=None, setup_intent=None, shipping_address_collection=None, shipping_cost=None,
        shipping_options=[], status="open", submit_type=None, subscription=None, success_url=None,
        total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0}, ui_mode="hosted_page",
        url=f"{box.config.url}/c/pay/{key}", wallet_options=None, _lines=[], _subscription_data={}, _method=None,
        _discount=None,
    )  # fmt: skip


def line_item(box: Sandbox, price: Record, quantity: int, description: str) -> Record:
    amount = (price["unit_amount"] or 0) * quantity
    record = born(
        box, "item", "li", {},
        adjustable_quantity=None, amount_discount=0, amount_subtotal=amount, amount_tax=0, amount_total=amount,
        currency=price["currency"], description=description, price=price["id"], quantity=quantity,
    )  # fmt: skip
    return without(record, "created", "livemode")


def customer_details(email: str | None, name: str | None) -> Record:
    return {
        "address": dict(NO_ADDRESS), "business_name": None, "email": email, "individual_name": None, "name": name,
        "phone": None, "tax_exempt": "none", "tax_ids": [],
    }  # fmt: skip


def portal_configuration(box: Sandbox) -> Record:
    reasons = ["too_expensive", "missing_features", "switched_service", "unused", "other"]
    features = {
        "customer_update": {"allowed_updates": ["email", "name"], "enabled": True},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True, "payment_method_configuration": None},
        "subscription_cancel": {
            "cancellation_reason": {"enabled": False, "options": reasons}, "enabled": True, "mode": "at_period_end",
            "proration_behavior": "none",
        },
        "subscription_update": {
            "billing_cycle_anchor": None, "default_allowed_updates": [], "enabled": False,
            "proration_behavior": "none", "schedule_at_period_end": {"conditions": []}, "trial_update_behavior": "end_trial",
        },
    }  # fmt: skip
    return born(
        box, "billing_portal.configuration", "bpc", {},
        active=True, application=None,
        business_profile={"headline": None, "privacy_policy_url": None, "terms_of_service_url": None},
        default_return_url=None, features=features, is_default=True, login_page={"enabled": False, "url": None},
        name=None, updated=box.now(),
    )  # fmt: skip


def portal_session(box: Sandbox, **given: Any) -> Record:
    record = born(
        box, "billing_portal.session", "bps", given,
        configuration="", customer="", customer_account=None, flow=None, locale=None, on_behalf_of=None,
        return_url=None, url=f"{box.config.url}/p/session/{box.ids.new('test')}",
    )  # fmt: skip
    return without(record, "metadata")
