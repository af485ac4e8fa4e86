"""From lines to verdicts: blocks of plain ids by comparison with a pattern, everything else line by line."""

from __future__ import annotations

import re
from array import array
from binascii import unhexlify
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from cint_nb.domain import ids, limits
from cint_nb.domain.errors import RespondentFileError
from cint_nb.study.files import id_array as key_rows
from cint_nb.study.files.id_array import BYTE_CLASSES, ID_PATTERN, RowNumbers
from cint_nb.study.files.line_index import LineIndex, MalformedTexts, decode_line
from cint_nb.study.files.verdicts import normalise_line

_NOT_HEX = bytes(byte for byte in range(256) if byte not in key_rows.HEX)
_WRAPPING = b" \t\r\n\v\f\x1a\"'`{}<>()[],;"
_DIGITS = np.dtype("V8,V4,V4,V4,V12")  # the hex digits of an id, between its dashes
_GATHER_MIN_ROWS = 64  # lines, from which gathering digits by numpy is faster
_EMPTY = re.compile(rb"(?:\r?\n)++")  # possessive: else a million empty lines are remembered one by one
_PATTERN_STEPS = 13  # the longest pattern is 4,096 lines
_PATTERN_MAX_BYTES = 64
_KEPT_TEXT_BYTES = 200
_BATCH = 65_536


class LineScanner:
    """Collect the verdicts of lines as they come.

    Args:
        source_name: For errors.
    """

    def __init__(self, source_name: str = "") -> None:
        self.lines = 0
        self.saw_cp1252 = False
        self._name = source_name
        self._keys = bytearray()
        self._blank = array("q")
        self._malformed = array("q")
        self._header = array("q")
        self._texts = bytearray()
        self._ends = array("q")
        self._step = 0
        self._patterns: list[bytes] = []
        self._use_pattern(ID_PATTERN + b"\n")
        self._previous = (b"", -1)

    def feed(self, block: bytes) -> None:
        """Judge a block of whole lines, each ended by LF or CRLF; a CR inside ends a line too."""
        shape = block.translate(BYTE_CLASSES)
        place, end = 0, len(block)
        while place < end:
            start = place
            place = self._run_end(shape, place)
            if place > start:
                self._take_ids(block, start, place)
            if empty := _EMPTY.match(block, place):
                self._skip_blank(block.count(b"\n", place, empty.end()))
                place = empty.end()
            elif place < end:
                stop = block.index(b"\n", place)
                raw = block[place:stop]
                if b"\r" in raw[:-1]:
                    for part in raw.removesuffix(b"\r").split(b"\r"):
                        self.scan_line(part)
                else:
                    self.scan_line(raw)
                place = stop + 1
        self._check_length()

    def _skip_blank(self, blanks: int) -> None:
        """Count empty lines, which a file can hold by the million."""
        self._blank.frombytes(np.arange(self.lines, self.lines + blanks, dtype=np.int64).tobytes())
        self.lines += blanks

    def _run_end(self, shape: bytes, place: int) -> int:
        """Return the end of the run of lines that have the pattern: steps double while they fit, then halve."""
        ladder, step = self._patterns, self._step
        while shape.startswith(ladder[step], place):
            place += len(ladder[step])
            step = min(step + 1, _PATTERN_STEPS - 1)
        self._step = max(0, step - 1)
        while step:
            step -= 1
            if shape.startswith(ladder[step], place):
                place += len(ladder[step])
        return place

    def _take_ids(self, block: bytes, start: int, stop: int) -> None:
        """Keep the ids of a run of lines that have the pattern."""
        count = (stop - start) // len(self._patterns[0])
        if count < _GATHER_MIN_ROWS:
            self._keys += unhexlify(block[start:stop].translate(None, _NOT_HEX))
        else:
            lines = np.frombuffer(block, self._parts, count, start)
            digits = np.empty(count, _DIGITS)
            for name in _DIGITS.names or ():
                digits[name] = lines[name]
            self._keys += unhexlify(digits.data)
        self.lines += count

    def _use_pattern(self, pattern: bytes) -> None:
        at = pattern.index(b"h")
        layout: Any = {
            "names": _DIGITS.names,
            "formats": [_DIGITS[name] for name in _DIGITS.names or ()],
            "offsets": [at + place for place in (0, 9, 14, 19, 24)],
            "itemsize": len(pattern),
        }
        self._parts: np.dtype[np.void] = np.dtype(layout)
        self._step = 0
        self._patterns = [pattern * (1 << step) for step in range(_PATTERN_STEPS)]

    def scan_line(self, raw: bytes) -> None:
        """Judge one line, without its end."""
        bare = raw.strip(_WRAPPING)
        if len(bare) == 36 and bare.translate(BYTE_CLASSES) == ID_PATTERN:
            self._keys += unhexlify(bare.replace(b"-", b""))
            self._learn_pattern(raw)
        elif not bare:
            self._blank.append(self.lines)
        else:
            text, was_cp1252 = decode_line(raw)
            self.saw_cp1252 |= was_cp1252
            text = normalise_line(text)
            if ids.is_respondent_id(text):
                self._keys += unhexlify(text.replace("-", ""))
                self._learn_pattern(raw)
            elif not text:
                self._blank.append(self.lines)
            else:
                self._malformed.append(self.lines)
                self._texts += raw.removesuffix(b"\r")[:_KEPT_TEXT_BYTES]
                self._ends.append(len(self._texts))
        self.lines += 1

    def _learn_pattern(self, raw: bytes) -> None:
        """Adopt the wrapping of this line as the pattern if the previous line has the same one."""
        if len(raw) < _PATTERN_MAX_BYTES:
            pattern = (raw + b"\n").translate(BYTE_CLASSES)
            follows = self._previous == (pattern, self.lines - 1)
            if follows and pattern != self._patterns[0] and ID_PATTERN in pattern and pattern.count(b"h") == 32:
                self._use_pattern(pattern)
            self._previous = (pattern, self.lines)

    def scan_values(self, texts: Iterable[str]) -> None:
        """Judge values that are whole lines in themselves, whatever they contain."""
        batch: list[str] = []
        for text in texts:
            batch.append(text)
            if len(batch) == _BATCH:
                self._scan_batch(batch)
                batch = []
        self._scan_batch(batch)

    def _scan_batch(self, batch: Sequence[str]) -> None:
        if not batch:
            return
        block = ("\n".join(batch) + "\n").encode("utf-8", "replace")
        if b"\r" not in block and block.count(b"\n") == len(batch):
            self.feed(block)
        else:
            for text in batch:
                self.scan_line(text.encode("utf-8", "replace"))
            self._check_length()

    def mark_header(self) -> None:
        """Count the next line as the header row."""
        self._header.append(self.lines)
        self.lines += 1

    def _check_length(self) -> None:
        if self.lines > limits.SOURCE_MAX_LINES:
            raise RespondentFileError(
                f"The source has more than {limits.SOURCE_MAX_LINES:,} lines.",
                evidence={"source": self._name or None},
                next_step="split it before reading; one target group holds "
                f"{limits.IDS_PER_TARGET_GROUP:,} ids in any case.",
            )

    def finish(
        self, *, is_header: Callable[[str, bool], bool] | None = None, numbers: array[int] | None = None
    ) -> LineIndex:
        """Find the duplicates and close the books.

        Args:
            is_header: Asked about the first line that is not blank, if it is malformed, with its text and whether any
                id was found; tells whether that line is a header row.
            numbers: Line number of each position, where that is not the position plus 1.
        """
        blank, malformed = _index(self._blank), _index(self._malformed)
        header, texts = _index(self._header), MalformedTexts(bytes(self._texts), _index(self._ends))
        first, header_text = _first_not_in(blank), ""
        if is_header and len(malformed) and malformed[0] == first and is_header(texts[0], bool(self._keys)):
            header, malformed, header_text = malformed[:1], malformed[1:], texts[0]
            texts = MalformedTexts(texts.content[int(texts.ends[0]) :], texts.ends[1:] - texts.ends[0])
        keys = key_rows.from_buffer(self._keys)
        again, original = key_rows.find_duplicates(keys)
        if len(again):
            mask = np.ones(self.lines, dtype=np.bool_)
            for others in (blank, malformed, header):
                mask[others] = False
            places = np.flatnonzero(mask)
            keep = np.ones(len(keys), dtype=np.bool_)
            keep[again] = False
            keys, again, original = key_rows.take_rows(keys, keep), places[again], places[original]
        keys.flags.writeable = False
        return LineIndex(
            keys=keys,
            lines=self.lines,
            blank=blank,
            malformed=malformed,
            duplicate=again,
            first=original,
            header=header,
            texts=texts,
            numbers=None if numbers is None else _index(numbers),
            header_text=header_text,
        )


def _index(values: array[int]) -> RowNumbers:
    return np.array(values, dtype=np.int64)


def _first_not_in(ascending: RowNumbers) -> int:
    """Return the smallest position that is not in an ascending list."""
    gaps = np.flatnonzero(ascending != np.arange(len(ascending)))
    return int(gaps[0]) if len(gaps) else len(ascending)
