"""Plans as rows, kept equal to the plans in the settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import uuid4

from django.db import transaction
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import get_language, gettext, ngettext

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.entitlements import plan_or_period_changed


@dataclass(slots=True)
class SeedReport:
    """The slugs of the plans, by what `seed_plans` did or would do with them."""

    created: list[str] = field(default_factory=list)
    updated: dict[str, list[str]] = field(default_factory=dict)
    unchanged: list[str] = field(default_factory=list)
    deactivated: list[str] = field(default_factory=list)


def seed_plans(*, prune: bool = False, dry_run: bool = False) -> SeedReport:
    """Create and update plan rows from the settings, all or nothing; running it twice changes nothing.

    With `prune` a plan that the settings no longer name is deactivated: it is not listed any more, and
    those who have it keep it. Plans that are not listed (custom plans made in the admin) are left alone.
    """
    report = SeedReport()
    with transaction.atomic():
        rows = {row.slug: row for row in SubscriptionPlan.objects.select_for_update()}
        _free_names_in_exchange(rows)
        for slug, plan in get_settings().PLANS.items():
            values = {**plan.as_fields(), "is_active": True}
            row = rows.pop(slug, None)
            if row is None:
                report.created.append(slug)
                SubscriptionPlan.objects.create(**values)
            elif changed := [name for name, value in values.items() if getattr(row, name) != value]:
                report.updated[slug] = changed
                SubscriptionPlan.objects.filter(pk=row.pk).update(**values, updated_at=timezone.now())
            else:
                report.unchanged.append(slug)
        if prune:
            gone = [row for row in rows.values() if row.is_active and row.is_public]
            report.deactivated = [row.slug for row in gone]
            SubscriptionPlan.objects.filter(pk__in=[row.pk for row in gone]).update(is_active=False)
        if report.updated:
            plan_or_period_changed()
        if dry_run:
            transaction.set_rollback(True)
    return report


def _free_names_in_exchange(rows: dict[str, SubscriptionPlan]) -> None:
    """Names are unique, and the settings may give one plan's name to another of them."""
    plans = get_settings().PLANS
    renamed = [row for slug, row in rows.items() if slug in plans and row.name != str(plans[slug].name)]
    for row in renamed:
        SubscriptionPlan.objects.filter(pk=row.pk).update(name=f"{row.name[:60]} {uuid4().hex}")


def price_display(plan: SubscriptionPlan) -> str:
    """Return the price as people of the current language write it, such as "$12.00/month"; "Free" at 0."""
    if plan.is_free:
        return gettext("Free")
    price = plan.price_text(get_language() or "en")
    yearly = plan.interval == SubscriptionPlan.Interval.YEAR
    return (gettext("%(price)s/year") if yearly else gettext("%(price)s/month")) % {"price": price}


def description_of(plan: SubscriptionPlan) -> str:
    """Return the description, translated where a catalogue of the host or of this package knows it."""
    return gettext(plan.description) if plan.description else ""


def features_of(plan: SubscriptionPlan) -> list[str]:
    """Return the lines for the plan's card: its own, translated where the host can, or made from its limits."""
    if plan.features:
        return [gettext(str(line)) if line else "" for line in plan.features]
    return limits_of(plan)


def limits_of(plan: SubscriptionPlan) -> list[str]:
    """Return the limits in words, whatever the plan's card says."""
    return [_video_line(plan), _transcription_line(plan)]


def _video_line(plan: SubscriptionPlan) -> str:
    if plan.video_limit is None:
        return gettext("Unlimited videos")
    yearly = plan.interval == SubscriptionPlan.Interval.YEAR
    line = (
        ngettext("%(count)s video per year", "%(count)s videos per year", plan.video_limit)
        if yearly
        else ngettext("%(count)s video per month", "%(count)s videos per month", plan.video_limit)
    )
    return line % {"count": number_format(plan.video_limit, force_grouping=True)}


def _transcription_line(plan: SubscriptionPlan) -> str:
    if plan.transcription_limit_minutes is None:
        return gettext("Unlimited transcription")
    yearly = plan.interval == SubscriptionPlan.Interval.YEAR
    line = (
        gettext("%(minutes)s minutes of transcription per year")
        if yearly
        else gettext("%(minutes)s minutes of transcription per month")
    )
    return line % {"minutes": number_format(plan.transcription_limit_minutes, force_grouping=True)}
