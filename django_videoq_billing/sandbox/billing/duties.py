"""What the agenda watches: which records have due times, in which order things happen that are due together."""

from django_videoq_billing.sandbox.agenda import Duty
from django_videoq_billing.sandbox.billing import charging, checkout, collection, cycle, schedules
from django_videoq_billing.sandbox.store import Record


def _invoice_due_at(invoice: Record) -> int | None:
    if not invoice["auto_advance"]:
        return None
    moment = {"draft": "automatically_finalizes_at", "open": "next_payment_attempt"}.get(invoice["status"])
    return invoice[moment] if moment else None


DUTIES = {
    "subscription_schedule": Duty(0, schedules.due_at, schedules.act),
    "subscription": Duty(1, cycle.due_at, cycle.act),
    "invoice": Duty(2, _invoice_due_at, collection.invoice_due),
    "payment_intent": Duty(2, charging.settles_at, checkout.settle_debit),
    "checkout.session": Duty(3, checkout.due_at, checkout.expire),
}
