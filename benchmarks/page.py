"""docs/benchmarks.md, from the numbers of one run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.aims import AIMS, MOST, Aim
from benchmarks.labels import CALLS, RACERS, RECEIPTS, VIEWS
from benchmarks.measuring import Spread
from benchmarks.report import ONE_CORE, Report

HEAD = (Path(__file__).parent / "head.md").read_text(encoding="utf-8")
METHOD = (Path(__file__).parent / "method.md").read_text(encoding="utf-8")
NOT_MEASURED = "not measured"
MILLISECOND = 1000


def render(report: Report) -> str:
    options = " -- --one-core" if report.machine.get("placement") == ONE_CORE else ""
    parts = [
        HEAD.replace("{options}", options),
        _section("Aims", aims_table(report), picture=True),
        _section("The machine", table(("", ""), report.machine.items())),
        _section("One call", calls_table(report), note=CALLS_NOTE),
        _section("Around a view", views_table(report), note=VIEWS_NOTE),
        _section("Eight threads, one user, a limit of 100", races_table(report), note=RACES_NOTE),
        _section(
            "A thousand users, a million users", populations_table(report), note=populations_note(report)
        ),
        _section("Flush", flush_table(report), note=FLUSH_NOTE),
        _section("Webhook receipt", receipts_table(report), note=receipts_note(report)),
        METHOD,
    ]
    return "\n".join(part for part in parts if part)


def _section(title: str, rows: str, note: str = "", *, picture: bool = False) -> str:
    if not rows:
        return ""
    image = (
        "![Time per call, admissions in a race, time to the 200](images/benchmarks.png)\n" if picture else ""
    )
    return "\n".join(part for part in (f"## {title}\n", note and f"{note}\n", rows, image) if part)


def aims_table(report: Report) -> str:
    return table(("ratio", "aim", "measured", ""), (_aim_row(aim, report) for aim in AIMS))


def _aim_row(aim: Aim, report: Report) -> tuple[str, ...]:
    wanted = f"{aim.kind} {aim.bound:g}"
    ratio = report.ratios.get(aim.key)
    if ratio is None:
        return aim.text, wanted, "", NOT_MEASURED
    return aim.text, wanted, _ratio(ratio), "met" if aim.is_met(ratio.median) else "**missed**"


def calls_table(report: Report) -> str:
    rows = []
    for key, label in CALLS.items():
        if key in report.times:
            traffic = report.traffic[key]
            rows.append((label, micro(report.times[key]), _count(traffic.sql), _count(traffic.redis)))
    return table(("call", "µs", "SQL", "Redis"), rows)


def views_table(report: Report) -> str:
    rows = []
    for key, (label, bare) in VIEWS.items():
        if key in report.times:
            traffic, time = report.traffic[key], report.times[key]
            adds = f"{time.median - report.times[bare].median:,.0f}" if bare in report.times else ""
            rows.append((label, micro(time), adds, _count(traffic.sql), _count(traffic.redis)))
    return table(("view", "µs", "adds", "SQL", "Redis"), rows)


def races_table(report: Report) -> str:
    rows = [
        (label, _between(race.admitted), _between(race.recorded))
        for key, label in RACERS.items()
        if (race := report.races.get(key))
    ]
    return table(("", "admitted", "counted"), rows)


def populations_table(report: Report) -> str:
    names = sorted({key.partition(".")[0] for key in report.memory}, key=int)
    rows = []
    for name in names:
        times = [report.times.get(f"{name}.{side}") for side in ("redis", "limits", "database")]
        weights = [report.memory.get(f"{name}.{side}") for side in ("redis", "limits")]
        cells = [micro(time) if time else "" for time in times]
        cells += [f"{weight:,.0f}" if weight else "" for weight in weights]
        rows.append((f"{int(name):,}", *cells))
    head = ("users", "Redis, µs", "`limits`, µs", "database, µs", "Redis, bytes", "`limits`, bytes")
    return table(head, rows)


def flush_table(report: Report) -> str:
    batches = [key for key in report.times if key.startswith("flush.")]
    rows = [
        (key.partition(".")[2], micro(report.times[key]), f"{1e6 / report.times[key].median:,.0f}")
        for key in batches
    ]
    return table(("entries in a batch", "µs for each entry", "entries a second"), rows)


def receipts_table(report: Report) -> str:
    rows = []
    for key, label in RECEIPTS.items():
        if key in report.times:
            time = report.times[key]
            milliseconds = [f"{value / MILLISECOND:.2f}" for value in (time.median, time.low, time.high)]
            spread = f"{milliseconds[0]} ({milliseconds[1]} to {milliseconds[2]})"
            rows.append((label, spread, f"{1e6 / time.median:,.0f}"))
    return table(("endpoint", "ms to the answer", "requests a second"), rows)


CALLS_NOTE = (
    "Median of one call in microseconds, in brackets the quartiles of the rounds; SQL statements and Redis round trips of\n"
    "one call. BEGIN and COMMIT are not among the statements. The first lines are the limits of what can be had: the same\n"
    "check and count as one EVALSHA or one UPDATE, without anything around it."
)
VIEWS_NOTE = (
    "The view does nothing, so that what each library adds shows; the request, with its user, is made before the clock\n"
    "starts. `adds` is what the view takes longer than the same view without a limit. Our decorator also writes the\n"
    "RateLimit fields into the answer; the others write none."
)
RACES_NOTE = (
    "400 requests of one user whose limit is 100, from 8 threads at once. `admitted` is how many reached the view (fewest\n"
    "to most of all repetitions), `counted` what the library's own counter says after it. More than 100 admitted is usage\n"
    "given away, and fewer counted than admitted is usage lost. More counted than admitted is quota that refused requests\n"
    "have used up: as a throttle wants it, and wrong for what people pay for."
)
FLUSH_NOTE = "Moving the journal from Redis into `UsageRecord`, exactly once."


def populations_note(report: Report) -> str:
    seconds = report.facts.get(f"{MOST}.load_seconds")
    loaded = f" Loading the million took {seconds:.0f} seconds." if seconds else ""
    return (
        "Reserve and commit by users drawn at random from so many, in microseconds, and what one of them weighs in Redis."
        + loaded
    )


def receipts_note(report: Report) -> str:
    failed = report.facts.get("receipt.djstripe.failed", 0)
    refused = f" dj-stripe's view failed for {failed:,.0f} of them." if failed else ""
    return (
        f"The same {report.facts.get('receipt_events', 0):,.0f} signed events of people who subscribe and pay, delivered"
        " to each endpoint in turn through\nDjango's handler. Ours stores and answers; a worker processes afterwards. What"
        " dj-stripe asks Stripe for inside the\nrequest is answered by a local Stripe on the same machine, so that no"
        " distance is in its figure." + refused
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; nothing where there are no rows."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        return ""
    columns = ["---", *("---:" for _ in head[1:])] if len(head) > 2 else ["---"] * len(head)
    return "\n".join([f"| {' | '.join(head)} |", f"| {' | '.join(columns)} |", *lines]) + "\n"


def micro(time: Spread) -> str:
    digits = 1 if time.median < 100 else 0
    return f"{time.median:,.{digits}f} ({time.low:,.{digits}f} to {time.high:,.{digits}f})"


def _ratio(ratio: Spread) -> str:
    digits = 3 if ratio.median < 10 else 0
    if ratio.low == ratio.high:
        return f"{ratio.median:.{digits}f}"
    return f"{ratio.median:.{digits}f} ({ratio.low:.{digits}f} to {ratio.high:.{digits}f})"


def _count(per_request: float) -> str:
    """To a tenth: one more where a period rolled or a connection was new says nothing."""
    return f"{round(per_request, 1):g}"


def _between(span: tuple[int, int]) -> str:
    return f"{span[0]}" if span[0] == span[1] else f"{span[0]} to {span[1]}"
