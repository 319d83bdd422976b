from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from django_videoq_billing.models import Notification, UsageReservation, WebhookEvent


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("model", "index", "told_by", "in_order_of"),
    [
        (WebhookEvent, "vqb_webhook_open", "state", "next_attempt_at"),
        (WebhookEvent, "vqb_webhook_to_mirror", "mirrored_at", "created_at"),
        (WebhookEvent, "vqb_webhook_to_prune", "pruned_at", "created_at"),
        (Notification, "vqb_notification_open", "state", "next_attempt_at"),
        (UsageReservation, "vqb_reservation_held_until", "state", "expires_at"),
    ],
)
def test_what_is_still_to_be_done_is_found_without_what_was_done(
    model: Any, index: str, told_by: str, in_order_of: str
) -> None:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)[index]
    whole = not connection.features.supports_partial_indexes
    assert found["columns"] == ([told_by, in_order_of] if whole else [in_order_of])
