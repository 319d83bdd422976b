"""One Starlette application for API, pages and control, with its background loops, on loopback only."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from django_videoq_billing.sandbox import control, pages, state
from django_videoq_billing.sandbox.api import dispatch
from django_videoq_billing.sandbox.api.endpoints import ENDPOINTS
from django_videoq_billing.sandbox.api.router import Endpoint
from django_videoq_billing.sandbox.billing.duties import DUTIES
from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.config import SandboxConfig, is_loopback
from django_videoq_billing.sandbox.objects import platform, sessions

logger = logging.getLogger(__name__)
TICK_SECONDS = 1.0
HERE = Path(__file__).parent


def furnish(box: Sandbox) -> None:
    """What exists before the first request."""
    box.store.save(platform.account(box))
    box.store.save(sessions.portal_configuration(box))
    forward(box)


def forward(box: Sandbox) -> None:
    """The endpoint that the command line names, with its secret, also where a loaded state had another one."""
    url = box.config.forward_to
    if url is None:
        return
    known = next(box.store.where("webhook_endpoint", url=url), None)
    endpoint = known or platform.webhook_endpoint(box, url, ["*"])
    endpoint["_secrets"] = [box.config.webhook_secret]
    box.store.save(endpoint)


def make_box(config: SandboxConfig) -> Sandbox:
    box = Sandbox(config, DUTIES, furnish)
    if config.state_file is not None:
        state.tidy(config.state_file)
    if config.state_file is not None and config.state_file.exists():
        try:
            state.load(box, config.state_file)
        except (AttributeError, LookupError, TypeError, ValueError):
            raise SystemExit(
                f"{config.state_file} cannot be read by this version of the sandbox; delete it to start afresh."
            ) from None
        forward(box)
    return box


async def loopback_only(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """Refuse foreign Host names (DNS rebinding) and cross-site writes to pages and control."""
    if not is_loopback(request.url.hostname or ""):
        return PlainTextResponse("The sandbox answers on loopback names only.", 403)
    origin = request.headers.get("origin")
    if origin and not is_loopback(urlsplit(origin).hostname or ""):
        return PlainTextResponse("The sandbox takes no requests from other sites.", 403)
    return await call_next(request)


def _api_routes() -> list[BaseRoute]:
    def route(endpoint: Endpoint) -> Route:
        async def handle(request: Request) -> Response:
            return await dispatch.serve(request.app.state.box, endpoint, request)

        return Route(endpoint.path, handle, methods=[endpoint.method])

    async def unknown(request: Request) -> Response:
        return dispatch.unknown_path(request)

    methods = ["GET", "POST", "DELETE", "PUT", "PATCH"]
    return [*map(route, ENDPOINTS), Route("/v1/{rest:path}", unknown, methods=methods)]


async def tick(box: Sandbox) -> None:
    """Let time do its work, send what is due, keep the state file."""
    saved: tuple[object, ...] = ()
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TICK_SECONDS):
                await box.deliveries.wake.wait()
        box.deliveries.wake.clear()
        try:
            box.run_due()
            await box.deliveries.send_due()
            if box.config.state_file is not None and (mark := state.mark(box)) != saved:
                state.save(box, box.config.state_file)
                saved = mark
        except Exception:
            logger.exception("The sandbox stumbled; it goes on.")


def create_app(config: SandboxConfig) -> Starlette:
    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        loop = asyncio.create_task(tick(app.state.box))
        yield
        loop.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await loop
        if config.state_file is not None:
            state.save(app.state.box, config.state_file)

    app = Starlette(
        routes=[
            *_api_routes(),
            *control.ROUTES,
            *pages.ROUTES,
            Mount("/static", StaticFiles(directory=HERE / "static"), name="static"),
        ],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=loopback_only)],
        lifespan=lifespan,
    )
    app.state.box = make_box(config)
    return app


def serve(config: SandboxConfig, *, log_level: str = "warning") -> None:
    """Run the sandbox until it is stopped. Blocks."""
    uvicorn.run(
        create_app(config),
        host=config.host,
        port=config.port,
        log_level=log_level,
        # Longer than clients keep idle connections in use: closing one just as it is used again fails a request.
        timeout_keep_alive=300,
        timeout_graceful_shutdown=2,
    )
