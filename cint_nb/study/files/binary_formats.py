"""Parquet, SPSS and Stata files and DataFrames: sources that know their columns, through optional libraries."""

from __future__ import annotations

import importlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

from cint_nb.domain import limits
from cint_nb.domain.errors import RespondentFileError
from cint_nb.install_commands import command_for
from cint_nb.study.files.file_format import OpenSource, SourceFormat, source_error
from cint_nb.study.files.id_column import ColumnSample
from cint_nb.study.files.verdicts import cell_text, normalise_line

SAMPLE_ROWS = 2_000
_BATCH = 65_536


@dataclass(frozen=True, slots=True)
class TableColumns:
    """Samples of the columns of a file, and a function that iterates over the values of one (by position from 0)."""

    cells: list[ColumnSample]
    values: Callable[[int], Iterator[Any]]


def import_optional(module: str, file: OpenSource, package: str | None = None) -> ModuleType:
    """Import a library that is installed with the extra `files`.

    Args:
        module: The module.
        file: What it reads, for the message.
        package: Its name where it is installed from; that of the module if omitted.

    Raises:
        RespondentFileError: with the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise source_error(
            file.name,
            f"Reading .{file.kind} needs {package or module.partition('.')[0]}, which is not installed.",
            f"{command_for('files')}, or save the file as .csv.",
        ) from None


def damaged_file_error(file: OpenSource, error: BaseException) -> RespondentFileError:
    """Create the error for a file that its reader cannot read."""
    return source_error(
        file.name,
        f"The .{file.kind} file cannot be read.",
        "open it in the program that created it and save it again, or save it as .csv.",
        cause=type(error).__name__,
    )


@contextmanager
def open_parquet(file: OpenSource) -> Iterator[TableColumns]:
    """Open a Parquet file and sample its columns.

    Raises:
        RespondentFileError: if pyarrow is missing, the file is damaged, or has too many rows or bytes.
    """
    parquet = import_optional("pyarrow.parquet", file)
    try:
        table = parquet.ParquetFile(file.stream)
        data, names = table.metadata, [field.name for field in table.schema_arrow]
        unpacked = sum(data.row_group(group).total_byte_size for group in range(data.num_row_groups))
    except Exception as error:  # noqa: BLE001 - pyarrow raises whatever its parsers raise
        raise damaged_file_error(file, error) from None
    if data.num_rows > limits.SOURCE_MAX_LINES or unpacked > limits.SOURCE_MAX_BYTES:
        raise source_error(
            file.name,
            f"The file has {data.num_rows:,} rows and expands to {unpacked:,} bytes; that is too much.",
            "keep the ID column and the rows of one wave.",
            rows=data.num_rows,
        )

    def values(place: int) -> Iterator[Any]:
        try:
            for batch in table.iter_batches(batch_size=_BATCH, columns=[names[place]]):
                yield from batch.column(names[:place].count(names[place])).to_pylist()
        except Exception as error:  # noqa: BLE001 - a damaged page is found while it is read
            raise damaged_file_error(file, error) from None

    try:
        yield sampled_columns(names, values)
    finally:
        table.close()


def sampled_columns(names: Sequence[str | None], values: Callable[[int], Iterator[Any]]) -> TableColumns:
    """Sample columns: of each the first values that are filled, however far down the first one is.

    Args:
        names: Their names.
        values: Returns an iterator over the values of one, by position from 0.
    """

    def texts(place: int) -> Iterator[Any]:
        return uuids_as_text(values(place))

    cells = []
    for place, name in enumerate(names):
        rest = map(cell_text, texts(place))
        sample = list(filter(normalise_line, islice(rest, SAMPLE_ROWS)))
        cells.append(ColumnSample(place + 1, name, sample or list(islice(filter(normalise_line, rest), SAMPLE_ROWS))))
    return TableColumns(cells, texts)


def uuids_as_text(values: Iterator[Any]) -> Iterator[Any]:
    """Return values unchanged, but UUIDs that are stored as 16 bytes as text.

    Whether bytes are UUIDs, the first of a column show: all have 16 bytes, and one at least is no text in UTF-8.
    """
    head = list(islice(values, SAMPLE_ROWS))
    raw = [bytes(value) for value in head if isinstance(value, bytes | bytearray | memoryview)]
    if raw and all(len(value) == 16 for value in raw) and not all(map(_is_text, raw)):
        return map(_uuid_as_text, chain(head, values))
    return chain(head, values)


def _is_text(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _uuid_as_text(value: Any) -> Any:
    is_uuid = isinstance(value, bytes | bytearray | memoryview) and len(value) == 16
    return str(UUID(bytes=bytes(value))) if is_uuid else value


def frame_columns(frame: Any) -> TableColumns:
    """Return the columns of a pandas DataFrame, and behind them the levels of its index that may hold ids."""
    levels = [
        frame.index.get_level_values(level)
        for level in range(frame.index.nlevels)
        if frame.index.names[level] is not None
        or frame.index.get_level_values(level).dtype == object
        or str(frame.index.get_level_values(level).dtype).startswith("str")
    ]
    names = [*map(str, frame.columns), *("index" if level.name is None else str(level.name) for level in levels)]
    width = len(frame.columns)

    def values(place: int) -> Iterator[Any]:
        return iter_series(frame.iloc[:, place] if place < width else levels[place - width])

    table = sampled_columns(names, values)
    cells = [replace(each, position=0) if each.position > width else each for each in table.cells]
    return TableColumns(cells, table.values)


def library_of(value: Any) -> str:
    """Return the library of a table or column, also where its class is a subclass of the library's, as ours are."""
    libraries = [each.__module__.partition(".")[0] for each in type(value).__mro__]
    return next((each for each in libraries if each in ("pandas", "polars", "pyarrow", "narwhals")), libraries[0])


def type_name(value: Any) -> str:
    """Return the name of a value's class, of a subclass the name that its library has for it."""
    library = library_of(value)
    return next(each.__name__ for each in type(value).__mro__ if each.__module__.partition(".")[0] == library)


def unwrap_frame(source: Any) -> Any:
    """Return the table in memory that a lazy or wrapped one stands for; anything else unchanged."""
    library = library_of(source)
    if library == "narwhals":
        return unwrap_frame(source.to_native())
    if library == "polars" and hasattr(source, "collect"):
        return source.collect()
    if not hasattr(source, "__arrow_c_stream__") or library in ("pandas", "polars") or hasattr(source, "column_names"):
        return source
    try:  # a result of a database, or batches that are read one after the other
        import pyarrow

        return pyarrow.RecordBatchReader.from_stream(source).read_all()
    except Exception:  # noqa: BLE001 - one column is no table, and whoever offers a stream may raise anything
        return source


def columns_of(source: Any) -> TableColumns | None:
    """Return the columns of a table of pandas, polars or pyarrow, or of a list of mappings; None for anything else."""
    if library_of(source) == "pandas":
        return frame_columns(source) if hasattr(source, "columns") else None
    if hasattr(source, "get_columns") and hasattr(source, "columns"):  # polars
        names, get = list(source.columns), lambda place: iter(source.to_series(place).to_list())
    elif hasattr(source, "column_names") and hasattr(source, "column"):  # pyarrow
        names, get = list(source.column_names), lambda place: iter(source.column(place).to_pylist())
    elif isinstance(source, list | tuple) and source and all(isinstance(row, Mapping) for row in source):
        keys = list(dict.fromkeys(key for row in source for key in row))
        names, get = list(map(str, keys)), lambda place: (row.get(keys[place]) for row in source)
    else:
        return None
    return sampled_columns(names, get)


def iter_series(series: Any) -> Iterator[Any]:
    """Iterate over the values of a pandas Series or Index, some at a time."""
    return (value for start in range(0, len(series), _BATCH) for value in series[start : start + _BATCH].tolist())


@contextmanager
def open_statistics(file: OpenSource) -> Iterator[TableColumns]:
    """Open a file of SPSS or Stata and sample its variables.

    Raises:
        RespondentFileError: if pyreadstat is missing or the file is damaged.
    """
    pyreadstat = import_optional("pyreadstat", file)
    read = pyreadstat.read_dta if file.kind is SourceFormat.STATA else pyreadstat.read_sav
    with tempfile.TemporaryDirectory(prefix="cint-nb-") as folder:
        path = Path(folder) / f"respondents.{file.kind}"  # the library reads paths only
        with path.open("wb") as copy:
            shutil.copyfileobj(file.stream, copy)

        def load(rows: int, names: list[str] | None = None) -> tuple[Any, Any]:
            options = {"row_limit": rows, "usecols": names, "disable_datetime_conversion": True}
            try:
                try:
                    found = read(str(path), **options)
                except Exception:  # noqa: BLE001 - pyreadstat raises whatever its library reports
                    # Texts in another code page than the file says: every byte is one in latin1, and ids are ASCII.
                    found = read(str(path), **options, encoding="latin1")
            except Exception as error:  # noqa: BLE001
                raise damaged_file_error(file, error) from None
            return found[0], found[1]

        frame, meta = load(SAMPLE_ROWS)
        names = list(meta.column_names)

        def rest(place: int) -> Iterator[Any]:
            if len(frame) == SAMPLE_ROWS:
                yield from load(limits.SOURCE_MAX_LINES + 1, [names[place]])[0].iloc[SAMPLE_ROWS:, 0].tolist()

        yield sampled_columns(names, lambda place: chain(frame.iloc[:, place].tolist(), rest(place)))
