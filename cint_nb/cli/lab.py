"""`cint-nb lab`: open JupyterLab on a copy of the notebooks, in sandbox mode."""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import cint_nb
from cint_nb.domain.errors import SettingsError
from cint_nb.install_commands import missing_extra
from cint_nb.output_files import make_folder, unused_folder, write_new_file

_MESSAGE_BYTES = 64 * 1024 * 1024  # a larger message than the server allows is dropped without a word


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--folder", type=Path, help="folder for the copy (default: a new folder in the current one)")
    parser.add_argument(
        "--no-browser", action="store_true", help="start the server without a browser and print its URL"
    )
    parser.add_argument("--port", type=int, default=8888, help="port of the server (default 8888, or the next free)")
    parser.add_argument("--copy-only", action="store_true", help="copy the notebooks only")


def run(arguments: argparse.Namespace) -> int:
    """Copy the notebooks and hand over to JupyterLab."""
    if not arguments.copy_only and importlib.util.find_spec("jupyterlab") is None:
        raise missing_extra("lab", "JupyterLab is not installed here.")
    folder = copy_notebooks(arguments.folder)
    print(f"The notebooks are in {folder}; they use the sandbox unless you choose otherwise.")
    if arguments.copy_only:
        return 0
    command = [
        sys.executable, "-m", "jupyterlab", str(folder),
        f"--port={arguments.port}",
        f"--ServerApp.tornado_settings={{'websocket_max_message_size': {_MESSAGE_BYTES}}}",
        "--LabApp.default_url=/lab/tree/00-start-here.ipynb",
    ]  # fmt: skip
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # a container's only user; the server listens to this machine, with a token
    if arguments.no_browser:
        command.append("--no-browser")
    return subprocess.call(command, env={**os.environ, "CINT_NB_MODE": "sandbox"})  # noqa: S603 - our own words


def copy_notebooks(folder: Path | None) -> Path:
    """Copy the notebooks and templates into a folder and return it; one that already exists is kept unchanged.

    Args:
        folder: The target; by default a new `cint-nb-notebooks` in the current folder.
    """
    target = folder or unused_folder(Path("cint-nb-notebooks"))
    source = notebook_source()
    for page in sorted([*source.rglob("*.ipynb"), source / "README.md"]):
        copy = target / page.relative_to(source)
        if page.parent.name == ".ipynb_checkpoints":
            continue
        make_folder(copy.parent)
        if copy.exists():
            print(f"kept your existing {copy}")
        else:
            write_new_file(copy, page.read_bytes())
    return target


def notebook_source() -> Path:
    """Return the folder of the notebooks: inside an installed package, or beside it in a clone."""
    package = Path(cint_nb.__file__).parent
    for folder in (package / "_notebooks", package.parent / "notebooks"):
        if folder.is_dir():
            return folder
    raise SettingsError(
        "The notebooks are missing from this installation.",
        evidence={"package": package},
        next_step="install cint_nb again.",
    )
