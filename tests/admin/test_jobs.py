"""An operator sees how the jobs are doing, and what the reconciliation has found."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from django_videoq_billing.models import JobRun
from tests.admin.conftest import page, staff_who_may, text


@pytest.fixture
def job(db: None) -> JobRun:
    return JobRun.objects.create(
        name="reconcile_stripe",
        started_at=timezone.now(),
        outcome="failed",
        failures=3,
        error="StripeUnavailable: away",
        cursor={"after": "sub_1PAbcdefGHIJ1234"},
        report={"differences": {"plan": 2}, "first": [{"here": "<b>free</b>"}]},
    )


def test_it_shows_how_the_last_run_ended(admin_client: Client, job: JobRun) -> None:
    assert "reconcile_stripe" in text(admin_client.get(page("jobrun")))
    shown = text(admin_client.get(page("jobrun", "change", job.pk)))
    assert "StripeUnavailable: away" in shown
    assert "&quot;plan&quot;: 2" in shown
    assert "&lt;b&gt;free" in shown
    assert "sub_1PA" not in shown, "the place at Stripe is nobody's business"


def test_nobody_changes_it(admin_client: Client, job: JobRun) -> None:
    assert admin_client.get(page("jobrun", "add")).status_code == 403
    assert admin_client.post(page("jobrun", "change", job.pk), {"failures": 0}).status_code == 403
    assert admin_client.post(page("jobrun", "delete", job.pk), {"post": "yes"}).status_code == 403
    assert JobRun.objects.get().failures == 3


def test_who_may_look(job: JobRun) -> None:
    assert staff_who_may("view_jobrun").get(page("jobrun")).status_code == 200
    assert staff_who_may("view_plan").get(page("jobrun")).status_code == 403
