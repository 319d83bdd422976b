"""Finding the user that an operator means."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.management.base import CommandError

SHOWN = 5


def find_user(given: str) -> AbstractBaseUser:
    """Return the user by username, else by e-mail address, else by primary key; raises CommandError.

    The first of the three that matches anybody decides; where it matches several, nobody is guessed.
    """
    model = get_user_model()
    for lookup in _lookups() if given.strip() else ():
        try:
            found = list(model._default_manager.filter(**{lookup: given}).order_by("pk")[: SHOWN + 1])
        except (ValueError, ValidationError):  # this field cannot hold such a value
            continue
        if len(found) > 1:
            raise CommandError(_ambiguous(given, found))
        if found:
            return found[0]
    raise CommandError(f"There is no user '{given}'. Give a username, an e-mail address or a primary key.")


def _lookups() -> list[str]:
    model = get_user_model()
    email = model.get_email_field_name()
    try:
        model._meta.get_field(email)
    except FieldDoesNotExist:
        return [model.USERNAME_FIELD, "pk"]
    return [model.USERNAME_FIELD, f"{email}__iexact", "pk"]


def _ambiguous(given: str, found: Sequence[AbstractBaseUser]) -> str:
    names = [f"'{user.get_username()}' ({user.pk})" for user in found[:SHOWN]]
    more = ", ..." if len(found) > SHOWN else ""
    return f"'{given}' fits more than one user: {', '.join(names)}{more}. Give a username or a primary key."
