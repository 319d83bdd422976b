"""The year itself: the clock moves, people do something, the post comes, the workers work, and things die."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from io import StringIO

import time_machine
from django.db import connection
from django.utils import timezone

from django_videoq_billing.models import (
    JobRun,
    Notification,
    UsageReservation,
    UserSubscription,
    WebhookEvent,
)
from tests.proxy import Proxy
from tests.simulation import mail
from tests.simulation.account import Account, moment
from tests.simulation.books import Books
from tests.simulation.people import Person, close_some_disputes
from tests.simulation.post import Post
from tests.simulation.uploads import Uploads
from tests.simulation.worker import Worker
from tests.storm.weather import Servers

HOUR = 3600
WORKERS = 2
NOT_EVERY_TIME = (
    "fetch_missed_events",
    "reconcile_stripe",
    "catch_up_periods",
    "flush_usage",
    "expire_reservations",
)
"""Jobs that a step leaves out now and then, as if a worker was busy or down. The others warn of what is near."""
ROUNDS = 40
"""In which the site must come to rest, three hours each."""


@dataclass(frozen=True)
class Plan:
    """What was asked for on the command line."""

    seed: int
    users: int
    days: int
    calm: bool = False


class Year:
    def __init__(
        self,
        plan: Plan,
        account: Account,
        servers: Servers,
        network: Proxy,
        clock: time_machine.Traveller,
    ) -> None:
        self.plan, self.account, self.servers, self.clock = plan, account, servers, clock
        self.network = network
        self.look: Callable[[Year], None] = lambda year: None
        """Called at the end of each step, for what is to be judged on the way."""
        self.books = Books()
        self.post = Post(account, plan.seed)
        self.people: list[tuple[Person, Uploads]] = []
        self.kills: Counter[str] = Counter()
        self.jobs: Counter[str] = Counter()
        self.steps = 0
        self._workers = [Worker() for _ in range(WORKERS)]
        self._valkey_is_away = False
        self._told_before = 0
        """What the flush of this step cannot miss: the first so many entries of `books.told`."""
        self._slowness = self._dice("network")  # drawn from by the network's own threads
        self._began = account.sandbox.now()
        dice = self._dice("arrivals")
        self._arrivals = sorted(int(dice.uniform(0.02, 0.7) * plan.days * 24) for _ in range(plan.users))

    def _dice(self, *of: object) -> random.Random:
        return random.Random(" ".join(map(str, (self.plan.seed, *of))))  # noqa: S311 (a repeatable year)

    @property
    def day(self) -> float:
        return (self.account.sandbox.now() - self._began) / HOUR / 24

    @property
    def customers(self) -> dict[str | None, int]:
        """Whose each customer at Stripe is."""
        rows = UserSubscription.objects.exclude(stripe_customer_id=None)
        return dict(rows.values_list("stripe_customer_id", "user_id"))

    def live(self) -> None:
        began = told = time.monotonic()
        while self.day < self.plan.days:
            self.step()
            if time.monotonic() - told > 10:
                told = time.monotonic()
                self._say(told - began)
        self.come_to_rest()
        self._say(time.monotonic() - began)
        for worker in self._workers:
            worker.stop()

    def _say(self, seconds: float) -> None:
        print(
            f"  day {self.day:5.0f} of {self.plan.days}, {seconds:5.0f} s: {len(self.people)} users, "
            f"{self.post.happened['events']} events, {self.kills['worker']} workers killed, "
            f"{len(self.books.complaints)} complaints",
            flush=True,
        )

    def step(self) -> None:
        dice = self._dice("step", self.steps)
        self._advance(dice.randint(2, 36) * HOUR)
        self._weather(dice)
        self._bring_the_post(dice)
        self._begin(dice)
        if not self.plan.calm and dice.random() < 0.2:
            self._kill_a_worker(dice)
        self._sign_up()
        self._act(dice)
        self._bring_the_post(dice)
        self._end()
        self.look(self)
        self._clear_up()
        self.steps += 1

    def _bring_the_post(self, dice: random.Random) -> None:
        """As one round of deliveries, of which a worker is told if it is at work."""
        self.post.collect()
        if self.post.deliver(dice):
            dice.choice(self._workers).wake(timezone.now())

    def _advance(self, seconds: int) -> None:
        self.account.sandbox.advance(seconds=seconds)
        self.clock.move_to(moment(self.account.sandbox.now()))

    def _weather(self, dice: random.Random) -> None:
        if self.plan.calm:
            return
        if dice.random() < 0.1:
            self.account.sandbox.control("outage", mode="503", requests=dice.randint(1, 6))
            self.kills["Stripe is away"] += 1
        if dice.random() < 0.05:
            mail.away().touch()
            self.kills["mail server is away"] += 1
        else:
            mail.away().unlink(missing_ok=True)

    def _begin(self, dice: random.Random) -> None:
        """Order the workers to work beside what follows."""
        left_out = [] if self.plan.calm else [job for job in NOT_EVERY_TIME if dice.random() < 0.4]
        self._told_before = len(self.books.told)
        for worker in self._workers:
            worker.begin(timezone.now(), left_out)

    def _end(self) -> None:
        """Wait for the workers."""
        ran = [name for worker in self._workers for name in worker.end()]
        self.jobs.update(ran)
        if "flush_usage" in ran and not JobRun.objects.get(name="flush_usage").failures:
            del self.books.told[: self._told_before]

    def _kill_a_worker(self, dice: random.Random) -> None:
        """Somewhere in its work, or, to be mean, when a mail has just gone out."""
        is_mean, mails = (
            dice.random() < 0.5 and Notification.objects.due(timezone.now()).exists(),
            mail.size(),
        )
        until = time.monotonic() + (1.5 if is_mean else dice.uniform(0, 0.3))
        while time.monotonic() < until and not (is_mean and mail.size() > mails):
            time.sleep(0.005)  # between two looks: the kill must fall right after a mail
        dice.choice(self._workers).kill()
        self.kills["worker"] += 1

    def _sign_up(self) -> None:
        while self._arrivals and self._arrivals[0] <= self.day * 24:
            self._arrivals.pop(0)
            person = Person(len(self.people), self.account, self.books)
            self.people.append((person, Uploads(person, self.books)))

    def _act(self, dice: random.Random) -> None:
        moves = [move for person, uploads in self.people for move in self._moves(person, uploads)]
        dice.shuffle(moves)
        dies_at, back_at = -1, 0
        if not self.plan.calm and dice.random() < 0.15:
            dies_at = dice.randrange(len(moves) + 1)
            back_at = dies_at + dice.choice([0, 0, 1, 3, 10])
        for number, move in enumerate([*moves, lambda: None]):
            if number == dies_at:
                self._kill_valkey()
            if number >= back_at:
                self._bring_valkey_back()
            move()
        self._bring_valkey_back()
        close_some_disputes(self.account, self.books, dice)

    def _moves(self, person: Person, uploads: Uploads) -> Iterator[Callable[[], None]]:
        dice = self._dice("user", person.pk, self.steps)
        if dice.random() < 0.3:
            yield lambda: uploads.act(dice, self.steps)
        if dice.random() < 0.15:
            yield lambda: self._act_twice(person, dice)

    def _act_twice(self, person: Person, dice: random.Random) -> None:
        """Many have second thoughts, while a worker hears of the first from a Stripe that answers slowly."""
        person.act(dice)
        if dice.random() < 0.5:
            self.network.delay = partial(self._slowness.uniform, 0, 0.2)
            self._bring_the_post(dice)
            time.sleep(dice.uniform(0, 0.1))  # the second thought comes while the worker still asks
            person.act(dice)
            self.network.delay = lambda: 0.0
            if not self.plan.calm and dice.random() < 0.05:
                self._kill_a_worker(dice)

    def _kill_valkey(self) -> None:
        self.servers.kill_valkey()
        self.kills["Valkey"] += 1
        self._valkey_is_away = True

    def _bring_valkey_back(self) -> None:
        if self._valkey_is_away:
            self.servers.bring_valkey_back()
            self._valkey_is_away = False

    def _clear_up(self) -> None:
        if not self.plan.calm:
            self.account.sandbox.control("outage", mode="503", requests=0)
        self.account.sandbox.recorder.seen.clear()

    def come_to_rest(self) -> None:
        """No more weather: what is on its way arrives, and the jobs run until nothing is left to do."""
        mail.away().unlink(missing_ok=True)
        time.sleep(1.1)  # then nobody leaves Valkey alone any more
        for _, uploads in self.people:
            uploads.finish(self._dice("finish", uploads.person.pk), self.steps)
        for number in range(ROUNDS):
            self._advance(3 * HOUR)
            self._catch_up()
            if number > 2 and self._is_at_rest():
                return
        self.books.complaints.append("the site does not come to rest")

    def _catch_up(self) -> None:
        """All that can be done at this moment."""
        arrived = True
        while arrived:
            self.post.collect(fair=True)
            arrived = bool(self.post.deliver(self._dice("rest"), all_of_it=True))
            for worker in self._workers:
                worker.begin(timezone.now())
                worker.wake(timezone.now())
            self._end()
            self._clear_up()

    def _is_at_rest(self) -> bool:
        waiting = Notification.objects.filter(state__in=["waiting", "sending"]).exists()
        open_events = WebhookEvent.objects.exclude(state__in=WebhookEvent.DONE).exists()
        known = WebhookEvent.objects.filter(stripe_event_id__in=self.post.known).count()
        held = UsageReservation.objects.held().exists()
        return not (waiting or open_events or held or known < len(self.post.known))


def prepare() -> None:
    """The site's tables and its plans, here and at Stripe."""
    from django.core.management import call_command

    from django_videoq_billing.services.stripe_plans import push_plans

    call_command("migrate", run_syncdb=True, verbosity=0)
    call_command("seed_plans", stdout=StringIO())
    list(push_plans())
    connection.close()
