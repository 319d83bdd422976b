from __future__ import annotations

from functools import cache

from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from django_videoq_billing.conf import SETTING, get_settings
from django_videoq_billing.usage.base import UsageStore

BUILT_IN = {
    "database": "django_videoq_billing.usage.database.DatabaseUsageStore",
    "redis": "django_videoq_billing.usage.redis_store.RedisUsageStore",
}


def get_store() -> UsageStore:
    """Return the store that USAGE_STORE names; raises ImportError or TypeError when it names none."""
    return _store(get_settings().USAGE_STORE)


@cache
def _store(name: str) -> UsageStore:
    store_class = import_string(BUILT_IN.get(name, name))
    if not (isinstance(store_class, type) and issubclass(store_class, UsageStore)):
        raise TypeError(f"USAGE_STORE {name!r} is not a subclass of django_videoq_billing.usage.UsageStore.")
    return store_class()


def _forget(*, setting: str, **kwargs: object) -> None:
    if setting in (SETTING, "CACHES"):
        _store.cache_clear()


setting_changed.connect(_forget, dispatch_uid="videoq_billing.usage_store")
