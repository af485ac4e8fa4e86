"""A draft compared in three ways: as last written from here, as it is, and as the plan wants it. Pure functions."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cint_nb.domain.plan import Money, TargetGroupPlan
from cint_nb.study.preflight.draft_witnesses import WITNESSES, Witness, get_field, normalised

READ_ONLY_FIELDS = frozenset({"id", "human_readable_id", "launched", "created_at", "links", "pricing_model"})
"""What the exchange shows of a draft and accepts in none."""
_ALLOCATIONS = ("allocations", "allocation_template")
_UNREADABLE = object()


@dataclass(frozen=True)
class DraftMerge:
    """What comes of a merge.

    Args:
        body: The draft to write.
        written: Fields that change on the exchange.
        kept: Fields that were changed there only, and stay.
        conflicts: Fields that were changed on both sides, or whose former value is not known.
    """

    body: dict[str, Any]
    written: tuple[str, ...]
    kept: tuple[str, ...]
    conflicts: tuple[str, ...]


def merge_drafts(
    base: Mapping[str, Any] | None,
    found: Mapping[str, Any],
    wanted: Mapping[str, Any],
    *,
    overwrite: Collection[str] = (),
) -> DraftMerge:
    """Merge a draft as it is with the draft the plan wants.

    Args:
        base: The draft as last written from here; None if that is not known.
        found: The draft as read now.
        wanted: The draft the plan wants.
        overwrite: Fields in which the plan wins whatever was changed.
    """
    body = {**_unplanned(found), **copy.deepcopy(dict(wanted))}
    written, kept, conflicts = [], [], []
    name = found.get("name")
    if name is not None and "name" not in overwrite and (base is None or name != base.get("name")):
        body["name"] = name  # whatever it is called: a wave is known by its reference
        kept += ["name"] if name != wanted.get("name") else []
    for witness in WITNESSES:
        field = witness.field
        here, there = _value(witness, wanted), _value(witness, found)
        before = _UNREADABLE if base is None else _value(witness, base)
        if there is _UNREADABLE or here == there:
            continue
        if field in overwrite or (before is not _UNREADABLE and there == before):
            written.append(field)
        elif before is not _UNREADABLE and here == before:
            kept.append(field)
            _set(body, field, get_field(found, field))
        elif before is _UNREADABLE and witness.bears_on == "superseded":
            # The launch carries the plan's dates, so those of the draft may stay as somebody left them.
            _set(body, field, get_field(found, field))
        else:
            conflicts.append(field)
    return DraftMerge(body, tuple(written), tuple(kept), tuple(conflicts))


def plan_with_fields(
    plan: TargetGroupPlan, draft: Mapping[str, Any], fields: Collection[str] | None = None
) -> TargetGroupPlan:
    """Return the plan with fields as a draft has them; fields that a plan cannot set are left out.

    Args:
        plan: The plan to start from.
        draft: The draft as read.
        fields: Fields of the draft; all of them if None.

    Raises:
        PlanError: the draft has a value that no plan may have.
    """
    changes: dict[str, Any] = {}
    for witness in WITNESSES:
        if witness.plan_field is None or (fields is not None and witness.field not in fields):
            continue
        value = get_field(draft, witness.field)
        if value is None and not witness.optional:
            continue
        changes[witness.plan_field] = _plan_value(value)
    return TargetGroupPlan.recontact(**{**dict(plan), **changes})


def _unplanned(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a draft shows and no plan can set: a colleague's, and writing the draft would remove it."""
    planned = {*READ_ONLY_FIELDS, *_ALLOCATIONS, *(witness.field.partition(".")[0] for witness in WITNESSES)}
    return {field: copy.deepcopy(value) for field, value in found.items() if field not in planned}


def _value(witness: Witness, body: Mapping[str, Any]) -> Any:
    value = get_field(body, witness.field)
    if value is None and not witness.optional:
        return _UNREADABLE
    try:
        return normalised(witness, value)
    except ValueError:
        return _UNREADABLE


def _set(body: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for name in parents:
        inner = body.get(name)
        body[name] = dict(inner) if isinstance(inner, Mapping) else {}
        body = body[name]
    if value is None:
        body.pop(last, None)
    else:
        body[last] = value


def _plan_value(value: Any) -> Any:
    if isinstance(value, Mapping) and set(value) >= {"value", "currency_code"}:
        return Money(value=Decimal(str(value["value"])), currency_code=str(value["currency_code"]))
    return value
