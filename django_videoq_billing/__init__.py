"""Stripe subscription billing with exact usage quotas for Django."""

__version__ = "0.9.0"
