"""Random sequences of moves against a model a child could check: the store must always agree with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from django_videoq_billing.exceptions import Conflict
from django_videoq_billing.models import UsageRecord
from django_videoq_billing.services.entitlements import entitlement_of
from django_videoq_billing.types import Metric
from django_videoq_billing.usage import UsageStore, get_store
from django_videoq_billing.usage.redis_store import RedisUsageStore
from django_videoq_billing.usage.redis_store.keys import encoded, shard_of
from tests.factories import make_plan, make_user, subscribed
from tests.usage.redis_store.neighbours import neighbour_of

LIMIT = 20
amounts = st.integers(1, 8)
actuals = st.none() | st.integers(0, 12)
keys = st.none() | st.sampled_from("abc")
users = st.integers(0, 1)


@dataclass
class Kept:
    user: int
    period: datetime
    state: str
    counted: int
    amount: int


class StoreMachine(RuleBasedStateMachine):
    """The model: what was kept under which hold, and which key leads to which hold."""

    holds = Bundle("holds")

    @initialize()
    def subscribe(self) -> None:
        plan = make_plan(video_limit=LIMIT)
        first = subscribed(plan)
        second = subscribed(plan, make_user(pk=neighbour_of(first.pk)))
        self.entitled = [entitlement_of(first), entitlement_of(second)]
        self.store = get_store()
        self.model: dict[Any, Kept] = {}
        self.keys: dict[tuple[int, str], Any] = {}
        self.added: Counter[tuple[int, datetime]] = Counter()
        self.clock: time_machine.travel | None = None

    def teardown(self) -> None:
        """In the end the rows say the same, of every period."""
        try:
            if hasattr(self, "store"):
                self.store.flush()
                for user, entitled in enumerate(self.entitled):
                    for record in UsageRecord.objects.filter(user_id=entitled.user_id):
                        expected = self.counted(user, record.billing_period_start)
                        assert record.video_count == expected
        finally:
            clock: time_machine.travel | None = getattr(self, "clock", None)
            if clock:
                clock.stop()

    def counted(self, user: int, period: datetime | None = None) -> int:
        period = period or self.entitled[user]().period.start
        mine = [kept for kept in self.model.values() if (kept.user, kept.period) == (user, period)]
        return self.added[user, period] + sum(kept.counted for kept in mine)

    @rule(target=holds, user=users, amount=amounts, key=keys)
    def reserve(self, user: int, amount: int, key: str | None) -> Any:
        before = self.counted(user)
        answer = self.store.reserve(self.entitled[user], Metric.VIDEO, amount, key=key)
        if key and not answer.replayed and self._may_be_forgotten(user, key):
            del self.keys[user, key]
        if key and (user, key) in self.keys:
            assert answer.replayed
            assert answer.id == self.keys[user, key]
        elif before + amount <= LIMIT:
            assert (answer.granted, answer.replayed, answer.used) == (True, False, before + amount)
            self.model[answer.id] = Kept(user, self.entitled[user]().period.start, "held", amount, amount)
            if key:
                self.keys[user, key] = answer.id
        else:
            assert (answer.granted, answer.used) == (False, before)
        return answer.id

    def _may_be_forgotten(self, user: int, key: str) -> bool:
        """Redis remembers keys for a day; what is built anew a month later has none of the period before."""
        known = self.keys.get((user, key))
        earlier = known is not None and self.model[known].period != self.entitled[user]().period.start
        return earlier and isinstance(self.store, RedisUsageStore)

    @rule(hold=holds, actual=actuals)
    def commit(self, hold: Any, actual: int | None) -> None:
        if hold is None:
            return
        kept = self.model[hold]
        state = kept.state
        if state == "released":
            with pytest.raises(Conflict):
                self.store.commit(hold, actual)
            return
        assert self.store.commit(hold, actual) is (state != "committed")
        if state != "committed":
            kept.state, kept.counted = "committed", kept.amount if actual is None else actual

    @rule(hold=holds)
    def release(self, hold: Any) -> None:
        if hold is None:
            return
        state = self.model[hold].state
        if state == "committed":
            with pytest.raises(Conflict):
                self.store.release(hold)
            return
        assert self.store.release(hold) is (state == "held")
        if state == "held":
            self._close(hold, "released")

    @rule(user=users)
    def expire(self, user: int) -> None:
        held = [hold for hold, kept in self.model.items() if (kept.user, kept.state) == (user, "held")]
        later = timezone.now() + timedelta(days=1)
        assert self.store.expire(later, user_id=self.entitled[user].user_id) == len(held)
        for hold in held:
            self._close(hold, "expired")

    @rule()
    def the_next_period_begins(self) -> None:
        """What is held is overdue by then."""
        end = max(entitled().period.end for entitled in self.entitled)
        if self.clock:
            self.clock.stop()
        self.clock = time_machine.travel(end + timedelta(seconds=1), tick=True)
        self.clock.start()
        for user in range(len(self.entitled)):
            self.expire(user)

    @rule(user=users, amount=amounts)
    def add(self, user: int, amount: int) -> None:
        self.store.add(self.entitled[user], Metric.VIDEO, amount)
        self.added[user, self.entitled[user]().period.start] += amount

    def _close(self, hold: Any, state: str) -> None:
        self.model[hold].state, self.model[hold].counted = state, 0
        self.keys = {key: known for key, known in self.keys.items() if known != hold}

    @rule()
    def flush(self) -> None:
        self.store.flush()

    @rule(user=users, amount=amounts, undone=st.booleans())
    def count_without_hold(self, user: int, amount: int, undone: bool) -> None:
        answer = self.store.reserve(self.entitled[user], Metric.VIDEO, amount, hold=False)
        assert answer.granted is (self.counted(user) + amount <= LIMIT)
        if answer.granted and undone:
            self.store.undo(answer)
        elif answer.granted:
            self.added[user, answer.period.start] += amount

    @rule(user=st.none() | users)
    def forget(self, user: int | None) -> None:
        self.store.forget(None if user is None else self.entitled[user].user_id)

    @precondition(lambda self: isinstance(getattr(self, "store", None), RedisUsageStore))
    @rule(user=users)
    def the_hash_is_gone(self, user: int) -> None:
        assert isinstance(self.store, RedisUsageStore)
        name = encoded(self.entitled[user].user_id)
        self.store.shards.wire.client.delete(self.store.shards[shard_of(name)].keys.user + name)

    @precondition(lambda self: isinstance(getattr(self, "store", None), RedisUsageStore))
    @rule()
    def redis_is_emptied_after_a_flush(self) -> None:
        assert isinstance(self.store, RedisUsageStore)
        self.store.flush()
        self.store.shards.wire.client.flushall()

    @invariant()
    def the_counter_is_the_sum_of_what_was_kept(self) -> None:
        for user, entitled in enumerate(self.entitled):
            assert self.store.get(entitled()).video_count == self.counted(user)


@pytest.mark.no_cover
def test_the_store_agrees_with_the_model(store: UsageStore, request: pytest.FixtureRequest) -> None:
    """A cluster runs the same scripts as the single server, more slowly: a part of the lives is enough there."""
    lives = {"database": 30, "redis": 15, "cluster": 5}
    run_state_machine_as_test(
        StoreMachine,
        settings=settings(
            max_examples=lives[request.node.callspec.id],
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
