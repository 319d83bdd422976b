"""What neither an answer nor a line of the log may carry: Stripe's ids, and secrets."""

from __future__ import annotations

import json
import logging
import re

import pytest

STRIPE_ID = re.compile(
    r"\b(cus|sub|sub_sched|price|prod|in|il|evt|ch|pi|seti|re|du|dp|cs|pm|si|acct|bps|req)"
    r"_(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{6,}"
)
SECRETS = ("whsec_", "sk_test_", "_secret_")
OF_THE_TEST = ("httpx", "httpcore")  # the test's own way to the sandbox's switches


def leaks(text: str) -> list[str]:
    return [f"{kind}_" for kind in STRIPE_ID.findall(text)] + [secret for secret in SECRETS if secret in text]


def hear_everything(caplog: pytest.LogCaptureFixture) -> None:
    """As a host does that sets every logger to DEBUG, Stripe's own among them."""
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name)


def of_the_site(records: list[logging.LogRecord]) -> list[logging.LogRecord]:
    return [record for record in records if not record.name.startswith(OF_THE_TEST)]


def written(record: logging.LogRecord) -> str:
    """All that any formatter could write of it."""
    return logging.Formatter().format(record) + json.dumps(vars(record), default=repr)
