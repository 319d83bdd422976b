"""A host's views in which something happens that a mail tells of."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from django_videoq_billing.models import Notification
from django_videoq_billing.services import outbox
from django_videoq_billing.services.notifications import inline


def happen(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        outbox.add(Notification.Kind.UPGRADE_CONFIRMED, int(request.GET["user"]), "1", {"plan": "standard"})
    return HttpResponse("done")


async def happen_async(request: HttpRequest) -> HttpResponse:
    answer: HttpResponse = await sync_to_async(happen)(request)
    return answer


def look(request: HttpRequest) -> HttpResponse:
    """As after a commit in which something was written down."""
    inline.remember()
    return HttpResponse("look")


def nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse("nothing")


urlpatterns: list[Any] = [
    path("happen/", happen),
    path("happen-async/", happen_async),
    path("look/", look),
    path("nothing/", nothing),
    path("api/", include("django_videoq_billing.urls")),
]
