"""Examples for test_conf.py: what the settings of the Redis store and of operations may be, and what they may not."""

from __future__ import annotations

from typing import Any

USAGE_VALID: list[tuple[str, Any, Any]] = [
    ("USAGE_STORE", "redis", "redis"),
    ("USAGE_REDIS_ALIAS", "usage", "usage"),
    ("USAGE_REDIS_FACTORY", "", ""),
    ("USAGE_REDIS_FACTORY", "shop.usage.client", "shop.usage.client"),
    ("USAGE_REDIS_PREFIX", "shop-2", "shop-2"),
    ("USAGE_REDIS_AWAY", "refuse", "refuse"),
    ("USAGE_DURABILITY", "sync", "sync"),
    ("USAGE_ENTITLEMENT_SECONDS", 1, 1),
    ("RECOUNT", {}, {}),
    ("RECOUNT", {"video": "shop.usage.videos"}, {"video": "shop.usage.videos"}),
    ("HEALTH_TOKEN", "", ""),
    ("HEALTH_TOKEN", "aB3-._~+/=" * 2, "aB3-._~+/=" * 2),
]

USAGE_INVALID: list[tuple[str, Any, str]] = [
    *[
        ("USAGE_STORE", value, "'database', 'redis' or the dotted path")
        for value in (None, "", "memory", ".", "a.", ".a.b", "a..b", "a b.c", "1a.b", dict)
    ],
    *[("USAGE_REDIS_ALIAS", value, "the alias of a django-redis cache") for value in ("", None, 1)],
    *[
        ("USAGE_REDIS_FACTORY", value, "dotted path of a function")
        for value in ("client", None, "a..b", dict)
    ],
    *[("USAGE_REDIS_PREFIX", value, "1 to 20 letters") for value in ("", "{a}", "a:b", "x" * 21, None)],
    *[("USAGE_REDIS_AWAY", value, "'database' or 'refuse'") for value in ("", "redis", None, True)],
    *[("USAGE_DURABILITY", value, "'async' or 'sync'") for value in ("", "always", None, True)],
    *[("USAGE_ENTITLEMENT_SECONDS", value, "from 1 to 86400") for value in (0, 86401, "60", None, True)],
    ("RECOUNT", None, "'video' or 'transcription'"),
    ("RECOUNT", [], "'video' or 'transcription'"),
    ("RECOUNT", {"videos": "a.b"}, "'video' or 'transcription'"),
    ("RECOUNT", {"video": "b"}, "'video' or 'transcription'"),
    ("RECOUNT", {"video": len}, "'video' or 'transcription'"),
    *[
        ("HEALTH_TOKEN", value, "a text of 20 to 200 letters")
        for value in ("x" * 19, "x" * 201, "x" * 19 + " ", "\u00ff" * 20, None, ["x" * 20], 10**20)
    ],
]
