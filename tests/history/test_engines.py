"""The engine is the caller's choice: the files give the same rows in each, and the measures the same numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow.dataset as ds
import pytest

from cint_nb.domain.errors import InputError
from cint_nb.history.history import History
from cint_nb.measure.retention import retention
from tests.history.studies import people, rid, two_waves
from tests.measure.worlds import rows_of, same


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return two_waves(tmp_path_factory.mktemp("study"))


def test_a_connection_of_the_callers_can_join_its_own_tables(history: History) -> None:
    mine = duckdb.connect()
    mine.execute("CREATE TABLE prices AS SELECT 1 AS wave, 'cheap' AS kind")
    shared = History.open(history.folder, engine=mine)
    view = shared.long()
    assert view.join(mine.table("prices"), "wave").filter("kind = 'cheap'").count("*").fetchall() == [(6,)]
    assert retention(view).to_dict() == retention(history.long()).to_dict()
    assert shared.wide().fetchall() == history.wide().fetchall()
    assert mine.execute("SELECT count(*) FROM prices").fetchone() == (1,)  # it stays open, and as it was


def test_every_library_gets_the_same_numbers(history: History) -> None:
    rows = history.long()
    expected = retention(rows).to_dict("records")
    frames = {
        "pandas": rows.df(),
        "polars": rows.pl(),
        "polars, lazy": rows.pl().lazy(),
        "pyarrow": rows.to_arrow_table(),
    }
    for name, frame in frames.items():
        found: Any = retention(frame)
        if isinstance(found, pl.LazyFrame):
            found = found.collect()
        found = found if isinstance(found, pd.DataFrame) else found.to_pandas()
        again = found.astype(object).where(found.notna(), None).to_dict("records")
        for one, other in zip(again, expected, strict=True):
            for key, value in other.items():
                assert one[key] == (None if pd.isna(value) else pytest.approx(value)), (name, key)


def test_the_files_are_read_by_other_libraries(history: History) -> None:
    folder = history.version_folder
    for name in ("people", "sessions", "parts", "listed", "visits", "attributes"):
        rows = len(pd.read_parquet(folder / name))
        assert pl.read_parquet(folder / name / "*.parquet").height == rows
        assert ds.dataset(folder / name).count_rows() == rows


class FakeSession:
    """Stands for a Spark session: DuckDB runs what it is sent, with Spark's name for a folder of files."""

    def createDataFrame(self, rows: Any) -> Any:  # noqa: N802 - Spark's name
        raise NotImplementedError

    def sql(self, query: str) -> Any:
        def files(match: re.Match[str]) -> str:
            return f"read_parquet('{match[1].removeprefix('file://')}/*.parquet')"

        plain = re.sub(r"parquet\.`([^`]+)`", files, query).replace("`", '"').replace("max_by(", "arg_max(")
        return duckdb.sql(plain.replace(" AS STRING)", " AS VARCHAR)"))


def test_a_spark_session_reads_the_same_files(history: History) -> None:
    """Only what is sent is compared here; a real session is asked below, where one is installed."""
    spark = History.open(history.folder, engine=FakeSession())
    assert sorted(spark.long("country").fetchall(), key=str) == sorted(history.long("country").fetchall(), key=str)
    assert repr(spark).endswith("Spark>")
    assert len(spark.cohort(completed=1).respondents()) == 4


@pytest.mark.thorough
@pytest.mark.skipif(find_spec("pyspark") is None, reason="Spark is installed by who uses it")
def test_a_real_spark_session_gives_the_same(tmp_path: Path) -> None:
    from pyspark.sql import SparkSession

    history = two_waves(tmp_path)
    history.join([{"RID": rid(1, 1), "mood": "good", "score": "3"}, {"RID": rid(1, 2), "mood": "bad", "score": "5"}])
    history.erase(people([3]))
    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    session.conf.set("spark.sql.shuffle.partitions", "2")
    spark = History.open(history.folder, engine=session)
    queries: list[Callable[[History], Any]] = [
        lambda engine: engine.long("country", "wave_name", "mood"),
        lambda engine: engine.wide(),
        lambda engine: engine.attributes(),
        lambda engine: engine.attributes("score", before=2),
    ]
    for query in queries:
        assert sorted(map(tuple, query(spark).collect()), key=str) == sorted(query(history).fetchall(), key=str)
    for base in ("asked", "first"):
        same(rows_of(retention(spark.long(), base=base)), rows_of(retention(history.long(), base=base)))
    assert sorted(spark.cohort(completed=1).respondents().ids) == sorted(history.cohort(completed=1).respondents().ids)


@pytest.mark.skipif(find_spec("ibis") is None, reason="Ibis is installed by who uses it")
def test_ibis_over_the_same_files_gives_the_same(history: History) -> None:
    import ibis

    rows = history.long("country")
    connection = ibis.duckdb.connect()
    connection.raw_sql(f"CREATE VIEW visits_and_listed AS {rows.sql_query()}")
    table = connection.table("visits_and_listed")
    assert table.count().execute() == len(rows)
    same(rows_of(retention(table, by="country")), rows_of(retention(rows, by="country")))


def test_what_is_no_engine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="DuckDB connection or a Spark session"):
        History.open(tmp_path, engine="spark")


def test_columns_to_group_by(history: History) -> None:
    rows = history.long("country", "wave_name", "target_group")
    assert rows.columns[-3:] == ["country", "wave_name", "target_group"]
    assert retention(rows, by="wave_name")["wave_name"].tolist() == ["first", "second"]
    for wrong, why in (("wave", "already"), ("shoe size", "no column 'shoe size'")):
        with pytest.raises(InputError, match=why):
            history.long(wrong)


def test_wide_has_a_word_for_every_person_and_wave(history: History) -> None:
    found = history.wide().df()
    assert list(found.columns) == ["person", "wave 1", "wave 2"]
    assert sorted(map(tuple, found[["wave 1", "wave 2"]].to_numpy())) == [
        ("completed", "completed"), ("completed", "dropped"), ("completed", "quality"), ("completed", "rejected"),
        ("screened", "not_asked"), ("screened", "not_asked"),
    ]  # fmt: skip
