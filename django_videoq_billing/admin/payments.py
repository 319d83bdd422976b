from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.admin.base import HistoryAdmin
from django_videoq_billing.models import PaymentTransaction
from django_videoq_billing.money import display_money


@admin.register(PaymentTransaction)
class PaymentTransactionAdmin(HistoryAdmin[PaymentTransaction]):
    """The ledger. Deleting a user keeps the lines, so nothing ever has to be deleted here."""

    list_display = ("created_at", "payer", "amount_display", "type", "status", "plan")
    list_filter = ("type", "status", "currency", "created_at")
    list_select_related = ("user", "plan")
    date_hierarchy = "created_at"
    search_fields = ("stripe_object_id", "description")
    search_help_text = _("User name, e-mail address, Stripe id or description")
    fields = (
        "plan",
        "amount_display",
        "type",
        "status",
        "description",
        "invoice_url",
        "invoice_pdf",
        "stripe_object_id",
        "created_at",
        "recorded_at",
    )

    def get_fields(self, request: HttpRequest, obj: PaymentTransaction | None = None) -> tuple[str, ...]:
        return ("user" if obj and obj.user_id else "payer", *self.fields)

    @admin.display(description=_("user"), ordering="user")
    def payer(self, payment: PaymentTransaction) -> str | Promise:
        return str(payment.user) if payment.user else _("deleted user")

    @admin.display(description=_("amount"), ordering="amount_cents")
    def amount_display(self, payment: PaymentTransaction) -> str:
        return display_money(payment.amount_cents, payment.currency, get_language() or "en")

    def has_delete_permission(self, request: HttpRequest, obj: PaymentTransaction | None = None) -> bool:
        return False
