"""One cell of the matrix: one fault at one step of the lifecycle, in one way of use, and how it ended."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from cint_nb.domain.errors import CintError, CintWarning
from cint_nb.domain.jobs import JobSnapshot, JobState
from cint_nb.sandbox.faults import FAULT_NAMES, Fault
from cint_nb.sandbox.simulation import jobs
from cint_nb.sandbox.world.entities import Job
from cint_nb.sandbox.world.world import World
from cint_nb.study.files.respondents import Respondents
from cint_nb.wave.client import Client, open_client
from tests.faults.usage_modes import WAYS, Kept, follow_advice

STEPS = {
    "token": "get a token",
    "list_account_projects": "find the project",
    "get_business_units": "read the business units",
    "get_account_users": "read the project managers",
    "get_locales": "read the locales",
    "get_industries": "read the industries",
    "get_study_types": "read the study types",
    "create_project": "create the project",
    "get_project_by_id": "read the project",
    "get_list_target_groups": "find the draft",
    "create_target_group": "create the draft",
    "update_filling_strategy": "set the strategy",
    "recontact_list_upload_respondents_by_file_jobs": "list the uploads",
    "get_recontacts_overview": "count the saved ids",
    "recontact_create_upload_respondents_by_file_job": "upload",
    "get_recontact_upload_respondents_by_file_job": "poll the upload",
    "get_target_group_rsid_recontact_list": "list the saved ids",
    "get_target_group": "read the draft",
    "get_target_group_respondent_activity_exclusions": "read the exclusion rules",
    "get_target_group_rsid_exclusion_list_api_paginated": "list the excluded ids",
    "get_exclusion_groups_for_target_group": "read the exclusion groups",
    "create_launch_fielding_run_from_draft_job": "launch",
    "get_launch_fielding_run_from_draft_job": "poll the launch",
    "get_fielding_assistant_assignment": "read price cap and overfill",
    "get_target_group_overview": "read the status",
    "get_target_group_performance": "read the performance",
    "get_target_group_details": "read the details",
    "get_fielding_runs_by_target_group_id": "find the run",
    "get_fielding_run": "read the run",
    "complete_fielding_run": "complete the run",
    "create_all_recontact_rsids_removal_job": "remove all",
    "recontacts_remove_all_rsids_job_status": "poll the removal",
}
"""Every operation a wave calls, by its id in the OpenAPI document, in the order of its life."""

_JOBS = (
    "recontact_create_upload_respondents_by_file_job",
    "create_launch_fielding_run_from_draft_job",
    "create_all_recontact_rsids_removal_job",
)
_LISTS = (
    "list_account_projects",
    "recontact_list_upload_respondents_by_file_jobs",
    "get_list_target_groups",
    "get_target_group_rsid_recontact_list",
    "get_target_group_rsid_exclusion_list_api_paginated",
    "get_exclusion_groups_for_target_group",
)
_WITH_STATUS = (
    "get_recontact_upload_respondents_by_file_job",
    "get_launch_fielding_run_from_draft_job",
    "recontacts_remove_all_rsids_job_status",
    "get_target_group_overview",
    "get_fielding_run",
)
ONLY_AT: dict[str, tuple[str, ...]] = {
    "job-fails": _JOBS,
    "job-never-ends": _JOBS,
    "partial": _JOBS[:1],
    "paused-by-marketplace": _JOBS[1:2],
    "short-page": _LISTS,
    "repeated-cursor": _LISTS,
    "unknown-status": _WITH_STATUS,
}
"""Where a fault can have an effect; one that is not listed here can affect every request."""

FAULTS = tuple(sorted(FAULT_NAMES))
RUNS_AT_MOST = 4
"""How often an analyst runs the cells again before giving up."""


_ONLY_BLOCKING = "get_target_group_details"
"""Asked by a launch that is waited for, to compare what then stands; a job that is returned compares nothing."""


def is_asked(step: str, way: str) -> bool:
    return way == "blocking" or step != _ONLY_BLOCKING


def applies(fault: str, step: str, way: str) -> bool:
    return is_asked(step, way) and step in ONLY_AT.get(fault, STEPS)


@dataclass
class WaveRun:
    """One run of a wave under faults, over all repetitions of its cells."""

    outcome: str = ""
    saved: frozenset[bytes] = frozenset()
    objects: dict[str, int] = field(default_factory=dict)
    stops: list[CintError] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    fired: int = 0

    @property
    def ending(self) -> str:
        """How it ended: nothing when it finished at once, else the errors it stopped with."""
        return " ".join(type(stop).__name__ for stop in self.stops)


def run_wave(people: Respondents, way: str, faults: Iterable[str] = (), client: Client | None = None) -> WaveRun:
    """Run the cells of a wave until they end, and check after each run that nothing false was shown.

    A wave without faults gives no warning: there every warning is an error.
    """
    with warnings.catch_warnings():
        if client or faults:
            warnings.simplefilter("ignore", CintWarning)
        return _run_wave(people, way, faults, client)


def _run_wave(people: Respondents, way: str, faults: Iterable[str], client: Client | None) -> WaveRun:
    with client or open_client("sandbox", seed=1, faults=tuple(faults)) as session:
        run, kept = WaveRun(), Kept()
        world = session.sandbox.world
        _record_requests(session, run)
        for _ in range(RUNS_AT_MOST):
            try:
                WAYS[way](session, people, kept)
                break
            except CintError as error:
                run.stops.append(error)
                follow_advice(session, error, kept)
                end_what_never_ends(world, session.clock.monotonic())
            finally:
                check_what_was_shown(world, kept)
        else:
            raise AssertionError(f"never ended: {run.stops[-1]}")
        run.outcome = kept["outcome"].frame(reveal=True).to_csv()
        run.objects = count_objects(world)
        run.fired = sum(armed.fired for armed in session.sandbox.faults.armed)
        return run


def _record_requests(session: Client, run: WaveRun) -> None:
    """Record the operations called, and the saved ids when everything is about to be removed."""
    faults, world = session.sandbox.faults, session.sandbox.world
    trigger = faults.trigger

    def triggered(names: tuple[str, ...]) -> list[Fault]:
        run.asked.extend(names[:1])
        if "remove" in names and not any(job.kind == "recontact-removal" for job in world.jobs.values()):
            run.saved = frozenset(key for group in world.groups.values() for key in group.saved.keys())  # noqa: SIM118 - no dict
        return trigger(names)

    faults.trigger = triggered  # type: ignore[method-assign]


def check_what_was_shown(world: World, kept: Kept) -> None:
    """Check that no partial success was shown as a full one, and no running job as ended."""
    for snapshot, text in kept.get("shown", ()):
        job = _job_of(world, snapshot)
        assert job.status in ("Completed", "Failed"), "a job that runs is shown as ended"
        if job.status == "Failed":
            assert (snapshot.state, text.css) == (JobState.FAILED, "bad")
        elif job.failed:
            assert (snapshot.state, text.css, text.icon) == (JobState.PARTIAL, "warn", "◐")
            assert "complete" not in text.bar


def _job_of(world: World, snapshot: JobSnapshot) -> Job:
    if snapshot.handle.job_id:
        return world.jobs[snapshot.handle.job_id]
    # A removal whose reply was lost has no id: it is the only removal.
    return next(job for job in world.jobs.values() if job.kind == "recontact-removal")


def count_objects(world: World) -> dict[str, int]:
    """Count what exists; a job that failed left nothing behind."""
    kinds = Counter(job.kind for job in world.jobs.values() if job.status != "Failed")
    runs = sum(group.run is not None for group in world.groups.values())
    return {"projects": len(world.projects), "groups": len(world.groups), "runs": runs, **kinds}


def end_what_never_ends(world: World, t: float) -> None:
    """End a job that hangs, as Cint's support would: nothing on the client's side could."""
    for job in world.jobs.values():
        if job.planned_end == "never":
            job.planned_end, job.ends_at = "done", t + 1.0
            jobs.start_job(world, job)
