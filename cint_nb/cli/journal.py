"""`cint-nb journal`: list waves with their steps and job ids, export the audit trail as CSV, or start a new journal."""

from __future__ import annotations

import argparse
import csv
import io
import sqlite3
import sys
from pathlib import Path
from typing import Any, TextIO

from cint_nb.domain.errors import SettingsError
from cint_nb.output_files import write_new_file
from cint_nb.study.files.line_frames import escape_formula
from cint_nb.wave.journal.database import find_location, journal_version, set_aside
from cint_nb.wave.journal.journal import Journal, JournalEntry, default_path
from cint_nb.wave.journal.payloads import Payload

_COLUMNS = (
    "at", "who", "scope", "project", "wave", "step", "batch", "state", "project_id", "target_group_id", "job_id",
    "request_id", "trace_id", "id_count", "saved_count", "budget",
)  # fmt: skip


EXAMPLES = ("cint-nb journal", "cint-nb journal --export audit.csv", "cint-nb journal --set-aside")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--file", type=Path, help="journal file (default: the one in your data folder)")
    parser.add_argument(
        "--export", type=Path, metavar="CSV", help="export the audit trail to a new CSV file; - is standard output"
    )
    parser.add_argument(
        "--set-aside", action="store_true", help="rename the journal, so that the next connection starts a new one"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file with the export")


def run(arguments: argparse.Namespace) -> int:
    """Print one line per wave and step, export the audit trail, or rename the journal."""
    path = arguments.file or find_location(default_path())
    if not path.exists():
        raise SettingsError(
            "No journal exists yet.",
            evidence={"path": path},
            next_step="run a live wave first; the sandbox of a process keeps its journal in memory.",
        )
    if arguments.set_aside:
        return _set_aside(path)
    if path.is_file() and _is_another_file(path):
        raise SettingsError(
            "This file is not a journal.",
            evidence={"path": path},
            safe="nothing was changed.",
            next_step="give the path of a journal, or omit --file for the default one.",
        )
    journal = Journal(path, read_only=True)
    entries, findings = journal.entries(), journal.verify()
    journal.close()
    if arguments.export is None:
        _list(entries)
    elif str(arguments.export) == "-":
        _export(entries, sys.stdout)
    else:
        if arguments.overwrite and arguments.export.exists() and arguments.export.samefile(path):
            raise SettingsError(
                "The export would replace the journal itself.",
                evidence={"path": arguments.export},
                safe="nothing was changed.",
                next_step="export to another file, such as --export audit.csv",
            )
        text = io.StringIO(newline="")
        _export(entries, text)
        advice = "export to another file, or add --overwrite to replace this one."
        content = text.getvalue().encode("utf-8", "replace")
        write_new_file(arguments.export, content, overwrite=arguments.overwrite, if_it_exists=advice)
        print(f"{len(entries)} entries are in {arguments.export}")
    for finding in findings:
        print(f"{finding.message} Next: {finding.fix}", file=sys.stderr)
    return 0


def _is_another_file(path: Path) -> bool:
    try:
        return journal_version(path) is None
    except (sqlite3.Error, OSError):
        return False  # opening it says why it cannot be read


def _set_aside(path: Path) -> int:
    try:
        renamed = set_aside(path, "old")
    except (OSError, sqlite3.Error) as error:
        raise SettingsError(
            "The journal cannot be renamed.",
            evidence={"path": path, "reason": getattr(error, "strerror", None) or str(error)},
            safe="nothing was changed.",
            next_step="check the permissions of its folder, or set CINT_NB_JOURNAL to another file.",
        ) from error
    print(
        f"{path} is now {renamed}. The next connection starts a new journal; "
        "waves of the old one are looked up on the exchange before anything is sent."
    )
    return 0


def _list(entries: list[JournalEntry[Payload]]) -> None:
    last: dict[tuple[str, str, str, str, str], JournalEntry[Payload]] = {}
    for entry in entries:
        last[entry.key.scope, entry.key.project, entry.key.wave, entry.step, entry.batch] = entry
    shown = ""
    for (scope, project, wave, step, batch), entry in last.items():
        heading = f"{project} · {wave or '(project)'} · {scope}"
        if heading != shown:
            print(heading)
            shown = heading
        row = _row(entry)
        ids = " ".join(f"{name}={row[name]}" for name in ("target_group_id", "job_id") if row[name])
        suffix = f" {batch}" if batch not in ("", "0") else ""
        print(f"  {entry.at:%Y-%m-%d %H:%M}  {step + suffix:<12} {entry.state:<8} {ids}")


def _export(entries: list[JournalEntry[Payload]], file: TextIO) -> None:
    writer = csv.DictWriter(file, _COLUMNS)
    writer.writeheader()
    writer.writerows({name: escape_formula(value) for name, value in _row(entry).items()} for entry in entries)


def _row(entry: JournalEntry[Payload]) -> dict[str, Any]:
    data = entry.payload.model_dump(mode="json", exclude_none=True)
    handle, snapshot = data.get("handle", {}), data.get("snapshot", {})
    known = {**snapshot, **handle, **data}
    row = {name: known.get(name, "") for name in _COLUMNS}
    return row | {
        "at": entry.at.isoformat(),
        "who": entry.who,
        "scope": entry.key.scope,
        "project": entry.key.project,
        "wave": entry.key.wave,
        "step": entry.step,
        "batch": entry.batch,
        "state": str(entry.state),
    }
