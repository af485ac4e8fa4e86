"""From wave to wave: who came back, what share of them, and how those who dropped out differ from those who stayed.

The exchange publishes no count of invitations, so nothing here is called a response rate. Every rate names what it is
a share of.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError, RespondentFileError
from cint_nb.domain.ids import EntityType, mask_id, masked_repr, printable
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.study.files.verdicts import normalise_line, raise_if_masked
from cint_nb.study.longitudinal.proportions import contrast, wilson_interval
from cint_nb.study.longitudinal.waves import (
    DISPOSITION_ORDER,
    Disposition,
    HistoryWave,
    disposition_code,
    wave_dispositions,
)
from cint_nb.study.outcome.visit_reports import VisitReport, read_report

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Disposition", "HistoryWave", "VisitReport", "WaveSeries", "read_report", "wilson_interval"]

_RESERVED_NAMES = ("id", "people", "share")  # columns beside those named like the waves
_Flags = NDArray[np.bool_]


@check_arguments()
class WaveSeries:
    """Follow people over the waves of a study. Shows no id unless asked to.

    Args:
        waves: In the order of time, each with a name of its own.

    Raises:
        InputError: there is no wave, or two have the same name.
        RespondentFileError: a list holds RIDs: a visit never comes back, a person does.

    Example:
        >>> history = cint.History([cint.HistoryWave("Wave 1", report), cint.HistoryWave("Wave 2", report, people)])
        >>> history
        <History: 57 people · Wave 1, Wave 2>
    """

    def __init__(self, waves: Sequence[HistoryWave]) -> None:
        names = [wave.name for wave in waves]
        if not names or len({*names, *_RESERVED_NAMES}) < len(names) + len(_RESERVED_NAMES):
            raise InputError(
                "A series needs at least one wave, each with a name of its own that is none of "
                f"{', '.join(_RESERVED_NAMES)}.",
                evidence={"waves": ", ".join(names) or "none"},
                next_step="write cint.WaveSeries([cint.HistoryWave('wave 1', report), "
                "cint.HistoryWave('wave 2', report, people)]).",
            )
        self.waves = {wave.name: wave for wave in waves}
        self._row_of: dict[str, int] = {}
        for wave in waves:
            for rsid in wave.known_rsids():
                self._row_of.setdefault(rsid, len(self._row_of))
        self._ids = tuple(self._row_of)
        self._dispositions = {wave.name: wave_dispositions(wave, self._row_of) for wave in waves}

    # --- person by person -------------------------------------------------------------------------------------

    def wide(self, *, reveal: bool = False) -> pd.DataFrame:
        """Return one row per person, in the order they first appeared.

        Args:
            reveal: Show whole ids. Masked otherwise.

        Returns:
            A frame: `id`, then a column for each wave, named like it, with the words of `Disposition`: `completed`;
            `came back` (entered and did not complete) or, in a wave without a list, `entered`; `absent` (uploaded,
            did not enter); `rejected` (the exchange did not save the id); `not asked` (not in the list of that wave).

        Example:
            >>> history = cint.History([cint.HistoryWave("Wave 1", report), cint.HistoryWave("Wave 2", report, people)])
            >>> history.wide().columns.tolist()
            ['id', 'Wave 1', 'Wave 2']
        """
        import pandas as pd

        ids = pd.Series(self._ids if reveal else [mask_id(rsid) for rsid in self._ids], dtype="str")
        return pd.DataFrame({"id": ids, **{name: self._disposition_words(name) for name in self.waves}})

    def patterns(self) -> pd.DataFrame:
        """Count the people of each course through the waves, the most frequent first.

        Returns:
            A frame: a column for each wave, `people`, `share` of all people of the series (0–1).

        Example:
            >>> history = cint.History([cint.HistoryWave("Wave 1", report), cint.HistoryWave("Wave 2", report, people)])
            >>> history.patterns()
                  Wave 1     Wave 2  people     share
            0  not asked     absent      41  0.719298
            1  completed  completed      13  0.228070
            2    entered  came back       3  0.052632
        """
        table = self.wide().drop(columns="id")
        counts = table.value_counts(sort=False).rename("people").reset_index()
        counts = counts.sort_values(["people", *self.waves], ascending=[False, *[True] * len(self.waves)])
        return counts.assign(share=counts["people"] / max(1, len(self))).reset_index(drop=True)

    def respondents(self, standing: Mapping[str, str | Collection[str]]) -> Respondents:
        """Return the people who stood a certain way, ready to be uploaded to another wave.

        Args:
            standing: For each wave that matters one word of `Disposition`, or several, such as
                `{"wave 1": "completed", "wave 2": ["absent", "came back"]}`.

        Raises:
            InputError: a wave or a word is unknown.
            RespondentFileError: nobody fits.

        Example:
            >>> history = cint.History([cint.HistoryWave("Wave 1", report), cint.HistoryWave("Wave 2", report, people)])
            >>> history.respondents({"Wave 1": "completed"})
            <Respondents: 13 RSIDs · 13 lines · panel of Wave 2>
        """
        chosen = np.ones(len(self), np.bool_)
        for name, words in standing.items():
            wanted = [words] if isinstance(words, str) else list(words)
            chosen &= np.isin(self._get_wave(name), [disposition_code(word) for word in wanted])
        ids = [rsid for rsid, fits in zip(self._ids, chosen, strict=True) if fits]
        if not ids:
            raise RespondentFileError(
                "Nobody in the series matches.", next_step="see series.patterns() for the groups that exist."
            )
        return read_respondents(ids, entity_type=EntityType.RSID, name=f"panel of {list(self.waves)[-1]}")

    # --- rates ------------------------------------------------------------------------------------------------

    def retention(self, *, confidence: float = 0.95) -> pd.DataFrame:
        """Return the rates of every wave that has a list, with their Wilson intervals.

        - `participation`: entered, of the ids uploaded to the wave.
        - `completion`: completed, of the ids uploaded to the wave.
        - `retention`: completed, of those uploaded who had completed the wave before.
        - `every wave`: completed this and all earlier waves, of those who completed the first.

        Ids the exchange rejected count as not uploaded; only the base of `every wave` keeps them. The interval tells
        how far a rate may lie from that of many more people of the same kind, if each decides alone; it knows nothing
        of who was left out of the list.

        Args:
            confidence: Share of such intervals that hold the true rate, above 0 and below 1.

        Returns:
            A frame: `wave`, `rate`, `people`, `of`, `share` (0–1), `low`, `high` (0–1), `confidence`, `among` (what
            `of` counts).

        Raises:
            InputError: the confidence is not between 0 and 1.

        Example:
            >>> history = cint.History([cint.HistoryWave("Wave 1", report), cint.HistoryWave("Wave 2", report, people)])
            >>> history.retention().columns.tolist()
            ['wave', 'rate', 'people', 'of', 'share', 'low', 'high', 'confidence', 'among']
        """
        import pandas as pd

        names = list(self.waves)
        rows: list[tuple[Any, ...]] = []

        def add(wave: str, rate: str, part: _Flags, base: _Flags, among: str) -> None:
            people, of = int((part & base).sum()), int(base.sum())
            low, high = wilson_interval(people, of, confidence)
            rows.append((wave, rate, people, of, people / of if of else None, low, high, confidence, among))

        always = self.has_disposition(names[0], Disposition.COMPLETED)
        first = always.copy()
        for before, name in zip([None, *names], names, strict=False):
            done = self.has_disposition(name, Disposition.COMPLETED)
            always &= done
            if self.waves[name].uploaded is None:
                continue
            asked = self._was_uploaded(name)
            came = done | self.has_disposition(name, Disposition.CAME_BACK)
            add(name, "participation", came, asked, f"ids uploaded to {name}")
            add(name, "completion", done, asked, f"ids uploaded to {name}")
            if before is not None:
                base = asked & self.has_disposition(before, Disposition.COMPLETED)
                add(name, "retention", done, base, f"completed {before}, uploaded to {name}")
                add(name, "every wave", always, first, f"completed {names[0]}")
        columns = ["wave", "rate", "people", "of", "share", "low", "high", "confidence", "among"]
        frame = pd.DataFrame(rows, columns=columns)
        return frame.astype(dict.fromkeys(("share", "low", "high", "confidence"), "Float64"))

    def contrast(
        self,
        attribute: str | Mapping[str, Any] | pd.Series[Any],
        *,
        stayed: str | None = None,
        since: str | None = None,
        bins: int | None = None,
        confidence: float = 0.95,
    ) -> pd.DataFrame:
        """Compare who dropped out with who stayed, by an attribute known from before.

        Looks at the people who completed one wave and were uploaded to a later one: those who completed that too
        stayed, the others dropped out.

        Args:
            attribute: A column of the report of `since`, or a value for each RSID: a mapping, or a Series whose index
                holds the RSIDs.
            stayed: The later wave; the last one when left out.
            since: The earlier wave; the one before `stayed` when left out.
            bins: Cut numbers into so many groups of about equal size; None takes every value as it is.
            confidence: Of the intervals of `retention`.

        Returns:
            A frame, one row a value, the most frequent first (groups of numbers in their order): `value`, `stayed`,
            `dropped_out` (people); `share_of_stayed`, `share_of_dropped_out` (each adds up to 1); `retention`, stayed
            of the people with this value; `low`, `high`, `confidence`. People without a value are `not known`.

        Raises:
            InputError: a wave is unknown, or the later one has no list; the values belong to ids that are masked, or
                to nobody in the history, or two different ones to one person.

        Example:
            >>> history = cint.History([cint.HistoryWave("Wave 1", report), cint.HistoryWave("Wave 2", report, people)])
            >>> ages = {person: ("young", "old")[number % 2] for number, person in enumerate(report.entrants.ids)}
            >>> history.contrast(ages).columns.tolist()[:3]
            ['value', 'stayed', 'dropped_out']
        """
        import pandas as pd

        names = list(self.waves)
        later = names[-1] if stayed is None else stayed
        self._get_wave(later)
        earlier = names[max(0, names.index(later) - 1)] if since is None else since
        done, before = (
            self.has_disposition(later, Disposition.COMPLETED),
            self.has_disposition(earlier, Disposition.COMPLETED),
        )
        if self.waves[later].uploaded is None or names.index(earlier) >= names.index(later):
            raise InputError(
                "Dropping out needs an earlier wave and a later one with a list of uploaded ids.",
                evidence={"since": earlier, "stayed": later},
                next_step=f"choose two of {', '.join(names)}.",
            )
        base = before & self._was_uploaded(later)
        found = self.waves[earlier].report.values(attribute, reveal=True) if isinstance(attribute, str) else attribute
        known = self._values_of_people(found)
        values = pd.Series(
            [known.get(rsid) for rsid, chosen in zip(self._ids, base, strict=True) if chosen], dtype="object"
        )
        return contrast(values, done[base], bins=bins, confidence=confidence)

    # --- what to mind -----------------------------------------------------------------------------------------

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about what makes the results incomplete; empty when nothing does."""
        found = []
        for name, wave in self.waves.items():
            if wave.report.visits_without_rsid:
                hidden = f"{wave.report.visits_without_rsid:,} visits of {name} have no RSID"
                found.append(f"{hidden}: participation may be higher than shown.")
            if wave.uploaded is not None and (strange := len(wave.report.entrants.difference(wave.uploaded))):
                found.append(
                    f"{strange:,} people in the report of {name} are not in its uploaded list; they count in no rate."
                )
        return tuple(found)

    def has_disposition(self, name: str, standing: Disposition | str) -> _Flags:
        """Return for each person, in the order of `wide`, whether they stood so in a wave.

        Args:
            name: Name of the wave.
            standing: What became of the person, as `wide` names it.

        Raises:
            InputError: the wave or the word is unknown.

        Example:
            >>> history = cint.History([cint.HistoryWave("Wave 1", report), cint.HistoryWave("Wave 2", report, people)])
            >>> int(history.has_disposition("Wave 1", "completed").sum())
            13
        """
        return np.asarray(self._get_wave(name) == disposition_code(standing))

    def __len__(self) -> int:
        """Count the people."""
        return len(self._ids)

    @printable
    def __repr__(self) -> str:
        """Count people and name the waves, without ids."""
        return f"<WaveSeries: {len(self):,} people · {', '.join(self.waves)}>"

    # --- inside -----------------------------------------------------------------------------------------------

    def _get_wave(self, name: str) -> NDArray[np.int64]:
        if name not in self._dispositions:
            raise InputError(
                f"There is no wave {masked_repr(name)} in the series.",
                evidence={"field": "wave"},
                next_step=f"use one of {', '.join(map(repr, self.waves))}.",
            )
        return self._dispositions[name]

    def _values_of_people(self, attribute: Mapping[str, Any] | pd.Series[Any]) -> dict[str, Any]:
        """Return the value of each person, by normalised RSID."""
        known: dict[str, Any] = {}
        several = 0
        for rsid, value in attribute.items():
            key = normalise_line(str(rsid))
            several += key in known and str(known[key]) != str(value)  # NaN differs from itself
            known[key] = value
        raise_if_masked(known, "IDs that have a value")
        if several:
            raise InputError(
                f"{several:,} IDs have two different values.", next_step="give each RSID one value of the attribute."
            )
        if known and self._row_of and not known.keys() & self._row_of.keys():
            raise InputError(
                f"None of the {len(known):,} IDs that have a value is in the series.",
                next_step="give a value for each RSID: series.wide(reveal=True) has them in its column 'id'.",
            )
        return known

    def _was_uploaded(self, name: str) -> _Flags:
        """Return for each person whether their id was uploaded to a wave and saved."""
        wave, asked = self.waves[name], np.zeros(len(self), np.bool_)
        asked[[self._row_of[rsid] for rsid in (wave.uploaded.ids if wave.uploaded else ())]] = True
        return np.asarray(asked & (self._get_wave(name) != disposition_code(Disposition.REJECTED)))

    def _disposition_words(self, name: str) -> pd.Series:
        import pandas as pd

        words = np.array([standing.value for standing in DISPOSITION_ORDER], dtype=object)
        return pd.Series(words[self._dispositions[name]], dtype="str")
