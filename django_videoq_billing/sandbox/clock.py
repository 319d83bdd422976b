"""The sandbox's time: real time plus an offset, or a frozen start that only `move` advances."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    def __init__(self, frozen_at: int | None = None) -> None:
        self.offset = 0
        self.frozen_at = frozen_at
        self._pinned: int | None = None

    @property
    def frozen(self) -> bool:
        return self.frozen_at is not None

    def now(self) -> int:
        if self._pinned is not None:
            return self._pinned
        if self.frozen_at is not None:
            return self.frozen_at
        return int(time.time()) + self.offset

    def move(self, to: int) -> None:
        """Jump forward; time never goes back."""
        distance = to - self.now()
        if distance <= 0:
            return
        if self.frozen_at is not None:
            self.frozen_at = to
        else:
            self.offset += distance

    @contextmanager
    def at(self, moment: int) -> Iterator[None]:
        """Let work that was due earlier than now happen at its own time, so that its stamps are right."""
        outer, self._pinned = self._pinned, moment
        try:
            yield
        finally:
            self._pinned = outer
