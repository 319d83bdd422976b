"""What the site has sent, to look at while developing: the e-mails lie in files, and no mail server is needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from example_project.videos.policy import POLICY

_BETWEEN = b"-" * 79 + b"\n"  # how Django's file backend ends an e-mail


@dataclass(frozen=True, slots=True)
class Letter:
    number: int
    subject: str
    to: str
    at: datetime | None
    text: str
    html: str


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    return render(request, "videos/mailbox.html", {"letters": letters()[::-1]})


@require_safe
def letter(request: HttpRequest, number: int) -> HttpResponse:
    for one in letters():
        if one.number == number:
            page = render(request, "videos/letter.html", {"letter": one})
            page["Content-Security-Policy"] = f"{POLICY}; style-src 'self' 'unsafe-inline'"  # e-mails need it
            return page
    raise Http404


def letters() -> list[Letter]:
    """Everything sent so far, oldest first; nobody but a developer may look into all users' e-mails."""
    if not settings.DEBUG:
        raise Http404
    return [_letter(number, message) for number, message in enumerate(_messages(), start=1)]


def _messages() -> Iterator[EmailMessage]:
    folder = Path(str(getattr(settings, "EMAIL_FILE_PATH", "")))
    for path in sorted(folder.glob("*.log")):
        for raw in path.read_bytes().split(_BETWEEN):
            if raw.strip():
                yield message_from_bytes(raw, _class=EmailMessage, policy=policy.default)


def _letter(number: int, message: EmailMessage) -> Letter:
    date = message["Date"]
    return Letter(
        number=number,
        subject=str(message["Subject"]),
        to=str(message["To"]),
        at=date.datetime if date else None,
        text=_part(message, "plain"),
        # Links open beside the site, not in the frame that shows the e-mail.
        html=_part(message, "html").replace("<head>", '<head><base target="_blank">', 1),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part is not None else ""
