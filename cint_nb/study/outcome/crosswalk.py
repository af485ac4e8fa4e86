"""The crosswalk from visits to people: the RSID of each RID."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import EntityType, format_count, is_respondent_id, masked_repr, masked_text, printable
from cint_nb.study.files.binary_formats import columns_of, unwrap_frame
from cint_nb.study.files.id_column import entity_type_from_name
from cint_nb.study.files.line_scanner import LineScanner
from cint_nb.study.files.respondents import Respondents
from cint_nb.study.files.verdicts import JudgedLine, Verdict, cell_text, normalise_line, raise_if_masked

if TYPE_CHECKING:
    import pandas as pd


_SWAPPED = "check which column holds RIDs and which RSIDs; they may be swapped, or one filled from the other."
_NO_PARTNER = "the crosswalk has no RSID for this RID"


@check_arguments(RespondentFileError, leave=("frame",))
class Crosswalk(Mapping[str, str]):
    """A mapping from RID to RSID, both normalised. Shows no id.

    Args:
        pairs: RID and RSID, in any spelling, as pairs or as a mapping; what is not two ids is omitted and counted.

    Attributes:
        rows_without_pair: How many pairs were not two ids.

    Raises:
        RespondentFileError: if one RID has two RSIDs, or an id is both, since a visit belongs to one person; or if ids
            are masked.

    Example:
        >>> report.crosswalk()
        <Crosswalk: 16 RIDs of 16 RSIDs>
    """

    def __init__(self, pairs: Iterable[tuple[Any, Any]] | Mapping[Any, Any]) -> None:
        found: dict[str, str] = {}
        conflicts = self.rows_without_pair = 0
        unusable: list[str] = []
        for pair in pairs.items() if isinstance(pairs, Mapping) else pairs:
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                raise RespondentFileError(
                    f"A crosswalk is made of pairs of RID and RSID, not of {masked_repr(pair)}.",
                    next_step="pass two texts for each visit, its RID and the RSID of its person.",
                )
            visit, person = pair
            rid, rsid = normalise_line(cell_text(visit)), normalise_line(cell_text(person))
            if is_respondent_id(rid) and is_respondent_id(rsid):
                conflicts += found.setdefault(rid, rsid) != rsid
            else:
                self.rows_without_pair += 1
                unusable += (rid, rsid)
        raise_if_masked(unusable, "IDs of the pairs")
        if conflicts:
            what = format_count(conflicts, "RID maps", "RIDs map")
            raise RespondentFileError(
                f"{what} to two different RSIDs; each visit belongs to one person.", next_step=_SWAPPED
            )
        if both := len(found.keys() & set(found.values())):
            what = format_count(both, "ID is", "IDs are")
            raise RespondentFileError(f"{what} both RID and RSID; an ID is never both.", next_step=_SWAPPED)
        self._rsid_of = found

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, rid: str | None = None, rsid: str | None = None) -> Crosswalk:
        """Read a crosswalk from a frame, such as the respondent analysis report or survey data with both ids.

        Args:
            frame: One row per visit: a DataFrame of pandas, polars, pyarrow or narwhals, or a list of mappings.
            rid: Name of the column of RIDs; found by name if omitted.
            rsid: Name of the column of RSIDs; found by name if omitted.

        Raises:
            RespondentFileError: if a column is missing or ambiguous.

        Example:
            >>> cint.Crosswalk.from_frame(report.visits(reveal=True))
            <Crosswalk: 16 RIDs of 16 RSIDs>
        """
        columns = columns_of(unwrap_frame(frame))
        if columns is None:
            raise RespondentFileError(
                f"cint.Crosswalk.from_frame(…) takes a DataFrame, not {masked_repr(frame)}.",
                next_step="for a report in a file write cint.read_report(path).crosswalk().",
            )
        names = [cells.name or "" for cells in columns.cells]
        visits, people = _find_column(names, rid, EntityType.RID), _find_column(names, rsid, EntityType.RSID)
        return cls(zip(columns.values(visits), columns.values(people), strict=True))

    def to_rsids(self, respondents: Respondents) -> Respondents:
        """Return the people behind RIDs as RSIDs, each person once, in source order.

        Args:
            respondents: RIDs; each is a line of the result, malformed if it is not in this crosswalk, a duplicate if
                its person has an earlier one. RSIDs are returned unchanged.

        Example:
            >>> rids = report.visits(reveal=True)["Response ID (RID)"].head(3)
            >>> visits = cint.read_respondents(rids, entity_type="RID")
            >>> report.crosswalk().to_rsids(visits)
            <Respondents: 3 RSIDs · 3 lines · Series as RSIDs>
        """
        if respondents.entity_type is EntityType.RSID:
            return respondents
        index = respondents.line_index
        scanner = LineScanner(respondents.source_name)
        scanner.scan_values(
            rsid if (rsid := self.get(rid)) is not None else JudgedLine(Verdict.MALFORMED, rid, _NO_PARTNER)
            for rid in respondents.ids
        )
        line_index = scanner.finish(numbers=array("q", index.line_numbers(index.usable_positions()).tolist()))
        name = "RSIDs" if respondents.source_name is None else f"{respondents.source_name} as RSIDs"
        source = replace(
            respondents.source_info, name=name, column=None, kind="list", other_kind=None, other_kind_in=None
        )
        return Respondents(EntityType.RSID, line_index, source)

    def __getitem__(self, rid: str) -> str:
        try:
            return self._rsid_of[normalise_line(rid)]
        except KeyError:  # its message would be the whole id
            raise KeyError(masked_text(rid)) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._rsid_of)

    def __len__(self) -> int:
        return len(self._rsid_of)

    @printable
    def __repr__(self) -> str:
        """Show counts, never an id."""
        without = f" · {format_count(self.rows_without_pair, 'row')} without a pair" if self.rows_without_pair else ""
        people = format_count(len(set(self._rsid_of.values())), "RSID")
        return f"<Crosswalk: {format_count(len(self), 'RID')} of {people}{without}>"


def _find_column(names: Sequence[str], name: str | None, kind: EntityType) -> int:
    """Return the position of a column, from 0."""
    if name is not None:
        places = [place for place, label in enumerate(names) if label == str(name)]
        if len(places) == 1:
            return places[0]
        if places:
            raise RespondentFileError(
                f"{len(places)} columns are called {masked_repr(name)}.",
                next_step="give the columns of the frame names of their own.",
            )
        raise RespondentFileError(
            f"There is no column {masked_repr(name)}.", next_step=f"use one of {masked_repr(list(names), 200)}."
        )
    found = [place for place, label in enumerate(names) if entity_type_from_name(label) is kind]
    if len(found) == 1:
        return found[0]
    raise RespondentFileError(
        f"{len(found)} columns look like {kind}s by name; exactly one is needed.",
        evidence={"columns": masked_repr(list(names), 200)},
        next_step=f"pass its name: cint.Crosswalk.from_frame(frame, {kind.lower()}='…').",
    )
