from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.models.fields import ExactCharField
from django_videoq_billing.models.indexes import OpenRowsIndex


class WebhookEventQuerySet(models.QuerySet["WebhookEvent"]):
    def due(self, now: datetime) -> WebhookEventQuerySet:
        """Events to work on: new ones, failed ones whose time has come, and those of a worker that died."""
        waiting = Q(state__in=WebhookEvent.WAITING, next_attempt_at__lte=now)
        abandoned = Q(state=WebhookEvent.State.PROCESSING, leased_until__lte=now)
        return self.filter(waiting | abandoned)

    def due_for_mirror(self, now: datetime) -> WebhookEventQuerySet:
        """Events that billing is done with and whose object the mirror does not have yet."""
        done = self.filter(state__in=WebhookEvent.DONE, mirrored_at__isnull=True)
        return done.filter(Q(next_mirror_at__isnull=True) | Q(next_mirror_at__lte=now))


class WebhookEvent(models.Model):
    """The inbox: every event that Stripe signed, stored once by its id, and how far its processing has come."""

    class State(models.TextChoices):
        RECEIVED = "received", _("received")
        PROCESSING = "processing", _("processing")
        PROCESSED = "processed", _("processed")
        IGNORED = "ignored", _("ignored")
        FAILED = "failed", _("failed")

    WAITING = (State.RECEIVED, State.FAILED)
    DONE = (State.PROCESSED, State.IGNORED)

    stripe_event_id = ExactCharField(_("Stripe event"), max_length=255, unique=True)
    type = models.CharField(_("type"), max_length=100)
    payload = models.JSONField(_("payload"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.RECEIVED)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt at"))
    leased_until = models.DateTimeField(_("leased until"), null=True, blank=True)
    error = models.TextField(_("error"), blank=True, default="")
    created_at = models.DateTimeField(_("created at"), help_text=_("When it happened at Stripe."))
    received_at = models.DateTimeField(_("received at"), auto_now_add=True)
    processed_at = models.DateTimeField(_("processed at"), null=True, blank=True)
    mirrored_at = models.DateTimeField(_("mirrored at"), null=True, blank=True)
    pruned_at = models.DateTimeField(
        _("pruned at"), null=True, blank=True, help_text=_("When the body was reduced to ids, for its age.")
    )
    mirror_attempts = models.PositiveIntegerField(default=0, editable=False)
    next_mirror_at = models.DateTimeField(
        null=True, editable=False, help_text=_("When to try again; until then a worker may be at it.")
    )

    objects = WebhookEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook event")
        verbose_name_plural = _("webhook events")
        permissions: ClassVar = [("replay_events", "Can process webhook events again and ignore them")]
        ordering: ClassVar = ["-created_at", "-pk"]
        indexes: ClassVar = [
            OpenRowsIndex(
                fields=["next_attempt_at"],
                condition=Q(state__in=["received", "failed", "processing"]),
                told_by="state",
                name="vqb_webhook_open",
            ),
            models.Index(fields=["type", "created_at"], name="vqb_webhook_type_created"),
            OpenRowsIndex(
                fields=["created_at"],
                condition=Q(mirrored_at__isnull=True),
                told_by="mirrored_at",
                name="vqb_webhook_to_mirror",
            ),
            OpenRowsIndex(
                fields=["created_at"],
                condition=Q(pruned_at__isnull=True),
                told_by="pruned_at",
                name="vqb_webhook_to_prune",
            ),
            models.Index(
                Coalesce(KT("payload__data__object__customer"), KT("payload__data__object__id")),
                "created_at",
                name="vqb_webhook_customer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} ({self.get_state_display()})"

    @property
    def object_id(self) -> str:
        """The id of the object that the event is about, "" where it has none (a balance)."""
        return str(self.payload["data"]["object"].get("id") or "")

    @property
    def customer_id(self) -> str | None:
        """The customer that the object belongs to, or is."""
        subject = self.payload["data"]["object"]
        customer: Any = subject if subject.get("object") == "customer" else subject.get("customer")
        return str(customer["id"]) if isinstance(customer, dict) else customer
