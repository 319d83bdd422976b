from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.aims import AIMS, IN_MEMORY, Aim, memory_ratio, ratios
from benchmarks.labels import CALLS, RACERS, RECEIPTS, VIEWS
from benchmarks.measuring import Spread
from benchmarks.page import render, table
from benchmarks.report import ANY_CORE, ONE_CORE, Race, Report, Traffic


def full_report() -> Report:
    """A figure in every place where the page wants one."""
    keys = [*CALLS, *VIEWS, *RECEIPTS, "flush.100", "1000.redis", "1000000.redis", "1000000.limits"]
    return Report(
        machine={"processor": "2 cores"},
        times={key: Spread(1234.5, 1200, 1300) for key in keys},
        ratios={aim.key: Spread(aim.bound, aim.bound - 0.1, aim.bound + 0.1) for aim in AIMS},
        traffic={key: Traffic(sql=4, redis=1.02) for key in [*CALLS, *VIEWS]},
        races={key: Race(100, 400, (100, 100), (98, 400)) for key in RACERS},
        memory={"1000.redis": 255.0, "1000000.redis": 130.4, "1000000.limits": 100.0},
        facts={"receipt_events": 48, "1000000.load_seconds": 61.2},
    )


@pytest.mark.parametrize(
    ("kind", "met"),
    [("at most", [0.9, 1.0]), ("below", [0.9]), ("at least", [1.0, 1.1])],
)
def test_an_aim_and_its_bound(kind: str, met: list[float]) -> None:
    aim = Aim("key", "a / b", "a", "b", 1.0, kind)  # type: ignore[arg-type]
    assert [ratio for ratio in (0.9, 1.0, 1.1) if aim.is_met(ratio)] == met


def test_ratios_of_what_was_measured_together() -> None:
    samples = {"redis.reserve": [9.0, 18.0], "limits.call": [10.0, 20.0], "redis.refuse": [4.5, 9.0]}
    assert ratios(samples) == {
        "redis_reserve": Spread(0.9, 0.9, 0.9),
        "redis_refusal": Spread(0.5, 0.5, 0.5),
    }


def test_memory_is_compared_among_a_million_users() -> None:
    found = memory_ratio({"1000.redis": 900.0, "1000000.redis": 150.0, "1000000.limits": 100.0})
    assert found == {IN_MEMORY: Spread(1.5, 1.5, 1.5)}
    assert memory_ratio({"10000.redis": 150.0}) == {}


def test_every_aim_names_contenders_that_have_a_place_on_the_page() -> None:
    known = {*CALLS, *VIEWS, *RECEIPTS}
    sides = [name for aim in AIMS for name in (aim.above, aim.below) if not name[0].isdigit()]
    assert [name for name in sides if name not in known] == []


def test_the_page_says_met_and_missed() -> None:
    report = full_report()
    report.ratios["redis_reserve"] = Spread(0.951, 0.94, 0.96)
    report.ratios["receipt_djstripe"] = Spread(31.4, 28, 35)
    del report.ratios["counted_view"]
    lines = {line.split(" | ")[0]: line for line in render(report).splitlines()}
    assert lines["| Redis: a reserve with hold, expiry and journal / a hit of `limits`"].endswith(
        "| at most 0.95 | 0.951 (0.940 to 0.960) | **missed** |"
    )
    assert lines["| dj-stripe's webhook view / webhook receipt"].endswith("| 31 (28 to 35) | met |")
    assert lines["| Redis: the view that counts at admission / the view under `limits`"].endswith(
        "|  | not measured |"
    )


def test_the_page_shows_every_figure() -> None:
    page = render(full_report())
    labels = [*CALLS.values(), *(label for label, _ in VIEWS.values()), *RACERS.values(), *RECEIPTS.values()]
    assert [label for label in labels if f"| {label} | " not in page] == []
    assert "| 1,234 (1,200 to 1,300) | 4 | 1 |" in page
    assert "| 1,000,000 | 1,234 (1,200 to 1,300) | 1,234 (1,200 to 1,300) |  | 130 | 100 |" in page
    assert "| **ours** | 1.23 (1.20 to 1.30) | 810 |" in page
    assert "| 100 | 98 to 400 |" in page
    assert "Loading the million took 61 seconds." in page


@pytest.mark.parametrize(
    ("placement", "command"), [(ANY_CORE, "tox run -e bench"), (ONE_CORE, "tox run -e bench -- --one-core")]
)
def test_the_page_says_how_to_make_it_again(placement: str, command: str) -> None:
    assert f"\n$ {command}\n" in render(Report(machine={"placement": placement}))


def test_a_part_that_was_not_run_has_no_heading() -> None:
    page = render(Report(machine={"processor": "2 cores"}))
    assert re.findall("^## (.*)$", page, re.MULTILINE) == [
        "Aims",
        "The machine",
        "How it was measured",
        "Where the time goes",
    ]


def test_a_report_is_the_same_after_it_was_stored(tmp_path: Path) -> None:
    report = full_report()
    report.save(tmp_path / "report.json")
    stored = Report.load(tmp_path / "report.json")
    stored.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == (tmp_path / "report.json").read_text()
    assert stored.races == report.races
    assert stored.times["view.bare"] == Spread(1234, 1200, 1300)


def test_a_table_without_rows_is_nothing() -> None:
    assert table(("a", "b", "c"), []) == ""
