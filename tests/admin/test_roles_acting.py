"""Each role may do in the admin what is decided for it, and what it may not do changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from django_videoq_billing.models import SubscriptionPlan, WebhookEvent
from tests.admin.roles import ACTIONS, APP, MOVES, everything, move_address

pytestmark = pytest.mark.django_db


def test_an_action_that_is_not_decided_changes_nothing(
    role: str, staff: Client, rows: dict[str, Model]
) -> None:
    before = everything()
    for (model, action), roles in ACTIONS.items():
        if role not in roles:
            data = {"action": action, "_selected_action": [rows[model].pk], "post": "yes"}
            staff.post(reverse(f"admin:{APP}_{model}_changelist"), data)
            assert everything() == before, (model, action)


def test_an_action_that_is_decided_does_something(role: str, staff: Client, rows: dict[str, Model]) -> None:
    """Deleting comes last, and bringing plans to Stripe leads to a page of its own."""
    SubscriptionPlan.objects.filter(pk=rows["subscriptionplan"].pk).update(is_active=False, is_public=False)
    order = ["activate", "deactivate", "list_publicly", "hide", "duplicate", "delete_selected"]
    mine = [key for key, roles in ACTIONS.items() if role in roles and key[1] != "sync_to_stripe"]
    for model, action in sorted(mine, key=lambda key: order.index(key[1]) if key[1] in order else -1):
        WebhookEvent.objects.update(state=WebhookEvent.State.FAILED)
        before = everything()
        data = {"action": action, "_selected_action": [rows[model].pk], "post": "yes"}
        answer = staff.post(reverse(f"admin:{APP}_{model}_changelist"), data)
        assert answer.status_code == 302, (model, action)
        assert everything() != before, (model, action)


def test_each_move_is_asked_of_whom_it_is_decided_and_of_nobody_else(
    role: str, staff: Client, rows: dict[str, Model]
) -> None:
    for (model, move), roles in MOVES.items():
        status = staff.get(move_address(model, move, rows)).status_code
        assert status in ((200, 405) if role in roles else (403,)), (model, move)


def test_a_move_that_is_not_decided_changes_nothing(role: str, staff: Client, rows: dict[str, Model]) -> None:
    before = everything()
    for (model, move), roles in MOVES.items():
        if role not in roles:
            answer = staff.post(move_address(model, move, rows), whatever_it_asks(rows))
            assert answer.status_code == 403, (model, move)
    assert everything() == before


@pytest.mark.parametrize("move", ["grant", "correct", "assign"])
def test_a_move_that_is_decided_works(role: str, staff: Client, rows: dict[str, Model], move: str) -> None:
    before = everything()
    answer: Any = staff.post(move_address("usersubscription", move, rows), whatever_it_asks(rows))
    if role in MOVES["usersubscription", move]:
        assert answer.status_code == 302, answer.context_data["form"].errors
        assert everything() != before
    else:
        assert answer.status_code == 403


def whatever_it_asks(rows: dict[str, Model]) -> dict[str, Any]:
    """Enough for every form."""
    return {
        "plan": rows["subscriptionplan"].pk,
        "metric": "video",
        "amount": 2,
        "used": 1,
        "reason": "agreed by mail",
        "when": "now",
    }
