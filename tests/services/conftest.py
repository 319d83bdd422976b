from __future__ import annotations

from importlib.util import find_spec

if find_spec("httpx") and find_spec("starlette"):
    from tests.stripe_site import customer, plans, stripe_account

    __all__ = ["customer", "plans", "stripe_account"]
else:  # the base install has no sandbox
    collect_ignore_glob = ["test_stripe_*.py"]
