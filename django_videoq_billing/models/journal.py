"""What the Redis store keeps in the database beside the records themselves."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.models.fields import HoldIdField
from django_videoq_billing.types import ReservationState


class UsageJournal(models.Model):
    """How far one shard's journal in Redis has been moved into `UsageRecord`. Written with it, or not at all."""

    shard = models.PositiveSmallIntegerField(_("shard"), primary_key=True)
    last_id = models.CharField(_("last applied entry"), max_length=42, default="0-0")
    suspect_until = models.DateTimeField(
        _("suspect until"),
        null=True,
        blank=True,
        help_text=_("Usage was counted without Redis; until then every flush has its counters rebuilt."),
    )
    flushed_at = models.DateTimeField(_("flushed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("usage journal")
        verbose_name_plural = _("usage journals")

    def __str__(self) -> str:
        return f"{self.shard}: {self.last_id}"


class UsageSettlement(models.Model):
    """The outcome of a hold that was told while Redis was away; the next flush carries it out.

    "Expired" is written where nobody was told of the hold, since the answer of Redis was lost.
    """

    class State(models.TextChoices):
        COMMITTED = ReservationState.COMMITTED.value, _("committed")
        RELEASED = ReservationState.RELEASED.value, _("released")
        EXPIRED = ReservationState.EXPIRED.value, _("expired")

    reservation_id = HoldIdField(_("reservation"), primary_key=True)
    shard = models.PositiveSmallIntegerField(_("shard"), db_index=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices)
    actual = models.PositiveBigIntegerField(_("actual amount"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("usage settlement")
        verbose_name_plural = _("usage settlements")
        ordering: ClassVar = ["created_at"]

    def __str__(self) -> str:
        return f"{self.reservation_id}: {self.get_state_display()}"
