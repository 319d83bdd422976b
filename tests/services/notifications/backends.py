"""Mail backends for tests: one that fails as told, one that looks around, one whose sender dies."""

from __future__ import annotations

from collections.abc import Sequence
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any, ClassVar

from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection

HERE = "tests.services.notifications.backends"


class Moody(EmailBackend):
    """Is away while told so, and refuses the addresses it is told to refuse."""

    PATH = f"{HERE}.Moody"
    is_away: ClassVar[bool] = False
    refused: ClassVar[set[str]] = set()
    opened: ClassVar[int] = 0
    closed: ClassVar[int] = 0

    @classmethod
    def calm_down(cls) -> None:
        cls.is_away, cls.refused, cls.opened, cls.closed = False, set(), 0, 0

    def open(self) -> bool:
        if self.is_away:
            raise SMTPServerDisconnected("Nobody answers.")
        type(self).opened += 1
        return True

    def close(self) -> None:
        type(self).closed += 1

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        for message in messages:
            if refused := self.refused & set(message.to):
                raise SMTPRecipientsRefused(dict.fromkeys(refused, (550, b"No such user")))
        return super().send_messages(messages)


class Watchful(EmailBackend):
    """Notes whether a transaction is open while it sends."""

    PATH = f"{HERE}.Watchful"
    in_transaction: ClassVar[list[bool]] = []

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        self.in_transaction.append(connection.in_atomic_block)
        return super().send_messages(messages)


class Deadly(EmailBackend):
    """Sends, and then the process is stopped before it can note that."""

    PATH = f"{HERE}.Deadly"

    def send_messages(self, messages: Any) -> int:
        super().send_messages(messages)
        raise KeyboardInterrupt
