"""Readers for every kind of source: text, table, workbook, DataFrame, list."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from cint_nb.domain.ids import EntityType, format_count, mask_ids_in, masked_repr, printable
from cint_nb.study.files import binary_formats
from cint_nb.study.files.binary_formats import SAMPLE_ROWS, TableColumns
from cint_nb.study.files.file_format import OpenSource, SourceFormat, read_file, source_error
from cint_nb.study.files.id_array import LINE_BYTES, IdArray, IdBuffer, are_ids, from_ids, unique
from cint_nb.study.files.id_column import (
    MIN_ID_SHARE,
    ColumnSample,
    KindColumn,
    choose_id_column,
    clean_name,
    count_header_lines,
    entity_type_from_name,
    find_kind_column,
    is_id_name,
    is_name_only,
)
from cint_nb.study.files.line_index import LineIndex
from cint_nb.study.files.line_scanner import LineScanner
from cint_nb.study.files.table_shape import RowJudge, TableShape, find_shape
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
_NAME_SIGN = re.compile(rb"id|respondent|person|people|panelist|participant", re.IGNORECASE)
_CHUNK_ROWS = 1_000  # rows taken at once: enough that what is done once for all of them costs nothing

Rows = Iterator[tuple[int, Sequence[Any]]]


@printable
@dataclass(frozen=True, slots=True)
class SourceInfo:
    """Where ids come from, as far as known.

    Args:
        name: File name, or what kind of value it came from; None for bytes without a name.
        kind: `text`, `xlsx`, `parquet`, `sav`, `frame` or `list`.
        encoding: Of a text; None otherwise.
        size: Bytes read; None for in-memory values.
        layout: `one value a line`, `one line of values` or `table`.
        column: Name of the column or of the header row; None if there is none.
        position: Position of the column, from 1; None if there are no columns.
        sheet: Name of the sheet of a workbook; None otherwise.
        separator: Of the values of a text; None otherwise.
        header_row: Line of the row with the names; None if it is the first line, or if there is none.
        notes: Sentences about what is easily overlooked in the source, such as hidden rows that were read.
        hidden_undecided: How many lines are hidden in the source without the analyst having said whether they count;
            they are left out, and nothing is uploaded until that is said.
        other_kind: Ids that are of the other kind than stated, as the source itself shows.
        other_kind_in: Where it shows that, in words.
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
    other_kind: IdArray | None = field(default=None, repr=False, compare=False)
    other_kind_in: str | None = None

    def __post_init__(self) -> None:
        for each in ("name", "column", "sheet"):  # in a file without a header ids stand where names should be
            if (text := getattr(self, each)) is not None:
                object.__setattr__(self, each, mask_ids_in(text))


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the analyst requested: what the ids identify, which column, sheet and header row, a name for the source.

    `separator` and `encoding` are those of a text, None where they are to be found. `hidden` is `"skip"` or `"read"`
    for what is hidden in a workbook, None where the analyst did not say.
    """

    entity_type: EntityType
    column: str | int | None = None
    sheet: str | int | None = None
    name: str | None = None
    header_row: int | None = None
    hidden: str | None = None
    separator: str | None = None
    encoding: str | None = None


def read_source(source: Any, options: ReadOptions) -> tuple[LineIndex, SourceInfo]:
    """Read any supported source; see `respondents.read_respondents`."""
    reading, info = _read_any(source, options)
    for name in ("separator", "encoding"):
        if getattr(options, name) is not None and info.kind != SourceFormat.TEXT:
            raise source_error(
                info.name,
                f"The source is no text, and has no {name}.",
                f"leave {name}= out.",
                kind=str(info.kind),
            )
    return _judge_sections(reading, info, options)


def _read_any(source: Any, options: ReadOptions) -> tuple[LineIndex, SourceInfo]:
    if isinstance(source, str | Path | bytes | bytearray | memoryview) or hasattr(source, "read"):
        return _read_file(source, options)
    if (uploaded := _uploaded_file(source, options)) is not None:
        name, content = uploaded
        return _read_file(content, replace(options, name=options.name or name))
    source = binary_formats.unwrap_frame(source)
    if binary_formats.library_of(source) == "pandas":
        return _read_pandas(source, options)
    if (columns := binary_formats.columns_of(source)) is not None:
        name = options.name or binary_formats.type_name(source)
        reading, cells, shown = _read_columns(columns, name, options)
        info = SourceInfo(name, "frame", layout=Layout.TABLE, column=cells.name, position=cells.position)
        return reading, _with_kinds(info, shown)
    if isinstance(source, Iterable) and not isinstance(source, Mapping):
        return _read_list(source, options)
    raise source_error(
        options.name,
        f"An object of type {type(source).__name__} cannot be read as respondents.",
        "pass a path, bytes, an open file, a DataFrame, a Series, a list of IDs or of rows, or a FileUpload.value.",
    )


def _read_file(
    source: str | Path | bytes | bytearray | memoryview | IO[Any], options: ReadOptions
) -> tuple[LineIndex, SourceInfo]:
    def read(file: OpenSource) -> tuple[LineIndex, SourceInfo]:
        return (_read_text if file.kind is SourceFormat.TEXT else _read_binary)(file, options)

    return read_file(source, read, options.name)


def _read_text(file: OpenSource, options: ReadOptions) -> tuple[LineIndex, SourceInfo]:
    text = TextSource(file.stream, file.name, options.encoding)
    found = detect_layout(
        text.head, complete=text.complete, column=options.column, separator=options.separator, source=file.name
    )
    info = SourceInfo(name=file.name, kind=file.kind, encoding=text.encoding, size=file.size, layout=found.layout)
    if found.layout is Layout.TABLE:
        table = open_text_table(file, text, found, options.header_row, options.column)
        reading, cells = table.read_ids(options)
        return reading, replace(
            _with_kinds(info, table.kinds),
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
        _check_separator(text, file.name, options)
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
            current = TextSource(file.stream, file.name, text.requested)
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


def _check_separator(text: TextSource, name: str | None, options: ReadOptions) -> None:
    """Raise if a text without any plain id has ids between signs that were not read as a separator."""
    lines = text.head.decode("utf-8", "replace").splitlines()
    if sign := separator_around_ids(lines):
        say_it = f"write separator={sign!r}." if options.separator is None else f"write separator={sign!r} instead."
        raise source_error(
            name,
            f"The values seem to be separated by {'spaces' if sign == _SPACES else repr(sign)}.",
            say_it
            if len(sign) == 1
            else f"read the file with pandas (read_csv with sep={sign!r} and engine='python') and pass the DataFrame.",
        )


class ShownKinds:
    """Collects the ids that a column shows to be of the other kind.

    Args:
        column: The column that shows it.
        stated: The kind that the ids were said to be.
    """

    def __init__(self, column: KindColumn, stated: EntityType) -> None:
        self.place = column.cells.position - 1
        self.where = f"the column {column.cells.label()}"
        self._column, self._stated, self._ids = column, stated, IdBuffer()

    def add(self, ids: Iterable[str], values: Iterable[str]) -> None:
        """Take the values of some rows, of the column of ids and of the column that shows their kind."""
        self._ids.add(from_ids(self._column.show_ids(ids, values, self._stated)).tobytes())

    def rows(self) -> IdArray:
        """Return the ids, each once."""
        return unique(self._ids.rows())


def _with_kinds(info: SourceInfo, shown: ShownKinds | None) -> SourceInfo:
    return info if shown is None else replace(info, other_kind=shown.rows(), other_kind_in=shown.where)


def _judge_sections(reading: LineIndex, info: SourceInfo, options: ReadOptions) -> tuple[LineIndex, SourceInfo]:
    """Judge lines among the ids that are a name for ids: they are headers, and say what the ids below them are."""
    texts = reading.texts
    rows = [row for row in texts.rows_with(_NAME_SIGN) if row not in texts.reasons and is_name_only(texts[row])]
    usable = reading.usable_positions() if rows else np.empty(0, np.int64)
    if options.header_row is not None:  # above the first id it was decided what is a header
        rows = [row for row in rows if len(usable) and reading.malformed[row] > usable[0]]
    if not rows:
        return reading, info
    named = entity_type_from_name(info.column)
    kinds = dict.fromkeys(reading.header.tolist(), named) | {
        position: entity_type_from_name(texts[row])
        for row, position in zip(rows, reading.malformed[rows].tolist(), strict=True)
    }
    reading = replace(
        reading,
        header=np.array(sorted(kinds), np.int64),
        malformed=np.delete(reading.malformed, rows),
        texts=texts.without(frozenset(rows)),
    )
    last, of_section = named, [named]
    for position in reading.header.tolist():
        last = kinds[position] or last  # a general name, such as `id`, says nothing new
        of_section.append(last)
    is_other = np.array([kind not in (None, options.entity_type) for kind in of_section], np.bool_)
    if len({*of_section} - {None}) < 2 or not is_other.any():  # the name of the column alone is said elsewhere
        return reading, info
    lines = np.concatenate((usable, reading.duplicate))  # of a repeated id both lines count
    ids = np.concatenate((usable, reading.first))[is_other[np.searchsorted(reading.header, lines)]]
    shown = reading.keys[np.searchsorted(usable, np.unique(ids))]
    begin = reading.header[int(is_other[1:].argmax())] if is_other[1:].any() else reading.header[0]
    where = f"line {int(reading.line_numbers(begin)):,}"
    if info.other_kind is not None:
        shown, where = unique(np.concatenate((info.other_kind, shown))), f"{info.other_kind_in}, and {where}"
    return reading, replace(info, other_kind=shown, other_kind_in=where)


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
        kinds: Which ids another column shows to be of the other kind, once ids were read.
        hidden_places: Columns that are hidden in a workbook, from 0.
        no_result: Row and column of formulas whose result was never stored.
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
        self._usual_width = _usual_width(body, self.shape.width) if delimiter else self.shape.width
        usual = [row for row in body if len(row) == self._usual_width] if delimiter else []
        self.columns = [
            ColumnSample(
                place + 1,
                (self.shape.names[place] or None) if place < len(self.shape.names) else None,
                [row[place] for row in usual or body if place < len(row)],
            )
            for place in range(max(map(len, [*(usual or body), self.shape.names]), default=0))
        ]
        # Not each column in which an id occurs: somebody may have typed one into a comment.
        self._id_places = frozenset(
            cells.position - 1
            for cells in self.columns
            if self.is_text
            and (cells.share_of_ids >= MIN_ID_SHARE or (cells.share_of_ids and is_id_name(cells.name or "")))
        )
        behind_ids = max(self._id_places, default=len(self.columns)) + 1
        self._known = {
            cells.position - 1: frozenset(filter(None, map(normalise_line, cells.values)))
            for cells in self.columns[behind_ids:]
        }
        self._judge: RowJudge | None = None
        self._names = frozenset(filter(None, self.shape.names))
        self.hidden_places: frozenset[int] = frozenset()
        self.no_result: frozenset[tuple[int, int]] = frozenset()
        self.kinds: ShownKinds | None = None

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
        self.kinds = None
        late = self._late_places() if options.column is None else []
        if late and not any(cells.share_of_ids >= MIN_ID_SHARE for cells in self.columns):
            self._look_further(late)
            late = []
        chosen = self.choose(options)
        place, numbers, scanner = chosen.position - 1, array("q"), LineScanner(self._name)
        column = find_kind_column(self.columns, chosen, options.entity_type)
        self.kinds = None if column is None else ShownKinds(column, options.entity_type)
        found: dict[int, list[str]] = {each: [] for each in late if each != place}
        rows: Iterable[tuple[int, Sequence[Any]]] = self._rows
        if found:
            rows = _collect(rows, found)

        scanner.scan_values(self._values(self.judged_head({place}), place, numbers))
        while chunk := list(islice(rows, _CHUNK_ROWS)):
            if (texts := self._plain_texts(chunk, place)) is not None:
                numbers.extend([number for number, _ in chunk])
                scanner.scan_texts(texts)
                if self.kinds is not None:
                    self.kinds.add(texts, [self._text_in(row, self.kinds.place) for _, row in chunk])
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
            if isinstance(row, JudgedLine):
                yield row
                continue
            text = self._text_in(row, place)
            if self.kinds is not None:
                self.kinds.add([text], [self._text_in(row, self.kinds.place)])
            yield text

    def _text_in(self, row: Sequence[Any], place: int) -> str:
        return self.as_text(row[place]) if place < len(row) else ""

    def _plain_texts(self, chunk: Sequence[tuple[int, Sequence[Any]]], place: int) -> list[str] | None:
        """Return the values of one column if no row needs to be judged by itself, as nearly all need not."""
        if place >= self.shape.width or self._hidden_rows is None:
            return None
        if self._hidden_rows and not self._hidden_rows.isdisjoint([number for number, _ in chunk]):
            return None
        widths = {len(row) for _, row in chunk}
        if widths != {self._usual_width} and (self._delimiter is not None or min(widths) < self.shape.width):
            return None
        values = [row[place] for _, row in chunk]
        texts = [value if value.__class__ is str else self.as_text(value) for value in values]
        if not self._names.isdisjoint(texts):
            return None
        if self._delimiter is None or not self._id_places:
            return texts
        # An id that is missing, here or in another column of ids, may stand in a column where none is expected.
        others = ([row[other] for _, row in chunk] for other in self._id_places if other != place)
        return texts if all(map(are_ids, (texts, *others))) else None

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
        self._judge = RowJudge(
            self.shape.width, self._usual_width, self.has_header, self._id_places, frozenset(needed), self._known
        )
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
        if self._delimiter is None or self._judge is None:
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
        alike = self._names.intersection(names)
        is_header = len(alike) > 1 or any(is_name_only(name) for name in names if name and name not in alike)
        if is_header and not any(map(contains_id, names)):
            raise source_error(
                self._name,
                f"Line {number:,} is another header, with other columns or in another order.",
                "split the file there and read each part; respondents.union(…) joins two lists.",
                line=number,
            )
        return False

    def notes(self) -> tuple[str, ...]:
        """Return what is to be said about rows that were read although they are not as wide as the header."""
        if self._judge is None or not self._judge.forgiven:
            return ()
        rows = format_count(self._judge.forgiven, "row has", "rows have")
        return (f"{rows} more or fewer values than the header, but only to the right of the IDs, which were read.",)

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


def _usual_width(rows: Sequence[Sequence[str]], width: int) -> int:
    """Return how many values most rows have, if those behind the width of the table are blank; else that width."""
    usual = max(Counter(map(len, rows)).items(), key=lambda item: (item[1], item[0]), default=(width, 0))[0]
    is_blank = not any(any(map(normalise_line, row[width:])) for row in rows if len(row) == usual)
    return usual if usual > width and is_blank else width


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


def _read_columns(
    table: TableColumns, name: str | None, options: ReadOptions
) -> tuple[LineIndex, ColumnSample, ShownKinds | None]:
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
    column, shown = find_kind_column(table.cells, chosen, options.entity_type), None
    if column is not None:
        shown = ShownKinds(column, options.entity_type)
        beside = next(number for number, cells in enumerate(table.cells) if cells is column.cells)
        shown.add(map(cell_text, table.values(place)), map(cell_text, table.values(beside)))
    return scanner.finish(), chosen, shown


def _read_pandas(source: Any, options: ReadOptions) -> tuple[LineIndex, SourceInfo]:
    name = options.name or binary_formats.type_name(source)
    if source.ndim == 1 and hasattr(source, "name"):
        scanner = LineScanner(name)
        scanner.scan_values(map(cell_text, binary_formats.uuids_as_text(binary_formats.iter_series(source))))
        reading = scanner.finish(count_header=count_header_lines)
        column = _header_name(reading) if source.name is None else str(source.name)
        return reading, SourceInfo(name, "frame", column=column, position=1)
    if binary_formats.type_name(source) != "DataFrame":
        raise source_error(
            name,
            f"An object of type {binary_formats.type_name(source)} cannot be read as respondents.",
            "pass a DataFrame or a Series.",
        )
    labels = [
        place
        for place, label in enumerate(source.columns)
        if type(label) is type(options.column) and label == options.column
    ]
    if len(labels) == 1:  # a label wins over a position
        options = replace(options, column=labels[0] + 1)
    reading, chosen, shown = _read_columns(binary_formats.frame_columns(source), name, options)
    info = SourceInfo(name, "frame", layout=Layout.TABLE, column=chosen.name, position=chosen.position or None)
    return reading, _with_kinds(info, shown)


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
    values = iter(source)
    head = [*islice(values, SAMPLE_ROWS)]
    if not head:
        raise source_error(name, "The list is empty.", "pass the IDs, one per element.")
    if any(isinstance(value, Mapping | Sequence | set) and _is_row(value) for value in head):
        raise source_error(
            name,
            "The elements of the list are rows of several values, not IDs.",
            "pass a DataFrame, made by pandas with the names of the columns, or the IDs alone.",
        )
    scanner = LineScanner(name)
    scanner.scan_values(map(cell_text, binary_formats.uuids_as_text(chain(head, values))))
    reading = scanner.finish(count_header=count_header_lines)
    return reading, SourceInfo(name, "list", column=_header_name(reading))


def _is_row(value: Any) -> bool:
    """Return whether an element of a list is several values; a database gives rows of one, which is the value."""
    return not isinstance(value, str | bytes | bytearray | memoryview) and len(value) > 1


def _read_binary(file: OpenSource, options: ReadOptions) -> tuple[LineIndex, SourceInfo]:
    if file.kind in (SourceFormat.WORKBOOK, SourceFormat.ODS):
        return _read_workbook(file, options)
    opened = binary_formats.open_parquet if file.kind is SourceFormat.PARQUET else binary_formats.open_statistics
    with opened(file) as columns:
        reading, cells, shown = _read_columns(columns, file.name, options)
    return reading, _with_kinds(_table_info(file, cells), shown)


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
            f"{format_count(without, 'formula of the column has', 'formulas of the column have')} no stored result and "
            f"{'counts' if without == 1 else 'count'} as blank: open the workbook in a spreadsheet program, which "
            "computes formulas, and save it."
        )
    return reading, replace(
        _with_kinds(_table_info(file, cells, sheet.name), table.kinds),
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
            which = format_count(
                read, "line that is hidden in the workbook was", "lines that are hidden in the workbook were"
            )
            yield f"{which} read too."
    elif left_out and mode is None:
        if sheet.is_hidden and is_whole:
            where = "on a hidden sheet"
        elif is_whole:
            where = f"in the hidden column {table.columns[place].label()}"
        else:
            where = f"in {'a row that is' if left_out == 1 else 'rows that are'} hidden, as by a filter"
        are = format_count(left_out, "line with a value is", "lines with values are")
        yield (
            f"{are} {where}. Hidden lines are left out, and nothing is uploaded until you say whether they count: read "
            'the file with hidden="skip" or hidden="read".'
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
