"""From the row to the mail: once, late where it must be, and never in the way."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from django_videoq_billing.jobs import JOBS, run_job
from django_videoq_billing.models import EmailPreference, Notification
from django_videoq_billing.services import notifications, outbox
from django_videoq_billing.services.notifications import send_due, sending
from django_videoq_billing.services.notifications.sending import LEASE, MOST_ATTEMPTS
from tests.factories import make_user, subscribed
from tests.notifications import variants
from tests.services.notifications.backends import Deadly, Moody, Watchful

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("billing", "clock")]
State, Kind = Notification.State, Notification.Kind


def put(**fields: Any) -> Notification:
    """A confirmation for a user on the plan Standard."""
    user = subscribed(variants.standard(), make_user(**fields))
    outbox.add(Kind.UPGRADE_CONFIRMED, user.pk, "1", {"plan": "standard"})
    return Notification.objects.get(user=user)


def states() -> list[str]:
    return list(Notification.objects.order_by("pk").values_list("state", flat=True))


def test_a_mail_is_sent_once(caplog: pytest.LogCaptureFixture) -> None:
    row = put(email="ada@example.com")
    with caplog.at_level(logging.INFO, "django_videoq_billing"):
        assert [send_due(), send_due()] == [1, 0]
    [message] = mail.outbox
    assert (message.to, message.subject) == (["ada@example.com"], "Your plan is now Standard")
    row.refresh_from_db()
    assert (row.state, row.attempts, row.settled_at, row.error) == (State.SENT, 1, timezone.now(), "")
    [line] = [record for record in caplog.records if record.message == "email_sent"]
    assert (vars(line)["kind"], vars(line)["user_id"]) == ("upgrade_confirmed", str(row.user_id))
    assert "ada@" not in str([vars(record) for record in caplog.records])


def test_what_another_process_is_sending_is_left_to_it() -> None:
    another = put()
    fields = {"state": State.SENDING, "attempts": 1, "leased_until": timezone.now() + LEASE}
    Notification.objects.filter(pk=another.pk).update(**fields, next_attempt_at=timezone.now() + LEASE)
    put()
    assert send_due() == 1
    assert states() == [State.SENDING, State.SENT]


def test_headers() -> None:
    row = put()
    send_due()
    headers = mail.outbox[0].message()
    assert headers["Message-ID"] == f"<{row.message_id}@videos.example.com>"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["From"] == "VideoQ <billing@videos.example.com>"
    assert headers["List-Unsubscribe"].startswith("<https://videos.example.com/api/billing/unsubscribe/")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_message_id_without_an_address_of_the_site(settings: Any) -> None:
    settings.VIDEOQ_BILLING = {"EMAIL_FROM": "Billing <billing@shop.example>"}
    row = put()
    send_due()
    assert mail.outbox[0].extra_headers["Message-ID"] == f"<{row.message_id}@shop.example>"
    assert "List-Unsubscribe" not in mail.outbox[0].extra_headers


def test_the_longest_waiting_first_and_no_more_than_asked_for() -> None:
    rows = [put() for _ in range(3)]
    Notification.objects.filter(pk=rows[2].pk).update(next_attempt_at=timezone.now() - timedelta(hours=1))
    assert send_due(2) == 2
    assert states() == [State.SENT, State.WAITING, State.SENT]
    assert send_due(go_on=lambda: False) == 0


def test_one_connection_for_a_round() -> None:
    for _ in range(3):
        put()
    send_due()
    assert (len(mail.outbox), Moody.opened, Moody.closed) == (3, 1, 1)
    send_due()
    assert Moody.opened == 1, "nothing was due, so nobody was called"


# A mail server that fails


def test_a_server_that_is_away_delays(clock: Any, caplog: pytest.LogCaptureFixture) -> None:
    row = put(email="ada@example.com")
    Moody.is_away = True
    for minutes in (1, 5, 15, 60, 60):
        assert send_due() == 0
        row.refresh_from_db()
        assert row.state == State.WAITING
        assert row.next_attempt_at == timezone.now() + timedelta(minutes=minutes)
        assert "Nobody answers" in row.error
        assert send_due() == 0, "it is not due yet"
        clock.move_to(row.next_attempt_at)
    assert {record.message for record in caplog.records} == {"email_failed"}
    assert "ada@" not in str([vars(record) for record in caplog.records])

    Moody.is_away = False
    assert send_due() == 1
    row.refresh_from_db()
    assert (row.state, row.error, row.attempts) == (State.SENT, "", 6)


def test_after_three_days_it_is_given_up_and_may_be_sent_again(clock: Any) -> None:
    row, began = put(), timezone.now()
    Moody.is_away = True
    while row.state == State.WAITING:
        send_due()
        row.refresh_from_db()
        clock.move_to(max(row.next_attempt_at, timezone.now()))
    assert (row.state, row.attempts) == (State.FAILED, MOST_ATTEMPTS)
    assert timedelta(days=2, hours=20) < timezone.now() - began < timedelta(days=3, hours=4)

    Moody.is_away = False
    assert send_due() == 0
    assert row.error
    assert notifications.send_again(Notification.objects.all()) == 1
    row.refresh_from_db()
    assert row.error == "", "that is over"
    assert send_due() == 1
    assert notifications.send_again(Notification.objects.all()) == 0, "it was sent"


def test_a_server_that_is_away_is_not_called_for_every_mail() -> None:
    for _ in range(5):
        put()
    Moody.is_away = True
    send_due()
    assert sorted(Notification.objects.values_list("attempts", flat=True)) == [0, 0, 1, 1, 1]


def test_an_address_that_is_refused_holds_up_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    for number in range(3):
        put(email=f"user-{number}@example.com")
    Moody.refused = {"user-0@example.com", "user-1@example.com"}
    assert send_due() == 1
    assert states() == [State.WAITING, State.WAITING, State.SENT]
    assert Moody.opened == 3, "a connection on which something failed is not used again"
    assert "user-" not in str([vars(record) for record in caplog.records])


def test_a_template_that_fails_holds_up_nobody_else(settings: Any, tmp_path: Any) -> None:
    broken = tmp_path / "django_videoq_billing/emails/reactivated"
    broken.mkdir(parents=True)
    (broken / "body.txt").write_text("{% url 'nowhere' %}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    row = put()
    outbox.add(Kind.REACTIVATED, row.user_id, "1", {"plan": "standard"})
    Notification.objects.filter(kind=Kind.REACTIVATED).update(
        next_attempt_at=timezone.now() - timedelta(hours=1)
    )
    assert send_due() == 1
    assert "nowhere" in Notification.objects.get(kind=Kind.REACTIVATED).error


# A sender that dies


def test_a_sender_that_dies_sends_again_under_the_same_id(settings: Any, clock: Any) -> None:
    settings.EMAIL_BACKEND = Deadly.PATH
    row = put()
    with pytest.raises(KeyboardInterrupt):
        send_due()
    settings.EMAIL_BACKEND = Moody.PATH
    assert send_due() == 0, "it may still be alive"
    clock.move_to(timezone.now() + LEASE)
    assert send_due() == 1
    first, second = (message.extra_headers["Message-ID"] for message in mail.outbox)
    assert first == second
    row.refresh_from_db()
    assert (row.state, row.attempts) == (State.SENT, 2)


def test_a_sender_that_was_only_slow_does_not_undo_what_another_has_noted(
    clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = put()

    def slow(self: Moody, messages: Any) -> int:
        monkeypatch.undo()
        clock.move_to(timezone.now() + LEASE)
        assert send_due() == 1
        raise OSError("the first connection has broken meanwhile")

    monkeypatch.setattr(Moody, "send_messages", slow)
    send_due()
    row.refresh_from_db()
    assert (row.state, row.error) == (State.SENT, "")


def test_a_sender_that_was_only_slow_leaves_the_row_to_who_has_taken_it_over(
    clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = put()

    def slow(self: Moody, messages: Any) -> int:
        clock.move_to(timezone.now() + LEASE)
        assert sending._claim() == row, "the other one is in the middle of it"
        raise OSError("the first connection has broken meanwhile")

    monkeypatch.setattr(Moody, "send_messages", slow)
    send_due()
    row.refresh_from_db()
    assert (row.state, row.attempts, row.error) == (State.SENDING, 2, "")


# Nobody to tell


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"email": ""}, "The user has no e-mail address."), ({"is_active": False}, "switched off")],
)
def test_nobody_to_tell(fields: dict[str, Any], reason: str) -> None:
    row = put(**fields)
    assert send_due() == 1
    row.refresh_from_db()
    assert (row.state, row.settled_at, mail.outbox) == (State.SKIPPED, timezone.now(), [])
    assert reason in row.error


def test_unwanted() -> None:
    row = put()
    EmailPreference.objects.create(user=row.user, unsubscribed=["upgrade_confirmed", "refund"])
    send_due()
    row.refresh_from_db()
    assert (row.state, row.error) == (State.SKIPPED, "The user has unsubscribed.")


def test_what_tells_of_money_cannot_be_unwanted() -> None:
    row = variants.refund()
    row.save()
    EmailPreference.objects.create(user=row.user, unsubscribed=["refund"])
    send_due()
    assert [message.subject for message in mail.outbox] == ["We have refunded ¥1,480"]


def test_a_kind_that_was_switched_off_since(settings: Any) -> None:
    put()
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "EMAILS": {"upgrade_confirmed": False}}
    send_due()
    assert (states(), mail.outbox) == ([State.SKIPPED], [])


# Who sends


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_inside_a_transaction(settings: Any) -> None:
    settings.EMAIL_BACKEND = Watchful.PATH
    Watchful.in_transaction.clear()
    put()
    send_due()
    assert Watchful.in_transaction == [False]


def test_the_job() -> None:
    for _ in range(2):
        put()
    run = run_job(JOBS["send_notifications"])
    assert run is not None
    assert (run.done, states()) == (2, [State.SENT, State.SENT])
