"""What is put into the outbox in the course of each lifecycle, and by the jobs when no event comes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from django_videoq_billing.jobs import JOBS, run_job
from django_videoq_billing.models import Notification, PaymentTransaction
from django_videoq_billing.services import dunning, period_ends, plan_changes, stripe_rebuild, stripe_sync
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.signals import work_waiting
from tests.stripe import lifecycles
from tests.stripe.lifecycles import LIFECYCLES, fail_next_renewal, first_subscription
from tests.stripe.site import Deliver, Later, Site, Thrice

pytestmark = pytest.mark.django_db

Life = Callable[[Site], None]

UP, DOWN_SOON, DOWN = "upgrade_confirmed", "downgrade_scheduled", "downgrade_done"
END_SOON, END, BACK = "cancellation_scheduled", "cancellation_done", "reactivated"
UNPAID, REFUND = "payment_failed", "refund"

NEWS: dict[str, list[str]] = {
    "first_subscription": [UP],
    "declined_then_paid": [UP],
    "three_d_secure": [UP],
    "debit_that_succeeds": [UP],
    "debit_that_fails": [UP, UNPAID],
    "three_d_secure_each_time": [UP, UNPAID],
    "renewal": [UP],
    "failed_renewal_recovers": [UP, UNPAID],
    "failed_renewal_outlasts_the_grace": [UP, UNPAID],
    "failed_renewal_ends": [UP, UNPAID, END],
    "upgrade": [UP, UP],
    "upgrade_with_three_d_secure": [UP, UP],
    "downgrade_at_period_end": [UP, DOWN_SOON, DOWN],
    "downgrade_and_change_of_mind": [UP, DOWN_SOON],
    "cancel_at_period_end": [UP, END_SOON, END],
    "cancel_and_reactivate": [UP, END_SOON, BACK],
    "cancel_and_come_back": [UP, END_SOON, END, UP],
    "refund": [UP, REFUND, REFUND],
    "refund_that_fails": [UP, REFUND],
    "inquiry": [UP],
    "dispute": [UP],
    "dispute_lost": [UP],
    "trial": [UP],
}


def told() -> list[str]:
    return list(Notification.objects.order_by("pk").values_list("kind", flat=True))


def facts() -> dict[str, Any]:
    last = Notification.objects.order_by("pk").last()
    return last.facts if last else {}


@pytest.mark.parametrize("deliver", [Deliver, Thrice])
@pytest.mark.parametrize("life", LIFECYCLES, ids=lambda life: life.__name__)
def test_each_piece_of_news_is_told_once(
    make_site: Callable[[Deliver], Site], life: Life, deliver: type[Deliver]
) -> None:
    site = make_site(deliver())
    life(site)
    site.finish()
    assert told() == NEWS[life.__name__]


def test_what_is_told_of_a_plan(site: Site) -> None:
    site.checkout(site.premium)
    site.settle()
    assert facts() == {"plan": "premium"}

    plan_changes.change(site.user, site.standard)
    assert facts() == {"plan": "standard", "at": site.row.current_period_end.isoformat()}

    site.advance(days=32)
    site.settle()
    assert facts() == {"plan": "standard", "from": "premium"}

    plan_changes.cancel(site.user)
    assert facts() == {"at": site.row.current_period_end.isoformat()}

    plan_changes.reactivate(site.user)
    assert facts() == {"plan": "standard"}


def test_who_ends_it(site: Site) -> None:
    lifecycles.cancel_at_period_end(site)
    assert facts() == {"plan": "standard", "unpaid": False}


def test_who_did_not_pay(site: Site) -> None:
    lifecycles.failed_renewal_ends(site)
    assert facts() == {"plan": "standard", "unpaid": True}


def test_an_upgrade_that_drops_a_cancellation_is_told_as_an_upgrade(site: Site) -> None:
    first_subscription(site)
    plan_changes.cancel(site.user)
    plan_changes.change(site.user, site.premium)
    site.settle()
    assert told() == [UP, END_SOON, UP]


def test_a_row_made_anew_is_no_news(site: Site) -> None:
    lost = Later(lambda events: [])
    site.deliver = lost
    site.checkout(site.standard)
    [charge] = site.sandbox.api.charges.list().data
    site.advance(days=4)
    site.sandbox.api.refunds.create(params={"charge": charge.id, "amount": 500})
    site.advance(days=4)
    site.finish()
    stripe_sync.sync_customer(str(site.row.stripe_customer_id), quiet=True)
    stripe_rebuild.rebuild_ledger(str(site.row.stripe_customer_id))
    assert PaymentTransaction.objects.filter(status="refunded").exists()
    assert site.row.plan == site.standard
    assert told() == []


def test_a_refund_that_failed_before_anybody_heard_of_it_is_no_news(site: Site) -> None:
    first_subscription(site)
    [charge] = site.sandbox.api.charges.list().data
    made = site.sandbox.api.refunds.create(params={"charge": charge.id})
    site.sandbox.control(f"refunds/{made.id}/fail")
    site.settle()
    assert PaymentTransaction.objects.filter(type="subscription_refund", status="failed").exists()
    assert told() == [UP]


def test_a_kind_that_is_switched_off(site: Site, settings: Any) -> None:
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "EMAILS": {"upgrade_confirmed": False}}
    first_subscription(site)
    plan_changes.cancel(site.user)
    assert told() == [END_SOON]


def test_news_wakes_the_sender_after_the_commit(site: Site, django_capture_on_commit_callbacks: Any) -> None:
    woken: list[str] = []

    def wake(job: str, **kwargs: Any) -> None:
        woken.append(job)

    work_waiting.connect(wake)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            first_subscription(site)
    finally:
        work_waiting.disconnect(wake)
    assert set(woken) == {"send_notifications"}


# The days of grace, with nobody looking


def remind() -> None:
    list(dunning.remind())


def steps() -> list[Any]:
    rows = Notification.objects.exclude(kind=UP).order_by("pk")
    return [(row.kind, row.facts.get("step")) for row in rows]


def test_reminders_on_their_days_and_the_end_of_the_grace(site: Site) -> None:
    first_subscription(site)
    fail_next_renewal(site, payments=9)
    assert steps() == [(UNPAID, 0)]

    remind()
    assert steps() == [(UNPAID, 0)]
    for expected in ((UNPAID, 1), (UNPAID, 2), ("grace_ended", None)):
        site.advance(days=1)
        remind()
        remind()
        assert steps()[-1] == expected
    assert len(steps()) == 4

    site.advance(days=1)
    remind()
    assert len(steps()) == 4


def test_after_days_of_silence_only_the_latest_step_is_told(site: Site) -> None:
    first_subscription(site)
    fail_next_renewal(site, payments=9)
    site.advance(days=2)
    remind()
    assert steps() == [(UNPAID, 0), (UNPAID, 2)]


@pytest.mark.parametrize(
    ("grace", "reminders", "expected"),
    [
        (0, [1], [(UNPAID, 0)]),
        (2, [], [(UNPAID, 0), ("grace_ended", None)]),
        (5, [4, 9], [(UNPAID, 0), (UNPAID, 4), ("grace_ended", None)]),
    ],
)
def test_days_of_the_host(
    site: Site, settings: Any, grace: int, reminders: list[int], expected: list[Any]
) -> None:
    chosen = {"GRACE_PERIOD_DAYS": grace, "PAYMENT_REMINDER_DAYS": reminders}
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, **chosen}
    first_subscription(site)
    customer = site.row.stripe_customer_id
    site.sandbox.control(f"customers/{customer}/fail_next", payments=99, reason="insufficient_funds")
    site.advance(days=31, hours=2)
    site.settle()
    for _ in range(14):
        site.advance(hours=12)
        remind()
    assert steps() == expected


def test_recovery_ends_the_sequence(site: Site) -> None:
    lifecycles.failed_renewal_recovers(site)
    remind()
    assert steps() == [(UNPAID, 0)]


def test_a_trial_that_ends_soon(site: Site) -> None:
    site.standard.trial_days = 14
    site.standard.save()
    first_subscription(site)
    site.advance(days=10)
    remind()
    assert told() == [UP]
    site.advance(days=1)
    remind()
    remind()
    assert told() == [UP, "trial_ending"]
    assert facts() == {"at": site.row.trial_end and site.row.trial_end.isoformat()}


def test_a_trial_that_was_cancelled_is_not_followed_up(site: Site) -> None:
    site.standard.trial_days = 14
    site.standard.save()
    first_subscription(site)
    plan_changes.cancel(site.user)
    site.advance(days=12)
    remind()
    assert "trial_ending" not in told()


# The end of a period, with no event at all


def silent(site: Site) -> Site:
    """From here on no event arrives."""
    site.deliver = Later(lambda events: [])
    return site


def test_a_downgrade_takes_effect_without_an_event(site: Site) -> None:
    site.checkout(site.premium)
    site.settle()
    plan_changes.change(site.user, site.standard)
    silent(site).advance(days=31, hours=1)

    assert site.row.plan == site.premium
    assert entitlement_for(site.user).plan_slug == "standard", "the limits follow the clock"
    assert list(period_ends.catch_up()) == [1]
    assert (site.row.plan, site.row.pending_plan) == (site.standard, None)
    assert told()[-1] == DOWN
    assert list(period_ends.catch_up()) == []


def test_a_cancellation_takes_effect_without_an_event(site: Site) -> None:
    first_subscription(site)
    plan_changes.cancel(site.user)
    silent(site).advance(days=31, hours=1)

    assert entitlement_for(site.user).plan_slug == "free"
    assert list(period_ends.catch_up()) == [1]
    assert site.row.status == "cancelled"
    assert told()[-1] == END


def test_a_renewal_is_found_without_an_event(site: Site) -> None:
    first_subscription(site)
    before = site.row.current_period_end
    silent(site).advance(days=31, hours=1)
    assert list(period_ends.catch_up()) == [1]
    assert site.row.current_period_start == before
    assert told() == [UP]


def test_the_webhook_is_given_a_few_minutes(site: Site) -> None:
    first_subscription(site)
    left = site.row.current_period_end.timestamp() - site.sandbox.now()
    silent(site).advance(hours=(left + 60) / 3600)
    assert list(period_ends.catch_up()) == []


def test_what_is_not_over_at_stripe_is_asked_about_by_the_hour(site: Site, traveller: Any) -> None:
    first_subscription(site)
    traveller.move_to(site.row.current_period_end + timedelta(minutes=6))  # our clock goes before theirs
    asked = []
    for minutes in (0, 5, 54, 2):
        traveller.shift(timedelta(minutes=minutes))
        asked.append(list(period_ends.catch_up()))
    assert asked == [[1], [], [], [1]]


def test_where_stripe_does_not_answer_the_job_fails_and_the_next_run_goes_on(
    site: Site, settings: Any
) -> None:
    first_subscription(site)
    plan_changes.cancel(site.user)
    silent(site).advance(days=31, hours=1)
    reachable = settings.VIDEOQ_BILLING
    settings.VIDEOQ_BILLING = {**reachable, "STRIPE_API_BASE": "http://127.0.0.1:9"}
    failed = run_job(JOBS["catch_up_periods"])
    assert failed is not None
    assert (failed.outcome, failed.failures) == ("failed", 1)
    assert "StripeUnavailable" in failed.error

    settings.VIDEOQ_BILLING = reachable
    done = run_job(JOBS["catch_up_periods"])
    assert done is not None
    assert (done.outcome, done.failures, done.done) == ("ok", 0, 1)
    assert site.row.status == "cancelled"
