"""Plans at Stripe: a product and a price for every plan that is for sale, and back.

A price cannot change its amount at Stripe: a plan that costs something else gets a new price, which takes over
the lookup key, and the old one is archived. Those who pay the old price go on paying it, and keep their plan.
https://docs.stripe.com/products-prices/manage-prices#lookup-keys
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.stripe_catalog import (
    MARK,
    Catalog,
    Json,
    amount_text,
    find,
    lookup_key,
    owner,
    price_text,
)
from django_videoq_billing.services.stripe_payloads import id_of
from django_videoq_billing.services.stripe_service import StripeService

_NEW: Json = {"id": "", "product": None, "default_price": None}  # stands for what a dry run does not create
_PULLED = {"name", "description", "price_cents", "currency", "interval"}


@dataclass(frozen=True, slots=True)
class PlanChange:
    """One line of the report: what was done, or would be, with which plan."""

    slug: str
    action: str
    details: str = ""


def push_plans(*, dry_run: bool = False) -> Iterator[PlanChange]:
    """Make Stripe's products and prices equal to the plans; yield each change when it is made.

    Safe to stop and to run again; a second run changes nothing. A plan that is free or inactive is not for
    sale: its price, if it has one, is archived, which ends no subscription.
    """
    catalog = Catalog()
    for plan in SubscriptionPlan.objects.order_by("sort_order", "pk"):
        for_sale = plan.is_active and not plan.is_free
        changes = (_push if for_sale else _withdraw)(plan, catalog, dry_run)
        yield from _or_else(changes, PlanChange(plan.slug, "unchanged" if for_sale else "not for sale"))


def pull_plans(*, dry_run: bool = False) -> Iterator[PlanChange]:
    """Make the plans equal to their products and prices at Stripe; yield each change. Limits stay ours."""
    catalog = Catalog()
    for plan in SubscriptionPlan.objects.order_by("sort_order", "pk"):
        yield from _or_else(_pull(plan, catalog, dry_run), PlanChange(plan.slug, "unchanged"))


def _or_else(changes: Iterator[PlanChange], otherwise: PlanChange) -> Iterator[PlanChange]:
    first = next(changes, None)
    yield first or otherwise
    yield from changes


def _push(plan: SubscriptionPlan, catalog: Catalog, dry_run: bool) -> Iterator[PlanChange]:
    known = catalog.known_prices(plan)
    product = catalog.product_of(plan, known)
    if product is None:
        product = _NEW if dry_run else _new_product(plan)
        yield PlanChange(plan.slug, "create product", plan.name)
    elif changes := _product_changes(plan, product):
        product = product if dry_run else StripeService.update("products", product["id"], changes)
        yield PlanChange(plan.slug, "update product", _names(changes))
    prices = catalog.prices_of(plan, product, known) if product["id"] else []
    price = next((price for price in prices if _fits(price, plan)), None)
    if price is None:
        price = _NEW if dry_run else _new_price(plan, product, [*known, *prices])
        amount = amount_text(plan.price_cents, plan.currency, plan.interval)
        yield PlanChange(plan.slug, "create price", amount)
    elif changes := _price_changes(plan, price):
        price = price if dry_run else StripeService.update("prices", price["id"], changes)
        yield PlanChange(plan.slug, "update price", _names(changes))
    if not dry_run:
        _save_ids(plan, price["id"], product["id"])
    ours = {old["id"]: old for old in [*known, *prices] if old in known or owner(old) == plan.slug}
    for old_id in ours.keys() - {price["id"]}:
        yield from _archive(plan, ours[old_id], price, dry_run)


def _withdraw(plan: SubscriptionPlan, catalog: Catalog, dry_run: bool) -> Iterator[PlanChange]:
    for price in catalog.known_prices(plan):
        yield from _archive(plan, price, None, dry_run)


def _archive(
    plan: SubscriptionPlan, price: Json, successor: Json | None, dry_run: bool
) -> Iterator[PlanChange]:
    """Take a price off sale. Stripe refuses that for a product's default price, unless another one takes over."""
    product = find("products", id_of(price["product"])) or _NEW
    if not price["active"] or not product.get("active", True):
        return
    is_default = id_of(product["default_price"]) == price["id"]
    if is_default and (successor is None or id_of(successor["product"]) not in (None, product["id"])):
        advice = "it is the default price of its product; archive that product in Stripe's dashboard"
        yield PlanChange(plan.slug, "cannot archive price", f"{price_text(price)}: {advice}")
        return
    if not dry_run:
        if is_default and successor:
            StripeService.update("products", product["id"], {"default_price": successor["id"]})
        StripeService.update("prices", price["id"], {"active": False})
    yield PlanChange(plan.slug, "archive price", price_text(price))


def _names(changes: Json) -> str:
    return ", ".join(sorted(changes.keys() - {"transfer_lookup_key"}))


def _new_product(plan: SubscriptionPlan) -> Json:
    """Create the plan's product; a second run at the same moment is answered with the same one."""
    fields: Json = {"name": plan.name, "metadata": {MARK: plan.slug}}
    if plan.description:
        fields["description"] = plan.description
    return StripeService.create("products", fields, after=plan.stripe_product_id)


def _new_price(plan: SubscriptionPlan, product: Json, previous: list[Json]) -> Json:
    """Create the plan's price, which follows the previous ones; a second run at the same moment gets the same."""
    seen = sorted({price["id"] for price in previous})
    return StripeService.create("prices", _price_fields(plan, product, previous), after=seen)


def _product_changes(plan: SubscriptionPlan, product: Json) -> Json:
    if owner(product) not in (None, plan.slug):
        return {}  # another plan's product, with a price of ours: its name is the other plan's
    wanted = {"name": plan.name, "description": plan.description or "", "active": True}
    changes = {name: value for name, value in wanted.items() if (product[name] or "") != value}
    return changes if owner(product) else {**changes, "metadata": {MARK: plan.slug}}


def _fits(price: Json, plan: SubscriptionPlan) -> bool:
    terms = (price["unit_amount"], price["currency"], _interval(price))
    return terms == (plan.price_cents, plan.currency.lower(), plan.interval)


def _interval(price: Json) -> str | None:
    """Return "month" or "year" for a price that a plan can express, such as no price by usage has."""
    recurring = price["recurring"] or {}
    simple = recurring.get("interval_count") == 1 and recurring.get("usage_type") == "licensed"
    return recurring["interval"] if simple and price["billing_scheme"] == "per_unit" else None


def _price_fields(plan: SubscriptionPlan, product: Json, previous: list[Json]) -> Json:
    fields: Json = {
        "product": product["id"],
        "unit_amount": plan.price_cents,
        "currency": plan.currency.lower(),
        "recurring": {"interval": plan.interval},
        "lookup_key": lookup_key(plan.slug),
        "transfer_lookup_key": True,
        "metadata": {MARK: plan.slug},
    }
    taxed = previous[0].get("tax_behavior") if previous else None
    return fields if taxed in (None, "unspecified") else {**fields, "tax_behavior": taxed}


def _price_changes(plan: SubscriptionPlan, price: Json) -> Json:
    changes: Json = {} if price["active"] else {"active": True}
    if price["lookup_key"] != lookup_key(plan.slug):
        changes |= {"lookup_key": lookup_key(plan.slug), "transfer_lookup_key": True}
    return changes if owner(price) else {**changes, "metadata": {MARK: plan.slug}}


def _save_ids(plan: SubscriptionPlan, price_id: str, product_id: str) -> None:
    if (plan.stripe_price_id, plan.stripe_product_id) != (price_id, product_id):
        ids = {"stripe_price_id": price_id, "stripe_product_id": product_id}
        SubscriptionPlan.objects.filter(pk=plan.pk).update(**ids, updated_at=timezone.now())


def _pull(plan: SubscriptionPlan, catalog: Catalog, dry_run: bool) -> Iterator[PlanChange]:
    known = catalog.known_prices(plan)
    product = catalog.product_of(plan, known)
    prices = catalog.prices_of(plan, product, known) if product else []
    price = _price_on_sale(product, prices) if product else None
    if product is None or price is None:
        yield PlanChange(plan.slug, "not at Stripe")
        return
    if price["unit_amount"] is None or _interval(price) not in SubscriptionPlan.Interval.values:
        yield PlanChange(plan.slug, "cannot pull", "its price at Stripe is not one amount a month or a year")
        return
    values = _values_from(plan, product, price)
    changed = {name: value for name, value in values.items() if (getattr(plan, name) or "") != (value or "")}
    if not changed:
        return
    shown = [f"{name}: {getattr(plan, name)} -> {values[name]}" for name in changed if name in _PULLED]
    for name, value in changed.items():
        setattr(plan, name, value)
    try:
        plan.full_clean()
    except ValidationError as error:
        yield PlanChange(plan.slug, "cannot pull", " ".join(error.messages))
        return
    if not dry_run:
        plan.save(update_fields=[*changed, "updated_at"])
    yield PlanChange(plan.slug, "update plan", ", ".join(shown) or "its ids at Stripe")


def _values_from(plan: SubscriptionPlan, product: Json, price: Json) -> dict[str, Any]:
    values = {
        "price_cents": price["unit_amount"],
        "currency": price["currency"].upper(),
        "interval": _interval(price),
        "stripe_price_id": price["id"],
        "stripe_product_id": product["id"],
    }
    if owner(product) not in (None, plan.slug):
        return values
    return {"name": product["name"], "description": product["description"], **values}


def _price_on_sale(product: Json, prices: list[Json]) -> Json | None:
    """Return the price that a new subscriber pays. The dashboard gives a new price to the product as default."""
    on_sale = [price for price in prices if price["active"]] or prices
    default = id_of(product["default_price"])
    keyed_or_default = [price for price in on_sale if price["lookup_key"] or price["id"] == default]
    return next(iter(keyed_or_default or on_sale), None)
