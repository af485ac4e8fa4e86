"""Panels in a real browser: they show, update, and end where their job ends."""

from __future__ import annotations

import pytest
from lab_harness import LabPage

pytestmark = pytest.mark.browser

PARADE = """
import pandas as pd
import cint_nb as cint
from cint_nb.domain.findings import Finding, Findings, Severity
from cint_nb.domain.jobs import JobHandle, JobKind, JobSnapshot, JobState
handle = JobHandle(kind=JobKind.UPLOAD, base_url="https://x.invalid/v1", account_id=1, job_id="J", ids=10_000)
def look(state="running", **fields):
    return JobSnapshot(handle=handle, state=JobState(state), ids=10_000, **fields)
"""
PROGRESS = """
running = cint.JobProgress(title="Upload · Tracker Q4, wave 2")
running.update(look(saved=4_310, saved_before=0, fraction=(0.35, 0.52), elapsed_seconds=310,
                    seconds_left=(300, 590), looks=7, next_look_seconds=12))
running
"""
ENDS = """
from ipywidgets import VBox
measured, done, part, failed = (cint.JobProgress(mode=m) for m in ("replay", "sandbox", "sandbox", "live"))
measured.update(look(saved=4_310, saved_before=0, fraction=(0.43, 0.43), measured=True, elapsed_seconds=310))
done.update(look("done", saved=10_000, saved_before=0, elapsed_seconds=725, looks=47))
part.update(look("partial", saved=9_912, saved_before=0, elapsed_seconds=725, looks=47,
    partial_text="Upload partially successful. 9912 respondent IDs uploaded successfully, 88 failed (invalid or empty)."))
failed.update(look("failed", fraction=(0.1, 0.2), elapsed_seconds=3, failure_code="JobExecutionStartMessageFailed",
    failure_text="The job could not be started.", trace_id="5bd6…"))
VBox([measured, done, part, failed])
"""
TABLES = """
frame = pd.DataFrame([
  {"name": "Tracker Q4, wave 2", "state": "live", "goal": 1200, "completes": 431, "saved_ids": 9912, "entrants": 1020,
   "conversion_rate": .42, "drop_off_rate": .08, "cost": 1178.3, "warnings": ("ends soon",)},
  {"name": "Tracker Q4, wave 3", "state": "paused", "goal": 800, "completes": 0, "saved_ids": 700, "entrants": 0,
   "conversion_rate": None, "drop_off_rate": None, "cost": 0.0, "warnings": ("goal above saved ids",)}])
cint.StatusTable(frame)
"""
FINDINGS = """
cint.FindingsTable(Findings.of([
  Finding("goal-above-ids", Severity.BLOCK, "The goal is above the ids that can be uploaded.", "goal 12,000, usable 9,912",
          "lower the goal to 9,912 or fewer", "recontact guide, step 1"),
  Finding("same-project", Severity.WARN, "Project exclusion is on.", "exclusion.enabled is true", "set it to false",
          "recontact guide, step 1"),
  Finding("profiling-left-out", Severity.NOTE, "No profiling is given, which suits a recontact.")]))
"""


def test_all_panels_show_in_jupyterlab(notebook: LabPage) -> None:
    notebook.write("parade.ipynb", PARADE, PROGRESS, ENDS, TABLES, FINDINGS)
    notebook.open("parade.ipynb")
    notebook.run_all()
    page = notebook.page
    page.wait_for_selector(".cint-findings-table .cint-finding-block")
    assert page.locator(".cint-job-progress").count() == 5
    assert page.locator(".cint-progress-text", has_text="100 % · complete").count() == 1
    assert page.locator(".cint-status-table tbody tr").count() == 2
    for number, css in enumerate([".cint-job-progress", ".cint-status-table", ".cint-findings-table"]):
        notebook.picture(f"parade-{number}", css)
