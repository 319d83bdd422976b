"""What has happened to subscriptions at Stripe, read off their events, whatever of them the site was sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from django_videoq_billing.models import Notification
from tests.simulation.account import moment
from tests.simulation.post import Post, Seen
from tests.simulation.year import Year

Kind = Notification.Kind
DRAFT = timedelta(hours=1)
"""How long a renewal's invoice is a draft before it is charged."""
LONGEST_STEP = timedelta(hours=36)
LONGEST_SILENCE = timedelta(days=5)
"""In which the daily comparison with Stripe finds what no event has told, though runs of it are left out."""
ACTIVE = ("active", "trialing")
GRACE = timedelta(days=settings.VIDEOQ_BILLING.get("GRACE_PERIOD_DAYS", 3))


def in_order(seen: Iterable[Seen]) -> list[Seen]:
    return sorted(seen, key=lambda one: one.at)


def what_happened(year: Year) -> Counter[tuple[int, str]]:
    """Read off the subscriptions' events; that a downgrade was asked for, the driver knows."""
    truth: Counter[tuple[int, str]] = Counter(year.books.accepted)
    begun, customers = set[str](), year.customers
    for seen in in_order(year.post.seen):
        subscription = seen.object
        user = customers.get(subscription["customer"])
        if user is None or "videoq_surplus" in subscription["metadata"]:
            continue
        if subscription["status"] in ACTIVE and subscription["id"] not in begun:
            begun.add(subscription["id"])
            truth[user, Kind.UPGRADE_CONFIRMED.value] += 1
        if seen.type == "customer.subscription.deleted":
            truth[user, Kind.CANCELLATION_DONE.value] += subscription["id"] in begun
        elif seen.type == "customer.subscription.updated":
            for kind in changes(seen):
                truth[user, kind.value] += 1
    return truth


def changes(seen: Seen) -> list[Notification.Kind]:
    now, found = seen.object, []
    more = price_change(seen)
    if more:
        found.append(Kind.UPGRADE_CONFIRMED if more > 0 else Kind.DOWNGRADE_DONE)
    was_ending = seen.before.get("cancel_at_period_end")
    if was_ending is False and now["cancel_at_period_end"]:
        found.append(Kind.CANCELLATION_SCHEDULED)
    if was_ending is True and not now["cancel_at_period_end"] and not more and now["status"] != "canceled":
        found.append(Kind.REACTIVATED)
    return found


def price_change(seen: Seen) -> int:
    """How much more the subscription costs than before."""
    items = (seen.before.get("items") or {}).get("data")
    if not items or "price" not in items[0]:
        return 0
    before, now = items[0]["price"], seen.object["items"]["data"][0]["price"]
    return int(now["unit_amount"] - before["unit_amount"])


@dataclass(eq=False)
class Failure:
    """A renewal that was not paid."""

    customer: str
    began: datetime
    heard: datetime | None = None
    """When the first event that says so was brought to the site."""
    ended: datetime | None = None
    """None while it is open."""

    @property
    def is_to_be_noticed(self) -> bool:
        """What was paid before the site has looked is no news; where no event came, it looks by itself in time."""
        seen = min(self.began + LONGEST_SILENCE, (self.heard or self.began + LONGEST_SILENCE) + LONGEST_STEP)
        return self.ended is None or self.ended > seen


def failures_of(post: Post, subscription: str | None = None) -> list[Failure]:
    """Of all subscriptions, or of one."""
    found, open_ones = [], {}
    seen = (one for one in post.seen if subscription in (None, one.object["id"]))
    for one in in_order(seen):
        key, is_open = one.object["id"], one.object["status"] == "past_due"
        if is_open and key not in open_ones:
            open_ones[key] = Failure(one.object["customer"], moment(one.at))
            found.append(open_ones[key])
        if is_open and (came := post.came.get(one.id)):
            open_ones[key].heard = min(came, open_ones[key].heard or came)
        elif not is_open and key in open_ones:
            open_ones.pop(key).ended = moment(one.at)
    return found
