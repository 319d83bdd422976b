from __future__ import annotations

from tests.api.conftest import api_stripe_process, shop

__all__ = ["api_stripe_process", "shop"]
