"""Every page of ours opens in unfold's dress, and what is done there works as it does under Django's."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from django_videoq_billing.models import ExtraAllowance, UserSubscription, WebhookEvent
from tests.admin.conftest import text
from tests.admin.roles import APP, MOVES, address, move_address, our_pages

pytestmark = pytest.mark.django_db
READ_ONLY = ("_add", "_delete")


def test_every_page_opens_and_is_unfolds(admin_client: Client, rows: dict[str, Model]) -> None:
    opened = 0
    for page in sorted(our_pages()):
        if page.endswith("_move"):
            continue
        answer: Any = admin_client.get(address(page, rows))
        assert answer.status_code in ((200, 403) if page.endswith(READ_ONLY) else (200,)), page
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            assert "unfold/css" in answer.content.decode(), page
            opened += 1
    assert opened > 40


def test_every_move_asks_its_questions(admin_client: Client, rows: dict[str, Model]) -> None:
    for model, move in MOVES:
        assert admin_client.get(move_address(model, move, rows)).status_code in (200, 405), (model, move)


def test_a_row_shows_its_moves(admin_client: Client, rows: dict[str, Model]) -> None:
    shown = text(admin_client.get(address(f"{APP}_usersubscription_change", rows)))
    assert move_address("usersubscription", "grant", rows) in shown


def test_a_move_works(admin_client: Client, rows: dict[str, Model]) -> None:
    form = {"metric": "video", "amount": 4, "reason": "An upload was lost."}
    answer = admin_client.post(move_address("usersubscription", "grant", rows), form, follow=True)
    assert "Granted: +4 videos" in text(answer)
    assert ExtraAllowance.objects.filter(amount=4).exists()
    assert UserSubscription.objects.get(pk=rows["usersubscription"].pk).extra_videos == 4


def test_an_action_works(admin_client: Client, rows: dict[str, Model]) -> None:
    form = {"action": "ignore", "_selected_action": [rows["webhookevent"].pk]}
    admin_client.post(reverse(f"admin:{APP}_webhookevent_changelist"), form)
    assert WebhookEvent.objects.get().state == WebhookEvent.State.IGNORED


def test_a_users_page_has_the_subscription(admin_client: Client, rows: dict[str, Model]) -> None:
    subscription: Any = rows["usersubscription"]
    shown = text(admin_client.get(reverse("admin:auth_user_change", args=[subscription.user_id])))
    assert reverse(f"admin:{APP}_usersubscription_change", args=[subscription.pk]) in shown
