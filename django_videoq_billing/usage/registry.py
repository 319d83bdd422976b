from __future__ import annotations

from functools import cache

from django.utils.module_loading import import_string

from django_videoq_billing.conf import get_settings
from django_videoq_billing.usage.base import UsageStore
from django_videoq_billing.usage.database import DatabaseUsageStore

BUILT_IN: dict[str, type[UsageStore]] = {"database": DatabaseUsageStore}


def get_store() -> UsageStore:
    """Return the store that USAGE_STORE names; raises ImportError or TypeError when it names none."""
    return _store(get_settings().USAGE_STORE)


@cache
def _store(name: str) -> UsageStore:
    store_class = BUILT_IN[name] if name in BUILT_IN else import_string(name)
    if not (isinstance(store_class, type) and issubclass(store_class, UsageStore)):
        raise TypeError(f"USAGE_STORE {name!r} is not a subclass of django_videoq_billing.usage.UsageStore.")
    return store_class()
