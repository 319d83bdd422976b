"""The outbox in the admin: to look at, and to send what was given up."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail

from django_videoq_billing.models import EmailPreference, Notification
from django_videoq_billing.services.notifications import send_due
from tests.admin.conftest import page, staff_who_may, text
from tests.models.rows import new_alert, new_notification
from tests.notifications import variants

pytestmark = pytest.mark.django_db
State = Notification.State
LOOK = ("view_notification", "view_usagealert", "view_emailpreference")


@pytest.fixture
def rows(user: Any) -> dict[str, Any]:
    notification, alert = new_notification(user=user, error="Nobody answers.\nAt all."), new_alert(user=user)
    notification.save()
    alert.save()
    preference = EmailPreference.objects.create(user=user, language="ja", unsubscribed=["usage_warning"])
    return {"notification": notification, "usagealert": alert, "emailpreference": preference}


@pytest.mark.parametrize("model", ["notification", "usagealert", "emailpreference"])
def test_to_look_at(rows: dict[str, Any], model: str, user: Any) -> None:
    client = staff_who_may(*LOOK, *(permission.replace("view", "change") for permission in LOOK))
    assert str(user) in text(client.get(page(model), {"q": user.email}))
    shown = text(client.get(page(model, "change", rows[model].pk)))
    assert 'name="_save"' not in shown
    assert client.get(page(model, "add")).status_code == 403


def test_the_list_shows_the_first_line_of_an_error(rows: dict[str, Any]) -> None:
    shown = text(staff_who_may(*LOOK).get(page("notification")))
    assert "Nobody answers." in shown
    assert "At all." not in shown


def send_again(client: Any, row: Notification) -> Any:
    chosen = {"action": "send_again", "_selected_action": [row.pk]}
    return client.post(page("notification"), chosen, follow=True)


@pytest.mark.parametrize(("state", "count"), [(State.FAILED, 1), (State.SENT, 0)])
def test_send_again(state: str, count: int, django_capture_on_commit_callbacks: Any) -> None:
    row = variants.refund()
    row.state, row.attempts, row.error = state, 75, "Nobody answers."
    row.save()
    client = staff_who_may("view_notification", "change_notification")
    with django_capture_on_commit_callbacks(execute=True):
        shown = text(send_again(client, row))
    assert f"{count} e-mail" in shown
    send_due()  # the test's commit comes after the request that made it, so the job finds it
    row.refresh_from_db()
    assert (row.state, len(mail.outbox)) == (State.SENT, count)


def test_who_may_only_look_sends_nothing(rows: dict[str, Any]) -> None:
    shown = text(staff_who_may("view_notification").get(page("notification")))
    assert "send_again" not in shown
