"""The exchange's forecast for a wave: which price and how many completes it expects, for goals, prices and periods.

It is computed from everybody the exchange could ask, for a draft from the plan alone, for a launched group from what it
has collected too. A recontact list is not looked at.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from cint_nb.domain import limits
from cint_nb.domain.errors import PlanError
from cint_nb.domain.models import Amount, TargetGroupRef, text_or_none
from cint_nb.domain.plan import AllocationFormat, Money, TargetGroupPlan, format_utc
from cint_nb.domain.target_groups import Feasibility
from cint_nb.study.readable_frame import ReadableFrame
from cint_nb.wave.context import WaveContext
from cint_nb.wave.exchange.state import ExchangeState

FEASIBILITY_COLUMNS = {
    "people": "Int64",
    "goal": "Int64",
    "price": "Float64",
    "days": "Float64",
    "completes_low": "Int64",
    "completes_high": "Int64",
    "enough": "str",
    "suggested_price": "Float64",
    "suggested_price_low": "Float64",
    "suggested_price_high": "Float64",
    "currency": "str",
    "note": "str",
}
REQUESTS_MAX = 100
"""How many combinations are asked for at once: one request each."""
NOT_COMPUTABLE = "not computable"
NOT_KNOWN = "not known"
OF_A_LIST = (
    "The exchange computes this from everybody it could ask and does not look at the list: how many of these people "
    "come back it cannot know. Forecast that from your own earlier waves."
)
_BODY = (
    "business_unit_id",
    "locale",
    "collects_pii",
    "expected_incidence_rate",
    "expected_length_of_interview_minutes",
    "profiling",
)
"""The fields of a draft that the forecast takes as they are."""


@dataclass(frozen=True)
class Assumption:
    """What one forecast assumes: the goal, the price of a complete and the length of fielding."""

    goal: int | None
    price: Money | None
    days: float | None


class FeasibilitySteps:
    """The steps of one wave that ask for a forecast; they change nothing."""

    def __init__(self, wave: WaveContext) -> None:
        self._wave = wave

    async def forecast(
        self, goals: Sequence[int], prices: Sequence[Money], days: Sequence[float]
    ) -> list[dict[str, Any]]:
        """Return one row per combination, in the order of goals, prices and days.

        Raises:
            PlanError: there are too many combinations, or a price is in another currency than the plan's; nothing was
                sent.
        """
        plan = self._wave.plan
        wanted: Sequence[Money | None] = prices or [plan.cost_per_interview]
        lengths: Sequence[float | None] = days or [None]
        assumed = [
            Assumption(goal, price, length)
            for goal, price, length in itertools.product(goals or [plan.completes_goal], wanted, lengths)
        ]
        _check_assumptions(plan, assumed)
        ref = await self._wave.locate()
        state = None if ref is None else await self._wave.read_state()
        if state is not None and state.run is not None:
            return [await self._of_group(state, each) for each in assumed]
        await self._wave.look_up_profiles()
        return [await self._of_plan(each) for each in assumed]

    async def _of_plan(self, assumed: Assumption) -> dict[str, Any]:
        plan = self._wave.plan
        start_at = max(plan.start_at, self._wave.client.clock.now())
        end_at = plan.end_at if assumed.days is None else start_at + timedelta(days=assumed.days)
        whole = plan.to_body(name=self._wave.name)
        body = {name: whole[name] for name in _BODY if name in whole}
        body["completes_goal"] = assumed.goal
        body["fielding_specification"] = {"start_at": format_utc(start_at), "end_at": format_utc(end_at)}
        if assumed.price is not None:
            body["cost_per_interview"] = assumed.price.to_body()
        found = await self._wave.client.target_groups.feasibility(body)
        return self._row(assumed, found, (start_at, end_at), is_launched=False)

    async def _of_group(self, state: ExchangeState, assumed: Assumption) -> dict[str, Any]:
        start_at = None if state.run is None else state.run.start_fielding_at
        end_at = None if state.run is None else state.run.end_fielding_at
        changes: dict[str, Any] = {}
        if assumed.goal is not None:
            changes["completes_goal"] = assumed.goal
        if assumed.price is not None:
            changes["cost_per_interview"] = assumed.price.to_body()
        if assumed.days is not None:
            start_at = start_at or self._wave.client.clock.now()
            end_at = start_at + timedelta(days=assumed.days)
            changes |= {"start_at": format_utc(start_at), "end_at": format_utc(end_at)}
        ref: TargetGroupRef = state.ref
        found = await self._wave.client.target_groups.group_feasibility(ref, changes)
        return self._row(assumed, found, (start_at, end_at), is_launched=True)

    def _row(
        self,
        assumed: Assumption,
        found: Feasibility,
        period: tuple[datetime | None, datetime | None],
        *,
        is_launched: bool,
    ) -> dict[str, Any]:
        plan, people = self._wave.plan, self._wave.respondents_or_none
        start_at, end_at = period
        low, high = (_count(found.suggested_completes_goal_range, name) for name in ("min", "max"))
        notes = [*_notes(plan, is_launched=is_launched)]
        if not high:
            # The exchange answers 0 where it cannot compute, as with many open-ended answers or groups of them.
            notes.insert(0, "The exchange gives no number of completes, which does not mean that there are none.")
            low, high = None, None
        suggested = found.suggested_price or Amount()
        priced = suggested.value if suggested.value else None  # a price of 0 is none
        in_range = found.suggested_price_range or {}
        return {
            "people": None if people is None else len(people),
            "goal": assumed.goal,
            "price": None if assumed.price is None else assumed.price.value,
            "days": None if start_at is None or end_at is None else round((end_at - start_at) / timedelta(days=1), 2),
            "completes_low": low,
            "completes_high": high,
            "enough": _is_enough(assumed.goal, high, None if people is None else len(people), plan),
            "suggested_price": priced,
            "suggested_price_low": _amount(in_range.get("min")) if priced else None,
            "suggested_price_high": _amount(in_range.get("max")) if priced else None,
            "currency": suggested.currency_code or (assumed.price.currency_code if assumed.price else None),
            "note": " ".join(notes),
        }


def _check_assumptions(plan: TargetGroupPlan, assumed: Sequence[Assumption]) -> None:
    if len(assumed) > REQUESTS_MAX:
        raise PlanError(
            f"These are {len(assumed):,} combinations of goals, prices and days; {REQUESTS_MAX} are asked for at most, "
            "one request each.",
            evidence={"combinations": len(assumed)},
            next_step="ask for fewer goals, prices or days at once.",
        )
    most = limits.FEASIBILITY_GOAL_MAX
    if any(each.goal is not None and each.goal > most for each in assumed):
        raise PlanError(
            f"The exchange forecasts a goal of {most:,} completes at most.",
            evidence={"field": "goals"},
            next_step=f"pass goals=[…] of {most:,} or fewer: wave.feasibility(goals=[{most}]).",
        )
    expected = plan.cost_per_interview or plan.price_cap or plan.total_budget
    currencies = {each.price.currency_code for each in assumed if each.price is not None}
    if expected is not None and (strange := currencies - {expected.currency_code}):
        raise PlanError(
            f"The plan is in {expected.currency_code}, and a price is in {', '.join(sorted(strange))}.",
            evidence={"field": "prices"},
            next_step=f"give every price in {expected.currency_code}.",
        )


def _notes(plan: TargetGroupPlan, *, is_launched: bool) -> Iterator[str]:
    """Yield what the forecast does not take into account."""
    if plan.is_recontact:
        yield OF_A_LIST
    if is_launched:
        yield "It counts the completes that the launched group has collected already."
    elif not plan.is_recontact and plan.allocation_format is not AllocationFormat.OMITTED:
        yield "It takes all suppliers of the exchange, not those of the plan."
    if plan.pricing_model == "rate_card":
        yield "With a rate card the exchange ignores the price."


def _is_enough(goal: int | None, high: int | None, people: int | None, plan: TargetGroupPlan) -> str:
    """Return whether the goal can be reached: `yes`, `no`, `not computable`, or `not known` of a list."""
    if plan.is_recontact:
        return "no" if goal is not None and people is not None and goal > people else NOT_KNOWN
    if high is None or goal is None:
        return NOT_COMPUTABLE
    return "yes" if high >= goal else "no"


def _count(shown: Mapping[str, Any] | None, name: str) -> int | None:
    value = None if shown is None else shown.get(name)
    return None if value is None else int(value)


def _amount(shown: Any) -> float | None:
    text = text_or_none(shown.get("value")) if isinstance(shown, Mapping) else None
    return None if text is None else float(text)


def feasibility_frame(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return forecasts as a frame with fixed columns, and their notes in `attrs`."""
    rows = list(rows)
    frame = ReadableFrame(rows, columns=list(FEASIBILITY_COLUMNS))
    for column, kind in FEASIBILITY_COLUMNS.items():
        if kind != "str":
            frame[column] = pd.to_numeric(frame[column])
    known = frame.notna()  # pandas 2 writes "None" for a text that is missing
    frame = frame.astype(FEASIBILITY_COLUMNS).where(known)
    frame.attrs["notes"] = [*dict.fromkeys(row["note"] for row in rows if row["note"])]
    return frame
