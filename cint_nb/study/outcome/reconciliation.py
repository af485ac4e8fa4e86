"""The reconciliation of a wave: which visits of a list can be changed, by when, and what became of each.

A list names visits by their RID. Which of them are visits to this wave, and what they are now, its report says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from cint_nb.domain.errors import InputError, UnexpectedReply
from cint_nb.domain.ids import (
    UUID_PATTERN,
    format_count,
    is_masked,
    is_respondent_id,
    mask_id,
    masked_repr,
    printable,
)
from cint_nb.domain.reconciliation.deadlines import (
    CENTRAL,
    format_deadline,
    is_expired,
    is_near,
    reconciliation_deadline,
)
from cint_nb.domain.reconciliation.reasons import MAKE_COMPLETE, ReconciliationCode, parse_reason
from cint_nb.domain.reconciliation.requests import ReconciliationCounts
from cint_nb.study.files.file_format import source_error
from cint_nb.study.files.id_column import MIN_ID_SHARE, list_labels
from cint_nb.study.files.readers import TableReader
from cint_nb.study.files.verdicts import normalise_line
from cint_nb.study.outcome.report_columns import end_time_column
from cint_nb.study.outcome.report_statuses import unknown_statuses
from cint_nb.study.outcome.visit_reports import VisitReport, name_columns, read_cells, read_table

if TYPE_CHECKING:
    import pandas as pd


class LineEnd(StrEnum):
    """What becomes of a line: what is planned, and after a submission what became of it."""

    TO_SEND = "to_send"
    ACCEPTED = "accepted"
    INVALID = "invalid"
    EXPIRED = "expired"
    NO_CHANGE = "no_change"
    DUPLICATE = "duplicate"
    NOT_OF_THIS_WAVE = "not_of_this_wave"
    MALFORMED = "malformed"
    NOT_SUBMITTED = "not_submitted"
    UNKNOWN = "unknown"


_MEANINGS: Mapping[LineEnd, str] = {
    LineEnd.TO_SEND: "to be sent",
    LineEnd.ACCEPTED: "changed: the visit counts as the reason says",
    LineEnd.INVALID: "sent, and invalid as the exchange says; the visit was not changed",
    LineEnd.EXPIRED: "after its deadline; the visit was not changed",
    LineEnd.NO_CHANGE: "not sent: the visit is already what the reason makes of it",
    LineEnd.DUPLICATE: "repeats an earlier line; sent once",
    LineEnd.NOT_OF_THIS_WAVE: "not sent: no visit of this wave's report has this RID",
    LineEnd.MALFORMED: "not sent: not a RID",
    LineEnd.NOT_SUBMITTED: "not part of the submission that was made of this list",
    LineEnd.UNKNOWN: "sent; the exchange has not said what became of it",
}


@printable
@dataclass(frozen=True)
class ReconciliationLine:
    """One row of a list.

    Args:
        row: Counted from 1; of a row that is wider or narrower than the header, the line of the file.
        rid: The RID, normalised; empty where there is none.
        reason: Why; None where there is no RID.
        end: What becomes of it.
        completed: Whether the visit is a complete now, by the report; None if it does not say.
        rsid: Whose visit it was; None if the report does not say.
        deadline: Until when it can be changed; None where that is not known.
    """

    row: int
    rid: str = field(repr=False)
    reason: ReconciliationCode | None
    end: LineEnd
    completed: bool | None = None
    rsid: str | None = field(default=None, repr=False)
    deadline: datetime | None = None


@printable
@dataclass(frozen=True)
class Reconciliation:
    """What a list changes in a wave, or has changed. Shows no id unless requested.

    Created by `wave.reconcile`.

    Args:
        lines: The rows of the list.
        state: `preview`, nothing was sent; `nothing to send`; `done`; or `unknown`: submitted, and not yet processed.
        request_id: Id of the submission; None where there is none.
        name: Name of the submission, the same for the same list.
        effect_rows: What it changes: what, now, after.
        warnings: Sentences about what is not sent, or soon too late.
    """

    lines: tuple[ReconciliationLine, ...] = field(repr=False)
    state: str
    request_id: str | None
    name: str
    effect_rows: tuple[tuple[str, Any, Any], ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def counts(self) -> Mapping[str, int]:
        """The number of lines by what becomes of them."""
        found = Counter(line.end for line in self.lines)
        return {end.value: found[end] for end in LineEnd if found[end]}

    def frame(self, *, reveal: bool = False) -> pd.DataFrame:
        """Return one row per row of the list, in order.

        Args:
            reveal: Show whole RIDs. Masked otherwise.

        Returns:
            A frame: `row`, from 1; `rid`; `code` and `reason`; `makes`, what the visit becomes; `complete_now`, whether
            it is a complete by the report; `deadline`, US Central time with its zone; `end`, what becomes of the line
            (see `LineEnd`), and `meaning`.
        """
        import pandas as pd

        from cint_nb.study.readable_frame import ReadableFrame

        rows = [
            (
                line.row,
                line.rid if reveal else mask_id(line.rid),
                None if line.reason is None else line.reason.code,
                None if line.reason is None else line.reason.word,
                None if line.reason is None else line.reason.makes,
                line.completed,
                line.deadline,
                line.end.value,
                _MEANINGS[line.end],
            )
            for line in self.lines
        ]
        columns = ["row", "rid", "code", "reason", "makes", "complete_now", "deadline", "end", "meaning"]
        frame = ReadableFrame(rows, columns=columns).astype({"code": "Int64", "complete_now": "boolean"})
        frame["deadline"] = pd.to_datetime(frame["deadline"], utc=True).dt.tz_convert("America/Chicago")
        return frame

    def effect(self) -> pd.DataFrame:
        """Return the effect on the wave.

        Returns:
            A small frame: `what`, `now` and `after`, as text. The cost after is an estimate, at the average cost of a
            complete; an audit may overturn a rejection.
        """
        from cint_nb.study.readable_frame import ReadableFrame

        rows = [
            (what, *("not known" if each is None else str(each) for each in pair)) for what, *pair in self.effect_rows
        ]
        return ReadableFrame(rows, columns=["what", "now", "after"])

    def summary(self) -> pd.DataFrame:
        """Count rows by what becomes of them.

        Returns:
            A frame: `end`, `rows`, `meaning`. Each of `warnings` is a last row `warning`, without a number.
        """
        from cint_nb.study.readable_frame import ReadableFrame

        rows: list[tuple[str, int | None, str]] = [
            (end, number, _MEANINGS[LineEnd(end)]) for end, number in self.counts.items()
        ]
        rows += [("warning", None, text) for text in self.warnings]
        return ReadableFrame(rows, columns=["end", "rows", "meaning"]).astype({"rows": "Int64"})

    def __repr__(self) -> str:
        """Show state and counts, never an id."""
        counts = [f"{number:,} {end.replace('_', ' ')}" for end, number in self.counts.items()]
        said = [f"warning: {text}" for text in self.warnings]
        return f"<Reconciliation: {' · '.join([self.state, *counts, *said])}>"


@dataclass(frozen=True)
class ReconciliationPlan:
    """A list, compared with the report of the wave.

    Args:
        lines: Its rows.
        people: The number of people who have completed, by the report.
        people_after: The number of those who will have.
    """

    lines: tuple[ReconciliationLine, ...] = field(repr=False)
    people: int
    people_after: int

    @property
    def to_send(self) -> tuple[ReconciliationLine, ...]:
        """The rows that change a visit."""
        return tuple(line for line in self.lines if line.end is LineEnd.TO_SEND)

    @property
    def positive(self) -> int:
        """How many visits become completes."""
        return sum(_code(line) == MAKE_COMPLETE for line in self.to_send)

    @property
    def negative(self) -> int:
        """How many completes are rejected."""
        return len(self.to_send) - self.positive

    @property
    def digest(self) -> str:
        """What the list says, whatever the order of its rows and whatever has become of them."""
        pairs = sorted({(line.rid, _code(line)) for line in self.lines if line.rid})
        text = "\n".join(f"{rid},{code}" for rid, code in pairs)
        return blake2b(text.encode(), digest_size=8, person=b"cint_nb").hexdigest()

    def warnings(self, now: datetime) -> tuple[str, ...]:
        """Return what is to be said of rows that are not sent, or soon too late."""
        counts = Counter(line.end for line in self.lines)
        found = [
            f"{format_count(counts[end], 'row is', 'rows are')} not sent: {text}"
            for end, text in _SAID.items()
            if counts[end]
        ]
        if not self.lines:
            found.append("The list has no rows: there is nothing to reconcile.")
        near = sorted({line.deadline for line in self.to_send if line.deadline and is_near(line.deadline, now)})
        if near:
            found.append(f"The deadline of some visits is near: {format_deadline(near[0])}.")
        if unknown := sum(line.deadline is None for line in self.to_send):
            found.append(
                f"The report does not say when {format_count(unknown, 'visit')} ended, so that the deadline is not "
                "known; the exchange will judge it."
            )
        return tuple(found)


_SAID = {
    LineEnd.EXPIRED: "the 25th of the month after the visit has passed, US Central time.",
    LineEnd.NOT_OF_THIS_WAVE: "the report of the wave has no such RID.",
    LineEnd.MALFORMED: "what stands there is no RID.",
    LineEnd.NO_CHANGE: "the visit is already what the reason makes of it, as the report shows it now.",
}


def _code(line: ReconciliationLine) -> int:
    return 0 if line.reason is None else line.reason.code


def plan_reconciliation(
    source: Any, report: VisitReport, *, rid: str | None, reason: str | int | None, now: datetime
) -> ReconciliationPlan:
    """Read a list of visits and compare it with the report of the wave.

    Args:
        source: A frame of any library, rows as mappings, or a file, with a column of RIDs; or a list of RIDs.
        report: The report of the wave.
        rid: Name of the RID column; the one whose ids are in the report if omitted.
        reason: A reason for all rows, by number or word, or the name of a column with the reason of each.
        now: The time, for the deadlines.

    Raises:
        RespondentFileError: no column has RIDs of this wave, several have, or it has RSIDs.
        InputError: a reason is missing, not known or not allowed; or a visit has two reasons.
    """
    visits = _Visits(report)
    cells, column, malformed = _read_list(_with_a_column(source), rid, visits)
    reasons = _reasons(cells, reason, column)
    lines: list[ReconciliationLine] = []
    seen: dict[str, ReconciliationCode] = {}
    for row, (text, why) in enumerate(zip([] if cells.empty else cells[column].tolist(), reasons, strict=True), 1):
        plain = normalise_line(text)
        if not is_respondent_id(plain):
            lines.append(ReconciliationLine(row, "", None, LineEnd.MALFORMED))
            continue
        if plain in seen and seen[plain] is not why:
            raise InputError(
                f"Row {row:,} gives a visit a second reason: {why.word} after {seen[plain].word}.",
                evidence={"row": row, "rid": mask_id(plain)},
                safe="nothing was sent.",
                next_step="give each visit one reason.",
            )
        line = visits.judge(ReconciliationLine(row, plain, why, LineEnd.TO_SEND), now)
        lines.append(replace(line, end=LineEnd.DUPLICATE) if plain in seen else line)
        seen[plain] = why
    lines += [ReconciliationLine(line, "", None, LineEnd.MALFORMED) for line in malformed]
    changed = {line.rid: _code(line) == MAKE_COMPLETE for line in lines if line.end is LineEnd.TO_SEND}
    return ReconciliationPlan(tuple(lines), *visits.people_before_and_after(changed))


class _Visits:
    """The visits of a report by RID."""

    def __init__(self, report: VisitReport) -> None:
        import pandas as pd

        rid = report.columns["rid"]
        if rid is None:
            raise source_error(
                report.name,
                "The report has no column of RIDs, so that it is not known which visits are of this wave.",
                "ask Cint for a respondent analysis with RIDs.",
            )
        cells = report.visits(reveal=True)
        self.rids = [normalise_line(text) for text in cells[rid].tolist()]
        self.rsids = report.rsids
        self.completed: list[bool | None] = [bool(each) for each in report.completed]
        if (status := report.columns["status"]) is not None:
            texts = cells[status].tolist()
            meant = {text: bool(text.strip()) and not unknown_statuses([text], report.codes) for text in set(texts)}
            # A status of unknown meaning is neither a complete nor none: the exchange will judge such a visit.
            self.completed = [each if meant[text] else None for each, text in zip(self.completed, texts, strict=True)]
        ended = end_time_column(list(cells.columns))
        self.ended: list[datetime | None] = [None] * len(cells)
        if ended is not None:
            moments = pd.to_datetime(cells[ended], errors="coerce", utc=report.time_zone == "UTC")
            self.ended = [None if pd.isna(each) else _with_zone(each.to_pydatetime()) for each in moments]
        self.place = {text: place for place, text in enumerate(self.rids)}
        self.people = {each for each in self.rsids if each}

    def judge(self, line: ReconciliationLine, now: datetime) -> ReconciliationLine:
        """Return a line with what the report says of its visit, and whether it is to be sent."""
        place = self.place.get(line.rid)
        if place is None:
            return replace(line, end=LineEnd.NOT_OF_THIS_WAVE)
        completed, ended = self.completed[place], self.ended[place]
        deadline = None if ended is None else reconciliation_deadline(ended)
        end = LineEnd.TO_SEND
        if completed == (_code(line) == MAKE_COMPLETE):
            end = LineEnd.NO_CHANGE
        elif deadline is not None and is_expired(deadline, now):
            end = LineEnd.EXPIRED
        return replace(line, end=end, completed=completed, rsid=self.rsids[place], deadline=deadline)

    def people_before_and_after(self, changed: Mapping[str, bool]) -> tuple[int, int]:
        before, after = set(), set()
        for rid, rsid, completed in zip(self.rids, self.rsids, self.completed, strict=True):
            if completed:
                before.add(rsid)
            if changed.get(rid, completed):
                after.add(rsid)
        return len(before - {None}), len(after - {None})


def _with_zone(moment: datetime) -> datetime:
    return moment.replace(tzinfo=CENTRAL) if moment.tzinfo is None else moment


def _with_a_column(source: Any) -> Any:
    """Return RIDs that stand in no table, in a list or a series of any library, as a table."""
    from cint_nb.study.readable_frame import ReadableFrame

    if isinstance(source, (list, tuple)) and all(isinstance(each, str) for each in source):
        return ReadableFrame({"RID": source}, dtype="object")
    return source.to_frame("RID") if hasattr(source, "to_frame") and hasattr(source, "dtype") else source


def _read_list(source: Any, rid: str | None, visits: _Visits) -> tuple[pd.DataFrame, str, tuple[int, ...]]:
    """Return the cells of a list, the name of its RID column, and the lines that were left out."""

    def read(table: TableReader, label: str | None) -> tuple[pd.DataFrame, str, tuple[int, ...]]:
        columns = name_columns(table.columns)
        names = [str(cells.name) for cells in columns]
        if rid is not None and rid not in names:
            raise source_error(
                label,
                f"There is no column {masked_repr(rid)}. The columns are {list_labels(columns)}.",
                "pass the name of the column with the RIDs: rid='…'.",
            )
        candidates = [rid] if rid else [str(each.name) for each in columns if each.share_of_ids >= MIN_ID_SHARE]
        cells, malformed = read_cells(table, columns, set(candidates) or set(names[:1]))
        if cells.empty:  # as when no visit breaks the rule by which it was made
            return cells, rid or "", malformed
        return cells, _choose(cells, candidates, visits, label), malformed

    return read_table(source, None, None, None, None, read)


def _choose(cells: pd.DataFrame, candidates: Sequence[str], visits: _Visits, label: str | None) -> str:
    """Return the column whose ids are RIDs of the report; a name alone proves nothing."""
    known = {name: {*map(normalise_line, cells[name].tolist())} for name in candidates}
    with_rids = [name for name in candidates if not known[name].isdisjoint(visits.place)]
    with_rsids = [name for name in candidates if not known[name].isdisjoint(visits.people)]
    if len(with_rids) == 1 and with_rids[0] not in with_rsids:
        return with_rids[0]
    if not with_rids and with_rsids:
        raise source_error(
            label,
            f"The column {masked_repr(with_rsids[0])} has RSIDs, which name people; a reconciliation changes visits, "
            "which RIDs name.",
            "join the RIDs from your survey data, or from wave.report(); a person may have several visits.",
        )
    if len(with_rids) == 1:
        raise source_error(
            label,
            f"The column {masked_repr(with_rids[0])} mixes RIDs with RSIDs, which name people.",
            "keep the RIDs only: a reconciliation changes visits.",
        )
    if with_rids:
        raise source_error(
            label,
            f"{len(with_rids)} columns have RIDs of this wave: {masked_repr(with_rids, 200)}.",
            f"choose one: wave.reconcile(…, rid={with_rids[0]!r}).",
        )
    if any(map(is_masked, (text for name in cells.columns for text in cells[name].tolist()[:100]))):
        raise source_error(label, "The ids are masked, so that nobody can say whose they are.", "pass whole RIDs.")
    raise source_error(
        label,
        "No RID of this list is a visit in the report of this wave.",
        "check that the list belongs to this wave; visits of the last minutes may not be in the report yet.",
    )


def _reasons(cells: pd.DataFrame, reason: str | int | None, rid: str) -> list[ReconciliationCode]:
    """Return the reason of each row."""
    if reason is None:
        raise InputError(
            "No reason was given.",
            evidence={"field": "reason"},
            safe="nothing was sent.",
            next_step='pass one for all rows, reason="speeder", or the name of a column, reason="why"; '
            "cint.frames.reconciliation_codes() lists them.",
        )
    is_column = isinstance(reason, str) and reason in cells.columns and reason != rid
    if not is_column:
        return [parse_reason(reason)] * len(cells)
    texts = cells[str(reason)].tolist()
    known: dict[str, ReconciliationCode] = {}
    ids = [is_respondent_id(normalise_line(text)) for text in cells[rid].tolist()]
    for row, (text, has_rid) in enumerate(zip(texts, ids, strict=True), 1):
        if text not in known and (has_rid or text):
            try:
                known[text] = parse_reason(text)
            except InputError as error:
                error.evidence["row"] = row
                raise
    return [known.get(text) or known[next(iter(known))] for text in texts]


# --- what became of it -----------------------------------------------------------------------------------------------


def rids_in(content: bytes) -> list[str]:
    """Return every RID of a downloaded file, whatever its columns."""
    return UUID_PATTERN.findall(content.decode("utf-8", "replace").lower())


def join_results(
    plan: ReconciliationPlan,
    submitted: Sequence[str],
    expired: Sequence[str],
    invalid: Sequence[str],
    counts: ReconciliationCounts,
    request_id: str,
) -> tuple[ReconciliationLine, ...]:
    """Return the lines of a list with what became of each: submitted, minus expired, minus invalid, is accepted.

    Args:
        plan: The list.
        submitted: RIDs that were submitted.
        expired: RIDs the exchange calls expired.
        invalid: RIDs it calls invalid.
        counts: Its counts.
        request_id: The submission, for messages.

    Raises:
        UnexpectedReply: files and counts contradict each other.
    """
    sent, late, bad = set(submitted), set(expired), set(invalid)
    known = {line.rid: line for line in plan.lines if line.rid and line.end is not LineEnd.DUPLICATE}
    accepted = sent - late - bad
    positive = sum(_code(known[rid]) == MAKE_COMPLETE for rid in accepted if rid in known)
    shown = {
        "submitted": (counts.submitted, len(submitted)),
        "expired": (counts.expired, len(expired)),
        "invalid": (counts.invalid, len(invalid)),
        "made complete": (counts.positive_reversed, positive),
        "rejected": (counts.negative_reversed, len(accepted) - positive),
    }
    wrong = [
        f"{what} {said:,}, but {found:,} lines" for what, (said, found) in shown.items() if said not in (None, found)
    ]
    if contradiction := counts.contradiction():
        wrong.append(contradiction)
    if strangers := len((late | bad) - sent):
        wrong.append(f"{format_count(strangers, 'RID')} in its files that were not submitted")
    if strangers := len(sent - known.keys()):
        wrong.append(f"{format_count(strangers, 'RID')} submitted that this list does not have")
    if wrong:
        raise UnexpectedReply(
            f"The counts of the reconciliation contradict each other: {'; '.join(wrong)}.",
            evidence={"reconciliation": request_id},
            safe="it was submitted once, and has been processed; which visits were changed is not certain.",
            next_step="read wave.report() for what each visit is now, and ask Cint about this request.",
        )

    def end_of(line: ReconciliationLine) -> LineEnd:
        if line.end is LineEnd.DUPLICATE or not line.rid:
            return line.end
        if line.rid not in sent:
            return LineEnd.NOT_SUBMITTED if line.end is LineEnd.TO_SEND else line.end
        return LineEnd.EXPIRED if line.rid in late else LineEnd.INVALID if line.rid in bad else LineEnd.ACCEPTED

    return tuple(replace(line, end=end_of(line)) for line in plan.lines)
