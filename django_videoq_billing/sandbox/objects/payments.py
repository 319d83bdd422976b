"""Payment intents, charges, refunds, disputes and the balance transactions behind them."""

from typing import Any

from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.objects import born, without
from django_videoq_billing.sandbox.store import Record


def payment_intent(box: Sandbox, *, amount: int, **given: Any) -> Record:
    key = box.ids.new("pi")
    return born(
        box, "payment_intent", "pi", {**given, "id": key},
        amount=amount, amount_capturable=0, amount_details={"tip": {}}, amount_received=0, application=None,
        application_fee_amount=None, automatic_payment_methods=None, canceled_at=None, cancellation_reason=None,
        capture_method="automatic", client_secret=f"{key}_secret_{box.ids.token(25)}",
        confirmation_method="automatic", currency="usd", customer=None, customer_account=None, description=None,
        excluded_payment_method_types=None, last_payment_error=None, latest_charge=None, next_action=None,
        on_behalf_of=None, payment_method=None, payment_method_configuration_details=None,
        payment_method_options={"card": {"installments": None, "mandate_options": None, "network": None, "request_three_d_secure": "automatic"}},
        payment_method_types=["card"], processing=None, receipt_email=None, review=None, setup_future_usage=None,
        shipping=None, statement_descriptor=None, statement_descriptor_suffix=None, status="requires_payment_method",
        transfer_data=None, transfer_group=None, _invoice=None, _settles_at=None, _fails_with=None,
    )  # fmt: skip


def charge(box: Sandbox, intent: Record, method: Record, **given: Any) -> Record:
    key = box.ids.new("ch")
    kind = method["type"]
    details = _card_details(box, intent, method["card"]) if kind == "card" else _account_details(method[kind])
    return born(
        box, "charge", "ch", {**given, "id": key},
        amount=intent["amount"], amount_captured=intent["amount"], amount_refunded=0, application=None,
        application_fee=None, application_fee_amount=None, balance_transaction=None,
        billing_details=method["billing_details"], calculated_statement_descriptor="SANDBOX", captured=True,
        currency=intent["currency"], customer=intent["customer"], description=intent["description"],
        disputed=False, failure_balance_transaction=None, failure_code=None, failure_message=None,
        fraud_details={}, on_behalf_of=None, outcome=approved(), paid=True, payment_intent=intent["id"],
        payment_method=method["id"], payment_method_details={kind: details, "type": kind}, radar_options={},
        receipt_email=None, receipt_number=None, receipt_url=f"{box.config.url}/receipts/{key}", refunded=False,
        review=None, shipping=None, source_transfer=None, statement_descriptor=None,
        statement_descriptor_suffix=None, status="succeeded", transfer_data=None, transfer_group=None,
    )  # fmt: skip


def _account_details(account: Record) -> Record:
    shown = ("account_holder_type", "account_type", "bank_name", "fingerprint", "last4", "routing_number")
    return {**{name: account[name] for name in shown}, "payment_reference": None}


def _card_details(box: Sandbox, intent: Record, card: Record) -> Record:
    return {
        "amount_authorized": intent["amount"], "authorization_code": "123456", "brand": card["brand"],
        "checks": card["checks"], "country": card["country"], "exp_month": card["exp_month"],
        "exp_year": card["exp_year"], "extended_authorization": {"status": "disabled"},
        "fingerprint": card["fingerprint"], "funding": card["funding"],
        "incremental_authorization": {"status": "unavailable"}, "installments": None, "last4": card["last4"],
        "mandate": None, "multicapture": {"status": "unavailable"}, "network": card["brand"],
        "network_token": {"used": False}, "network_transaction_id": box.ids.token(15),
        "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
        "regulated_status": "unregulated", "three_d_secure": None, "wallet": None,
    }  # fmt: skip


def approved() -> Record:
    return {
        "advice_code": None, "network_advice_code": None, "network_decline_code": None,
        "network_status": "approved_by_network", "reason": None, "risk_level": "normal", "risk_score": 20,
        "seller_message": "Payment complete.", "type": "authorized",
    }  # fmt: skip


def declined(reason: str) -> Record:
    return approved() | {
        "advice_code": "try_again_later", "network_status": "declined_by_network", "reason": reason,
        "seller_message": "The bank did not return any further details with this decline.", "type": "issuer_declined",
    }  # fmt: skip


def refund(box: Sandbox, paid: Record, **given: Any) -> Record:
    card: Record = {
        "reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund",
    }  # fmt: skip
    kind, details = (
        ("card", card) if paid["payment_method_details"]["type"] == "card" else ("us_bank_transfer", {})
    )
    record = born(
        box, "refund", "re", given,
        amount=paid["amount"] - paid["amount_refunded"], balance_transaction=None, charge=paid["id"],
        currency=paid["currency"],
        destination_details={kind: details, "type": kind},
        payment_intent=paid["payment_intent"], reason=None, receipt_number=None, source_transfer_reversal=None,
        status="succeeded", transfer_reversal=None,
    )  # fmt: skip
    return without(record, "livemode")


TEXT_EVIDENCE = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier",
    "shipping_date", "shipping_documentation", "shipping_tracking_number", "uncategorized_file",
    "uncategorized_text",
)  # fmt: skip


def dispute(box: Sandbox, paid: Record, **given: Any) -> Record:
    brand = paid["payment_method_details"]["card"]["brand"]
    return born(
        box, "dispute", "dp", given,
        amount=paid["amount"], balance_transactions=[], charge=paid["id"], currency=paid["currency"],
        enhanced_eligibility_types=[], evidence={**dict.fromkeys(TEXT_EVIDENCE), "enhanced_evidence": {}},
        evidence_details={"due_by": box.now() + 7 * 86_400, "enhanced_eligibility": {}, "has_evidence": False, "past_due": False, "submission_count": 0},
        is_charge_refundable=False, payment_intent=paid["payment_intent"],
        payment_method_details={"card": {"brand": brand, "case_type": "chargeback", "network": brand, "network_reason_code": "10"}, "type": "card"},
        reason="fraudulent", status="needs_response",
    )  # fmt: skip


def balance_transaction(box: Sandbox, source: Record, amount: int, kind: str, fee: int = 0) -> Record:
    fees = [] if not fee else [
        {"amount": fee, "application": None, "currency": source["currency"], "description": "Stripe processing fees", "type": "stripe_fee"}
    ]  # fmt: skip
    record = born(
        box, "balance_transaction", "txn", {},
        amount=amount, available_on=box.now() + 2 * 86_400, balance_type="payments", currency=source["currency"],
        description=source.get("description"), exchange_rate=None, fee=fee, fee_details=fees, net=amount - fee,
        reporting_category="dispute" if kind == "adjustment" else kind, source=source["id"], status="pending",
        type=kind,
    )  # fmt: skip
    return without(record, "livemode", "metadata")


def card_fee(amount: int) -> int:
    """2.9 % and 30, as Stripe's standard pricing in the United States."""
    return round(amount * 0.029) + 30 if amount else 0


def invoice_payment(box: Sandbox, invoice: Record, intent: Record) -> Record:
    record = born(
        box, "invoice_payment", "inpay", {},
        amount_paid=None, amount_requested=intent["amount"], currency=intent["currency"], invoice=invoice["id"],
        is_default=True, payment={"payment_intent": intent["id"], "type": "payment_intent"}, status="open",
        status_transitions={"canceled_at": None, "paid_at": None},
    )  # fmt: skip
    return without(record, "metadata")
