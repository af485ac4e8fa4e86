"""A draft compared in three ways: as last written from here, as it is, and as the plan wants it. Pure functions."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cint_nb.domain.plan import AllocationFormat, Money, TargetGroupPlan
from cint_nb.domain.profiling.profiles import profiling_body
from cint_nb.domain.profiling.quotas import UnreadableProfiling, writable_profiling
from cint_nb.study.preflight.draft_witnesses import WITNESSES, Witness, get_field, normalised, spelled_out

READ_ONLY_FIELDS = frozenset({"id", "human_readable_id", "launched", "created_at", "links", "pricing_model"})
"""What the exchange shows of a draft and accepts in none."""
_ALLOCATIONS = ("allocations", "allocation_template")
_UNREADABLE = object()


@dataclass(frozen=True)
class DraftMerge:
    """What comes of a merge.

    Args:
        body: The draft to write.
        recorded: The draft as it counts as written from here: what is kept is not ours, so that it is kept next time.
        written: Fields that change on the exchange.
        kept: Fields that were changed there only, and stay.
        conflicts: Fields that were changed on both sides, or whose former value is not known.
    """

    body: dict[str, Any]
    recorded: dict[str, Any]
    written: tuple[str, ...]
    kept: tuple[str, ...]
    conflicts: tuple[str, ...]


def merge_drafts(
    base: Mapping[str, Any] | None,
    found: Mapping[str, Any],
    wanted: Mapping[str, Any],
    *,
    overwrite: Collection[str] = (),
    allocations: Mapping[str, Any] | None = None,
    unrecorded: Collection[str] = (),
) -> DraftMerge:
    """Merge a draft as it is with the draft the plan wants.

    Args:
        base: The draft as last written from here; None if that is not known.
        found: The draft as read now.
        wanted: The draft the plan wants.
        overwrite: Fields in which the plan wins whatever was changed.
        allocations: What the plan's allocation template leads to; None if that is not known.
        unrecorded: Fields whose true values a recording does not hold; they are written as planned.
    """
    planned, former = spelled_out(wanted, allocations), None if base is None else spelled_out(base, allocations)
    body = {**_unplanned(found), **copy.deepcopy(dict(wanted))}
    written, kept, conflicts = [], [], []
    name = found.get("name")
    if name is not None and "name" not in overwrite and (base is None or name != base.get("name")):
        body["name"] = name  # whatever it is called: a wave is known by its reference
        kept += ["name"] if name != wanted.get("name") else []
    for witness in WITNESSES:
        field = witness.field
        here, there = _value(witness, planned), _value(witness, found)
        before = _UNREADABLE if former is None else _value(witness, former)
        if field in unrecorded or _UNREADABLE in (here, there) or here == there:
            continue
        if field in overwrite or (before is not _UNREADABLE and there == before):
            written.append(field)
        elif before is not _UNREADABLE and here == before:
            kept.append(field)
            _set(body, field, _to_write(witness, found))
        elif before is _UNREADABLE and witness.bears_on == "superseded":
            # The launch carries the plan's dates, so those of the draft may stay as somebody left them.
            _set(body, field, get_field(found, field))
        else:
            conflicts.append(field)
    recorded = copy.deepcopy(body)
    for field in kept:
        _set(recorded, field, get_field(wanted if base is None else base, field))
    return DraftMerge(body, recorded, tuple(written), tuple(kept), tuple(conflicts))


def plan_with_fields(
    plan: TargetGroupPlan,
    draft: Mapping[str, Any],
    fields: Collection[str] | None = None,
    *,
    allocations: Mapping[str, Any] | None = None,
) -> TargetGroupPlan:
    """Return the plan with fields as a draft has them; fields that a plan cannot set are left out.

    Args:
        plan: The plan to start from.
        draft: The draft as read.
        fields: Fields of the draft; all of them if None.
        allocations: What the plan's allocation template leads to: a draft that shows the same has the template still.

    Raises:
        PlanError: the draft has a value that no plan may have.
    """
    changes: dict[str, Any] = {}
    if allocations is not None and not has_allocations(draft, allocations):
        spelled = writable_allocations(draft.get("allocations") or {})
        if fields is None or "allocations" in fields:
            changes["allocation_format"] = AllocationFormat.OPEN_EXCHANGE
            changes["open_exchange_allocations"] = spelled.get("open_exchange_allocations")
    for witness in WITNESSES:
        if witness.plan_field is None or (fields is not None and witness.field not in fields):
            continue
        value = get_field(draft, witness.field)
        if value is None and (not witness.optional or witness.plan_field == "pricing_model"):
            continue
        if witness.field == "profiling":
            if _value(witness, {"profiling": profiling_body(plan.profiling)}) == _value(witness, draft):
                continue  # the plan's own may have names
            value = None if value is None else _writable_profiling(value)
        changes[witness.plan_field] = _plan_value(value)
    return TargetGroupPlan(**{**dict(plan), **changes})


def has_allocations(draft: Mapping[str, Any], allocations: Mapping[str, Any]) -> bool:
    """Return whether a draft shows these allocations; also where it shows none that can be read."""
    witness = next(each for each in WITNESSES if each.field == "allocations")
    shown = _value(witness, draft)
    return shown is _UNREADABLE or shown == _value(witness, {"allocations": allocations})


def writable_allocations(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return allocations as a draft shows them in the form in which they are written: suppliers by id, as text."""
    exchange, private = (shown.get(f"{name}_exchange_allocations") or {} for name in ("open", "private"))
    written: dict[str, Any] = {
        "open_exchange_allocations": {
            "blocked_supplier_ids": _ids(exchange.get("blocked_suppliers")),
            "exchange_min_percentage": exchange.get("exchange_min_percentage"),
            "exchange_max_percentage": exchange.get("exchange_max_percentage"),
            "groups": [
                {**_shares(group), "suppliers": _ids(group.get("suppliers"))} for group in exchange.get("groups") or ()
            ],
        }
    }
    if private.get("blocked_suppliers") or private.get("groups"):
        written["private_exchange_allocations"] = {
            "blocked_supplier_ids": _ids(private.get("blocked_suppliers")),
            "groups": [
                {**_shares(group), "supplier_id": _ids([group.get("supplier")])[0]}
                for group in private.get("groups") or ()
            ],
        }
    return written


def _shares(group: Mapping[str, Any]) -> dict[str, Any]:
    return {name: group.get(name) for name in ("group_name", "min_percentage", "max_percentage")}


def _ids(suppliers: Any) -> list[str]:
    return [str(each.get("id")) if isinstance(each, Mapping) else str(each) for each in suppliers or ()]


def _to_write(witness: Witness, found: Mapping[str, Any]) -> Any:
    value = get_field(found, witness.field)
    if witness.field == "profiling" and value is not None:
        return _writable_profiling(value)
    return writable_allocations(value) if witness.field == "allocations" else value


def _writable_profiling(shown: Mapping[str, Any]) -> Any:
    try:
        return writable_profiling(shown)
    except UnreadableProfiling:  # as it came: the exchange says what it does not take
        return shown


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
