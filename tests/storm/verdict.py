"""Whether what the workers saw, and what the rows say, can both be true."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from uuid import UUID

from tests.storm.ledger import Operation

FOR_EVER = 2**63


@dataclass
class Hold:
    """One hold as its callers know it."""

    id: str
    user: int
    amount: int
    asked: int
    granted: int
    settles: list[Operation] = field(default_factory=list)

    @property
    def committed(self) -> Operation | None:
        return next(
            (one for one in self.settles if one.kind == "commit" and one.outcome.startswith("done")), None
        )

    @property
    def released(self) -> Operation | None:
        return next(
            (one for one in self.settles if one.kind == "release" and one.outcome.startswith("done")), None
        )

    @property
    def unsure(self) -> list[Operation]:
        return [one for one in self.settles if not one.definite]


@dataclass
class Row:
    """A hold as the database knows it in the end."""

    user: int
    state: str
    amount: int
    settled: int | None


class Steps:
    """A sum over time."""

    def __init__(self, changes: Iterable[tuple[int, int]]) -> None:
        changes = sorted(changes)
        self._times = [time for time, _ in changes]
        self._sums = [0, *accumulate(change for _, change in changes)]

    def between(self, first: int, last: int) -> list[int]:
        """Every value it had in that time."""
        return self._sums[bisect_left(self._times, first) : bisect_right(self._times, last) + 1]


class Verdict:
    """`limit` is everybody's; only users with an even id commit more than they reserved. `strict` says that the limit held at every moment, as it does unless the database
    counts while Redis is away and cannot know what was not flushed."""

    def __init__(self, operations: list[Operation], limit: int, *, strict: bool) -> None:
        self._limit, self._strict = limit, strict
        self._by_user: dict[int, list[Operation]] = defaultdict(list)
        for operation in operations:
            self._by_user[operation.user].append(operation)
        self.holds = _holds(operations)
        self.unsure = sum(not operation.definite for operation in operations)
        self.kinds = Counter(
            f"{one.kind} {one.outcome.split()[0] if one.outcome else '?'}" for one in operations
        )

    def complaints(
        self, rows: dict[str, Row], counted: dict[int, int], users: Iterable[int]
    ) -> Iterator[str]:
        for hold in self.holds.values():
            yield from _wrong_row(hold, rows.get(hold.id))
        yield from self._twice_by_one_key(rows)
        for user in users:
            mine = {key: row for key, row in rows.items() if row.user == user}
            yield from self._wrong_sum(user, mine, counted.get(user, 0))
            yield from self._wrong_answers(user)

    def _wrong_sum(self, user: int, rows: dict[str, Row], counted: int) -> Iterator[str]:
        """The counter is the sum of what was kept, give or take exactly the calls whose answers were lost."""
        unheard = [row for key, row in rows.items() if key not in self.holds]
        reserves = [one for one in self._by_user[user] if one.kind == "reserve"]
        # Where the database counted, Redis may have held as well: its answer is the one that was lost. Who looks for
        # `away` before and after the call may miss it, since another thread finds Redis again meanwhile.
        lost = [
            one
            for one in reserves
            if not one.definite or (not self._strict and (one.away or _by_database(one.hold)))
        ]
        if len(unheard) > len(lost) or any(row.state == "committed" for row in unheard):
            yield f"user {user}: nobody was told of {unheard}, {len(lost)} answers lost"
        least, most = self._counted_without_holds(user)
        kept = sum(row.settled or 0 for row in rows.values() if row.state == "committed")
        if not kept + least <= counted <= kept + most:
            yield f"user {user}: {counted} counted, {kept + least} to {kept + most} kept"
        if user % 2 and counted > self._limit + self._admitted_by_the_database(user):
            yield f"user {user}: {counted} counted, more than the database let in beyond the limit"

    def _counted_without_holds(self, user: int) -> tuple[int, int]:
        least = most = 0
        for one in self._by_user[user]:
            if one.kind == "count":
                least += one.amount if one.outcome == "granted" else 0
                most += one.amount if one.outcome == "granted" or not one.definite else 0
            elif one.kind == "undo":
                least -= one.amount
                most -= one.amount if one.definite else 0
        return least, most

    def _admitted_by_the_database(self, user: int) -> int:
        """While Redis was away: holds are told by their ids, counts by what the worker noticed."""
        if self._strict:
            return 0
        holds = sum(hold.amount for hold in self._of(user) if _by_database(hold.id))
        return holds + sum(one.amount for one in self._by_user[user] if one.kind == "count" and one.away)

    def _wrong_answers(self, user: int) -> Iterator[str]:
        """Nobody was admitted past the limit, and nobody refused below it, at any moment of the call."""
        if not self._strict:
            return
        lower, upper = Steps(self._certainly(user)), Steps(self._possibly(user))
        for one in self._by_user[user]:
            if one.answered is None or one.replayed or one.kind not in ("reserve", "count"):
                continue
            if (
                one.outcome == "granted"
                and min(lower.between(one.asked, one.answered - 1)) > self._limit - one.amount
            ):
                yield f"user {user}: {one.amount} admitted past the limit: {one}"
            if (
                one.outcome == "no room"
                and max(upper.between(one.asked, one.answered)) + one.amount <= self._limit
            ):
                yield f"user {user}: {one.amount} refused while there was room: {one}"

    def _certainly(self, user: int) -> Iterator[tuple[int, int]]:
        """What is counted at the least, from when."""
        for hold in self._of(user):
            yield hold.granted, hold.amount
            if hold.settles:
                yield hold.settles[0].asked, -hold.amount
            if hold.committed and hold.committed.answered:
                kept = _final(hold)
                # What is written down counts beyond what was held with the next flush, not before.
                yield hold.committed.answered, min(kept, hold.amount) if hold.committed.away else kept
        for one in self._by_user[user]:
            if one.kind == "count" and one.outcome == "granted" and one.answered:
                yield one.answered, one.amount
            if one.kind == "undo":
                yield one.asked, -one.amount

    def _possibly(self, user: int) -> Iterator[tuple[int, int]]:
        """What is counted at the most, from when."""
        for hold in self._of(user):
            yield hold.asked, hold.amount
            kept = max((_final(hold) for one in hold.settles if one.kind == "commit"), default=0)
            if kept > hold.amount:
                yield hold.settles[0].asked, kept - hold.amount
            done = hold.committed or hold.released
            if (
                done and done.answered and not done.away
            ):  # what is written down makes room with the next flush
                yield done.answered, (_final(hold) if hold.committed else 0) - max(hold.amount, kept)
        for one in self._by_user[user]:
            if one.kind == "count" and (one.outcome == "granted" or not one.definite):
                yield one.asked, one.amount
            if one.kind == "reserve" and not one.definite:
                yield one.asked, one.amount
            if one.kind == "undo" and one.definite and one.answered:
                yield one.answered, -one.amount

    def _of(self, user: int) -> list[Hold]:
        return [hold for hold in self.holds.values() if hold.user == user]

    def _twice_by_one_key(self, rows: dict[str, Row]) -> Iterator[str]:
        by_key: dict[str, set[str]] = defaultdict(set)
        for operations in self._by_user.values():
            for one in operations:
                if one.key and one.hold:
                    by_key[one.key].add(one.hold)
        for key, holds in by_key.items():
            if sum(rows[hold].state == "committed" for hold in holds if hold in rows) > 1:
                yield f"key {key}: committed twice"


def _by_database(hold: str) -> bool:
    """Ids of the Redis store's own are of version 8."""
    return bool(hold) and UUID(hold).version == 4


def _holds(operations: list[Operation]) -> dict[str, Hold]:
    holds: dict[str, Hold] = {}
    asked_by_key: dict[str, int] = {}
    for one in sorted(operations, key=lambda one: one.asked):
        if one.kind == "reserve" and one.key:
            asked_by_key.setdefault(one.key, one.asked)
        if one.kind == "reserve" and one.hold and one.hold not in holds:
            asked = asked_by_key[one.key] if one.replayed else one.asked
            holds[one.hold] = Hold(one.hold, one.user, one.amount, asked, one.answered or FOR_EVER)
    for one in sorted(operations, key=lambda one: one.asked):
        if one.kind in ("commit", "release"):
            holds[one.hold].settles.append(one)
    return holds


def _final(hold: Hold) -> int:
    commit = next(one for one in hold.settles if one.kind == "commit")
    actual = commit.facts.get("actual")
    return hold.amount if actual is None else int(actual)


def _wrong_row(hold: Hold, row: Row | None) -> Iterator[str]:
    if row is None:
        yield f"hold {hold.id}: granted, and no row"
        return
    refused = any(one.outcome.startswith(("conflict", "refused")) for one in hold.settles)
    possible = (row.state, row.settled) in _possible_ends(hold)
    if refused or not possible or (row.amount, row.user) != (hold.amount, hold.user):
        told = [(one.kind, one.outcome, one.facts) for one in hold.settles]
        yield f"hold {hold.id} of {hold.amount} for user {hold.user}: {row}, but told {told}"


def _possible_ends(hold: Hold) -> set[tuple[str, int]]:
    """Committed is committed and given back is given back; what was asked and not answered may be either."""
    given_back = {("released", 0), ("expired", 0)}
    if hold.committed:
        return {("committed", _final(hold))}
    if hold.released:
        return given_back
    if any(one.kind == "commit" for one in hold.unsure):
        return given_back | {("committed", _final(hold))}
    return given_back if hold.unsure else {("expired", 0)}
