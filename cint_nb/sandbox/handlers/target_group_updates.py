"""Answers to small changes of a target group, to feasibility questions, and which transitions are allowed."""

from __future__ import annotations

from decimal import Decimal

from cint_nb.sandbox.handlers.operation import ACCOUNT, GROUP, PROJECT, Operation
from cint_nb.sandbox.protocol.messages import Answer, Ask, JsonObject, Refusal, invalid, to_json
from cint_nb.sandbox.protocol.request_bodies import (
    CostChange,
    FeasibilityChange,
    FeasibilityDraft,
    GoalChange,
    Strategy,
    TransitionsQuery,
)
from cint_nb.sandbox.simulation import fieldwork, lifecycle, metrics
from cint_nb.sandbox.world import catalogue
from cint_nb.sandbox.world.world import World


def _set_price(world: World, ask: Ask) -> Answer:
    group = world.group(ask)
    money = ask.body_as(CostChange)["target_group_cpi"]
    if money["currency_code"] != group.currency:
        reason = f"the currency must be {group.currency}, the currency of the business unit."
        raise invalid(("TargetGroupCpi.CurrencyCode", reason))
    old, group.cpi = group.cpi, Decimal(money["value"])
    told = metrics.money(group.cpi, group.currency)
    world.note(group, ask.t, ("cpi", metrics.money(old, group.currency), told))
    return Answer(body={"target_group_cpi": told})


def _set_strategy(world: World, ask: Ask) -> Answer:
    group = world.group(ask)
    strategy = ask.body_as(Strategy)["filling_strategy"]
    world.note(group, ask.t, ("filling_strategy", group.strategy, strategy))
    group.strategy = strategy
    fieldwork.close_when_full(world, group, ask.t)
    return Answer(body={"filling_strategy": group.strategy})


def _set_goal(world: World, ask: Ask) -> Answer:
    group = world.group(ask)
    goal = int(ask.body_as(GoalChange)["completes_goal"])
    if group.is_recontact and group.status != "draft" and goal > len(group.saved):
        saved = len(group.saved)
        detail = f"Validation error: the completes goal is {goal}, but only {saved} respondent ids are saved."
        raise Refusal(422, "unprocessable_entity_error", detail)
    world.note(group, ask.t, ("filling_goal", group.goal, goal))
    group.body = {**group.body, "completes_goal": goal}
    fieldwork.close_when_full(world, group, ask.t)
    profiles = (group.body.get("profiling") or {}).get("profiles") or []
    told = [to_json(profile) for profile in profiles]
    return Answer(body={"locale": group.body["locale"], "completes_goal": goal, "profiles": told})


def _feasibility(world: World, ask: Ask) -> Answer:
    asked = ask.body_as(FeasibilityDraft)
    unit = asked["business_unit_id"]
    if unit not in catalogue.CURRENCIES:
        raise invalid(("BusinessUnitId", "'Business Unit Id' is not a business unit of this account."))
    if asked["locale"] not in catalogue.LOCALES:
        raise invalid(("Locale", f"'{asked['locale']}' is not a known locale."))
    period = asked["fielding_specification"]
    days = (world.seconds(period["end_at"]) - world.seconds(period["start_at"])) / 86_400
    minutes = asked["expected_length_of_interview_minutes"]
    told = _suggest(minutes, asked["expected_incidence_rate"], asked["completes_goal"], days)
    return Answer(body=_told(told, catalogue.CURRENCIES[unit]))


def _feasibility_by_id(world: World, ask: Ask) -> Answer:
    group = world.group(ask)
    changed, body = ask.body_as(FeasibilityChange), group.body
    period = body["fielding_specification"]
    start_at = world.seconds(changed.get("start_at", period["start_at"]))
    end_at = world.seconds(changed.get("end_at", period["end_at"]))
    told = _suggest(
        changed.get("length_of_interview", body["expected_length_of_interview_minutes"]),
        changed.get("incidence_rate", body["expected_incidence_rate"]),
        changed.get("completes_goal", group.goal),
        (end_at - start_at) / 86_400,
    )
    return Answer(body=_told(told, group.currency))


def _suggest(minutes: float, incidence: float, goal: int, days: float) -> tuple[Decimal, int, int]:
    """Suggest a price and a range of completes for the population: made up, longer and rarer costs more. Assumption."""
    price = Decimal(str(round(0.9 + 0.12 * float(minutes) + 0.6 / max(float(incidence), 0.05), 2)))
    most = int(max(0.0, min(days, 365.0)) * 400 * float(incidence))
    return price, min(int(goal), most), most


def _told(suggested: tuple[Decimal, int, int], currency: str) -> JsonObject:
    price, least, most = suggested
    around = {"min": price * Decimal("0.8"), "max": price * Decimal("1.3")}
    return {
        "suggested_price": metrics.money(price, currency),
        "suggested_price_range": {name: metrics.money(round(value, 2), currency) for name, value in around.items()},
        "suggested_completes_goal_range": {"min": least, "max": most},
        "profiles": [],
    }


def _transitions(world: World, ask: Ask) -> Answer:
    project = world.project(ask)
    asked = ask.body_as(TransitionsQuery)
    groups = world.groups_of(project.id)
    included = asked.get("included_target_group_ids")
    excluded = asked.get("excluded_target_group_ids") or ()
    filters = asked.get("filters") or {}
    search = (asked.get("search_string") or "").lower()
    chosen = []
    for group in groups:
        language, _, country = group.body["locale"].partition("_")
        if (
            (included is None or group.id in included)
            and group.id not in excluded
            and group.status in filters.get("status", (group.status,))
            and country in filters.get("country", (country,))
            and language in filters.get("language", (language,))
            and search in group.body["name"].lower()
        ):
            chosen.append(group)
    actions = ("launch", "pause", "resume", "relaunch", "complete")
    body: JsonObject = {
        f"is_{'finish' if action == 'complete' else action}_allowed": bool(chosen)
        and all(lifecycle.is_allowed(group, action, ask.t) for group in chosen)
        for action in actions
    }
    return Answer(body={**({"target_groups": [group.id for group in chosen]} if chosen else {}), **body})


_TAG = "Target groups"
OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="update_cost_per_interview",
        method="PUT",
        path=f"{GROUP}/cost-per-interview",
        answer=_set_price,
        about="Change what a complete costs.",
        tag=_TAG,
        body="CostChange",
        reply="CostChange",
        acts=True,
        short=("price",),
    ),
    Operation(
        name="update_filling_strategy",
        method="PUT",
        path=f"{GROUP}/filling-strategy",
        answer=_set_strategy,
        about="Change what counts toward the goal.",
        tag=_TAG,
        body="Strategy",
        reply="Strategy",
        acts=True,
        short=("strategy",),
    ),
    Operation(
        name="update_profile_filling_goal",
        method="PUT",
        path=f"{GROUP}/profiles/completes-goal",
        answer=_set_goal,
        about="Change the completes goal.",
        tag=_TAG,
        body="GoalChange",
        reply="GoalChanged",
        errors=(422,),
        acts=True,
        short=("goal",),
    ),
    Operation(
        name="calculate_target_group_feasibility",
        method="POST",
        path=f"{ACCOUNT}/target-groups/calculate-feasibility",
        answer=_feasibility,
        about="Ask what the population can give. It knows nothing of a recontact list.",
        tag=_TAG,
        body="FeasibilityDraft",
        reply="Feasibility",
        errors=(422,),
    ),
    Operation(
        name="calculate_target_group_feasibility_by_id",
        method="POST",
        path=f"{GROUP}/calculate-feasibility",
        answer=_feasibility_by_id,
        about="Ask what the population can give for a saved target group.",
        tag=_TAG,
        body="FeasibilityChange",
        reply="Feasibility",
        errors=(422,),
    ),
    Operation(
        name="compute_target_group_transitions",
        method="POST",
        path=f"{PROJECT}/compute-target-group-transitions",
        answer=_transitions,
        about="Ask which actions all of the chosen target groups allow.",
        tag=_TAG,
        body="TransitionsAsked",
        reply="Transitions",
    ),
)
