"""What transcription costs the site: exact for each job, and exact in every sum."""

from __future__ import annotations

import decimal
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.test import override_settings
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from django_videoq_billing.models import TranscriptionJob
from django_videoq_billing.services import transcription
from django_videoq_billing.services.transcription import MAX_SECONDS, cost_cents, monthly_costs
from tests.factories import make_plan, make_user, subscribed
from tests.services.transcription.rows import other_video

pytestmark = pytest.mark.django_db

NOVEMBER = date(2026, 11, 1)
NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
RATES = {"TRANSCRIPTION_COST_BY_MODEL": {"small": "0.00005", "exact": "0.00007167"}}


def done(user: User, seconds: int, whisper_model: str = "whisper-1", **fields: Any) -> TranscriptionJob:
    job = transcription.start(user, other_video(), 1, whisper_model)
    job = transcription.complete(job, seconds)
    TranscriptionJob.objects.filter(pk=job.pk).update(**fields)
    return TranscriptionJob.objects.get(pk=job.pk)


@pytest.fixture
def user(db: None) -> User:
    """On a plan without limit."""
    return subscribed(make_plan(transcription_limit_minutes=None))


class TestOneJob:
    @pytest.mark.parametrize(
        ("seconds", "cents"), [(0, "0"), (1, "0.01"), (3, "0.03"), (60, "0.6"), (3600, "36")]
    )
    def test_a_second_costs_a_hundredth_of_a_cent(self, user: User, seconds: int, cents: str) -> None:
        assert done(user, seconds).cost_cents == Decimal(cents)

    @override_settings(VIDEOQ_BILLING=RATES)
    def test_a_model_may_have_its_own_rate(self, user: User) -> None:
        assert done(user, 60, "small").cost_cents == Decimal("0.3")
        assert done(user, 7, "exact").cost_cents == Decimal("0.050169")
        assert done(user, 60, "another").cost_cents == Decimal("0.6")

    @override_settings(VIDEOQ_BILLING={"TRANSCRIPTION_COST_PER_SECOND": "0.00000001"})
    def test_nothing_is_too_cheap_to_store(self, user: User) -> None:
        assert done(user, 1).cost_cents == Decimal("0.000001")

    @override_settings(VIDEOQ_BILLING={"TRANSCRIPTION_COST_PER_SECOND": "1"})
    def test_nothing_is_too_dear_to_store(self, user: User) -> None:
        assert done(user, MAX_SECONDS).cost_cents == MAX_SECONDS * 100

    @override_settings(VIDEOQ_BILLING={"TRANSCRIPTION_COST_PER_SECOND": "0.99999999"})
    def test_every_digit_comes_back(self, user: User) -> None:
        assert done(user, MAX_SECONDS).cost_cents == Decimal("60479999.3952")
        assert done(user, 604_799).cost_cents == Decimal("60479899.395201")

    def test_a_host_that_computes_with_few_digits(self, user: User) -> None:
        with decimal.localcontext(prec=3):
            assert cost_cents(123_456, Decimal("0.00012345")) == Decimal("1524.064320")

    def test_only_what_was_transcribed_costs(self, user: User) -> None:
        job = transcription.start(user, other_video(), 100)
        assert (job.cost_cents, job.cost_per_second) == (Decimal(0), Decimal("0.0001"))
        assert transcription.cancel(job).cost_cents == 0


class TestAChangedRate:
    def test_counts_from_the_next_job(self, user: User) -> None:
        before = done(user, 100)
        running = transcription.start(user, other_video(), 100)
        with override_settings(VIDEOQ_BILLING={"TRANSCRIPTION_COST_PER_SECOND": "0.5"}):
            assert transcription.complete(running, 100).cost_cents == 1
            assert done(user, 100).cost_cents == 5000
            again = transcription.retry(transcription.cancel(transcription.start(user, other_video(), 1)))
            assert again.cost_per_second == Decimal("0.5")
        before.refresh_from_db()
        assert (before.cost_cents, before.cost_per_second) == (Decimal(1), Decimal("0.0001"))

    def test_a_job_from_before_rates_were_kept_has_the_rate_of_now(self, user: User) -> None:
        job = transcription.start(user, other_video(), 100)
        TranscriptionJob.objects.update(cost_per_second=None)
        transcription.complete(job, 100)
        job.refresh_from_db()
        assert (job.cost_per_second, job.cost_cents) == (Decimal("0.0001"), Decimal(1))


class TestAMonth:
    @time_machine.travel(NOON, tick=False)
    def test_by_user_and_altogether(self, user: User) -> None:
        other = make_user()
        done(user, 100)
        done(user, 60)
        done(other, 7)
        transcription.start(user, other_video(), 30)
        transcription.fail(transcription.start(user, other_video(), 30), "no speech")
        report = monthly_costs(date(2026, 11, 30))
        assert (report.month, report.jobs, report.seconds, report.cost_cents) == (
            NOVEMBER,
            3,
            167,
            Decimal("1.67"),
        )
        assert [(row.user_id, row.username, row.jobs, row.seconds) for row in report.users] == [
            (user.pk, user.username, 2, 160),
            (other.pk, other.username, 1, 7),
        ]
        assert [row.cost_cents for row in report.users] == [Decimal("1.6"), Decimal("0.07")]

    @time_machine.travel(NOON, tick=False)
    def test_of_one_user(self, user: User) -> None:
        done(user, 100)
        done(make_user(), 7)
        report = monthly_costs(NOVEMBER, user)
        assert (report.jobs, report.cost_cents, len(report.users)) == (1, Decimal(1), 1)

    def test_nothing(self, user: User) -> None:
        report = monthly_costs(NOVEMBER)
        assert (report.users, report.jobs, report.seconds, report.cost_cents) == ((), 0, 0, Decimal(0))

    def test_a_job_belongs_to_the_month_in_which_it_was_completed(self, user: User) -> None:
        with time_machine.travel(datetime(2026, 10, 31, 23, 59, tzinfo=UTC), tick=False):
            job = transcription.start(user, other_video(), 100)
        with time_machine.travel(datetime(2026, 11, 1, tzinfo=UTC), tick=False):
            transcription.complete(job, 100)
        assert [monthly_costs(date(2026, month, 1)).jobs for month in (10, 11, 12)] == [0, 1, 0]

    @override_settings(TIME_ZONE="Asia/Tokyo")
    def test_begins_at_midnight_where_the_site_is(self, user: User) -> None:
        first = datetime(2026, 10, 31, 15, tzinfo=UTC)
        done(user, 1, completed_at=first - timedelta(seconds=1))
        done(user, 2, completed_at=first)
        with timezone.override("America/New_York"):  # whoever looks at it
            assert monthly_costs(NOVEMBER).seconds == 2

    def test_december(self, user: User) -> None:
        done(user, 1, completed_at=datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
        done(user, 2, completed_at=datetime(2027, 1, 1, tzinfo=UTC))
        assert monthly_costs(date(2026, 12, 5)).seconds == 1

    def test_goes_with_a_deleted_user_and_stays_without_the_video(self, user: User) -> None:
        with time_machine.travel(NOON, tick=False):
            done(user, 100)
            done(make_user(), 7)
        Group.objects.all().delete()
        assert monthly_costs(NOVEMBER).seconds == 107
        User.objects.get(pk=user.pk).delete()
        assert monthly_costs(NOVEMBER).seconds == 7


rates = st.integers(0, 10**8).map(lambda units: Decimal(units).scaleb(-8))
random_jobs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, MAX_SECONDS), rates), max_size=40)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # the jobs of the example before are deleted by the example itself
@given(random_jobs)
@example([(0, 1, Decimal("0.1")), (0, 2, Decimal("0.1")), (1, 3, Decimal("0.00000001"))])
# More digits than a float has, all of one user.
@example([(0, MAX_SECONDS - number, Decimal("0.99999999")) for number in range(39)])
def test_every_sum_is_the_sum_of_its_jobs_to_the_last_digit(
    db: None, drawn: list[tuple[int, int, Decimal]]
) -> None:
    """SC-004. The jobs are written as `complete` writes them, and read back as anybody would."""
    User.objects.all().delete()
    users = [make_user() for _ in range(4)]
    kind = ContentType.objects.get_for_model(Group)
    TranscriptionJob.objects.bulk_create(
        TranscriptionJob(
            user=users[owner],
            content_type=kind,
            object_id=str(number),
            duration_seconds=seconds,
            cost_per_second=rate,
            cost_cents=cost_cents(seconds, rate),
            status="completed",
            completed_at=NOON,
        )
        for number, (owner, seconds, rate) in enumerate(drawn)
    )
    expected: dict[Any, Decimal] = defaultdict(Decimal)
    for owner, seconds, rate in drawn:
        expected[users[owner].pk] += seconds * rate * 100
    report = monthly_costs(NOVEMBER)
    stored = TranscriptionJob.objects.values_list("cost_cents", flat=True)
    assert {row.user_id: row.cost_cents for row in report.users} == expected
    assert report.cost_cents == sum(expected.values()) == sum(stored)
    assert report.cost_cents == sum(row.cost_cents for row in report.users)
    assert (report.jobs, report.seconds) == (len(drawn), sum(seconds for _, seconds, _ in drawn))
    for one in users:
        assert monthly_costs(NOVEMBER, one).cost_cents == expected[one.pk]
