"""Everything that is stored of what happened to one user, newest first, a page at a time.

Each source is asked once for a page, for no more rows than the page has, whatever lies before it. Of refusals
the first in an hour is stored, and what a host's own code assigned leaves only the moment of the last time in the row.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.models import (
    ExtraAllowance,
    Notification,
    PaymentTransaction,
    UsageAlert,
    UsageCorrection,
    UsageRefusal,
    UserSubscription,
    WebhookEvent,
)

PAGE = 50


@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    source: str
    row: Model
    kind: str | Promise
    text: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    lines: list[Line]
    older: str
    """Give it as `before` for the next page; "" where this is the last."""


@dataclass(frozen=True, slots=True)
class Source:
    """A table with things that happened to users: how to find them, their moment, and how to tell one."""

    model: str
    moment: str
    kind: str | Promise
    rows: Callable[[UserSubscription], QuerySet[Any]]
    tell: Callable[[Any], tuple[str, str]]


def timeline(
    subscription: UserSubscription, *, sources: Collection[str], before: str = "", size: int = PAGE
) -> Page:
    """Return a page of what happened to the subscription's user, as far as it is in one of `sources`.

    A `before` that makes no sense is the beginning.
    """
    place = _place(before)
    found: list[tuple[tuple[datetime, int, Any], Line]] = []
    for rank, (name, source) in enumerate(SOURCES.items()):
        if name in sources:
            found += _lines(rank, name, source, subscription, place, size)
    found.sort(key=lambda pair: pair[0], reverse=True)
    page, is_last = found[:size], len(found) <= size
    if is_last:
        return Page([line for _key, line in page], "")
    at, rank, pk = page[-1][0]
    return Page([line for _key, line in page], f"{at.isoformat()}~{rank}~{pk}")


def _lines(
    rank: int,
    name: str,
    source: Source,
    subscription: UserSubscription,
    place: tuple[datetime, int, int] | None,
    size: int,
) -> Iterator[tuple[tuple[datetime, int, Any], Line]]:
    rows = source.rows(subscription)
    if place is not None:
        rows = rows.filter(_earlier(source.moment, rank, *place))
    for row in rows.order_by(f"-{source.moment}", "-pk")[: size + 1]:
        at = getattr(row, source.moment)
        yield (at, rank, row.pk), Line(at, name, row, source.kind, *source.tell(row))


def _earlier(moment: str, rank: int, at: datetime, last_rank: int, last_pk: int) -> Q:
    """What comes after the last line of a page, where several things have the same moment, too."""
    earlier = Q(**{f"{moment}__lt": at})
    if rank < last_rank:
        return earlier | Q(**{moment: at})
    return earlier | Q(**{moment: at}, pk__lt=last_pk) if rank == last_rank else earlier


def _place(before: str) -> tuple[datetime, int, int] | None:
    try:
        at, rank, pk = before.split("~")
        place = datetime.fromisoformat(at), int(rank), int(pk)
    except ValueError:
        return None
    return place if place[0].tzinfo else None


def _events(subscription: UserSubscription) -> QuerySet[Any]:
    """The events of the user's customer, by the index `vqb_webhook_customer`."""
    customer = Coalesce(KT("payload__data__object__customer"), KT("payload__data__object__id"))
    events = WebhookEvent.objects.alias(customer=customer).defer("payload")
    wanted = subscription.stripe_customer_id
    return events.filter(customer=wanted) if wanted else events.none()


def _changes(subscription: UserSubscription) -> QuerySet[Any]:
    """What people did in the admin; nothing where the project does without it."""
    if not apps.is_installed("django.contrib.admin"):
        return UserSubscription.objects.none()
    entries = apps.get_model("admin", "LogEntry")._default_manager.select_related("user")
    kind = ContentType.objects.get_for_model(UserSubscription)
    return entries.filter(content_type=kind, object_id=str(subscription.pk))


def _of_user(model: Any, *related: str) -> Callable[[UserSubscription], QuerySet[Any]]:
    def rows(subscription: UserSubscription) -> QuerySet[Any]:
        mine: QuerySet[Any] = model._default_manager.filter(user_id=subscription.user_id)
        return mine.select_related(*related) if related else mine

    return rows


def _of_alert(alert: UsageAlert) -> tuple[str, str]:
    numbers = f"{number_format(alert.used)} / {number_format(alert.limit)}"
    return f"{alert.threshold} %: {numbers} {alert.get_metric_display()}", ""


def _of_refusal(row: UsageRefusal) -> tuple[str, str]:
    numbers = f"{number_format(row.used)} + {number_format(row.amount)} > {number_format(row.limit)}"
    return f"{numbers} {row.get_metric_display()}", ""


def _of_correction(row: UsageCorrection) -> tuple[str, str]:
    text = f"{number_format(row.before)} → {number_format(row.after)} {row.get_metric_display()}"
    return text, _by(row.author, row.reason)


def _of_allowance(row: ExtraAllowance) -> tuple[str, str]:
    text = f"+{number_format(row.amount)} {row.get_metric_display()}"
    if row.revoked_at:
        text = str(_("%(allowance)s (revoked)") % {"allowance": text})
    return text, _by(row.author, row.reason)


def _by(author: Any, sentence: str) -> str:
    return f"{author.get_username()}: {sentence}" if author else sentence


SOURCES: dict[str, Source] = {
    "event": Source(
        "webhookevent",
        "created_at",
        _("Event"),
        _events,
        lambda event: (str(event), event.error.partition("\n")[0][:200]),
    ),
    "payment": Source(
        "paymenttransaction",
        "created_at",
        _("Payment"),
        _of_user(PaymentTransaction),
        lambda payment: (str(payment), payment.description),
    ),
    "email": Source(
        "notification",
        "created_at",
        _("E-mail"),
        _of_user(Notification),
        lambda row: (
            f"{row.get_kind_display()} ({row.get_state_display()})",
            row.error.partition("\n")[0][:200],
        ),
    ),
    "warning": Source("usagealert", "created_at", _("Warning"), _of_user(UsageAlert), _of_alert),
    "refusal": Source("usagerefusal", "created_at", _("Refused"), _of_user(UsageRefusal), _of_refusal),
    "allowance": Source(
        "extraallowance",
        "created_at",
        _("Extra allowance"),
        _of_user(ExtraAllowance, "author"),
        _of_allowance,
    ),
    "correction": Source(
        "usagecorrection",
        "created_at",
        _("Correction"),
        _of_user(UsageCorrection, "author"),
        _of_correction,
    ),
    "change": Source(
        "usersubscription",
        "action_time",
        _("By hand"),
        _changes,
        lambda entry: (
            str(entry.get_change_message() or entry.get_action_flag_display()),
            entry.user.get_username(),
        ),
    ),
}
"""By name: what is told, and of which model of ours one needs the permission to view it."""
