"""The groups for staff who work with billing, each with the permissions of its role and no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import router, transaction

APP = "videoq_billing"

_PEOPLE = ("view_subscriptionplan", "view_usersubscription")
_PAYMENTS = ("view_paymenttransaction",)
_PLANS = ("add_subscriptionplan", "change_subscriptionplan", "delete_subscriptionplan", "sync_plans")
_WORK = ("view_usagerecord", "view_usagereservation", "view_transcriptionjob")
_TOLD = ("view_notification", "view_emailpreference", "view_usagealert", "view_usagerefusal")
_BY_HAND = ("view_extraallowance", "view_usagecorrection")
_SUPPORT = (
    "assign_plan",
    "cancel_subscription",
    "correct_usage",
    "extend_grace",
    "grant_allowance",
    "replay_events",
    "change_notification",  # to send an e-mail again; nothing in it can be edited
)
_SEEN_BY_SUPPORT = (*_PEOPLE, *_PAYMENTS, *_WORK, *_TOLD, *_BY_HAND, "view_webhookevent")

# Names are not translated: a group is a row, which is found by its name in whatever language.
VIEW = "Billing: view"
SUPPORT = "Billing: support"
PLAN_MANAGER = "Billing: plan manager"
FINANCE = "Billing: finance"

ROLES = {
    VIEW: frozenset((*_SEEN_BY_SUPPORT, "view_jobrun", "view_dashboard")),
    SUPPORT: frozenset((*_SEEN_BY_SUPPORT, *_SUPPORT)),
    PLAN_MANAGER: frozenset((*_PEOPLE, *_PLANS, "assign_plan")),
    FINANCE: frozenset((*_PEOPLE, *_PAYMENTS, "export_payments", "view_dashboard")),
}
"""Permissions of this app by role."""

SEE_USERS = frozenset((SUPPORT, PLAN_MANAGER))
"""Who must find the user that something is done for: they may look at the host's users, too."""

READ_THE_LOG = frozenset((VIEW, PLAN_MANAGER))
"""Who may read what was changed in the admin, and by whom. The log is Django's own."""


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to a group: names of permissions given and taken away."""

    group: str
    created: bool
    given: tuple[str, ...]
    taken: tuple[str, ...]


class PermissionsMissing(Exception):
    """The database does not have these permissions yet."""


def bring_in_line(*, dry_run: bool = False) -> list[Change]:
    """Make each group hold its role's permissions and no other. Other groups are not looked at.

    All or nothing, and safe to repeat. Raises PermissionsMissing before `migrate` has made them.
    """
    wanted = {name: list(_permissions(name)) for name in ROLES}
    with transaction.atomic(using=router.db_for_write(Group)):
        return [_bring(name, permissions, dry_run) for name, permissions in wanted.items()]


def _bring(name: str, wanted: list[Permission], dry_run: bool) -> Change:
    group = Group.objects.filter(name=name).first()
    created = group is None
    if group is None and not dry_run:
        group = Group.objects.create(name=name)
    has = [] if group is None or created else list(group.permissions.select_related("content_type"))
    given, taken = _names(wanted, has), _names(has, wanted)
    if group is not None and not dry_run and (given or taken):
        group.permissions.set(wanted)
    return Change(name, created, given, taken)


def _names(these: list[Permission], without: list[Permission]) -> tuple[str, ...]:
    """By their codenames; those of other apps with the app, as in `has_perm`."""
    found = {permission.pk: permission for permission in these}
    for permission in without:
        found.pop(permission.pk, None)
    return tuple(
        sorted(
            each.codename
            if each.content_type.app_label == APP
            else f"{each.content_type.app_label}.{each.codename}"
            for each in found.values()
        )
    )


def _permissions(role: str) -> Iterator[Permission]:
    wanted = {(APP, codename) for codename in ROLES[role]}
    if role in SEE_USERS:
        user = get_user_model()._meta
        wanted.add((user.app_label, f"view_{user.model_name}"))
    if role in READ_THE_LOG and apps.is_installed("django.contrib.admin"):
        wanted.add(("admin", "view_logentry"))
    codenames = {codename for _app, codename in wanted}
    for permission in Permission.objects.filter(codename__in=codenames).select_related("content_type"):
        identity = (permission.content_type.app_label, permission.codename)
        if identity in wanted:
            wanted.remove(identity)
            yield permission
    if wanted:
        raise PermissionsMissing(", ".join(sorted(".".join(identity) for identity in wanted)))
