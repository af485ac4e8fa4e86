"""One panel analysis two ways, in R with `survey` and `survival` and with `cint_nb.measure`: results, lines and time.

Run `python benchmarks/peers/run_panel.py`; `--report` writes the tables of docs/comparison.md. It needs Rscript and
both packages (Debian: `apt-get install r-base-core r-cran-survey r-cran-survival`). The scripts read the same files,
take turns, and their processor time is compared: whole processes, from start to end.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from comparison_page import ROOT, write_between
from panel_data import PEOPLE, REPLICATES, write_panel
from user_code import PANEL_SCRIPTS, count_sections

MARKS = ("<!-- panel: begin -->", "<!-- panel: end -->")
SEED = 1
TURNS = 5
DIGITS = 6
"""So many digits must agree; the logits of both sides stop when they change by less than some parts in 10⁸."""


class Turn(NamedTuple):
    """One run of a script: its results by name, and the processor seconds of its process."""

    results: dict[str, float]
    seconds: float


def run_script(way: str, folder: Path) -> Turn:
    """Run one script on the files of a folder."""
    script = PANEL_SCRIPTS[way]
    interpreter = ["Rscript", "--vanilla"] if script.suffix == ".R" else [sys.executable, "-W", "ignore"]
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [*interpreter, str(script), str(folder)], capture_output=True, text=True, env=os.environ | one_thread
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{script.name} stopped:\n{done.stdout}{done.stderr}")
    results = dict(line.split("\t") for line in done.stdout.splitlines())
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Turn({name: float(value) for name, value in results.items()}, used)


def digits_in_common(one: float, other: float) -> int:
    """Return how many significant digits of two numbers agree, fifteen at most."""
    if one == other:
        return 15
    return min(15, math.floor(-math.log10(abs(one - other) / max(abs(one), abs(other)))))


def tables(turns: Mapping[str, list[Turn]], versions: str) -> str:
    """Write both tables in Markdown."""
    rows = [
        f"{PEOPLE:,} people, 4 waves, {REPLICATES} bootstrap replicates; {versions}.",
        "",
        "| | lines: the analysis | lines: the whole script | processor time |",
        "|---|---:|---:|---:|",
    ]
    seconds = {way: statistics.median(turn.seconds for turn in found) for way, found in turns.items()}
    for way, script in PANEL_SCRIPTS.items():
        sections = count_sections(script)
        ratio = "1" if way == "R" else f"{seconds[way] / seconds['R']:.1f}"
        link = f"[{way}](../{script.relative_to(ROOT).as_posix()})"
        rows.append(f"| {link} | {sections['the analysis']} | {sum(sections.values())} | {ratio} |")
    rows += ["", "| result | R | cint_nb.measure | digits in common |", "|---|---:|---:|---:|"]
    theirs, ours = (turns[way][0].results for way in PANEL_SCRIPTS)
    for name, value in theirs.items():
        rows.append(f"| {name} | {value:.6g} | {ours[name]:.6g} | {digits_in_common(value, ours[name])} |")
    return "\n".join(rows)


def problems(turns: Mapping[str, list[Turn]]) -> list[str]:
    """Return the results that differ, and those that only one side has."""
    theirs, ours = (turns[way][0].results for way in PANEL_SCRIPTS)
    found = [f"only one side has: {name}" for name in theirs.keys() ^ ours.keys()]
    found += [
        f"{name}: {theirs[name]!r} and {ours[name]!r}"
        for name in theirs.keys() & ours.keys()
        if digits_in_common(theirs[name], ours[name]) < DIGITS
    ]
    return found


def versions_of_r() -> str:
    """Return the versions of R and its two packages in words."""
    code = 'cat(format(getRversion()), format(packageVersion("survey")), format(packageVersion("survival")))'
    shown = subprocess.run(["Rscript", "--vanilla", "-e", code], capture_output=True, text=True)
    if shown.returncode:
        raise SystemExit(f"R has not both packages:\n{shown.stderr}")
    return "R {}, survey {}, survival {}".format(*shown.stdout.split())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", action="store_true", help="write the tables of docs/comparison.md")
    arguments = parser.parse_args()
    if shutil.which("Rscript") is None:
        raise SystemExit("Rscript is missing: apt-get install r-base-core r-cran-survey r-cran-survival")
    versions = versions_of_r()
    turns: dict[str, list[Turn]] = {way: [] for way in PANEL_SCRIPTS}
    with tempfile.TemporaryDirectory() as name:
        write_panel(Path(name), SEED)
        for _ in range(TURNS):
            for way in PANEL_SCRIPTS:
                turns[way].append(run_script(way, Path(name)))
    text = tables(turns, versions)
    print(text)
    found = problems(turns)
    print("\n".join(found), file=sys.stderr)
    if arguments.report and not found:
        write_between(MARKS, text)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
