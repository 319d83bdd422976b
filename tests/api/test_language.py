"""Who does something about a plan is remembered with the language of it, for the e-mails that come of it."""

from __future__ import annotations

from typing import Any

import pytest

from django_videoq_billing.models import EmailPreference
from tests.api.clients import URLS, client_of

pytestmark = pytest.mark.django_db
ACTIONS = ["checkout", "cancel", "reactivate", "change"]


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_is_remembered(user: Any, action: str) -> None:
    """Even one that is refused: nothing is billed here."""
    client_of(user).post(URLS[f"billing/subscription/{action}"], {}, headers={"accept-language": "ja"})
    assert EmailPreference.objects.get(user=user).language == "ja"


def test_the_portal_is_remembered(user: Any) -> None:
    client_of(user).post(URLS["billing/portal"], {}, headers={"accept-language": "ja"})
    assert EmailPreference.objects.get(user=user).language == "ja"


def test_looking_is_not(user: Any) -> None:
    client_of(user).get(URLS["billing/subscription"], headers={"accept-language": "ja"})
    assert not EmailPreference.objects.exists()
