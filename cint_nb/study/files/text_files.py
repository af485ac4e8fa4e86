"""Text files: encoding, line endings and layout, read in blocks of whole UTF-8 lines."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import BinaryIO

from cint_nb.domain import limits
from cint_nb.domain.ids import is_respondent_id
from cint_nb.study.files.file_format import source_error
from cint_nb.study.files.id_column import clean_name, is_header_row, separator_hint
from cint_nb.study.files.line_index import decode_line
from cint_nb.study.files.verdicts import contains_id, normalise_line

_CHUNK = 1 << 20
_HEAD = 1 << 18
_SAMPLE_LINES = 500
_DELIMITERS = ",;\t"
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = bytes(byte for byte in range(32) if byte not in b"\t\n\v\f\r\x1a")


class Layout(StrEnum):
    """How a text contains its values: one per line, all in one line, or as a table."""

    LINES = "one value a line"
    LIST = "one line of values"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class TextLayout:
    """The layout of a text and the separator of its values."""

    layout: Layout
    delimiter: str = "\n"


class TextSource:
    """A text as blocks of whole lines in UTF-8, whatever its encoding and line endings.

    Args:
        stream: A stream at the beginning of the text.
        name: For errors.

    Attributes:
        encoding: `utf-8`, `utf-8-sig`, `utf-16`, `utf-16-le`, `utf-16-be` or `utf-32`; bytes that are not valid in
            UTF-8 are read as cp1252 later, line by line.
        head: The beginning, at most 256 KiB, with LF line endings.
        complete: Whether `head` is all of it.
        saw_cp1252: Whether `iter_table_rows` found bytes that are not valid in UTF-8.
    """

    def __init__(self, stream: BinaryIO, name: str | None) -> None:
        self.name = name
        self.saw_cp1252 = False
        first = _read_chunk(stream)
        self.encoding, mark = _encoding(first)
        _reject_binary_start(name, first, self.encoding)
        self._chunks = _transcode(chain([first[mark:]], iter(lambda: stream.read(_CHUNK), b"")), self.encoding)
        start = next(self._chunks, b"")
        following = next(self._chunks, b"")
        self._chunks = chain([start, following], self._chunks)
        self._has_lf = b"\n" in start[:_HEAD]
        self.head = b"".join(_normalise_newlines(iter([start[:_HEAD]])))
        self.complete = not following and len(start) <= _HEAD

    def blocks(self, separator: str = "\n", *, mixed_ends: bool = True) -> Iterator[bytes]:
        """Iterate over the text in blocks of whole lines, each line ended by LF.

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
                yield rest + chunk[:begin]
            if cut:
                yield chunk[begin:cut]
                rest = b""
            rest += chunk[cut:]
            if len(rest) > limits.SOURCE_LINE_MAX_BYTES:
                raise source_error(
                    self.name,
                    f"A line is longer than {limits.SOURCE_LINE_MAX_BYTES:,} bytes.",
                    "write one ID per line.",
                )
        if rest:
            yield rest + b"\n"


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


def _reject_binary_start(name: str | None, first: bytes, encoding: str) -> None:
    sample = first[:4096]
    if not encoding.startswith("utf-8"):
        sample = sample.decode(encoding, "ignore").encode("utf-8", "ignore")
    strange = len(sample) - len(sample.translate(None, _CONTROL))
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


def detect_layout(head: bytes, *, complete: bool, column: str | int | None = None) -> TextLayout:
    """Detect the layout of a text from its beginning.

    A table needs two columns on most lines, and either a header row or more ids than lines that are an id as a whole:
    otherwise a tab before an id or a comma after it would turn a list into a table. A single line with several ids is a
    list.

    Args:
        head: The beginning of the text.
        complete: Whether `head` is the whole text.
        column: The requested column; a header with this name decides between separators.
    """
    if not any(mark in head for mark in b" ,;\t"):
        return TextLayout(Layout.LINES)
    raw = head.split(b"\n", _SAMPLE_LINES)
    if not complete and len(raw) > 1:
        raw.pop()
    lines = [decode_line(line)[0] for line in raw[:_SAMPLE_LINES]]
    filled = [line for line in lines if normalise_line(line)]
    if not any(mark in line for line in lines for mark in _DELIMITERS):
        return _is_space_separated(filled)
    if hint := separator_hint(filled[0] if filled else ""):
        return TextLayout(Layout.TABLE, hint)
    if len(filled) == 1:
        for mark in _DELIMITERS:
            if sum(is_respondent_id(normalise_line(part)) for part in filled[0].split(mark)) > 1:
                return TextLayout(Layout.LIST, mark)
    whole = sum(is_respondent_id(normalise_line(line)) for line in filled)
    best, best_score = TextLayout(Layout.LINES), (False, False, 0, 0.0)
    for mark in _DELIMITERS:
        rows = [row for row in _rows(lines, mark) if any(map(normalise_line, row))]
        widths = Counter(map(len, rows))
        width, often = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
        hits = sum(is_respondent_id(normalise_line(value)) for row in rows for value in row)
        header = (
            width > 1
            and len(rows[0]) == width
            and sum(map(bool, map(normalise_line, rows[0]))) > 1
            and is_header_row(rows[0])
        )
        requested = header and column in [clean_name(value) for value in rows[0]]
        score = (requested, header and hits > 0, hits, often / max(1, len(rows)))
        if width > 1 and (hits > whole or header or not hits) and score > best_score:
            best, best_score = TextLayout(Layout.TABLE, mark), score
    return best


def _is_space_separated(filled: list[str]) -> TextLayout:
    if len(filled) == 1 and sum(is_respondent_id(normalise_line(part)) for part in filled[0].split(" ")) > 1:
        return TextLayout(Layout.LIST, " ")
    return TextLayout(Layout.LINES)


def _rows(lines: list[str], delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader((f"{line}\n" for line in lines), delimiter=delimiter))
    except csv.Error:
        return []


def iter_table_rows(text: TextSource, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Iterate over a table as pairs of line number, from 1, and values.

    A quoted value may span several lines; the row then has the number of its first line.

    Raises:
        RespondentFileError: at a quotation mark that is never closed.
    """
    lines = chain.from_iterable(io.StringIO(block, newline="\n") for block in _decoded(text))
    reader = csv.reader(lines, delimiter=delimiter)
    before, width = 0, 0
    try:
        for row in reader:
            width = width or len(row)
            if reader.line_num - before > 1 and (
                len(row) != width or any(contains_id(v.partition("\n")[2]) for v in row)
            ):
                raise _open_quote_error(text.name, before + 1)
            yield before + 1, row
            before = reader.line_num
    except csv.Error:
        raise _open_quote_error(text.name, before + 1) from None


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
