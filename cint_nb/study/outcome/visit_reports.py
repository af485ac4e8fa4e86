"""Respondent analysis reports as visits and people, whatever their columns are called.

The exchange publishes no column headers of its reports. So columns are found by name and by content, and if two
could be meant, the analyst is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from cint_nb.caller_warnings import warn_caller
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import EntityType, format_count, is_respondent_id, mask_id, masked_repr, printable
from cint_nb.study.files.binary_formats import (
    TableColumns,
    columns_of,
    open_parquet,
    open_statistics,
    type_name,
    unwrap_frame,
)
from cint_nb.study.files.file_format import OpenSource, SourceFormat, read_file, source_error
from cint_nb.study.files.id_column import ColumnSample
from cint_nb.study.files.readers import TableReader, open_text_table
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.study.files.text_files import Layout, TextSource, detect_layout
from cint_nb.study.files.verdicts import JudgedLine, Verdict, cell_text, contains_id, normalise_line
from cint_nb.study.files.workbooks import cell_text_of_workbook, read_sheet
from cint_nb.study.outcome.crosswalk import Crosswalk
from cint_nb.study.outcome.report_columns import (
    end_time_column,
    names_utc,
    rid_column,
    rsid_column,
    status_column,
    target_group_column,
)
from cint_nb.study.outcome.report_statuses import (
    describe_statuses,
    is_complete,
    unknown_meanings,
    unknown_statuses,
)

if TYPE_CHECKING:
    import pandas as pd

Result = TypeVar("Result")
_Cells: TypeAlias = "tuple[pd.DataFrame, dict[str, str | None], tuple[int, ...]]"


@check_arguments(RespondentFileError)
@dataclass(frozen=True, eq=False, repr=False)
class VisitReport:
    """The visits to one wave and the people to whom they belong. Shows no id unless requested.

    Created by `wave.report()` and `read_report`.

    Args:
        name: Name of the wave or of the file, for messages; None if neither has one.
        columns: Which column was read as `rsid`, `rid` and `status`; None if there is none.
        _cells: The report as read, one row per visit, every cell a text; `visits` shows it, with ids masked.
        malformed_lines: Line numbers of rows that were left out, since their values are not in their columns.
        codes: What the analyst said that status codes and words mean.

    Example:
        >>> closed.report()
        <VisitReport: 16 visits of 16 people · 13 completed · Tracker, wave 1>
    """

    name: str | None
    columns: Mapping[str, str | None]
    _cells: pd.DataFrame = field(repr=False)
    malformed_lines: tuple[int, ...] = ()
    codes: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def rsids(self) -> tuple[str | None, ...]:
        """The RSID of each visit, normalised; None if the report gives none."""
        found = (normalise_line(text) for text in self._cells[self.columns["rsid"]].tolist())
        return tuple(text if is_respondent_id(text) else None for text in found)

    @cached_property
    def completed(self) -> NDArray[np.bool_]:
        """For each visit, whether it was completed."""
        if self.columns["status"] is None:
            return np.ones(len(self._cells), np.bool_)
        return np.array([is_complete(text, self.codes) for text in self._statuses], np.bool_)

    @property
    def _statuses(self) -> list[str]:
        column = self.columns["status"]
        return [] if column is None else self._cells[column].tolist()

    @cached_property
    def unknown_statuses(self) -> Mapping[str, int]:
        """How often each status occurs whose meaning is not known; such a visit counts as not completed."""
        return unknown_statuses(self._statuses, self.codes)

    @cached_property
    def target_groups(self) -> Mapping[str, int]:
        """How many visits each target group has; empty if no column names the target group."""
        column = target_group_column(list(self._cells.columns))
        found = [] if column is None else filter(None, map(str.strip, self._cells[column].tolist()))
        return dict(Counter(found).most_common())

    @property
    def time_zone(self) -> str:
        """The zone of the times at which visits ended: UTC if their column says so, else US Central, Cint's own."""
        names = list(self._cells.columns)
        ended = end_time_column(names)
        return "UTC" if any(map(names_utc, names if ended is None else [ended])) else "America/Chicago"

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about what the counts may mix or miss; empty if there are none."""
        found = []
        if len(self.target_groups) > 1:
            shown = ", ".join(
                f"{masked_repr(name, 40)}: {count:,}" for name, count in [*self.target_groups.items()][:8]
            )
            found.append(
                f"The report has visits to {len(self.target_groups):,} target groups ({shown}); read it with "
                "target_group='…' to keep those of one."
            )
        if self.unknown_statuses:
            found.append(
                f"The meaning of these statuses is not known, their visits count as not completed: "
                f"{describe_statuses(self.unknown_statuses)}; read the report with codes={{…}} to say what they mean."
            )
        if self.malformed_lines:
            rows = format_count(len(self.malformed_lines), "row was", "rows were")
            found.append(f"{rows} left out, with more or fewer values than the header.")
        if self._repeated_visits:
            visits = format_count(self._repeated_visits, "visit is", "visits are")
            found.append(f"{visits} listed again, with the same RID; each row counts as a visit.")
        return tuple(found)

    @property
    def _repeated_visits(self) -> int:
        if self.columns["rid"] is None:
            return 0
        rids = [*filter(is_respondent_id, map(normalise_line, self._cells[self.columns["rid"]].tolist()))]
        return len(rids) - len(set(rids))

    @cached_property
    def entrants(self) -> Respondents:
        """Everybody who entered, once each, in the order of their first visit."""
        known = [rsid for rsid in self.rsids if rsid]
        return read_respondents(known, entity_type=EntityType.RSID, name=self._list_name("entrants"))

    @cached_property
    def completes(self) -> Respondents:
        """Everybody who completed, once each: the list to recontact in the next wave.

        Serves the recontact guide, prerequisites.
        """
        done = {rsid for rsid, completed in zip(self.rsids, self.completed, strict=True) if completed}
        chosen = np.array([rsid in done for rsid in self.entrants.ids], np.bool_)
        kept = self.entrants.select(chosen)
        return (
            read_respondents(kept.ids, entity_type=EntityType.RSID, name=self._list_name("completes")) if done else kept
        )

    def _list_name(self, which: str) -> str:
        return which if self.name is None else f"{self.name} {which}"

    @property
    def visits_without_rsid(self) -> int:
        """The number of visits whose RSID the report does not give."""
        return self.rsids.count(None)

    def crosswalk(self) -> Crosswalk:
        """Return the RSID of each RID in the report.

        Raises:
            RespondentFileError: the report has no column of RIDs.

        Example:
            >>> rids = report.visits(reveal=True)["Response ID (RID)"].head(3)
            >>> visits = cint.read_respondents(rids, entity_type="RID")
            >>> report.crosswalk().to_rsids(visits)
            <Respondents: 3 RSIDs · 3 lines · Series as RSIDs>
        """
        rid = self.columns["rid"]
        if rid is None:
            raise source_error(
                self.name, "The report has no column of RIDs.", "read it again with rid='…' if a column contains them."
            )
        return Crosswalk.from_frame(self._cells, rid=rid, rsid=self.columns["rsid"])

    def values(self, column: str, *, reveal: bool = False) -> dict[str, str]:
        """Return the value of a column for each person, by RSID: at their completed visit, otherwise at their first.

        Args:
            column: Name of the column.
            reveal: Give whole ids. Masked otherwise, and numbered where two people would look the same.

        Raises:
            RespondentFileError: there is no such column.

        Example:
            >>> prices = report.values("CPI")
            >>> sorted(set(prices.values()))
            ['0', '2.75']
        """
        if column not in self._cells.columns:
            raise source_error(
                self.name,
                f"The report has no column {masked_repr(column)}.",
                f"use one of {masked_repr(list(self._cells.columns), 300)}.",
            )
        found: dict[str, str] = {}
        done: set[str] = set()
        for rsid, text, completed in zip(self.rsids, self._cells[column].tolist(), self.completed, strict=True):
            if rsid and (rsid not in found or (completed and rsid not in done)):
                found[rsid] = text
                done |= {rsid} if completed else set()
        if reveal:
            return found
        masked: dict[str, str] = {}
        seen: Counter[str] = Counter()
        for rsid, text in found.items():
            shown = mask_id(rsid)
            seen[shown] += 1
            masked[shown if seen[shown] == 1 else f"{shown} ({seen[shown]})"] = _mask_cells(text)
        return masked

    def visits(self, *, reveal: bool = False) -> pd.DataFrame:
        """Return the report, one row per visit.

        Args:
            reveal: Show whole ids. Masked otherwise, in every column.

        Returns:
            A frame: `completed`, then the columns of the report under their own names, all as text.

        Example:
            >>> report.visits()[["completed", "Respondent ID (RSID)", "Marketplace Status"]].head(3)
               completed Respondent ID (RSID) Marketplace Status
            0       True             ••••97f8                  3
            1       True             ••••8d7f                  3
            2       True             ••••97e6                  3
        """
        shown = self._cells if reveal else self._cells.map(_mask_cells)
        shown = shown.copy()
        shown.insert(0, "completed", self.completed, allow_duplicates=True)
        return shown

    def summary(self) -> pd.DataFrame:
        """Return counts of visits and people.

        Returns:
            A small frame: `what` and `number`.

        Example:
            >>> report.summary()
                               what  number
            0                visits      16
            1      visits completed      13
            2   visits without RSID       0
            3    people who entered      16
            4  people who completed      13
        """
        from cint_nb.study.readable_frame import ReadableFrame

        rows = [
            ("visits", len(self._cells)),
            ("visits completed", int(self.completed.sum())),
            ("visits without RSID", self.visits_without_rsid),
            ("people who entered", len(self.entrants)),
            ("people who completed", len(self.completes)),
        ]
        if self.malformed_lines:
            rows.append(("rows left out: more or fewer values than the header", len(self.malformed_lines)))
        return ReadableFrame(rows, columns=["what", "number"])

    def __len__(self) -> int:
        """Return the number of visits."""
        return len(self._cells)

    @printable
    def __repr__(self) -> str:
        """Show counts of visits and people, never an id."""
        parts = [
            f"{format_count(len(self), 'visit')} of {format_count(len(self.entrants), 'person', 'people')}",
            f"{len(self.completes):,} completed",
            self.name,
        ]
        if self.visits_without_rsid:
            parts.insert(1, f"{format_count(self.visits_without_rsid, 'visit')} without RSID")
        if self.malformed_lines:
            lines = ", ".join(f"{line:,}" for line in self.malformed_lines[:3])
            more = ", …" if len(self.malformed_lines) > 3 else ""
            rows = format_count(len(self.malformed_lines), "malformed row")
            parts.append(f"{rows} left out (line{'s' if len(self.malformed_lines) > 1 else ''} {lines}{more})")
        parts += [f"warning: {text}" for text in self.warnings]
        return f"<VisitReport: {' · '.join(part for part in parts if part)}>"


@check_arguments(RespondentFileError, leave=("source",))
def read_report(
    source: str | Path | bytes | IO[Any] | pd.DataFrame | Sequence[Mapping[str, Any]],
    *,
    rsid: str | None = None,
    rid: str | None = None,
    status: str | None = None,
    all_complete: bool = False,
    sheet: str | int | None = None,
    name: str | None = None,
    header_row: int | None = None,
    hidden: Literal["skip", "read"] | None = None,
    target_group: str | None = None,
    codes: Mapping[int | str, str] | None = None,
) -> VisitReport:
    """Read a respondent analysis report, or survey data with RSIDs, one row per visit under a header row.

    Args:
        source: A path, bytes or an open file, in one of the formats of `read_respondents`; a DataFrame (of pandas,
            polars, pyarrow or narwhals), or a list of rows as mappings.
        rsid: Name of the RSID column; found by name and content if omitted.
        rid: Name of the RID column; found likewise, and may be missing.
        status: Name of the column that shows completes, by Cint's client codes 10, 11 and 70 or in words; found by name
            if omitted.
        all_complete: Whether every row is a complete, as in a completes report; no status column is then needed.
        sheet: Name of the sheet of a workbook, or its position from 1.
        name: Name of the wave, shown in place of the file's name.
        header_row: Line of the row with the names of the columns, from 1; found if omitted.
        hidden: What to do with rows, columns and sheets that are hidden in a workbook: `"skip"` or `"read"`. If
            omitted, a report with any that count is refused.
        target_group: Keep the visits to this target group only, where the report has several.
        codes: What status codes or words mean that are not Cint's, such as `{301: "screened", 300: "complete"}`.

    Raises:
        RespondentFileError: the source is not a table, or a column is missing or ambiguous; the message lists the
            candidates and the call to write. Also if no visit is completed and the meaning of a status is not known.

    Serves `GET …/reports/{report_id}/download`, report type `respondent-analysis`.

    Example:
        >>> people = ["e2b29bb2-e3ab-4c24-9acd-8cf89a25b9c4", "0b4f8a1d-53d5-4f0e-9a4e-6c1d2f3a4b5c"]
        >>> cint.read_report(pd.DataFrame({"rsid": people, "status": ["10", "20"]}))
        <VisitReport: 2 visits of 2 people · 1 completed · DataFrame>
    """

    def read(table: TableReader, source_name: str | None) -> tuple[str | None, _Cells]:
        label = name or source_name
        return source_name, _read_visits(table, label, rsid, rid, status, all_complete=all_complete, hidden=hidden)

    source_name, (cells, chosen, malformed) = read_table(source, sheet, name, header_row, hidden, read)
    label = name or source_name
    called = name or (source_name and Path(source_name).stem)
    if target_group is not None:
        cells = _keep_target_group(cells, target_group, label)
    meanings = {str(code).strip().lower(): str(meaning) for code, meaning in (codes or {}).items()}
    if unknown := unknown_meanings(meanings):
        raise source_error(
            label,
            f"What codes= says of a status must be a known meaning; these are not: {describe_statuses(unknown)}.",
            'write "complete", or how the visit ended: "screened", "over quota", "not complete".',
        )
    report = VisitReport(called, chosen, cells, malformed, meanings)
    if report.unknown_statuses and not report.completed.any():
        raise source_error(
            label,
            "No visit is completed as far as is known, and the meaning of these statuses is not: "
            f"{describe_statuses(report.unknown_statuses)}.",
            'say what they mean: cint.read_report(…, codes={301: "screened", 300: "complete"}); or pass the name of '
            "another column, status='…'.",
        )
    if chosen["status"] is not None and not any(map(str.strip, cells[chosen["status"]])):
        raise source_error(
            label,
            f"No visit has a status: the column {masked_repr(chosen['status'])} is blank.",
            "pass the name of another column, status='…'; or all_complete=True if every row is a complete.",
        )
    if not any(report.rsids):
        raise source_error(
            label,
            f"The column {masked_repr(chosen['rsid'])} contains no RSID.",
            "pass the name of the column that does: rsid='…'.",
        )
    if chosen["rid"]:
        report.crosswalk()  # one RID of two people means that the columns are swapped
    for text in report.warnings:
        warn_caller(text)
    return report


# --- from a source to cells -------------------------------------------------------------------------------------


def read_table(
    source: Any,
    sheet: str | int | None,
    name: str | None,
    header_row: int | None,
    hidden: str | None,
    read: Callable[[TableReader, str | None], Result],
) -> Result:
    """Open a report as a table and return what `read` makes of it and the name of the source."""
    frame = unwrap_frame(source)
    if isinstance(frame, list) and not frame:
        raise source_error(name, "The list has no rows.", "look at how it was made if it should have some.")
    if (columns := columns_of(frame)) is not None:
        called = name or type_name(frame)
        return read(_table_of_columns(columns, called), called)

    def read_open(file: OpenSource) -> Result:
        if file.kind is SourceFormat.TEXT:
            table = _open_text(file, header_row)
        elif file.kind in (SourceFormat.WORKBOOK, SourceFormat.ODS):
            table = _open_workbook(file, sheet, header_row, hidden)
        else:
            with (open_parquet if file.kind is SourceFormat.PARQUET else open_statistics)(file) as columns:
                table = _table_of_columns(columns, file.name)
        if not table.has_header:
            raise source_error(
                name or file.name, "The report has no header row.", "pass it as a DataFrame with column names."
            )
        return read(table, file.name)

    # The caller's name is that of a wave, and a download may be called .csv and be a workbook: the contents decide.
    return read_file(source, read_open, by_contents=True)


def _table_of_columns(columns: TableColumns, source: str | None) -> TableReader:
    """Return what knows its columns as a table, its names as the header."""
    values = [columns.values(place) for place in range(len(columns.cells))]
    rows = [(0, [cells.name or "" for cells in columns.cells]), *enumerate(zip(*values, strict=True), start=1)]
    return TableReader(source, lambda: iter(rows), 0)


def _read_visits(
    table: TableReader,
    label: str | None,
    rsid: str | None,
    rid: str | None,
    status: str | None,
    *,
    all_complete: bool,
    hidden: str | None,
) -> _Cells:
    """Return the cells of the visits, the columns chosen by what they hold, and the lines left out."""
    columns = name_columns(table.columns)
    if hidden == "skip":
        columns = [cells for cells in columns if cells.position - 1 not in table.hidden_places]
    if not any(any(map(normalise_line, cells.values)) for cells in columns):
        raise source_error(
            label,
            "The report contains no visits.",
            "check its period and target group, and request it again.",
            visits=0,
        )
    person = rsid_column(columns, rsid, rid, label)
    visit = rid_column(columns, rid, person, label)
    completed = None if all_complete else status_column(columns, status, label)
    chosen = {"rsid": person, "rid": visit, "status": completed}
    _check_columns(table, columns, chosen, {rsid, rid, status} if hidden is None else {*chosen.values()}, label)
    cells, malformed = read_cells(table, columns, {each for each in chosen.values() if each is not None})
    return cells, chosen, malformed


def _check_columns(
    table: TableReader,
    columns: Sequence[ColumnSample],
    chosen: Mapping[str, str | None],
    seen: set[str | None],
    source: str | None,
) -> None:
    """Raise if a chosen column cannot be read as the analyst sees it: it is hidden, or its formulas have no result.

    Args:
        table: The report.
        columns: Its columns, with unique names.
        chosen: Which of them are read.
        seen: Names of those that the analyst knows to be there.
        source: For errors.
    """
    for parameter, name in chosen.items():
        place = next((cells.position - 1 for cells in columns if cells.name == name), None)
        if place in table.hidden_places and name not in seen:
            raise source_error(
                source,
                f"The column {masked_repr(name)} of the report is hidden.",
                f'say whether it counts: name it, {parameter}={name!r}; or write hidden="skip" to leave out what is '
                'hidden, hidden="read" to read it.',
            )
        if without := sum(1 for _, column in table.no_result if column == place):
            formulas = format_count(without, "formula", "formulas")
            raise source_error(
                source,
                f"{formulas} of the column {masked_repr(name)} {'has' if without == 1 else 'have'} no stored result.",
                "open the workbook in a spreadsheet program, which computes formulas, save it, and read it again.",
            )


def _open_workbook(
    file: OpenSource, sheet: str | int | None, header_row: int | None, hidden: str | None
) -> TableReader:
    found = read_sheet(file, sheet, skip_hidden=hidden == "skip")
    rows = [*enumerate(found.rows, 1)]
    filled = {number for number, row in rows if any(normalise_line(cell_text(value)) for value in row)}
    is_whole = found.is_hidden and sheet is None
    covered = filled if is_whole else filled & found.hidden_rows
    if covered and hidden is None:
        raise source_error(
            file.name,
            f"{format_count(len(covered), 'row')} of the report {'is' if len(covered) == 1 else 'are'} hidden.",
            'say whether hidden rows count: cint.read_report(…, hidden="skip") leaves them out, hidden="read" reads '
            "them too.",
            sheet=found.name,
        )
    kept = [each for each in rows if hidden == "read" or each[0] not in covered]
    table = TableReader(file.name, lambda: iter(kept), header_row, as_text=cell_text_of_workbook)
    table.hidden_places = found.hidden_columns
    table.no_result = frozenset(
        (row, place) for row, place in found.no_result if hidden == "read" or row not in covered
    )
    return table


def _open_text(file: OpenSource, header_row: int | None) -> TableReader:
    text = TextSource(file.stream, file.name)
    found = detect_layout(text.head, complete=text.complete)
    if found.layout is not Layout.TABLE:
        if text.complete and len(text.head.strip().splitlines()) < 2:
            raise source_error(text.name, "The file has no rows.", "look at how it was made if it should have some.")
        raise source_error(
            text.name,
            "This is not a table with columns.",
            "a list of IDs is read by cint.read_respondents(…, entity_type=…).",
        )
    return open_text_table(file, text, found, header_row)


def name_columns(columns: Sequence[ColumnSample]) -> list[ColumnSample]:
    """Return the columns with unique names: repeated and empty ones are numbered."""
    found: list[ColumnSample] = []
    taken: set[str] = set()
    for cells in columns:
        title = cells.name or f"column {cells.position}"
        title = title if title not in taken else f"{title} ({cells.position})"
        taken.add(title)
        found.append(replace(cells, name=title))
    return found


def read_cells(
    table: TableReader, columns: Sequence[ColumnSample], needed: set[str]
) -> tuple[pd.DataFrame, tuple[int, ...]]:
    """Return the cells of all visits as texts, and the line numbers of rows whose values are not in their columns."""
    from cint_nb.study.readable_frame import ReadableFrame

    texts: list[list[str]] = []
    malformed: list[int] = []
    width = len(table.columns)
    places = {cells.position - 1 for cells in columns if cells.name in needed}
    for number, row in table.judged_rows(places):
        if isinstance(row, JudgedLine):
            malformed += [number] if row.verdict is Verdict.MALFORMED else []
            continue
        values = [table.as_text(value).strip() for value in row[:width]]
        if len(row) != width and table.is_text:  # where the values behind the needed ones belong is not known
            values = values[: max(places) + 1]
        values += [""] * (width - len(values))
        if any(map(normalise_line, values)):
            texts.append(values)
    frame = ReadableFrame(texts, columns=range(width), dtype="str")[[cells.position - 1 for cells in columns]]
    return frame.set_axis([cells.name for cells in columns], axis=1), tuple(malformed)


def _keep_target_group(cells: pd.DataFrame, target_group: str, source: str | None) -> pd.DataFrame:
    column = target_group_column(list(cells.columns))
    if column is None:
        raise source_error(source, "No column of the report names the target group.", "leave target_group= out.")
    kept = cells[cells[column].str.strip().str.casefold() == target_group.strip().casefold()]
    if not len(kept):
        raise source_error(
            source,
            f"The report has no visit to the target group {masked_repr(target_group)}.",
            f"use one of {masked_repr(sorted(set(cells[column])), 300)}.",
        )
    return kept.reset_index(drop=True)


def _mask_cells(text: str) -> str:
    plain = normalise_line(text)
    if is_respondent_id(plain):
        return mask_id(plain)
    return mask_id("") if contains_id(text) else text
