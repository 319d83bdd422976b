"""Customers, payment methods, setup intents."""

from django_videoq_billing.sandbox.api.router import CREATED, Call, Listing, chosen, endpoint, readable
from django_videoq_billing.sandbox.billing import charging, methods, statuses
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import NO_ADDRESS, people
from django_videoq_billing.sandbox.params import (
    CLEARABLE_TEXT,
    EMAIL,
    FLAG,
    METADATA,
    PAGING,
    TEXT,
    WHOLE,
    Choice,
    Fields,
    Hash,
    Many,
    Params,
    Text,
    Whole,
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


METHOD_FILTERS: Fields = {**PAGING, "type": Choice(("card",))}


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


readable(
    "/v1/payment_methods", "payment_method", "PaymentMethod", {"customer": TEXT, "type": Choice(("card",))}
)
BILLING_DETAILS = Hash(
    {"address": ADDRESS, "email": CLEARABLE_TEXT, "name": CLEARABLE_TEXT, "phone": CLEARABLE_TEXT}
)
EXPIRY: Fields = {"exp_month": Whole(least=1, most=12), "exp_year": Whole(least=2000, most=2100)}


@endpoint(
    "POST",
    "/v1/payment_methods",
    {
        "type": Choice(("card",), required=True),
        "card": Hash({**EXPIRY, "cvc": TEXT, "number": TEXT, "token": TEXT}, required=True),
        "billing_details": BILLING_DETAILS,
        "metadata": METADATA,
    },
)
def create_method(call: Call) -> Record:
    given = call.params["card"]
    if "token" in given:
        card = methods.by_token(given["token"])
        if card is None:
            raise StripeError.missing("token", given["token"], "card[token]", status=400)
    elif "number" in given:
        card = methods.card_for(given["number"])
    else:
        raise StripeError.required("card[number]")
    details = people.billing_details(call.params.get("billing_details"))
    details["address"] = {**NO_ADDRESS, **(details["address"] or {})}
    method = people.payment_method(
        call.box, card, exp_month=given.get("exp_month", 12), exp_year=given.get("exp_year", 2034),
        billing_details=details, metadata=merged_metadata({}, call.params.get("metadata") or {}),
    )  # fmt: skip
    return call.box.store.save(method)


@endpoint(
    "POST",
    "/v1/payment_methods/{id}",
    {"billing_details": BILLING_DETAILS, "card": Hash(EXPIRY), "metadata": METADATA},
)
def update_method(call: Call) -> Record:
    method = call.the("payment_method", "PaymentMethod")
    if method["customer"] is None:
        raise StripeError("You must save this PaymentMethod to a customer before you can update it.")
    with call.box.changing(method, "payment_method.updated"):
        method["metadata"] = merged_metadata(method["metadata"], call.params.get("metadata", {}))
        method["billing_details"] = {**method["billing_details"], **call.params.get("billing_details", {})}
        method["card"] = {**method["card"], **call.params.get("card", {})}
    return method


@endpoint("POST", "/v1/payment_methods/{id}/attach", {"customer": Text(required=True)})
def attach_method(call: Call) -> Record:
    customer = call.named("customer", "customer", "customer")
    if customer is None:
        raise StripeError.required("customer")
    key = call.path["id"]
    known = call.box.store.get("payment_method", key) or methods.by_token(key)
    if known is None:
        raise StripeError.missing("PaymentMethod", key, "payment_method")
    method = methods.usable(call.box, key, "payment_method")
    methods.attach(call.box, method, customer)
    return method


@endpoint("POST", "/v1/payment_methods/{id}/detach")
def detach_method(call: Call) -> Record:
    method = call.the("payment_method", "PaymentMethod")
    methods.detach(call.box, method)
    return method


readable(
    "/v1/setup_intents", "setup_intent", "setupintent", {**CREATED, "customer": TEXT, "payment_method": TEXT}
)


@endpoint(
    "POST",
    "/v1/setup_intents",
    {
        "confirm": FLAG,
        "customer": TEXT,
        "description": TEXT,
        "metadata": METADATA,
        "payment_method": TEXT,
        "payment_method_types": Many(Choice(("card",))),
        "usage": Choice(("off_session", "on_session")),
    },
)
def create_setup_intent(call: Call) -> Record:
    customer = call.named("customer", "customer", "customer")
    params = {name: value for name, value in call.params.items() if name not in {"confirm", "payment_method"}}
    params["metadata"] = merged_metadata({}, params.get("metadata") or {})
    intent = people.setup_intent(call.box, **params)
    key = call.params.get("payment_method")
    if key is not None:
        intent["payment_method"] = methods.usable(call.box, key, "payment_method")["id"]
        intent["status"] = "requires_confirmation"
    call.box.emit("setup_intent.created", call.box.store.save(intent))
    if call.params.get("confirm"):
        _confirm_setup(call, intent, customer)
    return intent


@endpoint("POST", "/v1/setup_intents/{id}/confirm", {"payment_method": TEXT, "return_url": TEXT})
def confirm_setup_intent(call: Call) -> Record:
    intent = call.the("setup_intent", "setupintent")
    if "payment_method" in call.params:
        intent["payment_method"] = methods.usable(call.box, call.params["payment_method"], "payment_method")[
            "id"
        ]
    _confirm_setup(call, intent, call.box.store.get("customer", intent["customer"]))
    return intent


def _confirm_setup(call: Call, intent: Record, customer: Record | None) -> None:
    method = call.box.store.get("payment_method", intent["payment_method"])
    if method is None:
        raise StripeError("You cannot confirm this SetupIntent because it's missing a payment method.")
    if charging.card_of(method).authentication != "never" and not method["_set_up"]:
        url = f"{call.box.config.url}/3ds/{intent['client_secret']}"
        intent |= {
            "status": "requires_action",
            "next_action": {"redirect_to_url": {"return_url": None, "url": url}, "type": "redirect_to_url"},
        }
        call.box.emit("setup_intent.requires_action", call.box.store.save(intent))
        return
    if customer is not None:
        methods.attach(call.box, method, customer)
    intent |= {"status": "succeeded", "next_action": None}
    call.box.emit("setup_intent.succeeded", call.box.store.save(intent))
