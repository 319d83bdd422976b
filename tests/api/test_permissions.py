"""Who may ask, by session and by token, and nobody for another."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from rest_framework.authentication import SessionAuthentication, TokenAuthentication
from rest_framework.decorators import api_view, permission_classes
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate

from django_videoq_billing.api.base import BillingView
from django_videoq_billing.api.permissions import HasQuota
from django_videoq_billing.exceptions import InvalidRequest
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.api.clients import (
    PERSONAL,
    PERSONAL_AND_LOCAL,
    URLS,
    ask,
    assert_refused,
    client_of,
    token_client_of,
)
from tests.api.contract import PARTS
from tests.factories import make_payment, make_user, subscribed


@pytest.fixture(params=["session first", "token first"])
def authenticators(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host's DEFAULT_AUTHENTICATION_CLASSES, which views take over when they are imported."""
    classes = [SessionAuthentication, TokenAuthentication]
    ordered = classes if request.param == "session first" else classes[::-1]
    monkeypatch.setattr(BillingView, "authentication_classes", ordered)


@pytest.mark.usefixtures("authenticators", "db")
@pytest.mark.parametrize("endpoint", PERSONAL)
class TestWhoMayAsk:
    def test_nobody_is_401(self, client: APIClient, endpoint: tuple[str, str]) -> None:
        assert_refused(ask(client, endpoint), "not_authenticated")

    @pytest.mark.parametrize("token", ["", "wrong", "a b", "\u00ff", "x" * 5000])
    def test_a_wrong_token_is_401(self, client: APIClient, endpoint: tuple[str, str], token: str) -> None:
        client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
        assert_refused(ask(client, endpoint), "not_authenticated")

    def test_an_inactive_users_session_is_401(self, user: Any, endpoint: tuple[str, str]) -> None:
        client = client_of(user)
        get_user_model().objects.filter(pk=user.pk).update(is_active=False)
        assert_refused(ask(client, endpoint), "not_authenticated")

    def test_an_inactive_users_token_is_401(self, user: Any, endpoint: tuple[str, str]) -> None:
        client = token_client_of(user)
        get_user_model().objects.filter(pk=user.pk).update(is_active=False)
        assert_refused(ask(client, endpoint), "not_authenticated")

    def test_a_deleted_users_session_is_401(self, user: Any, endpoint: tuple[str, str]) -> None:
        client = client_of(user)
        get_user_model().objects.filter(pk=user.pk).delete()
        assert_refused(ask(client, endpoint), "not_authenticated")


@pytest.mark.usefixtures("authenticators")
@pytest.mark.parametrize("endpoint", PERSONAL_AND_LOCAL)
def test_a_session_and_a_token_are_admitted(
    user: Any, signed_in: APIClient, endpoint: tuple[str, str]
) -> None:
    assert ask(signed_in, endpoint).status_code == 200
    assert ask(token_client_of(user), endpoint).status_code == 200


@pytest.mark.parametrize("endpoint", PERSONAL)
def test_an_inactive_user_whom_the_host_lets_in_is_403(db: None, endpoint: tuple[str, str]) -> None:
    client = APIClient()
    client.force_authenticate(make_user(is_active=False))
    assert_refused(ask(client, endpoint), "permission_denied")


def test_plans_are_for_anyone_even_inactive(db: None, client: APIClient) -> None:
    client.force_authenticate(make_user(is_active=False))
    assert client.get(URLS["billing/plans"]).status_code == 200


@pytest.mark.parametrize("endpoint", PERSONAL_AND_LOCAL)
def test_two_users_get_answers_of_their_own(db: None, plan: Any, endpoint: tuple[str, str]) -> None:
    anna, bert = subscribed(plan), subscribed(plan)
    UsageTracker.increment_video_count(anna, 2)
    make_payment(user=anna)
    before = ask(client_of(bert), endpoint).json()
    UsageTracker.increment_video_count(anna, 1)
    make_payment(user=anna)
    assert ask(client_of(bert), endpoint).json() == before


@pytest.mark.parametrize("endpoint", PERSONAL_AND_LOCAL)
def test_a_site_wide_cache_does_not_mix_users_up(settings: Any, plan: Any, endpoint: tuple[str, str]) -> None:
    """Two token users have the same URL, the same headers and no cookie: to a cache, one and the same."""
    settings.MIDDLEWARE = [
        "django.middleware.cache.UpdateCacheMiddleware",
        *settings.MIDDLEWARE,
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]
    anna, bert = subscribed(plan), subscribed(plan)
    UsageTracker.increment_video_count(anna, 1)
    first = ask(token_client_of(anna), endpoint)
    assert "private" in first.headers["Cache-Control"]
    second = ask(token_client_of(bert), endpoint)
    assert second.json() == ask(client_of(bert), endpoint).json()


@api_view(["GET", "POST"])
@permission_classes([IsAuthenticated, HasQuota.of("video")])
def uploads(request: Request) -> Response:
    return Response("stored", status=201)


@api_view(["POST"])
@permission_classes([HasQuota.of("transcription")])
def transcriptions(request: Request) -> Response:
    return Response("started", status=202)


@api_view(["POST"])
@permission_classes([HasQuota])
def careless(request: Request) -> Response:
    return Response("stored", status=201)


def send(view: Any, user: Any, method: str = "post") -> Any:
    request = getattr(APIRequestFactory(), method)("/")
    if user is not None:
        force_authenticate(request, user)
    response = view(request)
    response.render()
    return response


class TestHasQuota:
    def test_what_is_left_admits_and_counts_nothing(self, user: Any) -> None:
        assert [send(uploads, user).status_code for _ in range(5)] == [201] * 5

    def test_at_the_limit_the_body_is_the_contracts(self, user: Any) -> None:
        UsageTracker.increment_video_count(user, 3)
        response = send(uploads, user)
        assert response.status_code == 403
        assert list(response.data) == PARTS["BillingError"]
        assert response.data["error"] == "limit_exceeded"
        assert response.data["details"]["upgrade_url"] == "/plans/"
        assert response.data["details"]["current_usage"] == 3

    def test_reading_is_free(self, user: Any) -> None:
        UsageTracker.increment_video_count(user, 3)
        assert send(uploads, user, "get").status_code == 201

    def test_the_metrics_are_apart(self, user: Any) -> None:
        UsageTracker.increment_transcription_seconds(user, 1800)
        assert send(uploads, user).status_code == 201
        assert send(transcriptions, user).status_code == 403

    def test_nobody_is_401(self, db: None) -> None:
        response = send(careless, None)
        assert (response.status_code, response.data["error"]) == (401, "not_authenticated")

    def test_an_inactive_user_is_403(self, db: None) -> None:
        response = send(careless, make_user(is_active=False))
        assert (response.status_code, response.data["error"]) == (403, "permission_denied")

    def test_an_unknown_metric_is_refused_where_it_is_written(self) -> None:
        with pytest.raises(InvalidRequest, match="audio"):
            HasQuota.of("audio")
