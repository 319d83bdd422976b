"""Each role of `billing_groups` may see in the admin what is decided for it, and nothing more.

Every page, action and move of the admin needs a decision: a new one without it fails the first test.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from django_videoq_billing.management.groups import PLAN_MANAGER, SUPPORT, bring_in_line
from django_videoq_billing.models import SubscriptionPlan
from tests.admin.conftest import text
from tests.admin.roles import (
    ACTIONS,
    APP,
    MOVES,
    NOBODY,
    OTHER_PAGES,
    VIEWERS,
    WRITERS,
    address,
    decision,
    everything,
    our_actions,
    our_admins,
    our_moves,
    our_pages,
)
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_every_page_action_and_move_has_a_decision() -> None:
    assert {page for page in our_pages() if decision(page) is None} == set()
    assert our_actions() - ACTIONS.keys() == set()
    assert our_moves() - MOVES.keys() == set()
    assert len(our_pages()) > 50


def test_no_decision_is_about_what_is_gone() -> None:
    assert VIEWERS.keys() - our_admins().keys() <= {"dailyfigures"}
    assert OTHER_PAGES.keys() - our_pages() == set()
    assert ACTIONS.keys() - our_actions() == set()
    assert MOVES.keys() - our_moves() == set()


def test_each_page_opens_for_whom_it_is_decided_and_for_nobody_else(
    role: str, staff: Client, rows: dict[str, Model]
) -> None:
    for page in sorted(our_pages()):
        if page.endswith("_move"):
            continue
        wanted = 200 if role in (decision(page) or NOBODY) else 403
        assert staff.get(address(page, rows)).status_code == wanted, page


def test_forms_are_taken_from_those_who_write_alone(role: str, staff: Client, rows: dict[str, Model]) -> None:
    before = everything()
    for page in sorted(our_pages()):
        if page.rpartition("_")[2] not in ("add", "change", "delete"):
            continue
        model = page.removeprefix(f"{APP}_").rpartition("_")[0]
        status = staff.post(address(page, rows), {"name": "x"}).status_code
        if role not in WRITERS.get(model, NOBODY):
            assert status == 403, page
        elif not page.endswith("_delete"):
            assert status == 200, page  # the form says what is missing
    if role != PLAN_MANAGER:
        assert everything() == before
    else:
        assert not SubscriptionPlan.objects.filter(pk=rows["subscriptionplan"].pk).exists()


def test_each_is_offered_the_actions_that_are_decided(role: str, staff: Client) -> None:
    for model, model_admin in our_admins().items():
        if role not in VIEWERS[model]:
            continue
        page: Any = staff.get(reverse(f"admin:{APP}_{model}_changelist"))
        form = page.context_data.get("action_form") if hasattr(page, "context_data") else None
        offered = {name for name, _label in form.fields["action"].choices if name} if form else set()
        wanted = {action for (of, action), roles in ACTIONS.items() if of == model and role in roles}
        assert offered == wanted, model_admin


def test_of_other_apps_only_the_users_are_shown(role: str, staff: Client) -> None:
    """Support and plan managers look at a user, with the subscription on the page, and change nothing."""
    user = User.objects.get(subscription__isnull=False, is_staff=False)
    for model in admin.site._registry:
        meta = model._meta
        if meta.app_label != APP:
            wanted = 200 if model is User and role in (SUPPORT, PLAN_MANAGER) else 403
            page = f"admin:{meta.app_label}_{meta.model_name}"
            assert staff.get(reverse(f"{page}_changelist")).status_code == wanted, page
    page = reverse("admin:auth_user_change", args=[user.pk])
    answer = staff.get(page)
    if role in (SUPPORT, PLAN_MANAGER):
        assert reverse("admin:videoq_billing_usersubscription_change", args=[user.subscription.pk]) in text(
            answer
        )
    else:
        assert answer.status_code == 403
    assert staff.post(page, {"username": "x", "is_superuser": "on"}).status_code == 403


def test_whoever_is_no_staff_is_sent_to_the_log_in(rows: dict[str, Model]) -> None:
    bring_in_line()
    client = Client()
    person = make_user()
    person.groups.set(Group.objects.all())
    client.force_login(person)

    for page in our_pages():
        if not page.endswith("_move"):
            assert client.get(address(page, rows)).status_code == 302, page
