"""Customers."""

from django_videoq_billing.sandbox.api.router import CREATED, Call, Listing, chosen, endpoint, readable
from django_videoq_billing.sandbox.billing import methods, statuses
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import NO_ADDRESS, people
from django_videoq_billing.sandbox.params import (
    CLEARABLE_TEXT,
    EMAIL,
    METADATA,
    PAGING,
    TEXT,
    WHOLE,
    Choice,
    Fields,
    Hash,
    Many,
    Params,
    merged_metadata,
)
from django_videoq_billing.sandbox.render import lazy, listing
from django_videoq_billing.sandbox.store import Record, Store

ADDRESS = Hash(dict.fromkeys(NO_ADDRESS, CLEARABLE_TEXT), clearable=True)
CUSTOMER: Fields = {
    "address": ADDRESS,
    "balance": WHOLE,
    "description": CLEARABLE_TEXT,
    "email": EMAIL,
    "invoice_settings": Hash({"default_payment_method": CLEARABLE_TEXT, "footer": CLEARABLE_TEXT}),
    "metadata": METADATA,
    "name": CLEARABLE_TEXT,
    "phone": CLEARABLE_TEXT,
    "preferred_locales": Many(TEXT, clearable=True),
    "tax_exempt": Choice(("exempt", "none", "reverse")),
}

readable(
    "/v1/customers",
    "customer",
    "customer",
    {**CREATED, "email": TEXT, "test_clock": TEXT},
)


@lazy("customer", "subscriptions")
def customer_subscriptions(store: Store, customer: Record) -> Record:
    live = [
        subscription
        for subscription in reversed(list(store.where("subscription", customer=customer["id"])))
        if subscription["status"] not in statuses.ENDED
    ]
    return listing(live[:10], f"/v1/customers/{customer['id']}/subscriptions")


@lazy("customer", "sources")
def customer_sources(store: Store, customer: Record) -> Record:
    """Legacy cards do not exist here, but clients ask for them."""
    return listing([], f"/v1/customers/{customer['id']}/sources")


@lazy("customer", "tax_ids")
def customer_tax_ids(store: Store, customer: Record) -> Record:
    return listing([], f"/v1/customers/{customer['id']}/tax_ids")


@endpoint("POST", "/v1/customers", {**CUSTOMER, "payment_method": TEXT, "test_clock": TEXT})
def create_customer(call: Call) -> Record:
    call.named("test_helpers.test_clock", "test clock", "test_clock")
    params = dict(call.params)
    method = params.pop("payment_method", None)
    customer = people.customer(call.box, test_clock=params.pop("test_clock", None))
    if method is not None:
        found = methods.usable(call.box, method, "payment_method")
        methods.attach(call.box, found, customer)
        settings = params.get("invoice_settings") or {}
        if settings.get("default_payment_method") == method:
            params["invoice_settings"] = {**settings, "default_payment_method": found["id"]}
    with call.box.announcing(customer, "customer.created"):
        _apply(call, customer, params)
    return customer


@endpoint("POST", "/v1/customers/{id}", {**CUSTOMER})
def update_customer(call: Call) -> Record:
    customer = _live(call)
    with call.box.changing(customer, "customer.updated"):
        _apply(call, customer, call.params)
    return customer


def _apply(call: Call, customer: Record, params: Params) -> None:
    settings = params.get("invoice_settings")
    if settings and settings.get("default_payment_method"):
        key = settings["default_payment_method"]
        found = methods.usable(call.box, key, "invoice_settings[default_payment_method]", customer)
        settings = {**settings, "default_payment_method": found["id"]}
    for name, value in params.items():
        if name == "metadata":
            customer["metadata"] = merged_metadata(customer["metadata"], value)
        elif name == "address":
            customer["address"] = value and {**NO_ADDRESS, **value}
        elif name == "invoice_settings":
            customer["invoice_settings"] = {**customer["invoice_settings"], **(settings or {})}
        else:
            customer[name] = [] if name == "preferred_locales" and value is None else value


def _live(call: Call) -> Record:
    customer = call.the("customer", "customer")
    if customer.get("deleted"):
        raise StripeError.missing("customer", customer["id"])
    return customer


@endpoint("DELETE", "/v1/customers/{id}")
def delete_customer(call: Call) -> Record:
    """The customer's subscriptions end at once; the id answers `deleted` from now on."""
    customer = _live(call)
    for subscription in list(call.box.store.where("subscription", customer=customer["id"])):
        if subscription["status"] not in statuses.ENDED:
            statuses.end(call.box, subscription, "cancellation_requested")
    call.box.emit("customer.deleted", customer)
    customer["deleted"] = True
    return call.box.store.save(customer)


METHOD_TYPES = Choice(("card", "us_bank_account"))
METHOD_FILTERS: Fields = {**PAGING, "type": METHOD_TYPES}


@endpoint("GET", "/v1/customers/{id}/payment_methods", METHOD_FILTERS)
def list_customer_methods(call: Call) -> Listing:
    customer = _live(call)
    mine = call.box.store.where("payment_method", customer=customer["id"])
    return Listing(chosen(mine, call.params, {}), f"/v1/customers/{customer['id']}/payment_methods")


@endpoint("GET", "/v1/customers/{id}/payment_methods/{method}")
def retrieve_customer_method(call: Call) -> Record:
    method = call.the("payment_method", "PaymentMethod", "method")
    if method["customer"] != call.path["id"]:
        raise StripeError.missing("PaymentMethod", method["id"], "payment_method")
    return method
