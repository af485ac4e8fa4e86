"""Text files: encoding, line endings and layout, read in blocks of whole UTF-8 lines."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain, islice
from typing import Annotated, Any, BinaryIO

from cint_nb.domain import ids, limits
from cint_nb.domain.arguments import Rule
from cint_nb.domain.ids import masked_repr
from cint_nb.study.files.file_format import source_error
from cint_nb.study.files.id_column import separator_hint
from cint_nb.study.files.line_index import decode_line
from cint_nb.study.files.table_shape import find_shape
from cint_nb.study.files.verdicts import contains_id, is_id, normalise_line

_CHUNK = 1 << 18  # small enough to stay in the cache of the processor and on the heap: a third faster than 1 MB
_HEAD = 1 << 18
_SAMPLE_LINES = 500
_CHUNK_ROWS = 1_000  # rows taken at once, which takes half the time
_DELIMITERS = ",;\t|^~\x01\x1f"  # the last two are those of databases
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_FILES = {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}
"""Encodings that Python has for other things than files."""
_CONTROL = bytes(byte for byte in range(32) if byte not in b"\t\n\v\f\r\x1a")
_CONTROL_BUT_SEPARATORS = _CONTROL.translate(None, b"\x01\x1f")
_AROUND_ID = re.compile(rf"([^\w\"'-]*)[\"']?({ids.UUID_PATTERN.pattern})[\"']?([^\w\"'-]*)", re.ASCII | re.IGNORECASE)


def _is_separator(text: str) -> bool:
    return text in ("\n", "\r\n") or (len(text) == 1 and not text.isalnum() and text not in "-_\"'{}\0\r")


Separator = Annotated[str, Rule("one character, such as ';', or a line end for one value a line", _is_separator)]
"""What may stand between the values of a text: nothing that is a part of ids or holds them."""


class Layout(StrEnum):
    """How a text contains its values: one per line, all in one line, or as a table."""

    LINES = "one value a line"
    LIST = "one line of values"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class TextLayout:
    """The layout of a text.

    Args:
        layout: How it contains its values.
        delimiter: The separator of its values.
        width: How many values most lines of a table have.
        quoted_lines: Whether each line of a table is in quotation marks as a whole.
    """

    layout: Layout
    delimiter: str = "\n"
    width: int = 1
    quoted_lines: bool = False


class TextSource:
    """A text as blocks of whole lines in UTF-8, whatever its encoding and line endings.

    Args:
        stream: A stream at the beginning of the text.
        name: For errors.
        encoding: The one the analyst named; found by content if omitted.

    Attributes:
        requested: The encoding that was named, None if it was found.
        encoding: `utf-8`, `utf-8-sig`, `utf-16`, `utf-16-le`, `utf-16-be` or `utf-32`, or the one that was named; bytes
            that are not valid in UTF-8 are read as cp1252 later, line by line.
        head: The beginning, at most 256 KiB, with LF line endings.
        complete: Whether `head` is all of it.
        saw_cp1252: Whether `iter_table_rows` found bytes that are not valid in UTF-8.
    """

    def __init__(self, stream: BinaryIO, name: str | None, encoding: str | None = None) -> None:
        self.name = name
        self.requested = encoding
        self.saw_cp1252 = False
        first = _read_chunk(stream)
        self.encoding, mark = _encoding(first)
        if encoding is not None:
            self.encoding = _named_encoding(name, encoding, self.encoding, first)
            mark = mark if self.encoding.startswith("utf-8") else 0
        _reject_binary_start(name, first, self.encoding)
        self._chunks = _transcode(chain([first[mark:]], iter(lambda: stream.read(_CHUNK), b"")), self.encoding)
        start = next(self._chunks, b"")
        following = next(self._chunks, b"")
        self._chunks = chain([start, following], self._chunks)
        self._has_lf = b"\n" in start[:_HEAD]
        self.head = b"".join(_normalise_newlines(iter([start[:_HEAD]])))
        self.complete = not following and len(start) <= _HEAD

    def blocks(self) -> Iterator[bytes]:
        """Iterate over the text in blocks of whole lines, each ended by LF.

        Raises:
            RespondentFileError: at a line of more than 1 MB.
        """
        return (content[start:stop] for content, start, stop in self.spans(mixed_ends=True))

    def spans(self, separator: str = "\n", *, mixed_ends: bool = False) -> Iterator[tuple[bytes, int, int]]:
        """Iterate over the text as bytes, with the beginning and the end of the whole lines in them.

        Args:
            separator: The end of a value; not LF for a text that is one line of values.
            mixed_ends: Convert CRLF and CR to LF. If False, they are left to the scanner if LF occurs, which is faster.

        Raises:
            RespondentFileError: at a line of more than 1 MB.
        """
        rest = b""
        plain = separator == "\n" and not mixed_ends and self._has_lf
        for piece in self._chunks if plain else _normalise_newlines(self._chunks):
            chunk = piece if separator == "\n" else piece.replace(separator.encode(), b"\n")
            cut, begin = chunk.rfind(b"\n") + 1, 0
            if cut and rest:
                begin = chunk.index(b"\n") + 1
                line = rest + chunk[:begin]
                yield line, 0, len(line)
            if cut:
                yield chunk, begin, cut
                rest = b""
            rest += chunk[cut:]
            if len(rest) > limits.SOURCE_LINE_MAX_BYTES:
                raise source_error(
                    self.name,
                    f"A line is longer than {limits.SOURCE_LINE_MAX_BYTES:,} bytes.",
                    "write one ID per line.",
                )
        if rest:
            rest += b"\n"
            yield rest, 0, len(rest)


def _read_chunk(stream: BinaryIO) -> bytes:
    """Read one full chunk; a compressed stream returns less at a time."""
    content = b""
    while len(content) < _HEAD and (piece := stream.read(_CHUNK)):
        content += piece
    return content


def _encoding(first: bytes) -> tuple[str, int]:
    """Return the encoding and the length of its byte-order mark."""
    for mark, name in _BYTE_ORDER_MARKS:
        if first.startswith(mark):
            return name, len(mark) if name == "utf-8-sig" else 0
    sample = first[:4096]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if half and odd > 0.4 * half and even < 0.1 * half:
        return "utf-16-le", 0
    if half and even > 0.4 * half and odd < 0.1 * half:
        return "utf-16-be", 0
    return "utf-8", 0


def _named_encoding(source: str | None, encoding: str, found: str, first: bytes) -> str:
    """Return the encoding that was named, as Python calls it; raise where the text is not written in it."""
    name = _codec_name(encoding)
    if name is None:
        raise source_error(
            source,
            f"There is no encoding {masked_repr(encoding, 40)}.",
            "write its name as Python knows it, such as utf-8, utf-16, cp1250 or cp1252.",
        )
    if found.startswith(name) or (name.startswith("utf-8") and found == "utf-8"):
        name = found  # whether there is a mark, and which half of a character comes first, the text itself shows
    try:
        codecs.getincrementaldecoder(name)("strict").decode(first, final=False)
    except UnicodeError as error:
        place = getattr(error, "start", None)
        raise source_error(
            source,
            f"The text is not written in {name}{'' if place is None else f': byte {place + 1:,} does not fit'}.",
            "name another encoding, or leave encoding= out, and it is found by content.",
            encoding=name,
        ) from None
    return name


def _codec_name(encoding: str) -> str | None:
    """Return how Python calls an encoding of texts; None for what is none, such as a codec of bytes."""
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)
        codecs.getincrementaldecoder(name)
    except (LookupError, ValueError, TypeError):
        return None
    return None if name in _NO_FILES else name


def _reject_binary_start(name: str | None, first: bytes, encoding: str) -> None:
    sample, control = first[:4096], _CONTROL_BUT_SEPARATORS
    if not encoding.startswith("utf-8"):  # binary numbers look like UTF-16: no database writes its separators in it
        sample, control = sample.decode(encoding, "ignore").encode("utf-8", "ignore"), _CONTROL
    strange = len(sample) - len(sample.translate(None, control))
    if b"\0" in sample or strange > 0.05 * len(sample):
        raise source_error(
            name, "The file is binary, not plain text.", "export it as .csv or .txt with one ID per line."
        )


def reject_binary(name: str | None, block: bytes, lines_before: int) -> None:
    """Raise if a block contains a zero byte, which no text does.

    Raises:
        RespondentFileError: with the line number.
    """
    if (place := block.find(b"\0")) >= 0:
        line = lines_before + block.count(b"\n", 0, place) + 1
        raise source_error(
            name, "The file is binary, not plain text.", "export it as .csv or .txt with one ID per line.", line=line
        )


def _transcode(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    if encoding.startswith("utf-8"):
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for chunk in chain(chunks, [b""]):
        if decoded := decoder.decode(chunk, final=not chunk):
            yield decoded.encode("utf-8", "replace")


def _normalise_newlines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Convert CRLF and CR to LF; a CR at the end of a chunk waits for the next one."""
    pending = b""
    for piece in chunks:
        chunk = pending + piece if pending else piece
        pending = b"\r" if chunk.endswith(b"\r") else b""
        if b"\r" in chunk:
            chunk = (chunk[:-1] if pending else chunk).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if chunk:
            yield chunk
    if pending:
        yield b"\n"


def detect_layout(
    head: bytes,
    *,
    complete: bool,
    column: str | int | None = None,
    separator: str | None = None,
    source: str | None = None,
) -> TextLayout:
    """Detect the layout of a text from its beginning.

    A table needs two columns on most lines, and either a header row or more ids than lines that are an id as a whole:
    otherwise a tab before an id or a comma after it would turn a list into a table. A single line with several ids is a
    list.

    Args:
        head: The beginning of the text.
        complete: Whether `head` is the whole text.
        column: The requested column; a header with this name decides between separators.
        separator: The separator that the analyst named; a line end for one value a line.
        source: Name of the source, for errors.

    Raises:
        RespondentFileError: no line has the separator that was named, or several separators give other ids each.
    """
    if separator is not None:
        return _named_layout(head, complete, column, separator, source)
    if not any(mark in head for mark in b" ,;\t|^~\x01\x1f"):
        return TextLayout(Layout.LINES)
    lines = _sample_lines(head, complete)
    filled = [line for line in lines if normalise_line(line)]
    if not any(mark in line for line in lines for mark in _DELIMITERS):
        return _is_space_separated(filled)
    if hint := separator_hint(filled[0] if filled else ""):
        return TextLayout(Layout.TABLE, hint, _usual_width(_rows(lines, hint)[1:])[0])
    if _are_quoted_as_a_whole(filled):
        found = _detect_table([unquote_line(line) for line in lines], column, source)
        return replace(found, quoted_lines=found.layout is Layout.TABLE)
    if len(filled) == 1:
        for mark in _DELIMITERS:
            if sum(map(is_id, filled[0].split(mark))) > 1:
                return TextLayout(Layout.LIST, mark)
    return _detect_table(lines, column, source)


def _sample_lines(head: bytes, complete: bool) -> list[str]:
    raw = head.split(b"\n", _SAMPLE_LINES)
    if not complete and len(raw) > 1:
        raw.pop()
    return [decode_line(line)[0] for line in raw[:_SAMPLE_LINES]]


def _named_layout(
    head: bytes, complete: bool, column: str | int | None, separator: str, source: str | None
) -> TextLayout:
    """Return the layout of a text whose separator the analyst named."""
    if separator in ("\n", "\r\n"):
        return TextLayout(Layout.LINES)
    lines = _sample_lines(head, complete)
    filled = [line for line in lines if normalise_line(line)]
    whole = _are_quoted_as_a_whole(filled)
    if whole:
        lines = [unquote_line(line) for line in lines]
    if len(filled) == 1 and sum(map(is_id, filled[0].split(separator))) > 1:
        return TextLayout(Layout.LIST, separator)
    rows = [row for row in _rows(lines, separator) if any(map(normalise_line, row))]
    if _usual_width(rows)[0] < 2:
        raise source_error(
            source,
            f"Most lines hold no {separator!r}, so that it does not separate their values.",
            'leave separator= out, or write separator="\\n" for one value a line.',
            separator=separator,
        )
    shape = find_shape(rows, range(len(rows)), column=column)
    return TextLayout(Layout.TABLE, separator, shape.width, quoted_lines=whole)


def _detect_table(lines: list[str], column: str | int | None, source: str | None = None) -> TextLayout:
    whole = sum(map(is_id, lines))
    best, best_score = TextLayout(Layout.LINES), (False, False, 0, 0.0)
    ids_of: dict[tuple[bool, bool, int], dict[str, set[str]]] = {}
    for mark in _DELIMITERS:
        if not any(mark in line for line in lines):
            continue
        rows = [row for row in _rows(lines, mark) if any(map(normalise_line, row))]
        width, often = _usual_width(rows)
        hits = sum(is_id(value) for row in rows for value in row)
        shape = find_shape(rows, range(len(rows)), column=column)
        header = width > 1 and shape.width > 1 and sum(map(bool, map(normalise_line, shape.names))) > 1
        requested = header and column in shape.names
        score = (requested, header and hits > 0, hits, often / max(1, len(rows)))
        if width > 1 and (hits > whole or header or not hits):
            found = {normalise_line(value) for row in rows for value in row if is_id(value)}
            ids_of.setdefault(score[:3], {})[mark] = found
            if score > best_score:
                best, best_score = TextLayout(Layout.TABLE, mark, shape.width), score
    _refuse_several(ids_of.get(best_score[:3], {}), source)
    return best


def _refuse_several(ids_of: Mapping[str, set[str]], source: str | None) -> None:
    """Refuse a text whose rows hold as many ids with one separator as with another, and other ones."""
    if len({frozenset(found) for found in ids_of.values()}) > 1:
        marks = list(ids_of)
        shown = " and with ".join(map(repr, marks))
        raise source_error(
            source,
            f"The lines hold other IDs with {shown} as the separator.",
            f"say which one it is: separator={marks[0]!r}.",
            separators=tuple(marks),
        )


def _usual_width(rows: list[list[str]]) -> tuple[int, int]:
    """Return the width that most rows have, the larger of two, and how many have it."""
    widths = Counter(map(len, rows))
    return max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))


def _are_quoted_as_a_whole(filled: list[str]) -> bool:
    """Return whether every line is one quoted value that holds a table's row, its own quotation marks doubled."""
    return bool(filled) and all(
        len(line) > 2 and line[0] == line[-1] == '"' and '"' not in line[1:-1].replace('""', "") for line in filled
    )


def unquote_line(line: str) -> str:
    """Return a line that is in quotation marks as a whole without them."""
    plain = line.rstrip("\r\n")
    return plain[1:-1].replace('""', '"') if plain[:1] == plain[-1:] == '"' and len(plain) > 1 else plain


def separator_around_ids(lines: Sequence[str]) -> str | None:
    """Return the signs that stand beside the id on most lines, such as `::`; None if there are none.

    Spaces count only where nearly all lines have the same number of values: a sentence around an id is no table.
    """
    found = Counter(
        sign.strip() for line in lines for match in _AROUND_ID.finditer(line) for sign in (match[1], match[3]) if sign
    )
    sign, often = max(found.items(), key=lambda item: item[1], default=("", 0))
    if sign:
        return sign if often > 1 else None
    values, alike = max(Counter(len(line.split()) for line in lines).items(), key=lambda item: item[1], default=(0, 0))
    return "\\s+" if values > 1 and alike > 1 and alike >= 0.9 * len(lines) and often else None


def _is_space_separated(filled: list[str]) -> TextLayout:
    if len(filled) == 1 and sum(map(is_id, filled[0].split(" "))) > 1:
        return TextLayout(Layout.LIST, " ")
    return TextLayout(Layout.LINES)


def _rows(lines: list[str], delimiter: str) -> list[list[str]]:
    try:
        return list(csv_reader((f"{line}\n" for line in lines), delimiter))
    except csv.Error:
        return []


def csv_reader(lines: Iterable[str], delimiter: str) -> Any:
    """Return a CSV reader for values of up to 1 MB; the limit is one for all readers of the process: never lowered."""
    if csv.field_size_limit() < limits.SOURCE_LINE_MAX_BYTES:
        csv.field_size_limit(limits.SOURCE_LINE_MAX_BYTES)
    return csv.reader(lines, delimiter=delimiter)


def iter_table_rows(text: TextSource, layout: TextLayout) -> Iterator[tuple[int, list[str]]]:
    """Iterate over a table as pairs of line number, from 1, and values.

    A quoted value may span several lines; the row then has the number of its first line.

    Raises:
        RespondentFileError: at a quotation mark behind which rows of the table would be lost, or at a value of more
            than 1 MB.
    """
    lines: Iterable[str] = chain.from_iterable(io.StringIO(block, newline="\n") for block in _decoded(text))
    if layout.quoted_lines:
        lines = (unquote_line(line) + "\n" for line in lines)
    return chain.from_iterable(_iter_numbered_rows(csv_reader(lines, layout.delimiter), text.name, layout))


def _iter_numbered_rows(
    reader: Any, source: str | None, layout: TextLayout
) -> Iterator[Iterable[tuple[int, list[str]]]]:
    """Iterate over some rows at a time, each with the number of its first line."""
    before = 0  # how many lines were read
    while True:
        rows: list[list[str]] = []
        too_long = False
        try:
            rows.extend(islice(reader, _CHUNK_ROWS))
        except csv.Error:
            too_long = True
        if reader.line_num - before == len(rows) and not too_long:  # nearly always: each row is one line
            yield enumerate(rows, before + 1)
            before += len(rows)
        else:
            for row in rows:
                several = "\n" in "".join(row)
                if several and _swallows_rows(row, layout):
                    raise _open_quote_error(source, before + 1)
                yield ((before + 1, row),)
                before += 1 + (sum(value.count("\n") for value in row) if several else 0)
        if too_long:
            raise source_error(
                source,
                f"A value that begins on line {before + 1:,} is longer than {limits.SOURCE_LINE_MAX_BYTES:,} "
                "characters.",
                "close its quotation mark if one is open, or keep only the ID column.",
                line=before + 1,
            ) from None
        if not rows:
            return


def _swallows_rows(row: list[str], layout: TextLayout) -> bool:
    """Return whether a row of several lines has rows of the table with ids inside one of its values.

    An answer may have several lines, and even an id in one of them; a row has as many values as the table is wide.
    """
    for before, value in enumerate(row):
        lines = value.split("\n")
        for place, line in enumerate(lines) if len(lines) > 1 else ():
            if not contains_id(line):
                continue
            width = len(next(csv_reader([line], layout.delimiter), []))
            is_last = place == len(lines) - 1
            if place == 0:
                width += before
            if width == layout.width or (is_last and (width > 1 or len(row) != layout.width)):
                return True
    return False


def _decoded(text: TextSource) -> Iterator[str]:
    lines = 0
    for block in text.blocks():
        reject_binary(text.name, block, lines)
        lines += block.count(b"\n")
        content, was_cp1252 = decode_line(block)
        text.saw_cp1252 |= was_cp1252
        yield content


def _open_quote_error(name: str | None, line: int) -> Exception:
    return source_error(
        name,
        f"A quotation mark opened on line {line:,} is never closed.",
        "close or remove the quotation mark, or keep only the ID column.",
        line=line,
    )
