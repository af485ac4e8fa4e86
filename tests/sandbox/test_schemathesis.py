"""Schemathesis against the served sandbox and its own description: no failure that is not explained here."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cint_nb.domain import ids
from cint_nb.sandbox.http.openapi_document import build_openapi
from cint_nb.sandbox.http.routes import OPERATIONS
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.server import ServedSandbox
from tests.support.plans import guide_draft
from tests.support.sandbox_client import RawClient
from tests.support.vendor import DEVIATIONS, VENDOR_FILE, load_vendor_document

if importlib.util.find_spec("schemathesis") is None:  # to import it takes long, and its command does that
    pytest.skip("schemathesis is not installed", allow_module_level=True)

# `nox -s schemathesis` asks this much. All phases for a long run: SCHEMATHESIS_EXAMPLES=50.
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "3"))
PHASES = "examples,coverage,fuzzing" if EXAMPLES > 3 else "examples,fuzzing"

# A valid body may still break a rule that no schema can express: each operation that may reject one, and the rule.
EXPLAINED = {
    "create_project": "the manager is a user of the account; a key is used for one body",
    "create_target_group": "dates lie ahead, codes and currency are known, a recontact has template and variable",
    "update_target_group": "the same, and the group is a draft",
    "update_launched_target_group_details": "the manager is known, the addresses are web addresses",
    "update_cost_per_interview": "the currency is the business unit's",
    "update_profile_filling_goal": "the goal of a recontact is at most the saved ids; the profiles exist",
    "account_questions_translation": "the locale is known; a cursor is one the list gave out",
    "validate_profiles": "questions and answers exist, quotas share out the goal",
    "manage_target_group_profiles": "questions and answers exist, quotas share out the goal",
    "calculate_target_group_feasibility": "business unit and locale are known",
    "calculate_target_group_feasibility_by_id": "an amount of money has a value and a currency",
    "update_fielding_run": "the ETag is the present one, the period lies ahead",
    "create_launch_fielding_run_from_draft_job": "the end lies ahead; a key is used for one body",
    "create_schedule_fielding_run_from_draft_job": "the period lies ahead; a key is used for one body",
    "update_bulk_target_group_exclusions_api": "the target groups exist",
    "set_target_group_respondent_activity_exclusions": "things exist, 1 to 396 days",
    "post_reconciliations": "the file has lines",
    "add_target_groups_to_exclusion_group": "there are target groups, and they exist",
    "remove_target_groups_from_exclusion_group": "there are target groups, and they are in it",
    "generate_price_prediction": "each pricing model has fields of its own; currency and country are known",
    "get_rate_card": "the country has a rate card",
    "get_target_group_by_request_id_and_target_group_id": "the group has lines in the submission",
    "generate_report": "things exist, the period is at most six months",
    "recontact_create_upload_respondents_by_file_job": "the file ends in .csv or .txt and holds text",
    "recontact_create_upload_rsids_by_file_job": "the file ends in .csv or .txt and holds text",
    "exclusion_create_upload_rids_by_file_job": "the file ends in .csv or .txt and holds text",
    "get_target_group_completes_aggregated_by_interval": "the interval is one minute to one year, in weeks to seconds",
    **{
        f"create_bulk_{action}_target_groups_job": "a key is used for one body"
        for action in ("complete", "launch", "pause", "relaunch", "resume")
    },
    **{
        f"{action}_fielding_run": "the ETag is the present one, the state allows it"
        for action in ("pause", "resume", "complete", "relaunch", "launch_now")
    },
    **{
        row.name: "a cursor is one the list gave out"
        for row in OPERATIONS
        if any(q.name == "start_after" for q in row.query) and row.name != "account_questions_translation"
    },
}
STATES = ("draft", "draft with ids", "scheduled", "live", "paused", "completed")
OF_A_GROUP = re.compile(r"/target-groups/{target_group_id}")


@dataclass
class Scene:
    """A sandbox with one thing of each kind, and a target group in one state.

    Args:
        project: The project.
        group: The target group in that state.
        run: Its fielding run; one that does not exist where it has none.
        jobs: For each operation that reads a job, its id.
        report: A report.
        request: A reconciliation.
        exclusion_group: An exclusion group.
    """

    project: str
    group: str
    run: str
    jobs: dict[str, str]
    report: str
    request: str
    exclusion_group: str


def make_scene(raw_client: RawClient, state: str) -> Scene:
    """Fill a sandbox; the target group has jobs of every kind that its state allows."""
    people = [ids.synthetic_id("schemathesis", number) for number in range(300)]
    project = raw_client.project()
    group = raw_client.group(project, completes_goal=20, profiling=guide_draft()["profiling"])
    jobs = exclude(raw_client, group, people)
    if state != "draft":
        jobs |= dict.fromkeys(UPLOAD_READS, raw_client.saved_ids(group, people).rsplit("/", 1)[1])
    else:
        removal = raw_client.post(f"{group}/recontacts/jobs/remove-all-rsids").json()["job_id"]
        jobs["recontacts_remove_all_rsids_job_status"] = removal
        raw_client.sandbox.advance(60)
    run = "0" * 26
    if state == "scheduled":
        body = {"start_fielding_at": "2026-09-03T08:00:00Z", "end_fielding_at": "2026-09-05T08:00:00Z"}
        schedule = raw_client.post(f"{group}/fielding-run-jobs/schedule-from-draft", body, key="schedule")
        raw_client.sandbox.advance(60)
        job = raw_client.get(schedule.headers["location"]).json()
        jobs["get_schedule_fielding_run_from_draft_job"], run = job["job_id"], job["created_fielding_run_id"]
    elif not state.startswith("draft"):
        address = raw_client.launched(group)
        run = address.rsplit("/", 1)[1]
        launch = next(job.id for job in raw_client.sandbox.world.jobs.values() if job.kind == "launch")
        jobs["get_launch_fielding_run_from_draft_job"] = launch
        raw_client.sandbox.advance(7_200)
        if state != "live":
            etag = {"If-Match": raw_client.get(address).headers["etag"]}
            raw_client.post(f"{address}/{'pause' if state == 'paused' else 'complete'}", headers=etag)
    shown = next(one for one in raw_client.get(f"{project}/target-groups").json()["target_groups"])
    assert shown["status"] == state.split()[0]
    for action in ("complete", "launch", "pause", "relaunch", "resume"):
        path = f"{project}/batch-jobs/{action}-fielding-runs-by-target-group-id"
        location = raw_client.post(path, {"target_group_ids": ["0" * 26]}, key=action).headers["location"]
        jobs[f"get_bulk_{action}_target_groups_job"] = location.rsplit("/", 1)[1]
    report = raw_client.post(f"{raw_client.account}/reports/completes", {}).json()["report_id"]
    raw_client.sandbox.advance(120)
    csv = {"content-type": "text/csv"}
    line = f"{people[0]},933\n".encode()
    reply = raw_client.ask("POST", f"{raw_client.account}/reconciliations", content=line, headers=csv)
    raw_client.sandbox.advance(200)
    new = {"tag": "Tracker", "description": "nobody twice"}
    exclusions = raw_client.post(f"{raw_client.account}/exclusion-groups", new).json()["exclusion_group_id"]
    return Scene(project, group, run, jobs, report, reply.json()["request_id"], exclusions)


UPLOAD_READS = (
    "get_recontact_upload_respondents_by_file_job",
    "get_recontacts_rsids_upload_file_job_status",
    "recontact_download_job_file",
)


def exclude(raw_client: RawClient, group: str, people: list[str]) -> dict[str, str]:
    """Upload exclusions and remove them again; return both jobs."""
    file, rsid = {"file": ("out.csv", "\n".join(people).encode(), "text/csv")}, {"params": {"entity_type": "RSID"}}
    paths = {
        "get_respondent_exclusions_upload_by_file_job": "upload-respondents-by-file",
        "get_all_respondent_exclusions_removal_job": "remove-all-respondents",
    }
    jobs = {}
    for name, path in paths.items():
        files = {"files": file} if path.startswith("upload") else {}
        jobs[name] = raw_client.ask("POST", f"{group}/exclusions/jobs/{path}", **files, **rsid).json()["job_id"]
        raw_client.sandbox.advance(120)
    return jobs


def path_values(scene: Scene) -> dict[str, str]:
    """Return real values of path parameters, by operation and parameter."""
    values: dict[str, str] = {}
    for row in OPERATIONS:
        known = {
            "account_id": "101",
            "project_id": scene.project.rsplit("/", 1)[1],
            "target_group_id": scene.group.rsplit("/", 1)[1],
            "fielding_run_id": scene.run,
            "job_id": scene.jobs.get(row.name, ""),
            "report_id": scene.report,
            "request_id": scene.request,
            "exclusion_group_id": scene.exclusion_group,
            "business_unit_id": "1234",
            "template_id": "01JH0PEGPC4Z8RDD304E2SF0EW",
            "user_id": "b551326b-ac9d-4d32-8823-4f025787dab9",
        }
        for name in re.findall(r"{(\w+)}", row.path):
            if known.get(name):
                values[f"{row.name} {name}"] = known[name]
    return values


# Where the guides, or sense, ask for more than the vendor's document allows: switched off for these operations.
UNCHECKED = {row["operation"]: row["check"] for row in DEVIATIONS["unchecked"]}


def write_settings(folder: Path, values: dict[str, str], unchecked: Mapping[str, str] | None = None) -> Path:
    lines = []
    for row in OPERATIONS:
        chosen = []
        if row.name in EXPLAINED:
            chosen.append('checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "404", "412", "422"]')
        if unchecked and row.name in unchecked:
            chosen.append(f"checks.{unchecked[row.name]}_conformance.enabled = false")
        for key, value in values.items():
            operation, name = key.split(" ")
            if operation == row.name:
                chosen.append(f'parameters."path.{name}" = ' + (value if name == "account_id" else f'"{value}"'))
        if chosen:
            lines += ["[[operations]]", f'include-operation-id = "{row.name}"', *chosen]
    path = folder / "schemathesis.toml"
    path.write_text("\n".join(lines))
    return path


def run_schemathesis(settings: Path, document: str, served: ServedSandbox, token: str, phases: str) -> None:
    command = shutil.which("st", path=str(Path(sys.executable).parent)) or "st"
    options = {
        "--url": served.base_url,
        "--phases": phases,
        "--max-examples": str(EXAMPLES),
        "--seed": "1",
        "--suppress-health-check": "all",
        "--generation-database": "none",
    }
    arguments = [part for pair in options.items() for part in pair]
    # The vendor's document allows any text as a version.
    headers = ["--header", f"Authorization: {token}", "--header", "Cint-API-Version: 2025-12-18"]
    result = subprocess.run(
        [command, "--config-file", str(settings), "run", document, *arguments, *headers, "--continue-on-failure"],
        capture_output=True,
        text=True,
        cwd=settings.parent,
        timeout=1_200,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-40_000:] + result.stderr[-2_000:]


@pytest.mark.thorough
@pytest.mark.parametrize("state", STATES)
def test_schemathesis_finds_no_unexplained_failure(
    raw_client: RawClient, sandbox: Sandbox, tmp_path: Path, state: str
) -> None:
    """Everything is asked of a live target group, of those in other states what is asked of a target group."""
    settings = write_settings(tmp_path, path_values(make_scene(raw_client, state)))
    document: dict[str, Any] = {**build_openapi()}
    if state != "live":
        document["paths"] = {path: item for path, item in document["paths"].items() if OF_A_GROUP.search(path)}
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(document))
    with ServedSandbox(sandbox) as served:
        run_schemathesis(settings, str(file), served, raw_client.headers["Authorization"], PHASES)


@pytest.mark.thorough
@pytest.mark.skipif(not VENDOR_FILE, reason="the vendor's OpenAPI document is not at hand")
def test_schemathesis_finds_no_unexplained_failure_by_the_vendors_document(
    raw_client: RawClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    document = load_vendor_document()
    served_names = {row.name for row in OPERATIONS}
    for item in document["paths"].values():
        for method in [method for method, row in item.items() if "operationId" in row]:
            if item[method]["operationId"] not in served_names:
                del item[method]
    path = tmp_path / "vendor.json"
    path.write_text(json.dumps(document, default=str))
    settings = write_settings(tmp_path, path_values(make_scene(raw_client, "live")), UNCHECKED)
    with ServedSandbox(sandbox) as served:
        run_schemathesis(settings, str(path), served, raw_client.headers["Authorization"], "fuzzing")


def test_every_explanation_names_an_operation_that_exists() -> None:
    assert set(EXPLAINED) | set(UNCHECKED) <= {row.name for row in OPERATIONS}
