"""Workbooks: the cells of one sheet, and which of its rows and columns are hidden.

python-calamine reads the cells, ten times as fast as openpyxl. What it does not give stands in the sheet's own part
of the package and is read from there: hidden rows and columns, error values, and formulas without a result.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar
from xml.etree import ElementTree

from cint_nb.domain import limits
from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import masked_repr
from cint_nb.study.files.binary_formats import SAMPLE_ROWS, damaged_file_error, import_optional
from cint_nb.study.files.file_format import OpenSource, SourceFormat, source_error
from cint_nb.study.files.verdicts import cell_text, contains_id, normalise_line

_FREE_BYTES = 10_000_000  # small workbooks of empty cells shrink to almost nothing
_DENSE_CELLS = 5_000_000  # python-calamine allocates the whole rectangle between the first and the last cell
_ROOT = re.compile(rb"<[A-Za-z_]")
_PREFIX = re.compile(rb"<(\w+:)worksheet\b")
_START = 2_000  # bytes in which the first element of a part lies
_DIMENSION = re.compile(rb"<dimension ref=\"([A-Z]+)(\d+):([A-Z]+)(\d+)\"")
_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
_COLUMN = re.compile(rb"<(?:\w+:)?col\b([^>]*)>")
_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_ATTRIBUTE = re.compile(rb"""\b([A-Za-z]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_ERROR_CELL = re.compile(rb'<(?:\w+:)?c\b([^>]*\bt="e"[^>]*)>(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]*)<', re.DOTALL)
_NO_RESULT = re.compile(
    rb"<(?:\w+:)?c\b([^>]*)>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_TAG = re.compile(rb"<(/?)table:(table-row-group|table-row|table-column|table)(?=[\s/>])([^>]*?)(/?)>")
_ODS_ATTRIBUTE = re.compile(rb'\b([a-z-]+:[a-z-]+)="([^"]*)"')
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_RELATION = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"

_TRUE = (b"1", b"true")

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook.

    Args:
        name: Its name.
        rows: Its rows, the first one first, up to the last one that contains anything.
        is_hidden: Whether the sheet is hidden.
        hidden_rows: Numbers of hidden rows.
        hidden_columns: Positions of hidden columns, from 0.
        no_result: Row and position of formulas whose result was never stored.
    """

    name: str
    rows: list[list[Any]]
    is_hidden: bool
    hidden_rows: frozenset[int]
    hidden_columns: frozenset[int]
    no_result: frozenset[tuple[int, int]] = frozenset()


@dataclass(slots=True)
class _Marks:
    """What the part of a sheet says beside the values."""

    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    no_result: set[tuple[int, int]] = field(default_factory=set)
    is_sparse: bool = False


def read_sheet(file: OpenSource, sheet: str | int | None, *, skip_hidden: bool = False) -> Sheet:
    """Read one sheet of a workbook.

    Values are the stored ones: no formula is computed, no link to another file is followed.

    Args:
        file: The workbook.
        sheet: A name, or a position from 1; None chooses the only sheet that contains ids.
        skip_hidden: Whether a hidden sheet is passed over where none is named.

    Raises:
        RespondentFileError: if it is damaged, expands to too much, or the sheet is ambiguous.
    """
    import_optional("python_calamine", file, "python-calamine")
    book = _Workbook(file)
    try:
        return book.choose(sheet, skip_hidden=skip_hidden)
    finally:
        book.close()


class _Workbook:
    def __init__(self, file: OpenSource) -> None:
        import python_calamine

        self._file = file
        _check_parts(file)
        self._package = zipfile.ZipFile(file.stream)
        self._parts: dict[str, str] = {}
        if file.kind is SourceFormat.WORKBOOK:
            self._parts = self._guard(self._find_parts)
        file.stream.seek(0)
        self._book = self._guard(lambda: python_calamine.CalamineWorkbook.from_filelike(file.stream))
        self.sheets = [
            (each.name, each.visible is not python_calamine.SheetVisibleEnum.Visible)
            for each in self._book.sheets_metadata
            if each.typ is python_calamine.SheetTypeEnum.WorkSheet
        ]

    def close(self) -> None:
        self._book.close()
        self._package.close()

    def choose(self, sheet: str | int | None, *, skip_hidden: bool) -> Sheet:
        names = [name for name, _ in self.sheets]
        titles = ", ".join(repr(name) + (" (hidden)" if hidden else "") for name, hidden in self.sheets[:12])
        if isinstance(sheet, int) and not isinstance(sheet, bool) and 1 <= sheet <= len(names):
            return self.read(names[sheet - 1])
        if isinstance(sheet, str):
            found = [name for name in names if name.casefold() == sheet.strip().casefold()]
            if found:
                return self.read(found[0])
        if sheet is not None:
            what = f"There is no sheet {masked_repr(sheet, 40)}. The sheets are {titles}."
            raise source_error(self._file.name, what, "use one of these.")
        if len(names) == 1:
            return self.read(names[0])
        with_ids = [
            each
            for name, hidden in self.sheets
            if not (hidden and skip_hidden) and _contains_id(each := self.read(name))
        ]
        if len(with_ids) == 1:
            return with_ids[0]
        what = "Several sheets contain IDs" if with_ids else "No sheet contains respondent IDs"
        fix = "choose one: sheet='…'."
        raise source_error(self._file.name, f"{what}. The sheets are {titles}.", fix, sheets=len(names))

    def read(self, name: str) -> Sheet:
        marks = self._guard(lambda: self._read_marks(name))
        if marks.is_sparse:
            rows = self._guard(lambda: list(self._sparse_rows(name)))
        else:
            rows = self._guard(lambda: self._dense_rows(name, marks))
        return Sheet(
            name,
            _up_to_last_filled(rows, max((row for row, _ in marks.no_result), default=0)),
            dict(self.sheets)[name],
            frozenset(marks.hidden_rows),
            frozenset(marks.hidden_columns),
            frozenset(marks.no_result),
        )

    def _dense_rows(self, name: str, marks: _Marks) -> list[list[Any]]:
        sheet = self._book.get_sheet_by_name(name)
        left = [None] * (sheet.start[1] if sheet.start else 0)
        rows = [[*left, *row] for row in sheet.iter_rows()] if left else list(sheet.iter_rows())
        for (row, place), text in marks.errors.items():  # python-calamine gives an empty text for them
            if row <= len(rows) and place < len(rows[row - 1]):
                rows[row - 1][place] = text
        return rows

    def _find_parts(self) -> dict[str, str]:
        """Return the part of the package with each sheet."""
        targets = {
            each.get("Id"): each.get("Target") or ""
            for each in self._parse("xl/_rels/workbook.xml.rels")
            if each.get("TargetMode") != "External"
        }
        found = {}
        for each in self._parse("xl/workbook.xml").iter():
            if each.tag.endswith("}sheet"):
                target = targets.get(each.get(_RELATION) or each.get(_STRICT_RELATION), "")
                found[each.get("name") or ""] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        return found

    def _parse(self, part: str) -> ElementTree.Element:
        return ElementTree.fromstring(_without_entities(self._package.read(part)))  # noqa: S314 - no entities are left

    def _read_marks(self, name: str) -> _Marks:
        if self._file.kind is not SourceFormat.WORKBOOK:
            return _marks_of_ods(_without_entities(self._package.read("content.xml")), name)
        return _marks_of_part(_without_entities(self._package.read(self._parts[name])))

    def _sparse_rows(self, name: str) -> Iterator[list[Any]]:
        """Iterate over the rows of a sheet whose cells lie far apart, without what lies between."""
        strings: list[str] = []
        if "xl/sharedStrings.xml" in self._package.namelist():
            strings = [
                "".join(text.text or "" for text in item.iter() if text.tag.endswith("}t"))
                for item in self._parse("xl/sharedStrings.xml")
            ]
        number = 0
        cells: dict[int, Any] = {}
        for row, place, kind, content in _iter_cells(_without_entities(self._package.read(self._parts[name]))):
            while number and number < row:
                yield _as_row(cells)
                number, cells = number + 1, {}
            number = number or 1
            while number < row:
                yield []
                number += 1
            element = ElementTree.fromstring(b"<c>" + re.sub(rb"<(/?)\w+:", rb"<\1", content) + b"</c>")  # noqa: S314
            value = element.findtext("v") or "".join(text.text or "" for text in element.iter("t"))
            cells[place] = strings[int(value)] if kind == b"s" and value else value
        if cells:
            yield _as_row(cells)

    def _guard(self, work: Callable[[], Result]) -> Result:
        """Do what may meet a damaged part; a parser in another language may raise what is no `Exception`."""
        try:
            return work()
        except (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError, RespondentFileError):
            raise
        except BaseException as error:  # noqa: BLE001
            raise damaged_file_error(self._file, error) from None


def _check_parts(file: OpenSource) -> None:
    """Reject a package that would exhaust the memory."""
    try:
        with zipfile.ZipFile(file.stream) as package:
            unpacked = sum(part.file_size for part in package.infolist())
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
        raise damaged_file_error(file, error) from None
    file.stream.seek(0)
    if unpacked > limits.WORKBOOK_MAX_BYTES or unpacked > _FREE_BYTES + limits.UNPACK_MAX_RATIO * file.size:
        raise source_error(
            file.name,
            f"The workbook expands to {unpacked:,} bytes, far more than a list of IDs needs.",
            "save the ID column as .csv.",
            unpacked_bytes=unpacked,
        )


def _without_entities(content: bytes) -> bytes:
    """Return the content of a part; one that defines entities could expand without bound, or read other files."""
    root = _ROOT.search(content)
    if root is None or b"<!DOCTYPE" in content[: root.start()] or content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ValueError("a part of the package is no plain XML")
    return content


def _marks_of_part(content: bytes) -> _Marks:
    marks = _Marks()
    for found in _COLUMN.finditer(content, 0, max(content.find(b"sheetData"), 0)):
        attributes = _attributes(found[1])
        if attributes.get(b"hidden") in _TRUE or attributes.get(b"width") == b"0":
            marks.hidden_columns |= set(range(int(attributes[b"min"]) - 1, min(int(attributes[b"max"]), 16_384)))
    marks.hidden_rows = _hidden_rows(content)
    if any(sign in content for sign in _signs(content, b't="e"')):
        marks.errors = {
            place: value.decode("utf-8", "replace")
            for text, value in _ERROR_CELL.findall(content)
            if (place := _place_in(text))
        }
    if any(sign in content for sign in _signs(content, b"</f>")):
        marks.no_result = {place for text in _NO_RESULT.findall(content) if (place := _place_in(text))}
    marks.is_sparse = _is_sparse(content)
    return marks


def _signs(content: bytes, sign: bytes) -> tuple[bytes, ...]:
    """Return how a part may write a sign: most use double quotation marks and no prefix, some do otherwise."""
    start = content[:_START]
    signs = [sign]
    if b"='" in start:
        signs.append(sign.replace(b'"', b"'"))
    if prefix := _PREFIX.search(start):
        signs.append(sign.replace(b"</", b"</" + prefix[1]))
    return tuple(dict.fromkeys(signs))


def _hidden_rows(content: bytes) -> set[int]:
    """Return the numbers of the rows that are hidden, or have no height."""
    found: set[int] = set()
    for sign in (b"hidden", b"ht="):  # most workbooks have neither, and no row is looked at
        place = content.find(sign, max(content.find(b"sheetData"), 0))
        while place >= 0:
            tag = _ROW.match(content, content.rfind(b"<", 0, place))
            if tag is not None and tag.end() > place:
                attributes = _attributes(tag[1])
                if b"r" not in attributes:
                    return _hidden_rows_by_counting(content)
                if _is_hidden_row(attributes):
                    found.add(int(attributes[b"r"]))
                place = tag.end()
            place = content.find(sign, place + 1)
    return found


def _hidden_rows_by_counting(content: bytes) -> set[int]:
    """Return the numbers of hidden rows where rows have no numbers: one without is the next one."""
    number, found = 0, set()
    for text in _ROW.findall(content):
        attributes = _attributes(text)
        number = int(attributes.get(b"r", number + 1))
        if _is_hidden_row(attributes):
            found.add(number)
    return found


def _is_hidden_row(attributes: dict[bytes, bytes]) -> bool:
    return attributes.get(b"hidden") in _TRUE or float(attributes.get(b"ht", 1)) == 0


def _is_sparse(content: bytes) -> bool:
    """Return whether the rectangle of a sheet is far larger than the number of its cells."""
    stated = _DIMENSION.search(content, 0, _START)
    last = _ROW.match(content, content.rfind(b"<row"))
    if stated and last and _attributes(last[1]).get(b"r") == stated[4]:  # the size it states is no placeholder
        size = int(stated[4]) * _column_number(stated[3])
    else:
        rows = max((int(_attributes(text).get(b"r", 1)) for text in _ROW.findall(content)), default=0)
        letters = set(re.findall(rb"""\br=["']([A-Z]{1,3})\d""", content))
        size = rows * max((_column_number(each) for each in letters), default=1)
    return size > _DENSE_CELLS and size > 20 * content.count(b"<c ")


def _iter_cells(content: bytes) -> Iterator[tuple[int, int, bytes | None, bytes]]:
    for found in _CELL.finditer(content):
        attributes = _attributes(found[1])
        if found[2] and b"r" in attributes:
            row, place = _place_of(attributes[b"r"])
            yield row, place, attributes.get(b"t"), found[2]


def _marks_of_ods(content: bytes, name: str) -> _Marks:
    """Find the hidden rows and columns of one table of an OpenDocument spreadsheet, whose rows have no numbers."""
    marks, row, column, groups = _Marks(), 0, 0, [False]
    for closing, kind, text, empty in _tags_of_table(content, name):
        attributes = dict(_ODS_ATTRIBUTE.findall(text))
        hidden = groups[-1] or attributes.get(b"table:visibility") in (b"collapse", b"filter")
        if kind == b"table-row-group" and closing:
            groups.pop()
        elif kind == b"table-row-group" and not empty:
            groups.append(groups[-1] or attributes.get(b"table:display") == b"false")
        elif kind == b"table-row" and not closing:
            count = int(attributes.get(b"table:number-rows-repeated", 1))
            marks.hidden_rows |= set(range(row + 1, row + 1 + min(count, 1_048_576))) if hidden else set()
            row += count
        elif kind == b"table-column" and not closing:
            count = int(attributes.get(b"table:number-columns-repeated", 1))
            marks.hidden_columns |= set(range(column, column + min(count, 16_384))) if hidden else set()
            column += count
    return marks


def _tags_of_table(content: bytes, name: str) -> Iterator[tuple[bytes, bytes, bytes, bytes]]:
    inside = False
    for tag in _TAG.findall(content):
        closing, kind, text, _ = tag
        if kind == b"table":
            inside = not closing and _unescape(dict(_ODS_ATTRIBUTE.findall(text)).get(b"table:name", b"")) == name
        elif inside:
            yield tag


def _unescape(text: bytes) -> str:
    return str(ElementTree.fromstring(b"<t>" + text + b"</t>").text or "")  # noqa: S314 - the text of an attribute


def _attributes(text: bytes) -> dict[bytes, bytes]:
    return {name: double or single for name, double, single in _ATTRIBUTE.findall(text)}


def _place_of(cell: bytes) -> tuple[int, int]:
    """Return the row, from 1, and the column, from 0, of a cell such as `B7`."""
    letters = cell.rstrip(b"0123456789")
    return int(cell[len(letters) :]), _column_number(letters) - 1


def _place_in(text: bytes) -> tuple[int, int] | None:
    """Return the place that the attributes of a cell name."""
    cell = _attributes(text).get(b"r")
    return None if cell is None else _place_of(cell)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number


def _as_row(cells: dict[int, Any]) -> list[Any]:
    return [cells.get(place) for place in range(max(cells, default=-1) + 1)]


def _contains_id(sheet: Sheet) -> bool:
    return any(contains_id(cell_text(value)) for row in sheet.rows[:SAMPLE_ROWS] for value in row)


def _up_to_last_filled(rows: list[list[Any]], least: int) -> list[list[Any]]:
    """Return rows without blank ones at the end, of which a formatted sheet may have a million; `least` are kept."""
    rows.extend([] for _ in range(least - len(rows)))
    last = len(rows)
    while last > least and not any(value is not None and normalise_line(cell_text(value)) for value in rows[last - 1]):
        last -= 1
    del rows[last:]
    return rows


def cell_text_of_workbook(value: Any) -> str:
    """Return a cell as text: in a workbook all numbers have a point, and a whole one is read as such."""
    is_whole = value.__class__ is float and value.is_integer() and abs(value) < 1e15
    return cell_text(int(value) if is_whole else value)
