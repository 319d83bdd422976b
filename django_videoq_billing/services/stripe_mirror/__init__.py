"""dj-stripe's tables as a mirror of Stripe, and the one place that knows dj-stripe. Without it nothing happens here.

The mirror is for looking: hosts query and browse Stripe's objects in it, and nothing of ours is decided by it. It is
filled by a worker after billing is done with an event, since dj-stripe follows foreign keys over the network with
a transaction of its own open.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.db import router, transaction
from django.utils import timezone

from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import StripeObjectMissing
from django_videoq_billing.models import WebhookEvent
from django_videoq_billing.models.claims import first_unlocked
from django_videoq_billing.services.stripe_mirror.forgetting import (
    forget_customer,
    forget_events,
    forgets_anybody,
    is_forgotten,
    rows_of_customer,
)
from django_videoq_billing.services.stripe_payloads import id_of
from django_videoq_billing.services.stripe_service.client import live_mode, stripe_errors

__all__ = [
    "connect_events",
    "default_card",
    "forget_customer",
    "forget_events",
    "is_installed",
    "is_same_server",
    "mirror",
    "mirror_catalog",
    "mirror_customer",
    "mirror_due",
    "mirror_event",
    "rows_of_customer",
    "takes_key",
]

logger = logging.getLogger("django_videoq_billing")

# Stripe's name of a kind of object, and dj-stripe's model of it.
MODELS = {
    "charge": "Charge",
    "checkout.session": "Session",
    "customer": "Customer",
    "dispute": "Dispute",
    "invoice": "Invoice",
    "payment_intent": "PaymentIntent",
    "payment_method": "PaymentMethod",
    "price": "Price",
    "product": "Product",
    "refund": "Refund",
    "subscription": "Subscription",
    "subscription_schedule": "SubscriptionSchedule",
}
OF_CUSTOMER: dict[str, dict[str, Any]] = {
    "payment_method": {},
    "subscription": {"status": "all"},
    "invoice": {},
    "payment_intent": {},
    "charge": {},
}
TRIED_FOR = timedelta(days=30)  # as long as Stripe keeps an event; then `sync_stripe` helps
NO_CARD = {"brand": None, "last4": None, "exp_month": None, "exp_year": None}
_ENDED = ("canceled", "incomplete_expired")


def is_installed() -> bool:
    return apps.is_installed("djstripe")


def is_same_server() -> bool:
    """Whether dj-stripe's requests go where ours go. It reads its address from a setting of its own."""
    theirs = str(getattr(django_settings, "STRIPE_API_HOST", ""))
    return theirs.rstrip("/") == get_settings().STRIPE_API_BASE


def takes_key() -> bool:
    """Whether dj-stripe takes our key: it wants the shape of Stripe's own ones."""
    return re.fullmatch(r"(sk|rk)_(test|live)_[a-zA-Z0-9]{24,}", get_settings().STRIPE_SECRET_KEY) is not None


def mirror_due(limit: int | None = None) -> int:
    """Mirror the object of every event that waits for it, oldest first; return how many were tried.

    What fails is kept with its event and tried again later. Safe in many workers at once.
    """
    tried = 0
    while is_installed() and (limit is None or tried < limit):
        event = _claim()
        if event is None:
            break
        _try(event)
        tried += 1
    return tried


def mirror_event(event: WebhookEvent) -> None:
    """Fetch the object that the event is about and store it as dj-stripe does; other kinds are left out."""
    kind = event.payload["data"]["object"].get("object")
    if (
        is_installed()
        and kind in MODELS
        and event.object_id
        and bool(event.payload.get("livemode")) == live_mode()
    ):
        mirror(kind, event.object_id, was_deleted=event.type.endswith(".deleted"))


def mirror(kind: str, object_id: str, *, was_deleted: bool = False) -> None:
    """Fetch one object, such as ("customer", "cus_..."), and store it. What Stripe has no more is deleted."""
    model, key = _model(kind), _key()
    wanted = model(id=object_id)
    wanted.expand_fields = _expanded(kind)
    try:
        with stripe_errors():
            data = wanted.api_retrieve(api_key=key)
            if _is_forgotten(kind, data):
                return
            _ensure_customer(kind, id_of(data.get("customer")))
            model.sync_from_stripe_data(data, api_key=key)
    except StripeObjectMissing:
        if was_deleted:
            model.objects.filter(id=object_id).delete()


def mirror_customer(customer_id: str) -> None:
    """Store a customer and all that belongs to it, page by page."""
    if not is_installed() or is_forgotten(customer_id):
        return
    mirror("customer", customer_id)
    for kind, narrowed in OF_CUSTOMER.items():
        for stored in _mirror_all(kind, {"customer": customer_id, **narrowed}):
            if kind == "charge" and stored.stripe_data["amount_refunded"]:
                list(_mirror_all("refund", {"charge": stored.id}))
            if kind == "charge" and stored.stripe_data["disputed"]:
                list(_mirror_all("dispute", {"charge": stored.id}))


def mirror_catalog() -> None:
    """Store every product and price."""
    for kind in ("product", "price") if is_installed() else ():
        for _ in _mirror_all(kind, {}):
            pass


def default_card(customer_id: str) -> dict[str, Any]:
    """Return brand, last4, exp_month and exp_year of the card that pays next, as far as the mirror knows it."""
    if not is_installed() or not customer_id:
        return dict(NO_CARD)
    method_id = _default_method(customer_id)
    method = _model("payment_method").objects.filter(id=method_id).first() if method_id else None
    card = (method.stripe_data.get("card") if method else None) or {}
    return {name: card.get(name) for name in NO_CARD}


def connect_events(receive: Callable[[dict[str, Any]], None]) -> None:
    """Call `receive` with every event that arrives at dj-stripe's own webhook URL, also where dj-stripe fails."""
    if not is_installed():
        return
    from djstripe import signals
    from djstripe.models import Event, WebhookEventTrigger

    def arrived(sender: object, event: Any, **kwargs: object) -> None:
        receive(event.stripe_data)

    def failed(sender: object, instance: Any, **kwargs: object) -> None:
        if instance.valid:  # its signature was right, and what dj-stripe had stored is rolled back
            receive(instance.json_body)

    for name, signal in signals.WEBHOOK_SIGNALS.items():
        signal.connect(arrived, sender=Event, weak=False, dispatch_uid=f"videoq_billing.{name}")
    signals.webhook_processing_error.connect(
        failed, sender=WebhookEventTrigger, weak=False, dispatch_uid="videoq_billing.failed"
    )


def _claim() -> WebhookEvent | None:
    """Take the first event that is due. It comes back after the lease, unless it is mirrored by then."""
    now = timezone.now()
    with transaction.atomic(using=router.db_for_write(WebhookEvent)):
        due = WebhookEvent.objects.due_for_mirror(now).filter(created_at__gte=now - TRIED_FOR)
        event = first_unlocked(due.order_by("created_at", "pk"))
        if event is not None:
            event.mirror_attempts += 1
            event.next_mirror_at = now + timedelta(seconds=get_settings().WEBHOOK_LEASE_SECONDS)
            event.save(update_fields=["mirror_attempts", "next_mirror_at"])
    return event


def _try(event: WebhookEvent) -> None:
    row = WebhookEvent.objects.filter(pk=event.pk, state__in=WebhookEvent.DONE)
    try:
        mirror_event(event)
    except Exception as error:  # dj-stripe's troubles are no reason to stop
        attempts, kind = event.mirror_attempts, type(error).__name__
        logger.warning("mirror_failed", extra={"event_type": event.type, "attempts": attempts, "error": kind})
        minutes = get_settings().WEBHOOK_RETRY_MINUTES
        wait = timedelta(minutes=minutes[min(event.mirror_attempts, len(minutes)) - 1])
        row.update(next_mirror_at=timezone.now() + wait, error=_words(error))
    else:
        row.update(mirrored_at=timezone.now(), error="")


def _words(error: Exception) -> str:
    """Return what to keep with the event: dj-stripe names the key where it does not like it."""
    words = f"Mirror: {type(error).__name__}: {error}"
    return words.replace(get_settings().STRIPE_SECRET_KEY or "\0", "(our key)")[:2000]


def _mirror_all(kind: str, params: dict[str, Any]) -> Any:
    """Store each object of a list and yield its row."""
    model, key = _model(kind), _key()
    expand = [f"data.{field}" for field in _expanded(kind)]
    with stripe_errors():
        for data in model.stripe_class.list(
            api_key=key, limit=100, expand=expand, **params
        ).auto_paging_iter():
            yield model.sync_from_stripe_data(data, api_key=key)


def _is_forgotten(kind: str, data: Any) -> bool:
    """Whether the object belongs to a customer whom `forget_customer` has taken out."""
    owner = data["id"] if kind == "customer" else id_of(data.get("customer"))
    if owner is None and data.get("charge") and forgets_anybody():  # a refund or a dispute
        charge = _model("charge").stripe_class.retrieve(id_of(data["charge"]), api_key=_key())
        owner = id_of(charge.get("customer"))
    return owner is not None and is_forgotten(owner)


def _expanded(kind: str) -> list[str]:
    """Return the fields that dj-stripe reads expanded. Stripe shows a deleted customer only without."""
    return [] if kind == "customer" else list(_model(kind).expand_fields)


def _ensure_customer(kind: str, customer_id: str | None) -> None:
    """Store the customer before what belongs to it: dj-stripe by itself cannot fetch one that was deleted."""
    if kind != "customer" and customer_id and not _model("customer").objects.filter(id=customer_id).exists():
        mirror("customer", customer_id)


def _model(kind: str) -> Any:
    return apps.get_model("djstripe", MODELS[kind])


def _key() -> str:
    """Return our key for dj-stripe's requests, provided that they go where ours go."""
    if not is_same_server():
        raise ImproperlyConfigured("dj-stripe would talk to another server: see videoq_billing.E005.")
    return get_settings().STRIPE_SECRET_KEY


def _default_method(customer_id: str) -> str | None:
    """Return the payment method that a living subscription names, else the customer's; Stripe's order, too."""
    customer = _model("customer").objects.filter(id=customer_id).first()
    if customer is None or customer.stripe_data.get("deleted"):
        return None
    subscriptions = _model("subscription").objects.filter(customer__id=customer_id).order_by("-created")
    named = [
        subscription.stripe_data.get("default_payment_method")
        for subscription in subscriptions
        if subscription.stripe_data.get("status") not in _ENDED
    ]
    of_customer = (customer.stripe_data.get("invoice_settings") or {}).get("default_payment_method")
    return id_of(next((method for method in [*named, of_customer] if method), None))
