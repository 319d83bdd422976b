"""What counts, for whom, and how much."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from rest_framework.authtoken.models import Token

from django_videoq_billing.models import UsageReservation
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.decorators.asking import answer, videos
from tests.factories import make_user, subscribed

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.decorators.views")]


class TestEveryKindOfView:
    def test_success_counts_and_the_limit_refuses(self, client: Client, user: Any, url: str) -> None:
        assert [answer(client, url).status_code for _ in range(3)] == [201, 201, 403]
        assert videos(user) == 2

    @pytest.mark.parametrize("status", ["400", "404", "413", "500", "503"])
    def test_an_error_status_gives_back(self, client: Client, user: Any, url: str, status: str) -> None:
        assert answer(client, url, status).status_code == int(status)
        assert videos(user) == 0

    @pytest.mark.parametrize("status", ["200", "204", "302", "399"])
    def test_any_other_status_counts(self, client: Client, user: Any, url: str, status: str) -> None:
        answer(client, url, status)
        assert videos(user) == 1

    def test_a_crash_gives_back_and_stays_a_crash(self, client: Client, user: Any, url: str) -> None:
        with pytest.raises(RuntimeError, match="the view crashed"):
            answer(client, url, "crash")
        assert videos(user) == 0

    def test_nobody_is_401(self, url: str) -> None:
        response = answer(Client(), url)

        assert response.status_code == 401
        assert response.json()["error"] == "not_authenticated"
        assert not UsageReservation.objects.exists()

    def test_the_refusal_says_all_a_client_needs(self, client: Client, user: Any, url: str) -> None:
        for _ in range(2):
            answer(client, url)

        body = answer(client, url).json()

        period = UsageTracker.report(user).period
        assert body.keys() == {"error", "message", "details"}
        assert body["error"] == "limit_exceeded"
        assert body["message"] == "Video limit reached (2/2). Upgrade to upload more."
        assert body["details"] == {
            "resource": "video",
            "requested": 1,
            "current_usage": 2,
            "limit": 2,
            "period_end": period.end.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "upgrade_url": "/plans/",
        }

    def test_a_repeated_key_counts_once_and_runs_once(self, client: Client, user: Any, url: str) -> None:
        keyed = {"Idempotency_Key": "upload-1"}

        first, again = answer(client, url, **keyed), answer(client, url, **keyed)

        assert (first.status_code, again.status_code) == (201, 409)
        assert again.json()["error"] == "conflict"
        assert again.json()["details"] == {"reason": "completed"}
        assert videos(user) == 1

    def test_a_key_whose_request_failed_may_be_sent_again(self, client: Client, user: Any, url: str) -> None:
        keyed = {"Idempotency_Key": "upload-1"}

        statuses = [answer(client, url, status, **keyed).status_code for status in ("500", "201")]

        assert statuses == [500, 201]
        assert videos(user) == 1

    def test_the_answer_says_what_is_left(self, client: Client, url: str) -> None:
        left = [answer(client, url)["RateLimit"].split(";")[:2] for _ in range(3)]

        assert left == [['"video"', "r=1"], ['"video"', "r=0"], ['"video"', "r=0"]]
        assert answer(client, url)["RateLimit-Policy"].startswith('"video";q=2;w=2')


def test_reading_passes_freely(client: Client, user: Any) -> None:
    assert client.get("/method/").content == b"the form"
    assert client.get("/viewset/").status_code == 200
    assert client.options("/api-class/").status_code == 200
    assert videos(user) == 0
    assert Client().get("/method/").status_code == 200


def test_the_methods_that_count_can_be_named(client: Client, user: Any) -> None:
    assert client.get("/reading/").content == b"counted"
    client.post("/reading/")
    assert videos(user) == 1


class TestUsers:
    def test_an_inactive_user_is_refused(self, user: Any) -> None:
        from django.test import RequestFactory

        from tests.decorators.views import function

        user.is_active = False
        request = RequestFactory().post("/function/")
        request.user = user

        response = function(request)

        assert response.status_code == 403
        assert b"permission_denied" in response.content
        assert not UsageReservation.objects.exists()

    @pytest.mark.parametrize("url", ["/api-function/", "/api-class/", "/viewset/"])
    def test_a_token_user_is_known(self, user: Any, url: str) -> None:
        token = {"Authorization": f"Token {Token.objects.create(user=user).key}"}

        statuses = [Client().post(url, headers=token).status_code for _ in range(3)]

        assert statuses == [201, 201, 403]
        assert videos(user) == 2

    def test_a_user_without_a_subscription_gets_the_default_plan(self, client: Client, user: Any) -> None:
        user.subscription.delete()

        assert [answer(client, "/function/").status_code for _ in range(4)] == [201, 201, 201, 403]

    def test_users_do_not_share_a_limit(self, client: Client, user: Any) -> None:
        for _ in range(2):
            answer(client, "/function/")
        other = Client()
        other.force_login(subscribed(user.subscription.plan, make_user()))

        assert answer(other, "/function/").status_code == 201


class TestAmounts:
    def test_the_amount_may_come_from_the_request(self, client: Client, user: Any) -> None:
        statuses = [client.post("/both/", {"seconds": 25}).status_code for _ in range(2)]

        assert statuses == [201, 201]
        assert UsageTracker.get_usage(user)["transcription_seconds"] == 50

    def test_a_refusal_of_one_metric_gives_back_the_other(self, client: Client, user: Any) -> None:
        response = client.post("/both/", {"seconds": 61}, headers={"Idempotency-Key": "k"})

        assert response.status_code == 403
        assert response.json()["details"]["resource"] == "transcription"
        assert videos(user) == 0
        assert client.post("/both/", {"seconds": 60}, headers={"Idempotency-Key": "k"}).status_code == 201

    def test_both_metrics_are_in_the_rate_limit_fields(self, client: Client) -> None:
        field = client.post("/both/", {"seconds": 25})["RateLimit"]

        assert [item.split(";")[0] for item in field.split(", ")] == ['"transcription"', '"video"']

    @pytest.mark.parametrize("seconds", [0, -5, 10**9 + 1, 10**30])
    def test_an_absurd_amount_is_a_bad_request(self, client: Client, user: Any, seconds: int) -> None:
        response = client.post("/both/", {"seconds": seconds})

        assert response.status_code == 400
        assert response.json()["error"] == "invalid_request"
        assert UsageTracker.get_usage(user)["transcription_seconds"] == videos(user) == 0

    @pytest.mark.parametrize("sent", [{}, {"seconds": "many"}, {"seconds": "9" * 5000}])
    def test_an_amount_that_cannot_be_read_is_a_bad_request(
        self, client: Client, user: Any, sent: dict[str, str]
    ) -> None:
        response = client.post("/both/", sent)

        assert response.status_code == 400
        assert response.json()["error"] == "invalid_request"
        assert UsageTracker.get_usage(user)["transcription_seconds"] == videos(user) == 0

    @pytest.mark.parametrize("key", ["", "x" * 256, "a\x01b"])
    def test_an_absurd_key_is_a_bad_request(self, client: Client, user: Any, key: str) -> None:
        response = answer(client, "/function/", Idempotency_Key=key)

        assert response.status_code == 400
        assert videos(user) == 0
