"""A bar for people: drawn on a terminal alone, so that logs stay readable."""

from __future__ import annotations

from django.core.management.base import OutputWrapper

WIDTH = 30


class Progress:
    """With a `total` of None nobody knows how much there is: then what was done is counted, without a bar."""

    def __init__(self, stream: OutputWrapper, total: int | None, label: str = "") -> None:
        self.stream, self.total, self.done = stream, total, 0
        self.label = f"{label} " if label else ""
        self.shown = stream.isatty()

    def step(self) -> None:
        self.reached(self.done + 1, self.total)

    def reached(self, done: int, total: int | None) -> None:
        self.done, self.total = done, total
        if self.shown:
            self.stream.write(f"\r{self.label}{self._drawn()}", style_func=str, ending="")
            self.stream.flush()

    def _drawn(self) -> str:
        if self.total is None:
            return f"{self.done}"
        bar = "#" * round(min(self.done / self.total, 1.0) * WIDTH if self.total else WIDTH)
        return f"[{bar:<{WIDTH}}] {self.done}/{max(self.done, self.total)}"

    def end(self) -> None:
        if self.shown and self.done:
            self.stream.write("", style_func=str)
