"""The contract's objects, field by field: what is not listed here never leaves the server."""

from __future__ import annotations

import math
from datetime import UTC
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from rest_framework import ISO_8601, serializers

from django_videoq_billing.api.schema import typed
from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import PaymentTransaction, SubscriptionPlan, UserSubscription
from django_videoq_billing.money import display_money
from django_videoq_billing.services.entitlements import current_period, effective_plan
from django_videoq_billing.services.plans import description_of, features_of, price_display
from django_videoq_billing.types import MAX_AMOUNT, Metric, UsageReport


class MomentField(serializers.DateTimeField):
    """ISO 8601 in UTC, whatever time zone and date format the host has set."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format=ISO_8601, default_timezone=UTC, **kwargs)


_FIELDS = {**serializers.ModelSerializer.serializer_field_mapping, models.DateTimeField: MomentField}


class SubscriptionPlanSerializer(serializers.ModelSerializer[SubscriptionPlan]):
    description = serializers.SerializerMethodField()
    price_display = serializers.SerializerMethodField()
    features = serializers.SerializerMethodField()

    class Meta:
        model = SubscriptionPlan
        fields: ClassVar = [
            "id",
            "name",
            "slug",
            "description",
            "price_cents",
            "price_display",
            "currency",
            "interval",
            "video_limit",
            "transcription_limit_minutes",
            "features",
            "sort_order",
        ]
        read_only_fields = fields
        extra_kwargs: ClassVar = {
            "video_limit": {"help_text": "Per period; null is unlimited."},
            "transcription_limit_minutes": {"help_text": "Per period; null is unlimited."},
        }

    def get_description(self, plan: SubscriptionPlan) -> str:
        return description_of(plan)

    def get_price_display(self, plan: SubscriptionPlan) -> str:
        return price_display(plan)

    @typed(serializers.ListField(child=serializers.CharField()))
    def get_features(self, plan: SubscriptionPlan) -> list[str]:
        return features_of(plan)


class UserSubscriptionSerializer(serializers.ModelSerializer[UserSubscription]):
    serializer_field_mapping = _FIELDS

    plan = SubscriptionPlanSerializer(read_only=True)
    pending_plan = SubscriptionPlanSerializer(read_only=True, allow_null=True)

    class Meta:
        model = UserSubscription
        fields: ClassVar = [
            "id",
            "plan",
            "status",
            "current_period_start",
            "current_period_end",
            "cancel_at_period_end",
            "cancelled_at",
            "trial_end",
            "grace_period_end",
            "pending_plan",
            "pending_plan_effective_at",
            "created_at",
        ]
        read_only_fields = fields

    def to_representation(self, instance: UserSubscription) -> dict[str, Any]:
        """Show the period that counts now, also where the row still holds one that has ended."""
        period = current_period(instance, effective_plan(instance))
        shown = super().to_representation(instance)
        moment = MomentField()
        shown["current_period_start"] = moment.to_representation(period.start)
        shown["current_period_end"] = moment.to_representation(period.end)
        return shown


class UsageOverageSerializer(serializers.Serializer[UsageReport]):
    video_count = serializers.IntegerField(source="video_overage")
    transcription_seconds = serializers.IntegerField(source="transcription_overage_seconds")


class UsageWarningSerializer(serializers.Serializer[Any]):
    threshold = serializers.IntegerField()
    resource = serializers.ChoiceField(choices=[metric.value for metric in Metric])
    reached = serializers.BooleanField()


class UsageRecordSerializer(serializers.Serializer[UsageReport]):
    """One period's usage beside the limits that hold in it; null stands for unlimited."""

    billing_period_start = MomentField(source="period.start")
    billing_period_end = MomentField(source="period.end")
    video_count = serializers.IntegerField(source="counters.video_count")
    video_limit = serializers.IntegerField(allow_null=True)
    video_usage_percentage = serializers.FloatField(allow_null=True)
    transcription_seconds = serializers.IntegerField(source="counters.transcription_seconds")
    transcription_minutes = serializers.FloatField()
    transcription_limit_minutes = serializers.IntegerField(allow_null=True)
    transcription_usage_percentage = serializers.FloatField(allow_null=True)
    overage = UsageOverageSerializer(source="*")
    warnings = serializers.SerializerMethodField()
    updated_at = MomentField(source="counters.updated_at", allow_null=True)

    @typed(UsageWarningSerializer(many=True))
    def get_warnings(self, report: UsageReport) -> list[dict[str, Any]]:
        warnings = report.warnings(get_settings().WARNING_THRESHOLDS)
        return [dict(item) for item in UsageWarningSerializer(warnings, many=True).data]


class PaymentTransactionSerializer(serializers.ModelSerializer[PaymentTransaction]):
    serializer_field_mapping = _FIELDS

    amount_display = serializers.SerializerMethodField()
    invoice_url = serializers.SerializerMethodField()
    invoice_pdf = serializers.SerializerMethodField()

    class Meta:
        model = PaymentTransaction
        fields: ClassVar = [
            "id",
            "amount_cents",
            "amount_display",
            "currency",
            "type",
            "status",
            "description",
            "invoice_url",
            "invoice_pdf",
            "created_at",
        ]
        read_only_fields = fields

    def get_amount_display(self, transaction: PaymentTransaction) -> str:
        return display_money(transaction.amount_cents, transaction.currency, get_language() or "en")

    def get_invoice_url(self, transaction: PaymentTransaction) -> str | None:
        return transaction.invoice_url or None

    def get_invoice_pdf(self, transaction: PaymentTransaction) -> str | None:
        return transaction.invoice_pdf or None


class PaymentHistorySerializer(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    transactions = PaymentTransactionSerializer(many=True)


@typed({"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": MAX_AMOUNT})
class SecondsField(serializers.FloatField):
    """A media duration as players report it, brought to whole seconds with begun seconds counted."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool):
            self.fail("invalid")
        # A whole number is left as it is: one of hundreds of digits is no float.
        seconds = data if isinstance(data, int) else super().to_internal_value(data)
        if not 0 < seconds <= MAX_AMOUNT:  # False for NaN, too
            raise serializers.ValidationError(
                _("Use a number of seconds above 0, up to %(maximum)d.") % {"maximum": MAX_AMOUNT},
                code="invalid",
            )
        return math.ceil(seconds)


class UsageCheckSerializer(serializers.Serializer[Any]):
    ACTIONS: ClassVar = {"upload_video": Metric.VIDEO, "transcribe_video": Metric.TRANSCRIPTION}

    action = serializers.ChoiceField(
        choices=list(ACTIONS),
        # REST framework's own sentence repeats what was sent, which may be no text that can be sent back.
        error_messages={"invalid_choice": _("Use “upload_video” or “transcribe_video”.")},
    )
    estimated_duration_seconds = SecondsField(required=False)

    @property
    def metric(self) -> Metric:
        return self.ACTIONS[self.validated_data["action"]]

    @property
    def amount(self) -> int:
        """One video, or the estimated seconds; without an estimate, the question is whether any are left."""
        seconds: int = self.validated_data.get("estimated_duration_seconds", 1)
        return seconds if self.metric is Metric.TRANSCRIPTION else 1


class UsageAllowedSerializer(serializers.Serializer[Any]):
    allowed = serializers.BooleanField()
    reason = serializers.CharField(allow_null=True)
    current_usage = UsageRecordSerializer()


class UsageRefusedSerializer(serializers.Serializer[Any]):
    allowed = serializers.BooleanField()
    reason = serializers.CharField()
    upgrade_url = serializers.CharField(allow_null=True)


class BillingErrorSerializer(serializers.Serializer[Any]):
    """The body of every refusal."""

    error = serializers.CharField(help_text="A stable snake_case code.")
    message = serializers.CharField(help_text="For a person, in the request's language.")
    details = serializers.DictField(allow_null=True)


class PaymentHistoryQuerySerializer(serializers.Serializer[Any]):
    limit = serializers.IntegerField(default=10, min_value=1, max_value=100)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=10**9)


class UsageHistoryQuerySerializer(serializers.Serializer[Any]):
    limit = serializers.IntegerField(default=12, min_value=1, max_value=100)
