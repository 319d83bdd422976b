"""What a reconciliation has found, as plain values that name no object of Stripe's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

KEPT = 50


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same here and at Stripe; `user_id` is None where nobody here fits."""

    kind: str
    user_id: str | None
    here: str
    at_stripe: str
    mended: bool


class Findings:
    """Counts what is compared and found into `report`, and keeps the first differences there."""

    def __init__(
        self, report: dict[str, Any], tell: Callable[[Difference], object] = lambda found: None
    ) -> None:
        self.report = report
        for name, empty in (("compared", {}), ("differences", {}), ("mended", 0), ("first", [])):
            report.setdefault(name, empty)
        self.tell = tell

    def compared(self, what: str, count: int) -> None:
        self.report["compared"][what] = self.report["compared"].get(what, 0) + count

    def add(self, difference: Difference) -> None:
        found = self.report["differences"]
        found[difference.kind] = found.get(difference.kind, 0) + 1
        self.report["mended"] += difference.mended
        if len(self.report["first"]) < KEPT:
            self.report["first"].append(asdict(difference))
        self.tell(difference)
