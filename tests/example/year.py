"""The made-up year of `demo_data`, at the same moment in every test."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from typing import Any

from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import call_command

NOW = datetime(2026, 11, 25, 14, 30, tzinfo=UTC)


def demo_data(**options: Any) -> str:
    out = StringIO()
    call_command("demo_data", stdout=out, no_color=True, without_debug=True, **options)
    return out.getvalue()


def rows() -> dict[str, list[dict[str, Any]]]:
    """Everything in the app's tables, and the users."""
    models: list[Any] = [User, *apps.get_app_config("videoq_billing").get_models()]
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}
