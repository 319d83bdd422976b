"""Rows, constraints, predicates and querysets. No network, no mail and no settings here."""

from django_videoq_billing.models.figures import DailyFigures, DailyMoney, RecurringAmount
from django_videoq_billing.models.jobs import JobRun
from django_videoq_billing.models.journal import UsageJournal, UsageSettlement
from django_videoq_billing.models.notifications import EmailPreference, Notification, UsageAlert
from django_videoq_billing.models.payments import PaymentTransaction
from django_videoq_billing.models.plans import SubscriptionPlan
from django_videoq_billing.models.refusals import UsageRefusal
from django_videoq_billing.models.subscriptions import UserSubscription
from django_videoq_billing.models.support import ExtraAllowance, UsageCorrection
from django_videoq_billing.models.transcription import TranscriptionJob
from django_videoq_billing.models.usage import UsageRecord, UsageReservation
from django_videoq_billing.models.webhooks import WebhookEvent

__all__ = [
    "DailyFigures",
    "DailyMoney",
    "EmailPreference",
    "ExtraAllowance",
    "JobRun",
    "Notification",
    "PaymentTransaction",
    "RecurringAmount",
    "SubscriptionPlan",
    "TranscriptionJob",
    "UsageAlert",
    "UsageCorrection",
    "UsageJournal",
    "UsageRecord",
    "UsageRefusal",
    "UsageReservation",
    "UsageSettlement",
    "UserSubscription",
    "WebhookEvent",
]
