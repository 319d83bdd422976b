from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management.base import CommandError

from django_videoq_billing.management.groups import FINANCE, PLAN_MANAGER, ROLES, SUPPORT, VIEW
from tests.commands.conftest import Run

OTHERS: dict[str, set[str]] = {
    VIEW: {"admin.view_logentry"},
    SUPPORT: {"auth.view_user"},
    PLAN_MANAGER: {"admin.view_logentry", "auth.view_user"},
    FINANCE: set(),
}


def permissions_of(name: str) -> set[str]:
    """What a user in that group alone may do."""
    person, _ = User.objects.get_or_create(username=f"of {name}")
    person.groups.set([Group.objects.get(name=name)])
    return person.get_all_permissions()


def test_each_group_has_the_permissions_of_its_role_and_no_other(run: Run) -> None:
    run("billing_groups")

    assert set(Group.objects.values_list("name", flat=True)) == {VIEW, SUPPORT, PLAN_MANAGER, FINANCE}
    for name, codenames in ROLES.items():
        ours = {f"videoq_billing.{codename}" for codename in codenames}
        assert permissions_of(name) == ours | OTHERS[name]


def test_nobody_but_the_plan_manager_changes_rows_directly() -> None:
    for name, codenames in ROLES.items():
        writing = {each for each in codenames if each.partition("_")[0] in ("add", "change", "delete")}
        plans = {f"{verb}_subscriptionplan" for verb in ("add", "change", "delete")}
        assert writing == {PLAN_MANAGER: plans, SUPPORT: {"change_notification"}}.get(name, set())


def test_a_second_run_changes_nothing(run: Run) -> None:
    run("billing_groups")

    assert run("billing_groups").split("\n")[:-1] == [f"unchanged   {name}" for name in ROLES]


def test_a_group_that_was_changed_is_put_right_and_it_says_so(run: Run) -> None:
    run("billing_groups")
    support = Group.objects.get(name=SUPPORT)
    support.permissions.add(
        Permission.objects.get(codename="delete_user"), Permission.objects.get(codename="export_payments")
    )
    support.permissions.remove(Permission.objects.get(codename="assign_plan"))

    said = run("billing_groups")

    assert f"updated     {SUPPORT}\n  + assign_plan\n  - auth.delete_user\n  - export_payments\n" in said
    assert permissions_of(SUPPORT) == {
        *(f"videoq_billing.{codename}" for codename in ROLES[SUPPORT]),
        "auth.view_user",
    }


def test_other_groups_and_the_members_stay(run: Run) -> None:
    mine = Group.objects.create(name="Billing")
    mine.permissions.add(Permission.objects.get(codename="delete_user"))
    run("billing_groups")
    member = User.objects.create(username="ada")
    member.groups.add(Group.objects.get(name=FINANCE))
    Group.objects.get(name=FINANCE).permissions.clear()

    run("billing_groups")

    assert [permission.codename for permission in mine.permissions.all()] == ["delete_user"]
    assert member.has_perm("videoq_billing.export_payments")


def test_a_dry_run_says_it_and_writes_nothing(run: Run) -> None:
    said = run("billing_groups", dry_run=True)

    assert f"created     {FINANCE}\n  + export_payments\n" in said
    assert said.endswith("Dry run: nothing was written.\n")
    assert not Group.objects.exists()

    run("billing_groups")
    Group.objects.get(name=FINANCE).permissions.clear()
    assert f"updated     {FINANCE}\n  + export_payments\n" in run("billing_groups", dry_run=True)
    assert permissions_of(FINANCE) == set()


def test_without_the_permissions_it_says_what_to_do_and_writes_nothing(run: Run) -> None:
    Permission.objects.filter(codename="assign_plan").delete()

    with pytest.raises(CommandError, match=r"Run migrate first: .*videoq_billing\.assign_plan"):
        run("billing_groups")
    assert not Group.objects.exists()
