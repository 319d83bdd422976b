"""The inbox for Stripe's events, and the handlers that answer them. Hosts may add their own with `handles`."""

from django_videoq_billing.webhooks.registry import handles

__all__ = ["handles"]
