"""The inbox can be looked at and processed once more, and shows nobody's address or card."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from django_videoq_billing.admin.webhooks import HIDDEN, masked
from django_videoq_billing.models import WebhookEvent
from django_videoq_billing.webhooks import handles, registry
from tests.admin.conftest import log, page, staff_who_may, text
from tests.factories import make_payment, make_user, subscribed

CHARGE = {
    "id": "ch_3PAbcdefGHIJ1234",
    "object": "charge",
    "amount": 1200,
    "paid": True,
    "failure_code": None,
    "billing_reason": "subscription_create",
    "collection_method": "charge_automatically",
    "description": "For ada.lovelace@example.com, card 4242 4242 4242 4242",
    "customer": "cus_QAbcdefGHIJ1234",
    "receipt_email": "ada.lovelace@example.com",
    "receipt_url": "https://pay.example/receipts/abc",
    "client_secret": "pi_3PAbcdef_secret_XYZ98765",
    "billing_details": {
        "address": {"city": "Marylebone", "country": "GB", "line1": "12 St James's Sq", "postal_code": "SW1Y"},
        "email": "ada@example.com",
        "name": "Ada Lovelace",
        "phone": "+44 20 7946 0000",
    },
    "payment_method_details": {
        "type": "card",
        "card": {
            "brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2034, "fingerprint": "Xt5EWLLDS7FJjR1c",
        },
    },
    "metadata": {"user_id": "7", "plan_id": "2"},
    "refunds": {"data": [{"id": "re_3PAbcdefGHIJ5678", "receipt_number": "1234-5678"}]},
}  # fmt: skip
PRIVATE = [
    "lovelace", "Lovelace", "Marylebone", "St James", "SW1Y", "7946", "4242", "2034", "Xt5EWLLDS7FJjR1c",
    "pay.example", "XYZ98765", "abcdefGHIJ", "cus_Q",
]  # fmt: skip


@pytest.fixture
def make_event(db: None) -> Callable[..., WebhookEvent]:
    def make(event_id: str = "evt_1PAbcdefGHIJ1234", **fields: Any) -> WebhookEvent:
        now = timezone.now()
        kind = fields.pop("type", "charge.succeeded")
        payload = {"id": event_id, "type": kind, "livemode": False, "data": {"object": CHARGE}}
        values = {"type": kind, "payload": payload, "created_at": now, "next_attempt_at": now, **fields}
        return WebhookEvent.objects.create(stripe_event_id=event_id, **values)

    return make


def act(client: Client, *events: WebhookEvent) -> Any:
    chosen = [str(event.pk) for event in events]
    return client.post(
        page("webhookevent"), {"action": "process_again", "_selected_action": chosen}, follow=True
    )


def test_the_list_says_what_happened(admin_client: Client, make_event: Any) -> None:
    make_event("evt_1", state="failed", attempts=3, error="StripeUnavailable: away\nmore of it")
    make_event("evt_2", type="invoice.paid", state="processed")
    shown = text(admin_client.get(page("webhookevent")))
    for expected in (
        "charge.succeeded",
        "invoice.paid",
        "Failed",
        "Processed",
        "StripeUnavailable: away",
        ">3<",
    ):
        assert expected.lower() in shown.lower()
    assert "more of it" not in shown


def test_the_list_leaves_the_bodies_in_the_database(
    admin_client: Client, make_event: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        make_event(f"evt_{number}")
    with django_assert_max_num_queries(12) as queries:
        admin_client.get(page("webhookevent"))
    assert not [query for query in queries if '"payload"' in query["sql"]]


@pytest.mark.parametrize("term", ["evt_1PAbcdef", "invoice.paid", "StripeUnavailable"])
def test_it_finds_by_id_type_and_error(admin_client: Client, make_event: Any, term: str) -> None:
    make_event(type="invoice.paid", error="StripeUnavailable: away")
    make_event("evt_2", type="price.created")
    shown = text(admin_client.get(page("webhookevent"), {"q": term}))
    assert "invoice.paid" in shown
    assert "price.created</td>" not in shown


def test_not_even_a_superuser_adds_changes_or_deletes(admin_client: Client, make_event: Any) -> None:
    event = make_event()
    before = WebhookEvent.objects.values().get()
    assert admin_client.get(page("webhookevent", "add")).status_code == 403
    assert admin_client.post(page("webhookevent", "change", event.pk), {"state": "x"}).status_code == 403
    assert admin_client.post(page("webhookevent", "delete", event.pk), {"post": "yes"}).status_code == 403
    admin_client.post(
        page("webhookevent"), {"action": "delete_selected", "_selected_action": [event.pk], "post": "yes"}
    )
    assert WebhookEvent.objects.values().get() == before


def test_the_page_shows_the_body_without_the_person(admin_client: Client, make_event: Any) -> None:
    shown = text(admin_client.get(page("webhookevent", "change", make_event().pk)))
    assert "evt_1PAbcdefGHIJ1234" in shown, "an operator looks it up in Stripe's dashboard"
    body = shown[shown.index("<pre>") : shown.index("</pre>")]
    assert [word for word in PRIVATE if word in body] == []
    for kept in (
        "subscription_create",
        "charge_automatically",
        "1200",
        "visa",
        "GB",
        "user_id",
        f"ch_{HIDDEN}1234",
    ):
        assert kept in body


def test_a_body_is_shown_as_text(admin_client: Client, make_event: Any) -> None:
    event = make_event(payload={"data": {"object": {"note": "</pre><script>alert(1)</script>"}}})
    assert "<script>alert" not in text(admin_client.get(page("webhookevent", "change", event.pk)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a@example.com", f"a{HIDDEN}@example.com"),
        ("To: <ada@example.com>, bob@example.org", f"To: <ad{HIDDEN}@example.com>, bo{HIDDEN}@example.org"),
        ("sub_sched_1PAbcdefGHIJ1234", f"sub_sched_{HIDDEN}1234"),
        ("cs_test_a1B2c3D4e5F6", f"cs_test_{HIDDEN}e5F6"),
        ("past_due", "past_due"),
        ("error_if_incomplete", "error_if_incomplete"),
        ("2026-03-31", "2026-03-31"),
        (1_767_225_600, 1_767_225_600),
        (None, None),
        (False, False),
        ([], []),
        ({"email": None, "name": "Ada", "names": ["Ada"]}, {"email": None, "name": HIDDEN, "names": ["Ada"]}),
    ],
)
def test_what_is_masked(value: Any, expected: Any) -> None:
    assert masked(value) == expected


@pytest.fixture
def heard() -> Iterator[list[str]]:
    events: list[str] = []

    @handles("test.heard")
    def listen(event: WebhookEvent) -> None:
        events.append(event.stripe_event_id)

    yield events
    del registry._handlers["test.heard"]


def test_a_failed_event_is_processed_again_at_once(
    admin_client: Client, make_event: Any, heard: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    later = timezone.now() + timedelta(hours=1)
    failed = make_event(
        "evt_1", type="test.heard", state="failed", attempts=4, error="x", next_attempt_at=later
    )
    make_event("evt_2", type="test.heard", state="failed", next_attempt_at=later)
    with django_capture_on_commit_callbacks(execute=True):
        shown = text(act(admin_client, failed))
    assert "1 event will be processed again." in shown
    assert heard == ["evt_1"]
    failed.refresh_from_db()
    assert (failed.state, failed.attempts, failed.error) == ("processed", 1, "")


def test_where_there_are_workers_it_is_theirs(
    settings: Any,
    admin_client: Client,
    make_event: Any,
    heard: list[str],
    django_capture_on_commit_callbacks: Any,
) -> None:
    settings.VIDEOQ_BILLING = {"WEBHOOK_PROCESSING": "worker"}
    events = [make_event(f"evt_{n}", type="test.heard", state="processed") for n in range(2)]
    with django_capture_on_commit_callbacks(execute=True):
        assert "2 events will be processed again." in text(act(admin_client, *events))
    assert heard == []
    assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"received"}


def test_what_is_being_processed_is_left(admin_client: Client, make_event: Any) -> None:
    event = make_event(state="processing", leased_until=timezone.now() + timedelta(minutes=5))
    assert "0 events" in text(act(admin_client, event))
    assert WebhookEvent.objects.get().state == "processing"


def test_who_may_only_look_cannot_process(make_event: Any) -> None:
    event = make_event(state="failed")
    viewer, changer = (
        staff_who_may("view_webhookevent"),
        staff_who_may("view_webhookevent", "replay_events"),
    )
    assert "process_again" not in text(viewer.get(page("webhookevent")))
    act(viewer, event)
    assert WebhookEvent.objects.get().state == "failed"
    assert "process_again" in text(changer.get(page("webhookevent")))
    act(changer, event)
    assert WebhookEvent.objects.get().state == "received"
    assert staff_who_may("view_usagerecord").get(page("webhookevent")).status_code == 403


class TestIgnoring:
    def ignore(self, client: Client, *events: WebhookEvent) -> str:
        form = {"action": "ignore", "_selected_action": [event.pk for event in events]}
        return text(client.post(page("webhookevent"), form, follow=True))

    def test_what_failed_is_left_alone_and_can_be_taken_up_again(
        self, admin_client: Client, make_event: Any
    ) -> None:
        failed, done = (
            make_event(state="failed", error="No such thing"),
            make_event("evt_2", state="processed"),
        )
        busy = make_event("evt_3", state="processing")
        assert "1 event is left alone." in self.ignore(admin_client, failed, done, busy)
        states = list(WebhookEvent.objects.order_by("pk").values_list("state", flat=True))
        assert states == ["ignored", "processed", "processing"]
        failed.refresh_from_db()
        assert failed.error == "No such thing"
        assert not WebhookEvent.objects.due(timezone.now() + timedelta(days=9)).filter(pk=failed.pk).exists()
        assert log() == ["Ignored."]
        act(admin_client, failed)
        assert log() == ["Ignored.", "To be processed again."]

    def test_needs_the_permission(self, make_event: Any) -> None:
        event = make_event(state="failed")
        self.ignore(staff_who_may("view_webhookevent", "change_webhookevent"), event)
        event.refresh_from_db()
        assert event.state == "failed"


class TestTheNotice:
    @pytest.mark.parametrize(
        ("minutes", "state", "told"), [(61, "failed", 1), (59, "failed", 0), (61, "ignored", 0)]
    )
    def test_says_what_has_failed_for_an_hour(
        self, admin_client: Client, make_event: Any, minutes: int, state: str, told: int
    ) -> None:
        make_event(state=state)
        WebhookEvent.objects.update(received_at=timezone.now() - timedelta(minutes=minutes))
        shown = text(admin_client.get(page("webhookevent")))
        assert shown.count("1 event has been failing for more than an hour.") == told
        assert "1 webhook event" in text(admin_client.get(page("webhookevent"), {"state__exact": state}))


class TestWhatItConcerns:
    def test_is_linked(self, admin_client: Client, make_event: Any, plan: Any) -> None:
        ada = subscribed(plan, make_user(username="ada"), stripe_customer_id=CHARGE["customer"])
        payment = make_payment(user=ada, stripe_object_id=CHARGE["id"])
        address = page("webhookevent", "change", make_event().pk)
        subscription_page = page("usersubscription", "change", ada.subscription.pk)
        payment_page = page("paymenttransaction", "change", payment.pk)
        shown = text(admin_client.get(address))
        assert subscription_page in shown
        assert payment_page in shown
        shown = text(staff_who_may("view_webhookevent", "view_usersubscription").get(address))
        assert subscription_page in shown
        assert payment_page not in shown

    def test_may_be_nobody(self, admin_client: Client, make_event: Any) -> None:
        event = make_event(payload={"data": {"object": {"object": "balance"}}})
        assert "vqb-moves" not in text(admin_client.get(page("webhookevent", "change", event.pk)))
