"""`cint-nb record`: run the notebooks against a sandbox over HTTP, and save the recordings and the outputs."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from cint_nb.cli.progress import Progress
from cint_nb.domain.errors import SettingsError
from cint_nb.install_commands import missing_extra
from cint_nb.output_files import make_folder, require_new_file, write_new_file
from cint_nb.wire.recording.transports import is_recording

_CELL_SECONDS = 120


EXAMPLES = ("cint-nb record notebooks --into tests/recordings",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("notebooks", type=Path, nargs="+", help="notebooks, or folders of notebooks")
    parser.add_argument("--into", type=Path, required=True, help="folder of the recordings")
    parser.add_argument("--seed", type=int, default=1, help="seed of the sandbox (default 1)")


def run(arguments: argparse.Namespace) -> int:
    """Record each notebook and write its outputs back into it."""
    try:
        import nbformat
    except ImportError:
        raise missing_extra("lab", "Recording needs Jupyter to run the notebooks, and it is not installed.") from None
    notebooks = {path: _read(path) for path in _notebooks(arguments.notebooks)}  # all, before the first one runs
    with Progress("Recording", total=len(notebooks)) as progress:
        for path, notebook in notebooks.items():
            progress.step(path.stem)
            recording = arguments.into / f"{path.stem}.jsonl"
            record(notebook, recording, seed=arguments.seed)
            _strip_volatile(notebook)
            write_new_file(path, f"{nbformat.writes(notebook).rstrip()}\n".encode(), overwrite=True)
            progress.clear()
            print(f"{path} and {recording} are new")
    return 0


def record(notebook: Any, recording: Path, *, seed: int = 1) -> None:
    """Run a notebook against a sandbox served on this machine, and save the recording if its content is new.

    Args:
        notebook: An nbformat notebook; its outputs are replaced.
        recording: The file to write; one that exists is replaced.
        seed: Seed of the sandbox.
    """
    from nbclient import NotebookClient

    from cint_nb.sandbox.sandbox import Sandbox
    from cint_nb.sandbox.server import ServedSandbox

    make_folder(recording.parent)
    if not is_recording(recording):
        require_new_file(recording, "record into another folder; only a recording of cint_nb is replaced.")
    with tempfile.TemporaryDirectory() as folder, ServedSandbox(Sandbox(seed=seed)) as served:
        fresh = Path(folder) / "recording.jsonl"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CINT_NB_")},
            "CINT_NB_MODE": "sandbox",
            "CINT_NB_SEED": str(seed),
            "CINT_NB_BASE_URL": served.base_url,
            "CINT_NB_RECORD": str(fresh),
            "CINT_NB_JOURNAL": str(Path(folder) / "journal.sqlite3"),
        }
        client = NotebookClient(
            notebook,
            timeout=_CELL_SECONDS,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            store_widget_state=False,
            record_timing=False,
        )
        client.execute(env=environment)
        if not fresh.exists():
            return  # it asked nobody, so that there is nothing to replay
        if not recording.exists() or _content(fresh) != _content(recording):
            write_new_file(recording, fresh.read_bytes(), overwrite=True)


def _content(recording: Path) -> list[dict[str, Any]]:
    """Return the content of a recording, without the time and the version it was made with."""
    lines = [json.loads(line) for line in recording.read_text(encoding="utf-8").splitlines()]
    return [{key: value for key, value in line.items() if key not in {"made_at", "package_version"}} for line in lines]


def _notebooks(paths: list[Path]) -> list[Path]:
    found = [notebook for path in paths for notebook in (sorted(path.glob("*.ipynb")) if path.is_dir() else [path])]
    if not found:
        raise SettingsError(
            "There are no notebooks to record.",
            evidence={"looked_in": ", ".join(map(str, paths))},
            next_step="give the path of an .ipynb file, or of a folder of them.",
        )
    return found


def _read(path: Path) -> Any:
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise SettingsError(
            "This is not a notebook that can be read.",
            evidence={"path": path, "reason": getattr(error, "strerror", None) or "what it contains is no notebook"},
            safe="nothing was recorded or changed.",
            next_step="give the path of an .ipynb file, or of a folder of them.",
        ) from None


def _join_streams(outputs: list[Any]) -> list[Any]:
    """Return outputs with neighbouring texts of one stream joined: where a kernel flushes in between is chance."""
    joined: list[Any] = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output.get("output_type") == "stream" and last.get("name") == output["name"]:
            last["text"] += output["text"]
        else:
            joined.append(output)
    return joined


def _strip_volatile(notebook: Any) -> None:
    """Keep only what does not change from run to run, so that a second recording changes nothing."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            data.pop("application/vnd.jupyter.widget-view+json", None)
        if "outputs" in cell:
            cell["outputs"] = _join_streams(cell["outputs"])
    sys.stdout.flush()
