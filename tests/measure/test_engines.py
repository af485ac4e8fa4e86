"""Every measure gives the same in every library, and gives it in the library it was given."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import duckdb
import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import cint_nb as cint
from cint_nb.domain.errors import InputError
from tests.measure.calls import ATTRIBUTES, HISTORY, MEASURES, STOPPED, VISITS
from tests.measure.worlds import ENGINES, in_polars, quiet, rows_of, same

m = cint.measure
LIBRARIES = {
    "pandas": pd.DataFrame,
    "pandas with arrow": pd.DataFrame,
    "polars": pl.DataFrame,
    "polars, lazy": pl.DataFrame,
    "pyarrow": pa.Table,
    "duckdb": pd.DataFrame,
}
QUERIES = {"polars, lazy": pl.LazyFrame, "duckdb": duckdb.DuckDBPyRelation}
ALWAYS_QUERIES = ("dispositions", "dispositions of elsewhere", "select")


def test_every_measure_that_returns_a_frame_is_tried() -> None:
    assert {name.partition(",")[0].split(" ")[0] for name in MEASURES} == set(m.__all__) - {"methods_text"}


@pytest.mark.sampled(every=11)
@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "polars"])
@pytest.mark.parametrize("measure", MEASURES)
def test_a_measure_gives_the_same_everywhere(measure: str, engine: str) -> None:
    found = quiet(MEASURES[measure], ENGINES[engine])
    if engine in LIBRARIES:
        kind = QUERIES.get(engine, LIBRARIES[engine]) if measure in ALWAYS_QUERIES else LIBRARIES[engine]
        assert isinstance(found, kind)
    same(rows_of(found), rows_of(quiet(MEASURES[measure], ENGINES["polars"])), tolerance=1e-7)


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "polars"])
def test_the_paragraph_is_the_same_everywhere(engine: str) -> None:
    assert quiet(m.methods_text, ENGINES[engine](STOPPED)) == quiet(m.methods_text, ENGINES["polars"](STOPPED))


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("engine", ["pandas", "polars", "pyarrow"])
def test_a_frame_of_narwhals_is_answered_with_one(engine: str) -> None:
    frame = nw.from_native(ENGINES[engine](HISTORY))
    assert isinstance(m.retention(frame), nw.DataFrame)
    assert isinstance(m.dispositions(frame), nw.DataFrame)


@pytest.mark.parametrize("engine", ENGINES)
def test_nulls_are_nulls_and_whole_numbers_are_whole(engine: str) -> None:
    found = quiet(m.retention, ENGINES[engine](HISTORY))
    if isinstance(found, pl.DataFrame):
        assert found.schema["n"] == pl.Int64
        assert found["km_share"].null_count() == 4
    if isinstance(found, pa.Table):
        assert found.schema.field("n").type == pa.int64()
        assert found["closed_by"].null_count == 4
        assert not found.schema.metadata
    if isinstance(found, pd.DataFrame):
        assert found["n"].dtype == "int64"
        assert found["km_share"].isna().all()
        assert found["closed_by"].isna().all()


@pytest.mark.thorough
def test_a_query_is_asked_for_counts_and_not_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """No result that leaves the engine may have a row for each of many people."""
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE visits AS SELECT range % 5000 AS person, 1 + range // 5000 AS wave, "
        "CASE WHEN range % 3 = 0 THEN 'completed' END AS reason, 'end' AS closed_by, "
        "0 AS open_from, 360000 AS open_until, "
        "CASE WHEN range % 3 = 0 THEN range % 97 END AS entered, CASE WHEN range % 3 = 0 THEN range % 97 END AS ended "
        "FROM range(15000)"
    )
    from cint_nb.measure import frames

    sizes: list[int] = []
    run = frames._run

    def counted(data: Any) -> Any:
        result = run(data)
        sizes.append(len(result))
        return result

    monkeypatch.setattr(frames, "_run", counted)
    visits = connection.table("visits")
    for base in ("asked", "first", "previous", "ever"):
        m.retention(visits, base=base)
    for measure in (m.retention_curve, m.patterns, m.flow, m.methods_text):
        measure(visits)
    m.forecast(visits, saved=100)
    assert max(sizes) <= 3 * 98


@pytest.mark.parametrize(
    "frame", [None, 5, [1], {"person": [1]}, "a.csv", pd.Series([1]), pd.DataFrame([[1, 2]], columns=["a", "a"])]
)
def test_what_is_no_frame_is_refused(frame: Any) -> None:
    with pytest.raises(InputError) as refused:
        m.dispositions(frame)
    assert refused.value.next_step


def test_importing_the_room_loads_no_library_of_frames_and_no_models() -> None:
    heavy = "{'pandas', 'numpy', 'scipy', 'statsmodels', 'polars', 'pyarrow', 'duckdb', 'httpx', 'ipywidgets'}"
    code = f"import sys, cint_nb.measure; print(sorted({heavy} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_without_the_extra_it_is_named_and_the_rest_works(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("statsmodels")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "statsmodels", None)
    frame, known = in_polars(VISITS), in_polars(ATTRIBUTES)
    for call in (m.attrition_weights, m.bootstrap_weights):
        with pytest.raises(InputError, match="statsmodels is not installed") as refused:
            call(frame, known)
        assert "[weights]" in str(refused.value)
    with pytest.raises(InputError, match="statsmodels is not installed"):
        m.contrast(frame, known, wave=2)
    assert len(rows_of(m.contrast(frame, known, wave=2, joint=False))) == 6
    assert rows_of(m.retention(frame))
    assert rows_of(m.forecast(in_polars(HISTORY), saved=10))
