"""Run every benchmark and write docs/performance.md: `python benchmarks/run.py [--report] [--suite-junit FILE]`.

The figures are ratios measured side by side in one run; on a quiet machine of two cores it takes less than 12 minutes.
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
BENCHMARKS = ("import_time", "check_ids", "watch_jobs", "list_saved", "many_waves", "panel_updates")
BESIDE = ("httpx", "pandas", "polars", "duckdb", "google-api-core", "azure-core", "ipywidgets")
SUITE_MINUTES = 4.0


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


def report(rows: list[Row], minutes: float) -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in BESIDE)
    lines = [
        "# Performance",
        "",
        f"Written by `nox -s bench -- --report` on {datetime.now(UTC):%Y-%m-%d}, in {minutes:.0f} minutes, on "
        f"{os.cpu_count()} cores, Python {platform.python_version()}: {versions}.",
        "",
        "Figures are ratios, ours over theirs, measured in turn within this one run: the median of the repeats, and in "
        "brackets the lowest and the highest. Each benchmark says at its top what it does and how.",
        "",
        "| work | beside | measured | goal | |",
        "|---|---|---|---|---|",
        *(f"| {row.work} | {row.beside} | {row.measured} | {row.goal_text} | {row.verdict} |" for row in rows),
        "",
        "## What was measured",
        "",
        *(f"- **{row.work}**, beside {row.beside}: {row.says}" for row in rows),
    ]
    for row in rows:
        for table in row.tables:
            lines += ["", f"### {row.work[0].upper()}{row.work[1:]}", "", table]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", action="store_true", help=f"write {REPORT.relative_to(ROOT)}")
    parser.add_argument("--suite-junit", type=Path, help="what `pytest -n 3 --junit-xml=FILE` wrote")
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=BENCHMARKS, help="some of them, no report")
    options = parser.parse_args()
    begun, rows = time.monotonic(), []
    for name in options.only:
        rows += (found := import_module(name).rows())
        show(found)
    rows.append(suite_row(options.suite_junit))
    if options.report and options.only == BENCHMARKS:
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(report(rows, (time.monotonic() - begun) / 60), encoding="utf-8")
        print(f"written: {REPORT.relative_to(ROOT)}")
    return int(any(row.verdict == "not met" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
