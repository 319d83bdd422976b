"""What can be done with one plan: copy it, give it to a user, and bring it to Stripe with a look first."""

from __future__ import annotations

from itertools import count
from typing import Any

from django import forms
from django.contrib.admin.utils import quote
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.admin.audit import Text, write_down
from django_videoq_billing.admin.fields import MomentField, user_field
from django_videoq_billing.admin.moves import Asked, Done, Move, MoveForm
from django_videoq_billing.admin.subscription_moves import assigned_text, logged_assignment
from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.subscriptions import assign_plan

_LONGEST_NAME, _LONGEST_SLUG = 100, 50


class AssignToUserForm(MoveForm):
    until = MomentField(
        label=_("Until"),
        required=False,
        help_text=_("Then the user falls back to the default plan by itself. Empty is for good."),
    )

    def prepare(self) -> None:
        self.fields["user"] = user_field(self.request, self.admin_site)
        self.order_fields(["user", "until"])

    def clean(self) -> dict[str, Any]:
        if not self.row.is_active:
            raise forms.ValidationError(_("The plan is not active. Activate it first."))
        return self.cleaned_data


def assign(asked: Asked) -> Done:
    plan, user, until = asked.row, asked.data["user"], asked.data["until"]
    subscription = assign_plan(user, plan, until=until)
    write_down(asked.request, [subscription], logged_assignment(plan, until))
    told = assigned_text(plan, user, until)
    if not asked.request.user.has_perm("videoq_billing.view_usersubscription"):
        return Done(told, None)
    page = reverse("admin:videoq_billing_usersubscription_change", args=[quote(subscription.pk)])
    return Done(told, None, page)


def duplicate(asked: Asked) -> Done:
    copy = duplicate_plan(asked.row)
    write_down(asked.request, [copy], copied(asked.row))
    page = reverse("admin:videoq_billing_subscriptionplan_change", args=[quote(copy.pk)])
    return Done(
        _("This is a copy of “%(plan)s”, inactive and not listed.") % {"plan": asked.row.name}, None, page
    )


def copied(plan: SubscriptionPlan) -> Text:
    """For the log."""
    return format_lazy(_("Made as a copy of {plan}."), plan=plan.slug)


def duplicate_plan(plan: SubscriptionPlan) -> SubscriptionPlan:
    """Save a copy that nobody has and nobody is offered, unknown to Stripe, under a slug and name of its own."""
    for number in count(1):
        ending = "" if number == 1 else f"-{number}"
        copy = SubscriptionPlan.objects.get(pk=plan.pk)
        copy.pk, copy._state.adding = None, True
        copy.slug = f"{plan.slug[: _LONGEST_SLUG - 10]}-copy{ending}"
        copy.name = f"{plan.name[: _LONGEST_NAME - 15]} (copy{ending.replace('-', ' ')})"
        copy.is_active = copy.is_public = False
        copy.stripe_price_id = copy.stripe_product_id = None
        try:
            with transaction.atomic():
                copy.save()
        except IntegrityError:  # that name is taken
            continue
        return copy
    raise AssertionError("count() does not end")


MOVES = (
    Move(
        "assign",
        _("Assign to a user"),
        "assign_plan",
        assign,
        AssignToUserForm,
        _("Without payment, within the user's running period. What was used stays counted."),
        fits=lambda plan: plan.is_active,
    ),
    Move("duplicate", _("Duplicate"), "add_subscriptionplan", duplicate, None),
)
