from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.models.fields import ExactCharField
from django_videoq_billing.models.plans import SubscriptionPlan
from django_videoq_billing.money import display_money


class AppendOnlyError(TypeError):
    """Code tried to change or delete a row of the ledger. Write a new row instead."""


def _refuse(*args: object, **kwargs: object) -> NoReturn:
    raise AppendOnlyError("Payment transactions are append-only: record a new one instead.")


_TAKEN_OUT: dict[str, Any] = {"user": None, "plan": None, "invoice_url": "", "invoice_pdf": ""}


class PaymentTransactionQuerySet(models.QuerySet["PaymentTransaction"]):
    delete = _refuse
    bulk_update = _refuse
    update_or_create = _refuse

    def update(self, **changes: Any) -> int:
        """Allow one change alone: taking the user or the plan out of a line, and the links that show a person."""
        if any(name not in _TAKEN_OUT or value != _TAKEN_OUT[name] for name, value in changes.items()):
            _refuse()
        return super().update(**changes)

    def bulk_create(
        self,
        objs: Iterable[PaymentTransaction],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        *overwriting: Any,
        **and_how: Any,
    ) -> list[PaymentTransaction]:
        if any(overwriting) or any(and_how.values()):
            _refuse()
        return super().bulk_create(objs, batch_size, ignore_conflicts)


class PaymentTransaction(models.Model):
    """One line of the ledger. A later state of the same payment is a further line, never an edit.

    Deleting a user keeps the user's lines and takes the person out of them.
    """

    class Type(models.TextChoices):
        SUBSCRIPTION_PAYMENT = "subscription_payment", _("subscription payment")
        SUBSCRIPTION_REFUND = "subscription_refund", _("refund")
        OVERAGE_CHARGE = "overage_charge", _("overage charge")
        PRORATION = "proration", _("plan change")
        DISPUTE = "dispute", _("dispute")

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")
        REFUNDED = "refunded", _("refunded")
        DISPUTED = "disputed", _("disputed")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="payment_transactions",
        verbose_name=_("user"),
    )
    plan = models.ForeignKey(
        SubscriptionPlan, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("plan")
    )
    stripe_object_id = ExactCharField(
        _("Stripe object"),
        max_length=255,
        help_text=_("The invoice, refund or dispute that this line records."),
    )
    amount_cents = models.BigIntegerField(
        _("amount"), help_text=_("In the currency's minor unit; negative for money given back.")
    )
    currency = models.CharField(_("currency"), max_length=3)
    type = models.CharField(_("type"), max_length=25, choices=Type.choices)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices)
    description = models.CharField(_("description"), max_length=500, blank=True, default="")
    invoice_url = models.URLField(_("invoice"), max_length=1000, blank=True, default="")
    invoice_pdf = models.URLField(_("invoice as PDF"), max_length=1000, blank=True, default="")
    created_at = models.DateTimeField(
        _("created at"), default=timezone.now, help_text=_("When it happened at Stripe.")
    )
    recorded_at = models.DateTimeField(_("recorded at"), auto_now_add=True)

    objects = PaymentTransactionQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment transaction")
        verbose_name_plural = _("payment transactions")
        permissions: ClassVar = [("export_payments", "Can export payments")]
        base_manager_name = "objects"  # the managers of relations refuse changes, too
        ordering: ClassVar = ["-created_at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["user", "-created_at"], name="vqb_payment_user_newest")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["stripe_object_id", "type", "status"], name="vqb_payment_once_per_object_and_state"
            )
        ]

    def __str__(self) -> str:
        amount = display_money(self.amount_cents, self.currency, get_language() or "en")
        return f"{amount}, {self.get_type_display()} ({self.get_status_display()})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            _refuse()
        super().save(*args, **{**kwargs, "force_insert": True})  # a given pk must not overwrite

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse()
