"""With a real mail server, which goes away and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from django.utils import timezone

from django_videoq_billing.models import Notification
from django_videoq_billing.services.notifications import send_due
from tests.notifications import variants
from tests.sandbox.driver import free_port
from tests.services.notifications.test_sending import put

pytest.importorskip("aiosmtpd", reason="The base install has no mail server to test with.")
from aiosmtpd.controller import Controller

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("billing", "clock")]
State = Notification.State


class PostOffice:
    """A server on a port of its own, what arrived there, and how many connections brought it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.arrived: list[EmailMessage] = []
        self.raw = b""
        self.peers: set[Any] = set()
        self.refuses = False
        self.open()

    def open(self) -> None:
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    def close(self) -> None:
        self.controller.stop()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refuses:
            return "451 Try again later"
        self.peers.add(session.peer)
        self.raw += envelope.content
        message: Any = message_from_bytes(envelope.content, policy=policy.default)
        self.arrived.append(message)
        return "250 OK"


@pytest.fixture
def post_office(settings: Any) -> Iterator[PostOffice]:
    office = PostOffice()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", office.port, 5
    yield office
    office.close()


def test_what_arrives(post_office: PostOffice) -> None:
    variants.warning("video", 80, 41).save()
    row = put(email="bob@example.com")
    assert send_due() == 2
    assert len(post_office.peers) == 1, "one connection for both"
    by_address = {message["To"]: message for message in post_office.arrived}
    message = by_address["bob@example.com"]
    assert message["Message-ID"] == f"<{row.message_id}@videos.example.com>"
    assert message["Subject"] == "Your plan is now Standard"
    unsubscribe = message["List-Unsubscribe"].strip()
    assert unsubscribe.startswith("<https://videos.example.com/api/billing/unsubscribe/")
    assert unsubscribe.endswith(">")
    assert f"{unsubscribe}\r\n".encode() in post_office.raw, "as it is: no mail program decodes it there"
    assert message.get_content_type() == "multipart/alternative"
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert "This is your plan from now on" in text.get_content()
    assert "<h1" in html.get_content()


def test_away_and_back(post_office: PostOffice, clock: Any) -> None:
    row = put()
    post_office.close()
    assert send_due() == 0
    row.refresh_from_db()
    assert row.state == State.WAITING
    assert "ConnectionRefused" in row.error

    post_office.open()
    post_office.refuses = True
    clock.move_to(row.next_attempt_at)
    assert send_due() == 0
    row.refresh_from_db()
    assert "Try again later" in row.error

    post_office.refuses = False
    clock.move_to(row.next_attempt_at)
    assert send_due() == 1
    assert len(post_office.arrived) == 1
    row.refresh_from_db()
    assert (row.state, row.settled_at, row.attempts) == (State.SENT, timezone.now(), 3)
