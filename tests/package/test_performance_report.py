"""docs/performance.md holds a row for each benchmark, and the README claims no speed that it does not show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REPORT = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
WORKS = {
    "import_time": ["import cint_nb"],
    "check_ids": ["read and check 100,000 ids", "read and check 10 million ids"],
    "watch_jobs": ["notice the end of a 10,000-id job"],
    "list_saved": ["list 100,000 saved RSIDs and compare"],
    "many_waves": ["200 waves at once: upload, watch, compare", "200 waves at once: requests a second"],
    "panel_updates": ["panel updates", "panel updates, sent by a kernel"],
}
CLAIM = re.compile(r"\d[\d.,]*\s*(?:×|times as|% (?:faster|slower|less|more)|ms\b|ids a second|requests a second)")


def rows_of(work: str) -> list[list[str]]:
    lines = [line for line in REPORT.splitlines() if line.startswith(f"| {work}")]
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


def test_the_readme_claims_no_speed_that_the_report_does_not_show() -> None:
    claims = CLAIM.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert [claim for claim in claims if claim not in REPORT] == []
