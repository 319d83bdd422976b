"""Asking the views that a page shows, as a browser or a program would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.test import RequestFactory, override_settings
from django.urls import path
from django.views import View as DjangoView

from tests.docs.running import Names


class UrlConf:
    """A module of URL patterns around one view."""

    def __init__(self, view: Callable[..., Any]) -> None:
        self.urlpatterns = [path("upload/", view, name="upload")]


def as_view(names: Names, name: str) -> Any:
    """The callable that a URL pattern takes, whatever kind of view the page has defined."""
    view = names[name]
    if hasattr(view, "get_extra_actions"):
        return view.as_view({"get": "list", "post": "create"})
    return view.as_view() if isinstance(view, type) and issubclass(view, DjangoView) else view


def post(client: Any, view: Any, data: Any = None, **headers: str) -> Any:
    with override_settings(ROOT_URLCONF=UrlConf(view)):
        return client.post("/upload/", data or {}, headers=headers)


def get(client: Any, view: Any) -> Any:
    with override_settings(ROOT_URLCONF=UrlConf(view)):
        return client.get("/upload/")


def request_of(user: Any, **data: Any) -> Any:
    request = RequestFactory().post("/upload/", data)
    request.user = user
    return request
