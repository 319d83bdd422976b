"""A mail server that keeps one line of every message, and that is away while the file beside it says so."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from smtplib import SMTPServerDisconnected

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

ANSWERS_AFTER = 0.05
"""Who is killed meanwhile has sent a mail and not written that down."""


def postbox() -> Path:
    return Path(os.environ["SIMULATION_POST"])


def away() -> Path:
    return postbox().with_suffix(".away")


class Postbox(BaseEmailBackend):
    """Written with one `write` a message, so that a process that is killed has sent it or has not."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        if away().exists():
            raise SMTPServerDisconnected("The mail server is away.")
        file = os.open(postbox(), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            for message in email_messages:
                line = {
                    "id": message.extra_headers["Message-ID"],
                    "to": message.to,
                    "subject": message.subject,
                }
                os.write(file, f"{json.dumps(line)}\n".encode())
                time.sleep(ANSWERS_AFTER)
        finally:
            os.close(file)
        return len(email_messages)


def size() -> int:
    """In bytes; each mail makes it grow."""
    return postbox().stat().st_size if postbox().exists() else 0


def delivered() -> Counter[str]:
    """How often each Message-ID was delivered, without the domain that follows it."""
    lines = postbox().read_text().splitlines() if postbox().exists() else []
    return Counter(json.loads(line)["id"].strip("<>").partition("@")[0] for line in lines)
