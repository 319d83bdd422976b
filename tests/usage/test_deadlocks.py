"""What the database undoes for a deadlock is done again, where that is ours to do: on a real database server."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier

import pytest
from django.contrib.auth.models import Group
from django.db import OperationalError, transaction

from django_videoq_billing.models.deadlocks import TIMES, again_after_deadlock
from tests.usage.test_concurrency import at_once

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def crosswise() -> Callable[[int], None]:
    """For two: each locks a row and then the other's, so that at the first attempt neither can go on."""
    groups = [Group.objects.create(name=f"group {number}") for number in range(2)]
    both_have_one = Barrier(2)
    attempts = [0, 0]

    @again_after_deadlock()
    def lock_both(number: int) -> None:
        attempts[number] += 1
        with transaction.atomic():
            for turn, group in enumerate((groups[number], groups[1 - number])):
                row = Group.objects.select_for_update().get(pk=group.pk)
                row.name += "!"
                row.save()
                if turn == 0 and attempts[number] == 1:
                    both_have_one.wait(timeout=30)

    return lock_both


def names() -> list[str]:
    return list(Group.objects.order_by("pk").values_list("name", flat=True))


def test_whoever_was_undone_does_it_again(crosswise: Callable[[int], None]) -> None:
    at_once(crosswise, 2)
    assert names() == ["group 0!!", "group 1!!"]


def test_in_a_transaction_of_the_host_it_is_the_host_s_to_do(crosswise: Callable[[int], None]) -> None:
    def work(number: int) -> bool:
        try:
            with transaction.atomic():
                crosswise(number)
        except OperationalError:
            return False
        return True

    assert sorted(at_once(work, 2)) == [False, True]
    assert names() == ["group 0!", "group 1!"]


def test_another_error_is_told_at_once_and_a_deadlock_not_for_ever() -> None:
    calls: list[int] = []

    @again_after_deadlock()
    def work(*told: object) -> None:
        calls.append(1)
        raise OperationalError(*told)

    for told, times in [((2006, "gone away"), 1), ((1213, "Deadlock found"), TIMES), ((), 1)]:
        calls.clear()
        with pytest.raises(OperationalError):
            work(*told)
        assert len(calls) == times
