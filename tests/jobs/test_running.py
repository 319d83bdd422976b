"""One job at a time, whoever runs it, whatever happens to it and to the clock."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from django_videoq_billing.jobs import Job, Run, due, due_jobs, next_at, run_job
from django_videoq_billing.models import JobRun

pytestmark = pytest.mark.django_db

Travel = Callable[[timedelta], None]


@pytest.fixture
def later(traveller: time_machine.Traveller) -> Travel:
    return lambda span: traveller.move_to(timezone.now() + span)


def job(work: Callable[[Run], object] = lambda run: run.did(), **fields: object) -> Job:
    values = {"name": "sweep", "every": timedelta(minutes=10), "work": work, **fields}
    return Job(**values)  # type: ignore[arg-type]


def row() -> JobRun:
    return JobRun.objects.get(name="sweep")


def is_due(what: Job) -> bool:
    return due(what, JobRun.objects.filter(name=what.name).first())


def failing(run: Run) -> None:
    run.did(3)
    raise ValueError("no such thing")


def test_a_job_is_due_at_first_and_again_when_its_time_has_come(later: Travel) -> None:
    sweep = job()
    assert is_due(sweep)
    assert run_job(sweep) is not None
    assert (row().outcome, row().done, row().succeeded_at) == ("ok", 1, timezone.now())
    assert not is_due(sweep)
    later(timedelta(minutes=8))
    assert not is_due(sweep)
    later(timedelta(minutes=1, seconds=30))
    assert is_due(sweep), "a little early is on time: the clocks of cron and beat are never quite even"


def test_a_second_run_finds_the_first_at_work() -> None:
    seen: list[JobRun | None] = []
    sweep = job(lambda run: seen.append(run_job(job())))
    run_job(sweep)
    assert seen == [None]
    assert row().leased_until is None


def test_runs_of_a_shared_job_work_beside_each_other() -> None:
    """Each row is claimed by itself there, so that a second run is help."""
    second = job(lambda run: run.did(2), shared=True)
    seen: list[JobRun | None] = []
    run_job(job(lambda run: seen.append(run_job(second)), shared=True))
    assert seen[0] is not None
    assert seen[0].done == 2


def test_a_killed_run_blocks_the_job_for_as_long_as_its_lease(later: Travel) -> None:
    sweep = job(seconds=60)
    run_job(sweep)
    JobRun.objects.update(  # what somebody who is killed leaves
        holder="dead", leased_until=timezone.now() + timedelta(minutes=3), started_at=timezone.now()
    )
    later(timedelta(minutes=2, seconds=59))
    assert run_job(sweep) is None
    later(timedelta(seconds=1))
    assert run_job(sweep) is not None


def test_who_lost_the_lease_does_not_write_over_the_other(later: Travel) -> None:
    def slow(run: Run) -> None:
        later(timedelta(hours=1))
        run_job(job(lambda run: run.did(7)))

    run_job(job(slow))
    assert row().done == 7


def test_a_clock_that_jumps_does_no_harm(traveller: time_machine.Traveller, later: Travel) -> None:
    sweep, began = job(), timezone.now()
    JobRun.objects.create(
        name="sweep", holder="x", started_at=began, leased_until=began + timedelta(minutes=3)
    )
    later(timedelta(days=200))
    assert is_due(sweep)
    assert run_job(sweep) is not None
    JobRun.objects.update(holder="x", leased_until=timezone.now() + timedelta(minutes=3))
    traveller.move_to(began)  # a lease, and a last run, that lie months ahead
    assert is_due(sweep)
    assert run_job(sweep) is not None
    assert row().outcome == "ok"


def test_a_clock_that_is_a_little_behind_takes_nothing_away(
    traveller: time_machine.Traveller, later: Travel
) -> None:
    """Another place reads its clock a moment earlier, or its clock is slow."""
    sweep = job()
    seen: list[JobRun | None] = []

    def elsewhere(run: Run) -> None:
        later(timedelta(seconds=-30))
        seen.append(run_job(sweep))

    run_job(job(elsewhere))
    assert seen == [None]
    assert not is_due(sweep)


def test_a_failure_is_written_down_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "django_videoq_billing"):
        run_job(job(failing))
    assert (row().outcome, row().failures, row().done) == ("failed", 1, 3)
    assert row().error == "ValueError: no such thing"
    assert row().leased_until is None
    assert [(record.message, record.job) for record in caplog.records] == [("job_failed", "sweep")]  # type: ignore[attr-defined]


def test_a_job_that_goes_on_failing_is_tried_less_and_less_often(later: Travel) -> None:
    sweep = job(failing, every=timedelta(seconds=10))
    waits = []
    for _ in range(12):
        failed = run_job(sweep)
        assert failed is not None
        when = next_at(sweep, failed)
        assert when is not None
        assert not is_due(sweep)
        waits.append((when - timezone.now()).total_seconds())
        later(when - timezone.now())
        assert is_due(sweep)
    assert waits[:3] == [20, 40, 80]
    assert waits[-1] == 3600
    mended = run_job(job(every=timedelta(seconds=10)))
    assert mended is not None
    assert (mended.failures, mended.error) == (0, "")


def test_a_daily_job_that_failed_is_tried_again_within_the_hour(later: Travel) -> None:
    sweep = job(failing, every=timedelta(days=1))
    run_job(sweep)
    later(timedelta(hours=1))
    assert is_due(sweep)


def test_what_was_stopped_half_way_goes_on_where_it_was() -> None:
    places = []

    def counting(run: Run) -> None:
        places.append(dict(run.cursor))
        for place in range(run.cursor.get("place", 0), 5):
            run.cursor["place"] = place
            run.report["seen"] = run.report.get("seen", 0) + 1
            if len(places) == 1 and place == 2:
                run.finished = run.may_go_on()
                return

    run_job(job(counting), asked_to_stop=lambda: True)
    assert (row().cursor, row().report) == ({"place": 2}, {"seen": 3})
    assert is_due(job(counting)), "without waiting for its time"
    run_job(job(counting))
    assert places == [{}, {"place": 2}]
    assert (row().cursor, row().report) == ({}, {"seen": 6})


def test_a_failure_keeps_the_place() -> None:
    def stumbling(run: Run) -> None:
        run.cursor["place"] = 4
        raise ValueError

    run_job(job(stumbling))
    assert row().cursor == {"place": 4}
    assert not is_due(job(stumbling)), "a failure waits first"


def test_the_time_of_a_run_is_bounded() -> None:
    run_job(job(lambda run: run.may_go_on(), seconds=0))
    assert row().cursor == {"unfinished": True}


def test_a_process_that_is_told_to_go_leaves_no_lease() -> None:
    def leaving(run: Run) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_job(job(leaving))
    assert row().leased_until is None
    assert is_due(job())


def test_due_jobs_come_in_their_order(django_assert_num_queries: Callable[..., object]) -> None:
    first, second, third = (job(name=name) for name in ("c", "a", "b"))
    run_job(second)
    with django_assert_num_queries(1):  # type: ignore[attr-defined]
        found = due_jobs([first, second, third])
    assert found == [first, third]
