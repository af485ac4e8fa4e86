"""Reconciliations: submit changes of completed visits, follow them, and read what became of each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Literal

from cint_nb.api import operations as ops
from cint_nb.api.parsing import parse, parse_created_id, parse_item, parse_list
from cint_nb.api.resources.downloads import Download, make_download
from cint_nb.api.safety.send_once import send_once
from cint_nb.api.safety.spend_check import RecordApproval, SpendCheck, within_budget
from cint_nb.domain import limits
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import PlanError, UnexpectedReply
from cint_nb.domain.models import IdInUrl, TargetGroupRef
from cint_nb.domain.plan import Money, MoneyText
from cint_nb.domain.reconciliation.changes import Change, ReconciliationName, parse_changes, to_csv
from cint_nb.domain.reconciliation.reasons import MAKE_COMPLETE
from cint_nb.domain.reconciliation.requests import (
    DownloadType,
    EligibleTargetGroup,
    GroupReconciliation,
    ListedReconciliation,
    ReasonCode,
    ReconciliationRequest,
    WaitSeconds,
)
from cint_nb.wire.http import Http
from cint_nb.wire.pages import iter_items

_ATTEMPT_CHARACTERS = 12
_WAITS = (2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0)


@check_arguments(leave=("changes", "on_poll"))
class Reconciliations:
    """The reconciliations of the account: changes of visits that were completed, or should count as completed.

    The other submission that the exchange knows, a list of all approved completes of a project, is not offered:
    docs/reconciliation.md says why.

    Attributes:
        spend_guard: Asks for a budget where a change can cost money; None asks for nothing.
    """

    def __init__(self, http: Http) -> None:
        self._http = http
        self.spend_guard: SpendCheck | None = None

    async def submit(
        self,
        changes: Mapping[str, int | str] | Iterable[tuple[str, int | str]],
        *,
        name: ReconciliationName | None = None,
        groups: Sequence[TargetGroupRef] = (),
        budget: Money | MoneyText | None = None,
    ) -> str:
        """Submit changes of visits, and return the id of the request, or of the one an earlier attempt made.

        The exchange may act twice on what is sent twice. So the name identifies the submission: the list is read first,
        a request of that name is adopted, and after a lost reply the list is read again before anything is sent.

        Args:
            changes: Reason code by RID, or pairs of both; 11 makes a visit a complete, the others terminate it. A code
                may be its word, such as `"speeder"`. Up to 100,000.
            name: Identifies the submission in the account, for ever; one with a new token if omitted.
            groups: The target groups to which the visits belong. `Client` requires them, since a change can cost money;
                the bare `AsyncClient` does not.
            budget: The most these groups may cost together. `Client` requires it where people can enter them, and for
                each visit that becomes a complete.

        Raises:
            InputError: a RID or a reason code cannot be sent; nothing was sent.
            PlanError: the groups were not named, or a budget is missing; nothing was sent.
            BudgetExceeded: the groups could cost more; nothing was sent.
            OutcomeUnknown: the reply was lost and the checks failed; call it again with the name in `evidence`.

        Serves `POST …/reconciliations`.

        Example:
            >>> rid = report.visits(reveal=True).query("completed")["Response ID (RID)"].iloc[0]
            >>> groups = [closed.target_group]
            >>> request_id = client.reconciliations.submit({rid: "speeder"}, name="tracker-1", groups=groups)
            >>> client.reconciliations.wait(request_id).status
            'complete'
        """
        rows = parse_changes(changes)
        label = name or f"reconciliation-{self._http.token_factory.token(_ATTEMPT_CHARACTERS)}"
        if name is not None and (known := await self.find(label)) is not None:
            return known.id
        call = ops.SUBMIT_RECONCILIATION.make_call(
            query={"name": label}, csv=to_csv(rows), idempotency_key=self._http.token_factory.uuid()
        )

        async def send() -> str:
            return parse_created_id(await self._http.send(call), "request_id", "id", ulid=True)

        async def check() -> str | None:
            found = await self.find(label)
            return None if found is None else found.id

        async with within_budget(self._spending(rows, groups, budget)):
            return await send_once(self._http, send, check, what="submit a reconciliation", name=label)

    def _spending(
        self, rows: Sequence[Change], groups: Sequence[TargetGroupRef], budget: Money | MoneyText | None
    ) -> Awaitable[RecordApproval] | None:
        if self.spend_guard is None:
            return None
        if not groups:
            raise PlanError(
                "This can spend more money, but the target groups of the visits were not named.",
                evidence={"field": "groups"},
                safe="nothing was sent.",
                next_step="pass groups=[wave.target_group], and a budget; or use wave.reconcile(…).",
            )
        positive = sum(row.code == MAKE_COMPLETE for row in rows)
        return self.spend_guard.check_reconciliation(
            groups, positive=positive, negative=len(rows) - positive, budget=budget
        )

    async def find(self, name: ReconciliationName) -> ListedReconciliation | None:
        """Return the submission of exactly this name, the first of several; None if the list has none.

        Raises:
            UnexpectedReply: the list may be incomplete, so that it is not known.

        Example:
            >>> rid = report.visits(reveal=True).query("completed")["Response ID (RID)"].iloc[0]
            >>> groups = [closed.target_group]
            >>> request_id = client.reconciliations.submit({rid: "speeder"}, name="tracker-1", groups=groups)
            >>> client.reconciliations.find("tracker-1").name
            'tracker-1'
        """
        call = ops.LIST_RECONCILIATIONS.make_call(query={"name": name})
        found = [
            parse_item(ListedReconciliation, row, call)
            async for row in iter_items(self._http, call, items_key="reconciliation_requests", complete=True)
        ]
        if any(each.name is None for each in found):
            raise UnexpectedReply(
                "A row in the list of reconciliations has no name, so that it is not known whether it is this one.",
                evidence={"name": name, "request": f"{call.method} {call.template}"},
                safe="nothing was changed.",
                next_step="try again in a moment; if this recurs, tell Cint support.",
            )
        return min((each for each in found if each.name == name), key=lambda each: each.id, default=None)

    async def list(
        self, *, name: ReconciliationName | None = None, status: str | None = None, user_id: IdInUrl | None = None
    ) -> AsyncIterator[ListedReconciliation]:
        """Iterate over the submissions of the account.

        Args:
            name: Only those of this name.
            status: `processing` or `complete`.
            user_id: Only those of this user.

        Serves `GET …/reconciliations`.

        Example:
            >>> rid = report.visits(reveal=True).query("completed")["Response ID (RID)"].iloc[0]
            >>> groups = [closed.target_group]
            >>> request_id = client.reconciliations.submit({rid: "speeder"}, name="tracker-1", groups=groups)
            >>> [each.name for each in client.reconciliations.list()]
            ['tracker-1']
        """
        query = {"name": name, "status": status, "submitted_by_user_id": user_id}
        call = ops.LIST_RECONCILIATIONS.make_call(query=query)
        async for row in iter_items(self._http, call, items_key="reconciliation_requests"):
            yield parse_item(ListedReconciliation, row, call)

    async def get(self, request_id: IdInUrl) -> ReconciliationRequest:
        """Read a submission with its counts; `GET …/reconciliations/{request_id}`.

        Example:
            >>> rid = report.visits(reveal=True).query("completed")["Response ID (RID)"].iloc[0]
            >>> groups = [closed.target_group]
            >>> request_id = client.reconciliations.submit({rid: "speeder"}, name="tracker-1", groups=groups)
            >>> client.reconciliations.get(request_id).status
            'processing'
        """
        reply = await self._http.send(ops.GET_RECONCILIATION.make_call({"request_id": request_id}))
        return parse(ReconciliationRequest, reply)

    async def wait(
        self,
        request_id: IdInUrl,
        *,
        at_most: WaitSeconds = 1_800.0,
        on_poll: Callable[[ReconciliationRequest], object] | None = None,
    ) -> ReconciliationRequest:
        """Wait until a submission has been processed, and return it; as it is then, where the wait ends before.

        The exchange has no word for a submission that failed, and no document says how long one takes. So the wait is
        bounded: what still reads `processing` after it is not known, and neither done nor failed.

        Args:
            request_id: The submission.
            at_most: Seconds to wait on this client's clock.
            on_poll: Called with the submission each time it was read.

        Example:
            >>> rid = report.visits(reveal=True).query("completed")["Response ID (RID)"].iloc[0]
            >>> groups = [closed.target_group]
            >>> request_id = client.reconciliations.submit({rid: "speeder"}, name="tracker-1", groups=groups)
            >>> client.reconciliations.wait(request_id).status
            'complete'
        """
        waited, waits = 0.0, iter(_WAITS)
        while True:
            found = await self.get(request_id)
            if on_poll is not None:
                on_poll(found)
            if found.is_complete or waited >= at_most:
                return found
            pause = min(next(waits, _WAITS[-1]), at_most - waited)
            await self._http.sleep(pause)
            waited += pause

    async def target_groups(self, request_id: IdInUrl) -> AsyncIterator[GroupReconciliation]:
        """Iterate over the target groups of a submission; `GET …/reconciliations/{request_id}/target-groups`.

        Example:
            >>> rid = report.visits(reveal=True).query("completed")["Response ID (RID)"].iloc[0]
            >>> groups = [closed.target_group]
            >>> request_id = client.reconciliations.submit({rid: "speeder"}, name="tracker-1", groups=groups)
            >>> done = client.reconciliations.wait(request_id)
            >>> [each.submitted_count for each in client.reconciliations.target_groups(request_id)]
            [1]
        """
        call = ops.LIST_RECONCILED_GROUPS.make_call({"request_id": request_id})
        async for row in iter_items(self._http, call, items_key="target_groups"):
            yield parse_item(GroupReconciliation, row, call)

    async def target_group(self, request_id: IdInUrl, target_group_id: IdInUrl) -> GroupReconciliation:
        """Read what a submission changed in one target group.

        Serves `GET …/reconciliations/{request_id}/target-groups/{target_group_id}`.

        Example:
            >>> rid = report.visits(reveal=True).query("completed")["Response ID (RID)"].iloc[0]
            >>> groups = [closed.target_group]
            >>> request_id = client.reconciliations.submit({rid: "speeder"}, name="tracker-1", groups=groups)
            >>> done = client.reconciliations.wait(request_id)
            >>> group_id = closed.target_group.target_group_id
            >>> client.reconciliations.target_group(request_id, group_id).negative_reversed_count
            1
        """
        path = {"request_id": request_id, "target_group_id": target_group_id}
        return parse(GroupReconciliation, await self._http.send(ops.GET_RECONCILED_GROUP.make_call(path)))

    async def download(self, request_id: IdInUrl, which: DownloadType) -> Download:
        """Return name and content of a file of a submission; `save(folder)` replaces no file unless asked to.

        It contains RIDs: store it only where such data may be stored. Its columns are documented nowhere.

        Args:
            request_id: The submission.
            which: `submitted-rids`, at once; `expired-rids` or `invalid-rids`, once it has been processed.

        Serves `GET …/reconciliations/{request_id}/downloads/{download_type}`.

        Example:
            >>> rid = report.visits(reveal=True).query("completed")["Response ID (RID)"].iloc[0]
            >>> groups = [closed.target_group]
            >>> request_id = client.reconciliations.submit({rid: "speeder"}, name="tracker-1", groups=groups)
            >>> done = client.reconciliations.wait(request_id)
            >>> file = client.reconciliations.download(request_id, "submitted-rids")
            >>> len(file.content.splitlines())
            1
        """
        call = ops.DOWNLOAD_RECONCILIATION.make_call(
            {"request_id": request_id, "download_type": which}, accept="*/*", max_bytes=limits.DOWNLOAD_MAX_BYTES
        )
        return make_download(await self._http.send(call), f"{which}-{request_id}.csv")

    async def eligible_target_groups(
        self, *, due: Literal["current_month", "next_month"] = "current_month", name: str | None = None
    ) -> AsyncIterator[EligibleTargetGroup]:
        """Iterate over the target groups with visits that can still be reconciled.

        Args:
            due: The month in which the deadline of the visits is.
            name: Only groups with this name.

        Serves `GET …/reconciliations/eligible-target-groups`.

        Example:
            >>> ended = closed.launched
            >>> [group.name for group in client.reconciliations.eligible_target_groups(due="next_month")]
            ['Tracker, wave 1']
        """
        call = ops.LIST_ELIGIBLE_GROUPS.make_call(query={"due_month": due, "name": name})
        async for row in iter_items(self._http, call, items_key="target_groups"):
            yield parse_item(EligibleTargetGroup, row, call)

    async def reason_codes(self) -> tuple[ReasonCode, ...]:
        """Return the reason codes of the exchange, with those that buyers may not use; `GET …/reason-codes`.

        Example:
            >>> [(code.code, code.name) for code in client.reconciliations.reason_codes()][:3]
            [('11', 'Adjusted complete'), ('26', 'No reason given'), ('930', 'Unspecified fraud')]
        """
        reply = await self._http.send(ops.LIST_REASON_CODES.make_call())
        return parse_list(ReasonCode, reply, "reconciliation_reasons")
