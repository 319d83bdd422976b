"""The picture of the page: three questions, one panel each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.labels import CALLS, RACERS, RECEIPTS, plain
from benchmarks.report import Report

OURS, OTHERS, BARE = "#1f6feb", "#6e7781", "#bcc3cd"
SHOWN_CALLS = (
    "bare.evalsha",
    "redis.count",
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
    rows = range(len(bars))
    if scale == "log":  # the length of a bar would mean nothing
        axis.hlines(rows, lows, highs, color=colours, linewidth=3)
        axis.scatter(values, rows, color=colours, s=50, zorder=2)
        axis.set_xscale("log")
        axis.set_xlim(10 ** math.floor(math.log10(min(lows))), 10 ** math.ceil(math.log10(max(highs) * 1.5)))
        axis.xaxis.set_major_formatter("{x:,g}")
        axis.grid(axis="x", color="#e3e7ee", zorder=0)
        axis.set_axisbelow(True)
    else:
        axis.barh(rows, values, color=colours, height=0.6)
        axis.set_xlim(0, max(highs) * 1.15)
    for row, (value, high) in enumerate(zip(values, highs, strict=True)):
        text = f"{value:,.0f}" if value >= 10 else f"{value:.2f}"
        axis.annotate(text, (high, row), xytext=(8, 0), textcoords="offset points", va="center")
    axis.set_yticks(rows, names)
    axis.set_ylim(-0.6, len(bars) - 0.4)
    axis.invert_yaxis()
    axis.set_title(title, loc="left", fontweight="bold", fontsize=9)
    axis.spines[["top", "right"]].set_visible(False)
