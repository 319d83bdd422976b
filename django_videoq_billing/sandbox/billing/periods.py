"""Calendar arithmetic of billing periods: 31 January, 28 February, 31 March."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta

STEPS = {"day": timedelta(days=1), "week": timedelta(weeks=1)}


def shifted(anchor: int, interval: str, count: int) -> int:
    """`count` intervals after the anchor; months keep the anchor's day where the month has it."""
    start = datetime.fromtimestamp(anchor, UTC)
    if interval in STEPS:
        return int((start + STEPS[interval] * count).timestamp())
    months = start.year * 12 + start.month - 1 + count * (12 if interval == "year" else 1)
    year, month = divmod(months, 12)
    day = min(start.day, monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def boundary_after(anchor: int, interval: str, count: int, moment: int) -> int:
    """The first boundary of the cycle after `moment`."""
    if anchor > moment:
        return anchor
    steps = 1
    while (boundary := shifted(anchor, interval, count * steps)) <= moment:
        steps += 1
    return boundary


def day(moment: int) -> str:
    at = datetime.fromtimestamp(moment, UTC)
    return f"{at.day} {at:%b %Y}"
