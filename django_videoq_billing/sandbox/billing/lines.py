"""What things cost: amounts of items, descriptions, discounts. Nothing here has side effects."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.objects import invoices, subscriptions
from django_videoq_billing.sandbox.store import Record, Store

ZERO_DECIMAL = frozenset(
    {
        "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf",
    }
)  # fmt: skip
TIMES = "\N{MULTIPLICATION SIGN}"
SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "krw": "₩"}


def whole(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def amount_of(price: Record, quantity: int) -> int:
    return whole(Decimal(price["unit_amount_decimal"]) * quantity)


def money(amount: int, currency: str) -> str:
    """For people: `$12.00`, `¥1,480`, `-12.00 CHF`."""
    sign = "-" if amount < 0 else ""
    number = f"{abs(amount):,}" if currency in ZERO_DECIMAL else f"{abs(amount) / 100:,.2f}"
    symbol = SYMBOLS.get(currency)
    return f"{sign}{symbol}{number}" if symbol else f"{sign}{number} {currency.upper()}"


def item_amount(store: Store, item: Record) -> int:
    return amount_of(store.the("price", item["price"]), item["quantity"])


def interval_of(store: Store, item: Record) -> tuple[str, int]:
    recurring = store.the("price", item["price"])["recurring"]
    return recurring["interval"], recurring["interval_count"]


def product_name(store: Store, price: Record) -> str:
    product = store.get("product", price["product"])
    return str(product["name"]) if product else price["id"]


def described(store: Store, item: Record) -> str:
    price = store.the("price", item["price"])
    interval, count = interval_of(store, item)
    every = interval if count == 1 else f"{count} {interval}s"
    cost = money(amount_of(price, 1), price["currency"])
    return f"{item['quantity']} {TIMES} {product_name(store, price)} (at {cost} / {every})"


def item_line(
    box: Sandbox, subscription: Record, item: Record, period: tuple[int, int], *, trial: bool
) -> Record:
    """One subscription item's line for a whole period; a trial's line is free."""
    store = box.store
    price = store.the("price", item["price"])
    text = f"Trial period for {product_name(store, price)}" if trial else described(store, item)
    return invoices.line(
        box,
        0 if trial else item_amount(store, item),
        price["currency"],
        description=text,
        parent=invoices.item_parent(subscription["id"], item["id"]),
        period={"end": period[1], "start": period[0]},
        pricing=invoices.pricing(price),
        quantity=item["quantity"],
        subscription=subscription["id"],
        metadata=dict(item["metadata"]),
    )


def period_lines(box: Sandbox, subscription: Record, *, trial: bool = False) -> list[Record]:
    period = subscriptions.period(subscription)
    return [
        item_line(box, subscription, item, period, trial=trial) for item in subscriptions.items(subscription)
    ]


def pending_line(box: Sandbox, waiting: Record) -> Record:
    """The line that a waiting invoice item becomes."""
    parent: Record
    if waiting["parent"] is None:
        parent = invoices.loose_parent(waiting)
    else:
        origin = waiting["parent"]["subscription_details"]
        parent = invoices.item_parent(origin["subscription"], origin["subscription_item"], waiting["id"])
    fields: dict[str, Any] = {
        name: waiting[name] for name in ("description", "period", "pricing", "quantity", "discountable")
    }
    origin_id = waiting["parent"] and waiting["parent"]["subscription_details"]["subscription"]
    return invoices.line(
        box, waiting["amount"], waiting["currency"], parent=parent, subscription=origin_id,
        metadata=dict(waiting["metadata"]), **fields,
    )  # fmt: skip


def taken_off(coupon: Record, subtotal: int) -> int:
    """What a coupon takes off an amount; never more than there is."""
    if subtotal <= 0:
        return 0
    if coupon["amount_off"] is not None:
        return min(subtotal, int(coupon["amount_off"]))
    return whole(Decimal(subtotal) * Decimal(str(coupon["percent_off"])) / 100)


def discount_amount(store: Store, discount_id: str, subtotal: int) -> int:
    coupon = store.get("coupon", store.the("discount", discount_id)["source"]["coupon"])
    return taken_off(coupon, subtotal) if coupon else 0


def totals(store: Store, lines: Iterable[Record], discounts: Iterable[str]) -> Record:
    """The sums that an invoice shows."""
    subtotal = sum(line["amount"] for line in lines)
    remaining, taken = subtotal, []
    for discount in discounts:
        amount = discount_amount(store, discount, remaining)
        remaining -= amount
        taken.append({"amount": amount, "discount": discount})
    return {
        "subtotal": subtotal, "subtotal_excluding_tax": subtotal, "total": remaining,
        "total_excluding_tax": remaining, "total_discount_amounts": taken, "amount_due": max(0, remaining),
        "amount_remaining": max(0, remaining),
    }  # fmt: skip
