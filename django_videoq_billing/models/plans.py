from __future__ import annotations

from typing import Any, ClassVar

from babel.numbers import is_currency
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.models.fields import ExactCharField
from django_videoq_billing.money import display_money
from django_videoq_billing.types import Metric


class SubscriptionPlanQuerySet(models.QuerySet["SubscriptionPlan"]):
    def listed(self) -> SubscriptionPlanQuerySet:
        """Plans that anyone may choose, in the order to show them."""
        return self.filter(is_active=True, is_public=True).order_by("sort_order", "pk")


class SubscriptionPlan(models.Model):
    """What a subscription costs and how much it allows. A limit of NULL means unlimited."""

    class Interval(models.TextChoices):
        MONTH = "month", _("month")
        YEAR = "year", _("year")

    name = models.CharField(_("name"), max_length=100, unique=True)
    slug = models.SlugField(_("slug"), max_length=50, unique=True)
    description = models.TextField(_("description"), null=True, blank=True)  # noqa: DJ001 (the seed's field)
    price_cents = models.IntegerField(
        _("price"),
        default=0,
        validators=[MinValueValidator(0)],
        help_text=_("In the currency's minor unit: 1200 is 12.00 USD, 1480 is 1480 JPY."),
    )
    currency = models.CharField(_("currency"), max_length=3, default="USD", help_text=_("ISO 4217 code."))
    interval = models.CharField(_("interval"), max_length=5, choices=Interval.choices, default=Interval.MONTH)
    video_limit = models.IntegerField(
        _("video limit"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Per period; empty for unlimited."),
    )
    transcription_limit_minutes = models.IntegerField(
        _("transcription limit in minutes"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Per period; empty for unlimited."),
    )
    features = models.JSONField(
        _("features"),
        default=list,
        blank=True,
        help_text=_("Lines for the plan's card; where empty they are written from the limits."),
    )
    feature_flags = models.JSONField(_("feature flags"), default=dict, blank=True)
    trial_days = models.PositiveIntegerField(_("trial days"), default=0)
    stripe_price_id = ExactCharField(_("Stripe price"), max_length=255, unique=True, null=True, blank=True)
    stripe_product_id = ExactCharField(_("Stripe product"), max_length=255, null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_public = models.BooleanField(
        _("listed"), default=True, help_text=_("A plan that is not listed can still be assigned.")
    )
    sort_order = models.IntegerField(_("sort order"), default=0)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = SubscriptionPlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("subscription plan")
        verbose_name_plural = _("subscription plans")
        permissions: ClassVar = [("sync_plans", "Can sync plans to Stripe")]
        ordering: ClassVar = ["sort_order"]
        indexes: ClassVar = [models.Index(fields=["is_active", "sort_order"], name="vqb_plan_active_order")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(price_cents__gte=0), name="vqb_plan_price_not_negative"),
            models.CheckConstraint(
                condition=Q(video_limit__isnull=True) | Q(video_limit__gte=0),
                name="vqb_plan_video_limit_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(transcription_limit_minutes__isnull=True) | Q(transcription_limit_minutes__gte=0),
                name="vqb_plan_minutes_not_negative",
            ),
            models.CheckConstraint(condition=Q(trial_days__gte=0), name="vqb_plan_trial_days_not_negative"),
            models.CheckConstraint(
                condition=Q(interval__in=["month", "year"]), name="vqb_plan_interval_known"
            ),
            models.CheckConstraint(
                condition=Q(price_cents=0)
                | Q(video_limit__isnull=False)
                | Q(transcription_limit_minutes__isnull=False),
                name="vqb_plan_paid_plan_limits_something",
                violation_error_message=_("A plan that costs money must limit at least one resource."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.price_text('en')})"

    def clean(self) -> None:
        errors: dict[str, Any] = {}
        if not self.currency or self.currency != self.currency.upper() or not is_currency(self.currency):
            errors["currency"] = _("Use an ISO 4217 code such as USD or JPY.")
        if not isinstance(self.features, list) or not all(isinstance(line, str) for line in self.features):
            errors["features"] = _("Use a list of texts.")
        if not isinstance(self.feature_flags, dict):
            errors["feature_flags"] = _("Use an object from flag name to value.")
        if errors:
            raise ValidationError(errors)

    @property
    def is_free(self) -> bool:
        return self.price_cents == 0

    @property
    def months(self) -> int:
        """The length of a period in calendar months."""
        return 12 if self.interval == self.Interval.YEAR else 1

    def is_upgrade_from(self, current: SubscriptionPlan) -> bool:
        """Whether a change from `current` takes effect at once: it costs more a month, or commits for longer.

        At the same price it must not allow less of anything: who changes to and fro at no cost would use the
        allowances of both plans.
        """
        if self.months != current.months:
            return self.months > current.months
        if self.price_cents != current.price_cents:
            return self.price_cents > current.price_cents
        return not any(self.allows_less(metric, current) for metric in Metric)

    def allows_less(self, metric: Metric, other: SubscriptionPlan) -> bool:
        mine, others = self.limit(metric), other.limit(metric)
        return mine is not None and (others is None or mine < others)

    @property
    def transcription_limit_seconds(self) -> int | None:
        limit = self.transcription_limit_minutes
        return None if limit is None else limit * 60

    def limit(self, metric: Metric) -> int | None:
        return self.video_limit if metric is Metric.VIDEO else self.transcription_limit_seconds

    def price_text(self, locale: str) -> str:
        """The bare amount, such as "$12.00" or "￥1,480"."""
        return display_money(self.price_cents, self.currency, locale)
