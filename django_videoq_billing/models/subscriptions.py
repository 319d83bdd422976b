from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.models.fields import ExactCharField
from django_videoq_billing.models.plans import SubscriptionPlan
from django_videoq_billing.types import Metric, Period


class UserSubscriptionQuerySet(models.QuerySet["UserSubscription"]):
    def active(self) -> UserSubscriptionQuerySet:
        return self.filter(status__in=UserSubscription.ACTIVE_STATUSES)


class UserSubscription(models.Model):
    """The one subscription of a user, free or paid, and the period that usage is counted against."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        TRIALING = "trialing", _("trialing")
        PAST_DUE = "past_due", _("past due")
        CANCELLED = "cancelled", _("cancelled")
        INCOMPLETE = "incomplete", _("incomplete")
        INCOMPLETE_EXPIRED = "incomplete_expired", _("incomplete, expired")
        UNPAID = "unpaid", _("unpaid")
        PAUSED = "paused", _("paused")

    STATUS_CHOICES = Status.choices
    ACTIVE_STATUSES = (Status.ACTIVE, Status.TRIALING)
    BILLED_STATUSES = (*ACTIVE_STATUSES, Status.PAST_DUE, Status.UNPAID, Status.PAUSED)

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="subscription",
        verbose_name=_("user"),
    )
    plan = models.ForeignKey(
        SubscriptionPlan, on_delete=models.PROTECT, related_name="subscriptions", verbose_name=_("plan")
    )
    stripe_subscription_id = ExactCharField(
        _("Stripe subscription"), max_length=255, unique=True, null=True, blank=True
    )
    stripe_customer_id = ExactCharField(
        _("Stripe customer"), max_length=255, db_index=True, null=True, blank=True
    )
    status = models.CharField(
        _("status"), max_length=20, choices=Status.choices, default=Status.ACTIVE, db_index=True
    )
    current_period_start = models.DateTimeField(_("period start"))
    current_period_end = models.DateTimeField(_("period end"))
    period_anchor = models.DateTimeField(
        _("period anchor"),
        null=True,
        blank=True,
        help_text=_("Periods begin on this day of the month; it keeps the 31st through February."),
    )
    cancel_at_period_end = models.BooleanField(_("cancel at period end"), default=False)
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, blank=True)
    trial_end = models.DateTimeField(_("trial end"), null=True, blank=True)
    grace_period_end = models.DateTimeField(_("grace period end"), null=True, blank=True)
    pending_plan = models.ForeignKey(
        SubscriptionPlan,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="pending_subscriptions",
        verbose_name=_("pending plan"),
    )
    pending_plan_effective_at = models.DateTimeField(_("pending plan effective at"), null=True, blank=True)
    stripe_checkout_session_id = ExactCharField(
        max_length=255,
        blank=True,
        default="",
        help_text=_("The last checkout page that was opened; an open one is used again."),
    )
    assigned_at = models.DateTimeField(
        _("assigned at"),
        null=True,
        blank=True,
        help_text=_("When the plan was given here; what ended at Stripe before that does not come back."),
    )
    reconciled_at = models.DateTimeField(
        null=True, editable=False, help_text=_("When reconciliation last saw the subscription at Stripe.")
    )
    assigned_until = models.DateTimeField(
        _("assigned until"),
        null=True,
        blank=True,
        help_text=_("A plan that was given falls back to the default plan by itself; empty is for good."),
    )
    grace_extended_until = models.DateTimeField(
        _("grace extended until"),
        null=True,
        blank=True,
        help_text=_("Set by support; holds where it is later than the days of grace, until it is paid."),
    )
    extra_videos = models.PositiveBigIntegerField(
        default=0, editable=False, help_text=_("The running extra allowances together, until they change.")
    )
    extra_transcription_seconds = models.PositiveBigIntegerField(default=0, editable=False)
    extra_changes_at = models.DateTimeField(null=True, editable=False)
    sync_ticket = models.PositiveBigIntegerField(default=0, editable=False)
    sync_applied = models.PositiveBigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = UserSubscriptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("user subscription")
        verbose_name_plural = _("user subscriptions")
        permissions: ClassVar = [
            ("assign_plan", "Can assign a plan without payment"),
            ("cancel_subscription", "Can cancel and reactivate subscriptions"),
            ("correct_usage", "Can correct usage"),
            ("extend_grace", "Can extend the grace period"),
            ("grant_allowance", "Can grant and revoke extra allowances"),
            ("view_dashboard", "Can view the billing dashboard"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["status", "current_period_end"], name="vqb_subscription_status_end")
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(current_period_end__gt=F("current_period_start")),
                name="vqb_subscription_period_ends_after_start",
                violation_error_message=_("The period must end after it starts."),
            ),
            models.CheckConstraint(
                condition=Q(pending_plan__isnull=True, pending_plan_effective_at__isnull=True)
                | Q(pending_plan__isnull=False, pending_plan_effective_at__isnull=False),
                name="vqb_subscription_pending_plan_has_date",
                violation_error_message=_("A pending plan and its date belong together."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} - {self.plan.name} ({self.get_status_display()})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.period_anchor is None:
            self.period_anchor = self.current_period_start
        super().save(*args, **kwargs)

    @property
    def period(self) -> Period:
        return Period(self.current_period_start, self.current_period_end)

    @property
    def period_is_ours(self) -> bool:
        """Whether this site rolls the period; Stripe does for its subscriptions, and an ending one stays."""
        return not self.stripe_subscription_id and not self.cancel_at_period_end

    @property
    def is_billed(self) -> bool:
        """Whether a subscription at Stripe is alive, so that a second one would charge the user twice."""
        return bool(self.stripe_subscription_id) and self.status in self.BILLED_STATUSES

    @property
    def is_active(self) -> bool:
        return self.status in self.ACTIVE_STATUSES

    def in_payment_grace(self, now: datetime, grace: timedelta) -> bool:
        """A renewal payment failed, and the time given to mend it is not over.

        Where nobody has written down its end, it counts from the start of the period that was to be paid.
        """
        end = self.grace_period_end or self.current_period_start + grace
        return self.status == self.Status.PAST_DUE and now < end

    def cancellation_took_effect(self, now: datetime) -> bool:
        """The user cancelled for the end of the period and that end has passed, reported by Stripe or not."""
        return self.cancel_at_period_end and now >= self.current_period_end

    def pending_plan_is_due(self, now: datetime) -> bool:
        """The moment of a scheduled change of plan has passed, reported by Stripe or not."""
        return self.pending_plan_effective_at is not None and now >= self.pending_plan_effective_at

    def gives_access(self, now: datetime, grace: timedelta) -> bool:
        """Whether the plan's own limits hold; otherwise the default plan's do."""
        paid = self.is_active or self.in_payment_grace(now, grace)
        return paid and not self.cancellation_took_effect(now) and not self.assignment_is_over(now)

    def assignment_is_over(self, now: datetime) -> bool:
        """The plan was given for a time, and that time has passed."""
        return self.assigned_until is not None and now >= self.assigned_until

    def extra_of(self, metric: Metric) -> int:
        """What may be used beyond the plan's limit, true until `extra_changes_at`."""
        return self.extra_videos if metric is Metric.VIDEO else self.extra_transcription_seconds

    def turning_points(self, now: datetime, grace: timedelta) -> list[datetime]:
        """The moments still to come at which access or plan change by the mere passing of time."""
        moments = [
            self.pending_plan_effective_at,
            self.current_period_end,
            self.assigned_until,
            self.extra_changes_at,
        ]
        if self.status == self.Status.PAST_DUE:
            moments.append(self.grace_period_end or self.current_period_start + grace)
        return [moment for moment in moments if moment is not None and moment > now]
