"""Stripe's HTTP API: what each endpoint takes and which move of `billing` it makes."""
