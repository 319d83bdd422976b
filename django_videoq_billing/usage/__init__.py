"""Counters: where usage is admitted or refused, exactly once, in one atomic step."""

from django_videoq_billing.usage.base import UsageStore
from django_videoq_billing.usage.database import DatabaseUsageStore
from django_videoq_billing.usage.registry import get_store

__all__ = ["DatabaseUsageStore", "UsageStore", "get_store"]
