from tests.stripe_site import customer, plans, stripe_account, stripe_process

__all__ = ["customer", "plans", "stripe_account", "stripe_process"]
