"""What only the database store promises: its cost, its rows, and its place inside the host's transactions."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from django_videoq_billing.models import UsageRecord, UsageReservation
from django_videoq_billing.services.entitlements import EntitlementOf
from django_videoq_billing.types import Entitlement, Metric
from django_videoq_billing.usage import DatabaseUsageStore
from tests.databases import about_postgresql

Entitled = EntitlementOf


@pytest.fixture
def store() -> DatabaseUsageStore:
    return DatabaseUsageStore()


def statements(captured: CaptureQueriesContext) -> list[str]:
    """The SQL statements that read or write; the marks of transactions are left out."""
    control = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK")
    return [query["sql"] for query in captured if not query["sql"].startswith(control)]


class Known:
    """An entitlement that needs no asking."""

    def __init__(self, entitlement: Entitlement) -> None:
        self.entitlement = entitlement
        self.user_id = entitlement.user_id

    def __call__(self) -> Entitlement:
        return self.entitlement


@pytest.mark.django_db
def test_a_protected_request_costs_four_statements(store: DatabaseUsageStore, entitled: Entitled) -> None:
    known = Known(entitled())
    store.commit(store.reserve(known, Metric.VIDEO, 1).hold_id)

    with CaptureQueriesContext(connection) as captured:
        store.commit(store.reserve(known, Metric.VIDEO, 1, key="k").hold_id)

    assert len(statements(captured)) <= 4, statements(captured)


@pytest.mark.postgres
@about_postgresql
@pytest.mark.django_db(transaction=True)
def test_on_postgresql_it_costs_two(store: DatabaseUsageStore, entitled: Entitled) -> None:
    known = Known(entitled())
    store.commit(store.reserve(known, Metric.VIDEO, 1).hold_id)

    with CaptureQueriesContext(connection) as captured:
        store.commit(store.reserve(known, Metric.VIDEO, 1, key="k").hold_id)

    assert len(statements(captured)) == 2, statements(captured)
    assert UsageRecord.objects.get().video_count == 2
    assert UsageReservation.objects.filter(state="committed", settled_amount=1).count() == 2


@pytest.mark.django_db
def test_a_refusal_changes_no_row(store: DatabaseUsageStore, entitled: Entitled) -> None:
    assert not store.reserve(entitled, Metric.VIDEO, 3).granted
    assert not UsageRecord.objects.exists()
    store.reserve(entitled, Metric.VIDEO, 2)
    before = list(UsageRecord.objects.values()), list(UsageReservation.objects.values())

    store.reserve(entitled, Metric.VIDEO, 1, key="k")

    assert (list(UsageRecord.objects.values()), list(UsageReservation.objects.values())) == before


@pytest.mark.django_db
def test_the_record_remembers_the_limits_it_was_counted_under(
    store: DatabaseUsageStore, entitled: Entitled, plan_of_two: Any
) -> None:
    store.reserve(entitled, Metric.VIDEO, 1)
    plan_of_two.video_limit = 9
    plan_of_two.save()
    assert UsageRecord.objects.get().video_limit == 2

    store.reserve(entitled, Metric.VIDEO, 1)

    record = UsageRecord.objects.get()
    assert (record.video_limit, record.transcription_limit_seconds) == (9, 60)
    assert record.last_video_uploaded_at is not None
    assert record.last_transcription_at is None


@pytest.mark.django_db
def test_a_counter_corrected_while_a_hold_was_open_stays_at_zero(
    store: DatabaseUsageStore, entitled: Entitled
) -> None:
    hold = store.reserve(entitled, Metric.VIDEO, 2)
    UsageRecord.objects.update(video_count=0)

    store.release(hold.hold_id)

    assert UsageRecord.objects.get().video_count == 0


@pytest.mark.django_db(transaction=True)
class TestInsideTheHostsTransaction:
    """ATOMIC_REQUESTS wraps the view, the reserve and the release in one transaction."""

    def test_a_transaction_marked_for_rollback_gives_the_hold_back(
        self, store: DatabaseUsageStore, entitled: Entitled
    ) -> None:
        with transaction.atomic():
            hold = store.reserve(entitled, Metric.VIDEO, 1)
            transaction.set_rollback(True)
            assert store.release(hold.hold_id) is True

        assert store.get(entitled()).video_count == 0
        assert not UsageReservation.objects.exists()

    def test_a_success_that_is_rolled_back_is_not_counted(
        self, store: DatabaseUsageStore, entitled: Entitled
    ) -> None:
        with transaction.atomic():
            hold = store.reserve(entitled, Metric.VIDEO, 1)
            transaction.set_rollback(True)
            assert store.commit(hold.hold_id) is False

        assert store.get(entitled()).video_count == 0

    def test_a_broken_transaction_gives_the_hold_back(
        self, store: DatabaseUsageStore, entitled: Entitled
    ) -> None:
        """On PostgreSQL nothing more can run in it, not even the release."""
        with transaction.atomic():
            hold = store.reserve(entitled, Metric.VIDEO, 1)
            with pytest.raises(DatabaseError), connection.cursor() as cursor:
                cursor.execute("SELECT no_such_column")
            assert store.release(hold.hold_id) is True

        assert store.get(entitled()).video_count == 0

    @pytest.mark.parametrize("told", [OperationalError, InterfaceError])  # psycopg 3's, and psycopg2's
    def test_a_connection_that_is_gone_has_given_the_hold_back(
        self, store: DatabaseUsageStore, entitled: Entitled, told: type[Exception]
    ) -> None:
        def gone(*query: Any) -> object:
            raise told("the connection is closed")

        with transaction.atomic():
            hold = store.reserve(entitled, Metric.VIDEO, 1)
            with connection.execute_wrapper(gone):
                assert store.release(hold.hold_id) is True

        assert store.get(entitled()).video_count == 0

    def test_a_release_in_a_healthy_transaction_is_kept(
        self, store: DatabaseUsageStore, entitled: Entitled
    ) -> None:
        with transaction.atomic():
            hold = store.reserve(entitled, Metric.VIDEO, 1)
            store.release(hold.hold_id)

        assert store.get(entitled()).video_count == 0
        assert UsageReservation.objects.get().state == "released"

    def test_a_known_key_leaves_the_hosts_transaction_usable(
        self, store: DatabaseUsageStore, entitled: Entitled
    ) -> None:
        with transaction.atomic():
            store.reserve(entitled, Metric.VIDEO, 1, key="k")
            assert store.reserve(entitled, Metric.VIDEO, 1, key="k").replayed
            store.reserve(entitled, Metric.VIDEO, 1)

        assert store.get(entitled()).video_count == 2
