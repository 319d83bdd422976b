"""Uploads and transcriptions, each booked as it was answered, and each answer judged on the spot."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from django_videoq_billing.exceptions import QuotaExceeded, UsageUnavailable
from django_videoq_billing.services.usage_tracker import Hold, UsageTracker
from django_videoq_billing.types import Metric, Reservation
from django_videoq_billing.usage import get_store
from tests.simulation.books import Books, Told, Use, Whose
from tests.simulation.people import Person

HELD_FOR = timedelta(seconds=settings.VIDEOQ_BILLING.get("RESERVATION_SECONDS", 3600))


class Uploads:
    """One user's; a client that gets no answer asks again under the same key until it has one."""

    def __init__(self, person: Person, books: Books) -> None:
        self.person, self.books = person, books
        self._unanswered: tuple[str, Metric, int] | None = None
        self._number = 0

    def act(self, dice: random.Random, step: int) -> None:
        self._go_on(dice, step)
        if self._unanswered is None:
            self._number += 1
            metric = dice.choice([Metric.VIDEO, Metric.VIDEO, Metric.TRANSCRIPTION])
            amount = dice.choice([1, 1, 1, 2]) if metric is Metric.VIDEO else dice.randint(30, 1500)
            self._unanswered = (f"{self.person.pk}-{self._number}", metric, amount)
        hold = self._ask(*self._unanswered)
        if hold is None:
            return
        use = self._book(hold, step)
        if dice.random() < 0.15:
            self._repeat(use, *self._unanswered)
        self._unanswered = None
        if dice.random() < (0.4 if use.whose[1] == Metric.TRANSCRIPTION else 0.95):
            self._settle(use, dice, step)

    def _go_on(self, dice: random.Random, step: int) -> None:
        """What was begun in an earlier step, mostly longer ago than a hold lasts."""
        for use in [use for use in self.books.open if use.whose[0] == self.person.pk]:
            if dice.random() < 0.7:
                self._settle(use, dice, step)

    def finish(self, dice: random.Random, step: int) -> None:
        if self._unanswered is not None:
            hold = self._ask(*self._unanswered)
            self._unanswered = None
            if hold is not None:
                self._book(hold, step)
        for use in [use for use in self.books.open if use.whose[0] == self.person.pk]:
            self._settle(use, dice, step)

    def _ask(self, key: str, metric: Metric, amount: int) -> Hold | None:
        """A hold, or None: then it was refused, or there was no answer and `_unanswered` keeps it."""
        try:
            hold = UsageTracker.reserve(self.person.user, metric, amount, key=key)
        except UsageUnavailable:
            self.books.happened["upload without an answer"] += 1
            self.books.told.append(Told(self.person.pk))
            return None
        except QuotaExceeded as refusal:
            self.books.happened["upload refused"] += 1
            self._judge(refusal.reservation)
            self._unanswered = None
            return None
        self.books.happened["upload admitted"] += 1
        self._judge(hold.reservation)
        return hold

    def _whose(self, reservation: Reservation) -> Whose:
        return self.person.pk, str(reservation.metric), reservation.period.start

    def _book(self, hold: Hold, step: int) -> Use:
        whose, now = self._whose(hold.reservation), timezone.now()
        use = Use(whose, hold, now + HELD_FOR, hold.reservation.limit, step)
        self.books.open.append(use)
        return use

    def _judge(self, asked: Reservation) -> None:
        """Admitted exactly where it fits beside what is settled and what is held."""
        whose, now = self._whose(asked), timezone.now()
        taken = self.books.settled[whose] + self.books.held(whose, now)
        if not asked.period.start <= now < asked.period.end:
            self.books.complaints.append(f"user {whose[0]}: counted at {now} in {asked.period}")
        what = f"{asked.amount} {whose[1]}"
        if asked.granted and not _fits(asked, taken):
            if _fits(asked, taken - self.books.to_come(whose)):
                self.books.happened["upload admitted before a flush"] += 1
            else:
                self.books.complaints.append(
                    f"user {whose[0]}: {what} admitted beside {taken} of {asked.limit} at {now}"
                )
        if not asked.granted and _fits(asked, taken) and not self.books.has_told(whose[0]):
            self.books.complaints.append(
                f"user {whose[0]}: {what} refused beside {taken} of {asked.limit} at {now}"
            )

    def _repeat(self, use: Use, key: str, metric: Metric, amount: int) -> None:
        """The same upload once more, under its key: it must not count again."""
        try:
            again = UsageTracker.reserve(self.person.user, metric, amount, key=key)
        except UsageUnavailable:
            return
        except QuotaExceeded:
            self.books.complaints.append(f"user {self.person.pk}: {key} was admitted, and is refused now")
            return
        self.books.happened["upload repeated"] += 1
        if again.id != use.hold.id or not again.reservation.replayed:
            self.books.complaints.append(f"user {self.person.pk}: {key} was admitted twice")

    def _settle(self, use: Use, dice: random.Random, step: int) -> None:
        """With what was really used, which may be more than was reserved, or given back."""
        actual = use.hold.reservation.amount
        if use.whose[1] == Metric.TRANSCRIPTION and dice.random() < 0.5:
            actual = round(actual * dice.uniform(0.5, 1.3))
        if dice.random() < 0.1:
            actual = 0
            use.hold.release()
        else:
            use.hold.commit(actual)
        if valkey_is_away():
            self.books.tell(use, actual, timezone.now())
        self.books.settle(use, actual, step)


def _fits(asked: Reservation, taken: int) -> bool:
    return asked.limit is None or taken + asked.amount <= asked.limit


def valkey_is_away() -> bool:
    """Whether this process leaves it alone at the moment."""
    store: Any = get_store()
    return store.shards.wire._retry_at is not None
