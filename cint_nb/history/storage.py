"""The folder of a history: versions of its files, and the manifest that says which one counts.

Each version is a folder of its own with all six tables, in which files that did not change are the same files (hard
links). A change is complete on disk before the manifest names it, in one step; whoever is killed before that leaves
the last version as it was, and what lies there half written is removed by the next change.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cint_nb.domain.errors import HistoryError, InputError
from cint_nb.domain.ids import mask_ids_in, masked_repr
from cint_nb.history import engine
from cint_nb.history.lock import FolderLock
from cint_nb.history.tables import TABLES, WITH_IDS, select_as

MARK = "a history of cint_nb"
FORMAT = 1
MANIFEST, LOCK, KEY, VERSIONS, SCRATCH = "history.json", "history.lock", "erasure.key", "versions", ".scratch"
_KEPT_VERSIONS = 2
"""The current one and the one before, for queries of others that were made and not yet run."""
_PATTERN_SIGNS = "*?[]{}"
_BLOCK = 1 << 20


@dataclass
class Manifest:
    """What counts.

    Args:
        version: Number of the version.
        next: The next free number of a person, a visit and a part.
        files: For each table its files with their rows, bytes and checksum.
        erased: Keyed hashes of the ids of people who were erased.
        reports: By the numbers of parts, the files that their reports were read from.
        written_at: When the version was written.
    """

    version: int = 0
    next: dict[str, int] = field(default_factory=lambda: {"person": 1, "visit": 1, "part": 1})
    files: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {table: {} for table in TABLES})
    erased: list[str] = field(default_factory=list)
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)
    written_at: str | None = None

    def rows(self, table: str) -> int:
        """Return how many rows a table has."""
        return sum(file["rows"] for file in self.files[table].values())

    def to_json(self) -> bytes:
        """Return what is written."""
        content = {"what": MARK, "format": FORMAT, **self.__dict__}
        return json.dumps(content, indent=1, sort_keys=True).encode()


def at_write(what: str) -> None:
    """Do nothing; tests stop here, before each step that writes."""


class Store:
    """The files of a history.

    Args:
        folder: The folder; it need not exist.

    Raises:
        InputError: it is a file, its name holds signs that DuckDB reads as a pattern, or it holds something else.
        HistoryError: its manifest cannot be read, or is of a newer cint_nb.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        if any(sign in str(self.folder) for sign in _PATTERN_SIGNS):
            raise InputError(
                "The name of this folder holds signs that stand for several files.",
                evidence={"folder": mask_ids_in(folder.name), "signs": " ".join(_PATTERN_SIGNS)},
                next_step="choose a folder without these signs in its path.",
            )
        try:
            is_there, is_folder = folder.exists(), folder.is_dir()
        except (OSError, ValueError) as error:
            raise InputError(
                "This cannot be the name of a folder.",
                evidence={"reason": getattr(error, "strerror", None) or type(error).__name__},
                next_step="choose another name.",
            ) from None
        if is_there and not is_folder:
            raise InputError(
                f"{masked_repr(folder.name)} is a file, and a history is a folder.", next_step="choose another name."
            )
        if is_folder and not self._path(MANIFEST).exists() and self._holds_something_else():
            raise InputError(
                "The folder holds files that are not of a history.",
                evidence={"folder": mask_ids_in(folder.name)},
                safe="nothing in it was changed.",
                next_step="choose an empty folder, or a name that does not exist yet.",
            )
        self.manifest()

    def _path(self, name: str) -> Path:
        return self.folder / name

    def _holds_something_else(self) -> bool:
        return any(path.name not in (LOCK, VERSIONS, SCRATCH, KEY) for path in self.folder.iterdir())

    def manifest(self) -> Manifest:
        """Return what counts now; an empty history where nothing was written yet.

        Raises:
            HistoryError: it cannot be read, or is of a newer version.
        """
        try:
            content = json.loads(self._path(MANIFEST).read_bytes())
            known = {MARK: content["format"] == FORMAT}[content["what"]]
            manifest = Manifest(
                **{name: content[name] for name in ("version", "next", "files", "erased", "written_at")},
                reports=content.get("reports", {}),  # manifests of earlier releases have none
            )
        except FileNotFoundError:
            return Manifest()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise HistoryError(
                f"{MANIFEST} of this history cannot be read.",
                evidence={"folder": mask_ids_in(self.folder.name), "reason": type(error).__name__},
                safe="nothing was changed; the files of all tables are still there.",
                next_step=f"restore {MANIFEST} from a copy of the folder.",
            ) from None
        if not known:
            raise HistoryError(
                "This history was written by a newer cint_nb.",
                evidence={"format": content["format"], "known": FORMAT},
                next_step="install the newer cint_nb.",
            )
        return manifest

    def version_folder(self, version: int) -> Path:
        """Return the folder of a version."""
        return self.folder / VERSIONS / f"{version:06}"

    def erasure_key(self) -> str:
        """Return the secret that goes into the hashes of erased ids; made on first use."""
        path = self._path(KEY)
        with suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(32))
                file.flush()
                os.fsync(file.fileno())
        found = path.read_text().strip()
        if len(found) < 64:
            raise HistoryError(
                f"{KEY} of this history is damaged: whom it keeps out is not known.",
                safe="nothing was written.",
                next_step=f"restore {KEY} from a copy of the folder.",
            )
        return found

    @contextmanager
    def writing(self, now: Callable[[], datetime]) -> Iterator[Transaction]:
        """Take a turn and change the history; what the block wrote counts if it calls `commit`.

        Args:
            now: The time, for the manifest.
        """
        engine.load_duckdb()
        self._make_folder()
        with FolderLock(self._path(LOCK)):
            manifest = self.manifest()
            self.clean_up(manifest.version)
            change = Transaction(self, manifest, now)
            try:
                yield change
            except (engine.load_duckdb().Error, OSError) as error:
                raise HistoryError(
                    "The history cannot be written.",
                    evidence={"reason": getattr(error, "strerror", None) or type(error).__name__},
                    safe="it is as it was before.",
                    next_step="check that the disk has space and the folder may be written, then run it again; "
                    "history.check() says whether a file is damaged.",
                ) from error
            finally:
                change.close()
                self.clean_up(change.committed or manifest.version)

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise InputError(
                "The folder of the history cannot be made.",
                evidence={"folder": mask_ids_in(self.folder.name), "reason": error.strerror},
                next_step="choose a folder you may write to.",
            ) from None

    def clean_up(self, current: int, *, keep: int = _KEPT_VERSIONS) -> None:
        """Remove what was left half written, and versions that are too old. Only in one's turn.

        Args:
            current: The version that counts.
            keep: How many versions stay, with the current one.
        """
        shutil.rmtree(self._path(SCRATCH), ignore_errors=True)
        for path in self._path("").glob(f".{MANIFEST}.*"):
            with suppress(OSError):
                path.unlink()
        with suppress(OSError):
            for folder in self._path(VERSIONS).iterdir():
                number = int(folder.name) if folder.name.isdecimal() else -1
                if not current - keep < number <= current:
                    shutil.rmtree(folder, ignore_errors=True)


class Transaction:
    """One change: new files, those that stay, and the manifest at the end.

    Args:
        store: The store, whose turn is held.
        manifest: What counted before.
        now: The time.
    """

    def __init__(self, store: Store, manifest: Manifest, now: Callable[[], datetime]) -> None:
        self.store = store
        self.before = manifest
        self.next = dict(manifest.next)
        self.erased = list(manifest.erased)
        self.reports = dict(manifest.reports)
        self.committed = 0
        self.scratch = store.folder / SCRATCH
        self.scratch.mkdir(mode=0o700)
        self.connection = engine.connect(self.scratch)
        engine.allow_memory(self.connection, engine.write_memory(manifest.rows("people")))
        self._now = now
        self._version = manifest.version + 1
        self._old = store.version_folder(manifest.version)
        self._new = store.version_folder(self._version)
        self._written: dict[str, dict[str, dict[str, Any]]] = {table: {} for table in TABLES}
        self._kept = {table: set(files) for table, files in manifest.files.items()}

    def close(self) -> None:
        """End the connection, with everything it held."""
        self.connection.close()

    def has(self, table: str, name: str) -> bool:
        """Return whether a table has a file of this name."""
        return name in self._written[table] or name in self._kept[table]

    def paths(self, table: str) -> list[Path]:
        """Return the files of a table as they are now."""
        return [
            *(self._new / table / name for name in sorted(self._written[table])),
            *(self._old / table / name for name in sorted(self._kept[table])),
        ]

    def path(self, table: str, name: str) -> Path:
        """Return one file of a table."""
        return (self._new if name in self._written[table] else self._old) / table / name

    def table(self, table: str) -> str:
        """Return what stands for a table in a query."""
        paths = self.paths(table)
        if not paths:
            columns = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in TABLES[table].items())
            return f"(SELECT {columns} WHERE false)"
        return engine.read_files(paths)

    def file(self, table: str, name: str) -> str:
        """Return what stands for one file in a query."""
        return engine.read_files([self.path(table, name)])

    def run(self, sql: str) -> Any:
        """Run a query and return its rows."""
        return self.connection.execute(sql).fetchall()

    def put(self, table: str, name: str, query: str) -> int:
        """Write the result of a query as a file of a table, in place of one of that name; return its rows."""
        at_write(f"{table}/{name}")
        folder = self._new / table
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / name
        draft = path.with_name(f".{name}")  # the query may read the file it replaces
        packed = "uncompressed" if table in WITH_IDS else "snappy"  # an id hardly gets shorter, and takes twice as long
        rows = self.connection.execute(
            f"COPY ({select_as(table, query)}) TO {engine.text(str(draft))} (FORMAT parquet, COMPRESSION {packed})"
        ).fetchall()[0][0]
        draft.replace(path)
        self._kept[table].discard(name)
        self._written[table][name] = {"rows": rows, **_checked_file(path)}
        return int(rows)

    def drop(self, table: str, name: str) -> None:
        """Leave a file out of the new version."""
        self._kept[table].discard(name)
        self._written[table].pop(name, None)

    def commit(self, *, forget: bool = False) -> None:
        """Make what was written count.

        Args:
            forget: Whether older versions are removed at once, with everything that is in them.
        """
        for table in TABLES:
            if not self._written[table] and not self._kept[table]:
                self.put(table, "none.parquet", self.table(table))  # a table without a file could not be read
            for name in sorted(self._kept[table]):
                at_write(f"link {table}/{name}")
                (self._new / table).mkdir(parents=True, exist_ok=True, mode=0o700)
                _link(self._old / table / name, self._new / table / name)
        files = {
            table: {**{name: self.before.files[table][name] for name in self._kept[table]}, **self._written[table]}
            for table in TABLES
        }
        moment = self._now().isoformat(timespec="seconds")
        manifest = Manifest(self._version, self.next, files, self.erased, self.reports, moment)
        draft = self.store.folder / f".{MANIFEST}.{secrets.token_hex(6)}"
        at_write("manifest")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(manifest.to_json())
            file.flush()
            os.fsync(file.fileno())
        at_write("manifest takes its name")
        draft.replace(self.store.folder / MANIFEST)
        self.committed = self._version
        at_write("older versions")
        _sync_folder(self.store.folder)
        if forget:
            self.store.clean_up(self._version, keep=1)


def checksum(path: Path) -> str:
    """Return the checksum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checked_file(path: Path) -> dict[str, Any]:
    """Wait until a file is on disk, and return its size and checksum; only its owner may read it."""
    path.chmod(0o600)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):  # some systems sync only what is open for writing
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return {"bytes": path.stat().st_size, "sha256": checksum(path)}


def _link(old: Path, new: Path) -> None:
    try:
        new.hardlink_to(old)
    except (OSError, NotImplementedError):  # a file system without links
        shutil.copy2(old, new)


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
