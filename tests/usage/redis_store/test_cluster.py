"""What is special about a cluster; the contract itself is tested with every store in tests/usage/test_store.py."""

from __future__ import annotations

from typing import Any

import pytest
from redis.cluster import RedisCluster

from django_videoq_billing.models import UsageRecord
from django_videoq_billing.services.entitlements import entitlement_of
from django_videoq_billing.types import Metric
from django_videoq_billing.usage.redis_store import RedisUsageStore
from django_videoq_billing.usage.redis_store.keys import encoded, shard_of
from tests.factories import make_plan, subscribed

pytestmark = pytest.mark.django_db(transaction=True)


def keys_of(node: Any, client: RedisCluster) -> int:
    return int(client.dbsize(target_nodes=node))


@pytest.fixture
def cluster_store(cluster_settings: None) -> RedisUsageStore:
    return RedisUsageStore()


def test_users_spread_over_the_servers_and_one_flush_collects_them(cluster_store: RedisUsageStore) -> None:
    plan = make_plan(video_limit=2)
    everybody = [entitlement_of(subscribed(plan)) for _ in range(60)]
    for entitled in everybody:
        granted = [cluster_store.reserve(entitled, Metric.VIDEO, 1).granted for _ in range(3)]
        assert granted == [True, True, False]

    client = cluster_store.shards.wire.client
    assert isinstance(client, RedisCluster)
    assert all(keys_of(node, client) > 10 for node in client.get_primaries())
    cluster_store.flush()
    assert list(UsageRecord.objects.values_list("video_count", flat=True)) == [2] * 60

    plan.video_limit = 3
    plan.save()  # on every server
    assert all(cluster_store.reserve(entitled, Metric.VIDEO, 1).granted for entitled in everybody)


def test_a_slot_that_moves_to_another_server_is_followed(cluster_store: RedisUsageStore) -> None:
    entitled = entitlement_of(subscribed(make_plan(video_limit=5)))
    hold = cluster_store.reserve(entitled, Metric.VIDEO, 1)
    client = cluster_store.shards.wire.client
    assert isinstance(client, RedisCluster)
    shard = cluster_store.shards[shard_of(encoded(entitled.user_id))]

    move_slot(client, client.keyslot(shard.keys.trust))

    assert cluster_store.reserve(entitled, Metric.VIDEO, 1).used == 2
    assert cluster_store.commit(hold.hold_id)
    assert cluster_store.get(entitled()).video_count == 2


def move_slot(client: RedisCluster, slot: int) -> None:
    """As an operator moves it, with everything in it."""
    source = client.nodes_manager.get_node_from_slot(slot)
    target = next(node for node in client.get_primaries() if node != source)
    direct: dict[Any, Any] = {node: client.get_redis_connection(node) for node in (source, target)}
    ids = {node: direct[node].execute_command("CLUSTER", "MYID") for node in direct}
    direct[target].execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source])
    direct[source].execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target])
    while keys := direct[source].execute_command("CLUSTER", "GETKEYSINSLOT", slot, 100):
        direct[source].migrate("127.0.0.1", target.port, keys, 0, 5000)
    for node in (target, source):
        direct[node].execute_command("CLUSTER", "SETSLOT", slot, "NODE", ids[target])
