"""Products and prices."""

from django_videoq_billing.sandbox.api.router import CREATED, Call, Listing, endpoint, readable
from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import catalog
from django_videoq_billing.sandbox.params import (
    CLEARABLE_TEXT,
    FLAG,
    METADATA,
    NATURAL,
    PAGING,
    TEXT,
    Choice,
    Currency,
    Fields,
    Fraction,
    Hash,
    Many,
    Params,
    Text,
    Whole,
    merged_metadata,
)
from django_videoq_billing.sandbox.render import ABSENT, lazy
from django_videoq_billing.sandbox.store import Record, Store

INTERVALS = Choice(("day", "week", "month", "year"), required=True)
RECURRING: Fields = {
    "interval": INTERVALS,
    "interval_count": Whole(least=1),
    "usage_type": Choice(("licensed",)),
}
TAX_BEHAVIOR = Choice(("exclusive", "inclusive", "unspecified"))
AMOUNTS: Fields = {
    "currency": Currency(required=True),
    "recurring": Hash(RECURRING),
    "tax_behavior": TAX_BEHAVIOR,
    "unit_amount": NATURAL,
    "unit_amount_decimal": Fraction(),
}
FIRST_PRICE: Fields = {
    **AMOUNTS,
    "recurring": Hash({"interval": INTERVALS, "interval_count": Whole(least=1)}),
}
PRODUCT: Fields = {
    "active": FLAG,
    "description": CLEARABLE_TEXT,
    "images": Many(TEXT, clearable=True),
    "marketing_features": Many(Hash({"name": Text(required=True)}), clearable=True),
    "metadata": METADATA,
    "statement_descriptor": TEXT,
    "unit_label": CLEARABLE_TEXT,
    "url": CLEARABLE_TEXT,
}
LISTS = {"images", "marketing_features"}

readable(
    "/v1/products", "product", "product", {**CREATED, "active": FLAG, "ids": Many(TEXT)},
    {"ids": lambda record, keys: record["id"] in keys},
)  # fmt: skip
readable(
    "/v1/prices", "price", "price",
    {
        **CREATED, "active": FLAG, "currency": TEXT, "lookup_keys": Many(TEXT), "product": TEXT,
        "type": Choice(("one_time", "recurring")), "recurring": Hash({"interval": Choice(INTERVALS.options)}),
    },
    {
        "lookup_keys": lambda record, keys: record["lookup_key"] in keys,
        "recurring": lambda record, wanted: wanted.items() <= (record["recurring"] or {}).items(),
    },
)  # fmt: skip


@lazy("price", "currency_options")
def currency_options(store: Store, price: Record) -> Record:
    """Each price has one currency here."""
    names = ("custom_unit_amount", "tax_behavior", "unit_amount", "unit_amount_decimal")
    return {price["currency"]: {name: price[name] for name in names}}


@lazy("price", "tiers")
def nothing_to_show(store: Store, record: Record) -> object:
    return ABSENT


@endpoint(
    "POST",
    "/v1/products",
    {**PRODUCT, "id": TEXT, "name": Text(required=True), "default_price_data": Hash(FIRST_PRICE)},
)
def create_product(call: Call) -> Record:
    params = dict(call.params)
    if "id" in params and call.box.store.get("product", params["id"]):
        raise StripeError("Product already exists.", code="resource_already_exists", param="id")
    first_price = params.pop("default_price_data", None)
    params["metadata"] = merged_metadata({}, params.get("metadata") or {})
    product = catalog.product(call.box, **{key: value for key, value in params.items() if value is not None})
    call.box.store.save(product)
    if first_price is not None:
        product["default_price"] = make_price(call.box, {**first_price, "product": product["id"]})["id"]
    call.box.emit("product.created", product)
    return product


@endpoint("POST", "/v1/products/{id}", {**PRODUCT, "name": TEXT, "default_price": TEXT})
def update_product(call: Call) -> Record:
    product = call.the("product", "product")
    default = call.named("price", "price", "default_price")
    if default is not None and default["product"] != product["id"]:
        raise StripeError(
            f"The price `{default['id']}` belongs to another product and cannot be the default of this one.",
            param="default_price",
        )
    with call.box.changing(product, "product.updated"):
        for name, value in call.params.items():
            product[name] = value if value is not None or name not in LISTS else []
        product["metadata"] = merged_metadata(product["metadata"], call.params.get("metadata", {}))
        product["updated"] = call.box.now()
    return product


@endpoint("GET", "/v1/products/{id}/features", PAGING)
def list_product_features(call: Call) -> Listing:
    """Entitlements do not exist here, but dj-stripe asks for them with each product."""
    product = call.the("product", "product")
    return Listing([], f"/v1/products/{product['id']}/features")


@endpoint("DELETE", "/v1/products/{id}")
def delete_product(call: Call) -> Record:
    product = call.the("product", "product")
    if any(call.box.store.where("price", product=product["id"])):
        raise StripeError(
            "This product cannot be deleted because it has one or more user-created prices.", param="id"
        )
    call.box.store.remove(product)
    call.box.emit("product.deleted", product)
    return {"id": product["id"], "object": "product", "deleted": True}


@endpoint(
    "POST",
    "/v1/prices",
    {
        **AMOUNTS,
        "active": FLAG,
        "billing_scheme": Choice(("per_unit",)),
        "lookup_key": Text(longest=200),
        "metadata": METADATA,
        "nickname": TEXT,
        "product": TEXT,
        "product_data": Hash({"name": Text(required=True), "metadata": METADATA, "active": FLAG, "id": TEXT}),
        "transfer_lookup_key": FLAG,
    },
)
def create_price(call: Call) -> Record:
    params = dict(call.params)
    if "product" not in params and "product_data" not in params:
        raise StripeError.required("product")
    call.named("product", "product", "product")
    take_lookup_key(call.box, params, None)
    if "product_data" in params:
        product = catalog.product(call.box, **params.pop("product_data"))
        call.box.emit("product.created", call.box.store.save(product))
        params["product"] = product["id"]
    return make_price(call.box, params)


def make_price(box: Sandbox, params: Params) -> Record:
    fields = dict(params)
    amount, exact = fields.pop("unit_amount", None), fields.pop("unit_amount_decimal", None)
    if (amount is None) == (exact is None):
        raise StripeError(
            "Prices require exactly one of `unit_amount` and `unit_amount_decimal` to be set.",
            param="unit_amount",
        )
    rhythm = fields.pop("recurring", None)
    if rhythm is not None:
        fields["recurring"] = catalog.recurring(rhythm["interval"], rhythm.get("interval_count", 1))
    fields["metadata"] = merged_metadata({}, fields.get("metadata") or {})
    price = catalog.price(box, **fields, **catalog.unit_amounts(amount, exact))
    box.store.save(price)
    box.emit("price.created", price)
    return price


def take_lookup_key(box: Sandbox, params: Params, price: Record | None) -> None:
    """A lookup key belongs to one price; it moves only with transfer_lookup_key."""
    transfer = params.pop("transfer_lookup_key", False)
    key = params.get("lookup_key")
    for holder in list(box.store.where("price", lookup_key=key)) if key else []:
        if price is not None and holder["id"] == price["id"]:
            continue
        if not transfer:
            raise StripeError(f"A price (`{holder['id']}`) already uses that lookup key.", param="lookup_key")
        with box.changing(holder, "price.updated"):
            holder["lookup_key"] = None


@endpoint(
    "POST",
    "/v1/prices/{id}",
    {
        "active": FLAG,
        "lookup_key": CLEARABLE_TEXT,
        "metadata": METADATA,
        "nickname": CLEARABLE_TEXT,
        "tax_behavior": TAX_BEHAVIOR,
        "transfer_lookup_key": FLAG,
    },
)
def update_price(call: Call) -> Record:
    price = call.the("price", "price")
    params = dict(call.params)
    product = call.box.store.get("product", price["product"])
    if params.get("active") is False and product and product["default_price"] == price["id"]:
        raise StripeError(
            "This price cannot be archived because it is the default price of its product.", param="active"
        )
    take_lookup_key(call.box, params, price)
    with call.box.changing(price, "price.updated"):
        price["metadata"] = merged_metadata(price["metadata"], params.pop("metadata", {}))
        price |= params
    return price
