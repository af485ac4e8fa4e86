"""The steps of a reconciliation: preview, submit, follow, and read back row by row."""

from __future__ import annotations

from dataclasses import replace

from cint_nb.api.client import AsyncClient
from cint_nb.api.jobs.handle import make_handle
from cint_nb.domain.ids import quote_foreign
from cint_nb.domain.jobs import JobKind, JobSnapshot, JobState
from cint_nb.domain.plan import Money
from cint_nb.domain.reconciliation.requests import DownloadType, ReconciliationRequest
from cint_nb.study.outcome.reconciliation import (
    LineEnd,
    Reconciliation,
    ReconciliationPlan,
    join_results,
    rids_in,
)
from cint_nb.wave.context import SnapshotListener, WaveContext
from cint_nb.wave.journal.journal import EntryState
from cint_nb.wave.reconciliation.effect import read_effect
from cint_nb.wave.reconciliation.submission import Submission

_ALMOST_DONE = 0.99


class _Progress:
    """How far a submission is: the exchange says only whether it has been processed."""

    def __init__(self, client: AsyncClient, request_id: str, on_snapshot: SnapshotListener) -> None:
        self._clock, self._on_snapshot, self._polls = client.clock, on_snapshot, 0
        self._handle = make_handle(client.http, JobKind.RECONCILIATION, request_id)
        self._began = client.clock.monotonic()

    def show(self, request: ReconciliationRequest) -> None:
        """Show one poll."""
        self._polls += 1
        ended = request.is_complete
        self._on_snapshot(
            JobSnapshot(
                handle=self._handle,
                state=JobState.DONE if ended else JobState.RUNNING,
                raw_status=quote_foreign(request.status),
                created_at=request.submitted_at,
                elapsed_seconds=self._clock.monotonic() - self._began,
                fraction=(1.0, 1.0) if ended else (0.0, _ALMOST_DONE),
                polls=self._polls,
            )
        )


class ReconcileSteps:
    """Preview and submit the reconciliation of one wave."""

    def __init__(self, wave: WaveContext) -> None:
        self._wave = wave
        self._submission = Submission(wave)

    async def preview(self, plan: ReconciliationPlan) -> Reconciliation:
        """Return what a list would change; nothing is sent but reads."""
        state = await self._wave.read_state()
        name = self._submission.name_of(state.ref, plan)
        found = await self._submission.find(name)
        said = list(plan.warnings(self._wave.client.clock.now()))
        if found is not None:
            said.append(
                "This list has been submitted already: wave.reconcile adopts that submission, and sends nothing."
            )
        return Reconciliation(
            plan.lines,
            "preview",
            found,
            name,
            await read_effect(self._wave.client, state, plan),
            tuple(said),
        )

    async def reconcile(
        self, plan: ReconciliationPlan, budget: str | Money | None, on_snapshot: SnapshotListener
    ) -> Reconciliation:
        """Submit a list once, follow it to its end, and return what became of each line.

        Raises:
            PlanError: a budget is missing; nothing was sent.
            BudgetExceeded: the wave could cost more; nothing was sent.
            OutcomeUnknown: the reply was lost and the checks failed.
            UnexpectedReply: counts and files contradict each other.
        """
        client = self._wave.client
        state = await self._wave.read_state()
        ref, name = state.ref, self._submission.name_of(state.ref, plan)
        effect = await read_effect(self._wave.client, state, plan)
        said = plan.warnings(client.clock.now())
        found = await self._submission.find(name)
        if found is None and not plan.to_send:
            return Reconciliation(plan.lines, "nothing to send", None, name, effect, said)
        if found is None:
            request_id, adopted = await self._submission.submit(ref, name, plan, budget), False
        else:
            request_id, adopted = found, True
        shown = _Progress(client, request_id, on_snapshot)
        request = await client.reconciliations.wait(request_id, on_poll=shown.show)
        if adopted:
            at = request.submitted_at
            when = "at a time that is not known" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"
            said = (f"This list was submitted before, {when}: that submission was adopted, and nothing was sent.",)
        result = Reconciliation(plan.lines, "unknown", request_id, name, effect, said)
        if not request.is_complete:
            return self._unknown(result)
        sent = [line.rid for line in plan.to_send]
        if adopted:
            sent = rids_in((await client.reconciliations.download(request_id, "submitted-rids")).content)
        late, bad = [await self._read_rids(request, which) for which in ("expired-rids", "invalid-rids")]
        lines = join_results(plan, sent, late, bad, request.counts, request_id)
        self._submission.record(EntryState.DONE, name, request_id)
        changed_since = sum(
            after.end is LineEnd.ACCEPTED and before.end is LineEnd.TO_SEND
            for before, after in zip(plan.lines, lines, strict=True)
        )
        if adopted and changed_since:
            said = (
                *said,
                f"Of the visits it changed, {changed_since:,} are not so in the report now: they were changed again, "
                "or the report lags behind. client.reconciliations.submit sends a list again, under a name of its own.",
            )
        if left_out := sum(line.end is LineEnd.NOT_SUBMITTED for line in lines):
            said = (*said, f"{left_out:,} rows could not be sent then; reconcile them in a list of their own.")
        return replace(result, lines=lines, state="done", warnings=said)

    def _unknown(self, result: Reconciliation) -> Reconciliation:
        """Return a submission that has not been processed after a long wait: neither done nor failed."""
        text = (
            "The exchange has not finished it; it has no word for one that failed. Run wave.reconcile again with the "
            "same list: nothing is sent twice."
        )
        lines = tuple(
            replace(line, end=LineEnd.UNKNOWN) if line.end is LineEnd.TO_SEND else line for line in result.lines
        )
        return replace(result, lines=lines, warnings=(*result.warnings, text))

    async def _read_rids(self, request: ReconciliationRequest, which: DownloadType) -> list[str]:
        """Return the RIDs of a result file; it is not asked for where the counts say that it has none."""
        count = request.expired_count if which == "expired-rids" else request.invalid_count
        if count == 0:
            return []
        return rids_in((await self._wave.client.reconciliations.download(request.request_id, which)).content)
