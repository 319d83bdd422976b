"""`{% load videoq_billing %}`: usage without JavaScript, and the billing page inside a page of the host's."""

from __future__ import annotations

from typing import Any

from django import template

from django_videoq_billing.http import upgrade_url
from django_videoq_billing.pages.embedding import embedded_in, nonce_of
from django_videoq_billing.pages.meters import meters_of
from django_videoq_billing.services.usage_tracker import report_or_none
from django_videoq_billing.types import Metric, UsageReport

register = template.Library()


@register.simple_tag
def usage_of(user: Any) -> UsageReport | None:
    """`{% usage_of user as usage %}`: the user's UsageReport, or None for nobody."""
    return report_or_none(user)


@register.inclusion_tag("django_videoq_billing/usage_panel.html", takes_context=True)
def usage_panel(context: template.Context, metric: str = "") -> dict[str, Any]:
    """`{% usage_panel %}`: the meters (or one), when they start again, and the way to the plans."""
    return _usage(context, metric)


@register.inclusion_tag("django_videoq_billing/usage_meter.html", takes_context=True)
def usage_meter(context: template.Context, metric: str = "") -> dict[str, Any]:
    """`{% usage_meter %}`: a meter per metric for the signed-in user; `{% usage_meter "video" %}`: one of them."""
    return _usage(context, metric)


def _usage(context: template.Context, metric: str) -> dict[str, Any]:
    if metric and metric not in set(Metric):
        known = " or ".join(repr(str(name)) for name in Metric)
        raise template.TemplateSyntaxError(f"usage_meter and usage_panel know {known}, not {metric!r}.")
    request = context.get("request")
    usage = report_or_none(getattr(request, "user", None))
    if usage is None:
        return {}
    meters = meters_of(usage)
    return {
        "usage": usage,
        "meters": [meters[Metric(metric)]] if metric else list(meters.values()),
        "upgrade_url": upgrade_url(),
        "nonce": nonce_of(request) if request else "",
    }


@register.inclusion_tag("django_videoq_billing/embedded_page.html", takes_context=True)
def billing_page(context: template.Context) -> dict[str, Any]:
    """`{% billing_page %}`: the whole billing page, once on a page; needs the `request` context processor."""
    prepared = context.get("videoq_billing_page")  # by our own view, whose template a host has overridden
    if prepared is None and "request" not in context:
        raise template.TemplateSyntaxError(
            "billing_page needs the context processor django.template.context_processors.request."
        )
    return {"videoq_billing_page": prepared or embedded_in(context["request"])}
