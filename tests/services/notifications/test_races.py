"""Two senders at once, and one whose process is killed. PostgreSQL alone lets them race."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from django_videoq_billing.models import Notification
from django_videoq_billing.services.notifications import send_due
from tests.servers import wait_until
from tests.services.notifications.backends import Moody
from tests.services.notifications.test_sending import put

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True, available_apps=["django_videoq_billing", "django.contrib.auth"]),
    pytest.mark.usefixtures("billing"),
]
State = Notification.State

SENDER = """
import sys
import django
from django.test import override_settings
django.setup()
from django_videoq_billing.services.notifications import send_due
backend = "django.core.mail.backends.smtp.EmailBackend"
with override_settings(EMAIL_BACKEND=backend, EMAIL_HOST="127.0.0.1", EMAIL_PORT=int(sys.argv[1])):
    send_due()
"""


def test_racing_senders_send_each_mail_once() -> None:
    rows = [put() for _ in range(40)]
    barrier = Barrier(4)

    def work(_: int) -> int:
        try:
            barrier.wait(timeout=30)
            return send_due()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(work, range(4)))

    assert sum(done) == 40
    assert Counter(message.to[0] for message in mail.outbox) == Counter(row.user.email for row in rows)
    assert set(Notification.objects.values_list("state", "attempts")) == {(State.SENT, 1)}


def test_a_sender_that_is_killed_keeps_others_away_only_for_its_lease() -> None:
    """Killed while it waits for a mail server that takes the call and says nothing."""
    row = put()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        name = connection.settings_dict["NAME"]  # of the test database
        database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
        environment = {**os.environ, "DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        port = str(silent.getsockname()[1])
        sender = subprocess.Popen([sys.executable, "-c", SENDER, port], env=environment)  # noqa: S603
        try:
            wait_until(lambda: Notification.objects.filter(state=State.SENDING).exists(), seconds=60)
            silent.settimeout(60)
            caller, _ = silent.accept()
        finally:
            sender.kill()
        assert sender.wait() == -signal.SIGKILL
        caller.close()

    assert send_due() == 0, "it may still be alive"
    Notification.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert send_due() == 1
    row.refresh_from_db()
    assert (row.state, row.attempts, len(mail.outbox), Moody.opened) == (State.SENT, 2, 1, 1)


def test_unsubscribing_twice_at_once_is_done_once() -> None:
    from django_videoq_billing.services.notifications.unsubscribing import read_token, token_for

    user: Any = put().user
    kinds = ["usage_warning", "upgrade_confirmed", "reactivated"] * 2
    barrier = Barrier(len(kinds))

    def work(kind: str) -> None:
        try:
            barrier.wait(timeout=30)
            subscription = read_token(token_for(user.pk, kind))
            assert subscription is not None
            subscription.want(False)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(kinds)) as pool:
        list(pool.map(work, kinds))
    assert sorted(user.billing_email_preference.unsubscribed) == sorted(set(kinds))
