"""`{% load videoq_billing %}`: show usage on a page without JavaScript."""

from __future__ import annotations

from typing import Any

from django import template

from django_videoq_billing.http import upgrade_url
from django_videoq_billing.services.usage_tracker import report_or_none
from django_videoq_billing.types import UsageReport

register = template.Library()


@register.simple_tag
def usage_of(user: Any) -> UsageReport | None:
    """`{% usage_of user as usage %}`: the user's UsageReport, or None for nobody."""
    return report_or_none(user)


@register.inclusion_tag("django_videoq_billing/usage_panel.html", takes_context=True)
def usage_panel(context: template.Context) -> dict[str, Any]:
    """`{% usage_panel %}`: a meter per metric for the signed-in user; override the template to restyle it."""
    user = getattr(context.get("request"), "user", None)
    return {"usage": report_or_none(user), "upgrade_url": upgrade_url()}
