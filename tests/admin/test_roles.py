"""Each role of `billing_groups` may do in the admin what is decided here, and nothing more.

Every page, action and move of the admin needs a decision: a new one without it fails the first test.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone

from django_videoq_billing.management.groups import FINANCE, PLAN_MANAGER, ROLES, SUPPORT, VIEW, bring_in_line
from django_videoq_billing.models import (
    EmailPreference,
    JobRun,
    Notification,
    SubscriptionPlan,
    UsageAlert,
    WebhookEvent,
)
from tests.admin.conftest import busy_user, rows_of, text
from tests.factories import make_plan, make_user

pytestmark = pytest.mark.django_db

APP = "videoq_billing"
NOBODY: set[str] = set()
EVERYBODY = set(ROLES)
ON_DUTY = {VIEW, SUPPORT}

VIEWERS = {
    "dailyfigures": {VIEW, FINANCE},
    "emailpreference": ON_DUTY,
    "extraallowance": ON_DUTY,
    "jobrun": {VIEW},
    "notification": ON_DUTY,
    "paymenttransaction": {VIEW, SUPPORT, FINANCE},
    "subscriptionplan": EVERYBODY,
    "transcriptionjob": ON_DUTY,
    "usagealert": ON_DUTY,
    "usagecorrection": ON_DUTY,
    "usagerecord": ON_DUTY,
    "usagereservation": ON_DUTY,
    "usersubscription": EVERYBODY,
    "webhookevent": ON_DUTY,
}
WRITERS = {"subscriptionplan": {PLAN_MANAGER}}
"""Who adds, changes and deletes rows in Django's own forms."""

OTHER_PAGES = {
    "videoq_billing_changes": {VIEW, PLAN_MANAGER},
    "videoq_billing_paymenttransaction_export": {FINANCE},
    "videoq_billing_subscriptionplan_sync": {PLAN_MANAGER},
    "videoq_billing_usersubscription_timeline": EVERYBODY,
}
ACTIONS = {
    ("notification", "send_again"): {SUPPORT},
    ("subscriptionplan", "activate"): {PLAN_MANAGER},
    ("subscriptionplan", "deactivate"): {PLAN_MANAGER},
    ("subscriptionplan", "delete_selected"): {PLAN_MANAGER},
    ("subscriptionplan", "duplicate"): {PLAN_MANAGER},
    ("subscriptionplan", "hide"): {PLAN_MANAGER},
    ("subscriptionplan", "list_publicly"): {PLAN_MANAGER},
    ("subscriptionplan", "sync_to_stripe"): {PLAN_MANAGER},
    ("webhookevent", "ignore"): {SUPPORT},
    ("webhookevent", "process_again"): {SUPPORT},
}
MOVES = {
    ("subscriptionplan", "assign"): {SUPPORT, PLAN_MANAGER},
    ("subscriptionplan", "duplicate"): {PLAN_MANAGER},
    ("usersubscription", "assign"): {SUPPORT, PLAN_MANAGER},
    ("usersubscription", "cancel"): {SUPPORT},
    ("usersubscription", "correct"): {SUPPORT},
    ("usersubscription", "extend"): {SUPPORT},
    ("usersubscription", "grant"): {SUPPORT},
    ("usersubscription", "reactivate"): {SUPPORT},
    ("usersubscription", "revoke"): {SUPPORT},
}


# --- what there is ---


def our_admins() -> dict[str, Any]:
    return {
        str(model._meta.model_name): model_admin
        for model, model_admin in admin.site._registry.items()
        if model._meta.app_label == APP
    }


def patterns(of: Any = None, above: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every page of the admin with its whole route."""
    for pattern in admin.site.get_urls() if of is None else of:
        route = above + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern.url_patterns, route)
        else:
            yield route, pattern


def our_pages() -> set[str]:
    """By name; one without a name by its route, except Django's old address of the change page."""
    found = set()
    for route, pattern in patterns():
        is_old = pattern.name is None and route.endswith("<path:object_id>/")
        if (route.startswith(f"{APP}/") or (pattern.name or "").startswith(APP)) and not is_old:
            found.add(pattern.name or route)
    return found


def superuser_request() -> Any:
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_staff=True, is_active=True)
    return request


def our_actions() -> set[tuple[str, str]]:
    request = superuser_request()
    return {(name, action) for name, each in our_admins().items() for action in each.get_actions(request)}


def our_moves() -> set[tuple[str, str]]:
    return {(name, move.name) for name, each in our_admins().items() for move in getattr(each, "moves", ())}


def decision(page: str) -> set[str] | None:
    """Who may open the page; None where nobody has decided. A page of moves is decided move by move."""
    if page in OTHER_PAGES:
        return OTHER_PAGES[page]
    model, _, kind = page.removeprefix(f"{APP}_").rpartition("_")
    if model not in VIEWERS:
        return None
    readers, writers = VIEWERS[model], WRITERS.get(model, NOBODY)
    return {
        "add": writers,
        "change": readers,
        "changelist": readers,
        "delete": writers,
        "history": readers,
        "move": NOBODY,
    }.get(kind)


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


# --- what each may do ---


@pytest.fixture
def rows() -> dict[str, Model]:
    """A row of every kind; the plan is one that nobody has."""
    user = busy_user(make_plan())
    now = timezone.now()
    alert = UsageAlert.objects.create(
        user=user,
        metric="video",
        period_start=now,
        period_end=now + timedelta(days=30),
        threshold=80,
        used=4,
        limit=5,
        created_at=now,
    )
    event = WebhookEvent.objects.create(
        stripe_event_id="evt_1",
        type="invoice.created",
        payload={"id": "evt_1", "data": {"object": {"id": "in_1"}}},
        state=WebhookEvent.State.FAILED,
        next_attempt_at=now,
        created_at=now,
    )
    mail = Notification.objects.create(
        user=user,
        kind=Notification.Kind.REACTIVATED,
        key="1",
        state=Notification.State.FAILED,
        next_attempt_at=now,
        created_at=now,
    )
    return {
        **rows_of(user),
        "emailpreference": EmailPreference.objects.create(user=user),
        "jobrun": JobRun.objects.create(name="a_job"),
        "notification": mail,
        "subscriptionplan": make_plan(is_active=True),
        "usagealert": alert,
        "webhookevent": event,
    }


@pytest.fixture(params=[*ROLES, "no group"])
def role(request: Any, rows: dict[str, Model]) -> str:
    bring_in_line()
    return str(request.param)


@pytest.fixture
def staff(role: str) -> Client:
    person = make_user(is_staff=True)
    person.groups.set(Group.objects.filter(name=role))
    client = Client()
    client.force_login(person)
    return client


def address(page: str, rows: dict[str, Model]) -> str:
    takes_row = next(
        "object_id" in str(pattern.pattern) for _route, pattern in patterns() if pattern.name == page
    )
    model = page.removeprefix(f"{APP}_").rpartition("_")[0]
    return reverse(f"admin:{page}", args=[rows[model].pk] if takes_row else [])


def move_address(model: str, move: str, rows: dict[str, Model]) -> str:
    return reverse(f"admin:{APP}_{model}_move", args=[rows[model].pk, move])


def everything() -> dict[str, list[Any]]:
    """What a refused request must not change."""
    models: list[Any] = [User, Group, *apps.get_app_config(APP).get_models()]
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}


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
