"""The picture of the page: three questions, one panel each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.labels import CALLS, RACERS, RECEIPTS, plain
from benchmarks.report import Report

OURS, OTHERS, BARE = "#1f6feb", "#b0b7c3", "#e3e7ee"
SHOWN_CALLS = (
    "bare.evalsha",
    "redis.reserve",
    "redis.reserve_commit",
    "limits.call",
    "throttle.call",
    "ratelimit.call",
    "bare.update_orm",
    "database.reserve_commit",
    "seed.call",
)
Bar = tuple[str, float, float, float, str]


def draw(report: Report, path: Path) -> None:
    panels = [
        ("Microseconds for one call (logarithmic)", calls(report), "log"),
        ("Admitted by a limit of 100, 8 threads racing", races(report), "linear"),
        ("Milliseconds to the 200 of a webhook (logarithmic)", receipts(report), "log"),
    ]
    panels = [panel for panel in panels if panel[1]]
    heights = [len(bars) + 1.5 for _, bars, _ in panels]
    with mpl.rc_context({"font.size": 9, "font.family": "sans-serif"}):
        figure = Figure(figsize=(8, sum(heights) * 0.34), dpi=150, layout="constrained")
        axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)
        for (title, bars, scale), [axis] in zip(panels, axes, strict=True):
            _draw_panel(axis, title, bars, scale)
        figure.savefig(path)


def calls(report: Report) -> list[Bar]:
    return _bars(report, {key: CALLS[key] for key in SHOWN_CALLS})


def receipts(report: Report) -> list[Bar]:
    return _bars(report, RECEIPTS, per=1000)


def races(report: Report) -> list[Bar]:
    return [
        (plain(label), race.admitted[1], race.admitted[0], race.admitted[1], _colour(key, label))
        for key, label in RACERS.items()
        if (race := report.races.get(key))
    ]


def _bars(report: Report, labels: Mapping[str, str], per: float = 1) -> list[Bar]:
    return [
        (plain(label), time.median / per, time.low / per, time.high / per, _colour(key, label))
        for key, label in labels.items()
        if (time := report.times.get(key))
    ]


def _colour(key: str, label: str) -> str:
    if "ours" in label:
        return OURS
    return BARE if key.startswith(("bare.", "receipt.floor")) else OTHERS


def _draw_panel(axis: Any, title: str, bars: Sequence[Bar], scale: str) -> None:
    names, values, lows, highs, colours = zip(*bars, strict=True)
    errors = [
        [value - low for value, low in zip(values, lows, strict=True)],
        [high - value for value, high in zip(values, highs, strict=True)],
    ]
    axis.barh(names, values, xerr=errors, color=colours, ecolor="#57606a", height=0.7)
    for row, (value, high) in enumerate(zip(values, highs, strict=True)):
        text = f"{value:,.0f}" if value >= 10 else f"{value:.2f}"
        axis.annotate(text, (high, row), xytext=(4, 0), textcoords="offset points", va="center")
    axis.set_title(title, loc="left", fontweight="bold", fontsize=9)
    axis.set_xscale(scale)
    axis.set_xlim(min(lows) / 2 if scale == "log" else 0, max(highs) * (2 if scale == "log" else 1.15))
    axis.invert_yaxis()
    axis.spines[["top", "right"]].set_visible(False)
