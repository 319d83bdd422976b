"""Comparing what this site has written down with Stripe, page by page, and mending what differs."""

from django_videoq_billing.services.reconciliation.findings import Difference, Findings
from django_videoq_billing.services.reconciliation.rounds import PAYMENT_DAYS, Reconciliation

__all__ = ["PAYMENT_DAYS", "Difference", "Findings", "Reconciliation"]
