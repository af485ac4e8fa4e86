"""People who withdraw: excluded from the target group of the wave, and known to later lists of its project.

Recontacts can be removed all at once only, so that one person is kept out by an exclusion instead. It applies to
whoever enters from then on: who is in the survey finishes it, and a complete stays one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import pandas as pd

from cint_nb.api.jobs.job import Job
from cint_nb.domain import limits
from cint_nb.domain.errors import ApiError, InputError, JobFailed, NotFound, TransportError
from cint_nb.domain.files import UploadFile
from cint_nb.domain.ids import EntityType, format_count
from cint_nb.domain.models import TargetGroupRef, evolve
from cint_nb.domain.target_groups import Performance
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.study.outcome.crosswalk import Crosswalk
from cint_nb.study.outcome.visit_reports import VisitReport
from cint_nb.study.preflight.registry import ExcludedElsewhereFact, WithdrawnFact
from cint_nb.study.readable_frame import ReadableFrame
from cint_nb.wave.context import SnapshotListener, WaveContext
from cint_nb.wave.exchange.exclusions import read_file_exclusions
from cint_nb.wave.exchange.identity import id_digest
from cint_nb.wave.exchange.people import COMPARED_IDS
from cint_nb.wave.exchange.state import GroupState, read_state
from cint_nb.wave.journal.journal import EntryState, JournalEntry
from cint_nb.wave.journal.payloads import PROJECT, WITHDRAWAL, WithdrawalPayload

_NOBODY_ENTERS = (GroupState.DRAFT, GroupState.PAUSED, GroupState.COMPLETED)
_FILE_STEM = "withdrawn"
"""The file of the user may be named after a person; the exchange gets this name instead."""


@dataclass(frozen=True)
class Count:
    """One line of what a withdrawal says: how many people; None if it is not known, and then why."""

    what: str
    people: int | None
    note: str | None = None


class WithdrawalSteps:
    """The steps of one wave when people withdraw."""

    def __init__(self, wave: WaveContext) -> None:
        self._wave = wave

    # --- whom it is about -------------------------------------------------------------------------------------

    def parse_people(self, people: Respondents | Iterable[str] | str) -> Respondents:
        """Return the people as RSIDs.

        Raises:
            InputError: there are none, one line is not an id, or they are RIDs that the wave's crosswalk does not hold.
        """
        if not isinstance(people, Respondents):
            texts = [people] if isinstance(people, str) else list(people)
            people = read_respondents(texts, entity_type=EntityType.RSID, name="list")
        if people.entity_type is EntityType.RID:
            if self._wave.crosswalk is None:
                raise InputError(
                    "These are RIDs, one per visit; the exchange excludes people by their RSIDs.",
                    evidence={"ids": len(people)},
                    safe="nothing was sent, and nobody is recorded as withdrawn.",
                    next_step="give the wave a RID-to-RSID crosswalk: client.wave(…, crosswalk=report.crosswalk()).",
                )
            people = Crosswalk(self._wave.crosswalk.items()).to_rsids(people)
        unread = people.counts.malformed + people.source_info.hidden_undecided
        if unread or not len(people):
            raise InputError(
                f"{format_count(unread, 'line', 'lines')} of the people who withdraw could not be read as ids, so that "
                "it is not known whom they name."
                if unread
                else "There is nobody to withdraw.",
                evidence={"ids": len(people), "malformed": people.counts.malformed or None},
                safe="nothing was sent, and nobody is recorded as withdrawn.",
                next_step="correct the source; respondents.summary() says what is wrong.",
            )
        return people

    def of_the_list(self) -> WithdrawnFact | None:
        """Return who of the wave's list has withdrawn, from this wave or another one of its project; None for nobody.

        Raises:
            JournalError: the journal cannot be read.
        """
        people, digests = self._wave.respondents_or_none, self._digests()
        if people is None or not digests:
            return None
        if people.entity_type is EntityType.RSID:
            found = people.intersection([each for each in people.ids if id_digest(each) in digests])
            return WithdrawnFact(found, found) if len(found) else None
        if self._wave.crosswalk is None:
            nobody = people.difference(people)
            return WithdrawnFact(nobody, nobody, uncompared=len(digests))
        pairs = [(rid, self._wave.crosswalk.get(rid)) for rid in people.ids]
        chosen = [(rid, rsid) for rid, rsid in pairs if rsid and id_digest(rsid) in digests]
        if not chosen:
            return None
        rsids = read_respondents([rsid for _, rsid in chosen], entity_type=EntityType.RSID, name="withdrawn")
        return WithdrawnFact(people.intersection([rid for rid, _ in chosen]), rsids)

    def _digests(self) -> frozenset[str]:
        """Return the digests of everybody who withdrew in the project; that it was tried is enough."""
        return self._still(self._entries())

    def _still(self, entries: Iterable[JournalEntry[WithdrawalPayload]]) -> frozenset[str]:
        """Return the digests of those entries that were not undone later."""
        found: set[str] = set()
        for entry in entries:
            if entry.payload.is_undone:
                found.difference_update(entry.payload.digests)
            else:
                found.update(entry.payload.digests)
        return frozenset(found)

    def _entries(self) -> Iterator[JournalEntry[WithdrawalPayload]]:
        """Yield the withdrawals of all waves of the project, under whichever name it was opened."""
        scope, project_id = self._wave.client.scope, self._wave.known_project_id
        names = {self._wave.key.project, f"name:{self._wave.project}"}
        if project_id is not None:
            names |= {
                entry.key.project
                for entry in self._wave.journal.entries(step=PROJECT)
                if entry.key.scope == scope and entry.payload.project_id == project_id
            }
        for entry in self._wave.journal.entries(step=WITHDRAWAL):
            if entry.key.scope == scope and entry.key.project in names:
                yield entry

    # --- excluding them ---------------------------------------------------------------------------------------

    async def withdraw(
        self, people: Respondents, report: VisitReport | None, on_snapshot: SnapshotListener
    ) -> list[Count]:
        """Record the withdrawal, exclude the people, read that back, and count who came before."""
        payload = WithdrawalPayload(digests=tuple(map(id_digest, people.ids)))
        if not self._digests().issuperset(payload.digests):
            # Whatever becomes of the request, these people have withdrawn: later lists leave them out from now on.
            self._wave.write(WITHDRAWAL, EntryState.INTENT, payload)
        ref = await self._wave.search()
        if ref is None:
            self._record(payload)
            return [*self._counts_of_list(people), Count("excluded", None, "the wave has no target group yet")]
        payload = evolve(payload, target_group_id=ref.target_group_id)
        await self._follow_running(on_snapshot)
        left = await self._not_excluded_by_hand(ref, people)
        if len(left):
            payload = await self._exclude(ref, left, payload, on_snapshot)
        excluded = await self._read_back(ref, people)
        self._record(evolve(payload, excluded=excluded))
        return [
            *self._counts_of_list(people),
            await self._saved(ref, people),
            *self._excluded_counts(people, excluded),
            *await self._who_came(ref, people, report),
        ]

    def _record(self, payload: WithdrawalPayload) -> None:
        """Write the end of a withdrawal, unless the journal holds it already."""
        last = self._wave.last(WITHDRAWAL)
        bare = payload.model_copy(update={"handle": None, "snapshot": None})
        if last is not None and last.state is EntryState.DONE:
            known = last.payload.model_copy(update={"handle": None, "snapshot": None})
            if known == bare:
                return
        self._wave.write(WITHDRAWAL, EntryState.DONE, payload)

    async def _follow_running(self, on_snapshot: SnapshotListener) -> None:
        """Wait for a job of an earlier call whose end was not seen: only one runs at a time."""
        entry = self._wave.last(WITHDRAWAL)
        if entry is None or entry.state is not EntryState.RUNNING or entry.payload.handle is None:
            return
        job = Job.attach(self._wave.client, entry.payload.handle)
        job.add_listener(on_snapshot)
        state = EntryState.DONE
        try:
            await job
        except (JobFailed, NotFound):  # whom it excluded is read from the exchange next
            state = EntryState.FAILED
        self._wave.write(WITHDRAWAL, state, evolve(entry.payload, snapshot=job.last_snapshot))

    async def _not_excluded_by_hand(self, ref: TargetGroupRef, people: Respondents) -> Respondents:
        """Return who has to be uploaded: everybody who is not known to be excluded by an upload.

        The list of exclusions holds those of the project and of other activity too, which may end. If it is as long as
        the count of the uploaded ones, it holds nobody else; otherwise this journal knows whom it uploaded. Whoever is
        sent a second time is excluded once.
        """
        client = self._wave.client
        try:
            excluded = await client.exclusions.effective_rsids(ref)
            uploaded = (await client.exclusions.overview(ref)).saved_respondent_ids_count
        except ApiError:  # a withdrawal does not wait for a list that may not be read
            return people
        found = people.intersection(excluded)
        if uploaded != len(excluded):
            sent = self._still(
                entry
                for entry in self._entries()
                if entry.payload.is_undone
                or (entry.state is EntryState.DONE and entry.payload.target_group_id == ref.target_group_id)
            )
            found = found.intersection([each for each in found.ids if id_digest(each) in sent])
        return people.difference(found)

    async def _exclude(
        self, ref: TargetGroupRef, people: Respondents, payload: WithdrawalPayload, on_snapshot: SnapshotListener
    ) -> WithdrawalPayload:
        upload: UploadFile = replace(people.to_upload(), stem=_FILE_STEM)
        with self._wave.failed_if_refused(WITHDRAWAL, payload):
            job = await self._wave.client.exclusions.upload(ref, upload)
        payload = evolve(payload, handle=job.handle)
        self._wave.write(WITHDRAWAL, EntryState.RUNNING, payload)
        job.add_listener(on_snapshot)
        try:
            snapshot = await job
        except JobFailed as error:
            self._wave.write(WITHDRAWAL, EntryState.FAILED, evolve(payload, snapshot=job.last_snapshot))
            error.safe = "the withdrawal is kept for later lists; these people are not excluded from this target group."
            error.next_step = "run wave.withdraw() with the same people again, or wave.pause() until it succeeds."
            raise
        return evolve(payload, snapshot=snapshot)

    async def _read_back(self, ref: TargetGroupRef, people: Respondents) -> int | None:
        """Return how many of the people the exchange excludes; None if it does not say.

        A replica may lag behind the job that has just ended, so that somebody missing is looked for over a minute.
        """
        waited, excluded = 0.0, None
        for moment in (0.0, *limits.RECHECK_AFTER_SECONDS):
            await self._wave.client.http.sleep(moment - waited)
            waited = moment
            try:
                excluded = len(people.intersection(await self._wave.client.exclusions.effective_rsids(ref)))
            except (ApiError, TransportError):
                continue
            if excluded == len(people):
                break
        return excluded

    # --- from another machine, and undone -------------------------------------------------------------------------

    async def excluded_elsewhere(
        self, ref: TargetGroupRef, sources: Iterable[TargetGroupRef]
    ) -> ExcludedElsewhereFact | None:
        """Return who of the list other groups of the study exclude by file; None for a list that cannot be compared.

        Whom this journal knows as withdrawn, or as one whose withdrawal was undone, is not among them.
        """
        people = self._rsids_of_the_list()
        if people is None:
            return None
        found = await read_file_exclusions(self._wave.client, ref, sources)
        decided = {digest for entry in self._entries() for digest in entry.payload.digests}
        listed = people.intersection([each for each in people.ids if id_digest(each) not in decided])
        groups, excluded = [], listed.difference(listed)
        for each in found:
            if each.rsids and len(here := listed.intersection(each.rsids)):
                groups.append(each.name)
                excluded = excluded.union(here)
        unseen = tuple(each.name for each in found if each.rsids is None)
        return ExcludedElsewhereFact(excluded, tuple(groups), unseen)

    async def take_over(self, sources: Iterable[TargetGroupRef]) -> ExcludedElsewhereFact | None:
        """Record as withdrawn whom other groups of the study exclude by file."""
        found = await self.excluded_elsewhere(await self._wave.require_ref(), sources)
        if found is not None and len(found.people):
            payload = WithdrawalPayload(digests=tuple(map(id_digest, found.people.ids)))
            self._wave.write(WITHDRAWAL, EntryState.DONE, payload)
        return found

    def _rsids_of_the_list(self) -> Respondents | None:
        people = self._wave.respondents_or_none
        if people is None or people.entity_type is EntityType.RSID:
            return people
        if self._wave.crosswalk is None:
            return None
        return Crosswalk(self._wave.crosswalk.items()).to_rsids(people)

    async def undo(self, people: Respondents, on_snapshot: SnapshotListener) -> list[Count]:
        """Record that people have not withdrawn after all, and let them in: all others who withdrew stay excluded.

        Exclusions are removed all at once, so that everybody else is excluded anew. Nobody may enter meanwhile.

        Raises:
            InvalidState: the wave is live or about to be, or others are excluded who are not known here.
        """
        payload = WithdrawalPayload(digests=tuple(map(id_digest, people.ids)), is_undone=True)
        ref, again = await self._wave.search(), people.difference(people)
        if ref is not None:
            payload = evolve(payload, target_group_id=ref.target_group_id)
            await self._follow_running(on_snapshot)
            again = await self._let_in(ref, people, on_snapshot)
        self._wave.write(WITHDRAWAL, EntryState.DONE, payload)
        counts = [Count("no longer withdrawn", len(people)), Count("excluded again", len(again))]
        if ref is None:
            return [*counts, Count("excluded", None, "the wave has no target group yet")]
        excluded = await self._wave.client.exclusions.effective_rsids(ref)
        left = len(people.intersection(excluded))
        by_others = "by the project or other activity, not by a withdrawal" if left else "they can enter"
        self._warn_of_others(excluded)
        return [*counts, Count("excluded", left, by_others)]

    async def _let_in(self, ref: TargetGroupRef, people: Respondents, on_snapshot: SnapshotListener) -> Respondents:
        """Remove the exclusions of a group and exclude all others anew; return these."""
        client = self._wave.client
        nobody, listed = people.difference(people), await client.exclusions.effective_rsids(ref)
        uploaded = (await client.exclusions.overview(ref)).saved_respondent_ids_count
        if not uploaded or not len(people.intersection(listed)):
            return nobody  # none of them is excluded by a file
        excluded = read_respondents(listed, entity_type=EntityType.RSID, name="excluded")
        again = excluded.difference(people)
        state = await read_state(client, ref)
        if state.state not in _NOBODY_ENTERS:
            raise state.invalid_state_error(
                "A withdrawal can be undone only while nobody can enter: exclusions are removed all at once, and who "
                "else withdrew could come in before they are excluded anew.",
                "run wave.pause() first, then this, then wave.resume().",
            )
        withdrew = self._digests()
        strangers = sum(id_digest(each) not in withdrew for each in again.ids)
        if strangers or uploaded != len(excluded):
            known = (
                f"{format_count(strangers, 'other person', 'other people')} of whom this journal knows no withdrawal"
            )
            others = known if strangers else "people for other reasons too, who cannot be distinguished"
            raise state.invalid_state_error(
                f"The target group excludes {others}, and exclusions are removed all at once.",
                "remove the exclusion in the exchange's web interface.",
                excluded=len(excluded),
                by_file=uploaded,
            )
        removal = await client.exclusions.remove_all(ref)
        removal.add_listener(on_snapshot)
        await removal
        if len(again):
            job = await client.exclusions.upload(ref, replace(again.to_upload(), stem=_FILE_STEM))
            job.add_listener(on_snapshot)
            try:
                await job
            except JobFailed as error:
                error.safe = "nobody is excluded from the target group now, also who withdrew."
                error.next_step = "run wave.withdraw(wave.withdrawn) before anybody can enter."
                raise
        return again

    def _warn_of_others(self, excluded: Iterable[str]) -> None:
        """Warn of those of the list who withdrew and are not excluded, as after an earlier attempt that was cut off."""
        found = self.of_the_list()
        left = 0 if found is None else len(found.rsids.difference(excluded))
        if left:
            self._wave.client.http.warn(
                f"{format_count(left, 'person', 'people')} who withdrew from the wave {self._wave.name!r} can enter "
                "it: run wave.withdraw(wave.withdrawn)."
            )

    # --- what is so afterwards --------------------------------------------------------------------------------

    def _counts_of_list(self, people: Respondents) -> Iterator[Count]:
        yield Count("withdrawn", len(people), "later lists of this project are checked for them")
        listed = self._wave.respondents_or_none
        if listed is None:
            yield Count("on the list", None, "the wave was opened without a list")
        elif listed.entity_type is EntityType.RID and self._wave.crosswalk is None:
            yield Count("on the list", None, "the list is of RIDs, and the wave has no crosswalk")
        else:
            rsids = listed if self._wave.crosswalk is None else Crosswalk(self._wave.crosswalk.items()).to_rsids(listed)
            yield Count("on the list", len(people.intersection(rsids)))

    async def _saved(self, ref: TargetGroupRef, people: Respondents) -> Count:
        client = self._wave.client
        try:
            saved = await client.recontacts.saved_count(ref)
            if saved > COMPARED_IDS:
                return Count("saved in the target group", None, f"{saved:,} people are saved; they were not listed")
            known = await client.recontacts.saved_ids(ref) if saved else ()
        except (ApiError, TransportError):
            return Count("saved in the target group", None, "the saved ids could not be read")
        note = "they stay saved: recontacts can be removed all at once only"
        count = len(people.intersection(known))
        return Count("saved in the target group", count, note if count else None)

    def _excluded_counts(self, people: Respondents, excluded: int | None) -> Iterator[Count]:
        if excluded is None:
            text = "whether they are excluded could not be read back"
            self._wave.client.http.warn(
                f"The withdrawal from the wave {self._wave.name!r} was sent, and {text}. Run it again, or wave.pause()."
            )
            yield Count("excluded", None, text)
            return
        left = len(people) - excluded
        if left:
            self._wave.client.http.warn(
                f"{format_count(left, 'person', 'people')} who withdrew from the wave {self._wave.name!r} can still "
                f"enter it: the exchange does not list them as excluded. Run wave.withdraw() again, or wave.pause()."
            )
        yield Count("excluded", excluded, "read back from the exchange")
        yield Count("not excluded", left, "they can still enter" if left else None)

    async def _who_came(
        self, ref: TargetGroupRef, people: Respondents, report: VisitReport | None
    ) -> tuple[Count, Count, Count]:
        """Return who had come before: by a report, and by counts of the exchange where they show that nobody has."""
        try:
            state = await read_state(self._wave.client, ref)
            if state.state is GroupState.DRAFT or (state.state is GroupState.SCHEDULED and state.run is None):
                return _nobody_came("the wave was never launched")
            counts = await self._wave.client.target_groups.performance(ref)
        except (ApiError, TransportError):
            counts = Performance()
        if counts.entrants == 0:
            return _nobody_came("nobody has entered the wave")
        inside = Count("in the survey now", None, "no report shows who is; whoever is in it can finish")
        ended = counts.respondent_analysis.live
        visits = [each.count for each in ended] if ended is not None else [None]
        if counts.entrants is not None and None not in visits and sum(n for n in visits if n) >= counts.entrants:
            inside = Count("in the survey now", 0, "all visits have ended")
        if report is None:
            why = "pass report=wave.report() to count them"
            nobody = counts.completes == 0
            done = Count("completed", 0, "the wave has no complete") if nobody else Count("completed", None, why)
            return Count("visits ended", None, why), done, inside
        gaps = report.visits_without_rsid or len(report.malformed_lines)
        came, done_ids = len(people.intersection(report.entrants)), len(people.intersection(report.completes))
        least = "at least {:,}: the report has visits without an RSID or of a status that is not known"
        return (
            Count("visits ended", None, least.format(came)) if gaps else Count("visits ended", came, "by the report"),
            Count("completed", None, least.format(done_ids))
            if gaps or report.unknown_statuses
            else Count("completed", done_ids, "by the report; a complete stays one"),
            inside,
        )


def _nobody_came(why: str) -> tuple[Count, Count, Count]:
    return Count("visits ended", 0, why), Count("completed", 0, why), Count("in the survey now", 0, why)


def withdrawal_frame(counts: Iterable[Count]) -> pd.DataFrame:
    """Return what a withdrawal says as a frame: `what`, `people`, `note`."""
    rows = [(each.what, each.people, each.note or "") for each in counts]  # no note is no text: None prints as NaN
    return ReadableFrame(rows, columns=["what", "people", "note"]).astype({"people": "Int64"})
