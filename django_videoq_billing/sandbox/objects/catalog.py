"""Products, prices, coupons and promotion codes."""

from decimal import Decimal
from typing import Any

from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.objects import born, without
from django_videoq_billing.sandbox.store import Record


def product(box: Sandbox, **given: Any) -> Record:
    return born(
        box, "product", "prod", given,
        active=True, default_price=None, description=None, images=[], marketing_features=[],
        name="", package_dimensions=None, shippable=None, statement_descriptor=None, tax_code=None,
        unit_label=None, updated=box.now(), url=None,
    )  # fmt: skip


def price(box: Sandbox, **given: Any) -> Record:
    return born(
        box, "price", "price", given,
        active=True, billing_scheme="per_unit", currency="usd", custom_unit_amount=None, lookup_key=None,
        nickname=None, product="", recurring=None, tax_behavior="unspecified", tiers_mode=None,
        transform_quantity=None, type="recurring" if given.get("recurring") else "one_time", unit_amount=None,
        unit_amount_decimal=None,
    )  # fmt: skip


def unit_amounts(amount: int | None, decimal: Decimal | None) -> Record:
    """`unit_amount` is null where the price has a fraction of the minor unit."""
    exact = decimal if decimal is not None else Decimal(amount or 0)
    whole = int(exact) if exact == exact.to_integral_value() else None
    return {"unit_amount": whole, "unit_amount_decimal": f"{exact.normalize():f}"}


def recurring(interval: str, count: int = 1) -> Record:
    return {
        "interval": interval, "interval_count": count, "meter": None,
        "usage_type": "licensed",
    }  # fmt: skip


def coupon(box: Sandbox, **given: Any) -> Record:
    return born(
        box, "coupon", "coupon", given,
        amount_off=None, currency=None, duration="once", duration_in_months=None, max_redemptions=None, name=None,
        percent_off=None, redeem_by=None, times_redeemed=0, valid=True,
    )  # fmt: skip


def promotion_code(box: Sandbox, coupon_id: str, **given: Any) -> Record:
    return born(
        box, "promotion_code", "promo", given,
        active=True, code="", customer=None, customer_account=None, expires_at=None, max_redemptions=None,
        promotion={"coupon": coupon_id, "type": "coupon"},
        restrictions={"first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None},
        times_redeemed=0,
    )  # fmt: skip


def discount(box: Sandbox, coupon_id: str, **given: Any) -> Record:
    record = born(
        box, "discount", "di", given,
        checkout_session=None, customer=None, customer_account=None, end=None, invoice=None, invoice_item=None,
        promotion_code=None, source={"coupon": coupon_id, "type": "coupon"}, start=box.now(), subscription=None,
        subscription_item=None,
    )  # fmt: skip
    return without(record, "created", "livemode", "metadata")
