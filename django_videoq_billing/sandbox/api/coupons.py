"""Coupons and promotion codes."""

from decimal import Decimal

from django_videoq_billing.sandbox.api.router import CREATED, Call, endpoint, readable
from django_videoq_billing.sandbox.billing import discounts
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import catalog
from django_videoq_billing.sandbox.params import (
    CLEARABLE_TEXT,
    FLAG,
    METADATA,
    MOMENT,
    TEXT,
    Choice,
    Currency,
    Fraction,
    Hash,
    Params,
    Whole,
    merged_metadata,
)
from django_videoq_billing.sandbox.render import ABSENT, lazy
from django_videoq_billing.sandbox.store import Record, Store

readable("/v1/coupons", "coupon", "coupon", CREATED)
readable(
    "/v1/promotion_codes", "promotion_code", "promotion code",
    {**CREATED, "active": FLAG, "code": TEXT, "coupon": TEXT, "customer": TEXT},
    {"coupon": lambda record, key: record["promotion"]["coupon"] == key},
)  # fmt: skip


@lazy("coupon", "applies_to")
@lazy("coupon", "currency_options")
def nothing_to_show(store: Store, record: Record) -> object:
    return ABSENT


@endpoint(
    "POST",
    "/v1/coupons",
    {
        "id": TEXT, "amount_off": Whole(least=1), "currency": Currency(), "duration": Choice(("forever", "once", "repeating")),
        "duration_in_months": Whole(least=1), "max_redemptions": Whole(least=1), "metadata": METADATA, "name": TEXT,
        "percent_off": Fraction(), "redeem_by": MOMENT,
    },
)  # fmt: skip
def create_coupon(call: Call) -> Record:
    params = dict(call.params)
    if ("amount_off" in params) == ("percent_off" in params):
        raise StripeError("You must pass exactly one of `amount_off` and `percent_off`.", param="percent_off")
    _check_coupon(params)
    if call.box.store.get("coupon", params.get("id")):
        raise StripeError("Coupon already exists.", code="resource_already_exists", param="id")
    if "percent_off" in params:
        params["percent_off"] = float(params["percent_off"])
    params["id"] = params.get("id") or call.box.ids.token(8)
    params["metadata"] = merged_metadata({}, params.get("metadata") or {})
    coupon = catalog.coupon(call.box, **params)
    call.box.emit("coupon.created", call.box.store.save(coupon))
    return coupon


def _check_coupon(params: Params) -> None:
    if not 0 < params.get("percent_off", Decimal(1)) <= 100:
        raise StripeError(
            "Invalid percent_off: must be greater than 0 and no more than 100.", param="percent_off"
        )
    if "amount_off" in params and "currency" not in params:
        raise StripeError.required("currency")
    if params.get("duration") == "repeating" and "duration_in_months" not in params:
        raise StripeError.required("duration_in_months")


@endpoint("POST", "/v1/coupons/{id}", {"metadata": METADATA, "name": CLEARABLE_TEXT})
def update_coupon(call: Call) -> Record:
    coupon = call.the("coupon", "coupon")
    with call.box.changing(coupon, "coupon.updated"):
        coupon["name"] = call.params.get("name", coupon["name"])
        coupon["metadata"] = merged_metadata(coupon["metadata"], call.params.get("metadata", {}))
    return coupon


@endpoint("DELETE", "/v1/coupons/{id}")
def delete_coupon(call: Call) -> Record:
    coupon = call.the("coupon", "coupon")
    coupon["valid"] = False
    call.box.store.remove(coupon)
    call.box.emit("coupon.deleted", coupon)
    return {"id": coupon["id"], "object": "coupon", "deleted": True}


@endpoint(
    "POST",
    "/v1/promotion_codes",
    {
        "active": FLAG, "code": TEXT, "customer": TEXT, "expires_at": MOMENT, "max_redemptions": Whole(least=1),
        "metadata": METADATA,
        "promotion": Hash({"coupon": TEXT, "type": Choice(("coupon",), required=True)}, required=True),
    },
)  # fmt: skip
def create_promotion_code(call: Call) -> Record:
    params = dict(call.params)
    key = params.pop("promotion").get("coupon")
    if call.box.store.get("coupon", key) is None:
        raise StripeError.missing("coupon", key, "promotion[coupon]", status=400)
    call.named("customer", "customer", "customer")
    params["code"] = params.get("code") or call.box.ids.token(8).upper()
    if discounts.by_code(call.box, params["code"]) is not None:
        raise StripeError(
            f"An active promotion code with `code: {params['code']}` already exists.",
            code="resource_already_exists",
        )
    params["metadata"] = merged_metadata({}, params.get("metadata") or {})
    code = catalog.promotion_code(call.box, key, **params)
    call.box.emit("promotion_code.created", call.box.store.save(code))
    return code


@endpoint("POST", "/v1/promotion_codes/{id}", {"active": FLAG, "metadata": METADATA})
def update_promotion_code(call: Call) -> Record:
    code = call.the("promotion_code", "promotion code")
    with call.box.changing(code, "promotion_code.updated"):
        code["active"] = call.params.get("active", code["active"])
        code["metadata"] = merged_metadata(code["metadata"], call.params.get("metadata", {}))
    return code
