"""From lines to verdicts: blocks of plain ids by comparison with a pattern, everything else line by line."""

from __future__ import annotations

from array import array
from binascii import unhexlify
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from cint_nb.domain import ids, limits
from cint_nb.domain.errors import RespondentFileError
from cint_nb.study import keys as key_rows
from cint_nb.study.keys import Index, Keys
from cint_nb.study.verdicts import Reason, clean, why_malformed

_HEX = b"0123456789abcdefABCDEF"
_SHAPE = bytes(0x68 if byte in _HEX else 0 if byte == 0x68 else byte for byte in range(256))  # a hex digit becomes h
_NOT_HEX = bytes(byte for byte in range(256) if byte not in _HEX)
_ID_SHAPE = b"hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh"
_WRAPPING = b" \t\r\n\v\f\x1a\"'`{}<>()[],;"
_LADDER_STEPS = 13  # the longest pattern is 4,096 lines
_PATTERN_MAX_BYTES = 64
_KEPT_BYTES = 200
_BATCH = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Keep the text of malformed lines, in source order, shortened to 200 bytes."""

    content: bytes = b""
    ends: Index = field(default_factory=lambda: np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, row: int) -> str:
        start = int(self.ends[row - 1]) if row else 0
        return decode(self.content[start : int(self.ends[row])])[0]

    def reason(self, row: int) -> Reason:
        """Say why the line is malformed."""
        return why_malformed(self[row])


@dataclass(frozen=True, slots=True)
class Counts:
    """Count lines by verdict; `usable + blank + duplicate + malformed + header` is always `lines`."""

    lines: int
    usable: int
    blank: int
    duplicate: int
    malformed: int
    header: int


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Hold what every line of a source is, as positions from 0; a position in none of the lists is usable.

    Args:
        keys: Usable, unique ids in source order.
        lines: How many lines the source has.
        blank: Positions of blank lines.
        malformed: Positions of malformed lines; `texts` holds what stood there.
        duplicate: Positions of lines that repeat an id, `first` the positions they repeat.
        header: Position of the header line, if any.
        numbers: Line number of each position, where that is not the position plus 1.
        header_text: What the header line says, where it was found among the lines.
    """

    keys: Keys
    lines: int
    blank: Index
    malformed: Index
    duplicate: Index
    first: Index
    header: Index
    texts: Texts
    numbers: Index | None = None
    header_text: str = ""

    @property
    def counts(self) -> Counts:
        """Count the lines by verdict."""
        return Counts(
            lines=self.lines,
            usable=len(self.keys),
            blank=len(self.blank),
            duplicate=len(self.duplicate),
            malformed=len(self.malformed),
            header=len(self.header),
        )

    def usable_positions(self) -> Index:
        """Return the position of each usable id, in the order of `keys`."""
        mask = np.ones(self.lines, dtype=np.bool_)
        for others in (self.blank, self.malformed, self.duplicate, self.header):
            mask[others] = False
        return np.flatnonzero(mask)

    def numbers_of(self, positions: Index) -> Index:
        """Return the line numbers of positions, from 1."""
        return positions + 1 if self.numbers is None else self.numbers[positions]


def decode(raw: bytes) -> tuple[str, bool]:
    """Read bytes as UTF-8, else as cp1252; also tell whether cp1252 was needed."""
    try:
        return raw.decode("utf-8"), False
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace"), True


class Scan:
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
        self._use_pattern(_ID_SHAPE + b"\n")
        self._previous = b""

    def feed(self, block: bytes) -> None:
        """Judge a block of whole lines, each ended by LF."""
        shape = block.translate(_SHAPE)
        place, end = 0, len(block)
        while place < end:
            start = place
            place = self._run(shape, place)
            if place > start:
                self._keys += unhexlify(block[start:place].translate(None, _NOT_HEX))
                self.lines += (place - start) // len(self._ladder[0])
            if place < end:
                stop = block.index(b"\n", place)
                self.line(block[place:stop])
                place = stop + 1
        self._check_length()

    def _run(self, shape: bytes, place: int) -> int:
        """Return the end of the run of lines that have the pattern, in steps that double while they fit."""
        ladder, step = self._ladder, 0
        while True:
            if shape.startswith(ladder[step], place):
                place += len(ladder[step])
                step = min(step + 1, _LADDER_STEPS - 1)
            elif step:
                step -= 1
            else:
                return place

    def _use_pattern(self, pattern: bytes) -> None:
        self._ladder = [pattern * (1 << step) for step in range(_LADDER_STEPS)]

    def line(self, raw: bytes) -> None:
        """Judge one line, without its end."""
        bare = raw.strip(_WRAPPING)
        if len(bare) == 36 and bare.translate(_SHAPE) == _ID_SHAPE:
            self._keys += unhexlify(bare.replace(b"-", b""))
            self._learn(raw)
        elif not bare:
            self._blank.append(self.lines)
        else:
            text, was_cp1252 = decode(raw)
            self.saw_cp1252 |= was_cp1252
            text = clean(text)
            if ids.is_respondent_id(text):
                self._keys += unhexlify(text.replace("-", ""))
            elif not text:
                self._blank.append(self.lines)
            else:
                self._malformed.append(self.lines)
                self._texts += raw[:_KEPT_BYTES]
                self._ends.append(len(self._texts))
        self.lines += 1

    def _learn(self, raw: bytes) -> None:
        """Take the wrapping of this line as the pattern once two such lines follow each other."""
        if len(raw) < _PATTERN_MAX_BYTES:
            pattern = (raw + b"\n").translate(_SHAPE)
            if pattern == self._previous and pattern != self._ladder[0]:
                self._use_pattern(pattern)
            self._previous = pattern

    def values(self, texts: Iterable[str]) -> None:
        """Judge values that are whole lines in themselves, whatever they contain."""
        batch: list[str] = []
        for text in texts:
            batch.append(text)
            if len(batch) == _BATCH:
                self._batch(batch)
                batch = []
        self._batch(batch)

    def _batch(self, batch: Sequence[str]) -> None:
        if not batch:
            return
        block = ("\n".join(batch) + "\n").encode("utf-8", "replace")
        if block.count(b"\n") == len(batch):
            self.feed(block)
        else:
            for text in batch:
                self.line(text.encode("utf-8", "replace"))
            self._check_length()

    def header(self) -> None:
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
    ) -> Reading:
        """Find the duplicates and close the books.

        Args:
            is_header: Asked about the first line that is not blank, if it is malformed, with its text and whether any
                id was found; tells whether that line is a header row.
            numbers: Line number of each position, where that is not the position plus 1.
        """
        blank, malformed = _index(self._blank), _index(self._malformed)
        header, texts = _index(self._header), Texts(bytes(self._texts), _index(self._ends))
        first, header_text = _first_not_in(blank), ""
        if is_header and len(malformed) and malformed[0] == first and is_header(texts[0], bool(self._keys)):
            header, malformed, header_text = malformed[:1], malformed[1:], texts[0]
            texts = Texts(texts.content[int(texts.ends[0]) :], texts.ends[1:] - texts.ends[0])
        keys = key_rows.from_buffer(self._keys)
        again, original = key_rows.repeats(keys)
        if len(again):
            mask = np.ones(self.lines, dtype=np.bool_)
            for others in (blank, malformed, header):
                mask[others] = False
            places = np.flatnonzero(mask)
            keep = np.ones(len(keys), dtype=np.bool_)
            keep[again] = False
            keys, again, original = keys[keep], places[again], places[original]
        keys.flags.writeable = False
        return Reading(
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


def _index(values: array[int]) -> Index:
    return np.array(values, dtype=np.int64)


def _first_not_in(ascending: Index) -> int:
    """Return the smallest position that is not in an ascending list."""
    gaps = np.flatnonzero(ascending != np.arange(len(ascending)))
    return int(gaps[0]) if len(gaps) else len(ascending)
