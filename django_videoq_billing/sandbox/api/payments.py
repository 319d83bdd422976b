"""Payment intents, charges, refunds, disputes, balance transactions."""

from django_videoq_billing.sandbox.api.router import CREATED, Call, endpoint, readable
from django_videoq_billing.sandbox.billing import charging, collection, methods, money_back
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import payments
from django_videoq_billing.sandbox.params import (
    CLEARABLE_TEXT,
    FLAG,
    METADATA,
    TEXT,
    Choice,
    Currency,
    Fields,
    Hash,
    Many,
    Params,
    Whole,
    merged_metadata,
)
from django_videoq_billing.sandbox.render import lazy, listing
from django_videoq_billing.sandbox.store import Record, Store

readable("/v1/payment_intents", "payment_intent", "payment_intent", {**CREATED, "customer": TEXT})
readable("/v1/charges", "charge", "charge", {**CREATED, "customer": TEXT, "payment_intent": TEXT})
readable("/v1/refunds", "refund", "refund", {**CREATED, "charge": TEXT, "payment_intent": TEXT})
readable("/v1/disputes", "dispute", "dispute", {**CREATED, "charge": TEXT, "payment_intent": TEXT})
readable(
    "/v1/balance_transactions", "balance_transaction", "balance transaction",
    {**CREATED, "currency": TEXT, "source": TEXT, "type": TEXT},
)  # fmt: skip


@lazy("charge", "refunds")
def charge_refunds(store: Store, charge: Record) -> Record:
    found = list(store.where("refund", charge=charge["id"]))
    return listing(reversed(found), f"/v1/charges/{charge['id']}/refunds")


CONFIRMING: Fields = {"off_session": FLAG, "payment_method": TEXT, "return_url": TEXT}


@endpoint(
    "POST",
    "/v1/payment_intents",
    {
        **CONFIRMING,
        "amount": Whole(least=1, required=True),
        "confirm": FLAG,
        "currency": Currency(required=True),
        "customer": TEXT,
        "description": TEXT,
        "metadata": METADATA,
        "payment_method_types": Many(Choice(("card",))),
        "setup_future_usage": Choice(("off_session", "on_session")),
    },
)
def create_intent(call: Call) -> Record:
    call.named("customer", "customer", "customer")
    params = dict(call.params)
    confirm = params.pop("confirm", False)
    for name in CONFIRMING:
        params.pop(name, None)
    params["metadata"] = merged_metadata({}, params.get("metadata") or {})
    intent = payments.payment_intent(call.box, **params)
    call.box.emit("payment_intent.created", call.box.store.save(intent))
    return _confirm(call, intent) if confirm else intent


@endpoint("POST", "/v1/payment_intents/{id}", {"description": CLEARABLE_TEXT, "metadata": METADATA})
def update_intent(call: Call) -> Record:
    """Stripe has no event for it."""
    intent = call.the("payment_intent", "payment_intent")
    intent["metadata"] = merged_metadata(intent["metadata"], call.params.get("metadata", {}))
    intent["description"] = call.params.get("description", intent["description"])
    return call.box.store.save(intent)


@endpoint("POST", "/v1/payment_intents/{id}/confirm", CONFIRMING)
def confirm_intent(call: Call) -> Record:
    intent = call.the("payment_intent", "payment_intent")
    if intent["status"] not in {"requires_payment_method", "requires_confirmation", "requires_action"}:
        raise StripeError(
            f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
        )
    return _confirm(call, intent)


def _confirm(call: Call, intent: Record) -> Record:
    method = call.box.store.get("payment_method", intent["payment_method"])
    if "payment_method" in call.params:
        method = methods.usable(call.box, call.params["payment_method"], "payment_method")
        customer = call.box.store.get("customer", intent["customer"])
        if customer is not None and intent["setup_future_usage"] and method["customer"] is None:
            methods.attach(call.box, method, customer)
    if method is None:
        raise StripeError(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the "
            "PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a "
            "payment method.",
            code="payment_intent_unexpected_state",
        )
    outcome = collection.confirm(call.box, intent, method)
    if outcome.kind == "declined":
        raise outcome.error()
    return intent


@endpoint(
    "POST",
    "/v1/payment_intents/{id}/cancel",
    {"cancellation_reason": Choice(("abandoned", "duplicate", "fraudulent", "requested_by_customer"))},
)
def cancel_intent(call: Call) -> Record:
    intent = call.the("payment_intent", "payment_intent")
    if intent["status"] in {"succeeded", "canceled"} or intent["_invoice"]:
        raise StripeError(
            "You cannot cancel this PaymentIntent: it is finished, or it belongs to an invoice (void that instead).",
            code="payment_intent_unexpected_state",
        )
    charging.cancel_intent(call.box, intent, call.params.get("cancellation_reason"))
    return intent


@endpoint("POST", "/v1/charges/{id}", {"description": CLEARABLE_TEXT, "metadata": METADATA})
def update_charge(call: Call) -> Record:
    return _update(call, call.the("charge", "charge"), "charge.updated")


@endpoint(
    "POST",
    "/v1/refunds",
    {
        "amount": Whole(least=1),
        "charge": TEXT,
        "metadata": METADATA,
        "payment_intent": TEXT,
        "reason": Choice(("duplicate", "fraudulent", "requested_by_customer")),
    },
)
def create_refund(call: Call) -> Record:
    if call.params.keys() >= {"charge", "payment_intent"}:
        raise StripeError.one_of("charge", "payment_intent")
    charge = call.named("charge", "charge", "charge")
    intent = call.named("payment_intent", "payment_intent", "payment_intent")
    if charge is None and intent is not None:
        charge = call.box.store.get("charge", intent["latest_charge"])
    if charge is None:
        raise StripeError(
            "One of the following params should be provided for this request: payment_intent or charge.",
            code="parameter_missing",
        )
    fields: Params = {"metadata": merged_metadata({}, call.params.get("metadata") or {})}
    if "reason" in call.params:
        fields["reason"] = call.params["reason"]
    return money_back.refund(call.box, charge, call.params.get("amount"), fields)


@endpoint("POST", "/v1/refunds/{id}", {"metadata": METADATA})
def update_refund(call: Call) -> Record:
    return _update(call, call.the("refund", "refund"), "refund.updated")


@endpoint(
    "POST",
    "/v1/disputes/{id}",
    {
        "evidence": Hash(dict.fromkeys(payments.TEXT_EVIDENCE, CLEARABLE_TEXT)),
        "metadata": METADATA,
        "submit": FLAG,
    },
)
def update_dispute(call: Call) -> Record:
    dispute = call.the("dispute", "dispute")
    evidence = call.params.get("evidence", {})
    if evidence:
        money_back.submit_evidence(call.box, dispute, evidence, submit=call.params.get("submit", True))
    return _update(call, dispute, "charge.dispute.updated")


@endpoint("POST", "/v1/disputes/{id}/close")
def close_dispute(call: Call) -> Record:
    """Accept the loss."""
    dispute = call.the("dispute", "dispute")
    money_back.close_dispute(call.box, dispute, won=False)
    return dispute


def _update(call: Call, record: Record, event: str) -> Record:
    with call.box.changing(record, event):
        record["metadata"] = merged_metadata(record["metadata"], call.params.get("metadata", {}))
        if "description" in call.params:
            record["description"] = call.params["description"]
    return record
