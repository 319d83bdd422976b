from __future__ import annotations

from django import template
from django.utils.translation import get_language

from django_videoq_billing.models import SubscriptionPlan
from example_project.videos.media import max_upload_bytes

register = template.Library()


@register.filter
def clock(seconds: float) -> str:
    """0:07, 1:35, 1:02:03: rounded up like the seconds that are counted."""
    minutes, rest = divmod(-int(-seconds // 1), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@register.filter
def price(plan: SubscriptionPlan) -> str:
    return plan.price_text(get_language() or "en")


@register.simple_tag
def max_megabytes() -> int:
    return max_upload_bytes() // 1024**2
