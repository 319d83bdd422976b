"""`@requires_quota`: a view that counts against the user's plan, exactly once, or is refused."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import wraps
from inspect import isawaitable
from typing import Any, TypeVar, cast

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.utils.cache import patch_vary_headers

from django_videoq_billing.exceptions import BillingError, Conflict, InvalidRequest, QuotaExceeded
from django_videoq_billing.http import add_ratelimit_fields, error_response, wants_page
from django_videoq_billing.services.entitlements import check_user
from django_videoq_billing.services.usage_tracker import (
    Counted,
    Hold,
    UsageTracker,
    check_amount,
    read_metric,
)
from django_videoq_billing.types import Metric, ReservationState

logger = logging.getLogger("django_videoq_billing")

View = TypeVar("View", bound=Callable[..., Any])
Amount = int | Callable[[Any], int]
Refused = Callable[[Any, QuotaExceeded], HttpResponseBase]

UNSAFE_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def requires_quota(
    metric: Metric | str,
    amount: Amount = 1,
    *,
    methods: Collection[str] = UNSAFE_METHODS,
    refused: Refused | None = None,
    hold: bool = True,
) -> Callable[[View], View]:
    """Count `amount` of `metric` for each request of the view, or refuse the request at the plan's limit.

    The amount is reserved before the view runs, in one atomic step, so no number of racing requests passes
    the limit. It is kept when the view answers with a status below 400, and given back when it raises,
    answers 400 and above, or answers nothing. `amount` may be a function of the request, and must give a
    whole number from 1. Only the status decides: a form shown again with its errors needs one like 422.

    Only `methods` count; reading (GET, HEAD, OPTIONS) passes freely. An `Idempotency-Key` sent by the
    client makes a retried request count once: while the first is being worked on, or once it has succeeded,
    a repetition is answered 409 `conflict` and the view does not run again.

    With `hold=False` the amount is counted for good at once: success costs one round trip less, a failed view
    still gives back, but what a killed process had counted stays counted. A request with an
    `Idempotency-Key` is held all the same.

    Nobody signed in is 401, an inactive account 403, the limit QUOTA_EXCEEDED_STATUS: as the contract's
    JSON, or as a page for a browser (template `django_videoq_billing/refused.html`, or at the limit what
    `refused(request, error)` returns).

    Put it innermost: on the method, and under `@api_view`, where a token user is known already. Works on
    functions and methods, sync and async, and may be stacked for several metrics.
    """
    if callable(metric):
        raise ImproperlyConfigured('@requires_quota needs a metric: write @requires_quota("video").')
    guard = _Guard(
        read_metric(metric), amount, frozenset(method.upper() for method in methods), refused, hold
    )
    if not callable(amount):
        check_amount(amount)

    def decorate(view: View) -> View:
        if isinstance(view, type):
            raise ImproperlyConfigured(
                f"@requires_quota stands on a method, not on the class {view.__name__}: use "
                'method_decorator(requires_quota(...), name="post"), or QuotaRequiredMixin.'
            )
        if hasattr(getattr(view, "cls", None), "get_authenticators"):
            raise ImproperlyConfigured(
                "@requires_quota must stand under @api_view, on the function itself: outside of it a user "
                "who signs in with a token is not known yet."
            )

        @wraps(view)
        async def wrapped_async(*args: Any, **kwargs: Any) -> Any:
            return await guard.run_async(view, args, kwargs)

        is_dispatch = getattr(view, "__name__", "") == "dispatch"

        @wraps(view)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            run = guard.run_async if is_dispatch and _is_async_dispatch(view, args) else guard.run
            return run(view, args, kwargs)

        return cast(View, wrapped_async if iscoroutinefunction(view) else wrapped)

    return decorate


@dataclass(frozen=True, slots=True)
class _Guard:
    metric: Metric
    amount: Amount
    methods: frozenset[str]
    refused: Refused | None
    hold: bool

    def run(self, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        request = _find_request(args, kwargs)
        if request.method not in self.methods:
            return view(*args, **kwargs)
        admitted = self.admit(request)
        if not isinstance(admitted, Hold | Counted):
            return admitted
        try:
            response = view(*args, **kwargs)
        except BaseException:
            self.give_back(admitted)
            raise
        return self.settle(admitted, response)

    async def run_async(self, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        request = _find_request(args, kwargs)
        if request.method not in self.methods:
            response = view(*args, **kwargs)
            return await response if isawaitable(response) else response
        admitted = await sync_to_async(self.admit)(request)
        if not isinstance(admitted, Hold | Counted):
            return admitted
        try:
            response = view(*args, **kwargs)
            if isawaitable(response):
                response = await response
        except BaseException:
            await asyncio.shield(sync_to_async(self.give_back)(admitted))
            raise
        return await sync_to_async(self.settle)(admitted, response)

    def admit(self, request: HttpRequest) -> Hold | Counted | HttpResponseBase:
        """Return the hold under which the view may run, or the answer that refuses the request."""
        try:
            user: Any = getattr(request, "user", None)
            amount = self.amount
            if callable(amount):
                check_user(user)  # before the host's function, which may look at the user
                amount = self.ask(amount, request)
            key = _plain(request).META.get("HTTP_IDEMPOTENCY_KEY")
            if key is None and not self.hold:
                return UsageTracker.admit(user, self.metric, amount)
            hold = UsageTracker.reserve(user, self.metric, amount, key)
            if hold.reservation.replayed:
                completed = hold.reservation.state is ReservationState.COMMITTED
                raise Conflict.key_completed() if completed else Conflict.key_in_progress()
        except QuotaExceeded as error:
            if self.refused is None or not wants_page(_plain(request)):
                return error_response(_plain(request), error)
            response = self.refused(request, error)
            patch_vary_headers(response, ["Accept"])
            add_ratelimit_fields(response, error.reservation)
            return response
        except BillingError as error:
            return error_response(_plain(request), error)
        return hold

    def ask(self, amount: Callable[[Any], int], request: HttpRequest) -> int:
        """What the host's function says. `int(request.POST["seconds"])` meets whatever a client sends, or leaves out."""
        try:
            return amount(request)
        except (ValueError, LookupError) as error:
            extra = {"metric": str(self.metric), "error": type(error).__name__}
            logger.warning("amount_not_read", extra=extra)
            raise InvalidRequest.no_amount() from error

    def settle(self, hold: Hold | Counted, response: Any) -> Any:
        """Commit or give back by the status, and tell the client what is left."""
        if (
            isinstance(response, SimpleTemplateResponse)
            and response.template_name
            and not response.is_rendered
        ):
            return self.settle_when_rendered(hold, response)
        reservation = hold.reservation
        if response is None or getattr(response, "status_code", 200) >= 400:
            self.give_back(hold)
            reservation = replace(reservation, used=max(reservation.used - reservation.amount, 0))
        else:
            self.keep(hold)
        if isinstance(response, HttpResponseBase):
            add_ratelimit_fields(response, reservation)
        return response

    def keep(self, hold: Hold | Counted) -> None:
        """Commit; where the view deleted the user, nothing is left to count."""
        try:
            hold.commit()
        except InvalidRequest:
            logger.warning("hold_gone", extra={"metric": str(self.metric)})

    def settle_when_rendered(
        self, hold: Hold | Counted, response: SimpleTemplateResponse
    ) -> SimpleTemplateResponse:
        """Wait for the template, which Django renders after the view: it may still fail."""
        render = response.render

        def render_and_settle() -> SimpleTemplateResponse:
            del response.render  # the class's own again
            try:
                rendered = render()
            except BaseException:
                self.give_back(hold)
                raise
            self.settle(hold, rendered)
            return rendered

        response.render = render_and_settle  # type: ignore[method-assign]
        return response

    def give_back(self, hold: Hold | Counted) -> None:
        """Release the hold; where that fails it expires later, and the view's own error stays the answer."""
        try:
            hold.release()
        except Exception:
            logger.exception("release_failed", extra={"metric": str(self.metric)})


def _find_request(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the request of a function view or of a method: Django's own, or REST framework's around it."""
    if args and isinstance(args[0], HttpRequest):
        return args[0]
    for candidate in (*args[:2], kwargs.get("request")):
        if isinstance(_plain(candidate), HttpRequest):
            return candidate
    raise TypeError("@requires_quota found no request among the first two arguments of the view.")


def _plain(request: Any) -> HttpRequest:
    """Django's request inside a REST framework request."""
    return cast(HttpRequest, getattr(request, "_request", request))


def _is_async_dispatch(view: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    """Whether this `dispatch` is of an async class-based view: a plain function that returns an awaitable.

    `method_decorator` hands it over bound to its view, inside a partial; written in the class it gets the
    view as its first argument.
    """
    owner = getattr(getattr(view, "func", view), "__self__", args[0] if args else None)
    return bool(getattr(owner, "view_is_async", False))
