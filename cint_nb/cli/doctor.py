"""`cint-nb doctor`: report what this installation can do and what prevents it."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import platform
import sys

from cint_nb.domain.errors import CintError
from cint_nb.wave.client import open_client
from cint_nb.wave.journal.database import find_location
from cint_nb.wave.journal.journal import default_path
from cint_nb.wire.loop_thread import archived_nest_asyncio_applied
from cint_nb.wire.settings import SANDBOX_BASE_URL, Mode, Settings

_PACKAGES = ("httpx", "pandas", "ipywidgets", "pydantic", "nest-asyncio2", "ipykernel", "jupyterlab", "matplotlib")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare no arguments."""


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001 - every command takes its arguments
    """Print one line per check; return 1 if one of them failed."""
    checks = [
        _check_python(),
        *map(_check_package, _PACKAGES),
        _check_nest_asyncio(),
        _check_settings(),
        _check_sandbox(),
    ]
    for passed, name, text in checks:
        print(f"{'ok  ' if passed else 'FAIL'}  {name:<14} {text}")
    print(f"ok    {'journal':<14} {find_location(default_path())}")
    return 0 if all(passed for passed, _, _ in checks) else 1


Check = tuple[bool, str, str]


def _check_python() -> Check:
    return sys.version_info >= (3, 11), "python", f"{platform.python_version()}, 3.11 or newer is needed"


def _check_package(name: str) -> Check:
    optional = name in {"ipykernel", "jupyterlab", "matplotlib"}
    try:
        return True, name, importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return optional, name, 'not installed; pip install -e ".[lab]" adds it' if optional else "missing"


def _check_nest_asyncio() -> Check:
    if archived_nest_asyncio_applied():
        return False, "nest_asyncio", "nest_asyncio (archived) is applied; use cint_nb.allow_nested_loops() instead"
    if importlib.util.find_spec("nest_asyncio") is not None:
        return True, "nest_asyncio", "the archived package is installed; prefer cint_nb.allow_nested_loops()"
    return True, "nest_asyncio", "not installed (good: it is archived)"


def _check_settings() -> Check:
    try:
        settings = Settings.load()
    except CintError as error:
        return False, "settings", " ".join(str(error).split())
    untried = "; credentials found but not tested: nothing was sent" if settings.mode is Mode.LIVE else ""
    return True, "settings", f"mode {settings.mode}{untried}"


def _check_sandbox() -> Check:
    try:
        with open_client("sandbox", base_url=SANDBOX_BASE_URL) as client:
            client.projects.create("Doctor's project", "b551326b-ac9d-4d32-8823-4f025787dab9")
    except CintError as error:
        return False, "sandbox", " ".join(str(error).split())
    return True, "sandbox", "answers"
