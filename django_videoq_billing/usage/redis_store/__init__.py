"""Counts in Redis in one round trip and remembers in the database. See docs/redis.md."""

from django_videoq_billing.usage.redis_store.store import RedisUsageStore

__all__ = ["RedisUsageStore"]
