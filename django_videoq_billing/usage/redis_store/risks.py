"""How the server is set up, as far as usage depends on it; for `check --deploy`."""

from __future__ import annotations

from typing import Any

from redis.cluster import RedisCluster

from django_videoq_billing.conf import get_settings
from django_videoq_billing.usage.redis_store.wire import StoreAwayError, Wire

AWAY = (
    "videoq_billing.W004",
    "The Redis of VIDEOQ_BILLING['USAGE_STORE'] does not answer.",
    "Start it, or see to its address in CACHES. Until then USAGE_REDIS_AWAY decides what happens.",
)
EVICTS = (
    "videoq_billing.W005",
    "The Redis of the usage store may evict keys that have no expiry ({policy}): usage that was not flushed "
    "would be lost.",
    "Set maxmemory-policy to noeviction, or to one of the volatile policies; or give usage a Redis of its own.",
)
FORGETS = (
    "videoq_billing.W006",
    "The Redis of the usage store writes no append-only file: what was not flushed is lost when it is restarted.",
    "Set appendonly yes, or USAGE_DURABILITY to 'sync'.",
)


def risks_of(wire: Wire) -> list[tuple[str, str, str]]:
    try:
        nodes = wire.ask(_information)
    except StoreAwayError:
        return [AWAY]
    policies = {str(node.get("maxmemory_policy")) for node in nodes if node.get("maxmemory")}
    evicting = sorted(policy for policy in policies if policy.startswith("allkeys"))
    found = [(EVICTS[0], EVICTS[1].format(policy=", ".join(evicting)), EVICTS[2])] if evicting else []
    forgets = get_settings().USAGE_DURABILITY == "async" and not all(
        node.get("aof_enabled") for node in nodes
    )
    return [*found, FORGETS] if forgets else found


def _information(client: Any) -> list[dict[str, Any]]:
    if isinstance(client, RedisCluster):
        return list(client.info(target_nodes=RedisCluster.PRIMARIES).values())
    return [client.info()]
