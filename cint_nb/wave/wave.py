"""One recontact wave, from a list of respondents to a closed target group, in plain verbs that can be rerun."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, TypeVar

import pandas as pd

from cint_nb.domain import limits
from cint_nb.domain.errors import InvalidState, NotFound, PlanError
from cint_nb.domain.findings import Findings
from cint_nb.domain.jobs import JobSnapshot
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import Money, TargetGroupPlan
from cint_nb.study.files.respondents import Respondents
from cint_nb.study.frames import status_frame
from cint_nb.study.outcome.upload_outcome import Outcome
from cint_nb.study.preflight.check import WaveFacts, check
from cint_nb.study.preflight.registry import Step
from cint_nb.wave.budget import check_budget
from cint_nb.wave.exchange_facts import read_exchange_facts
from cint_nb.wave.journal import WaveKey
from cint_nb.wave.journaled_client import JournaledClient
from cint_nb.wave.reporting import run_with_progress
from cint_nb.wave.steps import SnapshotListener, Steps

T = TypeVar("T")
_MISSING_GROUP_ADVICE = (
    "the journal knows this wave but the exchange does not. If the sandbox was restarted, use another wave name."
)


class Wave:
    """One recontact wave; every verb can be rerun and continues where the wave stands.

    Created by `client.wave(...)`. The verbs in their order: `check`, `create`, `upload`, `outcome`, `resubmit`,
    `launch`, `status`, `close`, `remove`. Each blocks until it is done and shows its progress; Interrupt stops the
    following, never the job. While a verb sends, the wave is locked: other threads of this process wait for their turn,
    and another process is refused with `WaveBusy`. Reading, pausing and closing never lock.

    Serves the recontact guide, steps 1–4 and the removal.
    """

    def __init__(
        self,
        client: JournaledClient,
        name: str,
        *,
        project: str,
        respondents: Respondents,
        plan: TargetGroupPlan,
        sources: Sequence[TargetGroupRef] = (),
        list_made_on: date | None = None,
        crosswalk: Mapping[str, str] | None = None,
    ) -> None:
        check_arguments(name, project, respondents)
        key = WaveKey(client.scope, project, name)
        self.client = client
        self.name = name
        self.sources = tuple(sources)
        self.list_made_on = list_made_on
        self._steps = Steps(client, client.journal, key, respondents, plan, crosswalk)
        self._outcome: Outcome | None = None

    @property
    def respondents(self) -> Respondents:
        """Whom the wave recontacts."""
        return self._steps.respondents

    @property
    def plan(self) -> TargetGroupPlan:
        """The current plan, with the goal lowered by `lower_goal`."""
        return self._steps.plan

    @property
    def target_group(self) -> TargetGroupRef | None:
        """Project and target group; None before `create`."""
        return self._steps.ref

    # --- before anything is sent ------------------------------------------------------------------------------

    def check(self, step: Step = "create", *, ask: bool = False) -> Findings:
        """Check the list and the plan against everything the guides require.

        Args:
            step: `create`, `upload` or `launch`: what is about to be done.
            ask: Whether to ask the exchange too: currency, saved IDs, running jobs, exclusions and how many respondents
                they turn away. It only reads; without it nothing is sent.

        Returns:
            Findings, the most serious first; `raise_if_blocking()` raises if one of them blocks.
        """
        facts = WaveFacts(
            plan=self.plan,
            respondents=self.respondents,
            now=self.client.clock.now(),
            step=step,
            name=self.name,
            project_id=self._steps.known_project_id,
            project_of_sources=[source.project_id for source in self.sources],
            list_made_on=self.list_made_on,
        )
        return check(
            self._ask(read_exchange_facts(self.client, facts, self.target_group, self.sources)) if ask else facts
        )

    def _ask(self, work: Coroutine[Any, Any, T]) -> T:
        with self._explain_missing_group():
            return self.client.run(work)

    def _stop_if_blocked(self, step: Step) -> None:
        self.check(step).raise_if_blocking()  # first without the network: bad input never reaches it
        self.check(step, ask=True).raise_if_blocking()

    # --- the lifecycle ----------------------------------------------------------------------------------------

    def create(self) -> TargetGroupRef:
        """Create the project, if it is new, and the draft recontact target group.

        Raises:
            PreflightBlocked: the list or the plan breaks a rule; nothing was sent.
            BadRequest: the exchange rejects the draft; `invalid_params` names the fields.
            OutcomeUnknown: the reply was lost; rerun it, it checks for the draft before it sends another.

        Serves the recontact guide, step 1, and the create guide.
        """
        if self.target_group is None:
            self._stop_if_blocked("create")
        return self._ask(self._steps.create_draft())

    def upload(self) -> JobSnapshot:
        """Upload the usable IDs and follow the job to its end.

        Returns:
            The last snapshot of the job. `partial` means that some IDs were not saved: see `outcome`.

        Raises:
            PreflightBlocked: the list breaks a rule; nothing was sent.
            JobAlreadyRunning: another job runs for this target group.
            JobFailed: the exchange reports that the job failed; rerun it to send a new one.

        Serves the recontact guide, steps 2 and 3.
        """
        self._steps.require_ref()
        self.check("upload").raise_if_blocking()
        self._outcome = None
        return self._run(
            "Upload",
            lambda on_snapshot: self._steps.upload(self.respondents, batch="0", on_snapshot=on_snapshot),
            "wave.upload()",
        )

    @property
    def outcome(self) -> Outcome:
        """The outcome of every line of the source: saved, already saved, duplicate, malformed, blank or rejected.

        It asks the exchange for its count and, where that does not settle it, for its list of saved IDs.
        """
        if self._outcome is None:
            self._outcome = self._ask(self._steps.fetch_outcome())
        return self._outcome

    def resubmit(self) -> JobSnapshot:
        """Upload the rejected IDs once more, and only those.

        Raises:
            NothingToResubmit: none was rejected, all were rejected twice, or it is not known which RIDs were.

        Serves the recontact guide, step 3, last paragraph.
        """
        rejected, batch = self._steps.select_for_resubmission(self.outcome)
        self._outcome = None
        return self._run(
            "Resubmission",
            lambda on_snapshot: self._steps.upload(rejected, batch=batch, on_snapshot=on_snapshot),
            "wave.resubmit()",
        )

    @property
    def resubmitted_count(self) -> int:
        """The number of IDs that were resent by jobs that have ended."""
        return self._steps.resubmitted_count()

    def lower_goal(self, goal: int | None = None) -> int:
        """Lower the goal of the draft, to the number of saved IDs unless another is given, and return it.

        Without a number a goal that is low enough stays as it is.

        Raises:
            PlanError: the goal is not between 1 and the number of saved IDs, or is above the present goal.
            InvalidState: the wave has been launched.

        Serves the recontact guide, step 1: the goal must be equal to or fewer than the IDs uploaded.
        """
        return self._ask(self._steps.lower_goal(goal))

    def launch(self, budget: str | Money | None = None) -> JobSnapshot:
        """Launch the target group: from here on it is live and spends money.

        Args:
            budget: The most it may cost, such as `1400 EUR`. Too low if goal times price cap can exceed it; where the
                plan allows overfill, IDs times price cap.

        Raises:
            BudgetExceeded: the wave can cost more.
            PreflightBlocked: a rule is broken, such as a goal above the saved IDs, or a draft that can cost more than
                the plan.
            JobFailed: the exchange rejected the launch; its reason is in the message.

        Serves the recontact guide, step 4.
        """
        self._steps.require_ref()
        worst_case = check_budget(self.plan, budget, id_count=len(self.respondents))
        if not self._steps.launch_started:
            self._stop_if_blocked("launch")
        return self._run(
            "Launch",
            lambda on_snapshot: self._steps.launch(self.plan.end_at, worst_case, on_snapshot),
            f"wave.launch(budget={str(budget)!r})",
        )

    @property
    def launched(self) -> bool:
        """Whether the wave was launched."""
        return self._steps.launched

    def status(self, *, trend: bool = False) -> pd.DataFrame:
        """Return the status DataFrame: one row for the wave's target group, with warnings in words.

        Args:
            trend: Whether to ask for the completes over time too, one request more; `StatusTable` draws them as a line.

        Columns: see `cint_nb.study.frames.status_frame`; `attrs["mode"]` names the mode of the exchange.
        """
        row = self._ask(self._steps.status(trend=trend))
        frame = status_frame([row], now=self.client.clock.now())
        frame.attrs["mode"] = str(self.client.mode)
        return frame

    def pause(self) -> None:
        """Pause fielding, so that nobody enters until `resume`. Serves `POST …/fielding-runs/{id}/pause`."""
        self._ask(self._steps.pause())

    def resume(self) -> None:
        """Resume paused fielding. Serves `POST …/fielding-runs/{id}/resume`."""
        self._ask(self._steps.resume())

    def close(self, *, resume_first: bool = False) -> None:
        """Complete the fielding run, so that nobody can enter any longer.

        Args:
            resume_first: Whether to resume a paused run and then complete it: the exchange completes no paused run, and
                respondents may enter in the moment between.

        Raises:
            InvalidState: the run is paused and `resume_first` was not given.

        Serves `POST …/fielding-runs/{id}/complete`.
        """
        self._ask(self._steps.close(resume_first=resume_first))

    def remove(self, *, while_live: bool = False) -> JobSnapshot:
        """Remove all recontacts of the target group; there is no way to remove only some.

        Args:
            while_live: Whether to allow it while the wave is in the field, where it stops respondents from entering.

        Raises:
            InvalidState: the wave is in the field and `while_live` was not given.

        Serves the recontact guide, "Removing recontact opportunities".
        """
        status = self._ask(self._steps.status())
        if status["state"] == "live" and not while_live:
            raise InvalidState(
                "The wave is live: removing its recontacts now would stop respondents from entering.",
                evidence={"wave": self.name, "completes": status.get("completes")},
                safe="nothing was sent.",
                next_step="run wave.close() first, or wave.remove(while_live=True) if that is intended.",
            )
        return self._run("Removal", self._steps.remove, "wave.remove()")

    # --- inside -----------------------------------------------------------------------------------------------

    def _run(self, title: str, step: Callable[[SnapshotListener], Coroutine[Any, Any, T]], resume: str) -> T:
        reporter = self.client.reporter_factory(f"{title} · {self.name}", str(self.client.mode))
        with self._explain_missing_group():
            return run_with_progress(step, reporter, resume=resume)

    @contextmanager
    def _explain_missing_group(self) -> Iterator[None]:
        try:
            yield
        except NotFound as error:
            if self.target_group:
                error.next_step = _MISSING_GROUP_ADVICE
            raise

    def __repr__(self) -> str:
        """Show mode, name and progress, without ids."""
        state = "launched" if self.launched else "draft" if self.target_group else "not created"
        return f"<Wave {self.name!r}: {self.client.mode} · {len(self.respondents):,} ids · {state}>"


def check_arguments(name: str, project: str, respondents: Any) -> None:
    """Raise if a wave's name or project is too short or too long, or if it is given no respondents.

    Raises:
        PlanError: it names what is wrong.
    """
    low, high = limits.NAME_CHARACTERS
    for field, text in (("name", name), ("project", project)):
        if not low <= len(text) <= high:
            raise PlanError(
                f"The wave's {field} has {len(text)} characters; {low} to {high} are allowed.",
                evidence={"field": field},
                next_step=f"choose a {field} of {low} to {high} characters.",
            )
    if not isinstance(respondents, Respondents):
        given = "nothing" if respondents is None else type(respondents).__name__
        raise PlanError(
            f"The wave has no respondents: it was given {given}.",
            evidence={"field": "respondents"},
            next_step='pass cint.read_respondents(...), or picker.value once the file picker shows "ready".',
        )
