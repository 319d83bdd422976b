"""Random sequences of moves against a model a child could check: the store must always agree with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from django_videoq_billing.exceptions import Conflict
from django_videoq_billing.services.entitlements import entitlement_of
from django_videoq_billing.types import Metric
from django_videoq_billing.usage import UsageStore, get_store
from tests.factories import make_plan, subscribed

LIMIT = 20
amounts = st.integers(1, 8)
actuals = st.none() | st.integers(0, 12)
keys = st.none() | st.sampled_from("abc")


@dataclass
class Kept:
    state: str
    counted: int
    amount: int


class StoreMachine(RuleBasedStateMachine):
    """The model: what was kept under which hold, and which key leads to which hold."""

    holds = Bundle("holds")

    @initialize()
    def subscribe(self) -> None:
        user = subscribed(make_plan(video_limit=LIMIT))
        self.entitled = entitlement_of(user)
        self.store = get_store()
        self.model: dict[Any, Kept] = {}
        self.keys: dict[str, Any] = {}
        self.added = 0

    @property
    def counted(self) -> int:
        return self.added + sum(kept.counted for kept in self.model.values())

    @rule(target=holds, amount=amounts, key=keys)
    def reserve(self, amount: int, key: str | None) -> Any:
        before = self.counted
        answer = self.store.reserve(self.entitled, Metric.VIDEO, amount, key=key)
        if key in self.keys:
            assert answer.replayed
            assert answer.id == self.keys[key]
        elif before + amount <= LIMIT:
            assert (answer.granted, answer.used) == (True, before + amount)
            self.model[answer.id] = Kept("held", amount, amount)
            if key:
                self.keys[key] = answer.id
        else:
            assert (answer.granted, answer.used) == (False, before)
        return answer.id

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

    @rule()
    def expire(self) -> None:
        held = [hold for hold, kept in self.model.items() if kept.state == "held"]
        later = timezone.now() + timedelta(days=1)
        assert self.store.expire(later, user_id=self.entitled().user_id) == len(held)
        for hold in held:
            self._close(hold, "expired")

    @rule(amount=amounts)
    def add(self, amount: int) -> None:
        self.store.add(self.entitled, Metric.VIDEO, amount)
        self.added += amount

    def _close(self, hold: Any, state: str) -> None:
        self.model[hold].state, self.model[hold].counted = state, 0
        self.keys = {key: known for key, known in self.keys.items() if known != hold}

    @rule()
    def flush(self) -> None:
        self.store.flush()

    @rule(amount=amounts)
    def count_without_hold(self, amount: int) -> None:
        answer = self.store.reserve(self.entitled, Metric.VIDEO, amount, hold=False)
        assert answer.granted is (self.counted + amount <= LIMIT)
        self.added += amount if answer.granted else 0

    @invariant()
    def the_counter_is_the_sum_of_what_was_kept(self) -> None:
        assert self.store.get(self.entitled()).video_count == self.counted


def test_the_store_agrees_with_the_model(store: UsageStore) -> None:
    run_state_machine_as_test(
        StoreMachine,
        settings=settings(
            max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
