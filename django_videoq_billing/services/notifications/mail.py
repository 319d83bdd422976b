"""Django's mail, where its versions differ."""

from __future__ import annotations

import email.policy
from email.headerregistry import HeaderRegistry, UnstructuredHeader
from typing import Any, cast

import django
from django.core import mail
from django.core.mail import EmailMultiAlternatives


class Mail(EmailMultiAlternatives):
    """One whose List-Unsubscribe stays readable for mail programs.

    Since Django 6.0 the headers are written by Python's newer policies, which turn an address that is longer
    than a line into encoded words, and no program decodes those there.
    """

    def message(self, **options: Any) -> Any:
        if django.VERSION >= (6, 0):
            given = options.get("policy", email.policy.default)
            options["policy"] = given.clone(header_factory=_unfolding())
        return super().message(**options)


class _Unfolded(UnstructuredHeader):
    """Mixed into a header by the registry."""

    def fold(self: Any, *, policy: Any) -> str:
        return f"{self.name}: {self}{policy.linesep}"


def _unfolding() -> HeaderRegistry:
    registry, unfolded = HeaderRegistry(), cast(Any, _Unfolded)
    registry.map_to_type("list-unsubscribe", unfolded)
    return registry


def new_connection() -> Any:
    """Return the site's own way to send: MAILERS since Django 6.1, EMAIL_BACKEND before."""
    mailers: Any = getattr(mail, "mailers", None)
    return mail.get_connection() if mailers is None else mailers.default
