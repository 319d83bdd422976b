"""What one comparison has found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Findings:
    compared: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)

    @property
    def summary(self) -> str:
        return ", ".join(f"{count} {name}" for name, count in self.compared.items()) or "nothing to compare"

    def equal(self, about: str, ours: object, truth: object) -> None:
        if ours != truth:
            self.complaints.append(f"{about}: here {ours}, in truth {truth}")

    def within(self, about: str, ours: int, least: int, most: int) -> None:
        if not least <= ours <= most:
            self.complaints.append(f"{about}: here {ours}, in truth {least} to {most}")
