"""From an HTTP request to Stripe's answer: key, version, idempotency, outage, parameters, paging, expansion."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from django_videoq_billing.sandbox.api.router import Call, Endpoint, Listing
from django_videoq_billing.sandbox.box import Reply, RequestInfo, Sandbox
from django_videoq_billing.sandbox.config import API_VERSION, DAY
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.params import Params, decode, parse
from django_videoq_billing.sandbox.render import expand, render
from django_videoq_billing.sandbox.store import Record

logger = logging.getLogger(__name__)
DEFAULT_LIMIT = 10
VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?(;.*)?")
KEY_LIFE, LONGEST_KEY = DAY, 255


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    replay_of: str | None = None
    """The request that was answered first with this idempotency key."""


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
        headers |= {"Idempotency-Key": key, "Original-Request": answer.replay_of or request_id}
    if answer.status in {429, 503} and box.switches.outage.retry_after:
        headers["Retry-After"] = str(box.switches.outage.retry_after)
    if answer.replay_of:
        headers["Idempotent-Replayed"] = "true"
    return Response(answer.body, answer.status, headers, media_type="application/json")


def _answer(box: Sandbox, endpoint: Endpoint, request: Request, raw: str, request_id: str) -> Answer:
    key = request.headers.get("idempotency-key") if request.method == "POST" else None
    fingerprint = hashlib.sha256(f"{request.url.path}?{raw}".encode()).hexdigest()
    try:
        check_key(box, request.headers.get("authorization"))
        check_version(request.headers.get("stripe-version", API_VERSION))
        earlier = _earlier(box, key, fingerprint) if key is not None else None
        if earlier is not None:
            return Answer(earlier.status, earlier.body, earlier.request_id)
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
        box.replies[key] = Reply(fingerprint, answer.status, answer.body, box.now(), request_id)
    return answer


def _earlier(box: Sandbox, key: str, fingerprint: str) -> Reply | None:
    """What this idempotency key was answered with in the last 24 hours."""
    if len(key) > LONGEST_KEY:
        raise StripeError(f"Idempotency keys can have up to {LONGEST_KEY} characters; yours has {len(key)}.")
    if key in box.answering:
        raise StripeError.in_progress(key)
    earlier = box.replies.get(key)
    if earlier is None or earlier.at + KEY_LIFE <= box.now():
        return None
    if earlier.fingerprint != fingerprint:
        raise StripeError.idempotency(key)
    return earlier


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
    if params.keys() >= {"starting_after", "ending_before"}:
        raise StripeError.one_of("starting_after", "ending_before")
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


def check_version(version: str) -> None:
    """Any version is taken for the one that the sandbox speaks, but it must look like one."""
    if VERSION.fullmatch(version) is None:
        raise StripeError(f"Invalid Stripe API version: {version}")


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
