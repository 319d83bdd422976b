"""What cannot work is refused at once, and a request's transaction changes nothing."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from rest_framework.decorators import api_view

from django_videoq_billing.decorators import requires_quota
from django_videoq_billing.exceptions import InvalidRequest
from django_videoq_billing.models import UsageRecord
from tests.decorators.asking import answer, videos

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.decorators.views")]


class TestMisuse:
    def test_outside_api_view_is_refused_when_the_module_loads(self) -> None:
        with pytest.raises(ImproperlyConfigured, match="under @api_view"):

            @requires_quota("video")
            @api_view(["POST"])
            def view(request: Any) -> HttpResponse:
                return HttpResponse()

    def test_an_unknown_metric_is_refused_when_the_module_loads(self) -> None:
        with pytest.raises(InvalidRequest, match="video, transcription"):
            requires_quota("vidoe")

    def test_without_a_metric_is_refused_when_the_module_loads(self) -> None:
        def view(request: Any) -> HttpResponse:
            return HttpResponse()

        with pytest.raises(ImproperlyConfigured, match=r'write @requires_quota\("video"\)'):
            requires_quota(view)  # type: ignore[arg-type]

    @pytest.mark.parametrize("amount", [0, -1, True, 1.5, "1"])
    def test_an_absurd_amount_is_refused_when_the_module_loads(self, amount: Any) -> None:
        with pytest.raises(InvalidRequest):
            requires_quota("video", amount)

    def test_a_function_without_a_request_is_told_so(self) -> None:
        with pytest.raises(TypeError, match="no request"):
            requires_quota("video")(lambda: None)()


@pytest.mark.django_db(transaction=True)
class TestAtomicRequests:
    """Each request runs in one transaction, which REST framework marks for rollback on an error."""

    @pytest.fixture(autouse=True)
    def _atomic_requests(self) -> Any:
        connection.settings_dict["ATOMIC_REQUESTS"] = True
        yield
        connection.settings_dict["ATOMIC_REQUESTS"] = False

    @pytest.fixture
    def client(self, user: Any) -> Client:
        client = Client(raise_request_exception=False)
        client.force_login(user)
        return client

    @pytest.mark.parametrize(
        ("url", "status"),
        [
            *product(
                ["/function/", "/api-function/", "/api-class/", "/api-dispatch/"],
                ["400", "404", "500", "crash", "broken transaction"],
            ),
            ("/api-function/", "invalid"),
            ("/api-dispatch/", "invalid"),
        ],
    )
    def test_a_failure_gives_back(self, client: Client, user: Any, url: str, status: str) -> None:
        assert answer(client, url, status).status_code >= 400

        assert videos(user) == 0
        assert [answer(client, url).status_code for _ in range(3)] == [201, 201, 403]

    @pytest.mark.parametrize("url", ["/function/", "/api-function/", "/api-dispatch/"])
    def test_a_success_counts(self, client: Client, user: Any, url: str) -> None:
        assert [answer(client, url).status_code for _ in range(3)] == [201, 201, 403]
        assert UsageRecord.objects.get().video_count == 2
