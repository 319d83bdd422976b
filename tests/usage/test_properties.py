"""Random sequences of moves against a model a child could check: the store must always agree with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from django_videoq_billing.exceptions import Conflict
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.types import Metric
from django_videoq_billing.usage import DatabaseUsageStore, UsageStore
from tests.factories import PlanFactory, subscribed

LIMIT = 20
amounts = st.integers(1, 8)
actuals = st.none() | st.integers(0, 12)
keys = st.none() | st.sampled_from("abc")


class StoreMachine(RuleBasedStateMachine):
    """The model: a dict from hold to [state, amount counted], and a dict from key to hold."""

    store_class: type[UsageStore] = DatabaseUsageStore
    holds = Bundle("holds")

    @initialize()
    def subscribe(self) -> None:
        user = subscribed(PlanFactory(video_limit=LIMIT))
        self.entitled = lambda: entitlement_for(user)
        self.store = self.store_class()
        self.model: dict[Any, list[Any]] = {}
        self.keys: dict[str, Any] = {}
        self.added = 0

    @property
    def counted(self) -> int:
        return self.added + sum(counted for _, counted, _ in self.model.values())

    @rule(target=holds, amount=amounts, key=keys)
    def reserve(self, amount: int, key: str | None) -> Any:
        before = self.counted
        answer = self.store.reserve(self.entitled, Metric.VIDEO, amount, key=key)
        if key in self.keys:
            assert answer.replayed
            assert answer.id == self.keys[key]
        elif before + amount <= LIMIT:
            assert (answer.granted, answer.used) == (True, before + amount)
            self.model[answer.id] = ["held", amount, amount]
            if key:
                self.keys[key] = answer.id
        else:
            assert (answer.granted, answer.used) == (False, before)
        return answer.id

    @rule(hold=holds, actual=actuals)
    def commit(self, hold: Any, actual: int | None) -> None:
        if hold is None:
            return
        state, _, amount = self.model[hold]
        if state == "released":
            with pytest.raises(Conflict):
                self.store.commit(hold, actual)
            return
        assert self.store.commit(hold, actual) is (state != "committed")
        if state != "committed":
            self.model[hold][:2] = ["committed", amount if actual is None else actual]

    @rule(hold=holds)
    def release(self, hold: Any) -> None:
        if hold is None:
            return
        state = self.model[hold][0]
        if state == "committed":
            with pytest.raises(Conflict):
                self.store.release(hold)
            return
        assert self.store.release(hold) is (state == "held")
        if state == "held":
            self._close(hold, "released")

    @rule()
    def expire(self) -> None:
        held = [hold for hold, (state, _, _) in self.model.items() if state == "held"]
        later = timezone.now() + timedelta(days=1)
        assert self.store.expire(later, user_id=self.entitled().user_id) == len(held)
        for hold in held:
            self._close(hold, "expired")

    @rule(amount=amounts)
    def add(self, amount: int) -> None:
        self.store.add(self.entitled(), Metric.VIDEO, amount)
        self.added += amount

    def _close(self, hold: Any, state: str) -> None:
        self.model[hold][:2] = [state, 0]
        self.keys = {key: known for key, known in self.keys.items() if known != hold}

    @invariant()
    def the_counter_is_the_sum_of_what_was_kept(self) -> None:
        assert self.store.get(self.entitled()).video_count == self.counted


class TestStoreMachine(StoreMachine.TestCase, TestCase):  # type: ignore[misc]  # hypothesis builds it untyped
    settings = settings(
        max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
    )
