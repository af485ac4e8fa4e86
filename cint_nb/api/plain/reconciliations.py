"""Reconciliations as plain verbs."""

# Generated from cint_nb/api/resources/reconciliations.py by `nox -s plain`; change that file instead.

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from cint_nb.api.resources import reconciliations
from cint_nb.api.resources.downloads import Download
from cint_nb.domain.models import IdInUrl, TargetGroupRef
from cint_nb.domain.plan import Money, MoneyText
from cint_nb.domain.reconciliation.changes import ReconciliationName
from cint_nb.domain.reconciliation.requests import (
    DownloadType,
    EligibleTargetGroup,
    GroupReconciliation,
    ListedReconciliation,
    ReasonCode,
    ReconciliationRequest,
    WaitSeconds,
)
from cint_nb.wire import loop_thread


class Reconciliations:
    """The reconciliations of the account: changes of visits that were completed, or should count as completed.

    The other submission that the exchange knows, a list of all approved completes of a project, is not offered:
    docs/reconciliation.md says why.

    Attributes:
        spend_guard: Asks for a budget where a change can cost money; None asks for nothing.
    """

    def __init__(self, aio: reconciliations.Reconciliations) -> None:
        self._aio = aio

    def submit(
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
        return loop_thread.run(self._aio.submit(changes, name=name, groups=groups, budget=budget))

    def find(self, name: ReconciliationName) -> ListedReconciliation | None:
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
        return loop_thread.run(self._aio.find(name))

    def list(
        self, *, name: ReconciliationName | None = None, status: str | None = None, user_id: IdInUrl | None = None
    ) -> builtins.list[ListedReconciliation]:
        """List the submissions of the account.

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
        return loop_thread.run(loop_thread.collect(self._aio.list(name=name, status=status, user_id=user_id)))

    def get(self, request_id: IdInUrl) -> ReconciliationRequest:
        """Read a submission with its counts; `GET …/reconciliations/{request_id}`.

        Example:
            >>> rid = report.visits(reveal=True).query("completed")["Response ID (RID)"].iloc[0]
            >>> groups = [closed.target_group]
            >>> request_id = client.reconciliations.submit({rid: "speeder"}, name="tracker-1", groups=groups)
            >>> client.reconciliations.get(request_id).status
            'processing'
        """
        return loop_thread.run(self._aio.get(request_id))

    def wait(
        self,
        request_id: IdInUrl,
        *,
        at_most: WaitSeconds = 1800.0,
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
        return loop_thread.run(self._aio.wait(request_id, at_most=at_most, on_poll=on_poll))

    def target_groups(self, request_id: IdInUrl) -> builtins.list[GroupReconciliation]:
        """List the target groups of a submission; `GET …/reconciliations/{request_id}/target-groups`.

        Example:
            >>> rid = report.visits(reveal=True).query("completed")["Response ID (RID)"].iloc[0]
            >>> groups = [closed.target_group]
            >>> request_id = client.reconciliations.submit({rid: "speeder"}, name="tracker-1", groups=groups)
            >>> done = client.reconciliations.wait(request_id)
            >>> [each.submitted_count for each in client.reconciliations.target_groups(request_id)]
            [1]
        """
        return loop_thread.run(loop_thread.collect(self._aio.target_groups(request_id)))

    def target_group(self, request_id: IdInUrl, target_group_id: IdInUrl) -> GroupReconciliation:
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
        return loop_thread.run(self._aio.target_group(request_id, target_group_id))

    def download(self, request_id: IdInUrl, which: DownloadType) -> Download:
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
        return loop_thread.run(self._aio.download(request_id, which))

    def eligible_target_groups(
        self, *, due: Literal["current_month", "next_month"] = "current_month", name: str | None = None
    ) -> builtins.list[EligibleTargetGroup]:
        """List the target groups with visits that can still be reconciled.

        Args:
            due: The month in which the deadline of the visits is.
            name: Only groups with this name.

        Serves `GET …/reconciliations/eligible-target-groups`.

        Example:
            >>> ended = closed.launched
            >>> [group.name for group in client.reconciliations.eligible_target_groups(due="next_month")]
            ['Tracker, wave 1']
        """
        return loop_thread.run(loop_thread.collect(self._aio.eligible_target_groups(due=due, name=name)))

    def reason_codes(self) -> tuple[ReasonCode, ...]:
        """Return the reason codes of the exchange, with those that buyers may not use; `GET …/reason-codes`.

        Example:
            >>> [(code.code, code.name) for code in client.reconciliations.reason_codes()][:3]
            [('11', 'Adjusted complete'), ('26', 'No reason given'), ('930', 'Unspecified fraud')]
        """
        return loop_thread.run(self._aio.reason_codes())
