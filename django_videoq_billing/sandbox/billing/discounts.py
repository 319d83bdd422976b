"""Coupons and promotion codes on subscriptions."""

from __future__ import annotations

from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import catalog
from django_videoq_billing.sandbox.params import Params
from django_videoq_billing.sandbox.store import Record

MONTH = 30 * 86_400


def usable_coupon(box: Sandbox, key: str, param: str) -> Record:
    coupon = box.store.get("coupon", key)
    if coupon is None:
        raise StripeError.missing("coupon", key, param, status=400)
    over = coupon["redeem_by"] is not None and coupon["redeem_by"] <= box.now()
    if not coupon["valid"] or over:
        raise StripeError(f"Coupon {key} is used up or expired.", code="coupon_expired", param=param)
    return coupon


def usable_code(box: Sandbox, code: Record, param: str, customer: str | None) -> Record:
    """The coupon behind a promotion code, which may be one customer's own."""
    expired = code["expires_at"] is not None and code["expires_at"] <= box.now()
    full = code["max_redemptions"] is not None and code["times_redeemed"] >= code["max_redemptions"]
    foreign = code["customer"] is not None and code["customer"] != customer
    if not code["active"] or expired or full or foreign:
        raise StripeError("This promotion code is no longer valid.", code="coupon_expired", param=param)
    return usable_coupon(box, code["promotion"]["coupon"], param)


def by_code(box: Sandbox, text: str) -> Record | None:
    """The active promotion code that a person typed, in any case of letters."""
    wanted = text.strip().lower()
    return next(
        (code for code in box.store.where("promotion_code", active=True) if code["code"].lower() == wanted),
        None,
    )


def made(
    box: Sandbox, given: list[Params] | None, subscription: str | None, customer: str | None
) -> list[str]:
    """Discount records for a request's `discounts`."""
    keys = []
    for index, entry in enumerate(given or []):
        code = None
        if entry.get("promotion_code"):
            code = box.store.get("promotion_code", entry["promotion_code"])
            if code is None:
                raise StripeError.missing(
                    "promotion code", entry["promotion_code"], f"discounts[{index}]", status=400
                )
            coupon = usable_code(box, code, f"discounts[{index}]", customer)
        else:
            coupon = usable_coupon(box, entry.get("coupon", ""), f"discounts[{index}][coupon]")
        end = None
        if coupon["duration"] == "repeating":
            end = box.now() + coupon["duration_in_months"] * MONTH
        discount = catalog.discount(
            box, coupon["id"], subscription=subscription, customer=customer, end=end,
            promotion_code=code["id"] if code else None,
        )  # fmt: skip
        keys.append(box.store.save(discount)["id"])
    return keys


def redeem(box: Sandbox, subscription: Record) -> None:
    """Count a subscription's discounts as used."""
    for key in subscription["discounts"]:
        discount = box.store.the("discount", key)
        coupon = box.store.the("coupon", discount["source"]["coupon"])
        code = box.store.get("promotion_code", discount["promotion_code"])
        for used in filter(None, (coupon, code)):
            used["times_redeemed"] += 1
            box.store.save(used)
        limit = coupon["max_redemptions"]
        coupon["valid"] = limit is None or coupon["times_redeemed"] < limit


def drop_spent(box: Sandbox, subscription: Record) -> None:
    """After an invoice: `once` is spent, `repeating` ends with its months."""

    def lasts(key: str) -> bool:
        discount = box.store.the("discount", key)
        coupon = box.store.the("coupon", discount["source"]["coupon"])
        return coupon["duration"] != "once" and (discount["end"] is None or discount["end"] > box.now())

    subscription["discounts"] = [key for key in subscription["discounts"] if lasts(key)]
