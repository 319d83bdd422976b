from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest
import time_machine

from tests.notifications.variants import NOW, SITE
from tests.services.notifications.backends import Moody

if find_spec("httpx") and find_spec("starlette"):
    from tests.stripe.conftest import make_site, sandbox, site

    __all__ = ["make_site", "sandbox", "site"]
else:  # the base install has no sandbox, and no servers
    collect_ignore_glob = ["test_payment_mails.py", "test_races.py", "test_smtp.py"]


@pytest.fixture
def billing(settings: Any) -> Any:
    """A site that says where it is, and a mail server that can be told to fail."""
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, **SITE}
    settings.EMAIL_BACKEND = Moody.PATH
    Moody.calm_down()
    return settings


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller
