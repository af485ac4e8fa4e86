"""What the README shows is what runs."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from cint_nb.domain.jobs import JobState

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
WAVE, PROGRAM, COROUTINES, _LIVE = re.findall(r"^```python\n(.+?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run the wave of the README in an empty folder."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(WAVE, names)  # noqa: S102 - our own text
    return names


def test_the_wave_of_the_readme_goes_from_a_file_to_a_closed_target_group(shown: dict[str, Any]) -> None:
    wave = shown["wave"]
    assert wave.launched
    assert wave.resubmitted_count
    assert wave.status()["state"].item() == "completed"


def test_the_program_of_the_readme_uploads_and_takes_the_job_up_by_its_id(shown: dict[str, Any]) -> None:
    shown["session"] = shown["client"]
    exec(PROGRAM.replace("cint.connect()", "session"), shown)  # noqa: S102 - the sandbox that knows the project
    project_id = shown["wave"].target_group.project_id
    taken_up = shown["recontact"](project_id, shown["plan"], shown["people"])
    assert taken_up.state is JobState.PARTIAL


def test_the_coroutine_of_the_readme_watches_an_upload_on_a_loop_of_its_own(
    shown: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    client, people = shown["client"], shown["people"]
    exec(COROUTINES, shown)  # noqa: S102 - our own text
    project_id = shown["wave"].target_group.project_id
    group = client.target_groups.create_draft(project_id, shown["plan"], name="Wave 2", reference="tracker-wave-2")
    capsys.readouterr()
    saved = asyncio.run(shown["upload_and_watch"](client, group, people))
    assert 0 < saved <= len(people)
    assert len(capsys.readouterr().out.splitlines()) > 1
