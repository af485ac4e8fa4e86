"""Which documented read shows each field of a draft, and whether the value read is the plan's.

The table is the guard of a launch: every field that bears on cost, audience, survey or time must have been read back
and equal the plan. A field that no read shows counts as this package last wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import unquote, urlsplit

from cint_nb.domain.plan import AllocationFormat, TargetGroupPlan
from cint_nb.domain.profiling.quotas import comparable_profiling

Bearing: TypeAlias = Literal["cost", "audience", "survey", "time", "superseded", "label"]
"""What a field bears on. The launch carries its own times, so those of the draft are `superseded`; a `label` changes
nothing about the fieldwork."""

Read: TypeAlias = Literal[
    "draft", "fielding assistant", "exclusion policy", "allocation specification", "target group list"
]
Normaliser: TypeAlias = Callable[[Any], Any]

_ASSISTANT = "fielding_assistant_assignment"


@dataclass(frozen=True, slots=True)
class Witness:
    """One field of the draft.

    Args:
        field: Its name in the draft, with points between levels.
        bears_on: What it bears on.
        normalise: Puts both values into one form; raises `ValueError` for what cannot be read.
        plan_field: The field of the plan that sets it; None if a plan cannot.
        optional: Whether a plan may omit it: the draft then shows nothing, or an empty value.
        fallback: The read that shows it where the draft does not.
    """

    field: str
    bears_on: Bearing
    normalise: Normaliser
    plan_field: str | None = None
    optional: bool = False
    fallback: Read | None = None


class UnreadableValue(ValueError):
    """A value that is not of the kind its field needs."""


def _number(value: Any) -> Decimal:
    if isinstance(value, bool):
        raise UnreadableValue("a truth value")
    try:
        return Decimal(str(value)).normalize()
    except InvalidOperation:
        raise UnreadableValue("not a number") from None


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise UnreadableValue("not a truth value")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise UnreadableValue("not a text")
    return value


def _lockout(value: Any) -> str | None:
    code = _text(value).lower()
    return None if code in ("none", "not_applicable", "no_lockout") else code


def _money(value: Any) -> tuple[Decimal, str]:
    if not isinstance(value, Mapping):
        raise UnreadableValue("not an amount")
    return _number(value.get("value")), _text(value.get("currency_code")).upper()


def _time(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise UnreadableValue("a time without a zone")
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _url(value: Any) -> tuple[str, ...]:
    """Return a URL in a comparable form; the brackets of a variable are not an IPv6 address."""
    text = unquote(_text(value)).replace("[", "").replace("]", "")
    try:
        parts = urlsplit(text)
    except ValueError:  # no URL; it is still another text than the plan's
        return (text,)
    return parts.scheme.lower(), parts.netloc.lower(), parts.path.rstrip("/"), parts.query, parts.fragment


def _structure(value: Any) -> Any:
    """Return nested JSON with numbers as decimals, and without what is null or empty."""
    if isinstance(value, Mapping):
        items = {name: _structure(each) for name, each in value.items()}
        return {name: each for name, each in items.items() if each not in (None, [], {}, "")}
    if isinstance(value, list | tuple):
        return [_structure(each) for each in value]
    return value if isinstance(value, bool | str) or value is None else _number(value)


@dataclass(frozen=True, slots=True)
class _Share:
    """What a group of suppliers may deliver."""

    name: str
    least: Decimal
    most: Decimal
    suppliers: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Allocations:
    """Who may supply respondents: the same for the form that is written and the one that is shown."""

    least: Decimal
    most: Decimal
    blocked: frozenset[str]
    groups: frozenset[_Share]
    private_blocked: frozenset[str]
    private_groups: frozenset[_Share]

    def __str__(self) -> str:
        blocked, groups = len(self.blocked | self.private_blocked), len(self.groups | self.private_groups)
        return f"open exchange {self.least:f}–{self.most:f} %, {blocked} suppliers blocked, {groups} groups"


def _suppliers(value: Any) -> frozenset[str]:
    if value is not None and not isinstance(value, list | tuple):
        raise UnreadableValue("not a list of suppliers")
    return frozenset(str(each.get("id") if isinstance(each, Mapping) else each) for each in value or ())


def _shares(value: Any) -> frozenset[_Share]:
    if value is not None and not (isinstance(value, list) and all(isinstance(each, Mapping) for each in value)):
        raise UnreadableValue("not a list of groups")
    return frozenset(
        _Share(
            str(each.get("group_name")),
            _number(each.get("min_percentage")),
            _number(each.get("max_percentage")),
            _suppliers(each.get("suppliers") or [one for name in _ONE_SUPPLIER if (one := each.get(name))]),
        )
        for each in value or ()
    )


def _allocations(value: Any) -> _Allocations:
    """Return allocations in a comparable form, without the suppliers that merely exist and what they delivered."""
    exchange = value.get("open_exchange_allocations") if isinstance(value, Mapping) else None
    if not isinstance(exchange, Mapping):
        raise UnreadableValue("not spelled out")
    private = value.get("private_exchange_allocations") or {}
    if not isinstance(private, Mapping):
        raise UnreadableValue("not an object")
    return _Allocations(
        _number(exchange.get("exchange_min_percentage")),
        _number(exchange.get("exchange_max_percentage")),
        _suppliers(exchange.get("blocked_suppliers", exchange.get("blocked_supplier_ids"))),
        _shares(exchange.get("groups")),
        _suppliers(private.get("blocked_suppliers", private.get("blocked_supplier_ids"))),
        _shares(private.get("groups")),
    )


_ONE_SUPPLIER = ("supplier", "supplier_id")
"""How a group of a private exchange names its one supplier, where it is shown and where it is written."""


def _assistant_witness(
    field: str, bears_on: Bearing, normalise: Normaliser, plan_field: str | None = None, *, optional: bool = False
) -> Witness:
    return Witness(f"{_ASSISTANT}.{field}", bears_on, normalise, plan_field, optional, "fielding assistant")


WITNESSES: Final = (
    Witness("completes_goal", "cost", _number, "completes_goal"),
    Witness("cost_per_interview", "cost", _money, "cost_per_interview", optional=True),
    _assistant_witness("pricing.type", "cost", _text, "pricing_model", optional=True),
    Witness(
        f"{_ASSISTANT}.pricing.maximum_cpi", "cost", _money, "maximum_cpi", optional=True, fallback="fielding assistant"
    ),
    _assistant_witness("pricing.minimum_cpi", "cost", _money, optional=True),
    _assistant_witness("pricing.boost_cpi", "cost", _money, optional=True),
    _assistant_witness("pricing.total_budget", "cost", _money, "total_budget", optional=True),
    Witness(
        f"{_ASSISTANT}.quota_overlay.prevent_overfill", "cost", _flag, "prevent_overfill", fallback="fielding assistant"
    ),
    Witness("filling_strategy", "cost", _text, "filling_strategy", fallback="target group list"),
    Witness("business_unit_id", "cost", _number, "business_unit_id"),
    Witness("expected_length_of_interview_minutes", "cost", _number, "expected_length_of_interview_minutes"),
    Witness("expected_incidence_rate", "cost", _number, "expected_incidence_rate"),
    Witness("study_type_code", "audience", _text, "study_type_code"),
    Witness("locale", "audience", _text, "locale"),
    Witness("exclusion.enabled", "audience", _flag, "exclusion_enabled", fallback="exclusion policy"),
    Witness("profiling", "audience", comparable_profiling, "profiling", optional=True),
    Witness("respondent_activity_exclusions", "audience", _structure, optional=True),
    Witness("industry_lockout_code", "audience", _lockout, optional=True),
    Witness("allocations", "audience", _allocations, fallback="allocation specification"),
    Witness(
        f"{_ASSISTANT}.quota_overlay.balance_fill", "audience", _flag, "balance_fill", fallback="fielding assistant"
    ),
    Witness("live_url", "survey", _url, "live_url"),
    Witness("collects_pii", "survey", _flag, "collects_pii"),
    Witness("fielding_specification.end_at", "superseded", _time, "end_at"),
    Witness("fielding_specification.start_at", "superseded", _time, "start_at"),
    _assistant_witness("pacing", "time", _structure, optional=True),
    _assistant_witness("soft_launch", "time", _structure, optional=True),
    Witness("test_url", "label", _url, "test_url"),
    Witness("industry_code", "label", _text, "industry_code"),
    Witness("project_manager_id", "label", _text, "project_manager_id"),
)
"""Every field the plan can set or a colleague can add, in the order findings are listed."""


@dataclass(frozen=True, slots=True)
class Unwitnessed:
    """A field that no documented read of a draft shows.

    Args:
        name: The name that `unverified=` accepts.
        meaning: What it decides.
    """

    name: str
    meaning: str


UNWITNESSED: Final = (Unwitnessed("template", "the recontact template of the allocations"),)


@dataclass(frozen=True, slots=True)
class FieldComparison:
    """One field, compared.

    Args:
        witness: The field.
        planned: The plan's value in a comparable form; None if the plan sets none.
        found: The value read in the same form; None if the group has none.
        was_read: Whether a read showed the field; `found` says nothing where it is False.
    """

    witness: Witness
    planned: Any
    found: Any
    was_read: bool

    @property
    def agrees(self) -> bool:
        """Whether the field was read and is the plan's."""
        return self.was_read and self.planned == self.found


def compare_draft(
    plan: TargetGroupPlan,
    draft: Mapping[str, Any] | None,
    *,
    fallbacks: Mapping[Read, Mapping[str, Any]] | None = None,
    allocations: Mapping[str, Any] | None = None,
    unrecorded: frozenset[str] = frozenset(),
) -> list[FieldComparison]:
    """Compare every field of a draft with the plan.

    Args:
        plan: What the draft should be.
        draft: The draft as read, in the exchange's field names; None if it could not be read.
        fallbacks: Replies of other reads, in the draft's field names, for fields the draft does not show.
        allocations: What the plan's template leads to, spelled out; without it, allocations by template are left out.
        unrecorded: Fields whose true values a recording does not hold; they are left out.
    """
    body = planned_body(plan, allocations)
    return [
        _compare(witness, body, draft, (fallbacks or {}).get(witness.fallback) if witness.fallback else None)
        for witness in WITNESSES
        if witness.field not in unrecorded and not (witness.field == "allocations" and "allocations" not in body)
    ]


def planned_body(plan: TargetGroupPlan, allocations: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what the exchange should show of a plan: its template spelled out, and what a request of its own sets.

    Args:
        plan: The plan.
        allocations: What its template leads to; None if that is not known.
    """
    return spelled_out({**plan.to_body(), "filling_strategy": plan.filling_strategy}, allocations)


def spelled_out(body: Mapping[str, Any], allocations: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a draft's body with what its allocation template leads to; without allocations if that is not known."""
    written = body.get("allocations")
    if isinstance(written, Mapping) and "open_exchange_allocations" in written:
        return dict(body)
    rest = {name: value for name, value in body.items() if name not in ("allocations", "allocation_template")}
    return rest if allocations is None else {**rest, "allocations": allocations}


def _compare(
    witness: Witness, body: Mapping[str, Any], draft: Mapping[str, Any] | None, other: Mapping[str, Any] | None
) -> FieldComparison:
    try:
        planned = normalised(witness, get_field(body, witness.field))
    except ValueError:  # what the exchange made of the plan's template: unreadable, so that nothing can equal it
        return FieldComparison(witness, None, None, was_read=False)
    for reply in (draft, other):
        value = get_field(reply, witness.field)
        value = None if value == "" else value
        if value is None and (planned is not None or reply is None or not _could_show(reply, witness.field)):
            continue
        try:
            return FieldComparison(witness, planned, normalised(witness, value), was_read=True)
        except ValueError:  # shown, but unreadable
            continue
    return FieldComparison(witness, planned, None, was_read=False)


def normalised(witness: Witness, value: Any) -> Any:
    """Return a value of a field in comparable form; None for none.

    Raises:
        ValueError: it cannot be read.
    """
    if value is None or (witness.optional and value in ("", [], {})):
        return None
    normal = witness.normalise(value)
    return None if witness.optional and normal in ({}, []) else normal


def can_compare(field: str, value: Any) -> bool:
    """Return whether a value of a field of the draft can be read, so that another can equal it."""
    witness = next(each for each in WITNESSES if each.field == field)
    try:
        normalised(witness, value)
    except ValueError:
        return False
    return True


def get_field(body: Any, path: str) -> Any:
    """Return the value of a field with points between levels; None if it is absent."""
    for name in path.split("."):
        body = body.get(name) if isinstance(body, Mapping) else None
    return body


def _could_show(reply: Mapping[str, Any], path: str) -> bool:
    """Return whether the absence of a field means that there is none: the object it belongs to is shown."""
    first, *rest = path.split(".")
    return not rest or first in reply


def shows_template(plan: TargetGroupPlan) -> bool:
    """Return whether the plan's allocations can be read back; those of a template cannot."""
    return plan.allocation_format in (AllocationFormat.OPEN_EXCHANGE, AllocationFormat.OMITTED)


VERIFIABLE: Final = (*(each.field for each in WITNESSES), *(each.name for each in UNWITNESSED), "people", "asked twice")
"""What `unverified=` may name."""
