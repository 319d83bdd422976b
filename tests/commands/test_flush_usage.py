from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.db import connection

from django_videoq_billing.models import UsageRecord
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.commands.conftest import Run
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parents[2]


def test_it_says_what_it_brought(redis_settings: Any, run: Run) -> None:
    assert run("flush_usage") == "Nothing to bring: the database has everything.\n"
    UsageTracker.reserve(make_user(), "video").commit()

    assert run("flush_usage") == "Brought 3 entries into the database.\n"
    assert UsageRecord.objects.get().video_count == 1


def test_the_database_store_has_nothing_to_bring(run: Run, ada: User) -> None:
    UsageTracker.reserve(ada, "video").commit()

    assert run("flush_usage") == "Nothing to bring: the database has everything.\n"


def test_a_store_that_is_away_is_a_sentence(redis_settings: Any, run: Run) -> None:
    redis_settings.CACHES = {
        **redis_settings.CACHES,
        "usage": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://127.0.0.1:1"},
    }
    with pytest.raises(CommandError, match="does not answer"):
        run("flush_usage")


@pytest.mark.parametrize("interval", ["0", "-1"])
def test_an_impossible_interval(run: Run, interval: str) -> None:
    with pytest.raises(CommandError, match="--interval must be more than 0"):
        run("flush_usage", "--loop", "--interval", interval)


LOOP = """
import json, sys, django
django.setup()
from django.core.management import call_command
from django.test.utils import override_settings
changed = json.loads(sys.argv[1])
with override_settings(**changed):
    call_command("flush_usage", "--loop", "--interval", "0.05")
"""


@pytest.mark.postgres
def test_the_loop_goes_on_until_it_is_told_to_stop(redis_settings: Any) -> None:
    from tests.servers import wait_until

    user = make_user()
    name = connection.settings_dict["NAME"]  # of the test database
    address = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    changed = {"CACHES": redis_settings.CACHES, "VIDEOQ_BILLING": redis_settings.VIDEOQ_BILLING}
    process = subprocess.Popen(  # noqa: S603 (our own code)
        [sys.executable, "-c", LOOP, json.dumps(changed)],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": address},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        for count in (1, 2):
            UsageTracker.reserve(user, "video").commit()
            wait_until(lambda count=count: UsageRecord.objects.filter(video_count=count).exists())  # type: ignore[misc]
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, said) == (0, "Brought 5 entries into the database.\n")
