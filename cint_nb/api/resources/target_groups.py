"""Target groups: create a draft, read it, change it, and read its metrics once it is launched."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from cint_nb.api import operations as ops
from cint_nb.api.parsing import parse, parse_created_id, parse_item, parse_list
from cint_nb.api.resources.draft_body import (
    build_draft_body,
    mentions_field,
    states_exclusion,
    suggest_allocation_formats,
    toggle_unit_id_type,
)
from cint_nb.api.safety.send_once import send_once
from cint_nb.api.safety.spend_check import SpendCheck, within_budget
from cint_nb.domain import limits
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import ApiError, BadRequest, InputError, NotFound
from cint_nb.domain.ids import masked_repr, normalise_name
from cint_nb.domain.models import Amount, JsonObject, TargetGroupRef, evolve, text_or_none
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
from cint_nb.wire.calls import Call, Reply
from cint_nb.wire.http import Http
from cint_nb.wire.pages import iter_items

_NOT_A_DRAFT_STATUSES = (*range(300, 400), 404)
_CHANGELOG_PAGE = 50
_DETAILS_NEEDED = (
    "name",
    "project_manager_id",
    "expected_length_of_interview_minutes",
    "expected_incidence_rate",
    "industry_lockout_code",
    "live_url",
    "test_url",
)
_DETAILS = (*_DETAILS_NEEDED, "target_group_customer_reference_number", "client_cost_per_interview_note")
"""What a change of the details writes: all of it, since what is left out is lost."""


@check_arguments()
class TargetGroups:
    """The target groups of projects: create, read and change them, and read their metrics.

    Args:
        http: Sends the requests.
        spend_guard: Asks for a budget where a change can make a launched group dearer; without one nothing is asked.
    """

    def __init__(self, http: Http, spend_guard: SpendCheck | None = None) -> None:
        self._http = http
        self.spend_guard = spend_guard
        self._unit_id_as_text: type[str] | type[int] | None = None

    # --- drafts -----------------------------------------------------------------------------------------------

    async def create_draft(
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
        _check_reference(reference)
        body = build_draft_body(plan, name=name, reference=reference)
        if not states_exclusion(body):
            self._http.warn(
                "A draft was sent without exclusion.enabled; set it to true or false; there is no documented default."
            )
        key = self._http.token_factory.uuid()

        async def send() -> TargetGroupRef:
            return await self._post_draft(project_id, body, key)

        async def check() -> TargetGroupRef | None:
            return await self.find(
                project_id, reference, name=text_or_none(body.get("name")), match_name=match_name, whole=True
            )

        existing = await self.find(project_id, reference, name=text_or_none(body.get("name")), match_name=match_name)
        if existing is not None:
            return existing
        return await send_once(
            self._http, send, check, what="create the draft target group", project_id=project_id, reference=reference
        )

    async def find(
        self,
        project_id: str,
        reference: str,
        *,
        name: str | None = None,
        match_name: bool = False,
        whole: bool = False,
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
        found = []
        async for row in self.list(project_id, references=(reference,), whole=whole):
            if match_name and normalise_name(row.name or "") != normalise_name(name or ""):
                continue
            found_reference = row.target_group_customer_reference_number
            if found_reference is None and (name is None or row.name == name):
                shown = await self.get(TargetGroupRef(project_id=project_id, target_group_id=row.id))
                found_reference = shown.target_group_customer_reference_number
            if found_reference == reference and (row.status is None or row.status.lower() != "archived"):
                found.append(row.id)
        if len(found) > 1:
            self._http.warn(
                f"The reply to the request to {ops.LIST_GROUPS.description} has {len(found)} target groups whose "
                f"target_group_customer_reference_number is {masked_repr(reference, 40)}; the oldest is used."
            )
        # Ids begin with their time of creation, so the smallest is the oldest.
        return TargetGroupRef(project_id=project_id, target_group_id=min(found)) if found else None

    async def update_draft(self, ref: TargetGroupRef, plan: TargetGroupPlan | JsonObject) -> None:
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
        if isinstance(plan, TargetGroupPlan):
            kept = await self.get(ref)
            body = plan.to_body(name=kept.name, customer_reference_number=kept.target_group_customer_reference_number)
        else:
            body = dict(plan)
        await self._retry_other_unit_type(body, lambda sent: ops.UPDATE_DRAFT.make_call(ref.path_params(), json=sent))

    async def get(self, ref: TargetGroupRef) -> TargetGroup:
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
        try:
            reply = await self._http.send(ops.GET_DRAFT.make_call(ref.path_params()))
        except ApiError as error:
            if error.status not in _NOT_A_DRAFT_STATUSES:
                raise
            try:
                return await self.details(ref)
            except NotFound:
                raise error from None
        group = parse(TargetGroup, reply, id=ref.target_group_id, launched=False)
        return evolve(group, launched=True) if "test_screener" in (group.links or {}) else group

    async def details(self, ref: TargetGroupRef) -> TargetGroup:
        """Read a launched target group.

        Raises:
            NotFound: the group does not exist, or is still a draft.

        Example:
            >>> client.target_groups.details(ref).name
            'Tracker, wave 2'
        """
        reply = await self._http.send(ops.GET_DETAILS.make_call(ref.path_params()))
        return parse(TargetGroup, reply, id=ref.target_group_id, launched=True)

    async def update_details(self, ref: TargetGroupRef, changes: JsonObject) -> TargetGroup:
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
        body = await self._whole_details(ref, changes)
        reply = await self._http.send(ops.UPDATE_DETAILS.make_call(ref.path_params(), json=body))
        if not reply.body.strip():
            return await self.details(ref)
        return parse(TargetGroup, reply, id=ref.target_group_id, launched=True)

    async def list(
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
    ) -> AsyncIterator[TargetGroupSummary]:
        """Iterate over the target groups of a project.

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
        query: dict[str, Any] = {
            "target_group_customer_reference_numbers": tuple(references),
            "status": tuple(statuses),
            # The parameter `name` is deprecated, also finds similar names, and is ignored beside a search.
            "search_string": search or name,
            "country": tuple(countries),
            "language": tuple(languages),
            "exclusion_status": exclusion,
        }
        call = ops.LIST_GROUPS.make_call({"project_id": project_id}, query=query)
        async for row in iter_items(self._http, call, items_key="target_groups", complete=whole):
            group = parse_item(TargetGroupSummary, row, call)
            if name is None or group.name == name:
                yield group

    # --- single settings --------------------------------------------------------------------------------------

    async def set_filling_strategy(self, ref: TargetGroupRef, strategy: str) -> str | None:
        """Set what counts towards the goal, and return what the exchange then reports; None if it reports nothing.

        Args:
            ref: The target group.
            strategy: `completes`, `prescreens` or `automated`. A recontact needs `completes`.

        Serves `PUT …/filling-strategy`.

        Example:
            >>> client.target_groups.set_filling_strategy(ref, "completes")
            'completes'
        """
        reply = await self._http.send(
            ops.SET_FILLING_STRATEGY.make_call(ref.path_params(), json={"filling_strategy": strategy})
        )
        return text_or_none(reply.json_object().get("filling_strategy")) if reply.body.strip() else None

    async def set_cost_per_interview(
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
        wanted = Money.parse(price)
        check = None
        if self.spend_guard is not None:
            check = self.spend_guard.check(
                ref, verb="client.target_groups.set_cost_per_interview", price=wanted, budget=budget
            )
        body = {"target_group_cpi": wanted.to_body()}
        async with within_budget(check):
            reply = await self._http.send(ops.SET_CPI.make_call(ref.path_params(), json=body))
        if reply.body.strip():
            return parse_item(Amount, reply.json_object().get("target_group_cpi"), ops.SET_CPI.make_call())
        shown = (await self.overview(ref)).current_cost_per_interview
        if shown is None:
            raise reply.unexpected_reply_error("The price was set, but neither reply nor overview shows which.")
        return shown

    async def set_completes_goal(
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
        check = None
        if self.spend_guard is not None:
            check = self.spend_guard.check(
                ref, verb="client.target_groups.set_completes_goal", goal=goal, budget=budget
            )
        body: dict[str, Any] = {"completes_goal": goal}
        if profiles:
            body["profiles"] = [dict(profile) for profile in profiles]
        async with within_budget(check):
            reply = await self._http.send(ops.SET_GOAL.make_call(ref.path_params(), json=body))
        if reply.body.strip():
            return int(reply.json_object()["completes_goal"])
        shown = (await self.overview(ref)).progress.filling_goal
        if shown is None:
            raise reply.unexpected_reply_error("The goal was set, but neither reply nor overview shows which.")
        return shown

    # --- metrics ----------------------------------------------------------------------------------------------

    async def overview(self, ref: TargetGroupRef) -> TargetGroupOverview:
        """Read state, progress and cost of a launched target group.

        Raises:
            NotFound: the group does not exist, or is still a draft, which has no overview.

        Serves `GET …/overview`.

        Example:
            >>> overview = client.target_groups.overview(ref)
            >>> overview.status, overview.progress.current_completes
            ('live', 13)
        """
        try:
            return parse(TargetGroupOverview, await self._http.send(ops.GROUP_OVERVIEW.make_call(ref.path_params())))
        except NotFound as error:
            error.next_step = "a draft has no overview: launch it first, or check the IDs."
            raise

    async def performance(self, ref: TargetGroupRef) -> Performance:
        """Read entrants, completes, rates, and visits by status, live and test separately; `GET …/performance`.

        Example:
            >>> performance = client.target_groups.performance(ref)
            >>> performance.entrants, performance.completes
            (16, 13)
        """
        return parse(Performance, await self._http.send(ops.GET_PERFORMANCE.make_call(ref.path_params())))

    async def completes_by_interval(
        self, ref: TargetGroupRef, interval: str = "PT24H"
    ) -> tuple[CompletesInterval, ...]:
        """Read the completes over time, in its order; each count is cumulative, up to the end of its interval.

        Args:
            ref: The target group.
            interval: Length in ISO 8601, such as `PT1H` or `PT24H`.

        Serves `GET …/completes-aggregated-by-interval`.

        Example:
            >>> [interval.count for interval in client.target_groups.completes_by_interval(ref)]
            [7, 11, 13, 13]
        """
        call = ops.GET_COMPLETES.make_call(ref.path_params(), query={"aggregation_interval": interval})
        found = parse_list(CompletesInterval, await self._http.send(call), "aggregated_completes_intervals")
        found = tuple(sorted(found, key=lambda each: each.timestamp))
        counts = [each.count for each in found if each.count is not None]
        if counts != sorted(counts):
            self._http.warn(
                f"The reply to the request to {ops.GET_COMPLETES.description} is not as documented: "
                "aggregated_completes_intervals[].count falls, and should count all completes so far."
            )
        return found

    async def changelog(self, ref: TargetGroupRef, *, types: tuple[str, ...] = ()) -> AsyncIterator[ChangelogEntry]:
        """Iterate over what was changed, when and by whom.

        Args:
            ref: The target group.
            types: Only these types of change, such as `status_change`.

        Serves `GET …/changelog`.

        Example:
            >>> entry = client.target_groups.changelog(ref, types=("status_change",))[0]
            >>> entry.changes[0]["old_value"], entry.changes[0]["new_value"]
            ('draft', 'live')
        """
        call = ops.GET_CHANGELOG.make_call(ref.path_params(), query={"change_types": types})
        async for row in iter_items(self._http, call, items_key="changelog", page_size=_CHANGELOG_PAGE):
            yield parse_item(ChangelogEntry, row, call)

    async def feasibility(self, body: JsonObject) -> Feasibility:
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
        sent = dict(body)
        if isinstance(unit := sent.get("business_unit_id"), str) and unit.isascii() and unit.isdigit():
            sent["business_unit_id"] = int(unit)
        return parse(Feasibility, await self._http.send(ops.FEASIBILITY_OF_DRAFT.make_call(json=sent)))

    async def group_feasibility(self, ref: TargetGroupRef, changes: JsonObject | None = None) -> Feasibility:
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
        return parse(
            Feasibility,
            await self._http.send(ops.FEASIBILITY_OF_GROUP.make_call(ref.path_params(), json=dict(changes or {}))),
        )

    async def fielding_assistant(self, ref: TargetGroupRef) -> dict[str, Any]:
        """Read the modules of the fielding assistant: pricing with its limits, quota overlay, pacing, soft launch.

        It is the one read that shows the price limits of a launched group.

        Raises:
            UnexpectedReply: the reply is not an object.

        Serves `GET …/fielding-assistant-assignment`.

        Example:
            >>> client.target_groups.fielding_assistant(draft.target_group)["quota_overlay"]
            {'prevent_overfill': True, 'balance_fill': False}
        """
        return dict((await self._http.send(ops.GET_ASSISTANT.make_call(ref.path_params()))).json_object())

    async def allocation_specification(self, ref: TargetGroupRef) -> dict[str, Any]:
        """Read the suppliers of a group, in the exchange's format; `GET …/allocation-specification`.

        Example:
            >>> allocations = client.target_groups.allocation_specification(ref)["open_exchange_allocations"]
            >>> allocations["exchange_suppliers"][0]
            {'id': 201, 'name': 'Sandbox supplier 1'}
        """
        return (await self._http.send(ops.GET_ALLOCATIONS.make_call(ref.path_params()))).json_object()

    # --- inside -----------------------------------------------------------------------------------------------

    async def _whole_details(self, ref: TargetGroupRef, changes: JsonObject) -> dict[str, Any]:
        """Return the details to write: those the exchange shows, with the changes."""
        shown = (await self._http.send(ops.GET_DETAILS.make_call(ref.path_params()))).json_object()
        kept = {name: shown[name] for name in _DETAILS if shown.get(name) is not None}
        if isinstance(note := kept.get("client_cost_per_interview_note"), Mapping):  # shown with more than is written
            kept["client_cost_per_interview_note"] = {
                name: note[name] for name in ("value", "currency_code") if name in note
            }
        kept.setdefault("industry_lockout_code", "")  # how the exchange writes that there is none
        body = {**kept, **changes}
        if missing := [name for name in _DETAILS_NEEDED if body.get(name) is None]:
            raise InputError(
                f"The exchange does not show {', '.join(missing)} of the target group, which must be written with any "
                "change.",
                evidence=dict(ref.path_params()),
                safe="nothing was changed.",
                next_step="pass them among the changes.",
            )
        return body

    async def _post_draft(self, project_id: str, body: Mapping[str, Any], key: str) -> TargetGroupRef:
        def call(sent: Mapping[str, Any]) -> Call:
            # One document requires a key here, the guide states that it has no effect: it is sent but not relied on.
            sent_key = key if sent == body else self._http.token_factory.uuid()
            return ops.CREATE_DRAFT.make_call({"project_id": project_id}, json=sent, idempotency_key=sent_key)

        reply = await self._retry_other_unit_type(body, call)
        group_id = parse_created_id(reply, "id", "target_group_id", ulid=True)
        return TargetGroupRef(project_id=project_id, target_group_id=group_id)

    async def _retry_other_unit_type(self, body: Mapping[str, Any], call: Callable[[Mapping[str, Any]], Call]) -> Reply:
        """Send a body; if the exchange rejects the type of the business unit id, send it with the other type."""
        sent = dict(body)
        other = toggle_unit_id_type(sent)
        if (
            other is not None
            and self._unit_id_as_text is not None
            and not isinstance(sent["business_unit_id"], self._unit_id_as_text)
        ):
            sent, other = other, sent
        try:
            return await self._send_draft(call(sent), sent)
        except BadRequest as error:
            if other is None or not mentions_field(error, "business_unit"):
                raise
            # A rejected request has no effect, so the second one is not a duplicate.
            reply = await self._send_draft(call(other), other)
            self._unit_id_as_text = type(other["business_unit_id"])
            return reply

    async def _send_draft(self, call: Call, body: Mapping[str, Any]) -> Reply:
        try:
            return await self._http.send(call)
        except BadRequest as error:
            suggest_allocation_formats(error, body)
            raise


def _check_reference(reference: str) -> None:
    low, high = limits.REFERENCE_CHARACTERS
    if not low <= len(reference) <= high or not all(
        char.isascii() and (char.isalnum() or char in "-_ ") for char in reference
    ):
        raise InputError(
            f"A reference number needs {low} to {high} letters, digits, spaces, '-' or '_'.",
            evidence={"field": "reference", "characters": len(reference)},
            next_step="choose another reference; it is used to find the draft if a reply is lost.",
        )
