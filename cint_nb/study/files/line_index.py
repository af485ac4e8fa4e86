"""The index of a scanned source: ids and the positions of all other lines, kept compact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from cint_nb.domain.ids import printable
from cint_nb.study.files.id_array import BoolMask, IdArray, RowNumbers
from cint_nb.study.files.verdicts import malformed_reason


@printable
@dataclass(frozen=True, slots=True, eq=False)
class MalformedTexts:
    """The text of malformed lines, in source order, truncated to 200 bytes.

    Args:
        content: The texts, one behind the other.
        ends: Where each ends in `content`.
        reasons: Why lines are malformed whose row shows it, such as a row of another width.
    """

    content: bytes = field(default=b"", repr=False)  # of people: an id, or an e-mail address
    ends: RowNumbers = field(default_factory=lambda: np.empty(0, np.int64))
    reasons: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, row: int) -> str:
        start = int(self.ends[row - 1]) if row else 0
        return decode_line(self.content[start : int(self.ends[row])])[0]

    def reason(self, row: int) -> str:
        """Return why the line is malformed."""
        return self.reasons.get(row) or malformed_reason(self[row]).value

    def without_first(self, count: int) -> MalformedTexts:
        """Return the texts without the first ones, which turned out to be header lines."""
        if not count:
            return self
        start = int(self.ends[count - 1])
        reasons = {row - count: reason for row, reason in self.reasons.items() if row >= count}
        return MalformedTexts(self.content[start:], self.ends[count:] - start, reasons)


@dataclass(frozen=True, slots=True)
class VerdictCounts:
    """Line counts by verdict; `usable + blank + duplicate + malformed + header + hidden` is always `lines`."""

    lines: int
    usable: int
    blank: int
    duplicate: int
    malformed: int
    header: int
    hidden: int = 0


@printable
@dataclass(frozen=True, slots=True, eq=False)
class LineIndex:
    """The verdict of every line of a source, as positions from 0; a position in none of the lists is usable.

    Args:
        keys: Usable, unique ids in source order.
        lines: How many lines the source has.
        blank: Positions of blank lines.
        malformed: Positions of malformed lines; `texts` contains their text.
        duplicate: Positions of lines that repeat an id, `first` the positions they repeat.
        header: Positions of header lines.
        numbers: Line number of each position, if it is not the position plus 1.
        header_text: Text of the header line, if it was found among the lines.
        hidden: Positions of lines that are hidden in the source and were left out.
    """

    keys: IdArray = field(repr=False)
    lines: int
    blank: RowNumbers
    malformed: RowNumbers
    duplicate: RowNumbers
    first: RowNumbers
    header: RowNumbers
    texts: MalformedTexts
    numbers: RowNumbers | None = None
    header_text: str | None = field(default=None, repr=False)
    hidden: RowNumbers = field(default_factory=lambda: np.empty(0, np.int64))

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
            hidden=len(self.hidden),
        )

    def usable_mask(self) -> BoolMask:
        """Return for each position whether it is usable."""
        mask = np.ones(self.lines, dtype=np.bool_)
        for others in (self.blank, self.malformed, self.duplicate, self.header, self.hidden):
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
