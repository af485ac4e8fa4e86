"""`cint-nb journal` tells what was done, by whom and under which ids, and never whom it concerned."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path

import pytest

from cint_nb.cli import main
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.sandbox.practice import BUSINESS_UNIT_ID, PROJECT_MANAGER_ID, Sandbox
from cint_nb.sandbox.sample import write_sample
from cint_nb.sandbox.server import ServedSandbox
from cint_nb.study.respondents import Respondents, read_respondents
from cint_nb.wave.session import connect_session


@pytest.fixture
def people(tmp_path: Path) -> Respondents:
    return read_respondents(write_sample(tmp_path / "people.csv", lines=200), entity_type="RSID")


@pytest.fixture
def uploaded(people: Respondents) -> str:
    """Run a wave up to its upload on a served sandbox, whose journal is on disk, and return its target group."""
    with ServedSandbox(Sandbox(seed=1)) as served, connect_session("sandbox", base_url=served.base_url) as client:
        now = client.clock.now()
        plan = TargetGroupPlan.of(
            business_unit_id=BUSINESS_UNIT_ID,
            project_manager_id=PROJECT_MANAGER_ID,
            locale="ger_de",
            completes_goal=20,
            cost_per_interview="2.7352 EUR",
            start_at=now + timedelta(hours=2),
            end_at=now + timedelta(days=14),
            live_url="https://your-survey.com?RECONTACT_RSID=[%RECONTACT_RSID%]",
        )
        wave = client.wave("=cmd|' /C calc'!A0", project="Brand tracker", respondents=people, plan=plan)
        ref = wave.create()
        wave.upload()
    return ref.target_group_id


def test_it_lists_waves_steps_and_job_ids(uploaded: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal"]) == 0
    told = capsys.readouterr().out
    for word in ("Brand tracker", "draft", "upload", "done", uploaded, "job_id="):
        assert word in told


def test_the_export_is_a_csv_of_every_entry_that_a_spreadsheet_can_open_safely(
    uploaded: str, people: Respondents, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "audit.csv"
    assert main(["journal", "--export", str(file)]) == 0
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
    assert {"project", "draft", "upload"} <= {row["step"] for row in rows}
    assert [row["state"] for row in rows if row["step"] == "upload"] == ["intent", "running", "done"]
    done = rows[-1]
    assert done["job_id"]
    assert done["request_id"] or done["trace_id"]
    assert int(done["ids"]) == len(people)
    assert all(not row["wave"].startswith("=") for row in rows)
    assert not [identifier for identifier in people.ids if identifier in file.read_text(encoding="utf-8")]


def test_without_a_journal_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal"]) == 2
    assert "no journal yet" in capsys.readouterr().err
