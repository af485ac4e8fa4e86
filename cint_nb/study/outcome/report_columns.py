"""Finding the RSID, RID and status columns of a report, by name and by content."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from cint_nb.domain.ids import EntityType, masked_repr
from cint_nb.study.files.file_format import source_error
from cint_nb.study.files.id_column import (
    MIN_ID_SHARE,
    ColumnSample,
    entity_type_from_name,
    entity_types_in_name,
    list_labels,
)

_STATUS = re.compile(r"(client|respondent|final|current|session|response)?(status|code)(code|description|label|text)?")
_TARGET_GROUP = re.compile(r"targetgroup(id|name)?")
_END_TIMES = tuple(
    re.compile(rf"{word}(date|time|datetime|datetimestamp|at|timestamp)(utc|cst|cdt|central)?")
    for word in ("(survey)?completion", "completed?", "last", "(survey)?(end|ended|exit)")
)
"""Names of the time at which a visit ended, those that say most first."""
_TEXT_LABEL = re.compile(r".*(description|label|text)")


def rsid_column(columns: Sequence[ColumnSample], requested: str | None, rid: str | None, source: str | None) -> str:
    """Return the name of the RSID column.

    Args:
        columns: The columns of the report.
        requested: A name, or None to find it.
        rid: Name of the RID column, or None if the analyst gave none.
        source: Name of the source, for messages.

    Raises:
        RespondentFileError: no column contains RSIDs, or several may; the message lists them and the call to write.
    """
    if requested is not None:
        return _requested_column(columns, requested, "rsid", source)
    with_ids = [each for each in columns if each.share_of_ids >= MIN_ID_SHARE and each.name != rid]
    named = [each for each in with_ids if entity_type_from_name(each.name) is EntityType.RSID]
    plain = [each for each in named if "rsid" in _normalise_name(_name(each))]
    if len(plain) == 1:
        return _name(plain[0])
    if named and not plain and not any(entity_type_from_name(each.name) is EntityType.RID for each in with_ids):
        # In an older format of the exchange the column `respondent_id` holds RIDs: the name alone proves nothing.
        return _single_match(with_ids, "RSIDs", "rsid", source, at_least=1 if rid else 2)
    if named:
        return _single_match(named, "RSIDs", "rsid", source)
    rest = [each for each in with_ids if entity_type_from_name(each.name) is not EntityType.RID]
    # A single column of ids whose name says nothing may contain RIDs, unless those are known to be in another column.
    if len(rest) == 1 and (rid or len(rest) < len(with_ids)):
        return _name(rest[0])
    return _single_match(rest, "RSIDs", "rsid", source, at_least=2)


def rid_column(columns: Sequence[ColumnSample], requested: str | None, rsid: str, source: str | None) -> str | None:
    """Return the name of the RID column, None if there is none. Raises as `rsid_column`."""
    if requested is not None:
        return _requested_column(columns, requested, "rid", source)
    named = [
        each
        for each in columns
        if each.name != rsid
        and each.share_of_ids >= MIN_ID_SHARE
        and entity_type_from_name(each.name) is EntityType.RID
    ]
    if not named:  # such as `Respondent ID (RID)`, where RSIDs are known to be in another column
        named = [
            each
            for each in columns
            if each.name != rsid
            and each.share_of_ids >= MIN_ID_SHARE
            and EntityType.RID in entity_types_in_name(each.name)
        ]
    if not named and "rsid" in _normalise_name(rsid):  # in an older format `respondent_id` is the RID
        named = [
            each
            for each in columns
            if each.name != rsid
            and each.share_of_ids >= MIN_ID_SHARE
            and _normalise_name(_name(each)) == "respondentid"
        ]
    return _single_match(named, "RIDs", "rid", source) if named else None


def status_column(columns: Sequence[ColumnSample], requested: str | None, source: str | None) -> str:
    """Return the name of the column that shows completes; client codes before labels. Raises as `rsid_column`."""
    if requested is not None:
        return _requested_column(columns, requested, "status", source)
    found = [each for each in columns if _STATUS.fullmatch(_normalise_name(_name(each)))]
    narrower: tuple[Callable[[ColumnSample], bool], ...] = (
        lambda each: _normalise_name(_name(each)).startswith("client"),
        lambda each: not _TEXT_LABEL.fullmatch(_normalise_name(_name(each))),
    )
    for fits in narrower:
        found = [each for each in found if fits(each)] or found
    if found:
        return _single_match(found, "the status", "status", source)
    raise source_error(
        source,
        f"No column shows which visits were completed. The columns are {list_labels(columns)}.",
        "pass its name: cint.read_report(…, status='…'); or all_complete=True if every row is a complete.",
    )


def target_group_column(names: Sequence[str]) -> str | None:
    """Return the name of the column that names the target group of a visit; None if there is none, or several."""
    found = [name for name in names if _TARGET_GROUP.fullmatch(_normalise_name(name))]
    ids = [name for name in found if _normalise_name(name).endswith("id")]
    return (ids or found)[0] if len(ids or found) == 1 else None


def names_utc(name: str | None) -> bool:
    """Return whether the name of a column of times says UTC or GMT, as a word of its own, however it is written."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name or "").lower()
    return re.search(r"(?<![a-z])(utc|gmt)(?![a-z])", words) is not None


def end_time_column(names: Sequence[str]) -> str | None:
    """Return the name of the column with the time at which a visit ended; None if there is none, or several."""
    plain = {name: _normalise_name(name) for name in names}
    for fits in _END_TIMES:
        if found := [name for name in names if fits.fullmatch(plain[name])]:
            return found[0] if len(found) == 1 else None
    return None


def _name(column: ColumnSample) -> str:
    """Return the name of a column; `read_report` gives one to those without."""
    return column.name or str(column.position)


def _requested_column(columns: Sequence[ColumnSample], name: str, what: str, source: str | None) -> str:
    alike = [each for each in columns if each.name in (name, f"{name} ({each.position})")]
    if len(alike) > 1:
        raise source_error(
            source,
            f"Several columns have this name: {list_labels(alike)}.",
            f"pass one of these names as {what}='…'.",
        )
    if any(each.name == name for each in columns):
        return name
    raise source_error(
        source,
        f"There is no column {masked_repr(name)}. The columns are {list_labels(columns)}.",
        f"pass one of these names as {what}='…'.",
    )


def _single_match(
    found: Sequence[ColumnSample], what: str, parameter: str, source: str | None, *, at_least: int = 1
) -> str:
    if len(found) == 1 and at_least == 1:
        return _name(found[0])
    if not found:
        raise source_error(source, f"No column contains {what}.", "check that this is the respondent analysis report.")
    could = "could be" if what.startswith("the ") else "may contain"
    only = "One column contains IDs, and its name does not show whether they are RSIDs" if len(found) == 1 else ""
    raise source_error(
        source,
        f"{only or f'{len(found)} columns {could} {what}'}: {list_labels(found)}.",
        f"choose one: cint.read_report(…, {parameter}={_name(found[0])!r}).",
        columns=len(found),
    )


def _normalise_name(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())
