from __future__ import annotations

from tests.api.conftest import shop

__all__ = ["shop"]
