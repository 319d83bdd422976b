"""What all pages share: templates, filters, answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from django_videoq_billing.sandbox.billing.lines import money
from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.cards import CARDS
from django_videoq_billing.sandbox.errors import StripeError

TEMPLATES = Jinja2Templates(directory=Path(__file__).parent.parent / "templates")
Handler = Callable[[Sandbox, Request], Awaitable[Response]]


def day(moment: int | None) -> str:
    if moment is None:
        return ""
    at = datetime.fromtimestamp(moment, UTC)
    return f"{at:%B} {at.day}, {at.year}"


def stamp(moment: int | None) -> str:
    return "" if moment is None else f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S}"


TEMPLATES.env.filters |= {"money": money, "day": day, "stamp": stamp}
TEMPLATES.env.globals |= {"test_cards": CARDS}


def page(request: Request, name: str, status: int = 200, **context: Any) -> Response:
    box: Sandbox = request.app.state.box
    shared = {"box": box, "now": box.now(), "account": box.config.account_name}
    return TEMPLATES.TemplateResponse(request, name, {**shared, **context}, status_code=status)


def notice(
    request: Request,
    title: str,
    text: str,
    *,
    link: str | None = None,
    label: str = "Continue",
    status: int = 200,
) -> Response:
    """A page that only says something, and where to go from it."""
    return page(request, "notice.html", status, title=title, text=text, link=link, label=label)


def go(url: str) -> Response:
    return RedirectResponse(url, 303)


def route(path: str, handler: Handler, *methods: str) -> Route:
    async def handle(request: Request) -> Response:
        box: Sandbox = request.app.state.box
        box.run_due()
        try:
            answer = await handler(box, request)
        except StripeError as error:
            answer = notice(request, "That did not work", error.message, status=error.status)
        box.run_due()
        return answer

    return Route(path, handle, methods=list(methods or ("GET",)))
