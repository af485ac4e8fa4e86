"""The steps of a wave from its launch on, asynchronous, and where it stands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cint_nb.api.jobs import Job
from cint_nb.domain.errors import InvalidState, NotFound, PlanError
from cint_nb.domain.fielding import RunState
from cint_nb.domain.jobs import JobSnapshot
from cint_nb.domain.models import evolve
from cint_nb.domain.plan import Money
from cint_nb.wave.group_rows import paused_by, trend_of
from cint_nb.wave.journal import State
from cint_nb.wave.journal_payloads import (
    CLOSE,
    DRAFT,
    GOAL,
    LAUNCH,
    PAUSE,
    REMOVE,
    RESUME,
    GoalPayload,
    LaunchPayload,
    Payload,
    RemovalPayload,
)
from cint_nb.wave.steps import Listener, Steps


class FieldingSteps(Steps):
    """Run the steps of one wave, all of them."""

    async def lower_goal(self, goal: int | None) -> int:
        """Write a lower goal into the draft and return it, the ids saved if none is given; the plan follows."""
        ref = self.need_ref()
        if self.launched:
            raise InvalidState(
                "The wave is launched; its draft cannot be changed any more.",
                evidence={"wave": self.key.wave},
                safe="nothing was sent.",
            )
        saved = await self.client.recontacts.saved_count(ref)
        highest = min(saved, self.plan.completes_goal)
        wanted = highest if goal is None else goal
        if not 1 <= wanted <= highest:
            raise PlanError(
                f"A goal of {wanted:,} is not possible.",
                evidence={"field": "completes_goal", "saved_ids": saved, "goal": self.plan.completes_goal},
                next_step=f"choose a goal from 1 to {highest:,}." if saved else "upload respondents first.",
            )
        plan = evolve(self.plan, completes_goal=wanted)
        draft = self.journal.entries(self.key, step=DRAFT)[0]
        body = plan.body(name=self.key.wave, customer_reference_number=draft.payload.reference)
        await self.client.target_groups.update_draft(ref, body)
        self._write(GOAL, State.DONE, GoalPayload(completes_goal=wanted))
        self.plan = plan
        return wanted

    async def launch(self, end_at: datetime, budget: Money, listen: Listener) -> JobSnapshot:
        """Launch the draft once: the idempotency key of the journal makes a second request harmless."""
        ref = self.need_ref()

        async def prepare() -> LaunchPayload:
            return LaunchPayload(idempotency_key=self.client.nonces.uuid(), end_at=end_at, budget=str(budget))

        async def send(payload: LaunchPayload) -> Job:
            return await self.client.fielding.launch(ref, payload.end_at, idempotency_key=payload.idempotency_key)

        return await self._job(LAUNCH, "", self.journal.last(self.key, LAUNCH), prepare, send, listen)

    @property
    def launched(self) -> bool:
        """Tell whether the launch job has succeeded."""
        entry = self.journal.last(self.key, LAUNCH)
        return entry is not None and entry.state is State.DONE

    @property
    def launch_begun(self) -> bool:
        """Tell whether a launch was sent, or meant to be, and has not failed: only its journal may go on from there."""
        entry = self.journal.last(self.key, LAUNCH)
        return entry is not None and entry.state is not State.FAILED

    async def close(self, *, resume_first: bool = False) -> None:
        """Complete the fielding run, guarded by its ETag; a run that has ended already is left as it is."""
        ref = self.need_ref()
        run = await self.client.fielding.run(ref)
        if run is not None and run.state is not RunState.COMPLETED:
            try:
                await self.client.fielding.complete(ref, resume_first=resume_first)
            except InvalidState as error:
                if run.state is RunState.PAUSED:
                    error.next_step = (
                        "run wave.resume() first, or wave.close(resume_first=True) if respondents may enter meanwhile."
                    )
                raise
        self._write(CLOSE, State.DONE, Payload())

    async def remove(self, listen: Listener) -> JobSnapshot:
        """Remove every recontact of the group, once, and follow the job to its end."""
        ref = self.need_ref()
        entry = self.journal.last(self.key, REMOVE)
        if entry is not None and entry.state is State.DONE and await self.client.recontacts.saved_count(ref):
            entry = None  # ids were added since the last removal

        async def prepare() -> RemovalPayload:
            return RemovalPayload(id_count=await self.client.recontacts.saved_count(ref))

        async def send(payload: RemovalPayload) -> Job:
            # Removing what is already removed changes nothing, so a removal whose reply was lost may be sent again.
            return await self.client.recontacts.remove_all(ref, ids=payload.id_count)

        return await self._job(REMOVE, "", entry, prepare, send, listen)

    async def pause(self) -> None:
        """Pause the fielding run, guarded by its ETag."""
        await self.client.fielding.pause(self.need_ref())
        self._write(PAUSE, State.DONE, Payload())

    async def resume(self) -> None:
        """Resume the fielding run, guarded by its ETag."""
        await self.client.fielding.resume(self.need_ref())
        self._write(RESUME, State.DONE, Payload())

    async def status(self, *, trend: bool = False) -> dict[str, Any]:
        """Return what is known of the wave, as `study.frames.status_frame` reads it; `trend` asks for it too."""
        ref = self.need_ref()
        row: dict[str, Any] = {
            "name": self.key.wave,
            "target_group_id": ref.target_group_id,
            "state": "draft",
            "goal": self.plan.completes_goal,
            "sent": len(self.people),
            "saved": await self.client.recontacts.saved_count(ref),
            "price_cap": self.plan.price_cap,
            "ends_at": self.plan.end_at,
        }
        if not self.launched:
            return row
        try:
            overview = await self.client.target_groups.overview(ref)
        except NotFound:  # the exchange knows no overview until the launch has reached it
            return row
        performance = await self.client.target_groups.performance(ref)
        row |= {"overview": overview, "performance": performance, "state": str(overview.status)}
        if launch := self.journal.last(self.key, LAUNCH):
            row["started_at"] = max(launch.at, self.plan.start_at) if launch.at else None
        if overview.status.lower() == "paused" and not self._paused_from_here:
            row |= await paused_by(self.client, ref)
        if trend:
            row["trend"] = await trend_of(self.client, ref)
        return row

    @property
    def _paused_from_here(self) -> bool:
        paused, resumed = (self.journal.last(self.key, step) for step in (PAUSE, RESUME))
        return paused is not None and (resumed is None or paused.number > resumed.number)
