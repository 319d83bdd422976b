"""Payment methods and setup intents."""

from django_videoq_billing.sandbox.api.customers import ADDRESS, METHOD_TYPES
from django_videoq_billing.sandbox.api.router import CREATED, Call, endpoint, readable
from django_videoq_billing.sandbox.billing import charging, methods
from django_videoq_billing.sandbox.cards import TestCard
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import NO_ADDRESS, people
from django_videoq_billing.sandbox.params import (
    CLEARABLE_TEXT,
    FLAG,
    METADATA,
    TEXT,
    Choice,
    Fields,
    Hash,
    Many,
    Params,
    Text,
    Whole,
    merged_metadata,
)
from django_videoq_billing.sandbox.store import Record

readable("/v1/payment_methods", "payment_method", "PaymentMethod", {"customer": TEXT, "type": METHOD_TYPES})
BILLING_DETAILS = Hash(
    {"address": ADDRESS, "email": CLEARABLE_TEXT, "name": CLEARABLE_TEXT, "phone": CLEARABLE_TEXT}
)
EXPIRY: Fields = {"exp_month": Whole(least=1, most=12), "exp_year": Whole(least=2000, most=2100)}


@endpoint(
    "POST",
    "/v1/payment_methods",
    {
        "type": Choice(METHOD_TYPES.options, required=True),
        "card": Hash({**EXPIRY, "cvc": TEXT, "number": TEXT, "token": TEXT}),
        "us_bank_account": Hash(
            {
                "account_holder_type": Choice(("company", "individual"), required=True),
                "account_number": Text(required=True),
                "account_type": Choice(("checking", "savings")),
                "routing_number": Text(required=True),
            }
        ),
        "billing_details": BILLING_DETAILS,
        "metadata": METADATA,
    },
)
def create_method(call: Call) -> Record:
    kind = call.params["type"]
    if kind not in call.params:
        raise StripeError.required(kind)
    card = _card_of(call.params[kind], kind)
    given = call.params.get("card", {})
    details = people.billing_details(call.params.get("billing_details"))
    details["address"] = {**NO_ADDRESS, **(details["address"] or {})}
    method = people.payment_method(
        call.box, card, exp_month=given.get("exp_month", 12), exp_year=given.get("exp_year", 2034),
        billing_details=details, metadata=merged_metadata({}, call.params.get("metadata") or {}),
    )  # fmt: skip
    return call.box.store.save(method)


def _card_of(given: Params, kind: str) -> TestCard:
    if "token" in given:
        card = methods.by_token(given["token"])
        if card is None:
            raise StripeError.missing("token", given["token"], "card[token]", status=400)
        return card
    number = given.get("number") or given.get("account_number")
    if number is None:
        raise StripeError.required(f"{kind}[number]")
    return methods.card_for(number, kind)


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
