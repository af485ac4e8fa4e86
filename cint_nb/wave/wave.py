"""One wave, of new people or from a list of respondents, to a closed target group, in plain verbs that can be rerun."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar, overload

import pandas as pd

from cint_nb.api.jobs.job import Job
from cint_nb.api.resources.downloads import Download
from cint_nb.caller_warnings import deliver_warnings, format_warning_count
from cint_nb.domain import limits
from cint_nb.domain.arguments import check_arguments, check_model
from cint_nb.domain.errors import (
    ApiError,
    InputError,
    InvalidState,
    JobFailed,
    JournalError,
    PlanError,
    RespondentFileError,
    TransportError,
)
from cint_nb.domain.findings import Finding, Findings, Severity
from cint_nb.domain.ids import EntityType, LiveDisplay, format_count, masked_repr, normalise_name, printable
from cint_nb.domain.jobs import JobSnapshot
from cint_nb.domain.models import IdInUrl, TargetGroupRef, evolve
from cint_nb.domain.plan import Completes, Money, MoneyText, PlanKind, TargetGroupPlan
from cint_nb.domain.profiling.profiles import Profile
from cint_nb.domain.profiling.quotas import quota_rows
from cint_nb.history.waves import WaveRecord
from cint_nb.output_files import as_folder
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.study.frames import quota_frame, status_frame
from cint_nb.study.outcome.crosswalk import Crosswalk
from cint_nb.study.outcome.reconciliation import Reconciliation, plan_reconciliation
from cint_nb.study.outcome.upload_outcome import Outcome
from cint_nb.study.outcome.visit_reports import VisitReport, read_report
from cint_nb.study.preflight.check import WaveFacts, check
from cint_nb.study.preflight.draft_witnesses import VERIFIABLE
from cint_nb.study.preflight.registry import NOT_CREATED, STEPS, Step, UnreadFact, WithdrawnFact
from cint_nb.study.readable_frame import ReadableFrame
from cint_nb.wave.budget import check_budget, worst_case_cost
from cint_nb.wave.context import SnapshotListener, WaveContext
from cint_nb.wave.exchange.facts import read_exchange_facts, unread_fact
from cint_nb.wave.exchange.people import GroupUploads
from cint_nb.wave.exchange.quotas import CONTROL
from cint_nb.wave.exchange.state import ExchangeState, GroupState, KnownState
from cint_nb.wave.journaled_client import JournaledClient
from cint_nb.wave.reconciliation.steps import ReconcileSteps
from cint_nb.wave.reporting import OnDemandReporter, run_with_progress
from cint_nb.wave.steps.draft import DraftSteps
from cint_nb.wave.steps.feasibility import FeasibilitySteps, feasibility_frame
from cint_nb.wave.steps.fielding import FieldingSteps
from cint_nb.wave.steps.files import FileSteps, files_frame
from cint_nb.wave.steps.prices import PriceSteps, price_frame, rate_card_frame
from cint_nb.wave.steps.record import RecordSteps, as_money, saved_people
from cint_nb.wave.steps.report import ReportSteps
from cint_nb.wave.steps.upload import UploadSteps
from cint_nb.wave.steps.withdrawal import WithdrawalSteps, withdrawal_frame

T = TypeVar("T")
_DAYS_MAX = 366
_RECONCILABLE_REPORT_DAYS = 180
"""Of a wave that is longer in the field, the visits before are past their deadline by months."""
LOOK_SECONDS = 2.0
"""How long a panel waits for the exchange before it shows what was last known."""
_SAID_AT_LAUNCH = ("asked-twice", "dates")
"""The rules whose warnings a launch says once more: people asked and money spent too early cannot be taken back."""


@check_arguments(PlanError, leave=("respondents", "plan", "changes"))
class Wave(LiveDisplay):
    """One wave; every verb can be rerun and continues where the wave stands.

    Created by `client.wave(...)`. The verbs in their order: `check`, `create`, `upload`, `outcome`, `resubmit`,
    `launch`, `status`, `quotas`, `close`, `report`, `reconcile`, `remove`; a wave of new people is created and launched
    without `upload`, `outcome`, `resubmit` and `remove`. At any time `withdraw` excludes people who withdraw, `files`
    shows what was uploaded, `feasibility` what the exchange expects, and `prices` and
    `rate_card` what a complete costs, where the account may ask.

    Each verb blocks until it is done and shows its progress; Interrupt stops the following, never the job. While a verb
    sends, the wave is locked: other threads of this process wait for their turn, and another process is refused with
    `WaveBusy`. Reading, pausing and closing never lock.

    Serves both guides: to create a target group, and to recontact respondents, steps 1–4 and the removal.

    Example:
        >>> wave
        <Wave 'Tracker, wave 3': sandbox · 57 ids · draft>
    """

    def __init__(
        self,
        client: JournaledClient,
        name: str,
        *,
        project: str,
        respondents: Respondents | None = None,
        plan: TargetGroupPlan | None = None,
        sources: Sequence[TargetGroupRef] = (),
        list_made_on: date | None = None,
        crosswalk: Mapping[str, str] | None = None,
    ) -> None:
        name = normalise_name(name)
        check_wave(name, project, respondents, plan)
        self.client = client
        self.name = name
        self.sources = tuple(sources)
        self.list_made_on = list_made_on
        if crosswalk is not None and not isinstance(crosswalk, Crosswalk):
            crosswalk = Crosswalk(crosswalk.items())  # of any spelling, of which a wave compares one
        self._context = WaveContext(client, project, name, respondents, plan, crosswalk)
        self._drafts = DraftSteps(self._context)
        self._uploads = UploadSteps(self._context)
        self._fielding = FieldingSteps(self._context)
        self._reports = ReportSteps(self._context)
        self._records = RecordSteps(self._context)
        self._feasibility = FeasibilitySteps(self._context)
        self._prices = PriceSteps(self._context)
        self._files = FileSteps(self._context)
        self._withdrawals = WithdrawalSteps(self._context)
        self._reconciliations = ReconcileSteps(self._context)
        self._outcome: Outcome | None = None
        self._warnings: dict[str, None] = {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about what was not as expected while this wave was worked on; empty if everything was."""
        return tuple(self._warnings)

    @property
    def kind(self) -> PlanKind | None:
        """Whom the wave is about, by its plan: `fresh` or `recontact`; None for a wave that was opened only to read."""
        return self._context.kind

    @property
    def id_count(self) -> int | None:
        """The number of usable ids on the list; None for a wave without a list."""
        people = self._context.respondents_or_none
        return None if people is None else len(people)

    @property
    def respondents(self) -> Respondents:
        """Whom the wave recontacts.

        Raises:
            PlanError: it has no list: see `kind`.
        """
        return self._context.respondents

    @property
    def plan(self) -> TargetGroupPlan:
        """The current plan, with the goal lowered by `lower_goal`.

        Raises:
            PlanError: the wave was opened without one, only to read.
        """
        return self._context.plan

    @property
    def target_group(self) -> TargetGroupRef | None:
        """Project and target group, as far as they are known here; None before `create`."""
        return self._context.ref

    def exchange_state(self) -> ExchangeState:
        """Read from the exchange where the wave's target group stands; two requests.

        Returns:
            The state with its fielding run and, for a draft, the draft as it is.

        Raises:
            InvalidState: the wave has no target group.

        Example:
            >>> state = live.exchange_state()
            >>> print(state.state, state.run.status)
            live live
        """
        return self._ask(self._context.read_state())

    @property
    def last_known(self) -> KnownState:
        """The state of the target group as it was last read, by any verb; nothing is sent."""
        return self._context.last_known

    def look(self, seconds: float = LOOK_SECONDS) -> KnownState:
        """Read the state of the target group once, as a panel does; what was last read where that does not succeed.

        It changes nothing on the exchange, and in a replay it sends nothing.

        Args:
            seconds: How long to wait for the exchange at most, in real time.

        Returns:
            The state, when the exchange was asked, and why it could not be read, if it could not.

        Raises:
            JournalError: the client is closed, or its journal cannot be read.

        Example:
            >>> known = live.look()
            >>> print(known.state.state, known.is_current)
            live True
        """
        with deliver_warnings(show=False) as said:  # whoever shows the state shows them too
            try:
                return self.client.run(self._context.look(seconds))
            finally:
                self._warnings |= dict.fromkeys(said)

    # --- before anything is sent ------------------------------------------------------------------------------

    def check(self, step: Step = "create", *, ask: bool = False, unverified: Collection[str] = ()) -> Findings:
        """Check the plan, and the list of a recontact, against everything the guides require.

        Args:
            step: `create`, `upload` or `launch`: what is about to be done.
            ask: Whether to ask the exchange too: whether it has the plan's unit, manager, locale, industry and study
                type, what its validator says about profiles, state, draft, people, currency, running jobs, exclusions
                and how many respondents they turn away. It only reads; without it nothing is sent.
            unverified: Fields you have checked elsewhere, which the exchange does not show: see `launch`.

        Returns:
            Findings, the most serious first; `raise_if_blocking()` raises if one of them blocks.

        Raises:
            PlanError: the wave has no plan.

        Example:
            >>> wave.check("launch", ask=True).rules()
            ('partly-saved', 'draft-not-shown')
        """
        _check_words("step", [step], STEPS)
        _check_words("unverified", unverified, VERIFIABLE)
        facts = self._facts(step, unverified)
        with deliver_warnings() as said:
            found = check(self._ask(self._add_exchange_facts(facts)) if ask else facts)
        return Findings.of([*found, *(Finding("unexpected-reply", Severity.WARN, text) for text in said)])

    def _facts(self, step: Step, unverified: Collection[str] = ()) -> WaveFacts:
        """Return what is known without the exchange."""
        return WaveFacts(
            plan=self.plan,
            respondents=self._context.respondents_or_none,
            now=self.client.clock.now(),
            step=step,
            name=self.name,
            has_list=self.id_count is not None,
            project_id=self._context.known_project_id,
            project_of_sources=[source.project_id for source in self.sources],
            list_made_on=self.list_made_on,
            draft_written_at=self._drafts.draft_written_at,
            last_written=self._drafts.last_written,
            allocations=self._drafts.shown_allocations,
            unverified=frozenset(unverified),
            crosswalk=self._context.crosswalk,
            withdrawn=self._withdrawn_fact(),
        )

    def _withdrawn_fact(self) -> WithdrawnFact | None:
        """Return who of the list has withdrawn; a list that was sent before is not stopped when its cells run again."""
        found = self._withdrawals.of_the_list()
        return None if found is None else replace(found, is_uploaded=self._uploads.is_known_to_be_sent())

    async def _add_exchange_facts(
        self, facts: WaveFacts, state: ExchangeState | None = None, uploads: GroupUploads | None = None
    ) -> WaveFacts:
        """Add what the exchange knows; state and uploads are read unless they were in this moment."""
        is_to_be_created = facts.step == "create"  # `create` itself searches everywhere
        if not is_to_be_created:  # there, names that are not known are a finding
            await self._context.look_up_profiles()
            facts = replace(facts, plan=self._context.plan)
        if state is None:
            ref = await (self._context.locate() if is_to_be_created else self._context.search())
            if ref is None and not is_to_be_created:
                facts = replace(facts, target_group_state=NOT_CREATED)
        if state is None and ref is not None:
            state = await self._context.read_state()
            if state.state is GroupState.NOT_KNOWN:
                hidden = UnreadFact("the state of the target group", state.reason or "not shown", blocks=True)
                facts = replace(facts, unread=(*facts.unread, hidden))
            else:
                state.require_known("check")
            try:
                uploads = await self._context.read_uploads(state.ref)
            except ApiError as error:
                hidden = unread_fact("the uploads and the saved IDs", error, blocks=True)
                facts = replace(facts, unread=(*facts.unread, hidden))
        facts = await read_exchange_facts(
            self.client, facts, self.sources, state=state, uploads=uploads, crosswalk=self._context.crosswalk
        )
        if is_to_be_created or state is None or facts.respondents is None:
            return facts
        try:
            elsewhere = await self._withdrawals.excluded_elsewhere(state.ref, self.sources)
        except ApiError as error:
            hidden = unread_fact("who is excluded from other target groups of the project", error)
            return replace(facts, unread=(*facts.unread, hidden))
        return replace(facts, excluded_elsewhere=elsewhere)

    def _ask(self, work: Coroutine[Any, Any, T]) -> T:
        with deliver_warnings() as said:
            try:
                return self.client.run(work)
            finally:
                self._warnings |= dict.fromkeys(said)

    def _act(self, step: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run what sends something, in turns with whoever else works on this wave."""
        with self._holding():
            return self._ask(step())

    @contextmanager
    def _holding(self) -> Iterator[list[str]]:
        """Hold the wave for one verb; what is said meanwhile is given, and shown when the verb is done."""
        with deliver_warnings() as said:
            try:
                with self.client.journal.lock(self._context.key):
                    yield said
            finally:
                self._warnings |= dict.fromkeys(said)

    def _stop_if_blocked(self, unverified: Collection[str], state: ExchangeState, uploads: GroupUploads) -> None:
        self.check("launch").raise_if_blocking()
        _check_words("unverified", unverified, VERIFIABLE)
        facts = self._add_exchange_facts(self._facts("launch", unverified), state, uploads)
        findings = check(self._ask(facts))
        findings.raise_if_blocking()
        for finding in findings:
            if finding.rule in _SAID_AT_LAUNCH and finding.severity is Severity.WARN:
                self.client.http.warn(f"{finding.message} Seen: {finding.evidence}. {finding.fix}")

    # --- the lifecycle ----------------------------------------------------------------------------------------

    def feasibility(
        self,
        *,
        goals: Sequence[Completes] = (),
        prices: Sequence[MoneyText | Money] = (),
        days: Sequence[float] = (),
    ) -> pd.DataFrame:
        """Return what the exchange expects of the wave: a price, and how many completes; nothing is changed.

        It is a forecast for everybody the exchange could ask. It does not look at a recontact list: how many of these
        people come back it cannot know, and says so in each row.

        ```python
        wave.feasibility(goals=[200, 500], prices=["2 EUR", "3 EUR"], days=[7, 14])
        ```

        Args:
            goals: Completes to assume, at most 10,000; the plan's if omitted.
            prices: Prices of a complete to assume, in the plan's currency; the plan's if omitted.
            days: Lengths of fielding to assume, from its start; the plan's, or the launched run's, if omitted.

        Returns:
            A frame, one row and one request per combination: `people` on the list; `goal`, `price` and `days`, which
            were assumed; `completes_low` and `completes_high`, what the market is thought to deliver; `enough`, whether
            that reaches the goal: `yes`, `no`, `not computable` where the exchange gives 0 or nothing, and for a
            recontact `not known`, or `no` where the goal exceeds the list; `suggested_price`, per complete,
            `suggested_price_low` and `suggested_price_high`; `currency` of all prices; `note`, what was not taken into
            account. What is not known is missing. `attrs["notes"]` has each note once.

        Raises:
            PlanError: the wave has no plan, a goal is above 10,000, a price is in another currency, or there are more
                than 100 combinations; nothing was sent.

        Serves `POST …/target-groups/calculate-feasibility` and, once launched,
        `POST …/target-groups/{target_group_id}/calculate-feasibility`.

        Example:
            >>> frame = wave.feasibility(goals=[10, 20], prices=["2.75 EUR"])
            >>> frame[["people", "goal", "price", "completes_low", "completes_high", "suggested_price", "currency"]]
               people  goal  price  completes_low  completes_high  suggested_price currency
            0      57    10   2.75             10            4466             2.85      EUR
            1      57    20   2.75             20            4466             2.85      EUR
        """
        amounts = [Money.parse(price) for price in prices]
        if any(not 0 < length <= _DAYS_MAX for length in days):
            raise PlanError(
                f"A length of fielding is more than 0 and at most {_DAYS_MAX} days.",
                evidence={"field": "days"},
                next_step="pass days=[7, 14].",
            )
        frame = feasibility_frame(self._ask(self._feasibility.forecast(goals, amounts, days)))
        frame.attrs["mode"] = str(self.client.mode)
        return frame

    def prices(self) -> pd.DataFrame:
        """Return what a complete costs, as the exchange computes it, for accounts with a Private Exchange.

        Before there is a target group it is predicted from the plan; then it is the group's own price.

        Returns:
            A frame, the open exchange first, then one row per supplier of the Private Exchange: `who`; `price` of a
            complete and its `currency`; `pricing_model`, `dynamic` or `rate_card`; `basis`, `prediction`, or
            `specification` once it is fixed. Unknown values are missing.

        Raises:
            PermissionDenied: the account may not; `feasibility` suggests a price to every account.
            PlanError: the wave has no plan.

        Serves `POST …/generate-price-prediction` and `GET …/target-groups/{target_group_id}/price`.

        Example:
            >>> fresh.prices()
                         who   price currency pricing_model          basis
            0  open exchange  2.7352      EUR       dynamic  specification
            1   supplier 201  2.7352      EUR       dynamic  specification
        """
        frame = price_frame(self._ask(self._prices.prices()))
        frame.attrs["mode"] = str(self.client.mode)
        return frame

    def rate_card(self) -> pd.DataFrame:
        """Return the rate card: of the target group, or of the plan's country before there is one.

        Its cells are shown as the exchange gives them. No document states their unit, so that no price is computed from
        them.

        Returns:
            A frame with one row per length of interview, `minutes`, and one column per incidence in percent.
            `attrs["kind"]` is `current` for a country, `predicted` for a group that was never live, and `bound` for
            ever after; `attrs["currency"]`, `attrs["country"]` and `attrs["note"]` say the rest.

        Raises:
            PermissionDenied: the account may not read rate cards.

        Serves `GET …/rate-card`, of business units and of target groups.

        Example:
            >>> card = fresh.rate_card()
            >>> card.loc[10, [75, 50, 30]].tolist()
            [290.0, 330.0, 410.0]
            >>> card.attrs["kind"], card.attrs["currency"]
            ('bound', 'EUR')
        """
        frame = rate_card_frame(self._ask(self._prices.rate_card()))
        frame.attrs["mode"] = str(self.client.mode)
        return frame

    def create(self, *, adopt: IdInUrl | None = None, leave: Collection[str] = ()) -> TargetGroupRef:
        """Create the project, if it is new, and the draft target group.

        The exchange is searched first: what this wave created before, here or elsewhere, is found and continued.

        Args:
            adopt: Id of an existing target group of the project to take as this wave's.
            leave: Ids of target groups which the wave then no longer has, and which may stay in the field or keep their
                people; the error that stops the adoption names them.

        Raises:
            PlanError: the plan recontacts people and the wave has no list, or there is no plan; nothing was sent.
            PreflightBlocked: the list or the plan breaks a rule; nothing was sent.
            BadRequest: the exchange rejects the draft; `invalid_params` names the fields.
            InvalidState: another group has the wave's name, several projects have the project's name, or a group of
                this wave would be left in the field or with its people.
            OutcomeUnknown: the reply was lost; rerun it, it checks for the draft before it sends another.

        Serves the recontact guide, step 1, and the create guide.

        Example:
            >>> wave = client.wave("Tracker, wave 5", project="Brand tracker", respondents=people, plan=plan)
            >>> group = wave.create()
            >>> group == wave.target_group
            True
        """
        plan = self._context.require_complete()
        with self._holding():
            if self.target_group is None:
                findings = self.check("create")
                # The dates of a wave that was fielded have passed, and the wave is found again all the same.
                has_begun = plan.start_at < self.client.clock.now()
                if not (has_begun and _can_have_come_later(findings)):
                    findings.raise_if_blocking()
                if self._ask(self._context.search(adopt=adopt)) is None and adopt is None:
                    findings = self.check("create", ask=True)
                    findings.raise_if_blocking()
                    for finding in findings:
                        if finding.rule == "not-asked":  # it stops no draft, and is no all-clear
                            self.client.http.warn(finding.message)
            reporter = OnDemandReporter(self.client.reporter_factory, f"Creation · {self.name}", str(self.client.mode))
            return run_with_progress(lambda _: self._drafts.create(adopt=adopt, leave=leave), reporter, resume=None)

    @overload
    def upload(self, *, wait: Literal[True] = True) -> JobSnapshot: ...

    @overload
    def upload(self, *, wait: Literal[False]) -> Job: ...

    @overload
    def upload(self, *, wait: bool) -> JobSnapshot | Job: ...

    def upload(self, *, wait: bool = True) -> JobSnapshot | Job:
        """Upload the usable IDs and follow the job to its end.

        ```python
        cint.JobProgress(wave.upload(wait=False))
        ```

        Args:
            wait: Whether to follow the job here. Otherwise it is returned once it was sent, for a panel to watch while
                the notebook goes on; `wave.upload()` continues it later and sends nothing again.

        Returns:
            The last snapshot of the job. `partial` means that some IDs were not saved: see `outcome`. Without waiting,
            the job itself.

        Raises:
            PreflightBlocked: the list breaks a rule; nothing was sent.
            InvalidState: the target group was launched for new people; nothing was sent.
            RespondentFileError: the group holds people whom this list does not explain; nothing was sent.
            JobAlreadyRunning: another job runs for this target group.
            JobFailed: the exchange reports that the job failed; rerun it to send a new one.

        Serves the recontact guide, steps 2 and 3.

        Example:
            >>> snapshot = draft.upload()
            >>> print(snapshot.state, snapshot.saved_count)
            partial 56
        """
        people = self.respondents
        self._ask(self._context.require_ref())
        findings = check(self._facts("upload"))
        # A list may have been sent before it was too late for it, here or on another machine: then it is followed.
        if not _can_have_come_later(findings) or (findings.blocking and not self._ask(self._uploads.is_sent())):
            findings.raise_if_blocking()
        self._outcome = None
        may_send = findings.raise_if_blocking
        if not wait:
            return self._start("Upload", lambda: self._uploads.start_upload(people, batch="0", may_send=may_send))
        return self._run(
            "Upload",
            lambda on_snapshot: self._uploads.upload(people, batch="0", may_send=may_send, on_snapshot=on_snapshot),
            "wave.upload()",
        )

    @property
    def outcome(self) -> Outcome:
        """The outcome of every line of the source: saved, already saved, duplicate, malformed, blank or rejected.

        It asks the exchange for its count and, where that does not settle it, for its list of saved IDs.
        """
        _ = self.respondents  # a wave without a list has no outcome
        if self._outcome is None:
            with deliver_warnings() as said:
                outcome = self._ask(self._uploads.fetch_outcome())
                for text in outcome.warnings:
                    self.client.http.warn(text)
                self._warnings |= dict.fromkeys(said)
                self._outcome = replace(outcome, warnings=tuple(said))
        return self._outcome

    @overload
    def resubmit(self, *, wait: Literal[True] = True) -> JobSnapshot: ...

    @overload
    def resubmit(self, *, wait: Literal[False]) -> Job: ...

    @overload
    def resubmit(self, *, wait: bool) -> JobSnapshot | Job: ...

    def resubmit(self, *, wait: bool = True) -> JobSnapshot | Job:
        """Upload the rejected IDs once more, and only those: who was rejected is read from the exchange again.

        Who has withdrawn since is not sent again.

        Args:
            wait: Whether to follow the job here; otherwise it is returned, as by `upload`.

        Returns:
            As `upload`.

        Raises:
            NothingToResubmit: none was rejected, all were rejected twice, or it is not known which RIDs were.

        Serves the recontact guide, step 3, last paragraph.

        Example:
            >>> len(wave.outcome.resubmittable)
            1
            >>> print(wave.resubmit())
            <upload: done · 1 ids · 57 saved>
        """
        _ = self.respondents
        if self._outcome is not None and not self._ask(self._uploads.is_outcome_current()):
            self._outcome = None
        rejected, batch = self._uploads.select_for_resubmission(self.outcome, self.withdrawn)
        self._outcome = None
        if not wait:
            return self._start("Resubmission", lambda: self._uploads.start_upload(rejected, batch=batch))
        return self._run(
            "Resubmission",
            lambda on_snapshot: self._uploads.upload(rejected, batch=batch, on_snapshot=on_snapshot),
            "wave.resubmit()",
        )

    @property
    def resubmitted_count(self) -> int | None:
        """The number of IDs that were resent by jobs that have ended, as this journal and the last `outcome` know it.

        None if it is not known of a job that another machine started.
        """
        return self._uploads.resubmitted_count()

    def lower_goal(self, goal: Completes | None = None) -> int:
        """Lower the goal of the draft, to the number of saved IDs unless another is given, and return it.

        Without a number a goal that is low enough stays as it is.

        Raises:
            PlanError: the goal is not between 1 and the number of saved IDs, or is above the present goal; or quotas
                are numbers of completes, which would no longer add up to it.
            InvalidState: the wave has been launched.

        Serves the recontact guide, step 1: the goal must be equal to or fewer than the IDs uploaded.

        Example:
            >>> wave.lower_goal(12)
            12
        """
        self._context.require_complete()
        return self._act(lambda: self._drafts.lower_goal(goal))

    def update(self, plan: TargetGroupPlan, *, overwrite: Collection[str] = ()) -> tuple[str, ...]:
        """Write a plan into the draft; what was changed on the exchange only is kept.

        Three are compared: the draft as last written from here, as it is, and as the plan wants it.

        Args:
            plan: The plan; the wave's from now on, with the fields that were kept.
            overwrite: Fields of the draft in which the plan wins although they were changed on the exchange.

        Returns:
            The fields of the draft that were changed on the exchange and kept.

        Raises:
            InvalidState: fields were changed on both sides, which the error names; or the wave is launched.

        Serves `PUT …/target-groups/{target_group_id}`.

        Example:
            >>> draft.update(plan.model_copy(update={"completes_goal": 15}))
            ()
            >>> draft.plan_from_exchange().completes_goal
            15
        """
        _check_plan(plan)
        check_model(plan, PlanError)
        if plan.kind is not self._context.require_complete().kind:
            raise PlanError(
                f"The wave was opened with a plan of the kind {self._context.plan.kind}, not {plan.kind}.",
                evidence={"field": "plan"},
                next_step="choose another wave name: a wave stays one of new people, or of a list.",
            )
        return self._act(lambda: self._drafts.update(plan, overwrite))

    def plan_from_exchange(self) -> TargetGroupPlan:
        """Return the plan with every field as the draft on the exchange has it.

        Raises:
            InvalidState: the wave is launched, or not created.

        Example:
            >>> draft.plan_from_exchange().completes_goal
            20
        """
        return self._ask(self._drafts.plan_from_exchange())

    @overload
    def launch(
        self, budget: MoneyText | Money | None = None, *, unverified: Collection[str] = (), wait: Literal[True] = True
    ) -> JobSnapshot: ...

    @overload
    def launch(
        self, budget: MoneyText | Money | None = None, *, unverified: Collection[str] = (), wait: Literal[False]
    ) -> Job: ...

    @overload
    def launch(
        self, budget: MoneyText | Money | None = None, *, unverified: Collection[str] = (), wait: bool
    ) -> JobSnapshot | Job: ...

    def launch(
        self, budget: MoneyText | Money | None = None, *, unverified: Collection[str] = (), wait: bool = True
    ) -> JobSnapshot | Job:
        """Launch the target group: from here on it is live and spends money, whatever start the plan has.

        Every field of the draft that bears on cost, audience, survey or time must have been read back and equal the
        plan, and everybody in the group must be on the list. A group that is live already is left as it is.

        Args:
            budget: The most it may cost, such as `1400 EUR`. Too low if goal times price cap can exceed it; where the
                plan of a recontact allows overfill, IDs times price cap. A total budget in the plan bounds it too.
            unverified: Fields the exchange does not show and you have checked elsewhere; the finding that blocks names
                them. They are written into the journal.
            wait: Whether to follow the launch here and to compare what then stands with the budget. Otherwise its job
                is returned, and `wave.launch(budget=…)`, run again once it has ended, compares.

        Returns:
            The last snapshot of the launch; without waiting, its job.

        Raises:
            BudgetExceeded: the wave can cost more.
            PreflightBlocked: a rule is broken, such as a goal above the saved IDs, or a draft that differs from the
                plan or could not be read.
            InvalidState: the wave is paused or has ended, and this journal holds no launch of it; the error names the
                verb that continues it. Where the journal holds one, that is a warning.
            JobFailed: the exchange rejected the launch; its reason is in the message.

        Serves the recontact guide, step 4, and for new people the step after the create guide.

        Example:
            >>> print(wave.launch(budget="100 EUR"))
            <launch: done>
            >>> wave.launched
            True
        """
        plan = self._context.require_complete()
        worst_case = check_budget(plan, budget, id_count=self.id_count)
        allowed = Money.parse(budget or worst_case)
        with self._holding() as said:
            done = self._launch(allowed, worst_case, budget, unverified, wait=wait)
            if isinstance(done, Job):
                return done
            return _with_warnings(done, said) if wait else self._context.ended_job(_with_warnings(done, said))

    @overload
    def worst_case(self, budget: None = None) -> Money | None: ...

    @overload
    def worst_case(self, budget: MoneyText | Money) -> Money: ...

    def worst_case(self, budget: MoneyText | Money | None = None) -> Money | None:
        """Return the most the wave can cost by its plan; nothing is sent.

        It is the goal times the higher of price and price cap. Where the plan allows overfill, everybody on the list
        may complete; a total budget in the plan bounds it too.

        Args:
            budget: What it may cost, such as `1400 EUR`; compared as `launch` compares it.

        Returns:
            The amount; None where nothing bounds it.

        Raises:
            PlanError: the budget is in another currency than the prices, or the wave has no plan.
            BudgetExceeded: the wave can cost more than the budget, or nothing bounds it.

        Example:
            >>> print(draft.worst_case("100 EUR"))
            55.00 EUR
        """
        plan = self._context.require_complete()
        if budget is None:
            return worst_case_cost(plan, self.id_count)
        return check_budget(plan, budget, id_count=self.id_count)

    def _launch(
        self,
        allowed: Money,
        worst_case: Money,
        budget: str | Money | None,
        unverified: Collection[str],
        *,
        wait: bool,
    ) -> JobSnapshot | Job:
        state = self.exchange_state()
        self._context.require_kind(state)
        if state.state is GroupState.DRAFT:
            ref = state.ref
            uploads = self._ask(self._context.read_uploads(ref))
            if not self._fielding.is_launching(uploads):
                self._stop_if_blocked(unverified, state, uploads)
            try:
                if not wait:
                    return self._start(
                        "Launch",
                        lambda: self._fielding.start_launch(ref, uploads.cycle, allowed, worst_case, unverified),
                    )
                return self._run(
                    "Launch",
                    lambda on_snapshot: self._fielding.launch(
                        ref, uploads.cycle, allowed, worst_case, unverified, on_snapshot
                    ),
                    f"wave.launch(budget={str(budget)!r})",
                )
            except JobFailed:
                launched = self._launched_by_another()
                if launched is None:
                    raise
                state = launched
        state.require_known("launch")
        runs = state.state in (GroupState.LIVE, GroupState.SCHEDULED)
        found = self._ask(self._context.read_uploads(state.ref)) if runs else None
        if (finished := self._ask(self._fielding.finished_launch(state, found))) is not None:
            self._ask(self._fielding.adopt_rerun(state, found, allowed, worst_case))
            return finished
        if found is not None:
            return self._ask(self._fielding.adopt_launch(state, found, allowed))
        raise state.invalid_state_error(
            f"The wave was launched before, and its target group is {state.state}."
            if state.run is not None
            else f"The target group is {state.state} and cannot be launched.",
            state.advice() or "read wave.status().",
            wave=self.name,
        )

    def _launched_by_another(self) -> ExchangeState | None:
        """Return the state after a launch that was faster than ours, such as one that nobody followed to its end.

        Of a draft there is none, and of a group that cannot be read none is known.
        """
        with suppress(ApiError, TransportError):
            state = self.exchange_state()
            return state if state.run is not None else None
        return None

    def relaunch(self, budget: MoneyText | Money | None = None) -> None:
        """Relaunch a completed run whose goal and end have not been reached: people can enter again.

        Args:
            budget: The most the whole target group may cost, what it has cost included.

        Raises:
            PlanError: no budget was given; nothing was sent.
            BudgetExceeded: the group could cost more.
            InvalidState: the run is not completed, or its goal or end has been reached.

        Serves `POST …/fielding-runs/{fielding_run_id}/relaunch`.

        Example:
            >>> closed.relaunch(budget="100 EUR")
            >>> closed.status()["state"].item()
            'live'
        """
        self._context.require_complete()
        self._act(lambda: self._fielding.relaunch(budget))

    def raise_goal(self, goal: Completes, budget: MoneyText | Money | None = None) -> int:
        """Raise the goal of a launched wave, and return the goal the exchange then shows.

        Quotas are raised with it, in the proportions they have: with the goal alone the exchange would compute them
        anew.

        Args:
            goal: Completes wanted: above the present goal, of a recontact at most the number of saved IDs. If it is
                the present goal, nothing is sent, and the budget is approved for it.
            budget: The most the whole target group may cost.

        Raises:
            PlanError: the goal is not possible, or no budget was given; nothing was sent.
            BudgetExceeded: the group could cost more.
            InvalidState: the wave is a draft, or archived.

        Serves `PUT …/profiles/completes-goal`.

        Example:
            >>> live.raise_goal(25, budget="100 EUR")
            25
        """
        self._context.require_complete()
        return self._act(lambda: self._fielding.raise_goal(goal, budget))

    def quotas(self) -> pd.DataFrame:
        """Return the quotas of the wave and how far they are; before the launch, those of the draft or of the plan.

        Returns:
            A frame, one row per target of each profile: `profile`; `target`, its name, else the answer in English as
            the exchange shows it, else as the plan has it; `question_ids` and `options`, the ids that were found for
            the names; `percent` of the goal; `goal`, completes wanted; `completes`; `prescreens`, who passed the
            screener; `filled`, the share of the goal that is reached, 0–1; `quota_id`. Unknown values are missing, such
            as progress before the launch. A group without profiles has no rows; control quotas, which the exchange does
            not list, are not among them.

        Raises:
            PlanError: the library of the locale does not have a name of the plan.

        Serves `GET …/profiles`.

        Example:
            >>> fresh.quotas()[["profile", "target", "percent", "goal", "completes", "filled"]]
              profile  target  percent  goal  completes  filled
            0  GENDER    Male     50.0    10          8     0.8
            1  GENDER  Female     50.0    10          4     0.4
        """
        frame = quota_frame(quota_rows(self._ask(self._fielding.quotas())))
        frame.attrs["mode"] = str(self.client.mode)
        return frame

    def set_quotas(
        self,
        goals: Mapping[Any, Mapping[Any, Any]],
        *,
        by: Literal["completes", "percent"] = "completes",
        goal: Completes | None = None,
        budget: MoneyText | Money | None = None,
    ) -> pd.DataFrame:
        """Set the goals of quotas of a launched wave, and return the quotas the exchange then shows.

        The quotas are read, changed, written and read back. Those that are not named stay as they are, or keep their
        proportions where the goal of the group is changed too.

        ```python
        wave.set_quotas({"gender": {"Male": 60, "Female": 40}})
        wave.set_quotas({"gender": {"Male": 60, "Female": 60}}, goal=120, budget="330 EUR")
        ```

        Args:
            goals: For each profile, by its name or the id of its question, the goal of each target, by its text, as
                `quotas` shows both.
            by: Unit of the goals: `completes`, or `percent` of the goal, which then name every target of the profile.
            goal: A new goal of the whole group.
            budget: The most the whole target group may cost; needed where it gets more expensive.

        Returns:
            As `quotas`.

        Raises:
            PlanError: a profile or target is not there, quotas do not add up to the goal or are below their completes,
                or no budget was given; nothing was changed.
            BudgetExceeded: the group could cost more.
            InvalidState: the wave is a draft, or archived.

        Serves `PUT …/profiles/completes-goal`.

        Example:
            >>> frame = fresh.set_quotas({"gender": {"male": 40, "female": 60}}, by="percent")
            >>> frame[["profile", "target", "percent", "goal", "completes"]]
              profile  target  percent  goal  completes
            0  GENDER    Male     40.0     8          8
            1  GENDER  Female     60.0    12          4
        """
        _check_words("by", [by], ("completes", "percent"))
        self._context.require_complete()
        self._act(lambda: self._fielding.set_quotas(goals, in_percent=by == "percent", goal=goal, budget=budget))
        return self.quotas()

    def set_profiles(
        self,
        profiles: Sequence[Profile],
        *,
        remove: Collection[str | int] = (),
        goal: Completes | None = None,
        budget: MoneyText | Money | None = None,
        unverified: Collection[str] = (),
    ) -> pd.DataFrame:
        """Write profiles to a launched wave, and return the quotas the exchange then shows.

        The exchange replaces all profiles by what is written. So they are read, each new one takes the place of the one
        about the same questions, all others are written again as they are, and the result is validated before and read
        back after. Control quotas, which no read shows, are written again as this journal knows them.

        Args:
            profiles: The profiles to write, in the unit of those the wave was launched with.
            remove: Names, or question ids, of profiles to delete.
            goal: A new goal of the whole group.
            budget: The most the whole target group may cost; needed where it gets more expensive.
            unverified: `["control quotas"]` where this journal did not create the draft and you know that it has none.

        Returns:
            As `quotas`.

        Raises:
            PlanError: a name is not known, or the exchange's validator refuses the profiles; nothing was changed.
            BudgetExceeded: the group could cost more.
            InvalidState: the wave is a draft or archived, or it is not known whether it has control quotas.

        Serves `POST …/profiles/manage-profiles`.

        Example:
            >>> frame = fresh.set_profiles([cint.Profile("age", {"18-54": 60, "55+": 40})])
            >>> frame[["profile", "target", "percent", "goal", "completes"]]
              profile    target  percent  goal  completes
            0  GENDER      Male     50.0    10          8
            1  GENDER    Female     50.0    10          4
            2     AGE  18 to 54     60.0    12          0
            3     AGE  55 to 99     40.0     8          0
        """
        _check_words("unverified", unverified, (CONTROL,))
        self._context.require_complete()
        _, written = self._act(
            lambda: self._fielding.set_profiles(
                profiles,
                remove=remove,
                written=self._drafts.last_written,
                goal=goal,
                budget=budget,
                unverified=unverified,
            )
        )
        self._drafts.record_profiling(written)
        return self.quotas()

    def set_price(self, price: MoneyText | Money, budget: MoneyText | Money | None = None) -> Money:
        """Set the price per complete of a launched wave.

        Args:
            price: Amount and currency, such as `3 EUR`.
            budget: The most the whole target group may cost; not needed where it gets no more expensive.

        Raises:
            PlanError: the price cannot be read, or no budget was given; nothing was sent.
            BudgetExceeded: the group could cost more.
            InvalidState: the wave is not in the field.

        Serves `PUT …/cost-per-interview`.

        Example:
            >>> print(live.set_price("3 EUR", budget="100 EUR"))
            3 EUR
        """
        self._context.require_complete()
        return self._act(lambda: self._fielding.set_price(price, budget))

    def extend(self, end_at: datetime, budget: MoneyText | Money | None = None) -> datetime:
        """Move the end of fielding of a launched wave, and return the end the exchange then shows.

        Args:
            end_at: The new end, with a time zone.
            budget: The most the whole target group may cost.

        Raises:
            PlanError: no budget was given; nothing was sent.
            BudgetExceeded: the group could cost more.
            InvalidState: the wave is not in the field.

        Serves `PUT …/fielding-runs/{fielding_run_id}`.

        Example:
            >>> print(live.extend(client.clock.now() + timedelta(days=20), budget="100 EUR"))
            2026-09-24 08:00:31.500000+00:00
        """
        self._context.require_complete()
        return self._act(lambda: self._fielding.extend(end_at, budget))

    def approve(self, budget: MoneyText | Money) -> Money:
        """Approve a budget for what now stands at the exchange; nothing is sent that changes anything.

        For a wave that was launched, or made more expensive, elsewhere: `status()` compares against what was approved
        here.

        Args:
            budget: The most the whole target group may cost.

        Raises:
            BudgetExceeded: what stands there could cost more.

        Example:
            >>> print(live.approve("120 EUR"))
            120 EUR
            >>> live.status()[["approved", "committed", "spent"]]
               approved  committed  spent
            0     120.0       55.0  35.75
        """
        self._context.require_complete()
        return self._act(lambda: self._fielding.approve(budget))

    @property
    def launched(self) -> bool:
        """Whether the wave has a fielding run, read from the exchange now."""
        if self._ask(self._context.search()) is None:
            return False
        state = self.exchange_state()
        state.require_known("tell whether it was launched")
        return state.run is not None

    def status(self, *, trend: bool = False) -> pd.DataFrame:
        """Return the status DataFrame: one row for the wave's target group, with warnings in words.

        Args:
            trend: Whether to ask for the completes over time too, one request more; `StatusTable` draws them as a line.

        Returns:
            A frame: `name`; `target_group_id`; `state`; `goal`, completes wanted; `completes`; `filled`, the share of
            the goal that is reached, 0–1; `sent`, ids uploaded; `saved`, ids in the group; `entrants`; `came_back`, the
            share of saved ids that entered, 0–1; `screenouts`, visits that the screener, the survey, a full quota, the
            quality check or an exclusion ended; `completed_of_saved`, the share of saved ids that completed, 0–1;
            `conversion_rate`, `drop_off_rate`, `incidence_rate`, 0–1 as the exchange counts them; `median_minutes` of
            an interview; `cost` so far; `cost_per_complete`; `price_cap`, the highest cost of a complete; `approved`,
            the last budget; `committed`, the most it can still cost in all, while people can enter; `spent`, which is
            the cost; `currency` of all amounts; `first_complete`, `last_complete`, UTC; `ends_at`, end of fielding,
            UTC; `warnings`, joined by `; `. With `trend`, a list of completes so far at even intervals too. Unknown
            values are missing. `attrs["mode"]` names the mode of the exchange, `attrs["read_at"]` when it was read.

        Serves the endpoints `target-groups/{id}/overview`, `…/performance` and `…/recontacts/overview`.

        Example:
            >>> live.status()[["state", "goal", "completes", "saved", "entrants", "cost", "currency"]]
              state  goal  completes  saved  entrants   cost currency
            0  live    20         13     56        16  35.75      EUR
        """
        with deliver_warnings() as said:
            row = self._ask(self._fielding.status(trend=trend))
        row["warnings"] = [*said, *row["warnings"]]
        now = self.client.clock.now()
        frame = status_frame([row], now=now)
        frame.attrs |= {"mode": str(self.client.mode), "read_at": now.isoformat()}
        return frame

    def test_links(self) -> pd.DataFrame:
        """Return the links by which you enter the launched wave as a tester, as the exchange made them.

        A test visit counts as one in the performance of the group, and is no complete.

        ```python
        wave.test_links().set_index("link").loc["screener", "url"]
        ```

        Returns:
            A frame of two rows: `link`, `screener` for the whole way through Cint's screener or `client survey` for
            your survey alone; `url`, missing where the exchange gives none.

        Raises:
            InvalidState: it is a draft: the exchange makes the links when it is launched.

        Serves `GET …/target-groups/{target_group_id}/details`.

        Example:
            >>> live.test_links()["link"].tolist()
            ['screener', 'client survey']
        """
        links = self._ask(self._fielding.test_links())
        frame = ReadableFrame(
            {"link": pd.Series([*links], dtype="str"), "url": pd.Series([*links.values()], dtype="object")}
        )
        frame.attrs["mode"] = str(self.client.mode)
        return frame

    def files(self) -> pd.DataFrame:
        """Return what was uploaded to the wave's target group, the newest first, whoever uploaded it.

        One request for the list of jobs, and one or two for each; `download_file` fetches one of the files.

        ```python
        wave.files()[["of", "state", "created_at", "sent"]]
        ```

        Returns:
            A frame, one row per file: `job_id`; `file_name`; `of`, `list` of this wave, `resubmission`, `earlier list`
            of this wave or `other`; `state` of the job; `created_at` and `completed_at`, UTC; `sent`, ids in the file;
            `uploaded` and `failed`, ids, as the job counts them in a partial success. What is not known is missing: of
            a full success the exchange gives no counts. Removals are in no list.

        Raises:
            InvalidState: the wave has no target group.

        Serves the recontact guide, "List all upload jobs".

        Example:
            >>> wave.files()[["of", "state", "sent", "uploaded", "failed"]]
                 of    state  sent  uploaded  failed
            0  list  partial    57        56       1
        """
        frame = files_frame(self._ask(self._files.list()))
        frame.attrs["mode"] = str(self.client.mode)
        return frame

    def download_file(
        self, job_id: IdInUrl, *, entity_type: str | EntityType | None = None, save_to: str | Path | None = None
    ) -> Respondents:
        """Download a file that was uploaded to the wave's target group, and read it.

        ```python
        uploaded = wave.download_file(wave.files()["job_id"].iloc[-1])
        wave.respondents.difference(uploaded)
        ```

        Args:
            job_id: Of the job, as `files` shows it.
            entity_type: `RSID` or `RID`; known for the list of this wave, and needed for a file of others.
            save_to: An existing folder in which the file is also kept, with ids in full. A file of that name is not
                replaced.

        Returns:
            The people in the file; their ids are masked wherever they are shown.

        Raises:
            InputError: nothing says what the ids are, or the file cannot be written.
            NotFound: the target group has no such job.
            RespondentFileError: the file holds no id.

        Serves the recontact guide, "Download an uploaded file".

        Example:
            >>> job_id = wave.files()["job_id"].iloc[0]
            >>> wave.download_file(job_id)
            <Respondents: 57 RSIDs · 57 lines · cint-nb-••••0402.••••1292.b0.c0.csv>
        """
        folder = None if save_to is None else as_folder(save_to)
        download, kind = self._ask(self._files.download(job_id, entity_type))
        people = read_respondents(download.content, entity_type=kind, name=download.name)
        if folder is not None:
            download.save(folder)
        return people

    def report(
        self,
        *,
        start: date | None = None,
        include_respondent_answers: bool | None = None,
        codes: Mapping[int | str, str] | None = None,
        save_to: str | Path | None = None,
    ) -> VisitReport:
        """Request the respondent analysis of the wave, wait for it, and read it: one row per visit.

        It changes nothing and may be repeated while the wave is in the field; each report holds the visits that have
        ended by now. `report.completes` is a list for the next wave.
        It is about this wave's target group alone, and its ids are shown in full nowhere.

        Args:
            start: First day, in US Central time; that on which fielding began if omitted. The exchange reports at most
                six months at once, of the last twelve: fetch the report when the wave is closed.
            include_respondent_answers: Whether the answers to profiling questions are included, a column each.
            codes: What status codes or words mean that are not Cint's, as for `read_report`.
            save_to: An existing folder in which the file is also kept, as the exchange made it, with ids in full. A
                file of that name is not replaced.

        Raises:
            InvalidState: the wave was never launched, or no visit has ended yet.
            InputError: the exchange does not say when fielding began, the period is longer than a report may be, or
                the file cannot be written.
            PermissionDenied: reports require the role of a buying admin, manager or analyst.
            RespondentFileError: the report cannot be read; it names the columns and what to pass to `read_report`.

        Serves `POST …/reports/respondent-analysis`, `GET …/reports/{id}/status` and `…/download`.

        Example:
            >>> closed.report().summary()
                               what  number
            0                visits      16
            1      visits completed      13
            2   visits without RSID       0
            3    people who entered      16
            4  people who completed      13
        """
        folder = None if save_to is None else as_folder(save_to)
        download = self._fetch_report(start, include_respondent_answers)
        if folder is not None:
            download.save(folder)
        return self._read_report(download, codes)

    def _fetch_report(
        self, start: date | None, answers: bool | None = None, *, latest_days: int | None = None
    ) -> Download:
        reporter = OnDemandReporter(self.client.reporter_factory, f"Report · {self.name}", str(self.client.mode))
        with deliver_warnings() as said:
            try:
                return run_with_progress(
                    lambda on_snapshot: self._reports.fetch(
                        start, answers=answers, on_snapshot=on_snapshot, latest_days=latest_days
                    ),
                    reporter,
                    resume=None,
                )
            finally:
                self._warnings |= dict.fromkeys(said)

    def _read_report(self, download: Download, codes: Mapping[int | str, str] | None = None) -> VisitReport:
        try:
            return read_report(download.content, name=self.name, codes=codes)
        except RespondentFileError as error:
            if error.evidence.get("visits") != 0:
                raise
            raise InvalidState(
                "The report of the wave is empty: no visit has ended yet.",
                safe="the report was requested; nothing was changed.",
                next_step="call wave.report() again when people have come; on the sandbox client.pass_time(hours=6) "
                "moves time on.",
            ) from None

    def history_record(self, *, start: date | None = None, answers: bool | None = None) -> WaveRecord:
        """Read what a history keeps of this wave; nothing is changed. `history.add(wave)` asks for it.

        Args:
            start: First day of the report, as for `report`.
            answers: Whether it has the answers to profiling questions.

        Returns:
            The report as the exchange made it, or why there is none; when people could enter and why that ended, from
            the run and the changelog; goal and price; who is saved, and the list that was uploaded.

        Raises:
            InvalidState: nobody could enter it yet.
            UnexpectedReply: its state cannot be seen.

        Serves `GET …/fielding-runs`, `…/changelog`, `…/recontacts/rsids` and the report.

        Example:
            >>> record = closed.history_record()
            >>> record.name, record.closed_by, record.goal
            ('Tracker, wave 1', 'hand', 20)
        """
        state = self.exchange_state()
        times, notes = self._ask(self._records.read_open_time(state))
        report, missing = self._report_or_reason(start, answers)
        saved, said = self._saved_people(state)
        overview = state.overview
        plan = self._context.plan_or_none
        locale = None if plan is None else plan.locale
        if overview is not None and overview.language_code and overview.country_code:
            locale = f"{overview.language_code}_{overview.country_code}".lower()
        return WaveRecord(
            name=self.name,
            project=state.ref.project_id,
            target_group=state.ref.target_group_id,
            read_at=self.client.clock.now(),
            locale=locale,
            opened=times.opened,
            closed=times.closed,
            closed_by=times.closed_by,
            goal=None if overview is None else overview.progress.filling_goal,
            price=None if overview is None else as_money(overview.current_cost_per_interview),
            report=report,
            missing=missing,
            saved=saved,
            uploaded=self._context.respondents_or_none,
            crosswalk=self._context.crosswalk,
            notes=(*notes, *said),
        )

    def _report_or_reason(self, start: date | None, answers: bool | None) -> tuple[bytes | None, str | None]:
        """Return the report, or why the exchange does not give one: a lost reply is no such reason, and is raised."""
        try:
            return self._fetch_report(start, answers).content, None
        except (ApiError, InputError, JobFailed) as error:
            return None, error.what

    def _saved_people(self, state: ExchangeState) -> tuple[Respondents | None, tuple[str, ...]]:
        """Return who is saved, None if that is not known or if the wave has no list, and what is to be said of it."""
        if self.kind is PlanKind.FRESH:
            return None, ()
        try:
            count = self._ask(self._context.client.recontacts.saved_count(state.ref))
            if not count:
                is_list = self.id_count is not None
                gone = f"No id is saved in {self.name} any more, so that it is not known who of its list was."
                return None, (gone,) if is_list else ()
            if self.id_count is not None:
                found = saved_people(self.outcome, self._context.crosswalk, saved_count=count)
                if found is not None:
                    return found, ()
            return self._ask(self._records.read_saved(state.ref)), ()
        except ApiError as error:
            return None, (f"Who is saved in {self.name} could not be read: {error.what}",)

    def reconcile(
        self,
        changes: Any,
        *,
        rid: str | None = None,
        reason: str | int | None = None,
        budget: MoneyText | Money | None = None,
        dry_run: bool = False,
    ) -> Reconciliation:
        """Reconcile visits: reject completes, or make visits complete, by a list of RIDs with a reason for each.

        The list is compared with the wave's report of now. Visits that are past their deadline, that are not of this
        wave, or that are already so are not sent, and said. The same list is submitted once, wherever and however often
        this is run: what the exchange has is adopted, followed and read.

        ```python
        bad = answers[answers.seconds < 60]  # your survey data, with a column of RIDs
        wave.reconcile(bad, reason="speeder", dry_run=True).effect()
        wave.reconcile(bad, reason="speeder").summary()
        ```

        Args:
            changes: A frame of any library, a list of rows as mappings, a list of RIDs, or a file. All its rows are
                meant, so leave out the visits you accept. The column whose ids are RIDs of this wave is found, whatever
                its name.
            rid: Name of the RID column, where several could be meant.
            reason: A reason for all rows, by number or word, or the name of the column with the reason of each:
                `cint.frames.reconciliation_codes()` lists them. 11, `complete`, makes a visit a complete.
            budget: The most the whole target group may cost. Needed while people can enter, since they may replace the
                completes that are rejected, and for visits that become completes; after `close`, rejecting needs none.
            dry_run: Only show what would be done: nothing is sent but reads and the request for a report.

        Returns:
            A `Reconciliation`: `frame()` has one row per row of the list, `effect()` what changes for completes, people
            and cost, `summary()` counts with all warnings. `state` is `preview`, `nothing to send`, `done`, or
            `unknown` where the exchange has not finished after half an hour: run it again, nothing is sent twice.

        Raises:
            RespondentFileError: no column has RIDs of this wave, several have, or it has RSIDs; nothing was sent.
            InputError: a reason is missing, unknown or not allowed, or a visit has two; nothing was sent.
            PlanError: a budget is missing; nothing was sent.
            BudgetExceeded: the group could cost more; nothing was sent.
            InvalidState: the wave was never launched, or no visit has ended.
            OutcomeUnknown: the reply was lost and the checks failed; run it again, it looks before it sends.
            UnexpectedReply: the exchange's counts and files contradict each other.

        Serves `POST …/reconciliations`, `GET …/reconciliations/{request_id}` and its downloads.

        Example:
            >>> rid = closed.report().visits(reveal=True).query("completed")["Response ID (RID)"].iloc[0]
            >>> closed.reconcile([{"rid": rid}], reason="speeder", dry_run=True).effect()
                                             what        now            after
            0                           completes         13               12
            1  people who completed, to recontact         13               12
            2                                cost  35.75 EUR  about 33.00 EUR
        """
        report = self._read_report(self._fetch_report(None, latest_days=_RECONCILABLE_REPORT_DAYS))
        plan = plan_reconciliation(changes, report, rid=rid, reason=reason, now=self.client.clock.now())
        if dry_run:
            return self._ask(self._reconciliations.preview(plan))
        reporter = OnDemandReporter(
            self.client.reporter_factory, f"Reconciliation · {self.name}", str(self.client.mode)
        )
        with self._holding():
            return run_with_progress(
                lambda on_snapshot: self._reconciliations.reconcile(plan, budget, on_snapshot),
                reporter,
                resume="wave.reconcile(…) and the same list",
            )

    def pause(self) -> None:
        """Pause fielding, so that nobody enters until `resume`; a paused wave stays paused.

        Raises:
            InvalidState: the run is not live, as after its goal or its end was reached; nobody can enter it then.

        Serves `POST …/fielding-runs/{id}/pause`.

        Example:
            >>> live.pause()
            >>> live.status()["state"].item()
            'paused'
        """
        self._ask(self._fielding.pause())

    def resume(self) -> None:
        """Resume paused fielding, as far as money was approved; a warning says what was changed while it was paused.

        Raises:
            BudgetExceeded: what stands at the exchange now can cost more than was approved: see `approve`.
            InvalidState: the run is not paused, or its goal or end has been reached.

        Serves `POST …/fielding-runs/{id}/resume`.

        Example:
            >>> live.pause()
            >>> live.resume()
            >>> live.status()["state"].item()
            'live'
        """
        self._context.require_complete()
        self._act(lambda: self._fielding.resume())

    def close(self, *, resume_first: bool = False) -> None:
        """Complete the fielding run, so that nobody can enter any longer.

        Args:
            resume_first: Whether to resume a paused run and then complete it: the exchange completes no paused run, and
                respondents may enter in the moment between.

        Raises:
            InvalidState: the run is paused and `resume_first` was not given.

        Serves `POST …/fielding-runs/{id}/complete`.

        Example:
            >>> live.close()
            >>> live.status()["state"].item()
            'completed'
        """
        self._ask(self._fielding.close(resume_first=resume_first))

    @overload
    def remove(self, *, while_live: bool = False, wait: Literal[True] = True) -> JobSnapshot: ...

    @overload
    def remove(self, *, while_live: bool = False, wait: Literal[False]) -> Job: ...

    @overload
    def remove(self, *, while_live: bool = False, wait: bool) -> JobSnapshot | Job: ...

    def remove(self, *, while_live: bool = False, wait: bool = True) -> JobSnapshot | Job:
        """Remove all recontacts of the target group; there is no way to remove only some.

        Args:
            while_live: Whether to allow it while the wave is in the field, where it stops respondents from entering.
            wait: Whether to follow the job here; otherwise it is returned, as by `upload`.

        Returns:
            The last snapshot of the job; without waiting, the job itself.

        Raises:
            InvalidState: the wave is in the field, or about to be, and `while_live` was not given.
            UnexpectedReply: whether it is in the field cannot be seen, and `while_live` was not given.

        Serves the recontact guide, "Removing recontact opportunities".

        Example:
            >>> print(wave.remove())
            <removal: done · 56 ids · 0 saved>
            >>> client.recontacts.saved_count(wave.target_group)
            0
        """
        _ = self.respondents  # new people are on no list, and a forgotten list may be another's
        self._ask(self._fielding.require_removable(while_live=while_live))
        self._outcome = None
        if not wait:
            return self._start("Removal", self._uploads.start_removal)
        return self._run("Removal", self._uploads.remove, "wave.remove()")

    def withdraw(self, people: Respondents | Iterable[str] | str, *, report: VisitReport | None = None) -> pd.DataFrame:
        """Withdraw people from the study: exclude them from this wave, and have later lists of its project checked.

        Recontacts are removed all at once or not at all, so that who withdraws stays saved and is kept out by an
        exclusion, which the exchange applies to everybody who enters from then on. Exclusions of others stay. Before
        the list is uploaded, `check` and `upload` stop until it is opened without these people; before there is a
        target group the withdrawal is only recorded.

        The journal keeps digests of the RSIDs, never the ids. They are pseudonyms of these people, and are known to
        this journal alone: on another machine `find_withdrawals` takes over whom the exchange excludes. It may be run
        again at any time; `undo_withdrawal` takes back a mistake.

        ```python
        wave.withdraw(["2b9e3c52-0d8e-4a0b-9a55-31d1c0ffee01"], report=wave.report())
        ```

        Args:
            people: Their RSIDs; RIDs where the wave has a crosswalk.
            report: The report of this wave, of now, to count who of them came; without it only counts are asked.

        Returns:
            A frame without ids: `what` was counted; `people`, missing where it is not known; `note`, where it is from,
            or why it is not known. Its rows: withdrawn, on the list, saved in the target group, excluded and not
            excluded as read back, visits ended, completed, in the survey now.

        Raises:
            InputError: nobody was named, a line is no id, or they are RIDs without a crosswalk; nothing was recorded.
            JobAlreadyRunning: another exclusion job runs for this target group; the withdrawal is recorded.
            JobFailed: the exchange could not exclude them; the withdrawal is recorded.
            OutcomeUnknown: the reply was lost; run it again.

        Serves `POST …/exclusions/jobs/upload-respondents-by-file` and `GET …/exclusions/rsid/paginated`.

        Example:
            >>> frame = live.withdraw(people.sample(1))
            >>> frame[["what", "people"]].head(5)
                                    what  people
            0                  withdrawn       1
            1                on the list       1
            2  saved in the target group       1
            3                   excluded       1
            4               not excluded       0
        """
        named = self._withdrawals.parse_people(people)
        reporter = OnDemandReporter(self.client.reporter_factory, f"Withdrawal · {self.name}", str(self.client.mode))
        with self._holding():
            counts = run_with_progress(
                lambda on_snapshot: self._withdrawals.withdraw(named, report, on_snapshot), reporter, resume=None
            )
        frame = withdrawal_frame(counts)
        frame.attrs["mode"] = str(self.client.mode)
        return frame

    def undo_withdrawal(self, people: Respondents | Iterable[str] | str) -> pd.DataFrame:
        """Take back a withdrawal that was a mistake: these people may be asked, and enter this wave, again.

        The exchange removes exclusions all at once only. So everybody else who withdrew is excluded anew, and it is
        done only while nobody can enter. People whom this journal does not know as withdrawn are from then on known as
        people who have not.

        Args:
            people: Their RSIDs; RIDs where the wave has a crosswalk.

        Returns:
            A frame without ids, as `withdraw` returns it: no longer withdrawn, excluded again, and excluded still.

        Raises:
            InputError: nobody was named, or a line is no id; nothing was recorded.
            InvalidState: people can enter now, or the target group excludes others by file of whom this journal knows
                nothing; nothing was changed.
            JobFailed: the exchange could not exclude the others anew; the error says what to do.

        Serves `POST …/exclusions/jobs/remove-all-respondents`.

        Example:
            >>> int(wave.withdraw(people.sample(3))["people"].iloc[0])
            3
            >>> wave.undo_withdrawal(people.sample(1))["people"].tolist()
            [1, 2, 0]
            >>> len(wave.withdrawn)
            2
        """
        named = self._withdrawals.parse_people(people)
        reporter = OnDemandReporter(self.client.reporter_factory, f"Withdrawal · {self.name}", str(self.client.mode))
        with self._holding():
            counts = run_with_progress(
                lambda on_snapshot: self._withdrawals.undo(named, on_snapshot), reporter, resume=None
            )
        frame = withdrawal_frame(counts)
        frame.attrs["mode"] = str(self.client.mode)
        return frame

    def find_withdrawals(self) -> Respondents:
        """Read who of the list is excluded by file from other target groups of the study, and take it over.

        Withdrawals are kept in the journal of the machine where they were made; on another one the exchange shows
        them: as exclusions by file of earlier waves, `sources` and the newest groups of the project. They are recorded
        here as withdrawn, so that later lists are checked for them. `check(ask=True)` and `launch` stop until this was
        run.

        Returns:
            Who of the list has withdrawn, as `withdrawn`.

        Raises:
            InvalidState: the wave has no target group yet.
            PlanError: the wave has no list, or one of RIDs without a crosswalk.

        Serves `GET …/exclusions/overview` and `GET …/exclusions/rsid/paginated`.

        Example:
            >>> len(draft.find_withdrawals())
            0
        """
        _ = self.withdrawn  # whether the list can be compared
        found = self._act(lambda: self._withdrawals.take_over(self.sources))
        if found is not None and found.unseen:
            self.client.http.warn(
                f"Of {len(found.unseen):,} other target groups it could not be seen whom they exclude by file."
            )
        return self.withdrawn

    @property
    def withdrawn(self) -> Respondents:
        """Who of the list has withdrawn, from this wave or another one of its project, as this journal knows.

        `respondents.difference(wave.withdrawn)` is the list without them. Nothing is sent.

        Raises:
            PlanError: the wave has no list, or one of RIDs without a crosswalk, which cannot be compared.
        """
        people, found = self.respondents, self._withdrawals.of_the_list()
        if found is not None and found.uncompared:
            raise PlanError(
                f"{found.uncompared:,} people have withdrawn from this project; whether they are on this list of RIDs "
                "is not known.",
                evidence={"wave": self.name, "field": "crosswalk"},
                next_step="give the wave a RID-to-RSID crosswalk: client.wave(…, crosswalk=report.crosswalk()).",
            )
        return people.difference(people) if found is None else found.people

    # --- inside -----------------------------------------------------------------------------------------------

    def _start(self, title: str, step: Callable[[], Coroutine[Any, Any, Job]]) -> Job:
        """Start a job and return it; shown is only what a lost reply leads to."""
        reporter = OnDemandReporter(self.client.reporter_factory, f"{title} · {self.name}", str(self.client.mode))
        with self._holding():
            return run_with_progress(lambda _: step(), reporter, resume=None)

    def _run(
        self, title: str, step: Callable[[SnapshotListener], Coroutine[Any, Any, JobSnapshot]], resume: str
    ) -> JobSnapshot:
        reporter = self.client.reporter_factory(f"{title} · {self.name}", str(self.client.mode))
        with self._holding() as said:
            return _with_warnings(run_with_progress(step, reporter, resume=resume), said)

    @printable
    def __repr__(self) -> str:
        """Show mode, name and the state last read, without ids; nothing is sent."""
        read = self._context.last_state
        try:
            state = str(read.state) if read else "created" if self.target_group else "not created"
        except JournalError:  # the client is closed
            state = "state not read"
        warned = format_warning_count(self.warnings)
        return f"<Wave {self.name!r}: {self.client.mode} · {self._whom()} · {state}{warned}>"

    def _whom(self) -> str:
        if self.id_count is not None:
            return f"{self.id_count:,} ids"
        if self.kind is None:
            return "opened to read"
        return "new people" if self.kind is PlanKind.FRESH else "no list given"


def _can_have_come_later(findings: Findings) -> bool:
    """Return whether all that blocks may have come about since the step was done: by time, or by who withdrew."""
    return {finding.rule for finding in findings.blocking} <= {"dates", "withdrawn"}


def check_wave(name: str, project: str, respondents: Any, plan: Any) -> None:
    """Raise if a wave's name or project is too short or too long, or if respondents and plan do not belong together.

    Raises:
        PlanError: it names what is wrong.
    """
    low, high = limits.NAME_CHARACTERS
    for field, called, text in (("name", "wave's name", name), ("project", "project's name", project)):
        text = normalise_name(text)
        if not low <= len(text) <= high:
            raise PlanError(
                f"The {called} has {format_count(len(text), 'character')}; {low} to {high} are allowed.",
                evidence={"field": field},
                next_step=f"choose a {field} of {low} to {high} characters.",
            )
    if respondents is not None and not isinstance(respondents, Respondents):
        raise PlanError(
            f"The wave has no respondents: it was given {type(respondents).__name__}.",
            evidence={"field": "respondents"},
            next_step='pass cint.read_respondents(...), or picker.value once the file picker shows "ready".',
        )
    if plan is not None:
        _check_plan(plan)
    if respondents is None:
        return
    if plan is None:
        raise PlanError(
            "The wave has respondents and no plan.",
            evidence={"field": "plan"},
            next_step="pass plan=cint.TargetGroupPlan.recontact(...); to read a wave that exists, pass neither.",
        )
    if plan.kind is PlanKind.FRESH:
        raise PlanError(
            "The plan is about new people, and the wave was given respondents.",
            evidence={"field": "respondents", "plan": str(plan.kind)},
            next_step="use TargetGroupPlan.recontact to recontact them, or leave respondents out.",
        )


def _check_plan(plan: Any) -> None:
    if not isinstance(plan, TargetGroupPlan):
        raise PlanError(
            f"The wave has no plan: it was given {'nothing' if plan is None else type(plan).__name__}.",
            evidence={"field": "plan"},
            next_step="pass cint.TargetGroupPlan.fresh(...) for new people, or cint.TargetGroupPlan.recontact(...).",
        )


def _with_warnings(snapshot: JobSnapshot, said: Collection[str]) -> JobSnapshot:
    """Return the result of a verb with all that was said during it."""
    return evolve(snapshot, warnings=tuple(dict.fromkeys((*snapshot.warnings, *said)))) if said else snapshot


def _check_words(argument: str, words: Collection[str], known: Collection[str]) -> None:
    """Raise if a word is none of those an argument may have: a misspelled one would read as an all-clear."""
    unknown = [words] if isinstance(words, str) else [word for word in words if word not in known]
    if unknown:
        raise PlanError(
            f"{argument} cannot be {masked_repr(unknown[0], 40)}.",
            evidence={"field": argument},
            next_step=f"choose from {', '.join(known)}.",
        )
