"""Run every benchmark and write docs/performance.md: `python benchmarks/run.py [--report] [--suite-junit FILE]`.

The figures are ratios measured side by side in one run. `--large --report` measures histories of up to 50 million
visits instead, and writes their section alone; a run without it leaves that section as it is, with its date.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

from measuring import Row, show

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "docs" / "performance.md"
BENCHMARKS = (
    "import_time", "check_ids", "watch_jobs", "list_saved", "many_waves", "panel_updates", "status_table",
    "retention_rates", "history", "growth_of_ids", "growth_of_groups", "growth_of_visits",
)  # fmt: skip
LARGE_MARKS = ("<!-- large: begin -->", "<!-- large: end -->")
BESIDE = ("httpx", "pandas", "polars", "duckdb", "google-api-core", "azure-core", "ipywidgets")
SUITE_MINUTES = 4.0
ON_PAPER = """\
## On a cluster, on paper

This is reasoning from the queries, and no measurement: where Spark is installed, its results are compared with those
of DuckDB on one machine. `retention` of a Spark DataFrame is a query of four steps, and what comes to the driver is
a row for each wave, and group.

- **A scan** of the visits, and of the listed people without one, to which `history.long()` joins the table of target
  groups, small enough to be sent to every worker. It runs once for the waves and groups that exist, and once for the
  count. Its work grows with the rows, and workers share it.
- **A shuffle by person and wave**, for the strongest visit of each. Only minima, maxima and sums are asked for, so
  that a worker combines its own rows first. At most one row for each person and wave goes over the network. Nobody
  has many rows, so that no worker gets many more than the others.
- **A count by wave, group and time**, combined before its shuffle as well. Without open times it ends here, with a
  handful of rows.
- **Running sums over the times of each wave and group**, for Kaplan–Meier. One task sorts the times of one wave and
  group: at most one for each person who completed or was turned away, since later times are one. This is what more
  workers do not make faster.

So time should fall with the number of workers until the largest wave and group decides, and grow linearly with
visits, but for the sort: n log n in the times of one cell. A rate of those who completed an earlier wave adds a join
by person, one shuffle more. Where somebody completed one wave several times, at different times, the count runs
twice. Curves and log-rank tests fetch a row for each time, and models a row for each person: these need a driver with
memory for them, whatever the cluster.
"""


def suite_row(junit: Path | None) -> Row:
    """Read how long the whole test suite took from the file `pytest -n 3 --junit-xml=FILE` wrote."""
    says = "Wall time of `pytest -n 3`, from the file its `--junit-xml` wrote."
    row = Row("whole test suite", "—", [], None, says, wanted=f"≤ {SUITE_MINUTES:g} minutes", shown="not measured here")
    if junit is not None:
        suites = ElementTree.parse(junit).getroot().iter("testsuite")  # noqa: S314 - our own file
        taken = [(float(suite.get("time", 0)), int(suite.get("tests", 0))) for suite in suites]
        seconds, tests = sum(one for one, _ in taken), sum(number for _, number in taken)
        row.met, row.shown = seconds <= 60 * SUITE_MINUTES, f"{seconds / 60:.1f} minutes for {tests:,} tests"
    return row


def table(rows: list[Row]) -> list[str]:
    """Return the lines of the table of figures, goals and verdicts."""
    return [
        "| work | beside | measured | goal | |",
        "|---|---|---|---|---|",
        *(f"| {row.work} | {row.beside} | {row.measured} | {row.goal_text} | {row.verdict} |" for row in rows),
    ]


def details(rows: list[Row], level: str) -> list[str]:
    """Return the lines that say what was measured, and the tables of single works."""
    lines = [f"- **{row.work}**, beside {row.beside}: {row.says}" for row in rows]
    for row in rows:
        for each in row.tables:
            lines += ["", f"{level} {row.work[0].upper()}{row.work[1:]}", "", each]
    return lines


def measured_on(command: str, minutes: float) -> str:
    """Return the sentence that says when and where figures were measured."""
    versions = ", ".join(f"{name} {version(name)}" for name in BESIDE)
    return (
        f"Written by `{command}` on {datetime.now(UTC):%Y-%m-%d}, in {minutes:.0f} minutes, on "
        f"{os.cpu_count()} cores, Python {platform.python_version()}: {versions}."
    )


def large_section(rows: list[Row], minutes: float) -> str:
    """Return the section of the largest sizes."""
    said = measured_on("nox -s bench -- --large --report", minutes)
    return "\n".join([said, "", *table(rows), "", *details(rows, "###")])


def kept_section() -> str:
    """Return the section of the largest sizes as it stands in the page."""
    page = REPORT.read_text(encoding="utf-8") if REPORT.exists() else ""
    found = page.partition(LARGE_MARKS[0])[2].partition(LARGE_MARKS[1])[0].strip()
    return found or "Not measured yet: `nox -s bench -- --large --report` does it."


def report(rows: list[Row], minutes: float, large: str) -> str:
    lines = [
        "# Performance",
        "",
        measured_on("nox -s bench -- --report", minutes),
        "",
        "Figures are ratios, ours over theirs, measured in turn within this one run: the median of the repeats, and in "
        "brackets the lowest and the highest. Where a work was measured in several sizes, the figure is the exponent "
        "of its growth in processor time: 1 where ten times as much takes ten times as long. Each benchmark says at "
        "its top what it does and how.",
        "",
        *table(rows),
        "",
        "## What was measured",
        "",
        *details(rows, "###"),
        "",
        "## The largest histories",
        "",
        LARGE_MARKS[0],
        "",
        large,
        "",
        LARGE_MARKS[1],
        "",
        ON_PAPER.rstrip(),
    ]
    return "\n".join(lines) + "\n"


def write_large(text: str) -> None:
    """Put the section of the largest sizes into the page, and leave the rest as it is."""
    page = REPORT.read_text(encoding="utf-8")
    before, begin, rest = page.partition(LARGE_MARKS[0])
    after = rest.partition(LARGE_MARKS[1])[2]
    if not begin:
        raise SystemExit(f"{REPORT.name} has no marks for it: run once without --large")
    REPORT.write_text(f"{before}{begin}\n\n{text}\n\n{LARGE_MARKS[1]}{after}", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", action="store_true", help=f"write {REPORT.relative_to(ROOT)}")
    parser.add_argument("--suite-junit", type=Path, help="what `pytest -n 3 --junit-xml=FILE` wrote")
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=BENCHMARKS, help="some of them, no report")
    parser.add_argument("--large", action="store_true", help="only histories of up to 50 million visits")
    options = parser.parse_args()
    begun, rows = time.monotonic(), []
    if options.large:
        rows = import_module("growth_of_visits").rows(large=True)
        show(rows)
    else:
        for name in options.only:
            rows += (found := import_module(name).rows())
            show(found)
        rows.append(suite_row(options.suite_junit))
    minutes = (time.monotonic() - begun) / 60
    if options.report and options.large:
        write_large(large_section(rows, minutes))
    elif options.report and options.only == BENCHMARKS:
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(report(rows, minutes, kept_section()), encoding="utf-8")
    if options.report and options.only == BENCHMARKS:
        print(f"written: {REPORT.relative_to(ROOT)}")
    return int(any(row.verdict == "not met" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
