"""Read and check a file of ids beside pandas, polars and duckdb.

Work for all: each line is read, checked for the form of a respondent id, and blank, malformed and repeated ones are
counted. Ours also keeps the line of each and what it repeats. "pandas as usual" is `read_csv` and `drop_duplicates`
alone, which checks nothing. Each runs in a process of its own; polars and duckdb use all cores, ours one, so both the
wall and processor time count: the worse of the two is the ratio.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import Row, run_alone, spread
from read_ids import OURS, PANDAS, write_ids

FORM = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
SAME_WORK = {
    "pandas": f"""
import pandas as pd
def work(path):
    lines = pd.read_csv(path, header=None, names=["id"], skip_blank_lines=False)["id"]
    blank = int(lines.isna().sum())
    given = lines.dropna().str.strip().str.lower()
    good = given[given.str.fullmatch(r"{FORM}")]
    return len(lines), int(good.nunique()), blank, len(given) - len(good)
""",
    "polars": f"""
import polars as pl
def work(path):
    frame = pl.read_csv(path, has_header=False, new_columns=["id"], schema_overrides=[pl.String])
    text = pl.col("id").str.strip_chars().str.to_lowercase()
    good = text.str.contains(r"{FORM}")
    found = frame.select(
        pl.len().alias("lines"), text.filter(good).n_unique().alias("usable"),
        pl.col("id").is_null().sum().alias("blank"), (~good).sum().alias("malformed"),
    )
    return found.row(0)
""",
    "duckdb": f"""
import duckdb
QUERY = '''
    with lines as (select lower(trim(id)) as id
        from read_csv($path, header=false, columns={{'id': 'varchar'}}, auto_detect=false, delim=',')),
    judged as (select id, regexp_full_match(id, $form) as good from lines)
    select count(*), count(distinct id) filter (good), count(*) filter (id is null), count(*) filter (not good)
    from judged'''
def work(path):
    return duckdb.execute(QUERY, {{"path": path, "form": r"{FORM}"}}).fetchone()
""",  # noqa: S608 - a program with a constant in it
}
MEASURE = """
import json, sys, time
path, repeats = sys.argv[1], int(sys.argv[2])
taken = []
for _ in range(repeats):
    wall, processor = time.perf_counter(), time.process_time()
    result = work(path)
    taken.append((time.perf_counter() - wall, time.process_time() - processor))
print(json.dumps([min(each) for each in zip(*taken)] + [list(result)]))
"""
BEST = "the fastest of pandas, polars, duckdb"


def measure(code: str, path: Path, repeats: int, usable: int) -> tuple[float, float]:
    """Return wall and processor seconds, the best of some repeats in one process; all must count alike."""
    done = subprocess.run(  # noqa: S603 - our own code in our own interpreter
        [sys.executable, "-c", code + MEASURE, str(path), str(repeats)], check=True, capture_output=True, text=True
    )
    wall, processor, result = json.loads(done.stdout.splitlines()[-1])  # duckdb draws a progress bar before it
    assert result[1] == usable, (code, result)
    return wall, processor


def compare(name: str, number: int, path: Path, *, inner: int, outer: int, goal: float) -> list[Row]:
    codes = {"ours": OURS, "pandas as usual": PANDAS, **SAME_WORK}
    usable = json.loads(
        subprocess.run(  # noqa: S603 - our own code in our own interpreter
            [sys.executable, "-c", OURS + MEASURE, str(path), "1"], check=True, capture_output=True, text=True
        ).stdout
    )[2][1]
    assert usable < number
    both: dict[str, list[tuple[float, float]]] = {each: [] for each in codes}
    for _ in range(outer):
        for each, code in codes.items():
            both[each].append(measure(code, path, inner, usable))
    wall = {each: [one[0] for one in taken] for each, taken in both.items()}
    processor = {each: [one[1] for one in taken] for each, taken in both.items()}

    def ratios(others: list[str]) -> list[float]:
        return [
            max(times["ours"][turn] / min(times[other][turn] for other in others) for times in (wall, processor))
            for turn in range(outer)
        ]

    walls = ", ".join(f"{each} {spread(taken, 's')}" for each, taken in wall.items())
    return [
        Row(f"read and check {name} ids", "pandas read_csv + drop_duplicates", ratios(["pandas as usual"]), goal,
            f"By the wall: {walls}. The ratio is the worse of wall and processor time."),
        Row(f"read and check {name} ids", BEST, ratios(list(SAME_WORK)), 1.2,
            "The same work for all: each line checked for its form, blank, malformed and repeated ones counted. "
            "polars and duckdb use all cores, ours one."),
    ]  # fmt: skip


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="cint-nb-bench-") as folder:
        small = write_ids(Path(folder) / "small.csv", 100_000)
        found = compare("100,000", 100_000, small, inner=7, outer=5, goal=1.0)
        large = write_ids(Path(folder) / "large.csv", 10_000_000)
        return found + compare("10 million", 10_000_000, large, inner=1, outer=3, goal=0.33)


if __name__ == "__main__":
    sys.exit(run_alone(rows, __doc__))
