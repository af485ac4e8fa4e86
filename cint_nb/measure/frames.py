"""Frames of any library, in and out: narwhals reads them, and results go back to the library they came from.

Columns get the types that all engines treat alike: whole numbers or floats, and text; nulls, never NaN.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import narwhals as nw

from cint_nb.domain.errors import InputError
from cint_nb.domain.ids import masked_text

Values = dict[str, list[Any]]
"""A table in memory: each column as a list, None for null."""

_FETCHED_AS_PANDAS = frozenset(
    {
        nw.Implementation.DUCKDB,
        nw.Implementation.IBIS,
        nw.Implementation.PYSPARK,
        nw.Implementation.PYSPARK_CONNECT,
        nw.Implementation.SQLFRAME,
        nw.Implementation.DASK,
    }
)


@dataclass(frozen=True)
class Origin:
    """The library a frame came from.

    Args:
        library: Whose frames results are.
        lazy: Whether the frame was a query rather than data.
        wrapped: Whether it was a frame of narwhals, so that results are as well.
    """

    library: nw.Implementation
    lazy: bool
    wrapped: bool

    def table(self, values: Values, kinds: Mapping[str, type]) -> Any:
        """Return a table in memory as a frame of the library; of pandas where the library only runs queries.

        Args:
            values: The columns.
            kinds: `int`, `float` or `str` for each column whose type its values might not show.
        """
        library: Any = nw.Implementation.PANDAS if self.library in _FETCHED_AS_PANDAS else self.library
        schema = {
            name: _dtype(kinds.get(name), column, nullable=not library.is_pandas_like())
            for name, column in values.items()
        }
        found = nw.from_dict(values, schema, backend=library)
        # pandas 2 makes the word None of a text that is missing.
        spoilt = [name for name, column in values.items() if found[name].null_count() < column.count(None)]
        return self._hand_over(
            found.with_columns(*(nw.new_series(name, values[name], backend=library) for name in spoilt))
        )

    def hand_over(self, data: nw.LazyFrame[Any]) -> Any:
        """Return a result as a query where a query was given, else as data."""
        if self.lazy:
            return data if self.wrapped else data.to_native()
        return self._hand_over(nw.maybe_reset_index(_run(data)))

    def _hand_over(self, data: nw.DataFrame[Any]) -> Any:
        if self.library.is_pyarrow() and not data.implementation.is_pyarrow():
            data = nw.from_native(data.to_arrow().replace_schema_metadata(None), eager_only=True)
        return data if self.wrapped else data.to_native()


def _dtype(kind: type | None, column: Sequence[Any], *, nullable: bool) -> Any:
    known = [value for value in column if value is not None]
    if kind is None:
        found = {type(value) for value in known}
        kind = next((each for each in (bool, int, str) if found <= {each}), float if found <= {int, float} else str)
    if kind is int and not nullable and len(known) < len(column):
        kind = float  # the whole numbers of pandas know no null
    return {bool: nw.Boolean, int: nw.Int64, float: nw.Float64}.get(kind, nw.String)()


def open_frame(frame: Any, name: str = "frame") -> tuple[nw.LazyFrame[Any], Origin]:
    """Return a frame as a query of narwhals, and where it came from.

    Raises:
        InputError: narwhals cannot read it.
    """
    try:
        given = nw.from_native(frame)
        implementation = given.implementation
        wrapped = isinstance(frame, nw.DataFrame | nw.LazyFrame)
        if isinstance(given, nw.LazyFrame):
            return given, Origin(implementation, lazy=True, wrapped=wrapped)
        if implementation.is_pyarrow():  # whose expressions know no running sums within groups
            given = nw.from_native(given.to_pandas(), eager_only=True)
        _ = given.columns
        return given.lazy(), Origin(implementation, lazy=False, wrapped=wrapped)
    except Exception as error:
        raise InputError(
            f"{name} is no frame that can be read.",
            evidence={"given": type(frame).__name__, "reason": type(error).__name__},
            next_step="pass a DataFrame of pandas or polars, a pyarrow table, a DuckDB relation, an Ibis table or a "
            "Spark DataFrame, with one name for each column.",
        ) from error


def fetch(data: nw.LazyFrame[Any]) -> Values:
    """Run a query and return its result; only for what is small, or what a model has to see whole.

    Raises:
        InputError: the engine cannot run it, because a column holds something else than it should.
    """
    found = _run(data)
    return {name: as_list(found[name]) for name in found.columns}


def distinct(data: nw.LazyFrame[Any], *names: str, at_most: int | None = None) -> Values:
    """Return the combinations of values that occur, by grouping, which engines do faster than they drop repeats."""
    grouped = data.group_by(*names).agg(nw.len().alias("rows of it")).select(*names)
    return fetch(grouped if at_most is None else grouped.head(at_most))


def _run(data: nw.LazyFrame[Any]) -> nw.DataFrame[Any]:
    try:
        return data.collect(backend="pandas") if data.implementation in _FETCHED_AS_PANDAS else data.collect()
    except Exception as error:
        if "OutOfMemory" in type(error).__name__:
            raise InputError(
                "The memory that the engine may use is not enough for this frame.",
                evidence={"engine": data.implementation.value},
                next_step="let the engine use more, or ask for fewer waves at once. Of a history: "
                "cint.History.open(folder, engine=duckdb.connect()), which may use most of the memory.",
            ) from error
        raise InputError(
            "The frame cannot be read: a column holds something else than it should.",
            evidence={"engine": data.implementation.value, "reason": type(error).__name__},
            next_step="check the types of the columns: whole numbers for wave, times and cost; text for reason, "
            "closed_by and supplier.",
        ) from error


def as_list(column: nw.Series[Any]) -> list[Any]:
    """Return the values of a column, None for null and NaN."""
    missing = column.is_null()
    if column.dtype.is_float():
        missing = missing | column.is_nan().fill_null(value=True)
    return [None if gap else value for value, gap in zip(column.to_list(), missing.to_list(), strict=True)]


def require_columns(schema: Mapping[str, Any], names: Iterable[str], frame: str = "frame") -> None:
    """Refuse a frame in which a column is missing."""
    missing = [name for name in names if name not in schema]
    if missing:
        raise InputError(
            f"{frame} has no column {masked_text(missing[0], 60)}.",
            evidence={"columns": masked_text(", ".join(map(str, list(schema)[:20])), 400)},
            next_step="add the column, or rename the one that holds it.",
        )


def column_as(
    data: nw.LazyFrame[Any], schema: Mapping[str, Any], name: str, kind: Literal["number", "text"]
) -> nw.Expr:
    """Return a column as numbers or as text; a column that is missing, or holds only nulls of another type, is null.

    Raises:
        InputError: it holds something else.
    """
    wanted = nw.Float64() if kind == "number" else nw.String()
    nothing = nw.lit(None, dtype=wanted)
    dtype = schema.get(name)
    if dtype is None:
        return nothing
    column = nw.col(name)
    if kind == "text" and dtype in (nw.String, nw.Categorical, nw.Enum):
        return column if dtype == nw.String else column.cast(nw.String())
    if kind == "number" and dtype.is_integer():
        return column if dtype == nw.Int64 else column.cast(nw.Int64())
    if kind == "number" and (dtype.is_float() or dtype.is_decimal()):
        return without_nan(column.cast(nw.Float64()))
    if not fetch(data.select(column.count().alias("known")))["known"][0]:
        return nothing
    raise InputError(
        f"The column {name} holds {dtype}, not {'whole numbers' if kind == 'number' else 'text'}.",
        evidence={"column": name},
        next_step="give times as milliseconds since 1970-01-01 in UTC." if kind == "number" else "give it as text.",
    )


def without_nan(column: nw.Expr) -> nw.Expr:
    """Return a column of floats in which NaN is null."""
    return nw.when(~column.is_nan()).then(column)


def cases(places: Mapping[Any, int], column: nw.Expr, *, null: int, other: int) -> nw.Expr:
    """Return the place of each value of a column, as a number.

    A chain of conditions, since engines disagree about everything shorter; nulls are asked for first, because most
    people of a list never came.
    """
    found: nw.Expr = nw.lit(other)
    for value, place in reversed([(value, place) for value, place in places.items() if value is not None]):
        found = nw.when(column == value).then(nw.lit(place)).otherwise(found)
    return nw.when(column.is_null()).then(nw.lit(null)).otherwise(found)


def flag(condition: nw.Expr) -> nw.Expr:
    """Return 1 where a condition holds, else 0, also where it is null."""
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0))
