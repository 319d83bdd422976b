from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.admin.base import HistoryAdmin
from django_videoq_billing.admin.csv_answers import csv_response
from django_videoq_billing.models import PaymentTransaction
from django_videoq_billing.money import display_money, minor_unit_decimals

Type, Status = PaymentTransaction.Type, PaymentTransaction.Status
PAYMENTS = (Type.SUBSCRIPTION_PAYMENT, Type.PRORATION, Type.OVERAGE_CHARGE)


@admin.register(PaymentTransaction)
class PaymentTransactionAdmin(HistoryAdmin[PaymentTransaction]):
    """The ledger. Deleting a user keeps the lines, so nothing ever has to be deleted here."""

    change_list_template = "admin/videoq_billing/links_change_list.html"
    list_display = ("created_at", "payer", "amount_display", "type", "status", "plan")
    list_filter = ("type", "status", "created_at", "plan", "currency")
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

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name="videoq_billing_paymenttransaction_export"), *super().get_urls()]

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("videoq_billing.export_payments") and self.has_view_permission(request)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, with the totals of all its pages."""
        answer = super().changelist_view(request, extra_context)
        context = getattr(answer, "context_data", None)
        if context and "cl" in context:
            context["totals"] = totals(context["cl"].queryset, get_language() or "en")
            if self.has_export_permission(request):
                export = reverse(f"{self.admin_site.name}:videoq_billing_paymenttransaction_export")
                context["links"] = [(_("Export as CSV"), f"{export}?{request.GET.urlencode()}")]
        return answer

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """What is listed under the filter, as a file."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        try:
            found = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return HttpResponseRedirect("../?e=1")
        return csv_response("payments.csv", [EXPORTED], map(_line, found.iterator(1000)))


EXPORTED = [
    *["created_at", "user_id", "user", "type", "status", "plan", "amount", "currency", "description"],
    "stripe_object_id",
]


def _line(payment: PaymentTransaction) -> list[object]:
    """Amounts in the currency's main unit, with a point, for a spreadsheet to add up."""
    decimals = minor_unit_decimals(payment.currency)
    return [
        payment.created_at.isoformat(),
        payment.user_id,
        payment.user.get_username() if payment.user else "",
        payment.type,
        payment.status,
        payment.plan.slug if payment.plan else "",
        Decimal(payment.amount_cents).scaleb(-decimals),
        payment.currency,
        payment.description,
        payment.stripe_object_id,
    ]


def totals(payments: QuerySet[PaymentTransaction], language: str) -> list[dict[str, str]]:
    """Return what the payments come to in each currency. Different currencies are never added up."""
    paid = Q(type__in=PAYMENTS, status=Status.SUCCEEDED)
    parts = {
        "paid": paid,
        "refunds": Q(type=Type.SUBSCRIPTION_REFUND),
        "disputes": Q(type=Type.DISPUTE),
        "failed": Q(type__in=PAYMENTS, status=Status.FAILED),
    }
    sums = {name: Coalesce(Sum("amount_cents", filter=part), 0) for name, part in parts.items()}
    rows: Any = payments.order_by("currency").values("currency").annotate(**sums)
    return [_total(row, language) for row in rows]


def _total(row: dict[str, Any], language: str) -> dict[str, str]:
    currency = row.pop("currency")
    row["net"] = row["paid"] + row["refunds"] + row["disputes"]
    shown = {name: display_money(amount, currency, language) for name, amount in row.items()}
    return {"currency": currency, **shown}
