"""Who sends, and how soon: the process of the request after its answer, a worker, or Celery."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core import mail
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F
from django.test import AsyncClient, Client

from django_videoq_billing.models import Notification
from django_videoq_billing.services import outbox
from tests.factories import make_user, subscribed
from tests.notifications import variants
from tests.services.notifications.backends import Moody

pytestmark = [
    pytest.mark.django_db(transaction=True, available_apps=["django_videoq_billing", "django.contrib.auth"]),
    pytest.mark.urls("tests.services.notifications.promptly"),
    pytest.mark.usefixtures("billing"),
]
State, Kind = Notification.State, Notification.Kind


@pytest.fixture
def someone() -> Any:
    return subscribed(variants.standard(), make_user())


def states() -> list[str]:
    return list(Notification.objects.order_by("pk").values_list("state", flat=True))


def test_inline_after_the_answer(someone: Any) -> None:
    response = Client().get(f"/happen/?user={someone.pk}")
    assert response.content == b"done"
    assert (len(mail.outbox), states()) == (1, [State.SENT])


async def test_inline_in_an_async_view(someone: Any) -> None:
    await AsyncClient().get(f"/happen-async/?user={someone.pk}")
    assert len(mail.outbox) == 1
    await sync_to_async(_leave_thread)()


def _leave_thread() -> None:
    """Close what the thread in which the view ran has opened; Django keeps SQLite in memory open."""
    for opened in connections.all(initialized_only=True):
        BaseDatabaseWrapper.close(opened)


def test_inline_takes_a_few_others_along(someone: Any) -> None:
    for _ in range(9):
        other = subscribed(variants.standard(), make_user())
        outbox.add(Kind.UPGRADE_CONFIRMED, other.pk, "1", {"plan": "standard"})
    assert mail.outbox == [], "there is no request that could send it"
    Client().get(f"/happen/?user={someone.pk}")
    assert len(mail.outbox) == 5


def test_a_request_in_which_nothing_happens_sends_nothing(someone: Any) -> None:
    Client().get(f"/happen/?user={someone.pk}")
    Notification.objects.update(state=State.WAITING, next_attempt_at=F("created_at"))
    Client().get("/nothing/")
    assert len(mail.outbox) == 1


def test_inline_never_raises(someone: Any) -> None:
    Moody.is_away = True
    assert Client().get(f"/happen/?user={someone.pk}").status_code == 200
    assert states() == [State.WAITING]


def test_inside_a_tests_transaction_its_connection_stays(someone: Any) -> None:
    """As in a host's TestCase. PostgreSQL alone loses anything by closing it."""
    with transaction.atomic():
        Client().get("/look/")
        assert Notification.objects.count() == 0


def test_what_happened_before_a_request_is_not_its_to_send(someone: Any) -> None:
    outbox.add(Kind.UPGRADE_CONFIRMED, someone.pk, "1", {"plan": "standard"})
    Client().get("/nothing/")
    assert (mail.outbox, states()) == ([], [State.WAITING])


def test_worker_leaves_it_to_the_jobs(someone: Any, settings: Any) -> None:
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "EMAIL_SENDING": "worker"}
    Client().get(f"/happen/?user={someone.pk}")
    assert (mail.outbox, states()) == ([], [State.WAITING])


@pytest.fixture
def celery_app() -> Iterator[None]:
    """A host's app, which runs tasks at once, where it would queue them."""
    celery = pytest.importorskip("celery", reason="The base install has no Celery.")
    state: Any = import_module("celery._state")
    default, current = state.default_app, state._tls.current_app
    app = celery.Celery("host")
    app.conf.task_always_eager = True
    app.set_default()
    yield
    app.close()
    state.default_app, state._tls.current_app = default, current


@pytest.mark.usefixtures("celery_app")
def test_celery_is_told_at_once(someone: Any, settings: Any) -> None:
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "EMAIL_SENDING": "celery"}
    Client().get(f"/happen/?user={someone.pk}")
    assert (len(mail.outbox), states()) == (1, [State.SENT])


def test_work_of_another_kind_is_none_of_ours(someone: Any) -> None:
    from django_videoq_billing.signals import work_waiting

    work_waiting.send(None, job="process_webhooks")
    Client().get("/nothing/")
    assert mail.outbox == []
