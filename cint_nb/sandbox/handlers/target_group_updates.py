"""Handlers for single changes to a target group, feasibility, and the transitions that are allowed."""

from __future__ import annotations

from decimal import Decimal

from cint_nb.sandbox.handlers import draft_validation
from cint_nb.sandbox.handlers.operation import ACCOUNT, PROJECT, TARGET_GROUP, Operation
from cint_nb.sandbox.handlers.profiling.launched_profiles import change_goals, profiles_to_json
from cint_nb.sandbox.handlers.profiling.validation import refusal
from cint_nb.sandbox.protocol.messages import ApiError, JsonObject, Request, Response, bad_request
from cint_nb.sandbox.protocol.paging import contains
from cint_nb.sandbox.protocol.request_bodies import (
    CostChange,
    FeasibilityChange,
    FeasibilityDraft,
    GoalChange,
    Money,
    Profiling,
    Strategy,
    TransitionsQuery,
)
from cint_nb.sandbox.simulation import fieldwork, lifecycle, metrics
from cint_nb.sandbox.world import catalogue
from cint_nb.sandbox.world.world import World


def _set_price(world: World, request: Request) -> Response:
    group = world.group(request)
    money = request.body_as(CostChange)["target_group_cpi"]
    if money["currency_code"] != group.currency:
        reason = f"the currency must be {group.currency}, the currency of the business unit."
        raise bad_request(("TargetGroupCpi.CurrencyCode", reason))
    old, group.cpi = group.cpi, Decimal(money["value"])
    price = metrics.money_to_json(group.cpi, group.currency)
    world.log_change(group, request.received_at, ("cpi", metrics.money_to_json(old, group.currency), price))
    return Response(body={"target_group_cpi": price})


def _set_strategy(world: World, request: Request) -> Response:
    group = world.group(request)
    strategy = request.body_as(Strategy)["filling_strategy"]
    world.log_change(group, request.received_at, ("filling_strategy", group.strategy, strategy))
    group.strategy = strategy
    fieldwork.close_when_full(world, group, request.received_at)
    return Response(body={"filling_strategy": group.strategy})


def _set_goal(world: World, request: Request) -> Response:
    group = world.group(request)
    change = request.body_as(GoalChange)
    if not change.get("completes_goal") and not change.get("profiles"):
        raise bad_request(("ExpectedCompletes", "'Expected Completes' must not be empty."))
    goal = int(change.get("completes_goal") or group.goal)
    above = draft_validation.goal_problem(world, group, goal) if group.is_recontact else None
    if above is not None:
        raise ApiError(422, "unprocessable_entity_error", f"Validation error: {above}")
    before = group.goal
    if problems := change_goals(world, group, goal, change.get("profiles")):
        return refusal(problems)
    world.log_change(group, request.received_at, ("filling_goal", before, goal))
    fieldwork.close_when_full(world, group, request.received_at)
    return Response(body=profiles_to_json(world, group))


_LOWEST_PRICE = Decimal("0.8")
_COMPUTABLE_ANSWERS = 100


def _open_ended_answers(profiling: Profiling | None) -> int:
    """Return how many open-ended answers the profiles list."""
    return sum(
        len(condition["open_ended_values"] or ())
        for profile in (profiling or {}).get("profiles") or ()
        for target in profile["targets"]
        for condition in target["conditions"]
        if condition["object"] == "open_ended"
    )


def _feasibility(world: World, request: Request) -> Response:
    draft = request.body_as(FeasibilityDraft)
    unit = draft["business_unit_id"]
    if unit not in catalogue.CURRENCIES:
        raise bad_request(("BusinessUnitId", "'Business Unit Id' is not a business unit of this account."))
    if draft["locale"] not in catalogue.LOCALES:
        raise bad_request(("Locale", f"'{draft['locale']}' is not a known locale."))
    period = draft["fielding_specification"]
    days = (world.parse_time(period["end_at"]) - world.parse_time(period["start_at"])) / 86_400
    minutes = draft["expected_length_of_interview_minutes"]
    estimate = _estimate_feasibility(
        minutes,
        draft["expected_incidence_rate"],
        draft["completes_goal"],
        days,
        offered=draft.get("cost_per_interview"),
        profiling=draft.get("profiling"),
    )
    return Response(body=_feasibility_to_json(estimate, catalogue.CURRENCIES[unit]))


def _feasibility_by_id(world: World, request: Request) -> Response:
    group = world.group(request)
    changed, body = request.body_as(FeasibilityChange), group.body
    period = body["fielding_specification"]
    start_at = world.parse_time(changed.get("start_at", period["start_at"]))
    end_at = world.parse_time(changed.get("end_at", period["end_at"]))
    estimate = _estimate_feasibility(
        changed.get("length_of_interview", body["expected_length_of_interview_minutes"]),
        changed.get("incidence_rate", body["expected_incidence_rate"]),
        changed.get("completes_goal", group.goal),
        (end_at - start_at) / 86_400,
        offered=changed.get("cost_per_interview", body.get("cost_per_interview")),
        profiling=changed.get("profiling", body.get("profiling")),
    )
    return Response(body=_feasibility_to_json(estimate, group.currency))


def _estimate_feasibility(
    minutes: float,
    incidence: float,
    goal: int,
    days: float,
    *,
    offered: Money | None,
    profiling: Profiling | None,
) -> tuple[Decimal, int, int]:
    """Return a price and a range of completes: invented, longer and rarer costs more. Assumption.

    Below the range of suggested prices fewer people come, and nobody can be computed where a profile lists many
    open-ended answers.
    """
    price = Decimal(str(round(0.9 + 0.12 * float(minutes) + 0.6 / max(float(incidence), 0.05), 2)))
    most = int(max(0.0, min(days, 365.0)) * 400 * float(incidence))
    if offered is not None and 0 <= Decimal(offered["value"]) < price * _LOWEST_PRICE:
        most = int(most * (Decimal(offered["value"]) / (price * _LOWEST_PRICE)) ** 2)
    if _open_ended_answers(profiling) > _COMPUTABLE_ANSWERS:
        most = 0
    return price, min(int(goal), most), most


def _feasibility_to_json(estimate: tuple[Decimal, int, int], currency: str) -> JsonObject:
    price, least, most = estimate
    around = {"min": price * _LOWEST_PRICE, "max": price * Decimal("1.3")}
    return {
        "suggested_price": metrics.money_to_json(price, currency),
        "suggested_price_range": {
            name: metrics.money_to_json(round(value, 2), currency) for name, value in around.items()
        },
        "suggested_completes_goal_range": {"min": least, "max": most},
        "profiles": [],
    }


def _transitions(world: World, request: Request) -> Response:
    project = world.project(request)
    query = request.body_as(TransitionsQuery)
    groups = world.groups_of(project.id)
    included = query.get("included_target_group_ids")
    excluded = query.get("excluded_target_group_ids") or ()
    filters = query.get("filters") or {}
    chosen = []
    for group in groups:
        language, _, country = group.body["locale"].partition("_")
        if (
            (included is None or group.id in included)
            and group.id not in excluded
            and group.status in filters.get("status", (group.status,))
            and country in filters.get("country", (country,))
            and language in filters.get("language", (language,))
            and contains(group.body["name"], query.get("search_string"))
        ):
            chosen.append(group)
    actions = ("launch", "pause", "resume", "relaunch", "complete")
    body: JsonObject = {
        f"is_{'finish' if action == 'complete' else action}_allowed": bool(chosen)
        and all(lifecycle.is_allowed(group, action, request.received_at) for group in chosen)
        for action in actions
    }
    return Response(body={**({"target_groups": [group.id for group in chosen]} if chosen else {}), **body})


_TAG = "Target groups"
OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="update_cost_per_interview",
        method="PUT",
        path=f"{TARGET_GROUP}/cost-per-interview",
        handler=_set_price,
        summary="Set the cost per interview.",
        tag=_TAG,
        request_schema="CostChange",
        response_schema="CostChange",
        changes_state=True,
        aliases=("price",),
    ),
    Operation(
        name="update_filling_strategy",
        method="PUT",
        path=f"{TARGET_GROUP}/filling-strategy",
        handler=_set_strategy,
        summary="Set the filling strategy.",
        tag=_TAG,
        request_schema="Strategy",
        response_schema="Strategy",
        changes_state=True,
        aliases=("strategy",),
    ),
    Operation(
        name="update_profile_filling_goal",
        method="PUT",
        path=f"{TARGET_GROUP}/profiles/completes-goal",
        handler=_set_goal,
        summary="Change the completes goal.",
        tag=_TAG,
        request_schema="GoalChange",
        response_schema="LaunchedProfiles",
        errors=(422,),
        changes_state=True,
        aliases=("goal",),
    ),
    Operation(
        name="calculate_target_group_feasibility",
        method="POST",
        path=f"{ACCOUNT}/target-groups/calculate-feasibility",
        handler=_feasibility,
        summary="Estimate feasibility for the population; it ignores recontact lists.",
        tag=_TAG,
        request_schema="FeasibilityDraft",
        response_schema="Feasibility",
        errors=(422,),
    ),
    Operation(
        name="calculate_target_group_feasibility_by_id",
        method="POST",
        path=f"{TARGET_GROUP}/calculate-feasibility",
        handler=_feasibility_by_id,
        summary="Ask what the population can give for a saved target group.",
        tag=_TAG,
        request_schema="FeasibilityChange",
        response_schema="Feasibility",
        errors=(422,),
    ),
    Operation(
        name="compute_target_group_transitions",
        method="POST",
        path=f"{PROJECT}/compute-target-group-transitions",
        handler=_transitions,
        summary="Ask which actions all of the chosen target groups allow.",
        tag=_TAG,
        request_schema="TransitionsAsked",
        response_schema="Transitions",
    ),
)
