"""Panels made for tests, in frames of every library, and results as plain rows whatever they came in."""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa

from cint_nb.domain.errors import CintWarning

HOUR = 3_600_000
OPENED = 1_760_000_000_000
VISITS = (
    "completed", "reconciled", "quality", "screened", "over_quota", "closed", "priced_out", "dropped", "declined",
    "blocked", "duplicate", "failed",
)  # fmt: skip
OTHERS = ("not_known", "absent", "cut_off", "pending", "rejected", "erased", "not_asked")
CLOSINGS = ("end", "goal", "hand", "pause", "open", "not_known")

Rows = list[dict[str, Any]]


def _nullable(rows: Rows) -> pa.Table:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: [row.get(name) for row in rows] for name in names})


def in_polars(rows: Rows) -> pl.DataFrame:
    """Return a frame of the library that answers soonest, for tests that ask often."""
    return pl.DataFrame(pl.from_arrow(_nullable(rows)))


def in_duckdb(rows: Rows) -> Any:
    table = _nullable(rows)
    return duckdb.connect().from_arrow(table)


ENGINES: dict[str, Callable[[Rows], Any]] = {
    "pandas": lambda rows: pd.DataFrame(rows),
    "pandas with arrow": lambda rows: _nullable(rows).to_pandas(types_mapper=pd.ArrowDtype),
    "polars": in_polars,
    "polars, lazy": lambda rows: in_polars(rows).lazy(),
    "pyarrow": _nullable,
    "duckdb": in_duckdb,
}
if find_spec("ibis") is not None:  # tried where it is installed

    def _in_ibis(rows: Rows) -> Any:
        import ibis

        return ibis.memtable(_nullable(rows))

    ENGINES["ibis"] = _in_ibis
if find_spec("pyspark") is not None:

    def _in_spark(rows: Rows) -> Any:
        from pyspark.sql import SparkSession

        session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
        session.conf.set("spark.sql.shuffle.partitions", "2")
        return session.createDataFrame(_nullable(rows).to_pandas(types_mapper=pd.ArrowDtype))

    ENGINES["spark"] = _in_spark


def rows_of(result: Any) -> Rows:
    """Return a result as a list of dicts, None for null, and whole numbers as such."""
    # pandas is left alone: its columns are attributes too, such as the degrees of freedom `df`.
    for way in ("toPandas", "collect", "to_arrow", "to_pandas", "df"):
        if not isinstance(result, pd.DataFrame) and hasattr(result, way):
            result = getattr(result, way)()
    assert isinstance(result, pd.DataFrame), type(result)
    return [{str(name): _plain(value) for name, value in row.items()} for row in result.to_dict("records")]


def _plain(value: Any) -> Any:
    if value is None or value is pd.NA:
        return None
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return int(value) if value.is_integer() else value
    return value


def same(ours: Rows, theirs: Rows, tolerance: float = 1e-9) -> None:
    """Fail unless two results have the same rows in the same order."""
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert set(one) == set(other)
        for name, value in one.items():
            expected = other[name]
            if isinstance(value, int | float) and isinstance(expected, int | float):
                assert math.isclose(value, expected, rel_tol=tolerance, abs_tol=tolerance), (name, one, other)
            else:
                assert value == expected, (name, one, other)


@contextmanager
def warned() -> Iterator[list[str]]:
    """Collect the texts of our warnings."""
    texts: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield texts
    texts += [str(each.message) for each in caught if issubclass(each.category, CintWarning)]
    others = [each for each in caught if not issubclass(each.category, CintWarning)]
    assert [each for each in others if not {"ibis", "pyspark"} & set(Path(each.filename).parts)] == []  # of pandas 3


def quiet(call: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """Call without the warnings, which other tests are about."""
    with warned():
        return call(*arguments, **keywords)


def visit(person: Any, wave: int, reason: str | None, **more: Any) -> dict[str, Any]:
    """Return a row: a wave opens 30 days after the other, for a week, and a complete takes ten minutes."""
    opened = OPENED + (wave - 1) * 30 * 24 * HOUR
    row: dict[str, Any] = {
        "person": person,
        "wave": wave,
        "part": f"part {wave}",
        "reason": reason,
        "entered": None,
        "ended": None,
        "open_from": opened,
        "open_until": opened + 168 * HOUR,
        "closed_by": "end",
        "as_of": opened + 700 * HOUR,
        "supplier": None,
        "cost": None,
    }
    after = more.pop("after", None)
    if reason in VISITS and after is not None:
        row |= {"entered": opened + int(after * HOUR), "ended": opened + int(after * HOUR) + 600_000}
    return row | more


def panel(seed: int, people: int = 120, waves: int = 3, *, goal_in: int | None = None) -> tuple[Rows, Rows]:
    """Return visits and attributes of a panel whose members stay by age, gender and device.

    Args:
        seed: Of what is drawn.
        people: Asked in the first wave; 0.85 of them complete it.
        waves: How many.
        goal_in: A wave that stopped at its goal after 30 hours; people are otherwise those of the panel without it.
    """
    generator = random.Random(seed)  # noqa: S311 - a made-up panel, no secret
    attributes: Rows = [
        {
            "person": person,
            "age": generator.randint(18, 79),
            "gender": generator.choice(["f", "m"]),
            "device": generator.choice(["desktop", "phone", "tablet"]),
        }
        for person in range(1, people + 1)
    ]
    rows: Rows = []
    for known in attributes:
        for wave in range(1, waves + 1):
            score = (
                0.3 + 0.02 * (known["age"] - 45) + 0.5 * (known["gender"] == "f") - 0.6 * (known["device"] == "phone")
            )
            stays = 0.85 if wave == 1 else 1 / (1 + math.exp(-score))
            after = generator.expovariate(1 / 40)
            reason: str | None = None
            if generator.random() < stays and after < 168:
                reason = "completed"
            elif generator.random() < 0.3 and after < 168:
                reason = generator.choice(["screened", "dropped", "over_quota", "quality"])
            if reason is None:
                rows.append(visit(known["person"], wave, None))
                continue
            rows.append(
                visit(
                    known["person"], wave, reason, after=after, supplier=generator.choice(["s1", "s2", "s3"]),
                    cost=20_000 if reason == "completed" else 0,
                )
            )  # fmt: skip
            if generator.random() < 0.1:
                rows.append(visit(known["person"], wave, "dropped", after=after / 2, supplier="s9", cost=0))
    generator.shuffle(rows)
    return [_stopped(row, 30) if row["wave"] == goal_in else row for row in rows], attributes


def _stopped(row: dict[str, Any], hours: int) -> dict[str, Any]:
    """Return a row as it is if the wave stopped at its goal: who had not come by then is without a visit."""
    closed = row["open_from"] + hours * HOUR
    never_came = {"reason": None, "entered": None, "ended": None, "supplier": None, "cost": None}
    came = row["entered"] is not None and row["entered"] < closed
    return row | ({} if came else never_came) | {"open_until": closed, "closed_by": "goal"}


def shares(counts: Sequence[tuple[int, int]]) -> Rows:
    """Return closed waves, one for each pair of completes and people."""
    return [
        {"person": person, "wave": wave, "reason": "completed" if person < completed else "absent"}
        for wave, (completed, people) in enumerate(counts, start=1)
        for person in range(people)
    ]


def by_key(rows: Rows, *names: str) -> Mapping[Any, dict[str, Any]]:
    """Return rows by the values of some columns."""
    return {tuple(row[name] for name in names) if len(names) > 1 else row[names[0]]: row for row in rows}
