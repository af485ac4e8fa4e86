"""Sent against saved, id by id: what became of every line of the source."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cint_nb.domain.ids import EntityType, is_respondent_id, normalise_id
from cint_nb.study.files import id_array as key_rows
from cint_nb.study.files import line_frames
from cint_nb.study.files.id_array import IdArray
from cint_nb.study.files.respondents import Respondents
from cint_nb.study.files.verdicts import Verdict

if TYPE_CHECKING:
    import pandas as pd


class LineOutcome(StrEnum):
    """What became of a line; lines that were never sent keep their verdict."""

    SAVED = "saved"
    ALREADY_SAVED = "already_saved"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    DUPLICATE = Verdict.DUPLICATE.value
    MALFORMED = Verdict.MALFORMED.value
    BLANK = Verdict.BLANK.value
    HEADER = Verdict.HEADER.value


_SENT = (LineOutcome.SAVED, LineOutcome.ALREADY_SAVED, LineOutcome.REJECTED, LineOutcome.UNKNOWN)
_SAVED, _ALREADY_SAVED, _REJECTED, _UNKNOWN = range(4)
_MEANINGS = {
    LineOutcome.SAVED: "stored by this upload",
    LineOutcome.ALREADY_SAVED: "the target group held this person before",
    LineOutcome.REJECTED: "sent, and not among the saved ids afterwards",
    LineOutcome.UNKNOWN: "sent as RID; only a crosswalk can tell",
    LineOutcome.DUPLICATE: "repeats an earlier line; sent once",
    LineOutcome.MALFORMED: "no respondent id; not sent",
    LineOutcome.BLANK: "nothing on the line; not sent",
    LineOutcome.HEADER: "the header row; not sent",
}
_FIRST_REJECTION = "the exchange did not save it"
_REJECTED_AGAIN = "the exchange did not save it, for the second time"
_SUCCEEDED_COUNT = re.compile(r"(\d[\d.,' ]*)[^\d]{0,60}?success", re.IGNORECASE)
_FAILED_COUNT = re.compile(r"(\d[\d.,' ]*)\s*(?:\w+\s){0,2}?fail", re.IGNORECASE)


@dataclass(frozen=True, eq=False, repr=False)
class Outcome:
    """What became of every line of the respondents.

    Made by `reconcile`.

    Args:
        respondents: What was sent.
        outcome_codes: For each usable id 0 saved, 1 already saved, 2 rejected, 3 unknown.
        warnings: Sentences: counts that disagree, what cannot be told.
        rejected_before: For each usable id whether it had been rejected before.
    """

    respondents: Respondents
    outcome_codes: NDArray[np.uint8]
    warnings: tuple[str, ...] = ()
    rejected_before: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))

    @cached_property
    def counts(self) -> dict[str, int]:
        """Count lines by outcome; together they are all lines of the source."""
        lines = self.respondents.counts
        sent = np.bincount(self.outcome_codes, minlength=4)
        counts = {
            LineOutcome.SAVED.value: int(sent[_SAVED]),
            LineOutcome.ALREADY_SAVED.value: int(sent[_ALREADY_SAVED]),
            LineOutcome.REJECTED.value: int(sent[_REJECTED]),
            LineOutcome.DUPLICATE.value: lines.duplicate,
            LineOutcome.MALFORMED.value: lines.malformed,
            LineOutcome.BLANK.value: lines.blank,
            LineOutcome.HEADER.value: lines.header,
        }
        if sent[_UNKNOWN]:
            counts[LineOutcome.UNKNOWN.value] = int(sent[_UNKNOWN])
        return counts

    @cached_property
    def rejected(self) -> Respondents:
        """Return those that were sent and not saved, with their source lines."""
        return self._select(self.outcome_codes == _REJECTED)

    @cached_property
    def resubmittable(self) -> Respondents:
        """Return the rejected ones that were not rejected before: only these can still succeed.

        Serves the recontact guide, step 3: resubmit only the ids that failed.
        """
        return self._select((self.outcome_codes == _REJECTED) & ~self.rejected_before)

    def _select(self, mask: NDArray[np.bool_]) -> Respondents:
        return self.respondents.select(mask)

    def frame(self, *, reveal: bool = False) -> pd.DataFrame:
        """Return one row for each line of the source, in order.

        Args:
            reveal: Show whole ids and the text of malformed lines. Masked otherwise.

        Returns:
            A frame: `line`, `outcome` (see `LineOutcome`), `reason`, `of_line` (the line a duplicate repeats), `id`.
        """
        frame = self.respondents.lines(reveal=reveal).rename(columns={"verdict": "outcome"})
        outcome, reason = frame["outcome"].to_numpy(dtype=object), frame["reason"].to_numpy(dtype=object)
        places = self.respondents.line_index.usable_positions()
        outcome[places] = np.array([each.value for each in _SENT], dtype=object)[self.outcome_codes]
        rejected = self.outcome_codes == _REJECTED
        reason[places[rejected & ~self.rejected_before]] = _FIRST_REJECTION
        reason[places[rejected & self.rejected_before]] = _REJECTED_AGAIN
        return frame.assign(outcome=outcome, reason=reason).astype({"outcome": "str", "reason": "str"})

    def summary(self) -> pd.DataFrame:
        """Count lines by outcome.

        Returns:
            A frame: `outcome`, `lines`, `share` (0–1), `meaning`.
        """
        import pandas as pd

        total = max(1, self.respondents.counts.lines)
        rows = [(name, lines, lines / total, _MEANINGS[LineOutcome(name)]) for name, lines in self.counts.items()]
        return pd.DataFrame(rows, columns=["outcome", "lines", "share", "meaning"])

    def to_rejects(self, path: str | Path) -> Path:
        """Write every line whose id is not in the target group to a `.csv` that a spreadsheet runs nothing of.

        Lines that repeat a saved id are left out. Ids are written in full: the file is for correcting the source.
        """
        keep = (LineOutcome.SAVED.value, LineOutcome.ALREADY_SAVED.value, LineOutcome.DUPLICATE.value)
        return line_frames.write_rejects(self.frame(reveal=True), Path(path), keep=keep)

    def __repr__(self) -> str:
        """Count by outcome on one line, without ids."""
        counts = " · ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in self.counts.items() if number)
        return f"<Outcome: {counts}>"


def compare_upload(
    respondents: Respondents,
    *,
    before: Collection[str],
    after: Collection[str] | None,
    saved_count: int | None = None,
    message: str = "",
    rejected_before: Collection[str] = frozenset(),
    crosswalk: Mapping[str, str] | None = None,
) -> Outcome:
    """Compare what was sent with what the target group holds, and say what became of every line.

    Args:
        respondents: What was sent.
        before: Ids the target group held before the upload, from its own list.
        after: Ids it holds now; None when the counts agreed and the list was not fetched: all were saved.
        saved_count: `saved_respondent_ids_count` of the overview now.
        message: The job's partial-success text; read for its counts only.
        rejected_before: Ids that an earlier upload of this wave rejected.
        crosswalk: RSID of each RID. The exchange stores RIDs as RSIDs, so without it only counts can be told.

    Serves the recontact guide, steps 2 and 3; endpoints `recontacts/overview` and `recontacts/rsids`.
    """
    held = key_rows.from_ids(before)
    now = None if after is None else key_rows.from_ids(after)
    notes: list[str] = []
    if respondents.entity_type is EntityType.RSID:
        codes = _compare_ids(respondents.id_array, held, now)
    elif crosswalk is not None:
        codes = _compare_by_rsid(respondents, crosswalk, held, now, notes)
    else:
        codes = _compare_by_count(len(respondents), held, now, saved_count, notes)
    again = key_rows.is_in(respondents.id_array, key_rows.from_ids(rejected_before))
    notes += _count_mismatches(codes, held, now, saved_count, message)
    return Outcome(respondents, codes, tuple(notes), again)


def _compare_ids(sent: IdArray, held: IdArray, now: IdArray | None) -> NDArray[np.uint8]:
    was_held = key_rows.is_in(sent, held)
    is_held = np.ones(len(sent), np.bool_) if now is None else key_rows.is_in(sent, now)
    return np.where(~is_held, _REJECTED, np.where(was_held, _ALREADY_SAVED, _SAVED)).astype(np.uint8)


def _compare_by_rsid(
    respondents: Respondents, crosswalk: Mapping[str, str], held: IdArray, now: IdArray | None, notes: list[str]
) -> NDArray[np.uint8]:
    """Compare RIDs by the RSID each belongs to."""
    known = {normalise_id(rid): normalise_id(rsid) for rid, rsid in crosswalk.items()}
    people = [known.get(rid, "") for rid in respondents.ids]
    mapped = np.array([is_respondent_id(each) for each in people], dtype=np.bool_)
    keys = key_rows.from_ids(people)
    found = _compare_ids(keys, held, now)
    repeated, _ = key_rows.find_duplicates(keys)
    found[repeated[found[repeated] == _SAVED]] = _ALREADY_SAVED
    codes = np.full(len(people), _UNKNOWN, np.uint8)
    codes[mapped] = found
    if missing := int((~mapped).sum()):
        notes.append(f"{missing:,} RIDs are not in the crosswalk: what became of them cannot be told.")
    if len(repeated):
        notes.append(f"{len(repeated):,} RIDs belong to a person of another RID: one person is saved once.")
    return codes


def _compare_by_count(
    sent: int, held: IdArray, now: IdArray | None, saved_count: int | None, notes: list[str]
) -> NDArray[np.uint8]:
    """Claim for RIDs no more than counts can tell."""
    new = None
    if now is not None:
        new = int((~key_rows.is_in(now, held)).sum())
    elif saved_count is not None:
        new = saved_count - len(held)
    if new is None or new == sent:
        return np.full(sent, _SAVED, np.uint8)
    if new == 0 and not len(held):
        return np.full(sent, _REJECTED, np.uint8)
    notes.append(
        f"{new:,} respondents are new in the target group after {sent:,} RIDs were sent. Which RIDs they belong to "
        "cannot be told without a crosswalk of RIDs and RSIDs, such as the respondent analysis report."
    )
    return np.full(sent, _UNKNOWN, np.uint8)


def parse_message_counts(message: str) -> tuple[int | None, int | None]:
    """Read how many ids a partial-success text calls uploaded and failed; None where it does not say."""
    good, bad = _SUCCEEDED_COUNT.search(message), _FAILED_COUNT.search(message)
    return (_parse_number(good[1]) if good else None, _parse_number(bad[1]) if bad else None)


def _parse_number(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def _count_mismatches(
    codes: NDArray[np.uint8], held: IdArray, now: IdArray | None, saved_count: int | None, message: str
) -> list[str]:
    """Compare the three counts the exchange gives: overview, list, message."""
    counts = np.bincount(codes, minlength=4)
    saved, already, unknown = int(counts[_SAVED]), int(counts[_ALREADY_SAVED]), int(counts[_UNKNOWN])
    listed = None if now is None else len(now)
    expected = listed if listed is not None else None if unknown else len(held) + saved
    uploaded, failed = parse_message_counts(message)
    agree = saved_count is None or expected is None or saved_count == expected
    if uploaded is not None and not unknown:
        agree = agree and uploaded in {saved, saved + already}
    if agree:
        return []
    said = "nothing" if uploaded is None else f"{uploaded:,} uploaded" + (f", {failed:,} failed" if failed else "")
    return [
        f"The exchange's counts disagree: the overview says {_format_count(saved_count)} saved ids, the list holds "
        f"{_format_count(listed)}, the job's message says {said}; compared by id, {saved:,} are newly saved and "
        f"{already:,} were there before. The list is what counts."
    ]


def _format_count(number: int | None) -> str:
    return "(not asked)" if number is None else f"{number:,}"
