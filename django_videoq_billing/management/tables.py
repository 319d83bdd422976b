"""Aligned columns for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def table(heading: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of a table: the first column to the left, figures to the right, "-" for what is not known."""
    lines = [[heading, *columns], *[["-" if cell is None else str(cell) for cell in row] for row in rows]]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns) + 1)]
    for line in lines:
        first = line[0].ljust(widths[0])
        rest = (cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
        yield "  ".join([first, *rest]).rstrip()
