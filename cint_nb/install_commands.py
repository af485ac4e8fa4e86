"""The command that adds an extra to the Python that runs, in the way in which the package was installed there."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shlex
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cint_nb.domain.errors import SettingsError

NAME = "cint_nb"
CONDA_PACKAGES = {
    "lab": "jupyterlab ipykernel matplotlib-base python-calamine pyreadstat python-duckdb pyarrow statsmodels",
    "tables": "itables",
    "files": "python-calamine pyarrow pyreadstat",
    "history": "python-duckdb pyarrow",
    "weights": "statsmodels",
    "completion": "shtab",
}
"""The packages of each extra where conda installs them; conda knows no extras."""

_IN_BROWSER = sys.platform in ("emscripten",)


def command_for(extra: str) -> str:
    """Return the command that adds an extra.

    In a notebook it is a magic for a cell; where conda or uv installed the package it is theirs; for a clone or a file
    it names the same clone or file again.

    Args:
        extra: Name of the extra, as in pyproject.toml.
    """
    installer, source = _how_installed()
    if installer == "conda" and extra in CONDA_PACKAGES:
        return f"{'%' if _in_notebook() else ''}conda install -c conda-forge {CONDA_PACKAGES[extra]}"
    wanted = f'"{NAME}[{extra}]"' if source is None else source.format(extra=extra)
    if installer == "uv":
        return f"{'!' if _in_notebook() else ''}uv pip install {wanted}"
    if _in_notebook():
        return f"%pip install {wanted}"
    return f"{_python()} -m pip install {wanted}"


def missing_extra(extra: str, what: str) -> SettingsError:
    """Return the error for something that needs an extra, with the command that adds it.

    Args:
        extra: Name of the extra.
        what: The sentence that says what is missing.
    """
    return SettingsError(
        what, evidence={"extra": extra, "python": sys.executable}, next_step=f"run: {command_for(extra)}"
    )


def missing_tables(name: str, module: str) -> SettingsError:
    """Return the error for a public name that needs numpy or pandas where they are missing, as in a browser.

    Args:
        name: What was asked for.
        module: What is missing.
    """
    if not _IN_BROWSER:
        next_step = f"run: {'%pip' if _in_notebook() else f'{_python()} -m pip'} install {module}"
    else:
        next_step = (
            "work at the client level, which needs neither: from cint_nb.api.client import build_client. "
            "The whole toolkit runs where Python is installed, and in a page that was published with numpy and pandas."
        )
    return SettingsError(
        f"cint_nb.{name} needs {module}, which is not installed here.",
        evidence={"missing": module},
        safe="nothing was sent or changed.",
        next_step=next_step,
    )


def _how_installed() -> tuple[str, str | None]:
    """Return which program installed the package, and how to name it again; None for the name on a package index."""
    try:
        distribution = importlib.metadata.distribution(NAME)
    except importlib.metadata.PackageNotFoundError:
        return "pip", _clone(Path(__file__).parents[1])
    installer = (distribution.read_text("INSTALLER") or "pip").strip()
    address = None
    with suppress(ValueError, TypeError, AttributeError):
        about = json.loads(distribution.read_text("direct_url.json") or "{}")
        address = about.get("url")
        if address and about.get("dir_info") is not None and address.startswith("file:"):
            return installer, _clone(_path_of(address), editable=bool(about["dir_info"].get("editable")))
    if address and address.startswith("file:"):
        return installer, f'"{_path_of(address)}[{{extra}}]"'
    return installer, None


def _clone(folder: Path, *, editable: bool = True) -> str | None:
    """Return how to name a clone of the repository; None where the folder is none."""
    if not (folder / "pyproject.toml").is_file():
        return None
    here = "." if folder == Path.cwd() else str(folder)
    return f'{"-e " if editable else ""}"{here}[{{extra}}]"'


def _path_of(address: str) -> Path:
    return Path(unquote(urlsplit(address).path))


def _python() -> str:
    """Return how to call the Python that runs: by its name where that is the first one of this name."""
    active = os.environ.get("VIRTUAL_ENV")
    if active and Path(sys.prefix) == Path(active):
        return "python"
    return shlex.quote(sys.executable) if os.name != "nt" else f'"{sys.executable}"'


def _in_notebook() -> bool:
    """Return whether this is a kernel, where a command is a magic of a cell."""
    return "ipykernel.kernelapp" in sys.modules
