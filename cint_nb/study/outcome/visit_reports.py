"""Respondent analysis reports as visits and people, whatever their columns are called.

The exchange publishes no column headers of its reports. So columns are found by name and by content, and if two
could be meant, the analyst is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import EntityType, is_respondent_id, mask_id, masked_repr, printable
from cint_nb.study.files import binary_formats
from cint_nb.study.files.file_format import SourceFormat, open_source, source_error
from cint_nb.study.files.id_column import ColumnSample, clean_name, is_header_row
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.study.files.text_files import Layout, TextSource, detect_layout, iter_table_rows
from cint_nb.study.files.verdicts import cell_text, contains_id, normalise_line
from cint_nb.study.outcome.crosswalk import Crosswalk
from cint_nb.study.outcome.report_columns import rid_column, rsid_column, status_column

if TYPE_CHECKING:
    import pandas as pd

_SAMPLE_ROWS = 2_000
# Client response codes: 10 complete, 11 adjusted to complete. Marketplace codes and codes of other systems differ.
_COMPLETE_CODES = frozenset({"10", "11"})
_COMPLETE_WORDS = frozenset({"complete", "completed", "adjusted to complete"})


@check_arguments(RespondentFileError)
@dataclass(frozen=True, eq=False, repr=False)
class VisitReport:
    """The visits to one wave and the people to whom they belong. Shows no id unless requested.

    Created by `read_report`.

    Args:
        name: Name of the wave or of the file, for messages; None if neither has one.
        columns: Which column was read as `rsid`, `rid` and `status`; None if there is none.
    """

    name: str | None
    columns: Mapping[str, str | None]
    _cells: pd.DataFrame = field(repr=False)

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
        return np.array([_is_complete(text) for text in self._cells[self.columns["status"]].tolist()], np.bool_)

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
        """
        shown = self._cells if reveal else self._cells.map(_mask_cells)
        shown = shown.copy()
        shown.insert(0, "completed", self.completed, allow_duplicates=True)
        return shown

    def summary(self) -> pd.DataFrame:
        """Return counts of visits and people.

        Returns:
            A small frame: `what` and `number`.
        """
        import pandas as pd

        rows = [
            ("visits", len(self._cells)),
            ("visits completed", int(self.completed.sum())),
            ("visits without RSID", self.visits_without_rsid),
            ("people who entered", len(self.entrants)),
            ("people who completed", len(self.completes)),
        ]
        return pd.DataFrame(rows, columns=["what", "number"])

    def __len__(self) -> int:
        """Return the number of visits."""
        return len(self._cells)

    @printable
    def __repr__(self) -> str:
        """Show counts of visits and people, never an id."""
        parts = [
            f"{len(self):,} visits of {len(self.entrants):,} people",
            f"{len(self.completes):,} completed",
            self.name,
        ]
        if self.visits_without_rsid:
            parts.insert(1, f"{self.visits_without_rsid:,} visits without RSID")
        return f"<VisitReport: {' · '.join(part for part in parts if part)}>"


@check_arguments(RespondentFileError, leave=("source",))
def read_report(
    source: str | Path | bytes | IO[Any] | pd.DataFrame,
    *,
    rsid: str | None = None,
    rid: str | None = None,
    status: str | None = None,
    all_complete: bool = False,
    sheet: str | int | None = None,
    name: str | None = None,
) -> VisitReport:
    """Read a respondent analysis report, or survey data with RSIDs, one row per visit under a header row.

    Args:
        source: A `.csv` or `.xlsx` as a path, bytes or an open file, or a DataFrame.
        rsid: Name of the RSID column; found by name and content if omitted.
        rid: Name of the RID column; found likewise, and may be missing.
        status: Name of the column that shows completes, by Cint's client codes 10 and 11 or in words; found by name
            if omitted.
        all_complete: Whether every row is a complete, as in a completes report; no status column is then needed.
        sheet: Name of the sheet of a workbook, or its position from 1.
        name: Name of the wave, shown in place of the file's name.

    Raises:
        RespondentFileError: the source is not a table, or a column is missing or ambiguous; the message lists the
            candidates and the call to write.

    Serves `GET …/reports/{report_id}/download`, report type `respondent-analysis`.
    """
    cells, source_name = _read_cells(source, sheet, name)
    label = name or source_name
    if not len(cells):
        raise source_error(
            label, "The report contains no visits.", "check its period and target group, and request it again."
        )
    columns = [
        ColumnSample(place + 1, title, cells[title].head(_SAMPLE_ROWS).tolist())
        for place, title in enumerate(cells.columns)
    ]
    person = rsid_column(columns, rsid, rid, label)
    visit = rid_column(columns, rid, person, label)
    completed = None if all_complete else status_column(columns, status, label)
    called = name or (source_name and Path(source_name).stem)
    report = VisitReport(called, {"rsid": person, "rid": visit, "status": completed}, cells)
    if not any(report.rsids):
        raise source_error(
            label,
            f"The column {masked_repr(person)} contains no RSID.",
            "pass the name of the column that does: rsid='…'.",
        )
    if visit:
        report.crosswalk()  # one RID of two people means that the columns are swapped
    return report


# --- from a source to cells -------------------------------------------------------------------------------------


def _read_cells(source: Any, sheet: str | int | None, name: str | None) -> tuple[pd.DataFrame, str | None]:
    """Return the cells as texts under the names of the header row, and the name of the source."""
    import pandas as pd

    source_name: str | None
    if isinstance(source, pd.DataFrame):
        titles, rows = [str(title) for title in source.columns], source.to_numpy(dtype=object).tolist()
        source_name = name or "DataFrame"
    else:
        # The caller's name is that of a wave; only one with a file extension may decide how bytes are stored.
        with open_source(
            source, name if name and Path(name).suffix.lower() in {".csv", ".xlsx", ".tsv", ".txt"} else None
        ) as file:
            source_name = file.name
            if file.kind is SourceFormat.TEXT:
                table = _read_text_rows(TextSource(file.stream, file.name))
            elif file.kind is SourceFormat.WORKBOOK:
                with binary_formats.open_sheet(file, sheet) as (_, numbered):
                    table = [row for _, row in numbered if row]
            else:
                raise source_error(
                    source_name, "A report is a .csv or .xlsx.", "read it with pandas and pass the DataFrame."
                )
        table = [row for row in table if any(normalise_line(cell_text(value)) for value in row)]
        if not table or not is_header_row([cell_text(value) for value in table[0]]):
            raise source_error(
                name or source_name, "The report has no header row.", "pass it as a DataFrame with column names."
            )
        titles, rows = [clean_name(cell_text(value)) for value in table[0]], table[1:]
    width = len(titles)
    texts = [[cell_text(value).strip() for value in [*row[:width], *[""] * (width - len(row))]] for row in rows]
    return pd.DataFrame(texts, columns=_make_unique(titles), dtype="str"), source_name


def _read_text_rows(text: TextSource) -> list[list[Any]]:
    found = detect_layout(text.head, complete=text.complete)
    if found.layout is not Layout.TABLE:
        raise source_error(
            text.name,
            "This is not a table with columns.",
            "a list of IDs is read by cint.read_respondents(…, entity_type=…).",
        )
    return [row for _, row in iter_table_rows(text, found.delimiter)]


def _make_unique(titles: Sequence[str]) -> list[str]:
    """Return unique column names: repeated and empty ones are numbered."""
    found: list[str] = []
    for place, title in enumerate(titles, start=1):
        plain = title or f"column {place}"
        found.append(plain if plain not in found else f"{plain} ({place})")
    return found


def _is_complete(text: str) -> bool:
    plain = " ".join(text.lower().split())
    return plain.removesuffix(".0") in _COMPLETE_CODES or plain in _COMPLETE_WORDS


def _mask_cells(text: str) -> str:
    plain = normalise_line(text)
    if is_respondent_id(plain):
        return mask_id(plain)
    return "••••" if contains_id(text) else text
