"""docs/performance.md holds a row for each benchmark, and the README claims no speed that it does not show."""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REPORT = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
LINES = REPORT.splitlines()
WORKS = {
    "import_time": ["import cint_nb"],
    "check_ids": ["read and check 100,000 ids", "read and check 10 million ids"],
    "watch_jobs": ["notice the end of a 10,000-id job"],
    "list_saved": ["list 100,000 saved RSIDs and compare"],
    "many_waves": ["200 waves at once: upload, watch, compare", "200 waves at once: requests a second"],
    "panel_updates": ["panel updates", "panel updates, sent by a kernel"],
    "status_table": ["status table of 500 groups, drawn", "status table of 500 groups, in a browser"],
    "retention_rates": [
        "plain rate by country and wave, 5 million rows",
        "retention whole, by country and wave, 5 million rows",
    ],
    "history": [
        "plain rate by country and wave, 5 million visits",
        "retention whole, by country and wave |",
        "a cohort as respondents",
        "the same results in other libraries",
        "memory at its peak",
        "adding a wave of a million visits",
    ],
    "growth_of_ids": ["growth: read, check and plan the upload of ids", "growth: memory of ids"],
    "growth_of_groups": [
        "growth: status of a project",
        "growth: status of a project, read again",
        "growth: status table drawn",
        "growth: uploads compared with what was saved",
    ],
    "growth_of_visits": [
        "growth: adding visits to a history",
        "growth: plain rate by country and wave",
        "growth: retention whole",
        "growth: a cohort as respondents",
        "growth: memory of a history at its peak",
    ],
}
CELLS = {"ids": 10_000_000, "groups": 500, "visits": 1_000_000}
"""The largest size of each table of growth that a run without `--large` writes."""
CLAIM = re.compile(r"\d[\d.,]*\s*(?:×|times as|% (?:faster|slower|less|more)|ms\b|ids a second|requests a second)")


def rows_of(work: str) -> list[list[str]]:
    lines = [line for line in LINES if line.startswith(f"| {work}")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_benchmark_is_known_here() -> None:
    listed = re.search(r"^BENCHMARKS = \((.*?)\)", (ROOT / "benchmarks" / "run.py").read_text("utf-8"), re.M | re.S)
    assert listed is not None
    assert set(re.findall(r'"(\w+)"', listed[1])) == set(WORKS)


@pytest.mark.parametrize("work", [work for works in WORKS.values() for work in works] + ["whole test suite"])
def test_every_benchmark_has_a_row_with_figure_goal_and_verdict(work: str) -> None:
    rows = rows_of(work)
    assert rows
    for _, beside, measured, goal, verdict in rows:
        assert beside
        assert measured
        assert goal
        assert verdict in {"met", "not met", "—"}


@pytest.mark.parametrize(("unit", "largest"), CELLS.items())
def test_each_table_of_growth_goes_to_its_largest_size(unit: str, largest: int) -> None:
    headings = [place for place, line in enumerate(LINES) if line.startswith(f"| {unit} |")]
    assert headings
    for place in headings:
        rows = list(takewhile(lambda line: line.startswith("|"), LINES[place + 2 :]))
        sizes = [int(row.split("|")[1].replace(",", "")) for row in rows]
        assert sizes == sorted(set(sizes))
        assert sizes[-1] >= largest


def test_the_largest_histories_and_the_cluster_have_sections() -> None:
    assert "## The largest histories\n\n<!-- large: begin -->" in REPORT
    assert "<!-- large: end -->\n\n## On a cluster, on paper\n" in REPORT


def test_the_readme_claims_no_speed_that_the_report_does_not_show() -> None:
    claims = CLAIM.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert [claim for claim in claims if claim not in REPORT] == []
