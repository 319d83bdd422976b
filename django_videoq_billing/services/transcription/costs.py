"""What transcription costs the site. No figure is rounded anywhere, so every sum is the sum of its jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Context, Decimal, Inexact
from functools import reduce

from dateutil.relativedelta import relativedelta
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import BigIntegerField, Count, F, Sum
from django.db.models.functions import Cast, Round
from django.utils import timezone

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import TranscriptionJob
from django_videoq_billing.types import UserId

_CENTS = 100
_CENT_DECIMALS = 6
_EXACT = Context(prec=60, traps=[Inexact])  # the host's own context may round to fewer digits


@dataclass(frozen=True, slots=True)
class UserCosts:
    """One user's completed jobs of one month."""

    user_id: UserId
    username: str
    jobs: int
    seconds: int
    cost_cents: Decimal


@dataclass(frozen=True, slots=True)
class MonthlyCosts:
    """The jobs completed in one month, by user and altogether; `month` is its first day."""

    month: date
    users: tuple[UserCosts, ...]
    jobs: int
    seconds: int
    cost_cents: Decimal


def cost_per_second(whisper_model: str) -> Decimal:
    """Return the rate in force now: the model's own, or the one for all."""
    options = get_settings()
    return options.TRANSCRIPTION_COST_BY_MODEL.get(whisper_model, options.TRANSCRIPTION_COST_PER_SECOND)


def cost_cents(seconds: int, rate: Decimal) -> Decimal:
    """Return what the seconds cost the site at this rate per second, in cents, exactly."""
    return _EXACT.multiply(rate, Decimal(seconds * _CENTS))


def monthly_costs(month: date, user: AbstractBaseUser | None = None) -> MonthlyCosts:
    """Return what the jobs completed in the month of `month` cost, of one user or of all.

    A month is a calendar month in the site's TIME_ZONE. One that is over stays as it is, except that a
    deleted user's jobs go with the user.
    """
    first = date(month.year, month.month, 1)
    jobs = TranscriptionJob.objects.filter(
        status=TranscriptionJob.Status.COMPLETED,
        completed_at__gte=_midnight(first),
        completed_at__lt=_midnight(first + relativedelta(months=1)),
    )
    if user is not None:
        jobs = jobs.filter(user_id=user.pk)
    name = F(f"user__{get_user_model().USERNAME_FIELD}")
    # SQLite keeps decimals as floats: whole millionths of a cent add up exactly on every database.
    millionths = Cast(Round(F("cost_cents") * 10**_CENT_DECIMALS), BigIntegerField())
    rows = jobs.values_list("user_id", name).order_by("user_id")
    sums = rows.annotate(jobs=Count("pk"), seconds=Sum("duration_seconds"), cost=Sum(millionths))
    users = tuple(
        UserCosts(user_id, str(username), count, int(seconds), _cents(int(cost)))
        for user_id, username, count, seconds, cost in sums
    )
    return MonthlyCosts(
        month=first,
        users=users,
        jobs=sum(costs.jobs for costs in users),
        seconds=sum(costs.seconds for costs in users),
        cost_cents=reduce(_EXACT.add, (costs.cost_cents for costs in users), Decimal(0)),
    )


def _cents(millionths: int) -> Decimal:
    return _EXACT.scaleb(Decimal(millionths), -_CENT_DECIMALS)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=timezone.get_default_timezone())
