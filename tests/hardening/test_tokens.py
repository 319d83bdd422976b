"""No guess opens what a token opens: the health page, and the links in e-mails."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from hypothesis import example, given
from hypothesis import strategies as st

from django_videoq_billing.models import EmailPreference
from django_videoq_billing.services.notifications.unsubscribing import token_for
from tests.factories import make_user
from tests.hardening.examples import examples

pytestmark = pytest.mark.django_db
TOKEN = "a-token-for-the-tests"


@examples(few=80)
@given(header=st.text(st.characters(max_codepoint=255)) | st.text().map(lambda text: f"Bearer {text}"))
@example(header="Bearer ")
@example(header=f"Bearer {TOKEN[:-1]}")
@example(header=f"Basic {TOKEN}")
@example(header=f"Token {TOKEN}")
def test_health_opens_for_the_token_alone(settings: Any, header: str) -> None:
    settings.VIDEOQ_BILLING = {
        **settings.VIDEOQ_BILLING,
        "HEALTH_TOKEN": TOKEN,
        "THROTTLE_RATES": {"read": None},
    }
    on_the_wire = header.encode("utf-8").decode("latin-1")  # as servers hand it on
    answer = Client().get("/api/billing/health", headers={"authorization": on_the_wire})
    assert answer.status_code == 401
    assert set(answer.json()) == {"error", "message", "details"}


WHO = ("nobody", "its user", "another user", "staff")


@pytest.mark.parametrize("who", WHO)
def test_a_link_does_the_same_whoever_is_signed_in(user: Any, who: str) -> None:
    asking = {"its user": user, "another user": make_user(), "staff": make_user(is_staff=True)}
    client = Client(enforce_csrf_checks=True)
    if who != "nobody":
        client.force_login(asking[who])
    link = "/api/billing/unsubscribe/" + token_for(user.pk, "usage_warning")
    said = [(answer.status_code, answer.text) for answer in (client.get(link), client.post(link))]

    nobody = Client()
    EmailPreference.objects.all().delete()
    assert said == [(answer.status_code, answer.text) for answer in (nobody.get(link), nobody.post(link))]
    assert [status for status, _ in said] == [200, 200]

    EmailPreference.objects.all().delete()
    client.post(link)
    assert list(EmailPreference.objects.values_list("user", "unsubscribed")) == [(user.pk, ["usage_warning"])]
    for wrong in (link[:-1], "/api/billing/unsubscribe/none"):
        assert [client.get(wrong).status_code, client.post(wrong).status_code] == [404, 404]


@examples(few=80)
@given(data=st.data())
def test_a_link_that_was_changed_opens_nothing(user: Any, data: st.DataObject) -> None:
    """Anything at all, or a true one of which one character is another."""
    true = token_for(user.pk, "usage_warning")
    place = data.draw(st.integers(0, len(true) - 2))  # the last one holds bits that mean nothing
    other = data.draw(st.characters(codec="utf-8").filter(lambda new: new not in (true[place], "/")))
    given_up = data.draw(
        st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda text: "/" not in text)
    )
    for token in (true[:place] + other + true[place + 1 :], given_up):
        for ask in (Client().get, Client().post):
            assert ask("/api/billing/unsubscribe/" + quoted(token)).status_code == 404
    assert not EmailPreference.objects.exists()


def quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())
