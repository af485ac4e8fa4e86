"""The outcome of an upload: ids sent compared with ids saved, line by line."""

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

from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import UnexpectedReply
from cint_nb.domain.ids import EntityType, RichDisplay, is_respondent_id, normalise_id, printable
from cint_nb.output_files import write_new_file
from cint_nb.study.files import id_array, line_frames
from cint_nb.study.files.id_array import IdArray
from cint_nb.study.files.respondents import Respondents
from cint_nb.study.files.verdicts import Verdict

if TYPE_CHECKING:
    import pandas as pd


class LineOutcome(StrEnum):
    """The outcome of a line; lines that were never sent keep their verdict."""

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
    LineOutcome.SAVED: "saved by this upload",
    LineOutcome.ALREADY_SAVED: "this person was already in the target group",
    LineOutcome.REJECTED: "sent, but not among the saved IDs afterwards",
    LineOutcome.UNKNOWN: "sent as RID; known only with a crosswalk",
    LineOutcome.DUPLICATE: "repeats an earlier line; sent once",
    LineOutcome.MALFORMED: "not a respondent ID; not sent",
    LineOutcome.BLANK: "empty line; not sent",
    LineOutcome.HEADER: "the header row; not sent",
}
_FIRST_REJECTION = "not saved by the exchange"
_REJECTED_AGAIN = "not saved by the exchange, twice"
_SUCCEEDED_COUNT = re.compile(r"(\d[\d.,' ]*)[^\d]{0,60}?success", re.IGNORECASE)
_FAILED_COUNT = re.compile(r"(\d[\d.,' ]*)\s*(?:\w+\s){0,2}?fail", re.IGNORECASE)


@check_arguments()
@dataclass(frozen=True, eq=False, repr=False)
class Outcome(RichDisplay):
    """The outcome of every line of the respondents.

    Created by `wave.outcome`.

    Args:
        respondents: What was sent.
        outcome_codes: For each usable id 0 saved, 1 already saved, 2 rejected, 3 unknown.
        warnings: Sentences about counts that disagree and outcomes that are unknown.
        rejected_before: For each usable id whether it had been rejected before.

    Example:
        >>> wave.outcome
        <Outcome: 56 saved · 1 rejected · 1 duplicate · 1 malformed · 1 blank>
    """

    respondents: Respondents
    outcome_codes: NDArray[np.uint8]
    warnings: tuple[str, ...] = ()
    rejected_before: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))

    @cached_property
    def counts(self) -> dict[str, int]:
        """Line counts by outcome; they add up to all lines of the source."""
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
        """The respondents that were sent but not saved, with their source lines."""
        return self._select(self.outcome_codes == _REJECTED)

    @cached_property
    def resubmittable(self) -> Respondents:
        """The rejected respondents that were not rejected before: only these can still succeed.

        Serves the recontact guide, step 3: resubmit only the ids that failed.
        """
        return self._select((self.outcome_codes == _REJECTED) & ~self.rejected_before)

    def _select(self, mask: NDArray[np.bool_]) -> Respondents:
        return self.respondents.select(mask)

    def frame(self, *, reveal: bool = False) -> pd.DataFrame:
        """Return one row per line of the source, in order.

        Args:
            reveal: Show whole ids and the text of malformed lines. Masked otherwise.

        Returns:
            A frame: `line`, `outcome` (see `LineOutcome`), `reason`, `of_line` (the line a duplicate repeats), `id`.

        Example:
            >>> wave.outcome.frame().query("outcome != 'saved'")[["line", "outcome", "reason"]]
                line    outcome                                 reason
            2      3   rejected              not saved by the exchange
            22    23      blank
            36    37  malformed  wrong length: an ID has 36 characters
            52    53  duplicate
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
            A frame: `outcome`, `lines`, `share` (0–1), `meaning`. Each of `warnings` is a last row `warning`, without
            numbers.

        Example:
            >>> wave.outcome.summary()[["outcome", "lines"]]
                     outcome  lines
            0          saved     56
            1  already_saved      0
            2       rejected      1
            3      duplicate      1
            4      malformed      1
            5          blank      1
            6         header      0
        """
        from cint_nb.study.readable_frame import ReadableFrame

        total = max(1, self.respondents.counts.lines)
        rows = [(name, lines, lines / total, _MEANINGS[LineOutcome(name)]) for name, lines in self.counts.items()]
        frame = ReadableFrame(rows, columns=["outcome", "lines", "share", "meaning"]).astype({"lines": "Int64"})
        return line_frames.add_warnings(frame, self.warnings, column="meaning")

    def to_rejects(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write every line whose id is not in the target group to a `.csv` in which a spreadsheet evaluates nothing.

        Lines that repeat an earlier line are omitted. Ids are written in full: the file is for correcting the source.

        Args:
            path: The file.
            overwrite: Whether to replace an existing file.

        Raises:
            InputError: if the file exists, or cannot be written.

        Example:
            >>> rejects = pd.read_csv(wave.outcome.to_rejects("to-correct.csv"))
            >>> rejects["outcome"].tolist()
            ['rejected', 'blank', 'malformed']
        """
        keep = (LineOutcome.SAVED.value, LineOutcome.ALREADY_SAVED.value, LineOutcome.DUPLICATE.value)
        content = line_frames.rejects_csv(self.frame(reveal=True), keep=keep)
        return write_new_file(path, content, overwrite=overwrite)

    @printable
    def __repr__(self) -> str:
        """Show counts by outcome, never an id."""
        counts = " · ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in self.counts.items() if number)
        return f"<Outcome: {' · '.join([counts, *(f'warning: {text}' for text in self.warnings)])}>"


def compare_upload(
    respondents: Respondents,
    *,
    before: Collection[str],
    after: Collection[str] | None,
    saved_count: int | None = None,
    message: str | None = None,
    rejected_before: Collection[str] = frozenset(),
    crosswalk: Mapping[str, str] | None = None,
) -> Outcome:
    """Compare what was sent with what the target group contains, and return the outcome of every line.

    Args:
        respondents: What was sent.
        before: Ids in the target group before the upload, from its own list.
        after: Ids in it now; None if the counts agreed and the list was not fetched: all were saved.
        saved_count: `saved_respondent_ids_count` of the overview now.
        message: The job's partial-success text; read for its counts only.
        rejected_before: Ids that an earlier upload of this wave rejected.
        crosswalk: RSID of each RID. The exchange stores RIDs as RSIDs, so without it only counts are known.

    Raises:
        UnexpectedReply: count, list and message contradict each other, so that nobody's outcome is known.

    Serves the recontact guide, steps 2 and 3; endpoints `recontacts/overview` and `recontacts/rsids`.
    """
    ids_before = id_array.from_ids(before)
    ids_after = None if after is None else id_array.from_ids(after)
    notes: list[str] = []
    if respondents.entity_type is EntityType.RSID:
        codes = _compare_ids(respondents.id_array, ids_before, ids_after)
    elif crosswalk is not None:
        codes = _compare_by_rsid(respondents, crosswalk, ids_before, ids_after, notes)
    else:
        codes = _compare_by_count(len(respondents), ids_before, ids_after, saved_count, notes)
    repeated = id_array.is_in(respondents.id_array, id_array.from_ids(rejected_before))
    notes += _count_mismatches(codes, ids_before, ids_after, saved_count, message)
    return Outcome(respondents, codes, tuple(notes), repeated)


def _compare_ids(sent: IdArray, ids_before: IdArray, ids_after: IdArray | None) -> NDArray[np.uint8]:
    was_saved = id_array.is_in(sent, ids_before)
    is_saved = np.ones(len(sent), np.bool_) if ids_after is None else id_array.is_in(sent, ids_after)
    return np.where(~is_saved, _REJECTED, np.where(was_saved, _ALREADY_SAVED, _SAVED)).astype(np.uint8)


def _compare_by_rsid(
    respondents: Respondents,
    crosswalk: Mapping[str, str],
    ids_before: IdArray,
    ids_after: IdArray | None,
    notes: list[str],
) -> NDArray[np.uint8]:
    """Compare RIDs by the RSID to which each belongs."""
    known = {normalise_id(rid): normalise_id(rsid) for rid, rsid in crosswalk.items()}
    people = [known.get(rid, "") for rid in respondents.ids]
    mapped = np.array([is_respondent_id(each) for each in people], dtype=np.bool_)
    keys = id_array.from_ids(people)
    found = _compare_ids(keys, ids_before, ids_after)
    repeated, _ = id_array.find_duplicates(keys)
    found[repeated[found[repeated] == _SAVED]] = _ALREADY_SAVED
    codes = np.full(len(people), _UNKNOWN, np.uint8)
    codes[mapped] = found
    if missing := int((~mapped).sum()):
        notes.append(f"{missing:,} RIDs are not in the crosswalk, so their outcome is unknown.")
    if len(repeated):
        notes.append(
            f"{len(repeated):,} RIDs belong to a person who has another RID in the list; each person is saved once."
        )
    return codes


def _compare_by_count(
    sent: int, ids_before: IdArray, ids_after: IdArray | None, saved_count: int | None, notes: list[str]
) -> NDArray[np.uint8]:
    """Claim no more for RIDs than counts show."""
    new = None
    if ids_after is not None:
        new = int((~id_array.is_in(ids_after, ids_before)).sum())
    elif saved_count is not None:
        new = saved_count - len(ids_before)
    if new is None or new == sent:
        return np.full(sent, _SAVED, np.uint8)
    if new == 0 and not len(ids_before):
        return np.full(sent, _REJECTED, np.uint8)
    notes.append(
        f"{new:,} respondents are new in the target group after {sent:,} RIDs were sent. Which RIDs they belong to "
        "is unknown without a crosswalk of RIDs and RSIDs, such as the respondent analysis report."
    )
    return np.full(sent, _UNKNOWN, np.uint8)


def parse_message_counts(message: str | None) -> tuple[int | None, int | None]:
    """Parse how many ids a partial-success text calls uploaded and failed; None if it does not say."""
    if message is None:
        return None, None
    good, bad = _SUCCEEDED_COUNT.search(message), _FAILED_COUNT.search(message)
    return (_parse_number(good[1]) if good else None, _parse_number(bad[1]) if bad else None)


def _parse_number(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def _count_mismatches(
    codes: NDArray[np.uint8],
    ids_before: IdArray,
    ids_after: IdArray | None,
    saved_count: int | None,
    message: str | None,
) -> list[str]:
    """Return a warning if more people are saved than the message says: others can have been added since.

    Raises:
        UnexpectedReply: overview, list and message disagree in any other way: one of them is not what it seems.
    """
    counts = np.bincount(codes, minlength=4)
    saved, already, unknown = int(counts[_SAVED]), int(counts[_ALREADY_SAVED]), int(counts[_UNKNOWN])
    listed = None if ids_after is None else len(ids_after)
    expected = listed if listed is not None else None if unknown else len(ids_before) + saved
    uploaded, failed = parse_message_counts(message)
    contradicted = saved_count is not None and expected is not None and saved_count != expected
    said_otherwise = uploaded is not None and not unknown and uploaded not in {saved, saved + already}
    if not contradicted and not said_otherwise:
        return []
    in_message = (
        "nothing" if uploaded is None else f"{uploaded:,} uploaded" + (f", {failed:,} failed" if failed else "")
    )
    text = (
        f"The exchange's counts disagree: the overview says {_format_count(saved_count)} saved IDs, the list contains "
        f"{_format_count(listed)}, the job's message says {in_message}; compared by ID, {saved:,} are newly saved and "
        f"{already:,} were there before."
    )
    if contradicted or (uploaded is not None and uploaded > saved + already):
        raise UnexpectedReply(
            text,
            evidence={"overview": saved_count, "listed": listed, "message": in_message},
            safe="nothing was sent; do not resubmit anybody on these counts.",
            next_step="read wave.outcome again in a few minutes; if they still disagree, ask Cint support.",
        )
    return [f"{text} The list is what counts."]


def _format_count(number: int | None) -> str:
    return "(not checked)" if number is None else f"{number:,}"
