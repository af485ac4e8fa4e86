"""The reconciliation of a wave: submitted once whoever tries, followed, and read back line by line."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from cint_nb.api.safety.send_once import check_until_certain
from cint_nb.api.safety.spend_check import within_budget
from cint_nb.domain.errors import PlanError
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import Money
from cint_nb.domain.reconciliation import DownloadType, ListedReconciliation, ReconciliationRequest
from cint_nb.study.outcome.reconciliation import (
    LineEnd,
    Reconciliation,
    ReconciliationPlan,
    join_results,
    rids_in,
)
from cint_nb.wave.context import WaveContext
from cint_nb.wave.exchange.spending import read_limits
from cint_nb.wave.exchange.state import ExchangeState
from cint_nb.wave.journal.journal import EntryState
from cint_nb.wave.journal.payloads import RECONCILE, ReconcilePayload

_VERB = "wave.reconcile"


class ReconcileSteps:
    """Preview and submit the reconciliation of one wave."""

    def __init__(self, wave: WaveContext) -> None:
        self._wave = wave

    async def preview(self, plan: ReconciliationPlan) -> Reconciliation:
        """Return what a list would change; nothing is sent but reads."""
        state = await self._wave.read_state()
        name = self._name(state.ref, plan)
        found = await self._wave.client.reconciliations.find(name)
        said = list(plan.warnings(self._wave.client.clock.now()))
        if found is not None:
            said.append(
                "This list has been submitted already: wave.reconcile adopts that submission, and sends nothing."
            )
        return Reconciliation(
            plan.lines,
            "preview",
            None if found is None else found.id,
            name,
            await self._effect(state, plan),
            tuple(said),
        )

    async def reconcile(self, plan: ReconciliationPlan, budget: str | Money | None) -> Reconciliation:
        """Submit a list once, follow it to its end, and return what became of each line.

        Raises:
            PlanError: a budget is missing; nothing was sent.
            BudgetExceeded: the wave could cost more; nothing was sent.
            OutcomeUnknown: the reply was lost and the checks failed.
            UnexpectedReply: counts and files contradict each other.
        """
        client = self._wave.client
        state = await self._wave.read_state()
        ref, name = state.ref, self._name(state.ref, plan)
        effect = await self._effect(state, plan)
        said = plan.warnings(client.clock.now())
        found = await self._find(name)
        if found is None and not plan.to_send:
            return Reconciliation(plan.lines, "nothing to send", None, name, effect, said)
        if found is None:
            request_id, adopted = await self._submit(ref, name, plan, budget), False
        else:
            request_id, adopted = found.id, True
            when = f"{found.submitted_at:%Y-%m-%d %H:%M} UTC" if found.submitted_at else "at a time that is not known"
            said = (f"This list was submitted before, {when}: that submission was adopted, and nothing was sent.",)
        request = await client.reconciliations.wait(request_id)
        result = Reconciliation(plan.lines, "unknown", request_id, name, effect, said)
        if not request.is_complete:
            return self._unknown(result)
        sent = [line.rid for line in plan.to_send]
        if adopted:
            sent = rids_in((await client.reconciliations.download(request_id, "submitted-rids")).content)
        late, bad = [await self._read_rids(request, which) for which in ("expired-rids", "invalid-rids")]
        lines = join_results(plan, sent, late, bad, request.counts, request_id)
        self._write(EntryState.DONE, name, request_id)
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

    async def _find(self, name: str) -> ListedReconciliation | None:
        """Return the submission of a list, as the exchange has it; after a lost reply it is read until that is certain.

        Raises:
            OutcomeUnknown: an earlier attempt may have been accepted, and the list could not be read.
        """
        client = self._wave.client
        found = await client.reconciliations.find(name)
        entry = self._wave.last(RECONCILE)
        lost = entry is not None and entry.state is EntryState.INTENT and entry.payload.name == name
        if found is not None or not lost:
            return found
        return await check_until_certain(
            client.http, lambda: client.reconciliations.find(name), what="submit a reconciliation", name=name
        )

    async def _submit(
        self, ref: TargetGroupRef, name: str, plan: ReconciliationPlan, budget: str | Money | None
    ) -> str:
        client = self._wave.client
        payload = ReconcilePayload(name=name, rows=len(plan.to_send))
        changes = [(line.rid, line.reason.code) for line in plan.to_send if line.reason is not None]
        try:
            record = await client.spend_guard.check_reconciliation(
                [ref], positive=plan.positive, negative=plan.negative, budget=budget, verb=_VERB
            )
        except PlanError as error:
            if budget is None and not plan.positive:
                error.next_step = (
                    f"{error.next_step} People can enter the wave, so that each rejected complete may be replaced by "
                    "one that is paid for; after wave.close() nobody can, and no budget is needed."
                )
            raise

        async def checked() -> Any:
            return record

        self._wave.write(RECONCILE, EntryState.INTENT, payload)
        with self._wave.failed_if_refused(RECONCILE, payload), client.spend_guard.checked(ref):
            async with within_budget(checked()):
                request_id = await client.reconciliations.submit(changes, name=name, groups=[ref])
        self._write(EntryState.RUNNING, name, request_id, len(changes))
        return request_id

    def _write(self, state: EntryState, name: str, request_id: str, rows: int | None = None) -> None:
        self._wave.write(RECONCILE, state, ReconcilePayload(name=name, rows=rows, request_id=request_id))

    def _name(self, ref: TargetGroupRef, plan: ReconciliationPlan) -> str:
        """Return the name of a list's submission: the same wherever and whenever the same list is submitted."""
        return f"{self._wave.reference(ref.project_id)}.{plan.digest}.reconciliation.csv"

    async def _effect(self, state: ExchangeState, plan: ReconciliationPlan) -> tuple[tuple[str, Any, Any], ...]:
        """Return what a list changes: completes, people to recontact, cost, and the most the group can cost."""
        overview, net = state.overview, plan.positive - plan.negative
        progress = overview.progress if overview is not None else None
        completes = None if progress is None else progress.current_completes
        rows: list[tuple[str, Any, Any]] = [
            ("completes", completes, None if completes is None else completes + net),
            ("people who completed, to recontact", plan.people, plan.people_after),
        ]
        cost, average = (
            (None, None) if overview is None else (overview.current_cost, overview.average_cost_per_interview)
        )
        after = None
        if cost is not None and cost.value is not None and average is not None and average.value is not None:
            after = f"about {max(Decimal(0), cost.value + net * average.value):,.2f} {cost.currency_code or ''}".strip()
        rows.append(("cost", cost, after))
        if state.is_in_field or plan.positive:
            limits = await read_limits(self._wave.client, state)
            most = limits.after_reconciliation(plan.positive, plan.negative, open_to_people=state.is_in_field)
            rows.append(("the most it can cost, which a budget must cover", limits.worst_case(), most))
        return tuple(rows)
