"""The submission of a list: recognised by its name on any machine, and sent once."""

from __future__ import annotations

import contextlib
from typing import Any

from cint_nb.api.safety.send_once import check_until_certain
from cint_nb.api.safety.spend_check import within_budget
from cint_nb.domain.errors import NotFound, PlanError
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import Money
from cint_nb.study.outcome.reconciliation import ReconciliationPlan
from cint_nb.wave.context import WaveContext
from cint_nb.wave.journal.journal import EntryState
from cint_nb.wave.journal.payloads import RECONCILE, ReconcilePayload

_VERB = "wave.reconcile"


class Submission:
    """The submission of lists of one wave."""

    def __init__(self, wave: WaveContext) -> None:
        self._wave = wave

    def name_of(self, ref: TargetGroupRef, plan: ReconciliationPlan) -> str:
        """Return the name of a list's submission: the same wherever and whenever the same list is submitted."""
        return f"{self._wave.reference(ref.project_id)}.{plan.digest}.reconciliation.csv"

    async def find(self, name: str) -> str | None:
        """Return the id of a list's submission; after a lost reply the exchange is read until that is certain.

        A list of submissions that lags behind does not hide one whose id the journal has.

        Raises:
            OutcomeUnknown: an earlier attempt may have been accepted, and the list could not be read.
        """
        client = self._wave.client

        async def find() -> str | None:
            found = await client.reconciliations.find(name)
            return None if found is None else found.id

        if (request_id := await find()) is not None:
            return request_id
        mine = [entry for entry in self._wave.entries(RECONCILE) if entry.payload.name == name]
        if not mine or mine[-1].state is EntryState.FAILED:
            return None
        if (kept := mine[-1].payload.request_id) is not None:
            with contextlib.suppress(NotFound):
                return (await client.reconciliations.get(kept)).request_id
        return await check_until_certain(client.http, find, what="submit a reconciliation", name=name)

    async def submit(self, ref: TargetGroupRef, name: str, plan: ReconciliationPlan, budget: str | Money | None) -> str:
        """Submit the rows that change a visit, within the budget, and return the id of the submission.

        Raises:
            PlanError: a budget is missing; nothing was sent.
            BudgetExceeded: the wave could cost more; nothing was sent.
            OutcomeUnknown: the reply was lost and the checks failed.
        """
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
        self.record(EntryState.RUNNING, name, request_id, len(changes))
        return request_id

    def record(self, state: EntryState, name: str, request_id: str, rows: int | None = None) -> None:
        """Write down how far the submission of a name is."""
        self._wave.write(RECONCILE, state, ReconcilePayload(name=name, rows=rows, request_id=request_id))
