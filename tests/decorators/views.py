"""One protected view of every kind; each answers with the status that the request's body asks for."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.generic import FormView
from rest_framework import status, viewsets
from rest_framework.decorators import api_view
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView

from django_videoq_billing.decorators import requires_quota
from django_videoq_billing.mixins import QuotaRequiredMixin


def asked_status(request: Any) -> int:
    wanted = request.headers.get("X-Answer", "201")
    if wanted == "crash":
        raise RuntimeError("the view crashed")
    if wanted == "404":
        raise Http404
    if wanted == "broken transaction":
        with connection.cursor() as cursor:
            cursor.execute("SELECT no_such_column")
    return int(wanted)


@requires_quota("video")
def function(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=asked_status(request))


@requires_quota("video")
async def asynchronous(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=asked_status(request))


class OnMethod(View):
    @method_decorator(requires_quota("video"))
    def post(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=asked_status(request))

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("the form")


@method_decorator(requires_quota("video"), name="dispatch")
class OnDispatch(View):
    def post(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=asked_status(request))


@method_decorator(requires_quota("video"), name="dispatch")
class AsyncOnDispatch(View):
    async def post(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=asked_status(request))


class Mixed(QuotaRequiredMixin, View):
    quota_metric = "video"

    def post(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=asked_status(request))


@api_view(["POST"])
@requires_quota("video")
def api_function(request: Request) -> Response:
    if request.headers.get("X-Answer") == "invalid":
        raise ValidationError("no")
    return Response({}, status=asked_status(request))


class ApiClass(APIView):
    @requires_quota("video")
    def post(self, request: Request) -> Response:
        return Response({}, status=asked_status(request))


@method_decorator(requires_quota("video"), name="dispatch")
class ApiOnDispatch(APIView):
    def post(self, request: Request) -> Response:
        if request.headers.get("X-Answer") == "invalid":
            raise ValidationError("no")
        return Response({}, status=asked_status(request))


class VideoViewSet(viewsets.ViewSet):
    @requires_quota("video")
    def create(self, request: Request) -> Response:
        return Response({}, status=asked_status(request))

    def list(self, request: Request) -> Response:
        return Response([], status=status.HTTP_200_OK)


@requires_quota("video")
@requires_quota("transcription", amount=lambda request: int(request.POST["seconds"]))
def both(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=asked_status(request))


@requires_quota("video", refused=lambda request, error: HttpResponse(error.message, status=409))
def own_refusal(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=201)


@requires_quota("video", methods=["get"])
def reading_counts(request: HttpRequest) -> HttpResponse:
    return HttpResponse("counted")


@requires_quota("video")
def no_answer(request: HttpRequest) -> None:
    """A view that forgets to answer: Django makes that a server error."""


@requires_quota("video")
def template(request: HttpRequest) -> TemplateResponse:
    """Django renders the template after the view has returned."""
    response = TemplateResponse(request, request.headers["X-Answer"], {"error": "shown"})
    response.status_code = int(request.headers.get("X-Status", 200))
    return response


class NameForm(forms.Form):
    name = forms.CharField()


class Form(QuotaRequiredMixin, FormView):  # type: ignore[type-arg]  # no generic at run time
    quota_metric = "video"
    form_class = NameForm
    template_name = "django_videoq_billing/refused.html"
    success_url = "/done/"


router = SimpleRouter()
router.register("viewset", VideoViewSet, basename="video")

KINDS: dict[str, Any] = {
    "function/": function,
    "async/": asynchronous,
    "method/": OnMethod.as_view(),
    "dispatch/": OnDispatch.as_view(),
    "async-dispatch/": AsyncOnDispatch.as_view(),
    "mixin/": Mixed.as_view(),
    "api-function/": api_function,
    "api-class/": ApiClass.as_view(),
    "viewset/": None,
}

urlpatterns = [
    *[path(route, view) for route, view in KINDS.items() if view is not None],
    path("api-dispatch/", ApiOnDispatch.as_view()),
    path("both/", both),
    path("own-refusal/", own_refusal),
    path("reading/", reading_counts),
    path("no-answer/", cast(Any, no_answer)),
    path("template/", template),
    path("form/", Form.as_view()),
    *router.urls,
]
