"""POST billing/usage/check."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from django_videoq_billing.models import UsageRecord, UsageReservation
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.api.clients import CHECK, URLS, assert_refused, check, client_of
from tests.api.contract import OBJECTS, PARTS
from tests.factories import make_plan, subscribed

URL = URLS["billing/usage/check"]


def assert_nothing_counted() -> None:
    assert not UsageRecord.objects.exists()
    assert not UsageReservation.objects.exists()


def transcribe(seconds: Any) -> dict[str, Any]:
    return {"action": "transcribe_video", "estimated_duration_seconds": seconds}


def test_what_would_be_admitted_is_allowed_and_nothing_is_counted(signed_in: APIClient) -> None:
    response = check(signed_in, CHECK)
    body = response.json()
    assert response.status_code == 200
    assert list(body) == PARTS["UsageAllowed"]
    assert (body["allowed"], body["reason"]) == (True, None)
    assert list(body["current_usage"]) == OBJECTS["UsageRecord"]
    assert body["current_usage"] == signed_in.get(URLS["billing/usage"]).json()
    assert_nothing_counted()


def test_at_the_limit_the_answer_is_no_with_a_reason_and_a_way_out(signed_in: APIClient, user: Any) -> None:
    UsageTracker.increment_video_count(user, 3)
    response = check(signed_in, CHECK)
    assert response.status_code == 403
    assert list(response.json()) == PARTS["UsageRefused"]
    assert response.json() == {
        "allowed": False,
        "reason": "Video limit reached (3/3). Upgrade to upload more.",
        "upgrade_url": "/plans/",
    }


def test_without_an_upgrade_page_the_way_out_is_null(settings: Any, signed_in: APIClient, user: Any) -> None:
    settings.VIDEOQ_BILLING = {"UPGRADE_URL": ""}
    UsageTracker.increment_video_count(user, 3)
    assert check(signed_in, CHECK).json()["upgrade_url"] is None


def test_the_site_chooses_the_status_of_a_refusal(settings: Any, signed_in: APIClient, user: Any) -> None:
    settings.VIDEOQ_BILLING = {"QUOTA_EXCEEDED_STATUS": 402}
    UsageTracker.increment_video_count(user, 3)
    assert check(signed_in, CHECK).status_code == 402


@pytest.mark.parametrize(
    ("seconds", "status"), [(1, 200), (0.001, 200), (1800, 200), (1799.2, 200), (1800.5, 403), (10**9, 403)]
)
def test_an_estimate_is_measured_against_what_is_left(
    signed_in: APIClient, seconds: float, status: int
) -> None:
    response = check(signed_in, transcribe(seconds))
    assert response.status_code == status
    assert response.json()["allowed"] is (status == 200)
    assert_nothing_counted()


def test_without_an_estimate_the_question_is_whether_anything_is_left(
    signed_in: APIClient, user: Any
) -> None:
    UsageTracker.increment_transcription_seconds(user, 1799)
    assert check(signed_in, {"action": "transcribe_video"}).status_code == 200
    UsageTracker.increment_transcription_seconds(user, 1)
    assert check(signed_in, {"action": "transcribe_video"}).status_code == 403


def test_a_video_is_one_video_however_long_it_is(signed_in: APIClient) -> None:
    body = {"action": "upload_video", "estimated_duration_seconds": 10**6}
    assert check(signed_in, body).status_code == 200


def test_unlimited_is_always_allowed(db: None) -> None:
    client = client_of(subscribed(make_plan(video_limit=None, transcription_limit_minutes=None)))
    assert check(client, CHECK).status_code == 200
    assert check(client, transcribe(10**9)).status_code == 200


@pytest.mark.parametrize(
    "action",
    [
        *["", "delete_video", "UPLOAD_VIDEO", "upload_video\x00", "\ud800", "upload_video " * 999],
        *[None, True, 0, 1.5, [], ["upload_video"], {}, {"action": "upload_video"}],
    ],
)
def test_an_unknown_action_is_refused(signed_in: APIClient, action: Any) -> None:
    body = assert_refused(check(signed_in, {"action": action}), "invalid_request")
    assert list(body["details"]) == ["action"]
    assert_nothing_counted()


def test_a_missing_action_is_refused(signed_in: APIClient) -> None:
    assert list(assert_refused(check(signed_in, {}), "invalid_request")["details"]) == ["action"]


@pytest.mark.parametrize("action", ["upload_video", "transcribe_video"])
@pytest.mark.parametrize(
    "seconds",
    [
        *["0", "-0.0", "-1", "1000000001", "1e400", "-1e400", "9" * 400, "-" + "9" * 400, "9" * 5000],
        *["NaN", "Infinity", "-Infinity", "true", "false", "null", "[]", "[1]", "{}", '{"a": 1}'],
        *['""', '"NaN"', '"inf"', '"-1"', '"ten"', '"1\\u0000"', '"\\ud800"', '"' + "9" * 5000 + '"'],
    ],
)
def test_a_duration_that_makes_no_sense_is_refused(signed_in: APIClient, action: str, seconds: str) -> None:
    raw = f'{{"action": "{action}", "estimated_duration_seconds": {seconds}}}'
    assert_refused(signed_in.post(URL, raw, content_type="application/json"), "invalid_request")
    assert_nothing_counted()


@pytest.mark.parametrize(
    "raw",
    [
        *["", "{", "nonsense", "null", "[]", '"upload_video"', "1", "true", "NaN", "[" * 100_000],
        *['{"action": "upload_video",}', "{'action': 'upload_video'}", "\ufeff{}", "\x00"],
    ],
)
def test_a_body_that_is_no_json_object_is_refused(signed_in: APIClient, raw: str) -> None:
    assert_refused(signed_in.post(URL, raw, content_type="application/json"), "invalid_request")


@pytest.mark.parametrize("raw", [b'{"action": "\xff"}', b"\xff\xfe", json.dumps(CHECK).encode("utf-16")])
def test_a_body_that_is_not_utf_8_is_refused(signed_in: APIClient, raw: bytes) -> None:
    assert_refused(signed_in.post(URL, raw, content_type="application/json"), "invalid_request")


@pytest.mark.parametrize("charset", ["utf-8", "zlib", "hex", "undefined", "utf-16", "no-such", "\u00e9"])
def test_json_is_utf_8_whatever_charset_is_claimed(signed_in: APIClient, charset: str) -> None:
    claimed = f"application/json; charset={charset}"
    assert signed_in.post(URL, json.dumps(CHECK), content_type=claimed).status_code == 200


def test_unknown_fields_do_no_harm(signed_in: APIClient, user: Any) -> None:
    body = {**CHECK, "user": 1, "allowed": True, "plan": "premium"}
    UsageTracker.increment_video_count(user, 3)
    assert check(signed_in, body).status_code == 403


def test_the_number_of_queries_is_constant(
    signed_in: APIClient, user: Any, django_assert_max_num_queries: Any
) -> None:
    UsageTracker.increment_video_count(user)
    with django_assert_max_num_queries(6):  # session, user, then subscription and record for each question
        check(signed_in, CHECK)
