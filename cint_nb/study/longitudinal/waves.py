"""What one person did in one wave, in a word, and the wave that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError, RespondentFileError
from cint_nb.domain.ids import EntityType, masked_repr, printable
from cint_nb.study.files.respondents import Respondents
from cint_nb.study.outcome.visit_reports import VisitReport


class Disposition(StrEnum):
    """What one person did in one wave.

    `entered` is for waves without a list: who completed no interview there has not come *back*.
    """

    COMPLETED = "completed"
    CAME_BACK = "came back"
    ENTERED = "entered"
    ABSENT = "absent"
    REJECTED = "rejected"
    NOT_UPLOADED = "not asked"


DISPOSITION_ORDER = tuple(Disposition)
"""The standings by the number that stands for each."""


@check_arguments()
@printable
@dataclass(frozen=True)
class HistoryWave:
    """One wave: its report, and whom it recontacted.

    Args:
        name: Heading of its column.
        report: Its visits, as `read_report` returns them.
        uploaded: The RSIDs that were uploaded. None for a wave of new respondents, which has no list.
        rejected: Those of them the exchange did not save, such as `wave.outcome.rejected`. Nobody asked them, so they
            count neither as absent nor in what is a share of the ids uploaded.

    Example:
        >>> first = cint.HistoryWave("Wave 1", report)
        >>> first.name
        'Wave 1'
    """

    name: str
    report: VisitReport
    uploaded: Respondents | None = None
    rejected: Respondents | None = None

    def known_rsids(self) -> tuple[str, ...]:
        """Return everybody the wave knows of: who entered, then who was uploaded.

        Raises:
            RespondentFileError: the list holds RIDs: a visit never comes back, a person does.

        Example:
            >>> first = cint.HistoryWave("Wave 1", report)
            >>> len(first.known_rsids())
            16
        """
        if self.uploaded is None:
            return self.report.entrants.ids
        if self.uploaded.entity_type is not EntityType.RSID:
            raise RespondentFileError(
                f"The list of {self.name} holds RIDs, one per visit; people are followed by their RSIDs.",
                next_step="bring them to RSIDs first: report.crosswalk().to_rsids(people).",
            )
        return (*self.report.entrants.ids, *self.uploaded.ids)


def wave_dispositions(wave: HistoryWave, places: Mapping[str, int]) -> NDArray[np.int64]:
    """Return the standing of each person in a wave, as numbers of `DISPOSITION_ORDER`.

    Args:
        wave: The wave.
        places: Place of each person, by RSID.
    """

    def of(people: Respondents | None) -> list[int]:
        return [] if people is None else [places[rsid] for rsid in people.ids if rsid in places]

    found = np.full(len(places), disposition_code(Disposition.NOT_UPLOADED))
    found[of(wave.uploaded)] = disposition_code(Disposition.ABSENT)
    found[of(wave.rejected)] = disposition_code(Disposition.REJECTED)
    found[of(wave.report.entrants)] = disposition_code(
        Disposition.ENTERED if wave.uploaded is None else Disposition.CAME_BACK
    )
    found[of(wave.report.completes)] = disposition_code(Disposition.COMPLETED)
    return found


def disposition_code(word: Disposition | str) -> int:
    """Return the number of a standing.

    Raises:
        InputError: there is no such standing.
    """
    try:
        return DISPOSITION_ORDER.index(Disposition(word))
    except ValueError:
        raise InputError(
            f"{masked_repr(word, 40)} is not a disposition.",
            next_step=f"use one of {', '.join(repr(each.value) for each in DISPOSITION_ORDER)}.",
        ) from None
