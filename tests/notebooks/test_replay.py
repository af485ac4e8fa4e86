"""Every notebook shows, from recorded responses, exactly what is stored in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
RECORDINGS = ROOT / "tests" / "recordings"
Done = subprocess.CompletedProcess[str]


def nbval(notebook: Path, recording: Path) -> Done:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CINT_NB_", "PYTEST_"))}
    environment |= {"CINT_NB_MODE": "replay", "CINT_NB_RECORDING": str(recording)}
    command = [
        sys.executable, "-m", "pytest", "-q", "--rootdir", str(notebook.parent), "-c", os.devnull,
        "--nbval", "--nbval-current-env", "--nbval-cell-timeout=60",
        "--nbval-sanitize-with", str(Path(__file__).with_name("sanitize.cfg")),
        "-p", "no:randomly", "-p", "no:cacheprovider", str(notebook),
    ]  # fmt: skip
    return subprocess.run(command, env=environment, cwd=notebook.parent, text=True, capture_output=True, check=False)


@pytest.fixture(scope="module")
def replays(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Done]]]:
    """Replay the notebooks asked for, two at a time: each is a process that mostly starts a kernel."""
    asked = {item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")}
    with ThreadPoolExecutor(max_workers=2) as pool:
        yield {
            notebook.stem: pool.submit(
                nbval,
                Path(shutil.copy(notebook, tmp_path_factory.mktemp(notebook.stem))),
                RECORDINGS / f"{notebook.stem}.jsonl",
            )
            for notebook in NOTEBOOKS
            if notebook.stem in asked
        }


@pytest.mark.parametrize("name", [path.stem for path in NOTEBOOKS])
def test_outputs_equal_the_stored_ones(replays: dict[str, Future[Done]], name: str) -> None:
    done = replays[name].result()
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
    assert "holds no answer to GET" in done.stdout
    assert "cint-nb record" in done.stdout
