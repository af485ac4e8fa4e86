"""RSID or RID: their form is the same, so what speaks for either is gathered and shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cint_nb.domain.ids import EntityType, masked_repr
from cint_nb.study.files import id_array as key_rows
from cint_nb.study.files.id_array import IdArray
from cint_nb.study.files.id_column import entity_type_from_name
from cint_nb.study.files.readers import SourceInfo
from cint_nb.study.files.verdicts import cell_text

if TYPE_CHECKING:
    import pandas as pd

_MEANINGS = {EntityType.RSID: "one per person", EntityType.RID: "one per visit"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that speaks for an entity type: where it was seen, what it says, in which words."""

    source: str
    says: EntityType
    detail: str


def evidence_from_names(origin: SourceInfo) -> tuple[Evidence, ...]:
    """Read what the names of column, sheet and file claim."""
    named = (("column name", origin.column), ("sheet name", origin.sheet), ("file name", origin.name))
    return tuple(
        Evidence(where, said, f"the {where} is {masked_repr(name)}")
        for where, name in named
        if name and (said := entity_type_from_name(name))
    )


def contradicting_names(stated: EntityType, origin: SourceInfo) -> tuple[str, ...]:
    """Return sentences about names that contradict the stated type."""
    return tuple(
        f"The ids were read as {stated}s ({_MEANINGS[stated]}), but {each.detail}, which suggests {each.says}s "
        f"({_MEANINGS[each.says]})."
        for each in evidence_from_names(origin)
        if each.says is not stated
    )


def evidence_from_content(
    keys: IdArray, earlier: Sequence[IdArray], report: pd.DataFrame | None
) -> tuple[Evidence, ...]:
    """Read what other waves and a report say."""
    found = []
    for number, others in enumerate(earlier, start=1):
        common = int(key_rows.is_in(keys, others).sum())
        if common:
            detail = f"{common:,} of {len(keys):,} ids also occur in other wave {number}; a visit never comes back"
            found.append(Evidence("other waves", EntityType.RSID, detail))
    for label in () if report is None else report.columns:
        said = entity_type_from_name(str(label))
        if report is not None and said:
            listed = key_rows.from_ids(cell_text(value) for value in report[label].tolist())
            common = int(key_rows.is_in(keys, listed).sum())
            if common:
                detail = f"{common:,} of {len(keys):,} ids are in the report's column {masked_repr(str(label))}"
                found.append(Evidence("report", said, detail))
    return tuple(found)


def evidence_frame(
    stated: EntityType, origin: SourceInfo, keys: IdArray, earlier: Sequence[IdArray], report: pd.DataFrame | None
) -> pd.DataFrame:
    """Return the evidence as a frame; see `Respondents.evidence`."""
    import pandas as pd

    found = (*evidence_from_names(origin), *evidence_from_content(keys, earlier, report))
    return pd.DataFrame(
        {
            "source": pd.Series([each.source for each in found], dtype="str"),
            "says": pd.Series([each.says.value for each in found], dtype="str"),
            "agrees": pd.Series([each.says is stated for each in found], dtype="bool"),
            "detail": pd.Series([each.detail for each in found], dtype="str"),
        }
    )
