"""A bar for people: drawn on a terminal alone, so that logs stay readable."""

from __future__ import annotations

from django.core.management.base import OutputWrapper

WIDTH = 30


class Progress:
    def __init__(self, stream: OutputWrapper, total: int) -> None:
        self.stream, self.total, self.done = stream, total, 0
        self.shown = stream.isatty()

    def step(self) -> None:
        self.done += 1
        if self.shown:
            bar = "#" * round(min(self.done / self.total, 1.0) * WIDTH if self.total else WIDTH)
            line = f"\r[{bar:<{WIDTH}}] {self.done}/{max(self.done, self.total)}"
            self.stream.write(line, style_func=str, ending="")
            self.stream.flush()

    def end(self) -> None:
        if self.shown and self.done:
            self.stream.write("", style_func=str)
