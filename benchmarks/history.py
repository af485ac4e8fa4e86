"""A history of five million visits: adding a wave, rates, a cohort; beside pandas and SQL, with the memory it takes.

1.25 million people are listed in five waves of six target groups each, and a million of them come to each wave. The
history is built from CSV files by `add_report`, as a report of the exchange is. Reading is compared with SQL that an
analyst who knows DuckDB would write over the same files, in a connection that may use four times the memory of ours;
adding with `pandas.read_csv` of the same file. Memory is the peak of a process that does nothing else.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from measuring import Row, in_turn, over, run_alone, seconds, spread
from retention_rates import PLAIN_SQL, WHOLE_SQL

import cint_nb as cint
from cint_nb.history import engine
from cint_nb.history.cohort import Cohort
from cint_nb.study.files.id_array import from_buffer
from cint_nb.study.files.line_frames import index_of_ids
from cint_nb.study.files.readers import SourceInfo

VISITS = int(os.environ.get("HISTORY_VISITS", "1000000"))
"""In each wave; of a quarter more people."""
WAVES, REPEATS = 5, 3
COUNTRIES = ("ger_de", "fre_fr", "eng_gb", "eng_us", "ita_it", "spa_es")
OPENED = datetime(2026, 1, 5, 8, tzinfo=UTC)
MEMORY = 400

# An id is a hash, so that ids come in no order; 8c17 is the mark of ids that are of nobody.
ID_SQL = "concat(h[1:8], '-', h[9:12], '-8c17-b5ec-', h[13:24])"
REPORT = """
COPY (
  WITH people AS (
    SELECT range AS person, md5(concat('person ', range)) AS h,
      hash(range * 7 + {wave}) / 18446744073709551616.0 AS which,
      hash(range * 11 + {wave}) / 18446744073709551616.0 AS speed FROM range({first}, {last}, {step})
  ), visits AS (SELECT *, md5(concat('visit ', person, ' of ', {wave})) AS v FROM people WHERE which < 0.8)
  SELECT {person_id} AS "Respondent ID (RSID)", {visit_id} AS "Response ID (RID)", 'project' AS "Project ID",
    '{group}' AS "Target Group ID",
    strftime(TIMESTAMP '{opened}' + to_seconds(CAST(speed * speed * 1200000 AS BIGINT)), '%Y-%m-%d %H:%M:%S')
      AS "Entry Date (UTC)",
    strftime(TIMESTAMP '{opened}' + to_seconds(CAST(speed * speed * 1200000 + 600 AS BIGINT)), '%Y-%m-%d %H:%M:%S')
      AS "Last Date (UTC)",
    CASE WHEN which < 0.6 THEN '3' ELSE '23' END AS "Marketplace Status",
    CASE WHEN which < 0.4 THEN '10' WHEN which < 0.45 THEN '40' WHEN which < 0.6 THEN '1' ELSE '-1' END
      AS "Client Status",
    'Any' AS "Status Description", concat('Supplier ', person % 8) AS "Supplier", '600' AS "LOI (seconds)",
    '2.75' AS "CPI", 'EUR' AS "Currency"
  FROM visits
) TO '{path}' (HEADER, DELIMITER ',')
"""
VIEW = """
CREATE VIEW visits AS
SELECT v.person, p.wave, split_part(p.locale, '_', 2) AS country, v.reason, v.entered, v.ended, p.open_from,
  p.open_until, p.closed_by, p.as_of, v.supplier
FROM read_parquet('{folder}/visits/*.parquet') v JOIN read_parquet('{folder}/parts/*.parquet') p USING (part)
UNION ALL
SELECT l.person, p.wave, split_part(p.locale, '_', 2), CASE WHEN l.state = 'rejected' THEN 'rejected' END, NULL, NULL,
  p.open_from, p.open_until, p.closed_by, p.as_of, NULL
FROM read_parquet('{folder}/listed/*.parquet') l JOIN read_parquet('{folder}/parts/*.parquet') p USING (part)
WHERE l.came = 0
"""


def write_report(connection: Any, path: Path, wave: int, country: int | None, visits: int = VISITS) -> None:
    """Write the report of one target group, or of all people of a wave, which so many visits have."""
    last = visits * 5 // 4
    connection.execute(
        REPORT.format(
            wave=wave, first=country or 0, last=last, step=1 if country is None else len(COUNTRIES), path=path,
            group=f"group-{wave}-{country}", opened=f"{OPENED + wave * timedelta(days=30):%Y-%m-%d %H:%M:%S}",
            person_id=ID_SQL, visit_id=ID_SQL.replace("h[", "v["),
        )
    )  # fmt: skip


def _listed(connection: Any, country: int) -> cint.Respondents:
    """Return everybody of a country, as the list that was saved."""
    last = VISITS * 5 // 4
    found = connection.execute(
        f"SELECT string_agg(replace({ID_SQL}, '-', ''), '') FROM (SELECT md5(concat('person ', range)) AS h "
        f"FROM range({country}, {last}, {len(COUNTRIES)}))"
    ).fetchone()[0]
    keys = from_buffer(bytes.fromhex(found))
    return cint.Respondents(cint.EntityType.RSID, index_of_ids(keys), SourceInfo("list"))


def times_of(wave: int) -> dict[str, Any]:
    opened = OPENED + wave * timedelta(days=30)
    return {
        "opened": opened,
        "closed": opened + timedelta(days=6 if wave == 3 else 14),
        "closed_by": "goal" if wave == 3 else "end",
        "as_of": opened + timedelta(days=20),
    }


def build(folder: Path) -> cint.History:
    """Build the history, and leave a report of one more wave beside it."""
    connection = engine.connect()
    history = cint.History.open(folder / "study")
    for country, locale in enumerate(COUNTRIES):
        listed = _listed(connection, country)
        for wave in range(1, WAVES + 1):
            path = folder / "report.csv"
            write_report(connection, path, wave, country)
            history.add_report(path, wave=wave, listed=listed, locale=locale, **times_of(wave))
            path.unlink()
    write_report(connection, folder / "next.csv", WAVES + 1, None)
    return history


def _quietly(work: Callable[[], Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cint.errors.CintWarning)
        return work()


def rates(history: cint.History, *, whole: bool) -> pd.DataFrame:
    rows = history.long("country")
    if not whole:
        rows = rows.project("person, wave, country, reason, closed_by")
    return _quietly(lambda: cint.measure.retention(rows, by="country"))


def _compare(work: str, sql: str, history: cint.History, goal: float, *, whole: bool) -> Row:
    connection = engine.connect()
    engine.allow_memory(connection, engine.MORE_MEMORY)
    connection.execute(VIEW.format(folder=history.version_folder))

    def ours() -> pd.DataFrame:
        return rates(history, whole=whole)

    def theirs() -> pd.DataFrame:
        return connection.execute(sql).df()

    one, other = ours(), theirs()
    for name in ("n", "completed", "cut_off", "not_known"):
        assert one[name].tolist() == other[name].tolist(), name
    if whole:
        pairs = zip(one["km_share"], other["km_share"], strict=True)
        assert all(math.isclose(a, b, rel_tol=1e-8) for a, b in pairs)
    sql_seconds, mine = in_turn([lambda task=task: seconds(task, processor=True) for task in (theirs, ours)], REPEATS)
    says = (
        f"{WAVES * VISITS:,} visits and as many listed people without one as a quarter, from the Parquet files; the "
        f"results agree. Processor time of all threads: ours {spread(mine, 's')}, SQL {spread(sql_seconds, 's')}."
    )
    return Row(work, "SQL over the same files", over(mine, sql_seconds), goal, says)


def _cohort_row(history: cint.History) -> Row:
    def task() -> None:
        cohort: Cohort = history.cohort(completed=[1, 2])
        assert len(cohort.respondents()) == len(cohort) > 0

    taken = [seconds(task) for _ in range(REPEATS)]
    median = sorted(taken)[len(taken) // 2]
    people = len(history.cohort(completed=[1, 2]))
    return Row(
        "a cohort as respondents", "two seconds", [median / 2], None,
        f"{people:,} people who completed two waves, ready to be uploaded; wall clock {spread(taken, 's')}.",
        "≤ 2 s", median <= 2, f"{median:.2f} s",
    )  # fmt: skip


def _add_rows(history: cint.History, folder: Path) -> list[Row]:
    numbers = iter(range(WAVES + 1, WAVES + 1 + REPEATS))
    path = folder / "next.csv"
    text = path.read_text()
    processor: list[float] = []

    def ours() -> float:
        number = next(numbers)
        own = folder / f"wave-{number}.csv"
        own.write_text(text.replace(f"group-{WAVES + 1}-", f"group-{number}-"))  # of another target group
        began = time.process_time()
        taken = seconds(lambda: history.add_report(own, wave=number, **times_of(WAVES + 1)))
        processor.append(time.process_time() - began)
        return taken

    def as_usual() -> float:
        return seconds(lambda: pd.read_csv(path))

    def as_objects() -> float:
        return seconds(lambda: pd.read_csv(path, dtype=dict.fromkeys(pd.read_csv(path, nrows=1).columns, object)))

    usual, objects, mine = in_turn([as_usual, as_objects, ours], REPEATS)
    says = (
        f"a report of {VISITS:,} visits, {path.stat().st_size / 1e6:.0f} MB, into a history of {WAVES * VISITS:,}: "
        "codes read, times in UTC, people found by their ids, two tables written. Wall clock: ours "
        f"{spread(mine, 's')}, and {spread(processor, 's')} of processor time; pandas {pd.__version__} {{}}, "
        "which only parses."
    )
    work = "adding a wave of a million visits"
    return [
        Row(work, "pandas.read_csv, texts as objects", over(mine, objects), 1.5, says.format(spread(objects, "s"))),
        Row(work, "pandas.read_csv as it comes", over(mine, usual), 1.5, says.format(spread(usual, "s"))),
    ]


WORKS = ("rates", "cohort", "add")


def _alone(folder: Path, work: str) -> None:
    """Do one work in this process and print its peak memory in MB."""
    history = cint.History.open(folder / "study")
    if work == "rates":
        rates(history, whole=True)
    elif work == "cohort":
        history.cohort(completed=[1, 2]).respondents()
    else:
        history.add_report(folder / "next.csv", wave=WAVES + 1, **times_of(WAVES + 1))
    print(json.dumps(peak()))


def peak() -> float:
    """Return the peak memory of this process in MB; what the system counts may include who started it."""
    status = Path("/proc/self/status")
    if status.exists():
        return float(re.findall(r"VmHWM:\s+(\d+)", status.read_text())[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _memory_row(folder: Path) -> Row:
    peaks = {}
    for work in WORKS:
        command = [sys.executable, __file__, "--alone", str(folder), work]
        peaks[work] = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603
    highest = max(peaks.values())
    each = ", ".join(f"{work} {peak:.0f} MB" for work, peak in peaks.items())
    return Row(
        "memory at its peak", f"{MEMORY} MB", [highest / MEMORY], None,
        f"each work in a process of its own, everything imported: {each}.",
        f"≤ {MEMORY} MB", highest <= MEMORY, f"{highest:.0f} MB",
    )  # fmt: skip


def _engines_row(history: cint.History) -> Row:
    """Compare the rates of one wave on every library that is installed."""
    rows = history.long("country").filter("wave = 1 AND country = 'de'")
    expected = _quietly(lambda: cint.measure.retention(rows, by="country"))
    frames: dict[str, Callable[[], Any]] = {"pandas": rows.df}
    if importlib.util.find_spec("polars"):
        frames["polars"] = rows.pl
    if importlib.util.find_spec("pyarrow"):
        frames["pyarrow"] = rows.to_arrow_table
    if importlib.util.find_spec("pyspark"):
        frames[f"Spark {version('pyspark')}"] = lambda: _spark_rows(history)
    if importlib.util.find_spec("ibis"):
        frames[f"Ibis {version('ibis-framework')}"] = lambda: _ibis_rows(rows)
    for make in frames.values():
        found = _quietly(lambda make=make: cint.measure.retention(make(), by="country"))
        found = found if isinstance(found, pd.DataFrame) else found.to_pandas()
        assert found["completed"].tolist() == expected["completed"].tolist()
        assert math.isclose(found["km_share"][0], expected["km_share"][0], rel_tol=1e-8)
    missing = [name for name in ("pyspark", "ibis") if not importlib.util.find_spec(name)]
    says = f"DuckDB, {', '.join(frames)} give the same rates; not installed here: {', '.join(missing) or 'none'}."
    return Row("the same results in other libraries", "DuckDB", [1.0], None, says, "equal", met=True, shown="equal")


def _spark_rows(history: cint.History) -> Any:
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master("local[2]").getOrCreate()
    return cint.History.open(history.folder, engine=session).long("country").filter("wave = 1 AND country = 'de'")


def _ibis_rows(rows: Any) -> Any:
    import ibis

    connection = ibis.duckdb.connect()
    connection.raw_sql(f"CREATE VIEW visits AS {rows.sql_query()}")
    return connection.table("visits")


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.perf_counter()
        history = build(folder)
        built = time.perf_counter() - began
        plain = "plain rate by country and wave, 5 million visits"
        found = [
            _compare(plain, PLAIN_SQL, history, 1.15, whole=False),
            _compare("retention whole, by country and wave", WHOLE_SQL, history, 1.3, whole=True),
            _cohort_row(history),
            _engines_row(history),
            _memory_row(folder),
            *_add_rows(history, folder),
        ]
        found[0].says += f" The history was built from {WAVES * len(COUNTRIES)} reports in {built:.0f} s."
        return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["--alone"]:
        _alone(Path(sys.argv[2]), sys.argv[3])
    else:
        sys.exit(run_alone(rows, __doc__))
