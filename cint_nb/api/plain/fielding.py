"""Fielding as plain verbs."""

# Generated from cint_nb/api/resources/fielding.py by `nox -s plain`; change that file instead.

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cint_nb.api.jobs.job import Job
from cint_nb.api.resources import fielding
from cint_nb.domain.fielding import BatchResult, FieldingRun
from cint_nb.domain.jobs import JobHandle
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import Money, MoneyText
from cint_nb.domain.target_groups import Transitions
from cint_nb.wire import loop_thread


class Fielding:
    """The fielding of target groups: launch them and control their runs.

    Attributes:
        spend_guard: Asks for a budget before people can enter; None asks for nothing.
    """

    def __init__(self, aio: fielding.Fielding) -> None:
        self._aio = aio

    def launch(
        self,
        ref: TargetGroupRef,
        end_fielding_at: datetime,
        *,
        budget: Money | MoneyText | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Launch a draft in a background job; once it is done, the group is live and costs money.

        Args:
            ref: The draft.
            end_fielding_at: End of fielding, with a time zone, at least one hour ahead.
            budget: The most the whole target group may cost. `Client` requires it; the bare `AsyncClient` does not.
            idempotency_key: The same key never launches twice; a new one if omitted.

        Raises:
            InputError: the time has no time zone; nothing was sent.
            PlanError: a budget is missing or in another currency; nothing was sent.
            BudgetExceeded: the group could cost more than the budget; nothing was sent.
            BadRequest: the exchange rejects the time.
            TransportError: the reply was lost; `evidence` contains the key with which to call this again.

        Serves the recontact guide, step 4, and `POST …/fielding-run-jobs/launch-from-draft`.

        Example:
            >>> group = wave.target_group
            >>> job = client.fielding.launch(group, client.clock.now() + timedelta(days=14), budget="100 EUR")
            >>> print(job.wait().state)
            done
            >>> client.fielding.run(group).status
            'live'
        """
        return loop_thread.run(self._aio.launch(ref, end_fielding_at, budget=budget, idempotency_key=idempotency_key))

    def schedule(
        self,
        ref: TargetGroupRef,
        start_fielding_at: datetime,
        end_fielding_at: datetime,
        *,
        budget: Money | MoneyText | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Schedule a draft in a background job; it goes live automatically at the start time.

        Args:
            ref: The draft.
            start_fielding_at: Start, with a time zone, not in the past.
            end_fielding_at: End, with a time zone.
            budget: The most the whole target group may cost. `Client` requires it; the bare `AsyncClient` does not.
            idempotency_key: The same key never schedules twice; a new one if omitted.

        Raises:
            InputError: a time has no time zone, or the end is not after the start; nothing was sent.
            PlanError: a budget is missing or in another currency; nothing was sent.
            BudgetExceeded: the group could cost more than the budget; nothing was sent.
            TransportError: the reply was lost; `evidence` contains the key with which to call this again.

        Serves `POST …/fielding-run-jobs/schedule-from-draft`.

        Example:
            >>> group, now = wave.target_group, client.clock.now()
            >>> start, end = now + timedelta(days=1), now + timedelta(days=14)
            >>> job = client.fielding.schedule(group, start, end, budget="100 EUR")
            >>> print(job.wait().state)
            done
            >>> client.fielding.run(group).status
            'scheduled'
        """
        return loop_thread.run(
            self._aio.schedule(ref, start_fielding_at, end_fielding_at, budget=budget, idempotency_key=idempotency_key)
        )

    def run(self, ref: TargetGroupRef) -> FieldingRun | None:
        """Read the fielding run with its ETag; None before the launch. A target group has at most one.

        Serves `GET …/fielding-runs` and `GET …/fielding-runs/{fielding_run_id}`.

        Example:
            >>> client.fielding.run(ref).status
            'live'
        """
        return loop_thread.run(self._aio.run(ref))

    def runs(self, ref: TargetGroupRef) -> tuple[FieldingRun, ...]:
        """List the fielding runs of a target group, without ETags: none before the launch, then one.

        Raises:
            UnexpectedReply: the reply has no list, or more than one run: which of them people enter by is not known.

        Serves `GET …/fielding-runs`.

        Example:
            >>> [run.status for run in client.fielding.runs(ref)]
            ['live']
        """
        return loop_thread.run(self._aio.runs(ref))

    def pause(self, ref: TargetGroupRef) -> FieldingRun:
        """Pause a live run; a paused one stays paused. Raises the same errors as `complete`. Serves `POST …/pause`.

        Example:
            >>> client.fielding.pause(ref).status
            'paused'
        """
        return loop_thread.run(self._aio.pause(ref))

    def resume(self, ref: TargetGroupRef, *, budget: Money | MoneyText | None = None) -> FieldingRun:
        """Resume a paused run; a live one stays live.

        Args:
            ref: The target group.
            budget: The most the whole target group may cost. `Client` requires it unless what was approved for the
                group covers it; the bare `AsyncClient` does not.

        Raises:
            PlanError: a budget is missing or in another currency; nothing was sent.
            BudgetExceeded: the group could cost more than the budget; nothing was sent.
            InvalidState: the run's state does not allow it, or there is no run; nothing was changed.

        Serves `POST …/resume`.

        Example:
            >>> client.fielding.pause(ref).status
            'paused'
            >>> client.fielding.resume(ref, budget="100 EUR").status
            'live'
        """
        return loop_thread.run(self._aio.resume(ref, budget=budget))

    def launch_now(self, ref: TargetGroupRef, *, budget: Money | MoneyText | None = None) -> FieldingRun:
        """Launch a scheduled run at once; its end moves with its start. A live run stays live.

        Args:
            ref: The target group.
            budget: The most the whole target group may cost. `Client` requires it unless what was approved for the
                group covers it; the bare `AsyncClient` does not.

        Raises:
            PlanError: a budget is missing or in another currency; nothing was sent.
            BudgetExceeded: the group could cost more than the budget; nothing was sent.
            InvalidState: the run's state does not allow it, or there is no run; nothing was changed.

        Serves `POST …/launch-now`.

        Example:
            >>> group, now = wave.target_group, client.clock.now()
            >>> start, end = now + timedelta(days=1), now + timedelta(days=14)
            >>> scheduled = client.fielding.schedule(group, start, end, budget="100 EUR").wait()
            >>> client.fielding.launch_now(group, budget="100 EUR").status
            'live'
        """
        return loop_thread.run(self._aio.launch_now(ref, budget=budget))

    def relaunch(self, ref: TargetGroupRef, *, budget: Money | MoneyText | None = None) -> FieldingRun:
        """Relaunch a completed run whose goal and end have not been reached; a live one stays live.

        Args:
            ref: The target group.
            budget: The most the whole target group may cost, what it has cost included. `Client` requires it; the bare
                `AsyncClient` does not.

        Raises:
            PlanError: a budget is missing or in another currency; nothing was sent.
            BudgetExceeded: the group could cost more than the budget; nothing was sent.
            InvalidState: the run's state does not allow it, or there is no run; nothing was changed.

        Serves `POST …/relaunch`.

        Example:
            >>> client.fielding.relaunch(closed.target_group, budget="100 EUR").status
            'live'
        """
        return loop_thread.run(self._aio.relaunch(ref, budget=budget))

    def complete(self, ref: TargetGroupRef, *, resume_first: bool = False) -> FieldingRun:
        """Complete a live or scheduled run, so that nobody can enter any longer; a completed one stays completed.

        Args:
            ref: The target group.
            resume_first: Resume a paused run, then complete it. The exchange does not complete a paused run, and
                between the two requests respondents may enter.

        Returns:
            The run as read afterwards.

        Raises:
            InvalidState: the run's state does not allow it, or there is no run; nothing was changed.
            PreconditionFailed: the run was changed twice by others during the call.

        Serves `POST …/fielding-runs/{fielding_run_id}/complete`, with `If-Match`.

        Example:
            >>> client.fielding.complete(ref).status
            'completed'
        """
        return loop_thread.run(self._aio.complete(ref, resume_first=resume_first))

    def update_run(
        self,
        ref: TargetGroupRef,
        start_fielding_at: datetime,
        end_fielding_at: datetime,
        *,
        budget: Money | MoneyText | None = None,
    ) -> FieldingRun:
        """Change start and end of the run.

        Args:
            ref: The target group.
            start_fielding_at: Start, with a time zone.
            end_fielding_at: End, with a time zone.
            budget: The most the whole target group may cost. `Client` requires it if fielding would begin earlier or
                end later; the bare `AsyncClient` does not.

        Raises:
            InputError: a time has no time zone, or the end is not after the start; nothing was sent.
            PlanError: a budget is missing or in another currency; nothing was sent.
            BudgetExceeded: the group could cost more than the budget; nothing was sent.
            InvalidState: the run's state does not allow it, or there is no run; nothing was changed.

        Serves `PUT …/fielding-runs/{fielding_run_id}`.

        Example:
            >>> run = client.fielding.run(ref)
            >>> end = run.end_fielding_at + timedelta(days=7)
            >>> changed = client.fielding.update_run(ref, run.start_fielding_at, end, budget="100 EUR")
            >>> changed.end_fielding_at - run.end_fielding_at
            datetime.timedelta(days=7)
        """
        return loop_thread.run(self._aio.update_run(ref, start_fielding_at, end_fielding_at, budget=budget))

    def allowed_actions(self, project_id: str, target_group_ids: Sequence[str]) -> Transitions:
        """Read which actions a set of target groups allows now; `POST …/compute-target-group-transitions`.

        Example:
            >>> allowed = client.fielding.allowed_actions(ref.project_id, [ref.target_group_id])
            >>> allowed.is_pause_allowed, allowed.is_launch_allowed
            (True, False)
        """
        return loop_thread.run(self._aio.allowed_actions(project_id, target_group_ids))

    def start_batch(
        self,
        action: str,
        project_id: str,
        target_group_ids: Sequence[str],
        *,
        budget: Money | MoneyText | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Apply one action to many target groups of a project in a background job.

        The job is `partial` if some groups could not be changed; `batch_result` returns them with the reasons. A batch
        launches what is scheduled and no drafts: those are launched one by one, with `launch`.

        Args:
            action: `launch`, `pause`, `resume`, `complete` or `relaunch`.
            project_id: The project of all the groups.
            target_group_ids: The groups, at least one.
            budget: The most all these groups together may cost. `Client` requires it to `relaunch`, and to `launch` or
                `resume` unless what was approved for each group covers it; the bare `AsyncClient` does not.
            idempotency_key: The same key never acts twice; a new one if omitted.

        Raises:
            InputError: the action is unknown or there is no group; nothing was sent.
            PlanError: a budget is missing or in another currency; nothing was sent.
            BudgetExceeded: the groups could cost more than the budget; nothing was sent.

        Serves `POST …/batch-jobs/{verb}-fielding-runs-by-target-group-id`.

        Example:
            >>> job = client.fielding.start_batch("pause", ref.project_id, [ref.target_group_id])
            >>> print(job.wait().state)
            done
            >>> client.fielding.run(ref).status
            'paused'
        """
        return loop_thread.run(
            self._aio.start_batch(action, project_id, target_group_ids, budget=budget, idempotency_key=idempotency_key)
        )

    def batch_result(self, handle: JobHandle) -> BatchResult:
        """Read which target groups a batch changed and which it could not, with the reasons.

        Raises:
            UnexpectedReply: a row of the reply names no target group.

        Example:
            >>> job = client.fielding.start_batch("pause", ref.project_id, [ref.target_group_id])
            >>> print(job.wait().state)
            done
            >>> client.fielding.batch_result(job.handle).failed
            {}
        """
        return loop_thread.run(self._aio.batch_result(handle))
