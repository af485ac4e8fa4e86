"""The fields of a target group that a colleague may edit: where each stands in the draft, and another value for it."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias, cast, get_args

from cint_nb.domain import limits
from cint_nb.sandbox.protocol.messages import Json, JsonObject
from cint_nb.sandbox.world import catalogue

DraftField = Literal[
    "name",
    "business_unit_id",
    "project_manager_id",
    "locale",
    "collects_pii",
    "study_type_code",
    "industry_code",
    "industry_lockout_code",
    "completes_goal",
    "filling_strategy",
    "expected_length_of_interview_minutes",
    "expected_incidence_rate",
    "start_at",
    "end_at",
    "cost_per_interview",
    "client_cost_per_interview_note",
    "pricing_model",
    "maximum_cpi",
    "minimum_cpi",
    "total_budget",
    "prevent_overfill",
    "balance_fill",
    "pacing",
    "soft_launch",
    "exclusion",
    "respondent_activity_exclusions",
    "profiling",
    "allocations",
    "live_url",
    "test_url",
    "client_id",
    "target_group_customer_reference_number",
]
"""The fields of a draft, as the Demand API names them; those below another field by their own name alone."""

_Object: TypeAlias = "dict[str, Json]"
_MONEY = re.compile(r"(\d{1,9}(?:\.\d{1,4})?)(?: ?([A-Z]{3}))?", re.ASCII)
_SURVEY = f"https://another-survey.example/?id=[%RID%]&RECONTACT_RSID={limits.RECONTACT_URL_VARIABLE}"


@dataclass(frozen=True)
class DraftEdit:
    """How one field is edited.

    Args:
        path: Where it stands in the body of a draft.
        read: Reads a value that was written as text; ValueError when it is not one.
        other: Gives a value that differs from the present one, None when the field is absent.
    """

    path: tuple[str, ...]
    read: Callable[[str], Json]
    other: Callable[[Json], Json]


def edited(draft: JsonObject, field: DraftField, text: str | None, currency: str) -> JsonObject:
    """Return a draft with one field changed, and with it what the rules of the exchange demand.

    A business unit of another currency changes the currency of all prices; rate card pricing has no
    `cost_per_interview`; of `total_budget` and `maximum_cpi`, and of `allocations` and `allocation_template`, only one
    can be given.

    Args:
        draft: The draft, which is left as it is.
        field: The field.
        text: Its new value; `null` removes the field, and with None the value is another one than the present.
        currency: The currency of an amount that names none.
    """
    changed = copy.deepcopy(draft)
    edit = DRAFT_EDITS[field]
    *above, name = edit.path
    holder: _Object = changed
    for step in above:
        inner = holder.get(step)
        holder[step] = inner = dict(inner) if isinstance(inner, dict) else {}
        holder = inner
    value = edit.other(holder.get(name)) if text is None else None if text == "null" else edit.read(text)
    if value is None:
        holder.pop(name, None)
    else:
        holder[name] = {"currency_code": currency, **value} if isinstance(value, dict) and "value" in value else value
    if above[-1:] == ["pricing"] and value is not None:
        holder.setdefault("type", "dynamic")
        if holder["type"] == "rate_card":
            changed.pop("cost_per_interview", None)
        if name in ("total_budget", "maximum_cpi"):
            holder.pop("maximum_cpi" if name == "total_budget" else "total_budget", None)
    if above[-1:] == ["quota_overlay"]:
        holder.update({other: False for other in ("prevent_overfill", "balance_fill") if other not in holder})
    if field == "allocations":
        changed.pop("allocation_template", None)
    if field == "business_unit_id":
        return cast("JsonObject", _in_currency(changed, catalogue.CURRENCIES.get(int(str(value)), currency)))
    return changed


def _in_currency(value: Json, currency: str) -> Json:
    if isinstance(value, dict):
        return {
            name: currency if name == "currency_code" else _in_currency(item, currency) for name, item in value.items()
        }
    return [_in_currency(item, currency) for item in value] if isinstance(value, list) else value


def _number(text: str) -> Json:
    return int(text) if re.fullmatch(r"-?\d{1,12}", text, re.ASCII) else float(text)


def _flag(text: str) -> Json:
    if text not in ("true", "false"):
        raise ValueError("write true or false")
    return text == "true"


def _money(text: str) -> Json:
    match = _MONEY.fullmatch(text)
    if match is None:
        raise ValueError("write an amount, such as 25 or 25 EUR")
    return {"value": match[1], **({"currency_code": match[2]} if match[2] else {})}


def _time(text: str) -> Json:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("write a time with its zone, such as 2026-09-20T08:00:00Z")
    return text


def _json(text: str) -> Json:
    value: Json = json.loads(text)
    return value


def _either(first: Json, second: Json) -> Callable[[Json], Json]:
    return lambda present: second if present == first else first


def _toggled(*, absent: bool) -> Callable[[Json], Json]:
    """Return the other value of a flag; an absent one counts as what the exchange assumes."""
    return lambda present: not (absent if present is None else present)


def _plus(step: float, most: float) -> Callable[[Json], Json]:
    def other(present: Json) -> Json:
        number = present if isinstance(present, int | float) else 0
        return round(number + step if number + step <= most else number - step, 2)

    return other


def _times(factor: int, absent: str) -> Callable[[Json], Json]:
    """Return an amount that is a multiple of the present one."""

    def other(present: Json) -> Json:
        if not isinstance(present, dict):
            return {"value": absent}
        return {**present, "value": format(Decimal(str(present["value"])) * factor, "f")}

    return other


def _later(days: int) -> Callable[[Json], Json]:
    def other(present: Json) -> Json:
        moment = datetime.fromisoformat(str(present)) + timedelta(days=days)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    return other


def _goal(present: Json) -> Json:
    return int(str(present)) * 2


def _profiles(percentages: tuple[int, int]) -> JsonObject:
    targets: list[JsonObject] = [
        {
            "conditions": [{"object": "selection", "question_id": 43, "option": str(option)}],
            "quota": {"completes_goal_percentage": percentage},
        }
        for option, percentage in enumerate(percentages, 1)
    ]
    profile: JsonObject = {"object": "regular", "name": "Gender", "quotas_enabled": True, "targets": targets}
    return {"profile_adjustment_type": "percentage", "profiles": [profile]}


def _open_exchange(least: int) -> JsonObject:
    """Return the whole exchange as an allocation, as recontacts allow it, with a minimum share."""
    shares: JsonObject = {"exchange_min_percentage": least, "exchange_max_percentage": 100}
    return {"open_exchange_allocations": {"blocked_supplier_ids": [], "groups": [], **shares}}


def _soft_launch(goal_percentage: int) -> JsonObject:
    end_at = "2030-01-01T00:00:00.000Z"
    return {
        "end_at": end_at,
        "filling_goal_percentage": goal_percentage,
        "demographics_strictness_percentage": 50,
    }


_ANOTHER_PROJECT: JsonObject = {"type": "project", "id": "01J0000000000000000PR0JECT"}
_ASSISTANT = "fielding_assistant_assignment"
_PRICING = (_ASSISTANT, "pricing")
_OVERLAY = (_ASSISTANT, "quota_overlay")
_PERIOD = "fielding_specification"
DRAFT_EDITS: dict[DraftField, DraftEdit] = {
    "name": DraftEdit(("name",), str, _either("Renamed by a colleague", "Renamed once more")),
    "business_unit_id": DraftEdit(("business_unit_id",), str, lambda now: "1234" if str(now) == "5678" else "5678"),
    "project_manager_id": DraftEdit(
        ("project_manager_id",), str, _either(catalogue.COLLEAGUE_ID, catalogue.PROJECT_MANAGER_ID)
    ),
    "locale": DraftEdit(("locale",), str, _either("fre_fr", "ger_de")),
    "collects_pii": DraftEdit(("collects_pii",), _flag, _toggled(absent=False)),
    "study_type_code": DraftEdit(("study_type_code",), str, _either("adhoc", "tracker")),
    "industry_code": DraftEdit(("industry_code",), str, _either("travel", "other")),
    "industry_lockout_code": DraftEdit(("industry_lockout_code",), str, _either("travel", "other")),
    "completes_goal": DraftEdit(("completes_goal",), _number, _goal),
    "filling_strategy": DraftEdit(("filling_strategy",), str, _either("prescreens", "completes")),
    "expected_length_of_interview_minutes": DraftEdit(
        ("expected_length_of_interview_minutes",), _number, _plus(10, 45)
    ),
    "expected_incidence_rate": DraftEdit(("expected_incidence_rate",), _number, _plus(0.25, 1)),
    "start_at": DraftEdit((_PERIOD, "start_at"), _time, _later(1)),
    "end_at": DraftEdit((_PERIOD, "end_at"), _time, _later(30)),
    "cost_per_interview": DraftEdit(("cost_per_interview",), _money, _times(10, "25.00")),
    "client_cost_per_interview_note": DraftEdit(("client_cost_per_interview_note",), _money, _times(2, "30.00")),
    "pricing_model": DraftEdit((*_PRICING, "type"), str, _either("rate_card", "dynamic")),
    "maximum_cpi": DraftEdit((*_PRICING, "maximum_cpi"), _money, _times(10, "25.00")),
    "minimum_cpi": DraftEdit((*_PRICING, "minimum_cpi"), _money, _times(2, "0.50")),
    "total_budget": DraftEdit((*_PRICING, "total_budget"), _money, _times(10, "10000.00")),
    "prevent_overfill": DraftEdit((*_OVERLAY, "prevent_overfill"), _flag, _toggled(absent=True)),
    "balance_fill": DraftEdit((*_OVERLAY, "balance_fill"), _flag, _toggled(absent=False)),
    "pacing": DraftEdit((_ASSISTANT, "pacing"), _json, _either({"type": "linear"}, {"type": "adaptive"})),
    "soft_launch": DraftEdit((_ASSISTANT, "soft_launch"), _json, _either(_soft_launch(20), _soft_launch(40))),
    "exclusion": DraftEdit(("exclusion", "enabled"), _flag, _toggled(absent=False)),
    "respondent_activity_exclusions": DraftEdit(
        ("respondent_activity_exclusions",), _json, _either([_ANOTHER_PROJECT], [])
    ),
    "profiling": DraftEdit(("profiling",), _json, _either(_profiles((50, 50)), _profiles((30, 70)))),
    "allocations": DraftEdit(("allocations",), _json, _either(_open_exchange(50), _open_exchange(20))),
    "live_url": DraftEdit(("live_url",), str, _either(_SURVEY, f"{_SURVEY}&again=1")),
    "test_url": DraftEdit(("test_url",), str, _either(_SURVEY, f"{_SURVEY}&again=1")),
    "client_id": DraftEdit(("client_id",), _number, _either(7, 8)),
    "target_group_customer_reference_number": DraftEdit(
        ("target_group_customer_reference_number",), str, _either("colleague-1", "colleague-2")
    ),
}
"""How each field is edited."""

if set(DRAFT_EDITS) != set(get_args(DraftField)):
    raise TypeError("DRAFT_EDITS and DraftField name different fields")
