"""What the one who asks is answered: pages, JSON, RateLimit fields, and answers that come later."""

from __future__ import annotations

from typing import Any

import pytest
from django.template import TemplateDoesNotExist
from django.test import Client

from django_videoq_billing.models import UsageReservation
from tests.decorators.asking import answer, videos
from tests.factories import make_plan, subscribed

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.decorators.views")]
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def test_a_failed_request_says_that_nothing_was_used(client: Client) -> None:
    assert ";r=2;" in answer(client, "/function/", "400")["RateLimit"]


def test_an_unlimited_plan_has_no_rate_limit_fields(client: Client, user: Any) -> None:
    subscribed(make_plan(video_limit=None), user)

    assert "RateLimit" not in answer(client, "/function/")


class TestBrowsers:
    def test_a_refused_browser_gets_a_page_with_the_way_on(self, client: Client) -> None:
        for _ in range(2):
            answer(client, "/function/")

        response = answer(client, "/function/", Accept=BROWSER)

        assert response.status_code == 403
        assert response["Content-Type"].startswith("text/html")
        assert "Video limit reached (2/2)" in response.content.decode()
        assert 'href="/plans/"' in response.content.decode()

    def test_the_host_may_answer_itself(self, client: Client) -> None:
        for _ in range(2):
            answer(client, "/own-refusal/")

        response = answer(client, "/own-refusal/", Accept=BROWSER)

        assert response.status_code == 409
        assert "Accept" in response["Vary"]
        assert response.content.decode().startswith("Video limit reached")
        assert '"video";r=0' in response["RateLimit"]

    def test_a_program_gets_json_all_the_same(self, client: Client) -> None:
        for _ in range(2):
            answer(client, "/own-refusal/")

        assert answer(client, "/own-refusal/").json()["error"] == "limit_exceeded"


class TestAnswersThatComeLater:
    REFUSED = "django_videoq_billing/refused.html"

    def test_a_template_that_renders_counts(self, client: Client, user: Any) -> None:
        response = client.post("/template/", headers={"X-Answer": self.REFUSED})

        assert response.status_code == 200
        assert '"video";r=1' in response["RateLimit"]
        assert UsageReservation.objects.get().state == "committed"

    def test_a_template_that_fails_gives_back(self, client: Client, user: Any) -> None:
        with pytest.raises(TemplateDoesNotExist):
            client.post("/template/", headers={"X-Answer": "no-such-template.html"})
        assert videos(user) == 0

    def test_a_template_with_an_error_status_gives_back(self, client: Client, user: Any) -> None:
        client.post("/template/", headers={"X-Answer": self.REFUSED, "X-Status": "422"})
        assert videos(user) == 0

    def test_no_answer_at_all_gives_back(self, client: Client, user: Any) -> None:
        with pytest.raises(ValueError, match="didn't return an HttpResponse"):
            client.post("/no-answer/")
        assert videos(user) == 0

    def test_a_form_with_errors_costs_nothing(self, client: Client, user: Any) -> None:
        assert client.post("/form/", {"name": ""}).status_code == 422
        assert videos(user) == 0
        assert client.post("/form/", {"name": "Ada"}).status_code == 302
        assert videos(user) == 1
