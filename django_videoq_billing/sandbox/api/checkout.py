"""Checkout sessions and the billing portal."""

from typing import Any

from django_videoq_billing.sandbox.api.router import CREATED, Call, Listing, endpoint, readable
from django_videoq_billing.sandbox.api.subscriptions import AUTOMATIC_TAX, DISCOUNTS, TRIAL_SETTINGS
from django_videoq_billing.sandbox.billing import changes, checkout, discounts, lines
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import sessions
from django_videoq_billing.sandbox.params import (
    FLAG,
    METADATA,
    MOMENT,
    PAGING,
    TEXT,
    Choice,
    Fields,
    Flag,
    Hash,
    Many,
    Params,
    Text,
    Whole,
    merged_metadata,
)
from django_videoq_billing.sandbox.render import lazy, listing
from django_videoq_billing.sandbox.store import Record, Store

LONGEST_SECONDS, SHORTEST_SECONDS = 86_400, 1800
LOCALES = (
    "auto", "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "es-419", "et", "fi", "fil", "fr", "fr-CA", "hr", "hu",
    "id", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sk", "sl", "sv", "th",
    "tr", "vi", "zh", "zh-HK", "zh-TW",
)  # fmt: skip
PASSED_ON = (
    "allow_promotion_codes", "billing_address_collection", "cancel_url", "client_reference_id", "customer_email",
    "locale", "payment_method_collection", "submit_type", "success_url", "phone_number_collection",
)  # fmt: skip
ENABLED = Hash({"enabled": Flag(required=True)})
SUBSCRIPTION_DATA: Fields = {
    "billing_cycle_anchor": MOMENT,
    "description": TEXT,
    "metadata": METADATA,
    "proration_behavior": Choice(("create_prorations", "none")),
    "trial_end": MOMENT,
    "trial_period_days": Whole(least=1, most=730),
    "trial_settings": TRIAL_SETTINGS,
}
UPDATES = Choice(("auto", "never"))
SESSION: Fields = {
    "allow_promotion_codes": FLAG,
    "automatic_tax": AUTOMATIC_TAX,
    "billing_address_collection": Choice(("auto", "required")),
    "cancel_url": TEXT,
    "client_reference_id": Text(longest=200),
    "customer": TEXT,
    "customer_email": Text(longest=800),
    "customer_update": Hash({"address": UPDATES, "name": UPDATES, "shipping": UPDATES}),
    "discounts": DISCOUNTS,
    "expires_at": MOMENT,
    "line_items": Many(Hash({"price": TEXT, "quantity": Whole(least=1)})),
    "locale": Choice(LOCALES),
    "metadata": METADATA,
    "mode": Choice(("subscription",)),
    "payment_method_collection": Choice(("always", "if_required")),
    "payment_method_types": Many(Choice(("card", "link", "us_bank_account"))),
    "phone_number_collection": ENABLED,
    "submit_type": Choice(("auto", "subscribe")),
    "subscription_data": Hash(SUBSCRIPTION_DATA),
    "success_url": TEXT,
    "tax_id_collection": ENABLED,
    "ui_mode": Choice(("hosted_page",)),
}

readable(
    "/v1/checkout/sessions", "checkout.session", "checkout.session",
    {
        **CREATED, "customer": TEXT, "payment_intent": TEXT, "status": Choice(("complete", "expired", "open")),
        "subscription": TEXT, "customer_details": Hash({"email": Text(required=True)}),
    },
    {"customer_details": lambda record, wanted: (record["customer_details"] or {}).get("email") == wanted["email"]},
)  # fmt: skip


@lazy("checkout.session", "line_items")
def session_lines(store: Store, session: Record) -> Record:
    return listing(session["_lines"], f"/v1/checkout/sessions/{session['id']}/line_items")


@lazy("item", "discounts")
def line_discounts(store: Store, line: Record) -> list[Record]:
    """Discounts apply to the whole session here."""
    return []


@lazy("", "breakdown")
def totals_breakdown(store: Store, totals: Record) -> Record:
    """Of a session's `total_details`, which has no `object` of its own."""
    return {"discounts": [], "taxes": []}


@endpoint("GET", "/v1/checkout/sessions/{id}/line_items", PAGING)
def list_session_lines(call: Call) -> Listing:
    session = call.the("checkout.session", "checkout.session")
    return Listing(session["_lines"], f"/v1/checkout/sessions/{session['id']}/line_items")


@endpoint("POST", "/v1/checkout/sessions", SESSION)
def create_session(call: Call) -> Record:
    params = call.params
    _check(call, params)
    entries = _lines(call, params["line_items"])
    given: dict[str, Any] = {name: params[name] for name in PASSED_ON if name in params}
    given["metadata"] = merged_metadata({}, params.get("metadata") or {})
    if params.get("expires_at"):
        given["expires_at"] = params["expires_at"]
    given["payment_method_types"] = params.get("payment_method_types") or _dynamic_types(entries)
    customer = call.named("customer", "customer", "customer")
    if customer is not None:
        given["customer"] = customer["id"]
        given["customer_details"] = sessions.customer_details(customer["email"], customer["name"])
    elif "customer_email" in params:
        given["customer_details"] = sessions.customer_details(params["customer_email"], None)
    session = sessions.checkout_session(
        call.box, currency=entries[0]["currency"], _lines=entries,
        _subscription_data=params.get("subscription_data") or {}, **given,
    )  # fmt: skip
    if (params.get("automatic_tax") or {}).get("enabled"):
        session["automatic_tax"] = {
            **session["automatic_tax"],
            "enabled": True,
            "liability": {"type": "self"},
        }
    session["discounts"] = _discounts(call, params.get("discounts") or [])
    checkout.price_up(call.box, session)
    return call.box.store.save(session)


def _check(call: Call, params: Params) -> None:
    for name in ("mode", "line_items", "success_url"):
        if not params.get(name):
            raise StripeError.required(name)
    if "customer" in params and "customer_email" in params:
        raise StripeError.one_of("customer", "customer_email")
    if params.get("allow_promotion_codes") is not None and params.get("discounts"):
        raise StripeError.one_of("allow_promotion_codes", "discounts")
    for name in ("success_url", "cancel_url"):
        if name in params and not params[name].startswith(("http://", "https://")):
            raise StripeError("Not a valid URL", code="url_invalid", param=name)
    expires = params.get("expires_at")
    if expires and not SHORTEST_SECONDS <= expires - call.box.now() <= LONGEST_SECONDS:
        raise StripeError(
            "The `expires_at` timestamp must be at least 30 minutes and less than 24 hours from Checkout Session "
            "creation.",
            param="expires_at",
        )


def _dynamic_types(entries: list[Record]) -> list[str]:
    """What an account offers that leaves the choice to Stripe: cards, and bank accounts for dollars."""
    return ["card", "us_bank_account"] if entries[0]["currency"] == "usd" else ["card"]


def _lines(call: Call, given: list[Params]) -> list[Record]:
    entries = []
    for index, entry in enumerate(given):
        if "price" not in entry:
            raise StripeError.required(f"line_items[{index}][price]")
        price = changes.usable_price(call.box.store, entry["price"], f"line_items[{index}][price]")
        if "quantity" not in entry:
            raise StripeError.required(f"line_items[{index}][quantity]")
        name = lines.product_name(call.box.store, price)
        entries.append(sessions.line_item(call.box, price, entry["quantity"], name))
    return entries


def _discounts(call: Call, given: list[Params]) -> list[Record]:
    result = []
    for index, entry in enumerate(given):
        if entry.get("promotion_code"):
            code = call.box.store.get("promotion_code", entry["promotion_code"])
            if code is None:
                raise StripeError.missing(
                    "promotion code", entry["promotion_code"], f"discounts[{index}]", status=400
                )
            discounts.usable_code(call.box, code, f"discounts[{index}]", call.params.get("customer"))
        else:
            discounts.usable_coupon(call.box, entry.get("coupon", ""), f"discounts[{index}][coupon]")
        result.append({"coupon": entry.get("coupon"), "promotion_code": entry.get("promotion_code")})
    return result


@endpoint("POST", "/v1/checkout/sessions/{id}", {"metadata": METADATA})
def update_session(call: Call) -> Record:
    session = call.the("checkout.session", "checkout.session")
    session["metadata"] = merged_metadata(session["metadata"], call.params.get("metadata", {}))
    return call.box.store.save(session)


@endpoint("POST", "/v1/checkout/sessions/{id}/expire")
def expire_session(call: Call) -> Record:
    session = call.the("checkout.session", "checkout.session")
    checkout.expire(call.box, session)
    return session


readable(
    "/v1/billing_portal/configurations", "billing_portal.configuration", "configuration",
    {"active": FLAG, "is_default": FLAG},
)  # fmt: skip
OF_SUBSCRIPTION = Hash({"subscription": Text(required=True)})
FLOW: Fields = {
    "after_completion": Hash(
        {
            "type": Choice(("hosted_confirmation", "portal_homepage", "redirect"), required=True),
            "redirect": Hash({"return_url": Text(required=True)}),
            "hosted_confirmation": Hash({"custom_message": TEXT}),
        }
    ),
    "subscription_cancel": OF_SUBSCRIPTION,
    "subscription_update": OF_SUBSCRIPTION,
    "type": Choice(("payment_method_update", "subscription_cancel", "subscription_update"), required=True),
}


@endpoint(
    "POST",
    "/v1/billing_portal/sessions",
    {
        "configuration": TEXT,
        "customer": Text(required=True),
        "flow_data": Hash(FLOW),
        "locale": Choice(LOCALES),
        "return_url": TEXT,
    },
)
def create_portal_session(call: Call) -> Record:
    customer = call.named("customer", "customer", "customer")
    if customer is None:
        raise StripeError.required("customer")
    configuration = call.named("billing_portal.configuration", "configuration", "configuration")
    default = next(call.box.store.where("billing_portal.configuration", is_default=True))
    given = {name: call.params[name] for name in ("locale", "return_url") if name in call.params}
    session = sessions.portal_session(
        call.box, customer=customer["id"], configuration=(configuration or default)["id"], **given
    )
    session["flow"] = _flow(call.params.get("flow_data"))
    return call.box.store.save(session)


def _flow(given: Params | None) -> Record | None:
    if given is None:
        return None
    after = {
        "hosted_confirmation": None, "redirect": None, "type": "portal_homepage", **given.get("after_completion", {}),
    }  # fmt: skip
    parts = {name: given.get(name) for name in ("subscription_cancel", "subscription_update")}
    if parts["subscription_cancel"]:
        parts["subscription_cancel"] = {"retention": None, **parts["subscription_cancel"]}
    return {"after_completion": after, **parts, "subscription_update_confirm": None, "type": given["type"]}
