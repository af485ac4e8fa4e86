"""Evidence for RSID or RID: both look the same, so every hint is collected and shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cint_nb.domain.ids import ENTITY_TYPE_MEANINGS, EntityType, masked_repr
from cint_nb.study.files import id_array
from cint_nb.study.files.id_array import IdArray
from cint_nb.study.files.id_column import entity_type_from_name, entity_types_in_name
from cint_nb.study.files.readers import SourceInfo
from cint_nb.study.files.verdicts import cell_text, raise_if_masked

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence for an entity type: where it was found, which type it suggests, and in which words."""

    source: str
    says: EntityType
    detail: str


def evidence_from_names(source_info: SourceInfo) -> tuple[Evidence, ...]:
    """Return the evidence in the names of column, sheet and file."""
    named = (("column name", source_info.column), ("sheet name", source_info.sheet), ("file name", source_info.name))
    return tuple(
        Evidence(where, said, f"the {where} is {masked_repr(name)}")
        for where, name in named
        if name and (said := entity_type_from_name(name))
    )


def contradicting_names(stated: EntityType, source_info: SourceInfo) -> tuple[str, ...]:
    """Return sentences about names that contradict the stated type, or name both."""
    read = f"The IDs were read as {stated}s ({ENTITY_TYPE_MEANINGS[stated]}), but"
    found = [
        f"{read} {each.detail}, which suggests {each.says}s ({ENTITY_TYPE_MEANINGS[each.says]})."
        for each in evidence_from_names(source_info)
        if each.says is not stated
    ]
    if len(entity_types_in_name(source_info.column)) > 1:
        found.append(f"{read} the column name is {masked_repr(source_info.column)}, which names both kinds.")
    return tuple(found)


def describe_mixed_kinds(stated: EntityType, source_info: SourceInfo, ids: IdArray) -> str | None:
    """Return a sentence about ids that the source shows to be of the other kind; None if there are none."""
    if source_info.other_kind is None or not (common := int(id_array.is_in(ids, source_info.other_kind).sum())):
        return None
    other = next(kind for kind in EntityType if kind is not stated)
    number = f"All {common:,}" if common == len(ids) else f"{common:,} of the {len(ids):,}"
    return (
        f"{number} IDs read as {stated}s ({ENTITY_TYPE_MEANINGS[stated]}) are {other}s ({ENTITY_TYPE_MEANINGS[other]}) "
        f"according to {source_info.other_kind_in}; an ID is never both."
    )


def evidence_from_content(
    ids: IdArray, earlier: Sequence[IdArray], report: pd.DataFrame | None
) -> tuple[Evidence, ...]:
    """Return the evidence in other waves and in a report."""
    found = []
    for number, others in enumerate(earlier, start=1):
        common = int(id_array.is_in(ids, others).sum())
        if common:
            detail = f"{common:,} of {len(ids):,} IDs also occur in earlier wave {number}; a visit never comes back"
            found.append(Evidence("other waves", EntityType.RSID, detail))
    for label in () if report is None else report.columns:
        said = entity_type_from_name(str(label))
        if report is not None and said:
            cells = [cell_text(value) for value in report[label].tolist()]
            raise_if_masked(cells, f"cells of the report's column {masked_repr(str(label))}")
            listed = id_array.from_ids(cells)
            common = int(id_array.is_in(ids, listed).sum())
            if common:
                detail = f"{common:,} of {len(ids):,} IDs are in the report's column {masked_repr(str(label))}"
                found.append(Evidence("report", said, detail))
    return tuple(found)


def evidence_frame(
    stated: EntityType, source_info: SourceInfo, ids: IdArray, earlier: Sequence[IdArray], report: pd.DataFrame | None
) -> pd.DataFrame:
    """Return the evidence as a frame; see `Respondents.evidence`."""
    import pandas as pd

    from cint_nb.study.readable_frame import ReadableFrame

    found = [*evidence_from_names(source_info), *evidence_from_content(ids, earlier, report)]
    if mixed := describe_mixed_kinds(stated, source_info, ids):
        other = next(kind for kind in EntityType if kind is not stated)
        found.append(Evidence("contents", other, mixed[0].lower() + mixed[1:-1]))
    return ReadableFrame(
        {
            "source": pd.Series([each.source for each in found], dtype="str"),
            "says": pd.Series([each.says.value for each in found], dtype="str"),
            "agrees": pd.Series([each.says is stated for each in found], dtype="bool"),
            "detail": pd.Series([each.detail for each in found], dtype="str"),
        }
    )
