"""Taking a customer out of dj-stripe's tables, for good."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import router, transaction
from django.utils import timezone

from django_videoq_billing.services.stripe_service.client import live_mode


def forget_customer(customer_id: str) -> int:
    """Delete all that belongs to a customer; return how many rows.

    The bare id stays, marked as dj-stripe marks a purged customer: nothing about it is mirrored any more. Safe
    to repeat. Tables of the host that point to a deleted row go the way that their `on_delete` says.
    """
    if not apps.is_installed("djstripe"):
        return 0
    customer = _table("Customer").model
    nothing = {"id": customer_id, "object": "customer", "deleted": True}
    with transaction.atomic(using=router.db_for_write(customer)):
        _table("Customer").update_or_create(
            id=customer_id,
            defaults={
                **{"stripe_data": nothing, "email": "", "metadata": {}, "subscriber": None},
                **{"default_payment_method": None, "date_purged": timezone.now(), "livemode": live_mode()},
            },
        )
        return sum(int(rows.delete()[0]) for rows in _rows_of(customer_id))


def rows_of_customer(customer_id: str) -> int:
    """Return how many rows say something about a customer."""
    if not apps.is_installed("djstripe"):
        return 0
    known = _table("Customer").filter(id=customer_id, date_purged__isnull=True)
    return int(known.count()) + sum(int(rows.count()) for rows in _rows_of(customer_id))


def forget_events(event_ids: list[str]) -> None:
    """Delete what dj-stripe has kept of events that came in at its own webhook URL."""
    if apps.is_installed("djstripe"):
        _table("WebhookEventTrigger").filter(event__id__in=event_ids).delete()
        _table("Event").filter(id__in=event_ids).delete()


def forgets_anybody() -> bool:
    return bool(_purged().exists())


def is_forgotten(customer_id: str) -> bool:
    return bool(_purged().filter(id=customer_id).exists())


def _purged() -> Any:
    return _table("Customer").filter(date_purged__isnull=False)


def _rows_of(customer_id: str) -> list[Any]:
    """Return the rows of every kind that belong to a customer, with cards that were taken off again."""
    payments = [_table(model).filter(customer__id=customer_id) for model in ("Charge", "PaymentIntent")]
    cards = {card for rows in payments for card in rows.values_list("payment_method__id", flat=True) if card}
    related = [
        one
        for one in _table("Customer").model._meta.related_objects
        if one.related_model._meta.app_label == "djstripe"
    ]
    return [
        _table("WebhookEventTrigger").filter(body__contains=customer_id),
        _table("PaymentMethod").filter(id__in=cards),
        *(
            _table(one.related_model.__name__).filter(**{f"{one.field.name}__id": customer_id})
            for one in related
        ),
    ]


def _table(model: str) -> Any:
    return apps.get_model("djstripe", model)._default_manager.all()
