"""Parts a to c: one request's cost on every side, at the bare servers, as a call and around a view."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.test import RequestFactory

from benchmarks import aims, ours, seed_sample
from benchmarks.bare import BareRedis, BareSql
from benchmarks.measuring import Contender, Effort, interleave
from benchmarks.others import Limits, Ratelimit, Throttle, View, upload
from benchmarks.people import PLENTY, make_people
from benchmarks.report import Report
from benchmarks.traffic import traffic_of
from django_videoq_billing.usage import get_store

USERS = 1000
AT_LIMIT = 100
LONG_HISTORY = 100
FIRST_CALL = "redis.first"


class Cast:
    """Whom the contenders serve, and with what."""

    def __init__(self, rng: random.Random) -> None:
        self.people = make_people(USERS)
        self.at_limit = make_people(AT_LIMIT, video_limit=5, used=5)
        self.requests = RequestFactory()
        self._everybody = self.people.in_turn(rng)
        self._everybody_at_limit = self.at_limit.in_turn(rng)

    def user(self) -> User:
        return next(self._everybody)

    def user_at_limit(self) -> User:
        return next(self._everybody_at_limit)

    def request(self) -> HttpRequest:
        return request_of(self.requests, self.user())


def request_of(factory: RequestFactory, user: User) -> HttpRequest:
    request = factory.post("/upload")
    request.user = user
    return request


def measure(report: Report, effort: Effort, rng: random.Random, say: Callable[[str], None]) -> None:
    cast = Cast(rng)
    bare_redis = BareRedis(cast.people)
    groups = {
        "calls over Redis": redis_calls(cast, bare_redis, rng),
        "calls over SQL": sql_calls(cast),
        "views over Redis": redis_views(cast),
        "views over SQL": sql_views(cast),
    }
    for title, contenders in groups.items():
        say(title)
        if title.endswith("Redis"):
            for contender in contenders:
                if contender.name != FIRST_CALL:
                    contender.turn(USERS)  # everybody is known to every library
            ours.flush()
        measure_group(report, contenders, effort, rng, ours.flush)
        report.traffic |= {contender.name: traffic_of(contender) for contender in contenders}
    bare_redis.close()


def measure_group(
    report: Report,
    contenders: Sequence[Contender],
    effort: Effort,
    rng: random.Random,
    between: Callable[[], None] = lambda: None,
) -> None:
    samples = interleave(contenders, effort, rng, between)
    report.add_times(samples)
    report.ratios |= aims.ratios(samples)


def our_calls(cast: Cast, store: str) -> list[Contender]:
    here = partial(ours.on, store)
    return [
        Contender(f"{store}.count", ours.count, cast.user, around=here),
        Contender(f"{store}.reserve", ours.reserve, cast.user, clean_up=ours.commit_all, around=here),
        Contender(f"{store}.reserve_commit", ours.reserve_and_commit, cast.user, around=here),
        Contender(f"{store}.refuse", ours.refuse, cast.user_at_limit, around=here),
    ]


def redis_calls(cast: Cast, bare: BareRedis, rng: random.Random) -> list[Contender]:
    limits, ratelimit, throttle = Limits(PLENTY), Ratelimit(PLENTY), Throttle(PLENTY)
    old_users = make_people(AT_LIMIT).in_turn(rng)

    def request_with_history() -> HttpRequest:
        request = request_of(cast.requests, next(old_users))
        throttle.remember(request, LONG_HISTORY)
        return request

    return [
        Contender("bare.socket", bare.on_socket, cast.user),
        Contender("bare.connection", bare.on_connection, cast.user),
        Contender("bare.evalsha", bare.evalsha, cast.user),
        Contender("bare.evalsha_journal", bare.evalsha_with_journal, cast.user, clean_up=bare.forget_journal),
        *our_calls(cast, "redis"),
        first_call(cast),
        Contender("limits.call", limits.hit, cast.user),
        Contender("ratelimit.call", ratelimit.call, cast.request),
        Contender("throttle.call", throttle.call, cast.request),
        Contender("throttle.call_history", throttle.call, request_with_history),
    ]


def first_call(cast: Cast) -> Contender:
    """A user whose counters Redis does not have, or may not trust any more: they are read from the database."""

    def forgotten() -> User:
        user = cast.user()
        get_store().forget(user.pk)
        return user

    here = partial(ours.on, "redis")
    return Contender(FIRST_CALL, ours.reserve, forgotten, clean_up=ours.commit_all, around=here)


def sql_calls(cast: Cast) -> list[Contender]:
    bare = BareSql(cast.people)
    return [
        Contender("bare.update_orm", bare.orm_update, cast.user),
        Contender("bare.update_cursor", bare.cursor_update, cast.user),
        Contender("bare.update_journal", bare.update_and_journal, cast.user),
        *our_calls(cast, "database"),
        Contender(
            "database.known",
            ours.settle_known,
            lambda: ours.Known(cast.user()),
            around=partial(ours.on, "database"),
        ),
        Contender("seed.call", seed_sample.check_then_increment, cast.user),
    ]


def our_views(cast: Cast, store: str) -> list[Contender]:
    def contender(name: str, view: View) -> Contender:
        return Contender(f"view.{store}.{name}", view, cast.request, around=partial(ours.on, store))

    return [contender("two_phase", ours.two_phase_view()), contender("counted", ours.counting_view())]


def redis_views(cast: Cast) -> list[Contender]:
    views: dict[str, Any] = {
        "view.bare": upload,
        "view.limits": Limits(PLENTY).view(upload),
        "view.ratelimit": Ratelimit(PLENTY).view(upload),
        "view.api_bare": Throttle(PLENTY).plain_view,
        "view.throttle": Throttle(PLENTY).view,
    }
    return [
        *(Contender(name, view, cast.request) for name, view in views.items()),
        *our_views(cast, "redis"),
    ]


def sql_views(cast: Cast) -> list[Contender]:
    return [*our_views(cast, "database"), Contender("view.seed", seed_sample.view(upload), cast.request)]
