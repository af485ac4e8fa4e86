"""Workbooks, Parquet and SPSS files, through optional libraries."""

from __future__ import annotations

import importlib
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

from cint_nb.domain import limits
from cint_nb.domain.ids import masked_repr
from cint_nb.study.files.file_format import OpenSource, source_error
from cint_nb.study.files.id_column import ColumnSample
from cint_nb.study.files.verdicts import cell_text, contains_id, normalise_line

SAMPLE_ROWS = 2_000
_BATCH = 65_536
_FREE_BYTES = 10_000_000  # small workbooks of empty cells shrink to almost nothing


@dataclass(frozen=True, slots=True)
class TableColumns:
    """Samples of the columns of a file, and a function that iterates over the values of one (by position from 0)."""

    cells: list[ColumnSample]
    values: Callable[[int], Iterator[Any]]


def _import_optional(module: str, file: OpenSource) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise source_error(
            file.name,
            f"Reading .{file.kind} needs {module.partition('.')[0]}, which is not installed.",
            'pip install "cint_nb[files]", or save the file as .csv.',
        ) from None


def _damaged_file_error(file: OpenSource, error: Exception) -> Exception:
    return source_error(
        file.name,
        f"The .{file.kind} file cannot be read.",
        "open it in the program that created it and save it again, or save it as .csv.",
        cause=type(error).__name__,
    )


@contextmanager
def open_sheet(file: OpenSource, sheet: str | int | None) -> Iterator[tuple[str, Iterator[tuple[int, list[Any]]]]]:
    """Open one sheet of a workbook and yield its name and its rows, numbered from 1.

    Values are the stored ones: no formula is computed, no link to another file is followed.

    Args:
        file: The workbook.
        sheet: A name, or a position from 1; None chooses the only sheet that contains ids.

    Raises:
        RespondentFileError: if it is damaged, expands to too much, or the sheet is ambiguous.
    """
    # Not python-calamine, although it is ten times as fast: it allocates the whole rectangle between the first and the
    # last filled cell, which ends the process at two cells that lie far apart, reads error cells as empty, and knows
    # no hidden rows or columns, which the parser of openpyxl keeps in `row_dimensions` and `column_dimensions`.
    openpyxl = _import_optional("openpyxl", file)
    _check_parts(file)
    try:
        book = openpyxl.load_workbook(file.stream, read_only=True, data_only=True, keep_links=False)
    except Exception as error:  # noqa: BLE001 - openpyxl raises whatever its parsers raise
        raise _damaged_file_error(file, error) from None
    try:
        chosen = _choose_sheet(book, sheet, file)
        yield chosen.title, _filled_rows(chosen, file)
    finally:
        book.close()


def _check_parts(file: OpenSource) -> None:
    """Reject a package that is not a workbook or would exhaust the memory."""
    try:
        with zipfile.ZipFile(file.stream) as package:
            names = package.namelist()
            unpacked = sum(part.file_size for part in package.infolist())
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
        raise _damaged_file_error(file, error) from None
    file.stream.seek(0)
    if not any(name.startswith("xl/") for name in names):
        raise source_error(file.name, "This is a ZIP archive, not a workbook.", "unzip it and pass the file inside.")
    if unpacked > limits.WORKBOOK_MAX_BYTES or unpacked > _FREE_BYTES + limits.UNPACK_MAX_RATIO * file.size:
        raise source_error(
            file.name,
            f"The workbook expands to {unpacked:,} bytes, far more than a list of IDs needs.",
            "save the ID column as .csv.",
            unpacked_bytes=unpacked,
        )


def _choose_sheet(book: Any, sheet: str | int | None, file: OpenSource) -> Any:
    sheets = list(book.worksheets)
    titles = ", ".join(repr(each.title) for each in sheets[:12])
    if isinstance(sheet, int) and not isinstance(sheet, bool) and 1 <= sheet <= len(sheets):
        return sheets[sheet - 1]
    if isinstance(sheet, str):
        found = [each for each in sheets if each.title.casefold() == sheet.strip().casefold()]
        if found:
            return found[0]
    if sheet is not None:
        raise source_error(
            file.name, f"There is no sheet {masked_repr(sheet, 40)}. The sheets are {titles}.", "use one of these."
        )
    if len(sheets) == 1:
        return sheets[0]
    found = [each for each in sheets if _contains_id(each, file)]
    if len(found) == 1:
        return found[0]
    what = "Several sheets contain IDs" if found else "No sheet contains respondent IDs"
    raise source_error(file.name, f"{what}. The sheets are {titles}.", "choose one: sheet='…'.", sheets=len(sheets))


def _contains_id(sheet: Any, file: OpenSource) -> bool:
    rows = _filled_rows(sheet, file)
    return any(
        contains_id(cell_text(value)) for (_, row), _ in zip(rows, range(SAMPLE_ROWS), strict=False) for value in row
    )


def _filled_rows(sheet: Any, file: OpenSource) -> Iterator[tuple[int, list[Any]]]:
    """Iterate over the rows up to the last one that contains anything."""
    sheet.reset_dimensions()  # a workbook may claim any size
    pending = 0  # blank rows are yielded only when a filled one follows: a formatted sheet may end in a million of them
    number = 0
    try:
        for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
            values = list(row)
            if not any(value is not None and normalise_line(cell_text(value)) for value in values):
                pending += 1
                continue
            for empty in range(number - pending, number):
                yield empty, []
            pending = 0
            yield number, values
    except Exception as error:  # noqa: BLE001 - a damaged sheet is found while it is read
        raise _damaged_file_error(file, error) from None


@contextmanager
def open_parquet(file: OpenSource) -> Iterator[TableColumns]:
    """Open a Parquet file and sample its columns.

    Raises:
        RespondentFileError: if pyarrow is missing, the file is damaged, or has too many rows or bytes.
    """
    parquet = _import_optional("pyarrow.parquet", file)
    try:
        table = parquet.ParquetFile(file.stream)
        data, names = table.metadata, [field.name for field in table.schema_arrow]
        unpacked = sum(data.row_group(group).total_byte_size for group in range(data.num_row_groups))
    except Exception as error:  # noqa: BLE001 - pyarrow raises whatever its parsers raise
        raise _damaged_file_error(file, error) from None
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
            raise _damaged_file_error(file, error) from None

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


def iter_series(series: Any) -> Iterator[Any]:
    """Iterate over the values of a pandas Series or Index, some at a time."""
    return (value for start in range(0, len(series), _BATCH) for value in series[start : start + _BATCH].tolist())


@contextmanager
def open_spss(file: OpenSource) -> Iterator[TableColumns]:
    """Open an SPSS file and sample its variables.

    Raises:
        RespondentFileError: if pyreadstat is missing or the file is damaged.
    """
    pyreadstat = _import_optional("pyreadstat", file)
    with tempfile.TemporaryDirectory(prefix="cint-nb-") as folder:
        path = Path(folder) / "respondents.sav"  # the library reads paths only
        with path.open("wb") as copy:
            shutil.copyfileobj(file.stream, copy)

        def load(rows: int, names: list[str] | None = None) -> tuple[Any, Any]:
            try:
                found = pyreadstat.read_sav(str(path), row_limit=rows, usecols=names, disable_datetime_conversion=True)
            except Exception as error:  # noqa: BLE001 - pyreadstat raises whatever its library reports
                raise _damaged_file_error(file, error) from None
            return found[0], found[1]

        frame, meta = load(SAMPLE_ROWS)
        names = list(meta.column_names)

        def rest(place: int) -> Iterator[Any]:
            if len(frame) == SAMPLE_ROWS:
                yield from load(limits.SOURCE_MAX_LINES + 1, [names[place]])[0].iloc[SAMPLE_ROWS:, 0].tolist()

        yield sampled_columns(names, lambda place: chain(frame.iloc[:, place].tolist(), rest(place)))
