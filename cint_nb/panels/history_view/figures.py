"""What a history view shows, without any widget: waves, retention between them, and what expires.

What is not known is None, never 0: of a wave whose report is missing nobody can say how many came.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from cint_nb.caller_warnings import deliver_warnings
from cint_nb.domain.errors import InputError
from cint_nb.domain.ids import mask_ids_in, printable
from cint_nb.history.history import REACH, History
from cint_nb.measure.retention import retention
from cint_nb.panels.look.cell_format import is_empty


@printable
@dataclass(frozen=True)
class WaveRow:
    """One part of a wave, which is one target group. What is not known is None.

    Args:
        wave: Number of the wave.
        name: Its name, ids in it masked.
        opened: When the first people could enter.
        closed: When it closed; where it is open, when it will.
        closed_by: Why, as `History.parts` says it.
        listed: Ids on its list; None where the history keeps no list, as of new people.
        came: People who came.
        completes: People who completed it.
        visits: Visits.
        report: `final`, `mid-field` or `report missing`.
        read_at: When its report was read.
        expires: When its first visits fall out of the exchange's reach.
    """

    wave: int
    name: str
    opened: datetime | None
    closed: datetime | None
    closed_by: str
    listed: int | None
    came: int | None
    completes: int | None
    visits: int | None
    report: str
    read_at: datetime | None
    expires: datetime | None


@printable
@dataclass(frozen=True)
class RetentionRow:
    """What share of a base completed a wave.

    Args:
        wave: Number of the wave.
        n: People of the base whose report is known.
        not_asked: How many of them were not asked in it.
        completed: How many of them completed it.
        share: Their share; None where it is not known.
        low: Lower end of its interval.
        high: Upper end.
        kind: `rate`, `lower_bound`, `provisional` or `not_known`.
    """

    wave: int
    n: int
    not_asked: int
    completed: int
    share: float | None
    low: float | None
    high: float | None
    kind: str


@printable
@dataclass(frozen=True)
class HistoryFigures:
    """What is shown of a history.

    Args:
        rows: A row for each part of each wave.
        retention: A row for each wave that has a base.
        base: What the rates are shares of.
        expiring: The parts that begin to expire soon, or have begun, each with the days left, the first first.
        refused: Why there are no rates, with the next step; None if there are.
    """

    rows: tuple[WaveRow, ...]
    retention: tuple[RetentionRow, ...]
    base: str
    expiring: tuple[tuple[WaveRow, float], ...] = ()
    refused: str | None = None

    @property
    def waves(self) -> int:
        """How many waves there are."""
        return len({row.wave for row in self.rows})

    @property
    def visits(self) -> int | None:
        """Visits of all waves whose report is known; None if none is."""
        return _sum(row.visits for row in self.rows)

    @property
    def read_at(self) -> datetime | None:
        """When the latest report was read."""
        return max((row.read_at for row in self.rows if row.read_at is not None), default=None)


def _sum(values: Any) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def history_figures(history: History, *, base: str, now: datetime | None = None) -> HistoryFigures:
    """Read what is shown of a history, from its files alone.

    Args:
        history: The history.
        base: What the rates are shares of, as `measure.retention` takes it.
        now: The time from which what expires is counted, as `History.expiring` takes it.

    Raises:
        HistoryError: it is damaged, or of a newer cint_nb.
    """
    if not history.waves:
        return HistoryFigures((), (), base)
    parts = history.parts().to_dict("records")
    rows = {int(part["part"]): _wave_row(part) for part in parts}
    soon = history.expiring(now=now).to_dict("records")
    expiring = tuple((rows[int(part["part"])], float(part["days_left"])) for part in soon)
    rates, refused = _rates(history, base)
    return HistoryFigures(tuple(rows.values()), rates, base, expiring, refused)


def _wave_row(part: dict[Any, Any]) -> WaveRow:
    def whole(name: str) -> int | None:
        return None if is_missing(part[name]) else int(part[name])

    def moment(name: str) -> datetime | None:
        return None if is_missing(part[name]) else part[name].to_pydatetime()

    opened = moment("open_from")
    return WaveRow(
        wave=int(part["wave"]),
        name=mask_ids_in(str(part["name"])),
        opened=opened,
        closed=moment("open_until"),
        closed_by=str(part["closed_by"]),
        listed=whole("listed") or None,  # whoever was listed has a row; without any there is no list
        came=whole("people"),
        completes=whole("completes"),
        visits=whole("visits"),
        report=str(part["state"]),
        read_at=moment("as_of"),
        expires=None if opened is None else opened + REACH,
    )


def is_missing(value: Any) -> bool:
    """Return whether a cell of a frame of pandas holds nothing, `NA` of a nullable column included."""
    return value is pd.NA or is_empty(value)


def _rates(history: History, base: str) -> tuple[tuple[RetentionRow, ...], str | None]:
    with deliver_warnings(show=False):  # each row says in words what the warnings are about
        try:
            rows = retention(history.long(), base=base).to_dict("records")
        except InputError as error:
            return (), " ".join(bit for bit in (error.what, error.next_step) if bit)
    return tuple(
        RetentionRow(
            wave=int(row["wave"]),
            n=int(row["n"]),
            not_asked=int(row["not_asked"]),
            completed=int(row["completed"]),
            share=_number(row["share"]),
            low=_number(row["low"]),
            high=_number(row["high"]),
            kind=str(row["kind"]),
        )
        for row in rows
    ), None


def _number(value: Any) -> float | None:
    return None if is_missing(value) else float(value)
