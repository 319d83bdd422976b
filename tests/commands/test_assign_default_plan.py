from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError

from django_videoq_billing.management.commands import assign_default_plan as command
from django_videoq_billing.models import UserSubscription
from django_videoq_billing.services import subscriptions
from django_videoq_billing.services.entitlements import entitlement_for
from tests.commands.conftest import Run


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_every_user_gets_the_default_plan_once(run: Run, users_from_before: list[User], ada: User) -> None:
    before = UserSubscription.objects.get(user=ada).pk
    assert run("assign_default_plan", batch_size=2) == "Gave the plan 'free' to 5 users.\n"
    assert UserSubscription.objects.filter(plan__slug="free").count() == 6
    assert UserSubscription.objects.get(user=ada).pk == before
    assert run("assign_default_plan") == "Every user has a subscription already.\n"


def test_their_months_begin_on_the_day_on_which_they_got_it(run: Run, users_from_before: list[User]) -> None:
    with time_machine.travel(datetime(2027, 1, 31, 12, tzinfo=UTC), tick=False):
        run("assign_default_plan")
    for month, day in [(2, 28), (3, 31), (4, 30), (5, 31)]:
        begin = datetime(2027, month, day, 12, tzinfo=UTC)
        with time_machine.travel(begin, tick=False):
            assert entitlement_for(users_from_before[0]).period.start == begin


def test_one_user_is_not_users(run: Run, users_from_before: list[User]) -> None:
    User.objects.exclude(username="u1").delete()
    assert run("assign_default_plan") == "Gave the plan 'free' to 1 user.\n"


@pytest.mark.parametrize("size", [0, -1, 10**12])
def test_an_impossible_batch_size_is_refused(run: Run, users_from_before: list[User], size: int) -> None:
    with pytest.raises(CommandError, match=f"--batch-size must be from 1 to 100000, not {size}"):
        run("assign_default_plan", batch_size=size)
    assert not UserSubscription.objects.exists()


def test_a_terminal_shows_a_bar_on_stderr_alone(users_from_before: list[User]) -> None:
    out, err = StringIO(), Terminal()
    call_command("assign_default_plan", batch_size=2, stdout=out, stderr=err, no_color=True)
    drawn = [part.strip() for part in err.getvalue().split("\r") if part]
    assert [part.split()[-1] for part in drawn] == ["2/5", "4/5", "5/5"]
    assert drawn[-1].count("#") == command.BAR_WIDTH
    assert err.getvalue().endswith("\n")
    assert out.getvalue() == "Gave the plan 'free' to 5 users.\n"


def test_a_log_file_gets_no_bar(users_from_before: list[User]) -> None:
    err = StringIO()
    call_command("assign_default_plan", stdout=StringIO(), stderr=err)
    assert err.getvalue() == ""


def test_stopped_halfway_it_says_so_and_goes_on_later(
    run: Run, users_from_before: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = subscriptions.assign_default_plan

    def stopped_after_one_batch(batch_size: int) -> Iterator[int]:
        yield next(real(batch_size))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(command, "assign_default_plan", stopped_after_one_batch)
        with pytest.raises(CommandError, match=r"Stopped: 2 users done; run it again to go on\.") as stopped:
            run("assign_default_plan", batch_size=2)
    assert stopped.value.returncode == 130
    assert UserSubscription.objects.count() == 2
    assert run("assign_default_plan") == "Gave the plan 'free' to 3 users.\n"
