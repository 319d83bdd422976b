"""What support does for one user: skins on the services, each with its own permission."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.text import format_lazy
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.admin.audit import Text
from django_videoq_billing.admin.fields import MomentField, ReasonField
from django_videoq_billing.admin.moves import Asked, Done, Move, MoveForm
from django_videoq_billing.models import ExtraAllowance, SubscriptionPlan, UserSubscription
from django_videoq_billing.models.choices import MetricChoice
from django_videoq_billing.services import plan_changes, support
from django_videoq_billing.services.subscriptions import assign_plan
from django_videoq_billing.types import MAX_AMOUNT

Status = UserSubscription.Status


class AssignForm(MoveForm):
    plan = forms.ModelChoiceField(SubscriptionPlan.objects.none(), label=_("Plan"))
    until = MomentField(
        label=_("Until"),
        required=False,
        help_text=_("Then the user falls back to the default plan by itself. Empty is for good."),
    )

    def prepare(self) -> None:
        plan: Any = self.fields["plan"]
        plan.queryset = SubscriptionPlan.objects.filter(is_active=True).order_by("sort_order", "pk")


class AllowanceForm(MoveForm):
    metric = forms.ChoiceField(label=_("What"), choices=MetricChoice.choices)
    amount = forms.IntegerField(
        label=_("How much more"),
        min_value=1,
        max_value=MAX_AMOUNT,
        help_text=_("Videos, or seconds of transcription."),
    )
    until = MomentField(
        label=_("Until"), required=False, help_text=_("Empty is the end of the running period.")
    )
    reason = ReasonField()


class RevokeForm(MoveForm):
    allowance = forms.ModelChoiceField(
        ExtraAllowance.objects.none(), label=_("Extra allowance"), widget=forms.RadioSelect, empty_label=None
    )

    def prepare(self) -> None:
        field: Any = self.fields["allowance"]
        field.queryset = running_allowances(self.row)
        field.label_from_instance = allowance_text


class CorrectionForm(MoveForm):
    metric = forms.ChoiceField(label=_("What"), choices=MetricChoice.choices)
    used = forms.IntegerField(
        label=_("Used in this period"),
        min_value=0,
        max_value=MAX_AMOUNT,
        help_text=_("Videos, or seconds of transcription. 0 resets the counter."),
    )
    reason = ReasonField()


class GraceForm(MoveForm):
    until = MomentField(label=_("Until"))


class CancelForm(MoveForm):
    when = forms.ChoiceField(
        label=_("It ends"),
        choices=[
            ("period_end", _("At the end of the period that is paid for")),
            ("now", _("At once, without giving money back")),
        ],
        widget=forms.RadioSelect,
        initial="period_end",
    )


def assign(asked: Asked) -> Done:
    plan, until = asked.data["plan"], asked.data["until"]
    assign_plan(asked.row.user, plan, until=until)
    return Done(assigned_text(plan, asked.row.user, until), logged_assignment(plan, until))


def grant(asked: Asked) -> Done:
    data = asked.data
    row = support.grant_allowance(
        asked.row.user,
        data["metric"],
        data["amount"],
        reason=data["reason"],
        author=asked.author,
        expires_at=data["until"],
    )
    return Done(
        _("Granted: %(allowance)s.") % {"allowance": allowance_text(row)},
        format_lazy(
            _("{amount} more {metric} granted to {user} until {until}: {reason}"),
            **_of(row),
            until=_exactly(row.expires_at),
        ),
        about=row,
    )


def revoke(asked: Asked) -> Done:
    row = asked.data["allowance"]
    support.revoke_allowance(row)
    return Done(
        _("Revoked: %(allowance)s.") % {"allowance": allowance_text(row)},
        format_lazy(
            _("{amount} more {metric} revoked of {user}; they were granted for: {reason}"), **_of(row)
        ),
        about=row,
    )


def correct(asked: Asked) -> Done:
    data = asked.data
    row = support.correct_usage(
        asked.row.user, data["metric"], data["used"], reason=data["reason"], author=asked.author
    )
    numbers = {"before": number_format(row.before), "after": number_format(row.after)}
    return Done(
        _("Corrected from %(before)s to %(after)s %(what)s.")
        % {**numbers, "what": MetricChoice(row.metric).label},
        format_lazy(
            _("{metric} of {user} corrected from {before} to {after}: {reason}"),
            metric=MetricChoice(row.metric).label,
            user=row.user,
            before=row.before,
            after=row.after,
            reason=row.reason,
        ),
        about=row,
    )


def extend(asked: Asked) -> Done:
    until = asked.data["until"]
    support.extend_grace(asked.row.user, until)
    return Done(
        _("The plan goes on until %(moment)s, paid or not.") % {"moment": _shown(until)},
        format_lazy(_("Grace extended until {until}."), until=_exactly(until)),
    )


def cancel(asked: Asked) -> Done:
    at_once = asked.data["when"] == "now"
    row = plan_changes.cancel(asked.row.user, immediate=at_once, by=asked.author)
    if row.is_billed:
        ends = date_format(localtime(row.current_period_end), "SHORT_DATETIME_FORMAT")
        return Done(
            _("The subscription ends: %(moment)s.") % {"moment": ends}, _("Cancelled at the period's end.")
        )
    return Done(_("The subscription has ended."), _("Cancelled at once."))


def reactivate(asked: Asked) -> Done:
    plan_changes.reactivate(asked.row.user)
    return Done(_("The subscription goes on."), _("Reactivated."))


def running_allowances(row: UserSubscription) -> Any:
    return ExtraAllowance.objects.running(timezone.now()).filter(user_id=row.user_id)


def allowance_text(row: ExtraAllowance) -> str:
    amount = f"+{number_format(row.amount)} {MetricChoice(row.metric).label}"
    facts = {"amount": amount, "moment": _shown(row.expires_at), "reason": row.reason}
    return _("%(amount)s until %(moment)s (%(reason)s)") % facts


def assigned_text(plan: SubscriptionPlan, user: Any, until: datetime | None) -> Any:
    who = {"plan": plan.name, "user": user}
    if until is None:
        return _("The plan “%(plan)s” was assigned to %(user)s.") % who
    who["until"] = _shown(until)
    return _("The plan “%(plan)s” was assigned to %(user)s until %(until)s.") % who


def _shown(moment: datetime) -> str:
    return date_format(localtime(moment), "SHORT_DATETIME_FORMAT")


def logged_assignment(plan: SubscriptionPlan, until: datetime | None) -> Text:
    if until is None:
        return format_lazy(_("Plan {plan} assigned for good."), plan=plan.slug)
    return format_lazy(_("Plan {plan} assigned until {until}."), plan=plan.slug, until=_exactly(until))


def _of(row: ExtraAllowance) -> dict[str, object]:
    return {
        "amount": row.amount,
        "metric": MetricChoice(row.metric).label,
        "user": row.user,
        "reason": row.reason,
    }


def _exactly(moment: datetime) -> str:
    """For the log, whose readers may live in other time zones."""
    return moment.isoformat(timespec="minutes")


MOVES = (
    Move(
        "assign",
        _("Assign a plan"),
        "assign_plan",
        assign,
        AssignForm,
        _("Without payment, within the running period. What was used stays counted."),
        fits=lambda row: not row.is_billed,
    ),
    Move(
        "grant",
        _("Grant an extra allowance"),
        "grant_allowance",
        grant,
        AllowanceForm,
        _("On top of the plan's limit, from the next request on. Two allowances add up."),
    ),
    Move(
        "revoke",
        _("Revoke an extra allowance"),
        "grant_allowance",
        revoke,
        RevokeForm,
        _("What was used of it stays counted."),
        fits=lambda row: running_allowances(row).exists(),
    ),
    Move(
        "correct",
        _("Correct usage"),
        "correct_usage",
        correct,
        CorrectionForm,
        _("Sets the counter of the running period. What is counted at the same moment is not lost."),
    ),
    Move(
        "extend",
        _("Extend the grace period"),
        "extend_grace",
        extend,
        GraceForm,
        _("The payment stays due, and Stripe goes on trying. The plan's limits hold until then."),
        fits=lambda row: row.status == Status.PAST_DUE,
    ),
    Move(
        "cancel",
        _("Cancel the subscription"),
        "cancel_subscription",
        cancel,
        CancelForm,
        _("At Stripe, as if the user had done it. The user is told by e-mail."),
        fits=lambda row: row.is_billed,
    ),
    Move(
        "reactivate",
        _("Take the cancellation back"),
        "cancel_subscription",
        reactivate,
        None,
        fits=lambda row: row.is_billed and row.cancel_at_period_end,
    ),
)
