"""The draft of a wave: created once, found again, changed in step with the exchange."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from typing import Any

from cint_nb.api.safety.send_once import check_until_certain
from cint_nb.domain.errors import InvalidState, PlanError
from cint_nb.domain.ids import normalise_name, quote_foreign
from cint_nb.domain.models import TargetGroupRef, evolve
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.domain.profiling.quotas import UnreadableProfiling, writable_profiling
from cint_nb.study.preflight.draft_witnesses import can_compare, spelled_out
from cint_nb.wave.context import WaveContext, is_archived
from cint_nb.wave.exchange.choices import require_valid_profiles
from cint_nb.wave.exchange.draft_merge import (
    READ_ONLY_FIELDS,
    has_allocations,
    merge_drafts,
    plan_with_fields,
    writable_allocations,
)
from cint_nb.wave.exchange.facts import read_filling_strategy, template_allocations, unrecorded_fields
from cint_nb.wave.exchange.state import ExchangeState, GroupState, read_state
from cint_nb.wave.journal.journal import EntryState
from cint_nb.wave.journal.payloads import (
    DRAFT,
    GOAL,
    STRATEGY,
    DraftPayload,
    GoalPayload,
    StrategyPayload,
)
from cint_nb.wire.settings import Mode


class DraftSteps:
    """Create and change the draft of one wave."""

    def __init__(self, wave: WaveContext) -> None:
        self._wave = wave

    async def create(self, *, adopt: str | None = None, leave: Collection[str] = ()) -> TargetGroupRef:
        """Create the draft target group, or adopt the one that exists.

        Args:
            adopt: Id of a target group of the project to take as this wave's.
            leave: Ids of groups of this wave that may be left although they are in the field or hold ids.
        """
        ref = self._wave.ref
        if ref is not None and adopt in (None, ref.target_group_id):
            ref = await self._recreate_if_lost(ref)
        else:
            ref = None
        created = False
        if ref is None:
            project_id = await self._wave.ensure_project()
            ref = await self._find_draft(project_id, adopt, leave)
            created = ref is None
            ref = ref or await self._create_draft(project_id)
        state = await self._wave.read_state()
        if state.state is GroupState.ARCHIVED:
            raise state.invalid_state_error(
                "The target group of this wave is archived.",
                "restore it in the web interface: a wave of another name would invite its people again.",
                target_group_id=ref.target_group_id,
            )
        if not created and state.state is GroupState.NOT_KNOWN:
            state.require_known("create")
        if created or state.group is not None:
            await self._set_strategy(ref)
        if created and state.group is not None:
            self._note_allocations(state)
        return ref

    def _note_allocations(self, state: ExchangeState | None) -> None:
        """Note what the exchange made of the allocation template, in the moment after the draft was written."""
        entry = self._wave.journal.last(self._wave.key, DRAFT)
        shown = state.group.allocations if state is not None and state.group is not None else None
        shown = shown if can_compare("allocations", shown) else None
        if entry is not None and entry.payload.allocations != shown:
            self._wave.write(DRAFT, EntryState.DONE, evolve(entry.payload, allocations=shown))

    async def _set_strategy(self, ref: TargetGroupRef, *, again: bool = False) -> None:
        """Set what counts toward the goal, unless it was set from here."""
        if again or self._wave.last(STRATEGY) is None:
            strategy = self._wave.given_plan.filling_strategy
            shown = await self._wave.client.target_groups.set_filling_strategy(ref, strategy)
            if shown is not None and shown != strategy:
                self._wave.client.http.warn(
                    f"The filling strategy was set to {strategy!r}, and the exchange shows "
                    f"{quote_foreign(shown, 40)!r} ('filling_strategy'): check it before the launch."
                )
            self._wave.write(STRATEGY, EntryState.DONE, StrategyPayload(filling_strategy=strategy))

    async def _recreate_if_lost(self, ref: TargetGroupRef) -> TargetGroupRef | None:
        """Return the group; None if a practice exchange was restarted and has forgotten it."""
        state = await read_state(self._wave.client, ref)
        if state.state is not GroupState.MISSING or self._wave.client.mode is not Mode.SANDBOX:
            state.require_known("create")
            return ref
        self._wave.client.http.warn("The sandbox no longer has this wave's target group; the wave begins anew.")
        self._wave.forget_project()
        return None

    async def _find_draft(self, project_id: str, adopt: str | None, leave: Collection[str]) -> TargetGroupRef | None:
        found = await self._wave.find_group(project_id, adopt=adopt, leave=leave)
        entry = self._wave.journal.last(self._wave.key, DRAFT)
        if found is not None or entry is None or entry.state is not EntryState.INTENT:
            return found
        # A request was sent from here and its reply never seen: that the list does not show the draft proves nothing.
        return await check_until_certain(
            self._wave.client.http,
            lambda: self._wave.find_group(project_id),
            what="create the draft target group",
            project_id=project_id,
            reference=entry.payload.reference,
        )

    async def _create_draft(self, project_id: str) -> TargetGroupRef:
        await self._wave.look_up_profiles()
        reference = self._wave.given_plan.customer_reference_number or self._wave.reference(project_id)
        body = self._wave.plan.to_body(name=self._wave.name, customer_reference_number=reference)
        payload = DraftPayload(project_id=project_id, reference=reference, body=body)
        self._wave.write(DRAFT, EntryState.INTENT, payload)
        with self._wave.failed_if_refused(DRAFT, payload):
            ref = await self._wave.client.target_groups.create_draft(
                project_id,
                body,
                reference=reference,
                name=self._wave.group_name,
                match_name=self._wave.given_plan.customer_reference_number is not None,
            )
        self._wave.write(DRAFT, EntryState.DONE, evolve(payload, target_group_id=ref.target_group_id))
        # Two machines may have created it in the same moment, and nothing can delete a draft: all use the lowest id.
        twins = [
            row
            async for row in self._wave.client.target_groups.list(project_id, references=(reference,), whole=True)
            if normalise_name(row.name or "") == self._wave.group_name and not is_archived(row)
        ]
        self._wave.name_leftovers(twins)
        first = min([ref.target_group_id, *(row.id for row in twins)])
        if first != ref.target_group_id:
            self._wave.write(DRAFT, EntryState.DONE, evolve(payload, target_group_id=first))
        return TargetGroupRef(project_id=project_id, target_group_id=first)

    @property
    def draft_written_at(self) -> datetime | None:
        """When this journal last wrote the draft; None if it did not."""
        entry = self._wave.journal.last(self._wave.key, DRAFT)
        return entry.at if entry is not None and self.last_written is not None else None

    @property
    def last_written(self) -> dict[str, Any] | None:
        """The draft as this journal last wrote it; None if it did not."""
        entry = self._wave.journal.last(self._wave.key, DRAFT)
        return None if entry is None or entry.state is EntryState.FAILED else entry.payload.body

    @property
    def shown_allocations(self) -> dict[str, Any] | None:
        """What the exchange showed in place of the template after the draft was last written; None if not known."""
        entry = self._wave.journal.last(self._wave.key, DRAFT)
        return None if entry is None or entry.state is EntryState.FAILED else entry.payload.allocations

    async def _require_draft(self, action: str) -> tuple[ExchangeState, dict[str, Any]]:
        """Return state and draft as read, in the exchange's field names.

        Raises:
            InvalidState: the group is no longer a draft.
        """
        state = await self._wave.read_state()
        state.require_known(action)
        if state.group is None:
            raise state.invalid_state_error(
                f"The target group is {state.state}; its draft can no longer be changed.",
                "for a launched group use wave.raise_goal, wave.set_price or wave.extend.",
                wave=self._wave.name,
            )
        return state, state.group.model_dump(mode="json", exclude_unset=True)

    async def _read_all(self, action: str) -> tuple[ExchangeState, dict[str, Any]]:
        """Return state and draft with what other reads show of it."""
        state, found = await self._require_draft(action)
        strategy = await read_filling_strategy(self._wave.client, state)
        return state, found if strategy is None else {**found, "filling_strategy": strategy}

    async def _expected_allocations(self) -> dict[str, Any] | None:
        """Return what the template leads to: as the exchange showed it once, or as the template says."""
        return self.shown_allocations or await template_allocations(self._wave.client, self._wave.given_plan)

    async def _write_draft(self, ref: TargetGroupRef, body: dict[str, Any], recorded: dict[str, Any] | None) -> None:
        """Write a draft, and note what of it counts as written from here."""
        await self._wave.client.target_groups.update_draft(ref, body)
        entry = self._wave.journal.last(self._wave.key, DRAFT)
        reference = str(body.get("target_group_customer_reference_number") or "")
        payload = (
            entry.payload
            if entry
            else DraftPayload(project_id=ref.project_id, reference=reference, target_group_id=ref.target_group_id)
        )
        self._wave.write(DRAFT, EntryState.DONE, evolve(payload, body=recorded))

    def record_profiling(self, profiling: dict[str, Any]) -> None:
        """Note profiles that were written to the launched group, so that a later write knows what to keep."""
        entry = self._wave.journal.last(self._wave.key, DRAFT)
        if entry is not None and entry.payload.body is not None:
            body = {**entry.payload.body, "profiling": profiling}
            self._wave.write(DRAFT, EntryState.DONE, evolve(entry.payload, body=body))

    async def update(self, plan: TargetGroupPlan, overwrite: Collection[str]) -> tuple[str, ...]:
        """Write a plan into the draft, keeping what was changed there only, and return the fields kept.

        Raises:
            InvalidState: a field was changed on both sides, or the group is no longer a draft.
        """
        state, found = await self._read_all("update")
        plan = await self._wave.client.profiles.look_up(plan)
        await require_valid_profiles(self._wave.client, plan)
        allocations, base = await self._expected_allocations(), self.last_written
        if base is not None and (strategy := self._wave.last(STRATEGY)):
            base = {**base, "filling_strategy": strategy.payload.filling_strategy}
        reference = found.get("target_group_customer_reference_number")
        wanted = plan.to_body(name=self._wave.name, customer_reference_number=str(reference or ""))
        wanted["filling_strategy"] = plan.filling_strategy
        unrecorded = unrecorded_fields(self._wave.client)
        merge = merge_drafts(base, found, wanted, overwrite=overwrite, allocations=allocations, unrecorded=unrecorded)
        if merge.conflicts:
            raise InvalidState(
                "Fields of the draft were changed on the exchange and in the plan.",
                evidence={"fields": ", ".join(merge.conflicts)},
                safe="nothing was sent; draft and plan are unchanged.",
                next_step=f"decide: wave.update(plan, overwrite={[*overwrite, *merge.conflicts]!r}) writes the plan's "
                "values; wave.plan_from_exchange() returns a plan with those of the exchange.",
            )
        await self._write_draft(state.ref, _without_strategy(merge.body), _without_strategy(merge.recorded))
        self._wave.given_plan = plan_with_fields(plan, found, merge.kept, allocations=allocations)
        # A request of its own sets the strategy: some versions of the exchange do not know it in a draft.
        await self._set_strategy(state.ref, again="filling_strategy" in merge.written)
        after = await self._wave.read_back()
        if "allocations" not in merge.kept:  # else what is shown is not what the template leads to
            self._note_allocations(after)
        return merge.kept

    async def plan_from_exchange(self) -> TargetGroupPlan:
        """Return the plan with every field as the draft has it."""
        _, found = await self._read_all("read the draft")
        await self._wave.look_up_profiles()
        return plan_with_fields(self._wave.given_plan, found, allocations=await self._expected_allocations())

    async def lower_goal(self, goal: int | None) -> int:
        """Write a lower goal into the draft and return it; by default the number of saved IDs. Nothing else changes."""
        state, found = await self._require_draft("lower the goal")
        present = state.group.completes_goal if state.group else None
        planned = self._wave.plan.completes_goal
        highest, saved = planned if present is None else present, None
        if self._wave.plan.is_recontact:
            saved = await self._wave.client.recontacts.saved_count(state.ref)
            highest = min(saved, highest)
        wanted = highest if goal is None else goal
        if not 1 <= wanted <= highest:
            raise PlanError(
                f"A goal of {wanted!r} is not possible.",
                evidence={"field": "completes_goal", "saved_ids": saved, "goal": present},
                safe="nothing was changed.",
                next_step=f"choose a whole number from 1 to {highest:,}."
                if highest
                else "upload the respondents first: wave.upload().",
            )
        profiling = found.get("profiling") or {}
        if profiling.get("profile_adjustment_type") == "nominal":
            raise PlanError(
                "The quotas are numbers of completes that make up the present goal: it cannot be lowered alone.",
                evidence={"field": "completes_goal", "goal": present},
                safe="nothing was changed.",
                next_step="write goal and quotas together with wave.update(plan).",
            )
        await self._wave.look_up_profiles()
        written = self.last_written or self._wave.plan.to_body(name=self._wave.name)
        allocations: dict[str, Any] = {
            name: written[name] for name in ("allocations", "allocation_template") if name in written
        }
        expected = spelled_out(written, await self._expected_allocations())
        if "allocations" in expected and not has_allocations(found, expected["allocations"]):
            allocations = {"allocations": writable_allocations(found["allocations"])}  # a colleague's
        body: dict[str, Any] = {
            **allocations,
            **{name: value for name, value in found.items() if name not in {*READ_ONLY_FIELDS, "allocations"}},
            "completes_goal": wanted,
        }
        with suppress(UnreadableProfiling):
            body |= {"profiling": writable_profiling(profiling)} if profiling else {}
        if isinstance(unit := body.get("business_unit_id"), int):
            body["business_unit_id"] = str(unit)
        recorded = None if self.last_written is None else {**self.last_written, "completes_goal": wanted}
        await self._write_draft(state.ref, body, recorded)
        goals = GoalPayload(completes_goal=wanted, planned_goal=self._wave.given_plan.completes_goal)
        self._wave.write(GOAL, EntryState.DONE, goals)
        return wanted


def _without_strategy(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "filling_strategy"}
