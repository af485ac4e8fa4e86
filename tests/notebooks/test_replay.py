"""Every notebook shows, from recorded responses, exactly what is stored in it.

nbval collects, runs and compares the cells; a notebook is one test, in the process that runs all tests.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nbval.plugin import IPyNbFile, NbCellError

from tests.notebooks.course import FOLDER, NUMBERED, ROOT
from tests.notebooks.preloaded_kernels import preloaded_kernels

RECORDINGS = ROOT / "tests" / "recordings"
START = FOLDER / "00-start-here.ipynb"
OPTIONS = {
    "nbval_current_env": True,
    "nbval_cell_timeout": 60.0,
    "nbval_sanitize_with": str(Path(__file__).with_name("sanitize.cfg")),
}

Replay = Callable[[Path, Path], list[str]]


@pytest.fixture(scope="module")
def kernels() -> Iterator[None]:
    with preloaded_kernels():
        yield


@pytest.fixture
def replay(
    kernels: None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Replay:
    """Return a function that runs a notebook from a recording, and returns the report of each cell that fails."""
    caplog.set_level(logging.INFO, "nbval")  # below it stands every message of the kernel
    for name, value in OPTIONS.items():
        monkeypatch.setattr(request.config.option, name, value)
    for name in [name for name in os.environ if name.startswith(("CINT_NB_", "PYTEST_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CINT_NB_MODE", "replay")

    def run(notebook: Path, recording: Path) -> list[str]:
        monkeypatch.setenv("CINT_NB_RECORDING", str(recording))
        file = IPyNbFile.from_parent(request.session, path=notebook)
        file.setup()
        try:
            return [report for cell in file.collect() for report in failure(cell)]
        finally:
            file.teardown()

    return run


def failure(cell: pytest.Item) -> list[str]:
    """Run a cell; one that is skipped, or met a dead kernel, has failed too."""
    try:
        cell.runtest()
    except (NbCellError, RuntimeError, pytest.skip.Exception):
        return [str(cell.repr_failure(pytest.ExceptionInfo.from_current()))]
    return []


@pytest.mark.parametrize("notebook", NUMBERED, ids=lambda path: path.stem)
def test_outputs_equal_the_stored_ones(replay: Replay, tmp_path: Path, notebook: Path) -> None:
    failures = replay(Path(shutil.copy(notebook, tmp_path)), RECORDINGS / f"{notebook.stem}.jsonl")
    assert not failures, "\n".join(failures)


def test_a_changed_output_is_noticed(replay: Replay, tmp_path: Path) -> None:
    copy = tmp_path / START.name
    text = START.read_text(encoding="utf-8")
    assert "rejected" in text
    copy.write_text(text.replace("rejected", "refused"), encoding="utf-8")
    assert "Cell outputs differ" in "\n".join(replay(copy, RECORDINGS / "00-start-here.jsonl"))


def test_a_request_that_was_never_recorded_fails_and_names_the_cure(replay: Replay, tmp_path: Path) -> None:
    recording = RECORDINGS / "00-start-here.jsonl"
    shorter = tmp_path / "shorter.jsonl"
    kept = [line for line in recording.read_text(encoding="utf-8").splitlines() if "/performance" not in line]
    shorter.write_text("\n".join(kept) + "\n", encoding="utf-8")
    failures = "\n".join(replay(Path(shutil.copy(START, tmp_path)), shorter))
    assert "has no response to GET" in failures
    assert "cint-nb record" in failures
