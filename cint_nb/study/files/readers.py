"""Readers for every kind of source: text, table, workbook, DataFrame, list."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Any

from cint_nb.domain.ids import EntityType, mask_ids_in, masked_repr, printable
from cint_nb.study.files import binary_formats
from cint_nb.study.files.binary_formats import SAMPLE_ROWS, TableColumns
from cint_nb.study.files.file_format import OpenSource, SourceFormat, read_file, source_error
from cint_nb.study.files.id_array import LINE_BYTES
from cint_nb.study.files.id_column import MIN_ID_SHARE, ColumnSample, choose_id_column, clean_name, count_header_lines
from cint_nb.study.files.line_index import LineIndex
from cint_nb.study.files.line_scanner import LineScanner
from cint_nb.study.files.table_shape import RowJudge, TableShape, find_shape, places_with_ids
from cint_nb.study.files.text_files import (
    Layout,
    TextLayout,
    TextSource,
    detect_layout,
    iter_table_rows,
    reject_binary,
    separator_around_ids,
)
from cint_nb.study.files.verdicts import JudgedLine, Verdict, cell_text, contains_id, normalise_line
from cint_nb.study.files.workbooks import Sheet, cell_text_of_workbook, read_sheet

_SPACES = "\\s+"
_CHUNK_ROWS = 1_000  # rows taken at once: enough that what is done once for all of them costs nothing

Rows = Iterator[tuple[int, Sequence[Any]]]


@printable
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
        separator: Of the values of a text; None otherwise.
        header_row: Line of the row with the names; None if it is the first line, or if there is none.
        notes: Sentences about what an analyst may not see in the source, such as hidden rows that were read.
        hidden_undecided: How many lines are hidden in the source without the analyst having said whether they count;
            they are left out, and nothing is uploaded until that is said.
    """

    name: str | None = None
    kind: str = "list"
    encoding: str | None = None
    size: int | None = None
    layout: str = Layout.LINES.value
    column: str | None = None
    position: int | None = None
    sheet: str | None = None
    separator: str | None = None
    header_row: int | None = None
    notes: tuple[str, ...] = ()
    hidden_undecided: int = 0

    def __post_init__(self) -> None:
        for field in ("name", "column", "sheet"):  # in a file without a header ids stand where names should be
            if (text := getattr(self, field)) is not None:
                object.__setattr__(self, field, mask_ids_in(text))


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the analyst requested: what the ids identify, which column, sheet and header row, a name for the source.

    `hidden` is `"skip"` or `"read"` for what is hidden in a workbook, None where the analyst did not say.
    """

    entity_type: EntityType
    column: str | int | None = None
    sheet: str | int | None = None
    name: str | None = None
    header_row: int | None = None
    hidden: str | None = None


def read_source(source: Any, options: ReadOptions) -> tuple[LineIndex, SourceInfo]:
    """Read any supported source; see `respondents.read_respondents`."""
    if isinstance(source, str | Path | bytes | bytearray | memoryview) or hasattr(source, "read"):
        return _read_file(source, options)
    if (uploaded := _uploaded_file(source, options)) is not None:
        name, content = uploaded
        return _read_file(content, replace(options, name=options.name or name))
    library = type(source).__module__.partition(".")[0]
    if library == "narwhals":
        return read_source(source.to_native(), options)
    if library == "polars" and hasattr(source, "collect"):
        return read_source(source.collect(), options)
    if library == "pandas":
        return _read_pandas(source, options)
    if (columns := binary_formats.columns_of(source)) is not None:
        name = options.name or type(source).__name__
        reading, cells = _read_columns(columns, name, options)
        return reading, SourceInfo(name, "frame", layout=Layout.TABLE, column=cells.name, position=cells.position)
    if isinstance(source, Iterable) and not isinstance(source, Mapping):
        return _read_list(source, options)
    raise source_error(
        options.name,
        f"A {type(source).__name__} cannot be read as respondents.",
        "pass a path, bytes, an open file, a DataFrame, a Series, a list of IDs or of rows, or a FileUpload.value.",
    )


def _read_file(
    source: str | Path | bytes | bytearray | memoryview | IO[Any], options: ReadOptions
) -> tuple[LineIndex, SourceInfo]:
    def read(file: OpenSource) -> tuple[LineIndex, SourceInfo]:
        return (_read_text if file.kind is SourceFormat.TEXT else _read_binary)(file, options)

    return read_file(source, read, options.name)


def _read_text(file: OpenSource, options: ReadOptions) -> tuple[LineIndex, SourceInfo]:
    text = TextSource(file.stream, file.name)
    found = detect_layout(text.head, complete=text.complete, column=options.column)
    info = SourceInfo(name=file.name, kind=file.kind, encoding=text.encoding, size=file.size, layout=found.layout)
    if found.layout is Layout.TABLE:
        table = open_text_table(file, text, found, options.header_row, options.column)
        reading, cells = table.read_ids(options)
        return reading, replace(
            info,
            encoding=_encoding(text.encoding, text.saw_cp1252),
            column=cells.name,
            position=cells.position,
            separator=found.delimiter,
            header_row=_later_row(table.shape.number),
            notes=table.notes(),
        )
    scanner = LineScanner(file.name, check=partial(reject_binary, file.name), expected=file.size // LINE_BYTES)
    for content, start, stop in text.spans(found.delimiter):
        scanner.feed(content, start, stop)
    reading = scanner.finish(count_header=count_header_lines, header_row=options.header_row)
    cells = _check_single_column(reading, options, file.name)
    if not len(reading.keys):
        _check_separator(text, file.name)
    return reading, replace(
        info,
        encoding=_encoding(text.encoding, scanner.saw_cp1252),
        column=cells.name,
        position=cells.position,
        header_row=_later_row(int(reading.header[-1]) + 1 if len(reading.header) else None),
    )


def open_text_table(
    file: OpenSource, text: TextSource, found: TextLayout, header_row: int | None, column: str | int | None = None
) -> TableReader:
    """Open a text that is a table.

    Args:
        file: The source.
        text: Its text, at the beginning.
        found: Its layout.
        header_row: Line of the row with the names, where the analyst gave it.
        column: The requested column.
    """
    texts = iter([text])

    def open_rows() -> Rows:
        current = next(texts, None)
        if current is None:  # a second time: from the beginning
            file.rewind()
            current = TextSource(file.stream, file.name)
        return iter_table_rows(current, found)

    return TableReader(file.name, open_rows, header_row, column, delimiter=found.delimiter)


def _encoding(of_text: str, saw_cp1252: bool) -> str:
    return "cp1252" if saw_cp1252 and of_text == "utf-8" else of_text


def _later_row(number: int | None) -> int | None:
    return None if number == 1 else number


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


def _check_separator(text: TextSource, name: str | None) -> None:
    """Raise if a text without any plain id has ids between signs that nothing here reads as a separator."""
    lines = text.head.decode("utf-8", "replace").splitlines()
    if sign := separator_around_ids(lines):
        raise source_error(
            name,
            f"The values seem to be separated by {'spaces' if sign == _SPACES else repr(sign)}.",
            f"read the file with pandas (read_csv with sep={sign!r} and engine='python') and pass the DataFrame.",
        )


class TableReader:
    """Reads one column, or all, of a table given as rows with line numbers.

    Args:
        name: Name of the source, for errors.
        open_rows: Returns the rows from the beginning, each time.
        header_row: Line of the row with the names, where the analyst gave it.
        column: The requested column.
        delimiter: The separator of a text; None for a workbook, whose cells are in their columns whatever the rest of
            the row has.
        as_text: Returns a cell as text.

    Attributes:
        shape: Where the header is, and how wide rows are.
        columns: Samples of the columns.
    """

    def __init__(
        self,
        name: str | None,
        open_rows: Callable[[], Rows],
        header_row: int | None,
        column: str | int | None = None,
        *,
        delimiter: str | None = None,
        as_text: Callable[[Any], str] = cell_text,
    ) -> None:
        self._name, self._open_rows, self._delimiter = name, open_rows, delimiter
        self.as_text = as_text
        self._hidden_rows: frozenset[int] | None = frozenset()
        self._left_out: frozenset[int] = frozenset()
        self._rows = open_rows()
        self._head = list(islice(self._rows, SAMPLE_ROWS))
        texts = [[*map(as_text, row)] for _, row in self._head]
        self.shape: TableShape = find_shape(
            texts, [number for number, _ in self._head], header_row=header_row, column=column, source=name
        )
        body = [row for place, row in enumerate(texts) if place >= self.shape.begin and place not in self.shape.header]
        usual = [row for row in body if len(row) == self.shape.width] if delimiter else []
        self._id_places = places_with_ids(usual, self.shape.width)
        self.columns = [
            ColumnSample(
                place + 1,
                (self.shape.names[place] or None) if place < len(self.shape.names) else None,
                [row[place] for row in usual or body if place < len(row)],
            )
            for place in range(max(map(len, [*(usual or body), self.shape.names]), default=0))
        ]
        self._known = {
            place: frozenset(filter(None, (normalise_line(text) for text in cells.values)))
            for place, cells in enumerate(self.columns)
            if self._id_places and place > max(self._id_places)
        }
        self._judge: RowJudge | None = None
        self._names = frozenset(filter(None, self.shape.names))

    @property
    def is_text(self) -> bool:
        """Whether the table is a text, whose rows may be wider or narrower than the header."""
        return self._delimiter is not None

    @property
    def has_header(self) -> bool:
        """Whether a row names the columns."""
        return bool(self.shape.names)

    def read_ids(self, options: ReadOptions) -> tuple[LineIndex, ColumnSample]:
        """Read the column of ids, one verdict for every row."""
        late = self._late_places() if options.column is None else []
        if late and not any(cells.share_of_ids >= MIN_ID_SHARE for cells in self.columns):
            self._look_further(late)
            late = []
        chosen = self.choose(options)
        place, numbers, scanner = chosen.position - 1, array("q"), LineScanner(self._name)
        found: dict[int, list[str]] = {each: [] for each in late if each != place}
        rows: Iterable[tuple[int, Sequence[Any]]] = self._rows
        if found:
            rows = _collect(rows, found)

        scanner.scan_values(self._values(self.judged_head({place}), place, numbers))
        while chunk := list(islice(rows, _CHUNK_ROWS)):
            if (texts := self._plain_texts(chunk, place)) is not None:
                numbers.extend([number for number, _ in chunk])
                scanner.scan_texts(texts)
            else:
                judged = ((number, self._judged(number, row, {place})) for number, row in chunk)
                scanner.scan_values(self._values(judged, place, numbers))
        if any(found.values()):  # a column that was empty at the beginning
            self._take_samples(found)
            self.choose(options)
        dense = not numbers or numbers[-1] == len(numbers)
        return scanner.finish(numbers=None if dense else numbers), chosen

    def _values(
        self, rows: Iterable[tuple[int, Sequence[Any] | JudgedLine]], place: int, numbers: array[int]
    ) -> Iterator[str | JudgedLine]:
        """Iterate over the values of one column, and note the line number of each."""
        for number, row in rows:
            numbers.append(number)
            yield row if isinstance(row, JudgedLine) else self.as_text(row[place]) if place < len(row) else ""

    def _plain_texts(self, chunk: Sequence[tuple[int, Sequence[Any]]], place: int) -> list[str] | None:
        """Return the values of one column if no row needs to be judged by itself, as nearly all need not."""
        width = self.shape.width if self._delimiter is not None else max(place + 1, self.shape.width)
        widths = {len(row) for _, row in chunk}
        if place >= self.shape.width or self._hidden_rows is None:
            return None
        if len(widths) != 1 or min(widths) < width or (self._delimiter is not None and max(widths) > width):
            return None
        if self._hidden_rows and not self._hidden_rows.isdisjoint([number for number, _ in chunk]):
            return None
        values = [row[place] for _, row in chunk]
        texts = [value if value.__class__ is str else self.as_text(value) for value in values]
        return texts if self._names.isdisjoint(texts) else None

    def judged_rows(self, needed: set[int]) -> Iterator[tuple[int, Sequence[Any] | JudgedLine]]:
        """Iterate once over all rows; a header, a hidden row, and one whose values are not in their columns, is judged.

        Args:
            needed: Positions of the columns that are read, from 0.
        """
        yield from self.judged_head(needed)
        for number, row in self._rows:
            yield number, self._judged(number, row, needed)

    def judged_head(self, needed: set[int]) -> Iterator[tuple[int, Sequence[Any] | JudgedLine]]:
        """Iterate over the rows of the sample; see `judged_rows`."""
        width = self.shape.width
        self._judge = RowJudge(width, self.has_header, self._id_places, frozenset(needed), self._known)
        for place, (number, row) in enumerate(self._head):
            if place in self.shape.header:
                yield number, JudgedLine(Verdict.HEADER)
            else:
                yield number, self._judged(number, row, needed)

    def _judged(self, number: int, row: Sequence[Any], needed: set[int]) -> Sequence[Any] | JudgedLine:
        is_hidden = self._hidden_rows is None or number in self._hidden_rows
        if is_hidden and _has_value(row, needed):
            return JudgedLine(Verdict.HIDDEN)
        values = (row[place] for place in needed if place < len(row))
        if any(isinstance(v, str) and v in self._names for v in values) and self._is_header_again(number, row):
            return JudgedLine(Verdict.HEADER)
        if self._delimiter is None or self._judge is None or len(row) == self.shape.width:
            return row
        reason = self._judge.malformed_reason(row)
        return row if reason is None else JudgedLine(Verdict.MALFORMED, self._delimiter.join(row), reason)

    def _is_header_again(self, number: int, row: Sequence[Any]) -> bool:
        """Return whether a row repeats the header, as where two exports were joined.

        Raises:
            RespondentFileError: if it has the names in another order, so that the ids below are in another column.
        """
        names = [clean_name(self.as_text(value)) for value in row][: self.shape.width]
        if names == list(self.shape.names):
            return True
        if len(self._names.intersection(names)) > 1 and not any(map(contains_id, names)):
            raise source_error(
                self._name,
                f"Line {number:,} is another header, with other columns or in another order.",
                "split the file there, read each part, and join them with respondents.union(…).",
                line=number,
            )
        return False

    def notes(self) -> tuple[str, ...]:
        """Return what is to be said about rows that were read although they are not as wide as the header."""
        if self._judge is None or not self._judge.forgiven:
            return ()
        rows = "1 row has" if self._judge.forgiven == 1 else f"{self._judge.forgiven:,} rows have"
        return (f"{rows} more or fewer values than the header; its IDs are in their column, the difference is behind.",)

    def hide(self, numbers: frozenset[int] | None) -> None:
        """Leave out the rows with these numbers; all rows if None."""
        self._hidden_rows = numbers

    def leave_out(self, places: Iterable[int]) -> None:
        """Take some columns, from 0, for none that could hold the ids."""
        self._left_out = frozenset(places)

    def choose(self, options: ReadOptions) -> ColumnSample:
        """Choose the column of ids; see `id_column.choose_id_column`."""
        return choose_id_column(
            [cells for place, cells in enumerate(self.columns) if place not in self._left_out],
            options.column,
            source=self._name,
            entity_type=options.entity_type,
            has_header=self.has_header,
        )

    def _late_places(self) -> list[int]:
        """Return the columns whose sample is empty although there may be more rows."""
        if len(self._head) < SAMPLE_ROWS:
            return []
        return [place for place, cells in enumerate(self.columns) if not any(map(normalise_line, cells.values))]

    def _look_further(self, places: list[int]) -> None:
        found: dict[int, list[str]] = {place: [] for place in places}
        for _ in _collect(self._open_rows(), found):
            if all(len(texts) >= SAMPLE_ROWS for texts in found.values()):
                break
        self._take_samples(found)
        self._rows = self._open_rows()
        self._head = list(islice(self._rows, SAMPLE_ROWS))

    def _take_samples(self, found: Mapping[int, list[str]]) -> None:
        self.columns = [
            replace(cells, values=found.get(place) or cells.values) for place, cells in enumerate(self.columns)
        ]
        self._id_places |= {
            place for place in found if self.columns[place].share_of_ids and self._delimiter is not None
        }


def _has_value(row: Sequence[Any], places: set[int]) -> bool:
    """Return whether a row has a value in one of the columns; a blank one is blank, hidden or not."""
    return any(place < len(row) and normalise_line(cell_text(row[place])) for place in places)


def _collect(rows: Rows | Iterable[tuple[int, Sequence[Any]]], found: dict[int, list[str]]) -> Rows:
    """Pass rows on and keep the first filled values of some columns."""
    for number, row in rows:
        for place, texts in found.items():
            if place < len(row) and row[place] and len(texts) < SAMPLE_ROWS and (text := cell_text(row[place])).strip():
                texts.append(text)
        yield number, row


def _read_columns(table: TableColumns, name: str | None, options: ReadOptions) -> tuple[LineIndex, ColumnSample]:
    """Read one column of a source that knows its columns and their names."""
    if options.header_row is not None:
        raise source_error(
            name,
            "The columns of this source have their names; header_row= is for texts and workbooks.",
            "leave header_row= out.",
        )
    chosen = choose_id_column(
        table.cells, options.column, source=name, entity_type=options.entity_type, has_header=True
    )
    place = next(place for place, cells in enumerate(table.cells) if cells is chosen)
    scanner = LineScanner(name)
    scanner.scan_values(map(cell_text, table.values(place)))
    return scanner.finish(), chosen


def _read_pandas(source: Any, options: ReadOptions) -> tuple[LineIndex, SourceInfo]:
    name = options.name or type(source).__name__
    if source.ndim == 1 and hasattr(source, "name"):
        scanner = LineScanner(name)
        scanner.scan_values(map(cell_text, binary_formats.uuids_as_text(binary_formats.iter_series(source))))
        column = None if source.name is None else str(source.name)
        return scanner.finish(), SourceInfo(name, "frame", column=column, position=1)
    if type(source).__name__ != "DataFrame":
        raise source_error(
            name, f"A {type(source).__name__} cannot be read as respondents.", "pass a DataFrame or a Series."
        )
    labels = [
        place
        for place, label in enumerate(source.columns)
        if type(label) is type(options.column) and label == options.column
    ]
    if len(labels) == 1:  # a label wins over a position
        options = replace(options, column=labels[0] + 1)
    reading, chosen = _read_columns(binary_formats.frame_columns(source), name, options)
    return reading, SourceInfo(name, "frame", layout=Layout.TABLE, column=chosen.name, position=chosen.position or None)


def _uploaded_file(source: Any, options: ReadOptions) -> tuple[str, Any] | None:
    """Return name and content of the file in the value of a `FileUpload`; None for anything else.

    ipywidgets 8 gives a tuple of mappings, ipywidgets 7 gave one mapping by file name.
    """
    files: list[tuple[str, Any]] = []
    if isinstance(source, Mapping) and "content" not in source:
        files = [(str(name), each["content"]) for name, each in source.items() if _has_content(each)]
    else:
        given = [source] if isinstance(source, Mapping) else source if isinstance(source, list | tuple) else []
        files = [(str(each["name"]), each["content"]) for each in given if _has_content(each) and "name" in each]
    if len(files) > 1:
        shown = ", ".join(masked_repr(name) for name, _ in files[:8])
        raise source_error(
            options.name,
            f"{len(files)} files were uploaded: {shown}.",
            "pass one of them, such as upload.value[0]; respondents.union(…) joins two lists.",
        )
    return files[0] if files else None


def _has_content(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("content"), bytes | bytearray | memoryview)


def _read_list(source: Any, options: ReadOptions) -> tuple[LineIndex, SourceInfo]:
    if type(source).__module__ == "numpy":
        source = source.tolist()
    if hasattr(source, "to_pylist"):  # an array of pyarrow, whose elements are no plain values
        source = source.to_pylist()
    if isinstance(source, set | frozenset):
        source = sorted(map(cell_text, source))  # a set has no order of its own
    name = options.name or "list"
    scanner = LineScanner(name)
    scanner.scan_values(map(cell_text, binary_formats.uuids_as_text(iter(source))))
    reading = scanner.finish(count_header=count_header_lines)
    return reading, SourceInfo(name, "list", column=_header_name(reading))


def _read_binary(file: OpenSource, options: ReadOptions) -> tuple[LineIndex, SourceInfo]:
    if file.kind in (SourceFormat.WORKBOOK, SourceFormat.ODS):
        return _read_workbook(file, options)
    opened = binary_formats.open_parquet if file.kind is SourceFormat.PARQUET else binary_formats.open_statistics
    with opened(file) as columns:
        reading, cells = _read_columns(columns, file.name, options)
    return reading, _table_info(file, cells)


def _read_workbook(file: OpenSource, options: ReadOptions) -> tuple[LineIndex, SourceInfo]:
    sheet = read_sheet(file, options.sheet, skip_hidden=options.hidden == "skip")
    reads_hidden = options.hidden == "read"
    table = TableReader(
        file.name,
        lambda: enumerate(sheet.rows, 1),
        options.header_row,
        options.column,
        as_text=cell_text_of_workbook,
    )
    if options.hidden == "skip" and options.column is None:
        table.leave_out(sheet.hidden_columns)
    place = table.choose(options).position - 1
    named = options.column is not None  # who names a column or a sheet knows that it is there
    is_whole = (sheet.is_hidden and options.sheet is None) or (place in sheet.hidden_columns and not named)
    if not reads_hidden and (is_whole or sheet.hidden_rows):
        table.hide(None if is_whole else sheet.hidden_rows)
    reading, cells = table.read_ids(options)
    hidden = len(reading.hidden)
    notes = [*_hidden_notes(sheet, table, place, is_whole, options.hidden, hidden)]
    if without := sum(1 for row, column in sheet.no_result if column == place):
        notes.append(
            f"{without:,} formulas of the column have no stored result and count as blank: open the workbook in a "
            "spreadsheet, which computes them, and save it."
        )
    return reading, replace(
        _table_info(file, cells, sheet.name),
        header_row=_later_row(table.shape.number),
        notes=tuple(notes),
        hidden_undecided=hidden if options.hidden is None else 0,
    )


def _hidden_notes(
    sheet: Sheet, table: TableReader, place: int, is_whole: bool, mode: str | None, left_out: int
) -> Iterator[str]:
    """Yield what is to be said about hidden rows that are in use, or were left out."""
    if mode == "read":
        shown = [row for number, row in enumerate(sheet.rows, 1) if is_whole or number in sheet.hidden_rows]
        read = sum(_has_value(row, {place}) for row in shown)
        if read:
            yield f"{read:,} lines that are hidden in the workbook were read too."
    elif left_out and mode is None:
        if sheet.is_hidden and is_whole:
            where = "on a hidden sheet"
        elif is_whole:
            where = f"in the hidden column {table.columns[place].label()}"
        else:
            where = "in rows that are hidden, as by a filter"
        yield (
            f"{left_out:,} lines with values are {where}; they are left out, and nothing is uploaded until you say "
            'whether they count: read the file with hidden="skip" or hidden="read".'
        )


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
