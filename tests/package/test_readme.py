"""What the README shows is what runs; so is what the pages show that it sends its readers to."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cint_nb as cint
from cint_nb.domain.jobs import JobState

ROOT = Path(__file__).parents[2]


def blocks_of(page: str) -> list[str]:
    return re.findall(r"^```python\n(.+?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


SHORTEST, WAVE, STUDY, _LIVE = blocks_of("README.md")
PROGRAM, COROUTINES, NESTED, UNATTENDED, WORLD, CHANGES = blocks_of("docs/engineers/program.md")


@pytest.fixture(scope="module")
def wave_of_the_readme(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run the wave of the README in an empty folder, once for all that only look at it or go on elsewhere."""
    folder = tmp_path_factory.mktemp("readme")
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("CINT_NB_MODE", "sandbox")
        patch.setenv("CINT_NB_JOURNAL", str(folder / "journal.sqlite3"))
        exec(SHORTEST + WAVE, names)  # noqa: S102 - our own text
    return names


@pytest.fixture
def shown(wave_of_the_readme: dict[str, Any]) -> dict[str, Any]:
    """Return the names that the wave of the README leaves, for a test to add its own."""
    return dict(wave_of_the_readme)


def test_the_wave_of_the_readme_goes_from_a_file_to_a_closed_target_group(shown: dict[str, Any]) -> None:
    wave = shown["wave"]
    assert wave.launched
    assert wave.resubmitted_count
    assert wave.status()["state"].item() == "completed"


def test_a_study_of_two_waves_from_nothing_to_a_reconciled_second_one_takes_forty_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len([line for line in STUDY.splitlines() if line.strip()]) <= 40
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CINT_NB_MODE", "sandbox")
    names: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(STUDY, names)  # noqa: S102 - our own text, as it stands
    assert names["first"].status()["completes"].item() == len(names["people"]) == 200
    assert names["second"].status()["state"].item() == "completed"
    result = names["result"]
    assert result.state == "done"
    assert result.counts["accepted"] == len(result.frame()) > 0
    names["client"].close()


@pytest.mark.thorough
def test_what_the_readme_shows_needs_nothing_that_pip_does_not_install_with_it(tmp_path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {
        "pyarrow",
        "duckdb",
        "statsmodels",
        "scipy",
        "polars",
        "matplotlib",
        "openpyxl",
        "python_calamine",
        "shtab",
    }
    needed = " ".join(project["dependencies"]).replace("-", "_")
    assert not [each for each in extras if each in needed]
    missing = f"import sys\nsys.modules.update(dict.fromkeys({sorted(extras)}))\n"
    program = tmp_path / "study.py"
    program.write_text(f"{missing}{SHORTEST}{WAVE}{STUDY}", encoding="utf-8")
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "completed wave 1" in done.stdout


def test_the_program_of_the_readme_uploads_and_takes_the_job_up_by_its_id(shown: dict[str, Any]) -> None:
    shown["session"] = cint.connect()  # which the program closes
    project_id = shown["session"].projects.create("Brand tracker", cint.sandbox.PROJECT_MANAGER_ID).id
    exec(PROGRAM.replace("cint.connect()", "session"), shown)  # noqa: S102 - the sandbox that knows the project
    taken_up = shown["recontact"](project_id, shown["plan"], shown["people"])
    assert taken_up.state is JobState.PARTIAL


def test_the_coroutine_of_the_readme_watches_an_upload_on_a_loop_of_its_own(
    shown: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    client, people = shown["client"], shown["people"]
    exec(COROUTINES, shown)  # noqa: S102 - our own text
    project_id = client.projects.create("Of the coroutine", cint.sandbox.PROJECT_MANAGER_ID).id
    group = client.target_groups.create_draft(project_id, shown["plan"], name="Wave 2", reference="tracker-wave-2")
    capsys.readouterr()
    saved = asyncio.run(shown["upload_and_watch"](client, group, people))
    assert 0 < saved <= len(people)
    assert len(capsys.readouterr().out.splitlines()) > 1


def test_the_line_of_the_readme_lets_a_library_run_a_loop_inside_a_running_one() -> None:
    code = f"import asyncio\nimport cint_nb as cint\n{NESTED}\n" + (
        "async def inner():\n    return 'ran'\n"
        "async def cell():\n    return asyncio.run(inner())\n"
        "print(asyncio.run(cell()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["ran"]


@pytest.mark.thorough
def test_the_unattended_launch_of_the_readme_survives_a_lost_reply_and_leaves_findings_to_a_person(
    shown: dict[str, Any],
) -> None:
    exec(UNATTENDED, shown)  # noqa: S102 - our own text
    with cint.connect(faults=["drop-reply@launch*2"]) as client:
        wave = client.wave("Wave 2", project="Brand tracker", respondents=shown["people"], plan=shown["plan"])
        wave.create()
        wave.upload()
        assert not shown["launch_unattended"](wave, "1400 EUR").blocking
        assert wave.status()["state"].item() == "live"
        late = client.wave("Wave 3", project="Brand tracker", respondents=shown["people"], plan=shown["plan"])
        late.create()
        late.upload()
        client.pass_time(days=30)
        assert shown["launch_unattended"](late, "1400 EUR").blocking, "the dates of the plan have passed"
        assert late.status()["state"].item() == "draft"


def test_the_list_for_the_next_wave_of_the_readme_leaves_out_who_was_rejected(shown: dict[str, Any]) -> None:
    exec(UNATTENDED, shown)  # noqa: S102 - our own text
    outcome = shown["wave"].outcome
    came = [*shown["people"].difference(outcome.rejected).ids[:5], *outcome.rejected.ids[:2]]
    report = cint.read_report(pd.DataFrame({"rsid": came, "status": ["10"] * 7}))
    assert shown["list_for_next_wave"](report, outcome).ids == tuple(came[:5])


def test_the_sandbox_of_the_readme_answers_over_http(shown: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    exec(WORLD, shown)  # noqa: S102 - our own text
    assert "recontact" in capsys.readouterr().out
    assert shown["world"].world.population.parameters.returns == 0.2


def test_the_lines_of_the_readme_on_changes_elsewhere_run(capsys: pytest.CaptureFixture[str]) -> None:
    exec(CHANGES, {"cint": cint})  # noqa: S102 - our own text
    assert f"{len(cint.sandbox.CHANGE_NAMES)} such changes" in capsys.readouterr().out


def test_the_status_of_rows_kept_from_earlier_is_a_status_table(shown: dict[str, Any]) -> None:
    exec(UNATTENDED, shown)  # noqa: S102 - our own text
    frame = shown["archived_status"]([{"name": "Wave 1", "state": "completed", "goal": 100}])
    assert list(frame.columns) == list(shown["wave"].status().columns)
