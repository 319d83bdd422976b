"""A subscription in words, for its owner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import Conflict
from django_videoq_billing.models import UserSubscription
from django_videoq_billing.services.entitlements import default_plan, has_access

Status = UserSubscription.Status


@dataclass(frozen=True, slots=True)
class Standing:
    """`level` is the colour of the badge; the sentences say what holds now, and what will happen when."""

    badge: str
    level: str
    sentences: tuple[str, ...]


def standing_of(row: UserSubscription) -> Standing:
    standing = _BY_STATUS[Status(row.status)](row)
    later = tuple(sentence for sentence in (_ending(row), _changing(row)) if sentence)
    return Standing(standing.badge, standing.level, standing.sentences + later)


def charges_after_cancelling(row: UserSubscription) -> str:
    if is_overdue(row):
        return _("Only the payment that is open may still be charged.")
    return _("Nothing more is charged.")


def is_overdue(row: UserSubscription) -> bool:
    return row.is_billed and row.status in (Status.PAST_DUE, Status.UNPAID)


def obstacle_to_change(row: UserSubscription) -> str:
    """Why the plan cannot be changed to another paid one now, or "" where it can."""
    if is_overdue(row):
        return Conflict.payment_open().message
    return Conflict.paused().message if is_paused(row) else ""


def is_paused(row: UserSubscription) -> bool:
    return row.is_billed and row.status == Status.PAUSED


def keeps_until(row: UserSubscription) -> datetime:
    """Until when the plan's limits hold if the subscription is cancelled now."""
    if row.status == Status.PAST_DUE:
        return min(_grace_end(row), row.current_period_end)
    return row.current_period_end


def day(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "DATE_FORMAT")


def _grace_end(row: UserSubscription) -> datetime:
    return row.grace_period_end or row.current_period_start + timedelta(days=get_settings().GRACE_PERIOD_DAYS)


def _ending(row: UserSubscription) -> str:
    if not row.is_billed or not row.cancel_at_period_end:
        return ""
    words = {"date": day(row.current_period_end), "free": default_plan().name}
    ending = _("It is cancelled and ends on %(date)s; then you are on %(free)s.") % words
    return f"{ending} {charges_after_cancelling(row)}"


def _changing(row: UserSubscription) -> str:
    if row.pending_plan is None or row.pending_plan_effective_at is None:
        return ""
    words = {"date": day(row.pending_plan_effective_at), "plan": row.pending_plan.name}
    return _("On %(date)s it changes to %(plan)s.") % words


def _active(row: UserSubscription) -> Standing:
    if not row.is_billed:
        free = row.plan.is_free
        text = (
            _("Nothing is charged.") if free else _("This plan was given to you; nothing is charged for it.")
        )
        return Standing(_("Active"), "good", (text,))
    if row.cancel_at_period_end:
        return Standing(_("Ending"), "warn", ())
    if row.pending_plan is not None:
        return Standing(_("Active"), "good", ())
    return Standing(
        _("Active"), "good", (_("It renews on %(date)s.") % {"date": day(row.current_period_end)},)
    )


def _trialing(row: UserSubscription) -> Standing:
    words = {"date": day(row.trial_end or row.current_period_end)}
    if row.cancel_at_period_end:
        return Standing(_("Trial, ending"), "warn", ())
    return Standing(
        _("Trial"), "good", (_("Your trial is free until %(date)s; then it is paid for.") % words,)
    )


def _past_due(row: UserSubscription) -> Standing:
    failed = _(
        "The last payment failed; the card will be tried again. Another card can be given under “Manage payment”."
    )
    words = {"plan": row.plan.name, "free": default_plan().name}
    if has_access(row) and row.grace_period_end:
        words["date"] = day(row.grace_period_end)
        left = (
            _("You keep %(plan)s until %(date)s; after that the limits of %(free)s hold until it is paid.")
            % words
        )
    else:
        left = _("Until it is paid, the limits of %(free)s hold.") % words
    return Standing(_("Payment overdue"), "bad", (failed, left))


def _unpaid(row: UserSubscription) -> Standing:
    text = _("The payment failed every time it was tried. Until it is paid, the limits of %(free)s hold.")
    return Standing(_("Unpaid"), "bad", (text % {"free": default_plan().name},))


def _paused(row: UserSubscription) -> Standing:
    text = _("Your subscription is paused. Until it is resumed, the limits of %(free)s hold.")
    return Standing(_("Paused"), "warn", (text % {"free": default_plan().name},))


def _incomplete(row: UserSubscription) -> Standing:
    text = _("Your first payment was not finished. Nothing was charged; you can choose a plan again.")
    return Standing(_("Payment not finished"), "warn", (text,))


def _cancelled(row: UserSubscription) -> Standing:
    text = _("Your paid subscription has ended. You are on %(free)s now and can choose a plan at any time.")
    return Standing(_("Ended"), "", (text % {"free": default_plan().name},))


_BY_STATUS: dict[Status, Callable[[UserSubscription], Standing]] = {
    Status.ACTIVE: _active,
    Status.TRIALING: _trialing,
    Status.PAST_DUE: _past_due,
    Status.UNPAID: _unpaid,
    Status.PAUSED: _paused,
    Status.INCOMPLETE: _incomplete,
    Status.INCOMPLETE_EXPIRED: _incomplete,
    Status.CANCELLED: _cancelled,
}
