"""Stripe's events on their way to the site: late, twice, in any order, and some never."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.test import Client

from tests.signing import signature_of
from tests.simulation.account import Account, Json, moment

SECRET = "whsec_of_the_simulation"
URL = "/api/billing/webhook/stripe"


@dataclass(frozen=True)
class Letter:
    event: Json
    rounds: int
    """How many more rounds of deliveries it is on its way."""


@dataclass(frozen=True)
class Seen:
    """What an event says about a subscription, for the verdict."""

    id: str
    at: int
    type: str
    object: Json
    before: Json


@dataclass
class Post:
    account: Account
    seed: int
    happened: Counter[str] = field(default_factory=Counter)
    seen: list[Seen] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    came: dict[str, datetime] = field(default_factory=dict)
    """When each event was brought to the site for the first time."""
    _since: int = 0
    _on_the_way: list[Letter] = field(default_factory=list)
    _client: Client = field(default_factory=Client)

    def collect(self, *, fair: bool = False) -> int:
        """Take up what has happened at Stripe; with `fair` nothing is lost or late any more."""
        events = list(self.account.each("events", created={"gte": self._since}))
        fresh = [event for event in reversed(events) if event["id"] not in self.known]
        for event in fresh:
            self.known.add(event["id"])
            self._since = max(self._since, event["created"])
            self._note(event)
            self._send_off(event, fair)
        return len(fresh)

    def _note(self, event: Json) -> None:
        if event["type"].startswith("customer.subscription."):
            before = event["data"].get("previous_attributes") or {}
            self.seen.append(
                Seen(event["id"], event["created"], event["type"], event["data"]["object"], before)
            )

    def _send_off(self, event: Json, fair: bool) -> None:
        self.happened["events"] += 1
        dice = random.Random(f"{self.seed} {event['id']}")  # noqa: S311 (a repeatable year, no secret)
        if not fair and dice.random() < 0.05:
            self.happened["dropped for good"] += 1
            return
        copies = 2 if dice.random() < 0.2 else 1
        for _ in range(copies):
            late = 0 if fair or dice.random() < 0.85 else dice.randint(2, 12)
            self._on_the_way.append(Letter(event, late))
            self.happened["late"] += bool(late)
        self.happened["sent twice"] += copies - 1

    def deliver(self, dice: random.Random, *, all_of_it: bool = False) -> int:
        """Bring what has arrived, in any order, to the webhook's URL; return how many."""
        arrived = [letter for letter in self._on_the_way if all_of_it or letter.rounds <= 0]
        self._on_the_way = [
            Letter(letter.event, letter.rounds - 1)
            for letter in self._on_the_way
            if not all_of_it and letter.rounds > 0
        ]
        dice.shuffle(arrived)
        for letter in arrived:
            self._bring(letter.event)
        return len(arrived)

    def _bring(self, event: Json) -> None:
        self.came.setdefault(event["id"], moment(self.account.sandbox.now()))
        body = json.dumps(event)
        signature = signature_of(body, SECRET)
        headers: Any = {"Stripe-Signature": signature}
        answer = self._client.post(URL, body, content_type="application/json", headers=headers)
        if answer.status_code != 200:
            raise SystemExit(f"The webhook answered {answer.status_code}: {answer.content!r}")
        answer.close()
