"""What the endpoints take and answer that deal with Stripe. No field holds an id of Stripe, but `session_id`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from rest_framework import serializers

from django_videoq_billing.api.schema import typed
from django_videoq_billing.api.serializers import (
    MomentField,
    SubscriptionPlanSerializer,
    UserSubscriptionSerializer,
)
from django_videoq_billing.models import UserSubscription
from django_videoq_billing.money import display_money
from django_videoq_billing.services.entitlements import has_access
from django_videoq_billing.services.plan_changes import ChangePreview
from django_videoq_billing.types import Metric


class RedirectField(serializers.CharField):
    """An address to come back to, left as it was sent: `services.redirects` decides about it."""

    def __init__(self, **kwargs: Any) -> None:
        options = {"required": False, "allow_null": True, "allow_blank": True, "trim_whitespace": False}
        super().__init__(**{"max_length": 2000, **options, **kwargs})


class PlanChoiceSerializer(serializers.Serializer[Any]):
    plan_id = serializers.IntegerField()


class CheckoutSerializer(PlanChoiceSerializer):
    success_url = RedirectField()
    cancel_url = RedirectField()


class CheckoutSessionSerializer(serializers.Serializer[Any]):
    checkout_url = serializers.CharField(source="url", help_text="Stripe's page to pay on.")
    session_id = serializers.CharField(source="id", help_text="For `billing/subscription/sync` afterwards.")


class CancelSerializer(serializers.Serializer[Any]):
    immediate = serializers.BooleanField(default=False, help_text="At once, for staff only.")


class CancelledSubscriptionSerializer(UserSubscriptionSerializer):
    """The subscription, and a sentence for its user that names the date on which access ends."""

    # A component of its own would repeat all fields, and their enumerations under other names.
    SCHEMA: ClassVar = {
        "allOf": [
            {"$ref": "#/components/schemas/UserSubscription"},
            {"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]},
        ]
    }

    message = serializers.SerializerMethodField()

    class Meta(UserSubscriptionSerializer.Meta):
        fields: ClassVar = [*UserSubscriptionSerializer.Meta.fields, "message"]
        read_only_fields = fields

    def get_message(self, subscription: UserSubscription) -> str:
        now = timezone.now()
        period_end, grace_end = subscription.current_period_end, subscription.grace_period_end
        if has_access(subscription):
            sentence = _("You keep %(plan)s until %(date)s.")
            ends = min(period_end, grace_end or period_end)
        else:
            sentence, ends = _("Your access to %(plan)s ended on %(date)s."), now
        date = date_format(timezone.localtime(ends), "DATE_FORMAT")
        return sentence % {"plan": subscription.plan.name, "date": date}


class SyncSerializer(serializers.Serializer[Any]):
    session_id = serializers.RegexField(
        r"^cs_[A-Za-z0-9_]+\Z",
        required=False,
        allow_null=True,
        max_length=255,
        trim_whitespace=False,
    )


class PortalSerializer(serializers.Serializer[Any]):
    return_url = RedirectField()


class PortalSessionSerializer(serializers.Serializer[Any]):
    portal_url = serializers.CharField(help_text="Stripe's customer portal, for a short time.")


class PaymentMethodSerializer(serializers.Serializer[Any]):
    """The card that pays next, as far as it is known here; all null where it is not."""

    brand = serializers.CharField(allow_null=True)
    last4 = serializers.CharField(allow_null=True)
    exp_month = serializers.IntegerField(allow_null=True)
    exp_year = serializers.IntegerField(allow_null=True)


class ChangeLineSerializer(serializers.Serializer[Any]):
    description = serializers.CharField()
    amount_cents = serializers.IntegerField(help_text="Negative for what is given back.")


class ExceededLimitSerializer(serializers.Serializer[Any]):
    resource = serializers.ChoiceField(choices=[metric.value for metric in Metric])
    limit = serializers.IntegerField(help_text="Videos, or seconds of transcription.")


class ChangePreviewSerializer(serializers.Serializer[ChangePreview]):
    """What a change of plan would do now. Nothing has been changed."""

    plan = SubscriptionPlanSerializer()
    immediate = serializers.BooleanField(help_text="At once, or at `effective_at`.")
    effective_at = MomentField(allow_null=True, help_text="Null where the change is immediate.")
    currency = serializers.CharField()
    amount_due_cents = serializers.IntegerField(source="amount_due", help_text="To be paid at once.")
    amount_due_display = serializers.SerializerMethodField()
    credit_cents = serializers.IntegerField(
        source="credit", help_text="Given back for unused time; the amount due has it taken off already."
    )
    lines = ChangeLineSerializer(many=True)
    exceeded_limits = serializers.SerializerMethodField(
        help_text="What more is used of in this period than the chosen plan allows."
    )

    @typed(ExceededLimitSerializer(many=True))
    def get_exceeded_limits(self, preview: ChangePreview) -> list[dict[str, Any]]:
        return [
            {"resource": metric.value, "limit": preview.plan.limit(metric)} for metric in preview.exceeded
        ]

    def get_amount_due_display(self, preview: ChangePreview) -> str:
        return display_money(preview.amount_due, preview.currency, get_language() or "en")


class WebhookReceivedSerializer(serializers.Serializer[Any]):
    received = serializers.BooleanField()
    event_id = serializers.CharField(help_text="Stripe's own id of the event, sent back to Stripe.")
