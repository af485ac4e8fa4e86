"""One wave, used in three ways: methods that block, `await` on another event loop, and calls in the background.

Each way can be run again from the top after an error, as an analyst does; what a notebook keeps in variables is `kept`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from cint_nb.api.jobs.job import Job
from cint_nb.domain.errors import InvalidState, JobAlreadyRunning, JobFailed
from cint_nb.domain.jobs import JobSnapshot
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.panels.job_progress.model import JobDisplay, describe
from cint_nb.panels.job_progress.widget import JobProgress
from cint_nb.panels.wave_view.model import StepState, WaveStep, wave_progress
from cint_nb.sandbox.world.catalogue import PROJECT_MANAGER_ID
from cint_nb.study.files.respondents import Respondents
from cint_nb.study.outcome.upload_outcome import Outcome, compare_upload
from cint_nb.wave.client import Client
from cint_nb.wave.journaled_client import JournaledClient
from cint_nb.wave.wave import Wave
from cint_nb.wire import loop_thread
from tests.support.plans import RSID_URL, make_plan

NAME, PROJECT = "A wave of faults", "Brand tracker"
Kept = dict[str, Any]
Way = Callable[[Client, Respondents, Kept], None]


def plan_of(client: Client) -> TargetGroupPlan:
    return make_plan(client.clock.now(), completes_goal=30, live_url=RSID_URL)


class ShownMessages:
    """What was shown of jobs: each last snapshot, and how a panel describes it."""

    def __init__(self, kept: Kept) -> None:
        self._ends: list[tuple[JobSnapshot, JobDisplay]] = kept.setdefault("shown", [])

    def update(self, snapshot: JobSnapshot) -> None:
        if snapshot.is_final:
            self._ends.append((snapshot, describe(snapshot)))

    def note(self, text: str) -> None:
        assert "reply" in text or "earlier request" in text

    def finish(self, snapshot: JobSnapshot | None) -> None:
        if snapshot is not None:
            self.update(snapshot)


# --- methods that block ----------------------------------------------------------------------------------------------


def blocking(client: Client, people: Respondents, kept: Kept) -> None:
    """Run the cells of a notebook."""
    client.aio.reporter_factory = lambda title, mode: ShownMessages(kept)
    wave = client.wave(NAME, project=PROJECT, respondents=people, plan=plan_of(client))
    try:
        _verbs(client, wave, kept)
    finally:
        done = _progress(client, wave) == (WaveStep.RECONCILE, StepState.NOW)
        assert done == ("closed" in kept), "the wave panel shows another step than that of the wave"


def _verbs(client: Client, wave: Wave, kept: Kept) -> None:
    wave.create()
    if not wave.launched:
        wave.upload()
        if not wave.resubmitted_count:
            wave.resubmit()
        kept["outcome"] = wave.outcome
    wave.launch(budget="100 EUR")
    if "a day" not in kept:
        client.pass_time(days=1)
        kept["a day"] = True
    kept["status"] = wave.status()["state"].item()
    wave.close(resume_first="paused" in kept)
    kept["closed"] = True
    wave.remove()


def _progress(client: Client, wave: Wave) -> tuple[WaveStep, StepState]:
    entries = [entry for entry in client.aio.journal.entries() if entry.key.wave == wave.name]
    progress = wave_progress(entries, plan=wave.plan, ids=len(wave.respondents))
    return progress.step, progress.state


# --- with await, on the loop of the notebook ------------------------------------------------------------------


def awaited(client: Client, people: Respondents, kept: Kept) -> None:
    """Await every call on a loop that is not the package's, and follow each job by its polls."""

    async def follow(job: Job) -> JobSnapshot:
        shown = ShownMessages(kept)
        async for snapshot in job.watch():
            shown.update(snapshot)
        return await job

    asyncio.run(_calls(client, people, kept, follow))


# --- in the background ----------------------------------------------------------------------------------------


def background(client: Client, people: Respondents, kept: Kept) -> None:
    """Run the wave on the loop thread and each job in a started panel, and wait for the result."""

    async def follow(job: Job) -> JobSnapshot:
        panel = JobProgress(job, mode=client.mode).start()
        try:
            seen = await job
        except JobFailed:
            assert job.last_snapshot is not None
            seen = job.last_snapshot
            raise
        finally:
            panel.finish(job.last_snapshot)
            if job.last_snapshot is not None and job.last_snapshot.is_final:
                assert panel.value == job.last_snapshot
                kept.setdefault("shown", []).append((panel.value, describe(panel.value, phase=panel.phase)))
            panel.close()
        return seen

    loop_thread.submit(_calls(client, people, kept, follow)).result(timeout=60)


# --- what the last two share ----------------------------------------------------------------------------------


async def _calls(
    client: Client, people: Respondents, kept: Kept, follow: Callable[[Job], Awaitable[JobSnapshot]]
) -> None:
    aio = client.aio

    async def once(name: str, make: Callable[[], Awaitable[Any]]) -> Any:
        if name not in kept:
            kept[name] = await make()
        return kept[name]

    async def job(name: str, begin: Callable[[str], Awaitable[Job]]) -> JobSnapshot:
        mark = kept.setdefault(f"mark of {name}", aio.token_factory.uuid().replace("-", "")[:12])
        begun = await once(f"job of {name}", lambda: begin(mark))
        try:
            return await follow(begun)
        except JobFailed:
            del kept[f"mark of {name}"], kept[f"job of {name}"]
            raise

    if "draft" not in kept:
        kept["plan"] = plan_of(client)  # its times are those of the cell that makes it
    plan = kept["plan"]
    key = kept.setdefault("key of the project", aio.token_factory.uuid())
    await once("units", aio.definitions.business_units)
    await once("managers", lambda: aio.definitions.users(project_managers=True))
    await once("locales", aio.definitions.locales)
    await once("industries", aio.definitions.industries)
    await once("study types", aio.definitions.study_types)
    await once("projects", lambda: _names(aio))
    project = await once("project", lambda: aio.projects.create(PROJECT, PROJECT_MANAGER_ID, idempotency_key=key))
    reference = kept.setdefault("reference", f"by-hand-{aio.token_factory.token(12)}")
    ref = await once("draft", lambda: aio.target_groups.create_draft(project.id, plan, name=NAME, reference=reference))
    await once("strategy", lambda: aio.target_groups.set_filling_strategy(ref, "completes"))

    async def account_for(again: Respondents | None = None) -> Outcome:
        saved, count = await aio.recontacts.saved_ids(ref), await aio.recontacts.saved_count(ref)
        rejected = () if again is None else tuple(again.ids)
        return compare_upload(people, before=(), after=saved, saved_count=count, rejected_before=rejected)

    await once("upload", lambda: job("upload", lambda mark: aio.recontacts.upload(ref, people, token=mark)))
    again = (await once("first outcome", account_for)).resubmittable
    await once("upload again", lambda: job("again", lambda mark: aio.recontacts.upload(ref, again, token=mark)))
    await once("outcome", lambda: account_for(again))
    await once("draft read", lambda: aio.target_groups.get(ref))
    await once("policy", lambda: aio.exclusions.activity(ref))
    await once("excluded", lambda: aio.exclusions.effective_rsids(ref))
    await once("exclusion groups", lambda: aio.exclusions.groups(ref))
    await once(
        "launch",
        lambda: job(
            "launch", lambda mark: aio.fielding.launch(ref, plan.end_at, budget="300 EUR", idempotency_key=mark)
        ),
    )
    await once("a day", lambda: _pass_a_day(client))
    await once("limits", lambda: aio.target_groups.fielding_assistant(ref))
    overview = await aio.target_groups.overview(ref)
    await aio.target_groups.performance(ref)
    kept["status"] = str(overview.status)
    await once("closed", lambda: aio.fielding.complete(ref, resume_first="paused" in kept))
    there = await once("there", lambda: aio.recontacts.saved_count(ref))
    await once("remove", lambda: job("remove", lambda mark: aio.recontacts.remove_all(ref, ids=there)))


async def _names(aio: JournaledClient) -> list[str | None]:
    return [project.name async for project in aio.projects.list(search="Brand")]


async def _pass_a_day(client: Client) -> bool:
    await client.http.sleep(86_400)
    return True


WAYS: dict[str, Way] = {"blocking": blocking, "awaited": awaited, "background": background}


def follow_advice(client: Client, error: Exception, kept: Kept) -> None:
    """Follow the next step of an error, beyond running the cells again."""
    if isinstance(error, JobAlreadyRunning):
        client.pass_time(minutes=15)  # "wait for the running job to end"
    if isinstance(error, InvalidState) and "resume_first=True" in str(error.next_step):
        kept["paused"] = True
