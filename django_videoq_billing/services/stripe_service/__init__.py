"""The one door to Stripe's SDK. Answers are plain values, errors are ours, and nothing global is set."""

from django_videoq_billing.services.stripe_service.service import StripeService

__all__ = ["StripeService"]
