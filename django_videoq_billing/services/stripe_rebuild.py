"""Local rows and the mirror made anew from what Stripe has: after an outage, a restored backup, or a doubt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from django_videoq_billing.exceptions import StripeObjectMissing
from django_videoq_billing.models import UserSubscription
from django_videoq_billing.services import payments, stripe_mirror, stripe_sync
from django_videoq_billing.services.stripe_service import StripeService

BATCH = 200


def customers() -> int:
    """Return how many users are Stripe's customers."""
    return _rows().count()


def each_customer() -> Iterator[UserSubscription]:
    """Yield the row of every user who is Stripe's customer, read in batches."""
    last = 0
    while batch := list(_rows().filter(pk__gt=last).select_related("user", "plan").order_by("pk")[:BATCH]):
        yield from batch
        last = batch[-1].pk


def adopt(user: AbstractBaseUser | None = None) -> int:
    """Find customers that the site has forgotten, of one user or all, and return how many there were.

    A customer is a user's if our metadata says so and the e-mail address is the same, so that another site's
    customers in the same account are left alone.
    """
    email = getattr(user, user.get_email_field_name(), "") if user else ""
    if user and not email:
        return 0
    found = StripeService.each("customers", {"email": email} if user else {})
    return sum(_adopted(customer) for customer in found)


def _adopted(customer: dict[str, Any]) -> bool:
    row = owner_of(customer)
    if row is None or not StripeService.list_subscriptions(customer["id"]):
        return False
    return take(row, customer["id"])


def take(row: UserSubscription, customer_id: str) -> bool:
    """Write down that the customer is the user's, unless the row has one by now."""
    without = UserSubscription.objects.filter(pk=row.pk, stripe_customer_id=None)
    return bool(without.update(stripe_customer_id=customer_id))


def owner_of(customer: dict[str, Any]) -> UserSubscription | None:
    """Return the row that a customer of Stripe's belongs to, and which does not know it; see `adopt`."""
    if customer.get("deleted"):
        return None
    user_id = customer["metadata"].get("user_id")
    try:
        user = get_user_model()._default_manager.filter(pk=user_id).first() if user_id else None
    except (ValueError, ValidationError):  # another site's user ids
        return None
    email = getattr(user, user.get_email_field_name(), "") if user else ""
    if user is None or not email or email.lower() != (customer["email"] or "").lower():
        return None
    return UserSubscription.objects.filter(user_id=user.pk, stripe_customer_id=None).first()


def rebuild(customer_id: str) -> None:
    """Bring subscription, ledger and mirror of one customer in line with Stripe. Safe to repeat; sends no e-mail."""
    stripe_sync.sync_customer(customer_id, quiet=True)
    try:
        rebuild_ledger(customer_id)
        stripe_mirror.mirror_customer(customer_id)
    except StripeObjectMissing:
        return  # the customer is gone at Stripe, and the row knows that by now


def rebuild_ledger(customer_id: str) -> None:
    for invoice in StripeService.each("invoices", {"customer": customer_id}):
        payments.record_invoice(invoice["id"])
    for charge in StripeService.each("charges", {"customer": customer_id, "expand": ["data.refunds"]}):
        for refund in charge["refunds"]["data"]:
            payments.record_refund(refund["id"])
        if charge["disputed"]:
            for dispute in StripeService.each("disputes", {"charge": charge["id"]}):
                payments.record_dispute(dispute["id"])


def _rows() -> QuerySet[UserSubscription]:
    return UserSubscription.objects.exclude(stripe_customer_id=None).exclude(stripe_customer_id="")
