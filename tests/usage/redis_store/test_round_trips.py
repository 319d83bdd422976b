"""What a request costs: counted by the servers themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from django_videoq_billing.decorators import requires_quota
from django_videoq_billing.services.entitlements import EntitlementOf
from django_videoq_billing.types import Metric
from django_videoq_billing.usage.redis_store import RedisUsageStore


@pytest.fixture
def commands(client: Any) -> Callable[[], dict[str, int]]:
    """The commands that the server was sent since the last look, by name; those of scripts are not sent."""
    client.config_resetstat()

    def look() -> dict[str, int]:
        stats = client.info("commandstats")
        client.config_resetstat()
        sent = {name.removeprefix("cmdstat_"): figures["calls"] for name, figures in stats.items()}
        inside = (
            "hmget",
            "get",
            "set",
            "del",
            "hset",
            "xadd",
            "zadd",
            "zrem",
            "expire",
            "zcount",
            "exists",
            "hincrby",
        )
        ours = ("info", "config|resetstat", "hello", "client|id", "client|setinfo", *inside)
        return {name: calls for name, calls in sent.items() if name not in ours}

    return look


def test_reserve_commit_and_release_are_one_call_each_and_no_sql(
    redis_store: RedisUsageStore, entitled: EntitlementOf, commands: Callable[[], dict[str, int]]
) -> None:
    redis_store.commit(redis_store.reserve(entitled, Metric.VIDEO, 1).hold_id)
    commands()

    with CaptureQueriesContext(connection) as sql:
        hold = redis_store.reserve(entitled, Metric.VIDEO, 1)
        assert commands() == {"evalsha": 1}
        redis_store.commit(hold.hold_id)
        assert commands() == {"evalsha": 1}
        hold = redis_store.reserve(entitled, Metric.VIDEO, 1, key="k")
        redis_store.release(hold.hold_id)
        assert commands() == {"evalsha": 2}
        redis_store.reserve(entitled, Metric.VIDEO, 1, hold=False)
        assert commands() == {"evalsha": 1}
        assert not redis_store.reserve(entitled, Metric.VIDEO, 1).granted
        assert commands() == {"evalsha": 1}
    assert [query["sql"] for query in sql.captured_queries] == []


@pytest.mark.parametrize(("hold", "calls"), [(True, 2), (False, 1)])
def test_a_protected_view(
    redis_store: RedisUsageStore, user: Any, commands: Callable[[], dict[str, int]], hold: bool, calls: int
) -> None:
    @requires_quota("video", hold=hold)
    def upload(request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=201)

    def post() -> HttpResponse:
        request = RequestFactory().post("/")
        request.user = user
        answer: HttpResponse = upload(request)
        return answer

    post()
    commands()

    with CaptureQueriesContext(connection) as sql:
        assert post().status_code == 201
        assert commands() == {"evalsha": calls}
    assert sql.captured_queries == []
    assert post().status_code == 201
    assert commands() == {"evalsha": calls + 1, "zrange": 1}, (
        "the limit is reached: there is something to tell"
    )
    assert post().status_code == 403, "the first refusal in an hour is written down"
    commands()
    with CaptureQueriesContext(connection) as sql:
        assert post().status_code == 403
        assert commands() == {"evalsha": 1}
    assert sql.captured_queries == []


def test_a_view_that_fails_gives_back_what_it_counted_without_a_hold(
    redis_store: RedisUsageStore, user: Any, entitled: EntitlementOf
) -> None:
    @requires_quota("video", hold=False)
    def upload(request: HttpRequest) -> HttpResponse:
        if request.POST["status"] == "raise":
            raise RuntimeError
        return HttpResponse(status=int(request.POST["status"]))

    def post(status: str) -> HttpResponse:
        request = RequestFactory().post("/", {"status": status})
        request.user = user
        answer: HttpResponse = upload(request)
        return answer

    post("400")
    with pytest.raises(RuntimeError):
        post("raise")
    assert redis_store.get(entitled()).video_count == 0
    assert [post("200").status_code for _ in range(4)] == [200, 200, 200, 403]
