"""TargetGroups as plain verbs."""

# Generated from cint_nb/api/resources/target_groups.py by `nox -s plain`; change that file instead.

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from cint_nb.api.resources import target_groups
from cint_nb.domain.models import Amount, JsonObject, TargetGroupRef
from cint_nb.domain.plan import Completes, Money, MoneyText, TargetGroupPlan
from cint_nb.domain.target_groups import (
    ChangelogEntry,
    CompletesInterval,
    Feasibility,
    Performance,
    TargetGroup,
    TargetGroupOverview,
    TargetGroupSummary,
)
from cint_nb.wire import loop_thread


class TargetGroups:
    """The target groups of projects: create, read and change them, and read their metrics.

    Args:
        http: Sends the requests.
        spend_guard: Asks for a budget where a change can make a launched group dearer; without one nothing is asked.
    """

    def __init__(self, aio: target_groups.TargetGroups) -> None:
        self._aio = aio

    def create_draft(
        self,
        project_id: str,
        plan: TargetGroupPlan | JsonObject,
        *,
        name: str | None = None,
        reference: str,
        match_name: bool = False,
    ) -> TargetGroupRef:
        """Create a draft target group, or adopt the one that already has the reference.

        The exchange does not protect against creating a draft twice. So the reference is searched for first, and again
        after a lost reply, before anything is sent.

        Args:
            project_id: Project of the draft.
            plan: The plan, or the JSON body as a dict.
            name: Name if the plan has none, 5–128 characters.
            reference: Your reference number, 3–128 letters, digits, spaces, `-` and `_`. One reference, one draft.
            match_name: Adopt only a draft that has the name too, for a number that stands on several groups of a study.

        Raises:
            InputError: the reference is invalid; nothing was sent.
            BadRequest: `invalid_params` names the rejected fields. If the allocations were rejected, `evidence`
                contains the other formats that could be tried.
            OutcomeUnknown: the reply was lost and the checks failed; call it again with the same reference.

        Serves the recontact guide, step 1, the create guide, and `POST …/target-groups`.

        Example:
            >>> project = client.projects.create("Brand tracker", cint.sandbox.PROJECT_MANAGER_ID)
            >>> group = client.target_groups.create_draft(project.id, plan, name="Wave 2", reference="tracker-wave-2")
            >>> client.target_groups.get(group).name
            'Wave 2'
        """
        return loop_thread.run(
            self._aio.create_draft(project_id, plan, name=name, reference=reference, match_name=match_name)
        )

    def find(
        self, project_id: str, reference: str, *, name: str | None = None, match_name: bool = False, whole: bool = False
    ) -> TargetGroupRef | None:
        """Return the target group with a reference number; None if there is none. Archived groups do not count.

        Args:
            project_id: Project to search.
            reference: The whole reference number.
            name: If the list does not show references, only groups with this name are read one by one; all if omitted.
            match_name: Whether a group must have this name too, apart from spaces and forms of one letter.
            whole: Raise `UnexpectedReply` if the list was truncated, instead of warning.

        Example:
            >>> project = client.projects.create("Brand tracker", cint.sandbox.PROJECT_MANAGER_ID)
            >>> group = client.target_groups.create_draft(project.id, plan, name="Wave 2", reference="tracker-wave-2")
            >>> client.target_groups.find(project.id, "tracker-wave-2") == group
            True
        """
        return loop_thread.run(self._aio.find(project_id, reference, name=name, match_name=match_name, whole=whole))

    def update_draft(self, ref: TargetGroupRef, plan: TargetGroupPlan | JsonObject) -> None:
        """Replace a draft with another body. There is no If-Match here: the last writer wins.

        A plan keeps the draft's reference number, and its name if the plan has none; a body is sent unchanged.

        Raises:
            BadRequest: `invalid_params` names the rejected fields.
            ApiError: the target group is launched; use `update_details`.

        Serves `PUT …/target-groups/{target_group_id}`.

        Example:
            >>> group = draft.target_group
            >>> client.target_groups.update_draft(group, plan.model_copy(update={"completes_goal": 15}))
            >>> draft.plan_from_exchange().completes_goal
            15
        """
        loop_thread.run(self._aio.update_draft(ref, plan))

    def get(self, ref: TargetGroupRef) -> TargetGroup:
        """Read a target group, draft or launched.

        The exchange has separate URLs for drafts and launched groups, and answers the first with a redirect once the
        group is launched. Redirects are never followed; the second URL is requested instead. Where a gateway follows
        them, the test link of the screener, which drafts do not have, tells the second.

        Raises:
            NotFound: the group exists at neither URL.

        Serves `GET …/target-groups/{target_group_id}` and `…/details`.

        Example:
            >>> client.target_groups.get(ref).name
            'Tracker, wave 2'
        """
        return loop_thread.run(self._aio.get(ref))

    def details(self, ref: TargetGroupRef) -> TargetGroup:
        """Read a launched target group.

        Raises:
            NotFound: the group does not exist, or is still a draft.

        Example:
            >>> client.target_groups.details(ref).name
            'Tracker, wave 2'
        """
        return loop_thread.run(self._aio.details(ref))

    def update_details(self, ref: TargetGroupRef, changes: JsonObject) -> TargetGroup:
        """Change a launched target group: name, manager, length, incidence, URLs; never its goal.

        The exchange replaces all details by what is written, and what is left out is lost: the reference number too, by
        which a wave is found. So they are read first, and written again with the changes.

        Args:
            ref: The target group.
            changes: Fields of the details to change; all others stay.

        Raises:
            InputError: a field that must be written is not shown; nothing was changed.

        Serves `PUT …/target-groups/{target_group_id}/details`.

        Example:
            >>> details = {
            ...     "name": "Tracker, second wave",
            ...     "project_manager_id": cint.sandbox.PROJECT_MANAGER_ID,
            ...     "expected_length_of_interview_minutes": 12,
            ...     "expected_incidence_rate": 0.8,
            ...     "industry_lockout_code": "automotive",
            ...     "live_url": plan.live_url,
            ...     "test_url": plan.live_url,
            ... }
            >>> client.target_groups.update_details(ref, details).name
            'Tracker, second wave'
        """
        return loop_thread.run(self._aio.update_details(ref, changes))

    def list(
        self,
        project_id: str,
        *,
        references: Sequence[str] = (),
        statuses: Sequence[str] = (),
        name: str | None = None,
        search: str | None = None,
        countries: Sequence[str] = (),
        languages: Sequence[str] = (),
        exclusion: bool | None = None,
        whole: bool = False,
    ) -> builtins.list[TargetGroupSummary]:
        """List the target groups of a project.

        Args:
            project_id: The project.
            references: Only groups with one of these reference numbers.
            statuses: Any of `draft`, `scheduled`, `live`, `paused`, `completed`, `archived`.
            name: Only groups with this name.
            search: Only groups that match this text.
            countries: Two-letter codes, such as `de`.
            languages: Three-letter codes, such as `ger`.
            exclusion: Only groups with project exclusion on, or off.
            whole: Raise `UnexpectedReply` if the list was truncated, instead of warning.

        Serves `GET …/target-groups`.

        Example:
            >>> [(group.name, group.status) for group in client.target_groups.list(ref.project_id)]
            [('Tracker, wave 2', 'live')]
        """
        return loop_thread.run(
            loop_thread.collect(
                self._aio.list(
                    project_id,
                    references=references,
                    statuses=statuses,
                    name=name,
                    search=search,
                    countries=countries,
                    languages=languages,
                    exclusion=exclusion,
                    whole=whole,
                )
            )
        )

    def set_filling_strategy(self, ref: TargetGroupRef, strategy: str) -> str | None:
        """Set what counts towards the goal, and return what the exchange then reports; None if it reports nothing.

        Args:
            ref: The target group.
            strategy: `completes`, `prescreens` or `automated`. A recontact needs `completes`.

        Serves `PUT …/filling-strategy`.

        Example:
            >>> client.target_groups.set_filling_strategy(ref, "completes")
            'completes'
        """
        return loop_thread.run(self._aio.set_filling_strategy(ref, strategy))

    def set_cost_per_interview(
        self, ref: TargetGroupRef, price: Money | MoneyText, *, budget: Money | MoneyText | None = None
    ) -> Amount:
        """Set the price per complete of a launched group, in the business unit's currency, and return what then is so.

        Args:
            ref: The target group.
            price: Amount and currency, such as `2.7352 EUR`.
            budget: The most the whole target group may cost. `Client` requires it if the group gets more expensive; the
                bare `AsyncClient` does not.

        Raises:
            PlanError: the price cannot be parsed, or a budget is missing; nothing was changed.
            BudgetExceeded: the group could cost more than the budget; nothing was changed.

        Serves `PUT …/cost-per-interview`.

        Example:
            >>> price = client.target_groups.set_cost_per_interview(ref, "3 EUR", budget="100 EUR")
            >>> print(price.value, price.currency_code)
            3 EUR
        """
        return loop_thread.run(self._aio.set_cost_per_interview(ref, price, budget=budget))

    def set_completes_goal(
        self,
        ref: TargetGroupRef,
        goal: Completes,
        *,
        profiles: Sequence[JsonObject] = (),
        budget: Money | MoneyText | None = None,
    ) -> int:
        """Set the goal of a launched group, and return what the exchange then reports; a draft's goal is in its body.

        Without `profiles` the exchange computes the quotas anew from what suppliers can deliver, so that their shares
        change: `wave.raise_goal` keeps them.

        Args:
            ref: The target group.
            goal: Completes wanted, at least 1; of a recontact at most the number of saved ids.
            profiles: Quota goals to change with it, in the exchange's format.
            budget: The most the whole target group may cost. `Client` requires it if the group gets more expensive; the
                bare `AsyncClient` does not.

        Raises:
            PlanError: a budget is missing; nothing was changed.
            BudgetExceeded: the group could cost more than the budget; nothing was changed.

        Serves `PUT …/profiles/completes-goal`.

        Example:
            >>> client.target_groups.set_completes_goal(ref, 25, budget="100 EUR")
            25
        """
        return loop_thread.run(self._aio.set_completes_goal(ref, goal, profiles=profiles, budget=budget))

    def overview(self, ref: TargetGroupRef) -> TargetGroupOverview:
        """Read state, progress and cost of a launched target group.

        Raises:
            NotFound: the group does not exist, or is still a draft, which has no overview.

        Serves `GET …/overview`.

        Example:
            >>> overview = client.target_groups.overview(ref)
            >>> overview.status, overview.progress.current_completes
            ('live', 13)
        """
        return loop_thread.run(self._aio.overview(ref))

    def performance(self, ref: TargetGroupRef) -> Performance:
        """Read entrants, completes, rates, and visits by status, live and test separately; `GET …/performance`.

        Example:
            >>> performance = client.target_groups.performance(ref)
            >>> performance.entrants, performance.completes
            (16, 13)
        """
        return loop_thread.run(self._aio.performance(ref))

    def completes_by_interval(self, ref: TargetGroupRef, interval: str = "PT24H") -> tuple[CompletesInterval, ...]:
        """Read the completes over time, in its order; each count is cumulative, up to the end of its interval.

        Args:
            ref: The target group.
            interval: Length in ISO 8601, such as `PT1H` or `PT24H`.

        Serves `GET …/completes-aggregated-by-interval`.

        Example:
            >>> [interval.count for interval in client.target_groups.completes_by_interval(ref)]
            [7, 11, 13, 13]
        """
        return loop_thread.run(self._aio.completes_by_interval(ref, interval))

    def changelog(self, ref: TargetGroupRef, *, types: tuple[str, ...] = ()) -> builtins.list[ChangelogEntry]:
        """List what was changed, when and by whom.

        Args:
            ref: The target group.
            types: Only these types of change, such as `status_change`.

        Serves `GET …/changelog`.

        Example:
            >>> entry = client.target_groups.changelog(ref, types=("status_change",))[0]
            >>> entry.changes[0]["old_value"], entry.changes[0]["new_value"]
            ('draft', 'live')
        """
        return loop_thread.run(loop_thread.collect(self._aio.changelog(ref, types=types)))

    def feasibility(self, body: JsonObject) -> Feasibility:
        """Forecast price and completes of a draft described by its body; nothing is created.

        The forecast is for the whole population: it does not take a recontact list into account.

        Args:
            body: As for a draft, with a goal of at most 10,000; the business unit id is sent as a number.

        Serves `POST …/target-groups/calculate-feasibility`.

        Example:
            >>> price = client.target_groups.feasibility(plan.to_body()).suggested_price
            >>> print(price.value, price.currency_code)
            2.85 EUR
        """
        return loop_thread.run(self._aio.feasibility(body))

    def group_feasibility(self, ref: TargetGroupRef, changes: JsonObject | None = None) -> Feasibility:
        """Forecast price and completes of an existing group, with or without assumed changes; nothing is changed.

        Args:
            ref: The target group.
            changes: What to assume instead, such as `{"completes_goal": 200}`.

        Serves `POST …/target-groups/{target_group_id}/calculate-feasibility`.

        Example:
            >>> price = client.target_groups.group_feasibility(draft.target_group).suggested_price
            >>> print(price.value, price.currency_code)
            2.85 EUR
        """
        return loop_thread.run(self._aio.group_feasibility(ref, changes))

    def fielding_assistant(self, ref: TargetGroupRef) -> dict[str, Any]:
        """Read the modules of the fielding assistant: pricing with its limits, quota overlay, pacing, soft launch.

        It is the one read that shows the price limits of a launched group.

        Raises:
            UnexpectedReply: the reply is not an object.

        Serves `GET …/fielding-assistant-assignment`.

        Example:
            >>> client.target_groups.fielding_assistant(draft.target_group)["quota_overlay"]
            {'prevent_overfill': True, 'balance_fill': False}
        """
        return loop_thread.run(self._aio.fielding_assistant(ref))

    def allocation_specification(self, ref: TargetGroupRef) -> dict[str, Any]:
        """Read the suppliers of a group, in the exchange's format; `GET …/allocation-specification`.

        Example:
            >>> allocations = client.target_groups.allocation_specification(ref)["open_exchange_allocations"]
            >>> allocations["exchange_suppliers"][0]
            {'id': 201, 'name': 'Sandbox supplier 1'}
        """
        return loop_thread.run(self._aio.allocation_specification(ref))
