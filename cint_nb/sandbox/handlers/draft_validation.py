"""Validation of a target group draft beyond its schema: dates, currency, codes, the recontact template and variable."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from cint_nb.domain import limits
from cint_nb.sandbox.openapi.builders import SHARED
from cint_nb.sandbox.openapi.drafts import DRAFT_FIELDS
from cint_nb.sandbox.protocol.json_schema import Problem, find_problems
from cint_nb.sandbox.protocol.messages import Json, bad_request
from cint_nb.sandbox.protocol.request_bodies import Allocations, Draft, FieldingPeriod
from cint_nb.sandbox.world import catalogue
from cint_nb.sandbox.world.entities import TargetGroup
from cint_nb.sandbox.world.world import World


def validate_draft(world: World, body: Draft, t: float, group: TargetGroup | None = None) -> None:
    """Reject a draft that breaks a rule.

    Args:
        world: The world.
        body: The draft.
        t: The time, in virtual seconds.
        group: The target group whose draft it replaces; None for a new one.

    Raises:
        ApiError: 400 naming each field and reason, as the create guide's error example does.
    """
    found = [
        *_code_problems(body),
        *_date_problems(world, body["fielding_specification"], t),
        *_price_problems(body),
        *_url_problems(body),
        *_allocation_problems(body),
        *_quota_problems(body),
    ]
    above = goal_problem(world, group, body["completes_goal"]) if group is not None and is_recontact(body) else None
    if above is not None:
        found.append(("ExpectedCompletes", above))
    if found:
        raise bad_request(*found)


def goal_problem(world: World, group: TargetGroup, goal: int) -> str | None:
    """Return why a recontact target group cannot have a goal: it is above the saved ids, once there are any.

    A draft without saved ids has to name its goal before anything can be uploaded, and while an upload runs its ids are
    not all saved yet: then only the launch compares them.
    """
    saved = len(group.saved)
    is_open = group.status == "draft" and (not saved or group.running_job_id is not None)
    if is_open or int(goal) <= saved or world.rules.goal_above_saved == "allowed":
        return None
    return f"the completes goal is {int(goal)}, but only {saved} respondent ids are saved."


def date_problems(world: World, body: Json, t: float) -> list[Problem]:
    """Return the problems with the dates of a body that breaks its schema, unless the dates themselves break it.

    The create guide's error example names a date and a missing field in one reply.
    """
    period = body.get("fielding_specification") if isinstance(body, dict) else None
    if not isinstance(period, dict) or find_problems(DRAFT_FIELDS["fielding_specification"], period, SHARED):
        return []
    return _date_problems(world, {"start_at": str(period["start_at"]), "end_at": str(period["end_at"])}, t)


def update_problems(body: Draft) -> list[Problem]:
    """Return the problems of a change to a launched target group; its dates and prices are changed elsewhere."""
    return [*_code_problems(body), *_url_problems(body)]


def business_unit_id_of(body: Draft) -> int:
    """Return the id of the business unit, which is sent as text or number."""
    return int(body["business_unit_id"])


def initial_price(body: Draft) -> Decimal:
    """Return the first price of a complete: the offer, else the cap, else a price invented for the length."""
    pricing = body["fielding_assistant_assignment"].get("pricing")
    for money in (body.get("cost_per_interview"), pricing.get("maximum_cpi") if pricing else None):
        if money is not None:
            return Decimal(money["value"])
    return Decimal("1.00") + Decimal("0.10") * int(body["expected_length_of_interview_minutes"])


def filling_strategy_of(body: Draft) -> str:
    """Return the filling strategy; the default is `prescreens`, which surprises many."""
    return str(body.get("filling_strategy") or "prescreens")


def _code_problems(body: Draft) -> list[Problem]:
    found: list[Problem] = []
    if business_unit_id_of(body) not in catalogue.CURRENCIES:
        found.append(("BusinessUnitId", "'Business Unit Id' is not a business unit of this account."))
    if body["project_manager_id"].lower() not in {user["id"] for user in catalogue.USERS}:
        found.append(("ProjectManagerId", "'Project Manager Id' must be a user of this account."))
    if body["locale"] not in catalogue.LOCALES:
        found.append(("Locale", f"'{body['locale']}' is not a known locale."))
    if body.get("study_type_code", "adhoc") not in catalogue.STUDY_TYPE_CODES:
        found.append(("StudyTypeCode", "'Study Type Code' is not a known study type."))
    if body.get("industry_code", "other") not in catalogue.INDUSTRY_CODES:
        found.append(("IndustryCode", "'Industry Code' is not a known industry."))
    return found


def _date_problems(world: World, period: FieldingPeriod, t: float) -> list[Problem]:
    start_at, end_at = world.parse_time(period["start_at"]), world.parse_time(period["end_at"])
    ahead = "must be greater than or equal to the current datetime"
    found: list[Problem] = []
    if start_at < t:
        found.append(("FieldingSpecification.StartAt", f"date string {period['start_at']} {ahead}."))
    if end_at < t + limits.MIN_END_LEAD_TIME / timedelta(seconds=1):
        found.append(("FieldingSpecification.EndAt", f"date string {period['end_at']} {ahead} plus 1 hour."))
    elif end_at <= start_at:
        found.append(("FieldingSpecification.EndAt", f"date string {period['end_at']} must be later than the start."))
    return found


def _price_problems(body: Draft) -> list[Problem]:
    pricing = body["fielding_assistant_assignment"].get("pricing")
    prices = {"CostPerInterview": body.get("cost_per_interview")}
    if pricing is not None:
        prices |= {
            "FieldingAssistantAssignment.Pricing.MaximumCpi": pricing.get("maximum_cpi"),
            "FieldingAssistantAssignment.Pricing.MinimumCpi": pricing.get("minimum_cpi"),
            "FieldingAssistantAssignment.Pricing.BoostCpi": pricing.get("boost_cpi"),
            "FieldingAssistantAssignment.Pricing.TotalBudget": pricing.get("total_budget"),
        }
    currency = catalogue.CURRENCIES.get(business_unit_id_of(body))
    found = [
        (f"{name}.CurrencyCode", f"the currency must be {currency}, the currency of the business unit.")
        for name, price in prices.items()
        if price is not None and currency is not None and price["currency_code"] != currency
    ]
    if pricing is not None and pricing["type"] == "rate_card" and body.get("cost_per_interview") is not None:
        found.append(("CostPerInterview", "'Cost Per Interview' must not be defined with rate card pricing."))
    return found


def _url_problems(body: Draft) -> list[Problem]:
    found: list[Problem] = []
    for label, url in (("LiveUrl", body.get("live_url")), ("TestUrl", body.get("test_url"))):
        if url and not url.startswith(("https://", "http://")):
            found.append((label, f"'{label[:-3]} Url' is not a web address."))
        elif is_recontact(body) and limits.RECONTACT_URL_VARIABLE not in (url or ""):
            reason = f"'{label[:-3]} Url' of a recontact target group must contain {limits.RECONTACT_URL_VARIABLE}."
            found.append((label, reason))
    return found


def _allocation_problems(body: Draft) -> list[Problem]:
    """Return the problems with the allocation, in any of the three formats the documents show."""
    allocations, template = body.get("allocations"), body.get("allocation_template")
    if allocations is not None and template is not None:
        return [("Allocations", "only one of 'Allocations' and 'Allocation Template' can be defined.")]
    if allocations is not None and "template_id" in allocations and "open_exchange_allocations" in allocations:
        return [("Allocations", "only one of 'Template Id' and 'Open Exchange Allocations' can be defined.")]
    template_id = template["id"] if template is not None else (allocations or {}).get("template_id")
    name = "AllocationTemplate.Id" if template is not None else "Allocations.TemplateId"
    if template_id is not None and template_id not in catalogue.TEMPLATES:
        return [(name, "the allocation template was not found.")]
    if not is_recontact(body):
        return []
    if template_id == limits.RECONTACT_TEMPLATE_ID or _is_expanded(allocations or {}):
        return []
    where = name if template_id is not None else "Allocations"
    return [(where, "a recontact target group must use the recontact global allocations template.")]


def _is_expanded(allocations: Allocations) -> bool:
    """Return whether open exchange allocations equal the recontact template: the whole exchange, unblocked."""
    written = allocations.get("open_exchange_allocations")
    return written is not None and (
        written["exchange_max_percentage"] == 100 and not written["groups"] and not written["blocked_supplier_ids"]
    )


def _quota_problems(body: Draft) -> list[Problem]:
    """Return the profiles whose quotas do not add up: to 100 percent, or to the goal where they are counts.

    A control blend only limits, so that its quotas need not. Two decimals are the most a percentage has: thirds of
    33.33 add up.
    """
    profiling = body.get("profiling") or {}
    profiles = profiling.get("profiles") or []
    kind = profiling.get("profile_adjustment_type")
    if profiles and kind is None:
        return [("Profiling.ProfileAdjustmentType", "'Profile Adjustment Type' must not be empty.")]
    in_percent = kind == "percentage"
    field = "completes_goal_percentage" if in_percent else "completes_goal"
    whole = 100.0 if in_percent else float(body["completes_goal"])
    found: list[Problem] = []
    for number, profile in enumerate(profiles):
        quotas = [target["quota"] for target in profile["targets"] if target.get("quota")]
        if not profile["quotas_enabled"] or not quotas or profile.get("blended_type") == "control":
            continue
        where, unit = f"Profiling.Profiles[{number}]", "percent" if in_percent else "completes"
        parts = [float(part) for quota in quotas if (part := quota.get(field)) is not None]  # type: ignore[arg-type]
        if len(parts) < len(quotas):
            found.append((where, f"each quota must have '{field}', as 'profile_adjustment_type' says."))
        elif abs(sum(parts) - whole) > (0.005 * len(parts) + 1e-9 if in_percent else 0):
            found.append((where, f"the quotas add up to {sum(parts):g} and not to {whole:g} {unit}."))
    return found


def is_recontact(body: Draft) -> bool:
    """Return whether a draft is one of a recontact target group."""
    return bool(body.get("study_type_code") == limits.RECONTACT_STUDY_TYPE)
