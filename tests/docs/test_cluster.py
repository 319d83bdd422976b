"""The client of docs/redis.md counts in a real cluster."""

from __future__ import annotations

from typing import Any

import pytest

from django_videoq_billing.exceptions import QuotaExceeded
from django_videoq_billing.models import UsageRecord
from django_videoq_billing.services.usage_tracker import UsageTracker, flush_usage
from tests.docs.readers import a_module
from tests.docs.running import Page, present


@pytest.mark.usefixtures("cluster_settings")
def test_the_client_of_the_page_counts(cluster_port: int, settings: Any, user: Any) -> None:
    page = Page("redis.md")
    found = page.run(2, here={"10.0.0.5": "127.0.0.1", "6379": str(cluster_port)})
    with present(a_module("shop.usage", usage_client=found["usage_client"])):
        settings.VIDEOQ_BILLING = page.run(3)["VIDEOQ_BILLING"]
        UsageTracker.count(user, "video", 3)
        with pytest.raises(QuotaExceeded):
            UsageTracker.count(user, "video")
        assert flush_usage()
        assert UsageRecord.objects.get(user=user).video_count == 3
    found["usage_client"]().close()
