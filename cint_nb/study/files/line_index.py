"""The index of a scanned source: ids and the positions of all other lines, kept compact."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cint_nb.study.files.id_array import BoolMask, IdArray, RowNumbers
from cint_nb.study.files.verdicts import MalformedReason, malformed_reason


@dataclass(frozen=True, slots=True, eq=False)
class MalformedTexts:
    """The text of malformed lines, in source order, truncated to 200 bytes."""

    content: bytes = b""
    ends: RowNumbers = field(default_factory=lambda: np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, row: int) -> str:
        start = int(self.ends[row - 1]) if row else 0
        return decode_line(self.content[start : int(self.ends[row])])[0]

    def reason(self, row: int) -> MalformedReason:
        """Return why the line is malformed."""
        return malformed_reason(self[row])


@dataclass(frozen=True, slots=True)
class VerdictCounts:
    """Line counts by verdict; `usable + blank + duplicate + malformed + header` is always `lines`."""

    lines: int
    usable: int
    blank: int
    duplicate: int
    malformed: int
    header: int


@dataclass(frozen=True, slots=True, eq=False)
class LineIndex:
    """The verdict of every line of a source, as positions from 0; a position in none of the lists is usable.

    Args:
        keys: Usable, unique ids in source order.
        lines: How many lines the source has.
        blank: Positions of blank lines.
        malformed: Positions of malformed lines; `texts` contains their text.
        duplicate: Positions of lines that repeat an id, `first` the positions they repeat.
        header: Position of the header line, if any.
        numbers: Line number of each position, if it is not the position plus 1.
        header_text: Text of the header line, if it was found among the lines.
    """

    keys: IdArray
    lines: int
    blank: RowNumbers
    malformed: RowNumbers
    duplicate: RowNumbers
    first: RowNumbers
    header: RowNumbers
    texts: MalformedTexts
    numbers: RowNumbers | None = None
    header_text: str | None = None

    @property
    def counts(self) -> VerdictCounts:
        """Line counts by verdict."""
        return VerdictCounts(
            lines=self.lines,
            usable=len(self.keys),
            blank=len(self.blank),
            duplicate=len(self.duplicate),
            malformed=len(self.malformed),
            header=len(self.header),
        )

    def usable_mask(self) -> BoolMask:
        """Return for each position whether it is usable."""
        mask = np.ones(self.lines, dtype=np.bool_)
        for others in (self.blank, self.malformed, self.duplicate, self.header):
            mask[others] = False
        return mask

    def usable_positions(self) -> RowNumbers:
        """Return the position of each usable id, in the order of `keys`."""
        return np.flatnonzero(self.usable_mask())

    def line_numbers(self, positions: RowNumbers) -> RowNumbers:
        """Return the line numbers of positions, from 1."""
        return positions + 1 if self.numbers is None else self.numbers[positions]


def decode_line(raw: bytes) -> tuple[str, bool]:
    """Decode bytes as UTF-8, otherwise as cp1252; also return whether cp1252 was needed."""
    try:
        return raw.decode("utf-8"), False
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace"), True
