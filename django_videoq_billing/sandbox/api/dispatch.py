"""From an HTTP request to Stripe's answer: key, version, idempotency, outage, parameters, paging, expansion."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from django_videoq_billing.sandbox.api.router import Call, Endpoint, Listing
from django_videoq_billing.sandbox.box import Reply, RequestInfo, Sandbox
from django_videoq_billing.sandbox.config import API_VERSION
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.params import Params, decode, parse
from django_videoq_billing.sandbox.render import expand, render
from django_videoq_billing.sandbox.store import Record

logger = logging.getLogger(__name__)
DEFAULT_LIMIT = 10


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    replayed: bool = False


async def serve(box: Sandbox, endpoint: Endpoint, request: Request) -> Response:
    """Answer one API request; state changes happen in one go, without awaiting anything in between."""
    raw = (
        request.url.query
        if request.method in {"GET", "DELETE"}
        else (await request.body()).decode(errors="replace")
    )
    if request.method == "DELETE" and not raw:
        raw = (await request.body()).decode(errors="replace")
    request_id = box.ids.new("req")
    key = request.headers.get("idempotency-key")
    outage = _take_outage(box, request.url.path)
    if outage in {"500", "503", "429", "hang"}:
        await _wait(box, outage)
        answer = _broken(outage, request_id)
    else:
        box.request = RequestInfo(request_id, key)
        answer = _answer(box, endpoint, request, raw, request_id)
        box.request = RequestInfo()
        if outage == "lost":
            await _hold(box, key)
            answer = _broken(outage, request_id)
    headers = {"Request-Id": request_id, "Stripe-Version": request.headers.get("stripe-version", API_VERSION)}
    if key:
        headers |= {"Idempotency-Key": key, "Original-Request": request_id}
    if answer.status in {429, 503} and box.switches.outage.retry_after:
        headers["Retry-After"] = str(box.switches.outage.retry_after)
    if answer.replayed:
        headers["Idempotent-Replayed"] = "true"
    return Response(answer.body, answer.status, headers, media_type="application/json")


def _answer(box: Sandbox, endpoint: Endpoint, request: Request, raw: str, request_id: str) -> Answer:
    key = request.headers.get("idempotency-key") if request.method == "POST" else None
    fingerprint = hashlib.sha256(f"{request.url.path}?{raw}".encode()).hexdigest()
    try:
        check_key(box, request.headers.get("authorization"))
        if key is not None:
            if key in box.answering:
                raise StripeError.in_progress(key)
            earlier = box.replies.get(key)
            if earlier is not None and earlier.fingerprint != fingerprint:
                raise StripeError.idempotency(key)
            if earlier is not None:
                return Answer(earlier.status, earlier.body, replayed=True)
        answer = Answer(
            200,
            _dump(
                perform(box, endpoint, decode(parse_qsl(raw, keep_blank_values=True)), request.path_params)
            ),
        )
    except StripeError as error:
        answer = Answer(error.status, _dump(error.payload(request_id)))
    except Exception:
        logger.exception("%s %s", request.method, request.url.path)
        bug = StripeError("The sandbox has a bug; its log says where.", status=500, type="api_error")
        answer = Answer(500, _dump(bug.payload(request_id)))
    if key is not None and answer.status in {200, 402}:
        box.replies[key] = Reply(fingerprint, answer.status, answer.body)
    return answer


def perform(box: Sandbox, endpoint: Endpoint, given: Params, path: Mapping[str, str]) -> Record:
    """Check the parameters, let what is due happen, make the move, show the result."""
    params = parse(endpoint.fields, given)
    wanted = params.pop("expand", [])
    box.run_due()
    result = endpoint.handler(Call(box, params, path))
    box.run_due()
    shown = page(box, result, params) if isinstance(result, Listing) else render(box.store, result)
    return expand(box.store, shown, wanted)


def page(box: Sandbox, listing: Listing, params: Params) -> Record:
    """Cut the page that limit, starting_after and ending_before ask for."""
    keys = [record["id"] for record in listing.records]
    limit = params.get("limit", DEFAULT_LIMIT)
    start, stop = 0, limit
    if "starting_after" in params:
        start = _position(keys, params["starting_after"], "starting_after") + 1
        stop = start + limit
    elif "ending_before" in params:
        stop = _position(keys, params["ending_before"], "ending_before")
        start = max(0, stop - limit)
    more = start > 0 if "ending_before" in params else stop < len(keys)
    data = [render(box.store, record) for record in listing.records[start:stop]]
    return {"object": "list", "data": data, "has_more": more, "url": listing.url}


def _position(keys: list[str], key: str, param: str) -> int:
    try:
        return keys.index(key)
    except ValueError:
        raise StripeError.missing("object", key, param, status=400) from None


def check_key(box: Sandbox, header: str | None) -> None:
    """Bearer or basic authentication with one of the configured keys."""
    scheme, _, value = (header or "").partition(" ")
    key = value.strip()
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(key).decode().partition(":")[0]
        except ValueError:
            key = ""
    if not key:
        raise StripeError.unauthorized(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using "
            "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        )
    if key not in box.config.api_keys:
        raise StripeError.unauthorized(f"Invalid API Key provided: {key[:8]}{'*' * 8}{key[-4:]}")


def _take_outage(box: Sandbox, path: str) -> str | None:
    outage = box.switches.outage
    if outage.requests <= 0 or not path.startswith(outage.path):
        return None
    outage.requests -= 1
    return outage.mode


async def _wait(box: Sandbox, mode: str) -> None:
    if mode == "hang":
        await asyncio.sleep(box.switches.outage.seconds)


async def _hold(box: Sandbox, key: str | None) -> None:
    """The answer is lost on the way; meanwhile its idempotency key is in use."""
    if key is not None:
        box.answering.add(key)
    try:
        await asyncio.sleep(box.switches.outage.seconds)
    finally:
        box.answering.discard(key or "")


def _broken(mode: str, request_id: str) -> Answer:
    status = int(mode) if mode.isdecimal() else 503
    kind = "invalid_request_error" if status == 429 else "api_error"
    code = "rate_limit" if status == 429 else None
    error = StripeError("The sandbox plays an outage.", code=code, status=status, type=kind)
    return Answer(status, _dump(error.payload(request_id)))


def unknown_path(request: Request) -> Response:
    error = StripeError(
        f"Unrecognized request URL ({request.method}: {request.url.path}). Please see https://stripe.com/docs or "
        "we can help at https://support.stripe.com/.",
        status=404,
    )
    return Response(_dump(error.payload("req_unknown")), 404, media_type="application/json")


def _dump(value: Any) -> str:
    return json.dumps(value, indent=2)
