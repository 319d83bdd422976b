"""Who signs up when, and what for. A few are decided beforehand, so that each state can be seen today."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from dateutil.relativedelta import relativedelta

from example_project.videos.demo.lives import FREE, PREMIUM, STANDARD, YEARLY, YEN, Life, Plans, Story, live

YEAR = timedelta(days=365)
FEWEST, MOST = 0.4, 1.6
"""Sign-ups a day at the beginning and at the end of the year, as parts of the mean."""

BUYS, TRIES, PAYS_IN_YEN = 0.46, 0.4, 0.2
DOLLARS = ((0.68, STANDARD), (0.93, PREMIUM), (1.0, YEARLY))

# Months since the purchase, days since the running period began, plan, what happens in it.
DECIDED = (
    (5, 1.5, STANDARD, "fail"),
    (3, 2, YEN, "fail"),
    (7, 5, PREMIUM, "fail"),
    (2, 9, STANDARD, "cancel"),
    (6, 15, PREMIUM, "cancel"),
    (4, 20, YEN, "cancel"),
    (3, 12, PREMIUM, "change"),
    (5, 8, PREMIUM, "change"),
    (4, 10, STANDARD, "change"),
    (2, 18, STANDARD, "hesitate"),
)
TRIALS = ((2, STANDARD), (5, PREMIUM), (9, STANDARD), (12, STANDARD))
FEWEST_USERS = 50


def lives_of(count: int, plans: Plans, rng: Random, now: datetime, grace: timedelta) -> list[Life]:
    """In the order of their sign-ups."""
    decided = list(_decided(now))
    stories = [*decided, *(_story(rng, now) for _ in range(count - len(decided)))]
    return [live(story, plans, rng, now, grace) for story in sorted(stories, key=lambda each: each.joined)]


def _decided(now: datetime) -> Iterator[Story]:
    for months, days, plan, what in DECIDED:
        buys_at = now - timedelta(days=days) - relativedelta(months=months)
        yield Story(buys_at - timedelta(days=4, hours=months), buys_at, plan, now_happens=what)
    for days, plan in TRIALS:
        buys_at = now - timedelta(days=days)
        yield Story(buys_at - timedelta(days=1, hours=days), buys_at, plan, trial=True)


def _story(rng: Random, now: datetime) -> Story:
    joined = now - YEAR + YEAR * _growing(rng.random())
    buys, yen, plan, trial = (rng.random() for _ in range(4))
    buys_at = joined + timedelta(hours=1) + timedelta(days=rng.expovariate(1 / 14))
    if buys >= BUYS:
        return Story(joined)
    slug = YEN if yen < PAYS_IN_YEN else next(slug for up_to, slug in DOLLARS if plan < up_to)
    return Story(joined, buys_at, slug, trial=slug != YEARLY and trial < TRIES)


def _growing(chance: float) -> float:
    """A moment of the year, from 0 to 1, such that sign-ups grow evenly."""
    low, high = FEWEST**2, MOST**2
    return float((low + (high - low) * chance) ** 0.5 - FEWEST) / (MOST - FEWEST)


def on_the_default_plan(lives: list[Life], since: timedelta) -> list[Life]:
    """Who has never bought anything, and has been here for that long."""
    return [
        life
        for life in lives
        if life.row["plan"].slug == FREE and not life.lines and life.now - life.joined > since
    ]
