"""What a wave hands over to a history, from wherever it comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol, Self

from cint_nb.domain.ids import mask_ids_in, printable
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


@dataclass(frozen=True)
class ReportFile:
    """The file that a report was read from, and how, so that it can be read again.

    Args:
        path: Where it is; from the folder beside the history if it lies there, so that both can be moved together.
        sha256: Of its content when it was read.
        target_group: The one whose visits were kept; None for all.
        choices: The fields of `ReportChoices`.
    """

    path: str
    sha256: str
    target_group: str | None
    choices: Mapping[str, Any]

    @classmethod
    def of(
        cls, path: Path, sha256: str, history: Path, *, target_group: str | None, choices: Mapping[str, Any]
    ) -> Self | None:
        """Return what is remembered of a file; None if its name holds an id, which may stand in two tables only."""
        found = path.absolute()
        shown = str(found.relative_to(history.parent)) if found.is_relative_to(history.parent) else str(found)
        return None if mask_ids_in(shown) != shown else cls(shown, sha256, target_group, choices)

    @classmethod
    def from_manifest(cls, found: Mapping[str, Any]) -> Self:
        """Return what the manifest of a history says."""
        return cls(**found)

    def to_manifest(self) -> dict[str, Any]:
        """Return what the manifest of a history keeps."""
        return asdict(self)

    def place(self, history: Path) -> Path:
        """Return where the file should be."""
        return history.parent / self.path


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
