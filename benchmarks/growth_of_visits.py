"""How a history grows: adding reports, plain rates, retention whole, a cohort, from 10 thousand visits to 50 million.

A history of n visits is that of `history.py`: a quarter more people than a wave has visits, listed in five waves of six
target groups each. Reports and lists are written first, as files; what is measured is `add_report` of all of them with
the lists read, and then each question, each in a process of its own. `python benchmarks/growth_of_visits.py --large`
goes to 50 million visits, which takes 20 GB of disk for a while.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from growth import Cost, cost_of, exponent, growth_row, in_seconds, print_cost
from history import COUNTRIES, ID_SQL, WAVES, rates, times_of, write_report
from measuring import Row, show

import cint_nb as cint
from cint_nb.history import engine

SIZES = (10_000, 100_000, 1_000_000)
LARGE_SIZES = (*SIZES, 10_000_000, 50_000_000)
SEVERAL_TURNS, TURNS = 1_000_000, 3
QUESTIONS = {
    "rates": "plain rate by country and wave",
    "retention": "retention whole",
    "cohort": "a cohort as respondents",
}
PROPORTIONAL = 1.0


def write_files(folder: Path, visits: int) -> None:
    """Write the list of each country, and the report of each of its target groups."""
    folder.mkdir()
    connection = engine.connect(folder / "spilled")
    engine.allow_memory(connection, engine.MORE_MEMORY)
    each = visits // WAVES
    for country in range(len(COUNTRIES)):
        connection.execute(
            f"COPY (SELECT {ID_SQL} AS rsid FROM (SELECT md5(concat('person ', range)) AS h "
            f"FROM range({country}, {each * 5 // 4}, {len(COUNTRIES)}))) TO '{folder}/list-{country}.csv' (HEADER)"
        )
        for wave in range(1, WAVES + 1):
            write_report(connection, folder / f"report-{wave}-{country}.csv", wave, country, each)
    connection.close()


def add_all(folder: Path, study: Path) -> None:
    """Add all reports of a folder to a new history."""
    history = cint.History.open(study)
    for country, locale in enumerate(COUNTRIES):
        listed = cint.read_respondents(folder / f"list-{country}.csv", entity_type="RSID", column="rsid")
        for wave in range(1, WAVES + 1):
            report = folder / f"report-{wave}-{country}.csv"
            history.add_report(report, wave=wave, listed=listed, locale=locale, **times_of(wave))


def answer(question: str, study: Path) -> Any:
    """Answer one question about a history."""
    history = cint.History.open(study)
    if question == "cohort":
        return history.cohort(completed=[1, 2]).respondents()
    return rates(history, whole=question == "retention")


def measure(sizes: tuple[int, ...]) -> dict[str, list[Cost]]:
    """Return what each work took of each size; each process begins with the small history, which imports everything."""
    costs: dict[str, list[Cost]] = {work: [] for work in ("add", *QUESTIONS)}
    with tempfile.TemporaryDirectory(prefix="cint-nb-growth-") as name:
        small = Path(name) / "small"
        write_files(small, sizes[0])
        add_all(small, small / "study")
        for visits in sizes:
            turns = TURNS if visits <= SEVERAL_TURNS else 1
            folder = Path(name) / f"{visits}"
            write_files(folder, visits)
            costs["add"].append(cost_of(visits, __file__, "--alone", "add", small, folder))
            for file in folder.glob("*.csv"):
                file.unlink()
            for question in QUESTIONS:
                costs[question].append(cost_of(visits, __file__, "--alone", question, small, folder, turns=turns))
            shutil.rmtree(folder)
            taken = ", ".join(f"{work} {in_seconds(found[-1].wall)}" for work, found in costs.items())
            print(f"{visits:,} visits: {taken}", file=sys.stderr, flush=True)
    return costs


def alone(work: str, small: Path, folder: Path) -> None:
    """Do a small work, which imports everything, then the work itself, and print what it took."""
    if work != "add":
        answer(work, small / "study")
        print_cost(lambda: answer(work, folder / "study"))
        return
    with tempfile.TemporaryDirectory(dir=small) as warm:
        cint.History.open(warm).add_report(small / "report-1-0.csv", **times_of(1))
    print_cost(lambda: add_all(folder, folder / "study"))


def rows(*, large: bool = False) -> list[Row]:
    costs = measure(LARGE_SIZES if large else SIZES)
    makes = f"{WAVES} waves of {len(COUNTRIES)} target groups, a quarter more people than a wave has visits."
    last = costs["add"][-1]
    found = [
        growth_row(
            "adding visits to a history", costs["add"], "visits",
            f"{makes} All of them added, with lists; {last.processor / last.items * 1e6:.2f} µs a visit at the end.",
        )
    ]  # fmt: skip
    for question, words in QUESTIONS.items():
        found.append(growth_row(words, costs[question], "visits", makes))
    grown = {work: exponent(each, lambda cost: cost.memory) for work, each in costs.items()}
    worst = max(grown.values())
    each = ", ".join(f"{work} {figure:.2f}" for work, figure in grown.items())
    found.append(
        Row(
            "growth: memory of a history at its peak", f"{last.items:,} visits", [], None,
            f"Exponents of memory: {each}. DuckDB may use 240 MB to count and 200 MB to add; from twelve million "
            "visits and list entries, or 2.5 million people, in proportion.",
            wanted=f"exponent ≤ {PROPORTIONAL:g}", met=worst <= PROPORTIONAL, shown=f"exponent {worst:.2f}",
        )
    )  # fmt: skip
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["--alone"]:
        alone(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("--large", action="store_true", help="also 10 and 50 million visits")
        sys.exit(show(rows(large=parser.parse_args().large)))
