"""What every benchmark shares: a row of the report, and figures taken in turn, so that noise meets both sides alike."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field


@dataclass
class Row:
    """One row of the report.

    Args:
        work: What was done.
        beside: What it was compared with.
        ratios: Ours over theirs, one of each repeat.
        goal: Highest ratio that meets the goal, with `at_least` the lowest; None where the row only informs.
        says: One plain sentence: what was measured, how, and what follows.
        wanted: The goal in words, where it is no ratio.
        met: Whether the goal is met, where it is no ratio.
        shown: The measured figure in words, where it is no ratio.
    """

    work: str
    beside: str
    ratios: list[float]
    goal: float | None
    says: str
    wanted: str = ""
    met: bool | None = None
    shown: str = ""
    at_least: bool = False
    tables: list[str] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.ratios)

    @property
    def measured(self) -> str:
        if self.shown:
            return self.shown
        return f"{self.median:.3g} × ({min(self.ratios):.3g}–{max(self.ratios):.3g})"

    @property
    def goal_text(self) -> str:
        return self.wanted or ("—" if self.goal is None else f"{'≥' if self.at_least else '≤'} {self.goal:g} ×")

    @property
    def verdict(self) -> str:
        met = self.met
        if met is None and self.goal is not None:
            met = self.median >= self.goal if self.at_least else self.median <= self.goal
        return "—" if met is None else "met" if met else "not met"

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "verdict": self.verdict}


def in_turn(works: Sequence[Callable[[], float]], repeats: int) -> list[list[float]]:
    """Measure several works in turn, A B A B …, and return the figures of each."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(repeats):
        for figures, work in zip(taken, works, strict=True):
            figures.append(work())
    return taken


def over(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Divide the figures of each repeat."""
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def seconds(work: Callable[[], object], *, processor: bool = False) -> float:
    """Return how long a work takes, by the wall or by this process's processor time."""
    clock = time.process_time if processor else time.perf_counter
    begun = clock()
    work()
    return clock() - begun


def spread(figures: Sequence[float], unit: str, *, scale: float = 1.0) -> str:
    """Return median, lowest and highest as text."""
    low, middle, high = (scale * figure for figure in (min(figures), statistics.median(figures), max(figures)))
    return f"{middle:.3g} {unit} ({low:.3g}–{high:.3g})"


def run_alone(rows: Callable[[], list[Row]], about: str | None) -> int:
    """Run one benchmark from the command line; 1 if a goal is not met."""
    argparse.ArgumentParser(description=about).parse_args()
    return show(rows())


def show(rows: Sequence[Row]) -> int:
    for row in rows:
        print(f"{row.work} | beside {row.beside}: {row.measured}, goal {row.goal_text}: {row.verdict}\n    {row.says}")
        for table in row.tables:
            print(table)
    sys.stdout.flush()
    return int(any(row.verdict == "not met" for row in rows))
