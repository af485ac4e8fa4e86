"""`cint-nb lab`: open JupyterLab beside your files, with a copy of the notebooks, in sandbox mode."""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import cint_nb
from cint_nb.cli import port_number
from cint_nb.domain.errors import SettingsError
from cint_nb.install_commands import missing_extra
from cint_nb.output_files import make_folder, unused_folder, write_new_file

_MESSAGE_BYTES = 64 * 1024 * 1024  # a larger message than the server allows is dropped without a word


FOLDER = Path("cint-nb-notebooks")
FIRST = "00-start-here.ipynb"
EXAMPLES = ("cint-nb lab", "cint-nb lab --fresh", "cint-nb lab --folder course --no-browser")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "--folder", type=Path, help=f"folder of the copy (default: {FOLDER} in the current one, new or as you left it)"
    )
    parser.add_argument("--fresh", action="store_true", help="make a new copy, and leave earlier ones as they are")
    parser.add_argument(
        "--no-browser", action="store_true", help="start the server without a browser and print its URL"
    )
    parser.add_argument(
        "--port", type=port_number, default=8888, help="port of the server (default 8888, or the next free)"
    )
    parser.add_argument("--ip", default="localhost", help="address to listen on (default: this machine only)")
    parser.add_argument("--copy-only", action="store_true", help="copy the notebooks only")


def run(arguments: argparse.Namespace) -> int:
    """Copy the notebooks, or find the copy of an earlier day, and hand over to JupyterLab."""
    if not arguments.copy_only and importlib.util.find_spec("jupyterlab") is None:
        raise missing_extra("lab", "JupyterLab is not installed here.")
    folder = copy_notebooks(arguments.folder, fresh=arguments.fresh)
    print(f"The notebooks are in {folder}; they use the sandbox unless you choose otherwise.")
    if arguments.copy_only:
        return 0
    root, first = lab_root(folder)
    command = [
        sys.executable, "-m", "jupyterlab", str(root),
        f"--port={arguments.port}",
        f"--ServerApp.ip={arguments.ip}",
        f"--ServerApp.tornado_settings={{'websocket_max_message_size': {_MESSAGE_BYTES}}}",
        f"--LabApp.default_url=/lab/tree/{quote(first)}",
    ]  # fmt: skip
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # a container's only user; the server asks for a token
    if arguments.no_browser:
        command.append("--no-browser")
    return subprocess.call(command, env={**os.environ, "CINT_NB_MODE": "sandbox"})  # noqa: S603 - our own words


def lab_root(folder: Path) -> tuple[Path, str]:
    """Return the folder JupyterLab shows, and the first notebook in it: your own folder, if the copy is inside it.

    Args:
        folder: The copy of the notebooks.
    """
    here, copy = Path.cwd().resolve(), folder.resolve()
    root = here if copy.is_relative_to(here) and copy != here else copy
    return root, (copy / FIRST).relative_to(root).as_posix()


def copy_notebooks(folder: Path | None = None, *, fresh: bool = False) -> Path:
    """Copy the notebooks and templates into a folder and return it; what is there already is kept unchanged.

    Args:
        folder: The target; by default `cint-nb-notebooks` in the current folder, also where it is of an earlier day.
        fresh: Whether to make a new folder beside one that exists.
    """
    wanted = folder or FOLDER
    is_another = folder is None and wanted.exists() and not (wanted / FIRST).is_file()
    target = unused_folder(wanted) if fresh or is_another else wanted
    source = notebook_source()
    kept = 0
    for page in sorted([*source.rglob("*.ipynb"), source / "README.md"]):
        copy = target / page.relative_to(source)
        if page.parent.name == ".ipynb_checkpoints":
            continue
        make_folder(copy.parent)
        if copy.exists():
            kept += 1
        else:
            write_new_file(copy, page.read_bytes())
    if kept:
        print(f"kept your existing copy of {kept} files in {target}")
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
