"""Events as Stripe delivers them: signed, to the host's own webhook URL, through all of its middleware."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, router
from django.test import Client, TestCase
from django.urls import NoReverseMatch, reverse

from django_videoq_billing.models import Notification, WebhookEvent
from django_videoq_billing.services import notifications
from django_videoq_billing.signals import webhook_failed
from django_videoq_billing.testing.errors import SandboxError
from django_videoq_billing.webhooks import inbox

SECRET = "whsec_of_a_hosts_tests"  # noqa: S105 - signs nothing but the sandbox's events

Events = Sequence[dict[str, Any]]


@contextmanager
def committed() -> Iterator[None]:
    """Run what waits for the commit at the end of the block: a `TestCase` never commits, a site does."""
    with ExitStack() as stack:
        for alias in {DEFAULT_DB_ALIAS, router.db_for_write(WebhookEvent)}:
            stack.enter_context(TestCase.captureOnCommitCallbacks(using=alias, execute=True))
        yield


def in_order(events: Events, *, twice: bool, shuffled: bool | int) -> list[dict[str, Any]]:
    """Return the events in the order, and as often, as they are to arrive; a number repeats the shuffle."""
    arriving = [event for event in events for _ in range(2 if twice else 1)]
    if shuffled is not False:
        random.Random(int(shuffled)).shuffle(arriving)  # noqa: S311 - a test that can be repeated
    return arriving


def deliver(events: Events, *, check: bool) -> None:
    """Post each event, and let the site do what follows. With `check` one that cannot be processed is raised."""
    url, client = webhook_url(), Client()
    errors: dict[str, Exception] = {}

    def note(event: WebhookEvent, error: Exception, **kwargs: Any) -> None:
        errors[event.stripe_event_id] = error

    webhook_failed.connect(note)
    try:
        for event in events:
            with committed():
                _post(client, url, event)
        with committed():
            inbox.process_due()
    finally:
        webhook_failed.disconnect(note)
    if check:
        _raise_first(events, errors)
    with mails_sent(check=check), committed():
        notifications.send_due()


@contextmanager
def mails_sent(*, check: bool = True) -> Iterator[None]:
    """With `check`, raise SandboxError for an e-mail that could not be sent inside the block."""
    waiting = (Notification.State.WAITING, Notification.State.FAILED)
    troubled = Notification.objects.filter(state__in=waiting).exclude(error="").order_by("pk")
    before = set(troubled.values_list("pk", "attempts")) if check else set()
    yield
    for row in troubled.all() if check else ():
        if (row.pk, row.attempts) not in before:
            raise SandboxError(
                f"The e-mail {row.kind} could not be sent: {row.error} (check=False leaves it in the outbox.)"
            )


def webhook_url() -> str:
    try:
        return reverse("videoq_billing:stripe-webhook")
    except NoReverseMatch as error:
        raise SandboxError(
            "The project has no webhook URL of billing: its ROOT_URLCONF must have "
            'path("api/", include("django_videoq_billing.urls")).'
        ) from error


def _post(client: Client, url: str, event: dict[str, Any]) -> None:
    from django_videoq_billing.sandbox.deliveries import signature  # of the extra

    body = json.dumps(event, indent=2).encode()
    headers = {"stripe-signature": signature(body, [SECRET], int(time.time()))}
    answer = client.post(url, body, "application/json; charset=utf-8", headers=headers, secure=True)
    if answer.status_code != 200:
        raise SandboxError(
            f"{url} answered {answer.status_code} to {event['type']}: "
            f"{answer.content.decode(errors='replace')[:300]} (Does a middleware stand in the way?)"
        )


def _raise_first(events: Events, errors: dict[str, Exception]) -> None:
    ids = [event["id"] for event in events]
    failed = WebhookEvent.objects.filter(stripe_event_id__in=ids, state=WebhookEvent.State.FAILED)
    for row in failed.order_by("pk"):
        raise SandboxError(
            f"{row.type} could not be processed: {row.error} (check=False leaves it in the inbox, as on a site.)"
        ) from errors.get(row.stripe_event_id)
