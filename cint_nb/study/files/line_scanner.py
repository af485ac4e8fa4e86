"""The line scanner: plain ids by pattern in blocks, everything else line by line.

Nearly all lines of a list of ids have one form, and every step that Python takes per line costs seconds over ten
million lines. So runs of such lines are recognised, counted and converted as a whole, and only the others are judged
one by one. All ways give the same verdicts.
"""

from __future__ import annotations

import re
from array import array
from binascii import unhexlify
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from cint_nb.domain import ids, limits
from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import BYTE_CLASSES, HEX, ID_PATTERN
from cint_nb.study.files import id_array
from cint_nb.study.files.id_array import RowNumbers
from cint_nb.study.files.line_index import LineIndex, MalformedTexts, decode_line
from cint_nb.study.files.verdicts import JudgedLine, Verdict, normalise_line

_NOT_HEX = bytes(byte for byte in range(256) if byte not in HEX)
# What is stripped before decoding, so that most lines need none; `normalise_line` removes other wrapping.
_WRAPPING = b" \t\r\n\v\f\x1a\"'`{}<>()[],;"
_DIGITS = np.dtype("i8,i4,i4,i4,i8,i4")  # the hex digits of an id, as numbers of the same size
_GATHER_MIN_ROWS = 64  # from so many lines on, gathering digits with numpy is faster than deleting the other bytes
_EMPTY = re.compile(
    rb"(?:\r?\n)++"
)  # possessive: otherwise the regex engine remembers a million empty lines one by one
_PATTERN_STEPS = 13  # the longest pattern is 4,096 lines
_PATTERN_MAX_BYTES = 64  # a longer line has more than wrapping around the id, which hardly repeats
_KEPT_TEXT_BYTES = 200  # enough to see why a line is malformed; a binary file must not fill the memory
_HEADER_LINES = 20  # more lines above the first id are no header
_BATCH = 65_536  # values joined to one block: about 2.4 MB


class LineScanner:
    """Collects the verdicts of lines block by block.

    Args:
        source_name: For errors.
        check: Called with the bytes that are not all plain ids, and the number of lines before them; it may raise.
        expected: How many ids there may be, for the memory to take at once.
    """

    def __init__(
        self,
        source_name: str | None = None,
        *,
        check: Callable[[bytes, int], None] = lambda _block, _lines: None,
        expected: int = 0,
    ) -> None:
        self.lines = 0
        self.saw_cp1252 = False
        self._name, self._check = source_name, check
        self._keys = id_array.IdBuffer(expected)
        self._blank = array("q")
        self._malformed = array("q")
        self._header = array("q")
        self._hidden = array("q")
        self._reasons: dict[int, str] = {}
        self._texts = bytearray()
        self._ends = array("q")
        self._step = 0  # of `_patterns`: where the last run got to, so that the next block starts with long steps
        self._patterns: list[bytes] = []
        self._use_pattern(ID_PATTERN + b"\n")
        self._previous = (b"", -1)  # form and position of the last line judged alone

    def feed(self, block: bytes, start: int = 0, stop: int | None = None) -> None:
        """Judge whole lines, each ended by LF or CRLF; a CR inside ends a line too.

        Args:
            block: The lines.
            start: Where in `block` they begin.
            stop: Where they end; at the end of `block` if omitted.
        """
        stop = len(block) if stop is None else stop
        place = self._take_table(block, start, stop)
        if place < stop:
            rest = block[place:stop]
            self._check(rest, self.lines)
            self._feed_mixed(rest)
        self._check_length()

    def _take_table(self, block: bytes, start: int, stop: int) -> int:
        """Store the ids of the first lines if all have the pattern; return the end of these lines.

        Equally long lines are a table of bytes. Of each line only the bytes that are no digits are compared, and
        `unhexlify` rejects what is no digit: half the time that it takes to look at every byte of the block first.
        """
        pattern = self._patterns[0]
        count = (stop - start) // len(pattern)
        if count < _GATHER_MIN_ROWS:
            return start
        table = np.frombuffer(block, np.uint8, count * len(pattern), start).reshape(count, len(pattern))
        for place in self._fixed:
            wrong = table[:count, place] != pattern[place]
            if wrong.any():
                count = int(wrong.argmax())
                if count < _GATHER_MIN_ROWS:
                    return start
        try:
            self._gather_ids(block, start, count)
        except ValueError:  # something else where digits should be
            return start
        self.lines += count
        return start + count * len(pattern)

    def _feed_mixed(self, block: bytes) -> None:
        """Judge a block in which other lines stand between those that have the pattern."""
        # Once per block: in `form` all plain lines are the same bytes, so a run of them is a repetition of the pattern.
        form = block.translate(BYTE_CLASSES)
        place, end = 0, len(block)
        while place < end:
            start = place
            place = self._run_end(form, place)
            if place > start:
                self._take_ids(block, start, place)
            # The run ended at an empty line, at a line of another form, or at the end of the block.
            if empty := _EMPTY.match(block, place):
                self._skip_blank(block.count(b"\n", place, empty.end()))
                place = empty.end()
            elif place < end:
                stop = block.index(b"\n", place)
                raw = block[place:stop]
                if b"\r" in raw[:-1]:  # line ends are mixed: the reader left CR alone because the text has LF too
                    for part in raw.removesuffix(b"\r").split(b"\r"):
                        self.scan_line(part)
                else:
                    self.scan_line(raw)
                place = stop + 1

    def _skip_blank(self, blanks: int) -> None:
        """Record empty lines, of which a file may contain millions."""
        self._blank.frombytes(np.arange(self.lines, self.lines + blanks, dtype=np.int64).tobytes())
        self.lines += blanks

    def _run_end(self, form: bytes, place: int) -> int:
        """Return the end of the run of lines that have the pattern."""
        # Galloping, then bisection: `startswith` compares memory but does not say where two texts differ. Patterns of
        # 1, 2, 4 … lines find the end of any run in about two comparisons per doubling. Between odd lines runs stay
        # short, so the next search starts at the step that the last one reached.
        patterns, step = self._patterns, self._step
        while form.startswith(patterns[step], place):
            place += len(patterns[step])
            step = min(step + 1, _PATTERN_STEPS - 1)
        self._step = max(0, step - 1)
        # Fewer than 2 ** step lines are left of the run: each smaller pattern fits at most once.
        while step:
            step -= 1
            if form.startswith(patterns[step], place):
                place += len(patterns[step])
        return place

    def _take_ids(self, block: bytes, start: int, stop: int) -> None:
        """Store the ids of a run of lines that have the pattern."""
        count = (stop - start) // len(self._patterns[0])
        if count < _GATHER_MIN_ROWS:
            self._keys.add(unhexlify(block[start:stop].translate(None, _NOT_HEX)))
        else:
            self._gather_ids(block, start, count)
        self.lines += count

    def _gather_ids(self, block: bytes, start: int, count: int) -> None:
        """Store the ids of equally long lines; raise `ValueError` if what should be a digit is none."""
        # The columns of digits are copied side by side, which leaves what `unhexlify` takes in one call.
        lines = np.frombuffer(block, self._parts, count, start)
        digits = np.empty(count, _DIGITS)
        for name in _DIGITS.names or ():
            digits[name] = lines[name]
        self._keys.add(unhexlify(digits.data))

    def _use_pattern(self, pattern: bytes) -> None:
        """Take the form of one line as that of a run: its multiples, and where the digits are."""
        at = pattern.index(b"h")  # the wrapping before the id
        layout: Any = {
            "names": _DIGITS.names,
            # Unsigned here and signed there: numpy converts numbers, which leaves them as they are, twice as fast as it
            # copies such that lie anywhere.
            "formats": ["u8", "u4", "u4", "u4", "u8", "u4"],
            "offsets": [at + place for place in (0, 9, 14, 19, 24, 32)],  # groups of digits, each behind its dash
            "itemsize": len(pattern),
        }
        self._parts: np.dtype[np.void] = np.dtype(layout)
        # The end of the line first: where lines differ in length it is wrong at once.
        self._fixed = [place for place in reversed(range(len(pattern))) if pattern[place] != ord("h")]
        self._step = 0
        self._patterns = [pattern * (1 << step) for step in range(_PATTERN_STEPS)]

    def scan_line(self, raw: bytes) -> None:
        """Judge one line, without its end."""
        # The usual wrapping first, on bytes: decoding and normalising a text takes seven times as long.
        bare = raw.strip(_WRAPPING)
        if len(bare) == 36 and bare.translate(BYTE_CLASSES) == ID_PATTERN:
            self._keys.add(unhexlify(bare.replace(b"-", b"")))
            self._learn_pattern(raw)
        elif not bare:
            self._blank.append(self.lines)
        else:
            text, was_cp1252 = decode_line(raw)
            self.saw_cp1252 |= was_cp1252
            text = normalise_line(text)
            if ids.is_respondent_id(text):
                self._keys.add(unhexlify(text.replace("-", "")))
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
        # A file is usually written by one program, which quotes or indents every line alike. Two neighbours of one form
        # are enough to expect a third; a single odd line must not replace the pattern of all others.
        if len(raw) < _PATTERN_MAX_BYTES:
            pattern = (raw + b"\n").translate(BYTE_CLASSES)
            follows = self._previous == (pattern, self.lines - 1)
            # Exactly 32 hex digits: a wrapping with digits of its own would be taken for a part of the id.
            if follows and pattern != self._patterns[0] and ID_PATTERN in pattern and pattern.count(b"h") == 32:
                self._use_pattern(pattern)
            self._previous = (pattern, self.lines)

    def scan_values(self, texts: Iterable[str | JudgedLine]) -> None:
        """Judge values, each of which is one line whatever it contains."""
        batch: list[str] = []
        for text in texts:
            if isinstance(text, JudgedLine):
                self.scan_texts(batch)
                batch = []
                self._take_judged(text)
                continue
            batch.append(text)
            if len(batch) == _BATCH:
                self.scan_texts(batch)
                batch = []
        self.scan_texts(batch)

    def scan_texts(self, batch: Sequence[str]) -> None:
        """Judge texts, each of which is one line whatever it contains."""
        if not batch:
            return
        block = ("\n".join(batch) + "\n").encode("utf-8", "replace")
        # As one block if no value contains a line end, which would be counted as a line of its own.
        if b"\r" not in block and block.count(b"\n") == len(batch):
            self.feed(block)
        else:
            for text in batch:
                self.scan_line(text.encode("utf-8", "replace"))
            self._check_length()

    def _take_judged(self, line: JudgedLine) -> None:
        if line.verdict is Verdict.HEADER:
            self._header.append(self.lines)
        elif line.verdict is Verdict.HIDDEN:
            self._hidden.append(self.lines)
        else:
            self._reasons[len(self._ends)] = line.reason or ""
            self._malformed.append(self.lines)
            self._texts += (line.text or "").encode("utf-8", "replace")[:_KEPT_TEXT_BYTES]
            self._ends.append(len(self._texts))
        self.lines += 1

    def _check_length(self) -> None:
        if self.lines > limits.SOURCE_MAX_LINES:
            raise RespondentFileError(
                f"The source has more than {limits.SOURCE_MAX_LINES:,} lines.",
                evidence={"source": self._name or None},
                next_step="split it before reading; one target group takes "
                f"{limits.IDS_PER_TARGET_GROUP:,} IDs in any case.",
            )

    def finish(
        self,
        *,
        count_header: Callable[[Sequence[str], bool], int] | None = None,
        header_row: int | None = None,
        numbers: array[int] | None = None,
    ) -> LineIndex:
        """Find the duplicates and return the index.

        Args:
            count_header: Called with the texts of the malformed lines before the first id, 20 at most, and whether
                any id was found; returns how many of them are header lines.
            header_row: Number of the line with the name, where the analyst gave it; lines above it are header lines.
            numbers: Line number of each position, if it is not the position plus 1.
        """
        blank, malformed = _index(self._blank), _index(self._malformed)
        header, hidden = _index(self._header), _index(self._hidden)
        texts = MalformedTexts(bytes(self._texts), _index(self._ends), self._reasons)
        header_text: str | None = None
        if count_header and len(malformed):
            first = _first_not_in(np.union1d(blank, malformed[:_HEADER_LINES]))
            leading = [texts[row] for row in range(int(np.searchsorted(malformed[:_HEADER_LINES], first)))]
            if header_row is not None:
                leading = [text for text, line in zip(leading, malformed, strict=False) if line < header_row]
                if not leading or int(malformed[len(leading) - 1]) != header_row - 1:
                    raise RespondentFileError(
                        f"Line {header_row:,} is no header: it is blank, holds an ID, or stands below one.",
                        evidence={"source": self._name or None, "header_row": header_row},
                        next_step="header_row= is the number of the line with the name, counted from 1.",
                    )
                header, malformed, header_text = malformed[: len(leading)], malformed[len(leading) :], leading[-1]
                texts = texts.without_first(len(leading))
            elif leading and (count := count_header(leading, len(self._keys) > 0)):
                header, malformed, header_text = malformed[:count], malformed[count:], leading[count - 1]
                texts = texts.without_first(count)
        # Last, because a duplicate may be a million lines behind its original: one sort finds all of them.
        again, original = id_array.find_duplicates(self._keys.rows())
        keys = self._keys.without(again)
        others = np.sort(np.concatenate((blank, malformed, header, hidden)))
        again, original = _positions(again, others), _positions(original, others)
        keys.flags.writeable = False  # shared by everything derived from it, and hashed
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
            hidden=hidden,
        )


def _index(values: array[int]) -> RowNumbers:
    return np.array(values, dtype=np.int64)


def _positions(rows: RowNumbers, others: RowNumbers) -> RowNumbers:
    """Return the positions of ids: every line that is nothing else is an id, in the same order.

    Args:
        rows: Which ids, counted from 0.
        others: Positions of all lines that hold none, ascending.
    """
    return rows + np.searchsorted(others - np.arange(len(others)), rows, side="right")


def _first_not_in(ascending: RowNumbers) -> int:
    """Return the smallest position that is not in an ascending list."""
    # The lists are ascending and without repeats: entry i is i until the first gap.
    gaps = np.flatnonzero(ascending != np.arange(len(ascending)))
    return int(gaps[0]) if len(gaps) else len(ascending)
