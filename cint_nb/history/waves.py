"""What a wave hands over to a history, from wherever it comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from cint_nb.domain.ids import printable
from cint_nb.domain.plan import Money
from cint_nb.study.files.respondents import Respondents
from cint_nb.wire.clock import Clock


@printable
@dataclass(frozen=True)
class WaveRecord:
    """One target group of one wave, as it was read. What is not known is None.

    Args:
        name: Name of the wave.
        project: Id of its project.
        target_group: Id of its target group.
        read_at: When it was read.
        locale: Such as `ger_de`.
        opened: When the first people could enter.
        closed: When it closed; where it is open, when it will.
        closed_by: `end`, `goal`, `hand` or `pause`, `open` while people can enter, or `not_known`.
        goal: How many completes it asks for.
        price: Of a complete.
        report: The report of its visits, as the exchange made it. None if it could not be had.
        missing: Why there is no report.
        saved: The RSIDs that are saved in the target group; None if that is not known, or if it has no list.
        uploaded: The list that was uploaded; None for new people, or where it is not at hand.
        crosswalk: RSID of each RID, for a list of RIDs.
        notes: Sentences about what could not be read.
    """

    name: str
    project: str | None
    target_group: str | None
    read_at: datetime | None
    locale: str | None = None
    opened: datetime | None = None
    closed: datetime | None = None
    closed_by: str = "not_known"
    goal: int | None = None
    price: Money | None = None
    report: bytes | None = field(default=None, repr=False)
    missing: str | None = None
    saved: Respondents | None = None
    uploaded: Respondents | None = None
    crosswalk: Mapping[str, str] | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()


class RecordedWave(Protocol):
    """Anything that can say what a history keeps of it, such as a `Wave`."""

    def history_record(self, *, start: date | None = None, answers: bool | None = None) -> WaveRecord:
        """Read it, its visits from a day on, with the answers to profiling questions or without."""
        ...


class WaveOpener(Protocol):
    """Anything that opens waves by their names, such as a `Client`."""

    @property
    def clock(self) -> Clock:
        """Its clock."""
        ...

    def wave(self, name: str, *, project: str) -> RecordedWave:
        """Open a wave to read it."""
        ...
