"""How users are named in Redis, whatever the host's key of a user is."""

from __future__ import annotations

from uuid import UUID

import pytest

from django_videoq_billing.types import UserId
from django_videoq_billing.usage.redis_store.keys import encoded


@pytest.mark.parametrize("pk", [1, 2**63 - 1, UUID(int=1), UUID(int=2), "ada", "エイダ"])
def test_a_user_is_named_by_the_key(pk: UserId) -> None:
    assert encoded(pk).decode() == str(pk)
