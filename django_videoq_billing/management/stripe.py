"""What the commands that speak to Stripe have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError

from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import StripeFailure, StripeUnavailable


@contextmanager
def speaking_to_stripe() -> Iterator[None]:
    """Turn what can go wrong at Stripe into a sentence for the operator. What was done until then is kept."""
    if not get_settings().STRIPE_SECRET_KEY:
        raise CommandError("VIDEOQ_BILLING['STRIPE_SECRET_KEY'] is empty; copy it from Stripe's dashboard.")
    try:
        yield
    except StripeUnavailable as error:
        raise CommandError("Stripe cannot be reached. What was done is kept; run it again.") from error
    except StripeFailure as error:
        raise CommandError(
            "Stripe refused a request; the log says why (stripe_refused). What was done is kept."
        ) from error


def counted(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"
