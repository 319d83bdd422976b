"""The other libraries, each used as its documentation says, on the same Redis and through the same client."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django_ratelimit.core import get_usage, is_ratelimited
from django_ratelimit.decorators import ratelimit
from django_ratelimit.exceptions import Ratelimited
from limits import RateLimitItemPerMonth
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

View = Callable[[HttpRequest], HttpResponseBase]


def upload(request: HttpRequest) -> HttpResponse:
    """The view under every library: it does nothing, so that what is added shows."""
    return HttpResponse(status=201)


class Limits:
    """limits: a fixed window in Redis, as its quickstart has it, and the usual few lines around a view."""

    def __init__(self, limit: int, address: str = "") -> None:
        storage = storage_from_string(address or settings.CACHES["default"]["LOCATION"])
        self.limiter = FixedWindowRateLimiter(storage)
        self.item = RateLimitItemPerMonth(limit)

    def hit(self, user: User) -> bool:
        return bool(self.limiter.hit(self.item, "upload", str(user.pk)))

    def recorded(self, user: User) -> int:
        return int(self.limiter.storage.get(self.item.key_for("upload", str(user.pk))))

    def view(self, view: View) -> View:
        @wraps(view)
        def limited(request: HttpRequest) -> HttpResponseBase:
            if not self.hit(request.user):  # type: ignore[arg-type]  # somebody is signed in
                return HttpResponse(status=429)
            return view(request)

        return limited


class Ratelimit:
    """django-ratelimit over Django's cache."""

    def __init__(self, limit: int) -> None:
        self.rate = f"{limit}/30d"

    def call(self, request: HttpRequest) -> bool:
        return not is_ratelimited(request, group="upload", key="user", rate=self.rate, increment=True)

    def recorded(self, request: HttpRequest) -> int:
        return int(get_usage(request, group="upload", key="user", rate=self.rate)["count"])

    def view(self, view: View) -> View:
        decorate: Any = ratelimit(group="upload", key="user", rate=self.rate, block=True)
        decorated: View = decorate(view)
        return decorated

    @staticmethod
    def answer(view: View, request: HttpRequest) -> bool:
        try:
            return view(request).status_code < 400
        except Ratelimited:  # a middleware turns it into 403
            return False


class SignedIn(BaseAuthentication):
    """The user whom Django's middleware found, without the check of a CSRF token."""

    def authenticate(self, request: Request) -> tuple[Any, None]:
        return request._request.user, None


class PlainApiView(APIView):
    authentication_classes = [SignedIn]
    throttle_classes: Any = []

    def post(self, request: Request) -> Response:
        return Response(status=201)


class Throttle:
    """REST framework's throttle, which keeps the times of past requests in Django's cache."""

    def __init__(self, limit: int) -> None:
        throttle = type("UploadThrottle", (UserRateThrottle,), {"rate": f"{limit}/day"})
        api_view = type("ThrottledApiView", (PlainApiView,), {"throttle_classes": [throttle]})
        self.throttle_class: type[UserRateThrottle] = throttle
        self.view: View = api_view.as_view()  # type: ignore[attr-defined]
        self.plain_view: View = PlainApiView.as_view()

    def call(self, request: HttpRequest) -> bool:
        return self.throttle_class().allow_request(request, None)  # type: ignore[arg-type]

    def recorded(self, request: HttpRequest) -> int:
        return len(cache.get(self._key(request), []))

    def remember(self, request: HttpRequest, times: int) -> None:
        """As if so many requests had come in the last hour."""
        now = self.throttle_class().timer()
        cache.set(self._key(request), [now - n for n in range(times)], 86400)

    def _key(self, request: HttpRequest) -> str:
        return str(self.throttle_class().get_cache_key(request, None))  # type: ignore[arg-type]
