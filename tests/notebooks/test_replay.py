"""Every notebook shows, from recorded responses, exactly what is stored in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
RECORDINGS = ROOT / "tests" / "recordings"


def nbval(notebook: Path, recording: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CINT_NB_", "PYTEST_"))}
    environment |= {"CINT_NB_MODE": "replay", "CINT_NB_RECORDING": str(recording)}
    command = [
        sys.executable, "-m", "pytest", "-q", "--rootdir", str(notebook.parent), "-c", os.devnull,
        "--nbval", "--nbval-current-env", "--nbval-cell-timeout=60",
        "--nbval-sanitize-with", str(Path(__file__).with_name("sanitize.cfg")),
        "-p", "no:randomly", "-p", "no:cacheprovider", str(notebook),
    ]  # fmt: skip
    return subprocess.run(command, env=environment, cwd=notebook.parent, text=True, capture_output=True, check=False)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_equal_the_stored_ones(tmp_path: Path, notebook: Path) -> None:
    done = nbval(Path(shutil.copy(notebook, tmp_path)), RECORDINGS / f"{notebook.stem}.jsonl")
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_a_changed_output_is_noticed(tmp_path: Path) -> None:
    source = ROOT / "notebooks" / "00-start-here.ipynb"
    copy = tmp_path / source.name
    text = source.read_text(encoding="utf-8")
    assert "rejected" in text
    copy.write_text(text.replace("rejected", "refused"), encoding="utf-8")
    assert nbval(copy, RECORDINGS / "00-start-here.jsonl").returncode != 0


def test_a_request_that_was_never_recorded_fails_and_names_the_cure(tmp_path: Path) -> None:
    source = ROOT / "notebooks" / "00-start-here.ipynb"
    recording = RECORDINGS / "00-start-here.jsonl"
    shorter = tmp_path / "shorter.jsonl"
    kept = [line for line in recording.read_text(encoding="utf-8").splitlines() if "/performance" not in line]
    shorter.write_text("\n".join(kept) + "\n", encoding="utf-8")
    done = nbval(Path(shutil.copy(source, tmp_path)), shorter)
    assert done.returncode != 0
    assert "has no response to GET" in done.stdout
    assert "cint-nb record" in done.stdout
