"""The figures to see first, and the users who have little left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.formats import number_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from django_videoq_billing.admin.base import usage_text
from django_videoq_billing.models import UsageRecord
from django_videoq_billing.money import display_money
from django_videoq_billing.services.figures import Report, close_to_limits
from django_videoq_billing.services.metrics.figures import percent

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Tile:
    name: str
    value: str
    detail: str = ""
    role: str = ""


def tiles(found: Report, currency: str) -> list[Tile]:
    """Recurring revenue once for each currency: it is never added up over them."""
    own = [currency, *(other for other in found.currencies if other != currency)] if currency else []
    money = [tile for code in own if (tile := _recurring(found, code)) is not None]
    return [*money, _trials(found), *([_failed(found, currency)] if currency else []), *_now(found)]


def _money(amount: int, currency: str) -> str:
    return display_money(amount, currency, get_language() or "en")


def _recurring(found: Report, currency: str) -> Tile | None:
    known = [value for day in found.all_days if (value := found.recurring(day, currency, "mrr")) is not None]
    counts = [
        value
        for day in reversed(found.all_days)
        if (value := found.recurring(day, currency, "subscriptions")) is not None
    ]
    if not known:
        return None
    change = known[-1] - known[0]
    moved = f"{'+' if change >= 0 else '-'}{_money(abs(change), currency)}"
    subscriptions = ngettext("%(count)s subscription", "%(count)s subscriptions", counts[0]) % {
        "count": number_format(counts[0])
    }
    name = _("Recurring a month, %(currency)s") % {"currency": currency}
    detail = _("%(moved)s in this time, %(subscriptions)s") % {"moved": moved, "subscriptions": subscriptions}
    return Tile(name, _money(known[-1], currency), detail, "up" if change >= 0 else "down")


def _trials(found: Report) -> Tile:
    rows = found.days.values()
    ended, converted = sum(row.trials_ended for row in rows), sum(row.trials_converted for row in rows)
    detail = _("%(converted)s of %(ended)s trials that ended") % {
        "converted": number_format(converted),
        "ended": number_format(ended),
    }
    return Tile(_("Trials converted"), _percent(converted, ended), detail)


def _failed(found: Report, currency: str) -> Tile:
    rows = [row for (_day, code), row in found.money.items() if code == currency]
    failed, recovered = sum(row.failed for row in rows), sum(row.recovered for row in rows)
    detail = _("%(recovered)s of %(failed)s failed payments") % {
        "recovered": number_format(recovered),
        "failed": number_format(failed),
    }
    return Tile(
        _("Payments recovered, %(currency)s") % {"currency": currency}, _percent(recovered, failed), detail
    )


def _now(found: Report) -> list[Tile]:
    """Of the last look."""
    if found.latest is None:
        return []
    usage, webhooks = found.latest.usage.values(), found.latest.webhooks
    close = sum(parts.get("to_100", 0) + parts.get("full", 0) for parts in usage)
    waiting, failing = webhooks.get("waiting", 0), webhooks.get("failing", 0)
    return [
        Tile(_("Trials running"), number_format(found.latest.trials_running or 0)),
        Tile(_("Limits used to 80 % or more"), number_format(close), _("videos and transcription")),
        Tile(
            _("Webhooks waiting"),
            number_format(waiting),
            _("%(count)s of them failed") % {"count": number_format(failing)},
            "down" if failing else "",
        ),
    ]


def _percent(part: int, whole: int) -> str:
    rate = percent(part, whole)
    return "-" if rate is None else f"{number_format(rate)} %"


def close_users(request: HttpRequest, now: datetime) -> list[dict[str, Any]] | None:
    """None for whoever may see figures and no users."""
    if not request.user.has_perm("videoq_billing.view_usagerecord"):
        return None
    return [_close(record) for record in close_to_limits(now, SHOWN)]


def _close(record: UsageRecord) -> dict[str, Any]:
    report = record.report
    try:
        url = reverse("admin:videoq_billing_usagerecord_change", args=[record.pk])
    except NoReverseMatch:  # the site has taken the page of usage records away
        url = ""
    return {
        "user": str(record.user),
        "url": url,
        "videos": usage_text(record.video_count, record.video_limit, report.video_usage_percentage),
        "minutes": usage_text(
            report.transcription_minutes,
            report.transcription_limit_minutes,
            report.transcription_usage_percentage,
        ),
        "until": record.billing_period_end,
    }
