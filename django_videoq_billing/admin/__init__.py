"""The billing tables in Django's own admin. What history needs, and what Stripe decides, is read-only here."""

from django_videoq_billing.admin.dashboard import DashboardAdmin
from django_videoq_billing.admin.inlines import BILLING_INLINES, SubscriptionInline, UsageInline
from django_videoq_billing.admin.jobs import JobRunAdmin
from django_videoq_billing.admin.notifications import EmailPreferenceAdmin, NotificationAdmin, UsageAlertAdmin
from django_videoq_billing.admin.payments import PaymentTransactionAdmin
from django_videoq_billing.admin.plans import SubscriptionPlanAdmin
from django_videoq_billing.admin.subscriptions import UserSubscriptionAdmin
from django_videoq_billing.admin.support import ExtraAllowanceAdmin, UsageCorrectionAdmin, UsageRefusalAdmin
from django_videoq_billing.admin.transcription import TranscriptionJobAdmin
from django_videoq_billing.admin.usage import UsageRecordAdmin, UsageReservationAdmin
from django_videoq_billing.admin.webhooks import WebhookEventAdmin

__all__ = [
    "BILLING_INLINES",
    "DashboardAdmin",
    "EmailPreferenceAdmin",
    "ExtraAllowanceAdmin",
    "JobRunAdmin",
    "NotificationAdmin",
    "PaymentTransactionAdmin",
    "SubscriptionInline",
    "SubscriptionPlanAdmin",
    "TranscriptionJobAdmin",
    "UsageAlertAdmin",
    "UsageCorrectionAdmin",
    "UsageInline",
    "UsageRecordAdmin",
    "UsageRefusalAdmin",
    "UsageReservationAdmin",
    "UserSubscriptionAdmin",
    "WebhookEventAdmin",
]
