"""The products and prices that Stripe has for our plans, found by the plan's slug, too: a lost id is no loss."""

from __future__ import annotations

import logging
from typing import Any

from django_videoq_billing.exceptions import InvalidPlan, StripeObjectMissing
from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.money import display_money
from django_videoq_billing.services.stripe_payloads import id_of
from django_videoq_billing.services.stripe_service import StripeService

logger = logging.getLogger("django_videoq_billing")

Json = dict[str, Any]

MARK = "videoq_plan"  # the key of the metadata that names the plan's slug


def lookup_key(slug: str) -> str:
    return f"videoq_{slug}"


def owner(subject: Json) -> str | None:
    """Return the slug of the plan that a product or a price was made for."""
    return (subject.get("metadata") or {}).get(MARK)


def find(kind: str, object_id: str | None) -> Json | None:
    try:
        found = StripeService.retrieve(kind, object_id) if object_id else None
    except StripeObjectMissing:
        return None
    return None if found is None or found.get("deleted") else found


def report_archived(kind: str, object_id: str) -> None:
    """Say loudly which plans nobody can buy any more, because one of Stripe's ("products", "prices") is archived.

    That was done in the dashboard: `sync_stripe_plans` gives a plan its new price before it archives the old one.
    """
    ours = {"products": "stripe_product_id", "prices": "stripe_price_id"}[kind]
    plans = SubscriptionPlan.objects.filter(is_active=True, price_cents__gt=0, **{ours: object_id})
    slugs = list(plans.values_list("slug", flat=True))
    found = find(kind, object_id) if slugs else None
    if slugs and (found is None or not found["active"]):
        logger.error("plan_not_for_sale_at_stripe", extra={"plans": slugs, "archived": kind})


def require_price(plan: SubscriptionPlan) -> None:
    """Refuse a plan that costs something and has no price at Stripe yet, and tell the site why."""
    if not plan.is_free and not plan.stripe_price_id:
        logger.error("plan_has_no_price", extra={"plan": plan.slug})
        raise InvalidPlan.not_for_sale(plan.name)


def amount_text(amount: int, currency: str, interval: str) -> str:
    return f"{display_money(amount, currency, 'en')} a {interval}"


def price_text(price: Json) -> str:
    interval = (price["recurring"] or {}).get("interval", "time")
    return amount_text(price["unit_amount"] or 0, price["currency"].upper(), interval)


class Catalog:
    """One reading of Stripe's catalogue, for one run over the plans."""

    def __init__(self) -> None:
        self._marked: dict[str, Json] | None = None
        sold = SubscriptionPlan.objects.exclude(stripe_price_id=None)
        self._owners = dict(sold.values_list("stripe_price_id", "slug"))

    def known_prices(self, plan: SubscriptionPlan) -> list[Json]:
        """Return the price that has the plan's lookup key and the one whose id the row has."""
        keyed = list(StripeService.each("prices", {"lookup_keys": [lookup_key(plan.slug)]}))
        saved = find("prices", plan.stripe_price_id)
        return self._own(plan, [*keyed, saved] if saved else keyed)

    def product_of(self, plan: SubscriptionPlan, known: list[Json]) -> Json | None:
        found = find("products", plan.stripe_product_id)
        if found is None and known:
            found = find("products", id_of(known[0]["product"]))
        return found or self._marked_products().get(plan.slug)

    def prices_of(self, plan: SubscriptionPlan, product: Json, known: list[Json]) -> list[Json]:
        """Return what is the plan's price, or can become it, the likeliest first."""
        on_sale = StripeService.each("prices", {"product": product["id"], "active": True})
        same_product = [price for price in known if id_of(price["product"]) == product["id"]]
        return self._own(plan, [*same_product, *on_sale])

    def _own(self, plan: SubscriptionPlan, prices: list[Json]) -> list[Json]:
        """Leave out what belongs to another plan: two plans may share a product."""
        own: dict[str, Json] = {}
        for price in prices:
            sold_with = self._owners.get(price["id"], plan.slug)
            if sold_with == plan.slug and owner(price) in (None, plan.slug):
                own.setdefault(price["id"], price)
        return list(own.values())

    def _marked_products(self) -> dict[str, Json]:
        if self._marked is None:
            marked = [product for product in StripeService.each("products") if owner(product)]
            marked.sort(key=lambda product: (product["active"], -product["created"]))  # the best one last
            self._marked = {str(owner(product)): product for product in marked}
        return self._marked
