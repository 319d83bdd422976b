"""What each role of `billing_groups` may do in the admin: every page, action and move, and how to reach it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, reverse

from django_videoq_billing.management.groups import FINANCE, PLAN_MANAGER, ROLES, SUPPORT, VIEW

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
    "usagerefusal": ON_DUTY,
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
