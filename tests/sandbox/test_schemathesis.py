"""Schemathesis against the served sandbox and its own description: no failure that is not explained here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from cint_nb.domain import ids
from cint_nb.sandbox.http.routes import OPERATIONS
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.server import ServedSandbox
from tests.support.sandbox_client import RawClient
from tests.support.vendor import DEVIATIONS, VENDOR_FILE, load_vendor_document

pytest.importorskip("schemathesis", reason="schemathesis is not installed")

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
DRAFT_ONLY = ("get_target_group", "update_target_group")


def make_world(raw_client: RawClient) -> dict[str, str]:
    """Fill a sandbox with one thing of each kind; return path values by operation and parameter."""
    people = [ids.synthetic_id("schemathesis", number) for number in range(300)]
    project = raw_client.project()
    draft, live, locked = (raw_client.group(project, completes_goal=20) for _ in range(3))
    places = {"": live, **dict.fromkeys(DRAFT_ONLY, draft)}
    jobs: dict[str, str] = {}
    upload = raw_client.saved_ids(live, people).rsplit("/", 1)[1]
    run = raw_client.launched(live)
    removal = raw_client.post(f"{locked}/recontacts/jobs/remove-all-rsids").json()["job_id"]
    file = {"file": ("out.csv", "\n".join(people).encode(), "text/csv")}
    exclusions = f"{live}/exclusions/jobs"
    rsid = {"params": {"entity_type": "RSID"}}
    excluded = raw_client.ask("POST", f"{exclusions}/upload-respondents-by-file", files=file, **rsid).json()["job_id"]
    raw_client.sandbox.advance(600)
    included = raw_client.ask("POST", f"{exclusions}/remove-all-respondents", **rsid).json()["job_id"]
    body = {"start_fielding_at": "2026-09-03T08:00:00Z", "end_fielding_at": "2026-09-05T08:00:00Z"}
    schedule = raw_client.post(f"{draft}/fielding-run-jobs/schedule-from-draft", body, key="schedule").headers[
        "location"
    ]
    report = raw_client.post(f"{raw_client.account}/reports/completes", {}).json()["report_id"]
    launch = next(job.id for job in raw_client.sandbox.world.jobs.values() if job.kind == "launch")
    jobs = {
        "get_recontact_upload_respondents_by_file_job": upload,
        "get_recontacts_rsids_upload_file_job_status": upload,
        "recontact_download_job_file": upload,
        "recontacts_remove_all_rsids_job_status": removal,
        "get_respondent_exclusions_upload_by_file_job": excluded,
        "get_all_respondent_exclusions_removal_job": included,
        "get_launch_fielding_run_from_draft_job": launch,
        "get_schedule_fielding_run_from_draft_job": schedule.rsplit("/", 1)[1],
    }
    places["recontacts_remove_all_rsids_job_status"] = locked
    places["get_schedule_fielding_run_from_draft_job"] = draft
    for action in ("complete", "launch", "pause", "relaunch", "resume"):
        path = f"{project}/batch-jobs/{action}-fielding-runs-by-target-group-id"
        location = raw_client.post(path, {"target_group_ids": ["0" * 26]}, key=action).headers["location"]
        jobs[f"get_bulk_{action}_target_groups_job"] = location.rsplit("/", 1)[1]
    draft_again = raw_client.group(project)
    places.update(dict.fromkeys(DRAFT_ONLY, draft_again))
    raw_client.sandbox.advance(120)
    values: dict[str, str] = {}
    for row in OPERATIONS:
        known = {
            "account_id": "101",
            "project_id": project.rsplit("/", 1)[1],
            "target_group_id": places.get(row.name, live).rsplit("/", 1)[1],
            "fielding_run_id": run.rsplit("/", 1)[1],
            "job_id": jobs.get(row.name, ""),
            "report_id": report,
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
    headers = ["--header", f"Authorization: {token}"]
    if document.startswith("/"):
        headers += ["--header", "Cint-API-Version: 2025-12-18"]  # the vendor's document allows any text here
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
def test_schemathesis_finds_no_unexplained_failure(raw_client: RawClient, sandbox: Sandbox, tmp_path: Path) -> None:
    settings = write_settings(tmp_path, make_world(raw_client))
    with ServedSandbox(sandbox) as served:
        run_schemathesis(settings, f"{served.url}/openapi.json", served, raw_client.headers["Authorization"], PHASES)


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
    settings = write_settings(tmp_path, make_world(raw_client), UNCHECKED)
    with ServedSandbox(sandbox) as served:
        run_schemathesis(settings, str(path), served, raw_client.headers["Authorization"], "fuzzing")


def test_every_explanation_names_an_operation_that_exists() -> None:
    assert set(EXPLAINED) | set(UNCHECKED) <= {row.name for row in OPERATIONS}
