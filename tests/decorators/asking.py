"""Asking a protected view, and looking at what was counted."""

from __future__ import annotations

from typing import Any

from django.test import Client

from django_videoq_billing.services.usage_tracker import UsageTracker


def videos(user: Any) -> int:
    return UsageTracker.get_usage(user)["video_count"]


def answer(client: Client, url: str, status: str = "201", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(url, headers={"X-Answer": status, **named})
