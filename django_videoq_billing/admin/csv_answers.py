"""Lists as files, line by line, so that a long one needs no memory."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from django.http import StreamingHttpResponse

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, line: str) -> str:
        return line


def csv_response(
    name: str, header: Iterable[Sequence[object]], lines: Iterable[Sequence[object]]
) -> StreamingHttpResponse:
    """Answer with a file; the mark at its beginning tells a spreadsheet that it is UTF-8."""
    return StreamingHttpResponse(
        _written(chain(header, lines)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def _written(lines: Iterable[Sequence[object]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"
    for line in lines:
        yield writer.writerow([_harmless(cell) for cell in line])


def _harmless(cell: object) -> object:
    """A text that a spreadsheet would run as a formula is marked as text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
