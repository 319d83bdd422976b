from __future__ import annotations

from datetime import datetime

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language

from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.money import display_money
from example_project.videos import sandbox_clock
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


@register.filter
def money(amount: int, currency: str) -> str:
    """An amount in the currency's minor unit, as people write it."""
    return display_money(amount, currency, get_language() or "en")


@register.simple_tag
def sandbox_console() -> str:
    """Where the local Stripe is watched and its time is advanced; empty where the real one is used."""
    is_sandbox = getattr(settings, "STRIPE_SANDBOX", False)
    return f"{sandbox_clock.sandbox_address()}/_sandbox/" if is_sandbox else ""


@register.simple_tag
def sandbox_time() -> datetime | None:
    """The site's time where the sandbox has advanced it."""
    return timezone.now() if sandbox_clock.is_ahead() else None


@register.simple_tag
def shows_mail() -> bool:
    """Whether the page of all e-mails is open."""
    return bool(settings.DEBUG)


@register.simple_tag
def max_megabytes() -> int:
    return max_upload_bytes() // 1024**2
