"""Whatever breaks at whichever step: a wave ends as it would have, or stops with a next step and ends when run again.

Never two objects, never a lost id, never a partial success shown as a full one.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from cint_nb.domain.errors import CintError
from cint_nb.domain.jobs import JobState
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.sandbox.practice import BUSINESS_UNIT_ID, PROJECT_MANAGER_ID
from cint_nb.sandbox.sample import write_sample
from cint_nb.study.respondents import Respondents, read_respondents
from cint_nb.wave.session import Session, connect_session
from cint_nb.wave.wave import Wave

FAULTS = (
    "refuse", "reset", "drop-reply", "delay", "429", "500", "500-after", "502", "503", "truncated", "html", "401",
    "expired-token", "extra-fields",
)  # fmt: skip
STEPS = {
    "create a project": "create_project",
    "read the project": "get_project_by_id",
    "create the draft": "create_target_group",
    "set the strategy": "update_filling_strategy",
    "list the uploads": "recontact_list_upload_respondents_by_file_jobs",
    "upload": "recontact_create_upload_respondents_by_file_job",
    "look at the upload": "get_recontact_upload_respondents_by_file_job",
    "count the saved": "get_recontacts_overview",
    "list the saved": "get_target_group_rsid_recontact_list",
    "launch": "create_launch_fielding_run_from_draft_job",
    "look at the launch": "get_launch_fielding_run_from_draft_job",
    "read the run": "get_fielding_run",
    "complete": "complete_fielding_run",
    "remove": "create_all_recontact_rsids_removal_job",
    "look at the removal": "recontacts_remove_all_rsids_job_status",
}
RUNS_AT_MOST = 4
"""How often an analyst runs the cells again before giving up."""


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Respondents:
    file = write_sample(tmp_path_factory.mktemp("people") / "people.csv", lines=200, seed=3)
    return read_respondents(file, entity_type="RSID")


def describe(client: Session, people: Respondents) -> Wave:
    now = client.clock.now()
    plan = TargetGroupPlan.of(
        business_unit_id=BUSINESS_UNIT_ID,
        project_manager_id=PROJECT_MANAGER_ID,
        locale="ger_de",
        completes_goal=30,
        cost_per_interview="2.7352 EUR",
        start_at=now + timedelta(hours=2),
        end_at=now + timedelta(days=14),
        live_url="https://your-survey.com?RECONTACT_RSID=[%RECONTACT_RSID%]",
    )
    return client.wave("A wave of faults", project="Brand tracker", respondents=people, plan=plan)


def run_cells(client: Session, people: Respondents, seen: dict[str, Any]) -> None:
    """Run the cells of a notebook from the top, as after an error."""
    wave = describe(client, people)
    wave.create()
    if not wave.launched:
        uploaded = wave.upload()
        assert uploaded.state is JobState.PARTIAL
        if not wave.resubmitted:
            wave.resubmit()
        seen["outcome"] = wave.outcome.frame(reveal=True).to_csv()
    wave.launch(budget="100 EUR")
    wave.close()
    wave.remove()


def run_until_done(client: Session, people: Respondents) -> dict[str, Any]:
    seen: dict[str, Any] = {"stops": []}
    for _ in range(RUNS_AT_MOST):
        try:
            run_cells(client, people, seen)
            break
        except CintError as error:
            seen["stops"].append(error)
    else:
        raise AssertionError(f"never ended: {seen['stops'][-1]}")
    return seen


def count(client: Session) -> dict[str, int]:
    world = client.sandbox.world
    return {"projects": len(world.projects), "groups": len(world.groups)} | Counter(
        job.kind for job in world.jobs.values()
    )


@pytest.fixture(scope="module")
def undisturbed(people: Respondents) -> tuple[str, dict[str, int]]:
    with connect_session("sandbox", seed=1) as client:
        seen = run_until_done(client, people)
        assert seen["stops"] == []
        return seen["outcome"], count(client)


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_changes_nothing_that_counts(
    people: Respondents, undisturbed: tuple[str, dict[str, int]], fault: str, step: str
) -> None:
    with connect_session("sandbox", seed=1, faults=[f"{fault}@{step}"]) as client:
        seen = run_until_done(client, people)
        assert [armed.happened for armed in client.sandbox.faults.armed] == [1]
        outcome, objects = undisturbed
        assert seen["outcome"] == outcome
        assert count(client) == objects
        for error in seen["stops"]:
            assert error.next_step
