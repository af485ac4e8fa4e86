"""Readers for every kind of source: text, table, workbook, DataFrame, list."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from cint_nb.domain.ids import EntityType, mask_ids_in
from cint_nb.study.files import binary_formats
from cint_nb.study.files.file_format import OpenSource, SourceFormat, open_source, source_error
from cint_nb.study.files.id_column import (
    ColumnSample,
    choose_id_column,
    clean_name,
    is_header,
    is_header_row,
    separator_hint,
)
from cint_nb.study.files.line_index import LineIndex
from cint_nb.study.files.line_scanner import LineScanner
from cint_nb.study.files.text_files import Layout, TextSource, detect_layout, iter_table_rows, reject_binary
from cint_nb.study.files.verdicts import cell_text, normalise_line

_SAMPLE_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """Where ids come from, as far as known.

    Args:
        name: File name, or a word for an in-memory value; None for bytes without a name.
        kind: `text`, `xlsx`, `parquet`, `sav`, `frame` or `list`.
        encoding: Of a text; None otherwise.
        size: Bytes read; None for in-memory values.
        layout: `one value a line`, `one line of values` or `table`.
        column: Name of the column or of the header row; None if there is none.
        position: Position of the column, from 1; None if there are no columns.
        sheet: Name of the sheet of a workbook; None otherwise.
    """

    name: str | None = None
    kind: str = "list"
    encoding: str | None = None
    size: int | None = None
    layout: str = Layout.LINES.value
    column: str | None = None
    position: int | None = None
    sheet: str | None = None

    def __post_init__(self) -> None:
        for field in ("name", "column", "sheet"):  # in a file without a header ids stand where names should be
            if (text := getattr(self, field)) is not None:
                object.__setattr__(self, field, mask_ids_in(text))


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the analyst requested: what the ids identify, which column, which sheet, a name for the source."""

    entity_type: EntityType
    column: str | int | None = None
    sheet: str | int | None = None
    name: str | None = None


def read_source(source: Any, options: ReadOptions) -> tuple[LineIndex, SourceInfo]:
    """Read any supported source; see `respondents.read_respondents`."""
    if isinstance(source, str | Path | bytes | bytearray | memoryview) or hasattr(source, "read"):
        return _read_file(source, options)
    if type(source).__module__.partition(".")[0] == "pandas":
        return _read_pandas(source, options)
    if isinstance(source, Iterable) and not isinstance(source, Mapping):
        return _read_list(source, options)
    raise source_error(
        options.name,
        f"A {type(source).__name__} cannot be read as respondents.",
        "pass a path, bytes, an open file, a DataFrame, a Series or a list of IDs.",
    )


def _read_file(
    source: str | Path | bytes | bytearray | memoryview | IO[Any], options: ReadOptions
) -> tuple[LineIndex, SourceInfo]:
    with open_source(source, options.name) as file:
        if file.kind is SourceFormat.TEXT:
            return _read_text(file, options)
        return _read_binary(file, options)


def _read_text(file: OpenSource, options: ReadOptions) -> tuple[LineIndex, SourceInfo]:
    text = TextSource(file.stream, file.name)
    found = detect_layout(text.head, complete=text.complete, column=options.column)
    if found.layout is Layout.TABLE:
        rows = iter_table_rows(text, found.delimiter)
        reading, cells = _read_rows(rows, options, file.name)
        cp1252 = text.saw_cp1252
    else:
        scanner = LineScanner(file.name)
        for block in text.blocks(found.delimiter, mixed_ends=False):
            reject_binary(file.name, block, scanner.lines)
            scanner.feed(block)
        reading = scanner.finish(is_header=is_header)
        cp1252 = scanner.saw_cp1252
        cells = _check_single_column(reading, options, file.name)
    return reading, SourceInfo(
        name=file.name,
        kind=file.kind,
        encoding="cp1252" if cp1252 and text.encoding == "utf-8" else text.encoding,
        size=file.size,
        layout=found.layout,
        column=cells.name,
        position=cells.position,
    )


def _check_single_column(reading: LineIndex, options: ReadOptions, name: str | None) -> ColumnSample:
    """Return the only column of a text; raise if another one was requested."""
    header = _header_name(reading)
    cells = ColumnSample(1, header, ())
    if options.column is not None:
        choose_id_column(
            [cells], options.column, source=name, entity_type=options.entity_type, has_header=header is not None
        )
    return cells


def _header_name(reading: LineIndex) -> str | None:
    return None if reading.header_text is None else clean_name(reading.header_text) or None


def _read_rows(
    rows: Iterator[tuple[int, list[Any]]], options: ReadOptions, name: str | None
) -> tuple[LineIndex, ColumnSample]:
    """Read one column of a table given as rows with line numbers."""
    head = list(islice(rows, _SAMPLE_ROWS))
    texts = [[cell_text(value) for value in row] for _, row in head]
    filled = [place for place, row in enumerate(texts) if any(map(normalise_line, row))]
    hint = filled[:1] if filled and separator_hint("".join(texts[filled[0]]) + ";") else []
    first = filled[len(hint)] if len(filled) > len(hint) else len(texts)
    names = [clean_name(value) for value in texts[first]] if first < len(texts) else []
    has_header = bool(names) and (is_header_row(texts[first]) or options.column in names)
    body = texts[first + 1 :] if has_header else texts[first:]
    columns = [
        ColumnSample(
            place + 1,
            (names[place] or None) if has_header and place < len(names) else None,
            [row[place] for row in body if place < len(row)],
        )
        for place in range(max(map(len, texts), default=0))
    ]
    chosen = choose_id_column(
        columns, options.column, source=name, entity_type=options.entity_type, has_header=has_header
    )
    headers = {*hint, first} if has_header else set(hint)
    place, numbers, scanner = chosen.position - 1, array("q"), LineScanner(name)

    def values(part: Iterable[tuple[int, list[Any]]]) -> Iterator[str]:
        for number, row in part:
            numbers.append(number)
            yield cell_text(row[place]) if place < len(row) else ""

    begin = 0
    for header in sorted(headers):
        scanner.scan_values(values(head[begin:header]))
        scanner.mark_header()
        numbers.append(head[header][0])
        begin = header + 1
    scanner.scan_values(values(chain(head[begin:], rows)))
    dense = not numbers or numbers[-1] == len(numbers)
    return scanner.finish(numbers=None if dense else numbers), chosen


def _read_pandas(source: Any, options: ReadOptions) -> tuple[LineIndex, SourceInfo]:
    name = options.name or type(source).__name__
    if type(source).__name__ == "DataFrame":
        columns = [
            ColumnSample(
                place + 1,
                str(label),
                [cell_text(v) for v in source.iloc[:, place].dropna().head(_SAMPLE_ROWS).tolist()],
            )
            for place, label in enumerate(source.columns)
        ]
        column = options.column
        labels = [
            place for place, label in enumerate(source.columns) if type(label) is type(column) and label == column
        ]
        asked = labels[0] + 1 if len(labels) == 1 else column
        chosen = choose_id_column(columns, asked, source=name, entity_type=options.entity_type, has_header=True)
        series = source.iloc[:, chosen.position - 1]
    elif source.ndim == 1:
        series = source
        chosen = ColumnSample(1, None if source.name is None else str(source.name), ())
    else:
        raise source_error(
            name, f"A {type(source).__name__} cannot be read as respondents.", "pass a DataFrame or a Series."
        )
    scanner = LineScanner(name)
    parts = (series[start : start + 65_536].tolist() for start in range(0, len(series), 65_536))
    scanner.scan_values(cell_text(value) for part in parts for value in part)
    layout = Layout.TABLE if source.ndim == 2 else Layout.LINES
    return scanner.finish(), SourceInfo(name, "frame", layout=layout, column=chosen.name, position=chosen.position)


def _read_list(source: Iterable[Any], options: ReadOptions) -> tuple[LineIndex, SourceInfo]:
    if isinstance(source, set | frozenset):
        source = sorted(map(cell_text, source))  # a set has no order of its own
    name = options.name or "list"
    scanner = LineScanner(name)
    scanner.scan_values(map(cell_text, source))
    reading = scanner.finish(is_header=is_header)
    return reading, SourceInfo(name, "list", column=_header_name(reading))


def _read_binary(file: OpenSource, options: ReadOptions) -> tuple[LineIndex, SourceInfo]:
    if file.kind is SourceFormat.WORKBOOK:
        with binary_formats.open_sheet(file, options.sheet) as (sheet, rows):
            reading, cells = _read_rows(rows, options, file.name)
        return reading, _table_info(file, cells, sheet)
    with (binary_formats.open_parquet if file.kind is SourceFormat.PARQUET else binary_formats.open_spss)(
        file
    ) as columns:
        cells = choose_id_column(
            columns.cells, options.column, source=file.name, entity_type=options.entity_type, has_header=True
        )
        scanner = LineScanner(file.name)
        scanner.scan_values(map(cell_text, columns.values(cells.position - 1)))
    return scanner.finish(), _table_info(file, cells)


def _table_info(file: OpenSource, cells: ColumnSample, sheet: str | None = None) -> SourceInfo:
    return SourceInfo(
        name=file.name,
        kind=file.kind,
        size=file.size,
        layout=Layout.TABLE,
        column=cells.name,
        position=cells.position,
        sheet=sheet,
    )
