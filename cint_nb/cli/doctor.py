"""`cint-nb doctor`: report what this installation can do, which settings are in force, and what prevents what."""

from __future__ import annotations

import argparse
import difflib
import importlib.metadata
import importlib.util
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from cint_nb.cli import use_colour
from cint_nb.cli.progress import Progress
from cint_nb.domain.errors import CintError
from cint_nb.install_commands import command_for
from cint_nb.wave.client import Client, open_client
from cint_nb.wave.journal.database import find_location
from cint_nb.wave.journal.journal import default_path
from cint_nb.wire.loop_thread import archived_nest_asyncio_applied
from cint_nb.wire.settings import (
    MODE_VARIABLE,
    SANDBOX_BASE_URL,
    VARIABLES,
    Mode,
    Settings,
    settings_in_force,
)

EXAMPLES = ("cint-nb doctor", "cint-nb doctor --live", "cint-nb doctor --live --json")
EXIT_CODES = {0: "all is well; warnings may have been printed", 1: "a check failed, or a reading was refused"}
JOURNAL_VARIABLE = "CINT_NB_JOURNAL"
OTHER_VARIABLES = (JOURNAL_VARIABLE, "CINT_NB_FULL_TRACEBACK")
_PACKAGES = ("httpx", "pandas", "ipywidgets", "pydantic", "nest-asyncio2", "ipykernel", "jupyterlab", "matplotlib")
_COLOURS = {"ok": "32", "warn": "33", "FAIL": "31"}
_HOSTED = {
    "COLAB_RELEASE_TAG": "Colab",
    "BINDER_SERVICE_HOST": "Binder",
    "BINDER_LAUNCH_HOST": "Binder",
    "KAGGLE_KERNEL_RUN_TYPE": "Kaggle",
}
"""Variables of machines whose disk is thrown away."""


class Check(NamedTuple):
    """One line: `ok`, `warn` or `FAIL`, what was checked, and what was found."""

    state: str
    name: str
    text: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "--live",
        action="store_true",
        help="read from the live exchange: what works for this account, and how replies differ from the documents; "
        "nothing is created or changed",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print one line per check; return 1 if one of them failed."""
    checks: list[Check] = []
    report: dict[str, object] = {}
    for check in _checks():
        checks.append(check)
        if not arguments.json:
            _print(check)  # at once: some take a moment
    failed = any(check.state == "FAIL" for check in checks)
    if arguments.live:
        with open_client("live") as client:
            failed |= _report_live(client, report, quiet=arguments.json)
    if arguments.json:
        print(json.dumps({"checks": [check._asdict() for check in checks], **report}))
    return 1 if failed else 0


def _checks() -> Iterator[Check]:
    yield _check_python()
    yield from map(_check_package, _PACKAGES)
    yield _check_nest_asyncio()
    yield from _check_settings()
    yield from misspelt_variables(os.environ)
    yield _check_sandbox()
    yield check_journal(find_location(default_path()), os.environ)


def _print(check: Check) -> None:
    word = f"{check.state:<4}"
    if use_colour():
        word = f"\033[{_COLOURS[check.state]}m{word}\033[0m"
    print(f"{word}  {check.name:<19} {check.text}")


def _check_python() -> Check:
    good = sys.version_info >= (3, 11)
    return Check("ok" if good else "FAIL", "python", f"{platform.python_version()}, 3.11 or newer is needed")


def _check_package(name: str) -> Check:
    try:
        return Check("ok", name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        if name in {"ipykernel", "jupyterlab", "matplotlib"}:
            return Check("ok", name, f"not installed; this adds it: {command_for('lab')}")
        return Check("FAIL", name, "missing")


def _check_nest_asyncio() -> Check:
    name = "nest_asyncio"
    if archived_nest_asyncio_applied():
        return Check("FAIL", name, "nest_asyncio (archived) is applied; use cint_nb.allow_nested_loops() instead")
    if importlib.util.find_spec("nest_asyncio") is not None:
        return Check("ok", name, "the archived package is installed; prefer cint_nb.allow_nested_loops()")
    return Check("ok", name, "not installed (good: it is archived)")


def _check_settings() -> Iterator[Check]:
    try:
        settings = Settings.load()
    except CintError as error:
        yield Check("FAIL", "settings", " ".join(str(error).split()))
        return
    untried = "; credentials found but not tested: nothing was sent" if settings.mode is Mode.LIVE else ""
    yield Check("ok", "settings", f"mode {settings.mode}{untried}")
    for each in settings_in_force(settings):
        yield Check("ok", f"  {each.name}", f"{each.value} ({each.source})")


def misspelt_variables(environ: Mapping[str, str]) -> Iterator[Check]:
    """Yield a warning for each variable that looks like a setting and is none; its value is not shown.

    Args:
        environ: The environment.
    """
    known = (MODE_VARIABLE, *VARIABLES.values(), *OTHER_VARIABLES)
    for name in sorted(environ):
        if name in known or not name.upper().startswith("CINT"):
            continue
        near = difflib.get_close_matches(name.upper(), known, 1, cutoff=0.75)
        if near:
            yield Check("warn", "variable", f"{name} is no setting; did you mean {near[0]}?")
        elif name.startswith("CINT_NB_"):
            yield Check("warn", "variable", f"{name} is no setting, and nothing reads it")


def check_journal(path: Path, environ: Mapping[str, str]) -> Check:
    """Return where the journal is, with a warning where the place does not last or cannot be written.

    Args:
        path: The file of the journal.
        environ: The environment, which says on what kind of machine this is.
    """
    folder = next((each for each in path.resolve().parents if each.is_dir()), Path("/"))
    if not os.access(folder, os.W_OK):
        return Check("FAIL", "journal", f"{path}: {folder} cannot be written; set {JOURNAL_VARIABLE} to another file")
    if (why := _why_it_does_not_last(path.resolve(), environ)) is not None:
        return Check("warn", "journal", f"{path}: {why}; set {JOURNAL_VARIABLE} to a file in a folder that stays")
    return Check("ok", "journal", str(path))


def _why_it_does_not_last(path: Path, environ: Mapping[str, str]) -> str | None:
    for place in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"), Path("/dev/shm")):  # noqa: S108 - compared
        if path.is_relative_to(place.resolve()):
            return f"files in {place} are deleted, at the latest when this machine restarts"
    mounted = any(path.is_relative_to(each) for each in map(Path, ("/content/drive", "/mnt", "/media")))
    for variable, name in _HOSTED.items():
        if variable in environ and not mounted:
            return f"the disk of {name} is thrown away when the session ends"
    return None


def _check_sandbox() -> Check:
    try:
        with open_client("sandbox", base_url=SANDBOX_BASE_URL) as client:
            client.projects.create("Doctor's project", "b551326b-ac9d-4d32-8823-4f025787dab9")
    except CintError as error:
        return Check("FAIL", "sandbox", " ".join(str(error).split()))
    return Check("ok", "sandbox", "answers")


def _report_live(client: Client, report: dict[str, object], *, quiet: bool) -> bool:
    """Read from the exchange, print or keep what was found, and return whether something was refused."""
    from cint_nb.cli.live_check import read_everything

    with Progress("Reading from the exchange") as progress:
        readings, comparison = read_everything(client, progress.step)
    frame = comparison.frame()
    report |= {
        "account": client.account_id,
        "requests": client.requests_sent,
        "readings": [reading._asdict() for reading in readings],
        "differences": frame.to_dict("records"),
    }
    if quiet:
        return any(reading.state == "refused" for reading in readings)
    where = f"Account {client.account_id} on the {client.mode} exchange"
    print(f"\n{where}: {client.requests_sent} requests, all of them to read.")
    states = {"works": "ok", "not there": "ok", "refused": "FAIL"}
    for reading in readings:
        text = reading.text if reading.state != "not there" else f"nothing to read: {reading.text}"
        _print(Check(states[reading.state], reading.name, text))
    print(f"\n{comparison.compared} replies were compared with the documents: {_count(len(frame), 'difference')}.")
    if len(frame):
        print(frame.to_string(index=False))
    return any(reading.state == "refused" for reading in readings)


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
