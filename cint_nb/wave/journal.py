"""The journal: what a wave meant to do and what came of it, on disk, so that nothing happens twice.

Before each request that must not be resent the intent is written, after it the outcome. It contains job ids, tokens,
counts and digests; never a respondent id and never a secret.
"""

from __future__ import annotations

import getpass
import os
import platform
import sqlite3
import threading
import warnings
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any, Generic, overload

import platformdirs
from filelock import FileLock, Timeout
from pydantic import ValidationError

from cint_nb.domain.errors import JournalError, WaveBusy
from cint_nb.wave.journal_payloads import STEPS, AnyPayload, Payload, PayloadOut, Step

SCHEMA_VERSION = 2
_COMPANION_SUFFIXES = ("-wal", "-shm")
"""What SQLite writes beside a journal; the first contains its newest entries."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    scope TEXT NOT NULL,
    project TEXT NOT NULL,
    wave TEXT NOT NULL,
    step TEXT NOT NULL,
    batch TEXT NOT NULL,
    state TEXT NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS by_step ON events (scope, project, wave, step, batch);
"""


class EntryState(StrEnum):
    """What an entry says about its step."""

    INTENT = "intent"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class WaveKey:
    """The identity of a wave: its scope (mode, host and account), its project and its name."""

    scope: str
    project: str
    wave: str = ""

    @property
    def digest(self) -> str:
        """A short name for files."""
        return sha256("\0".join((self.scope, self.project, self.wave)).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class JournalEntry(Generic[PayloadOut]):
    """One line of the journal."""

    number: int
    at: datetime
    who: str
    key: WaveKey
    step: str
    batch: str
    state: EntryState
    payload: PayloadOut


class Journal:
    """The entries of all waves, in one SQLite file, or in memory where nothing outlives the process.

    Args:
        path: The file; its folder is created when missing. None keeps the journal in memory.

    A damaged file is renamed, with a warning that gives its new name; one of another schema version is refused.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._locks: dict[str, FileLock] = {}
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            _restrict_to_owner(path, *(path.with_name(path.name + suffix) for suffix in _COMPANION_SUFFIXES))
        try:
            self._connection = self._open()
        except sqlite3.DatabaseError as error:
            if path is None or isinstance(error, sqlite3.OperationalError):
                raise JournalError(
                    "The journal cannot be opened.",
                    evidence={"path": path, "reason": str(error)},
                    safe="nothing was sent.",
                    next_step="check the folder's permissions and free space, or set CINT_NB_JOURNAL to another file.",
                ) from None
            self._rename_damaged(path)
            self._connection = self._open()
        # A client that is only dropped closes its file too; later Pythons warn of one that does not.
        weakref.finalize(self, self._connection.close).atexit = False

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path or ":memory:", check_same_thread=False, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            self._check_version(version)
            connection.executescript(_SCHEMA)
            connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _check_version(self, version: int) -> None:
        if version > SCHEMA_VERSION:
            raise JournalError(
                "The journal was written by a newer version of cint_nb.",
                evidence={"path": self.path, "version": version, "understood": SCHEMA_VERSION},
                safe="nothing was sent, the journal was not changed.",
                next_step="upgrade cint_nb, or set CINT_NB_JOURNAL to another file.",
            )
        if 0 < version < SCHEMA_VERSION:  # 0 is a file that SQLite has just created
            raise JournalError(
                "The journal was written by an earlier version of cint_nb.",
                evidence={"path": self.path, "version": version, "understood": SCHEMA_VERSION},
                safe="nothing was sent, the journal was not changed.",
                next_step="rename the file, or set CINT_NB_JOURNAL to another one; the waves of the old journal are "
                "looked up on the exchange before anything is sent.",
            )

    def _rename_damaged(self, path: Path) -> None:
        renamed = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S}")
        path.rename(renamed)
        for suffix in _COMPANION_SUFFIXES:
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        warnings.warn(
            f"The journal could not be read. It was renamed to {renamed}, and a new journal was started. "
            "Waves from the old journal are looked up on the exchange before anything is sent.",
            stacklevel=4,
        )

    def write(
        self,
        key: WaveKey,
        step: Step[AnyPayload],
        state: EntryState,
        payload: AnyPayload,
        *,
        batch: str = "",
        at: datetime | None = None,
    ) -> None:
        """Add an entry; it is on disk when this returns.

        Args:
            key: The wave.
            step: One of `journal_payloads.STEPS`.
            state: Where the step stands.
            payload: Ids of jobs and groups, tokens, counts, digests.
            batch: The upload of the wave.
            at: When, by the clock of the exchange the wave runs on; by default this machine's.
        """
        moment = (at or datetime.now(UTC)).isoformat(timespec="milliseconds")
        data = payload.model_dump_json(exclude_none=True)
        row = (moment, _current_user(), key.scope, key.project, key.wave, step.name, batch, state, data)
        with self._lock:
            self._connection.execute("INSERT INTO events VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    @overload
    def entries(
        self, key: WaveKey | None = None, *, step: Step[AnyPayload], after: int = 0
    ) -> list[JournalEntry[AnyPayload]]: ...

    @overload
    def entries(
        self, key: WaveKey | None = None, *, step: None = None, after: int = 0
    ) -> list[JournalEntry[Payload]]: ...

    def entries(self, key: WaveKey | None = None, *, step: Step[Payload] | None = None, after: int = 0) -> list[Any]:
        """Return entries in the order they were written: of one wave, of one step, or all."""
        conditions: dict[str, Any] = {"after": after}
        if key is not None:
            conditions |= {"scope": key.scope, "project": key.project, "wave": key.wave}
        if step is not None:
            conditions["step"] = step.name
        where = " AND ".join(["id > :after", *(f"{name} = :{name}" for name in conditions if name != "after")])
        query = f"SELECT * FROM events WHERE {where} ORDER BY id"  # noqa: S608 - the names are ours, the values bound
        with self._lock:
            rows = self._connection.execute(query, conditions).fetchall()
        return [
            JournalEntry(
                number=row[0],
                at=datetime.fromisoformat(row[1]),
                who=row[2],
                key=WaveKey(row[3], row[4], row[5]),
                step=row[6],
                batch=row[7],
                state=EntryState(row[8]),
                payload=self._payload(row),
            )
            for row in rows
        ]

    def _payload(self, row: Sequence[Any]) -> Payload:
        number, step, data = row[0], row[6], row[9]
        try:
            return STEPS[step].payload.model_validate_json(data)
        except (KeyError, ValidationError):
            raise JournalError(
                "An entry of the journal cannot be read.",
                evidence={"path": self.path, "entry": number, "step": step},
                safe="nothing was sent, the journal was not changed.",
                next_step="set CINT_NB_JOURNAL to another file, or restore this one from a backup.",
            ) from None

    def last(
        self, key: WaveKey, step: Step[AnyPayload], *, batch: str | None = None, after: int = 0
    ) -> JournalEntry[AnyPayload] | None:
        """Return the newest entry of a step, or None."""
        found = [entry for entry in self.entries(key, step=step, after=after) if batch is None or entry.batch == batch]
        return found[-1] if found else None

    def lock(self, key: WaveKey) -> None:
        """Claim a wave for this process until it ends; a second call is harmless.

        Raises:
            WaveBusy: another process holds the claim; it is named.
        """
        if self.path is None or key.digest in self._locks:
            return
        lock_path = self.path.parent / "locks" / f"{key.digest}.lock"
        lock_path.parent.mkdir(exist_ok=True)
        holder_path = lock_path.with_suffix(".holder")
        _restrict_to_owner(lock_path)
        lock = FileLock(lock_path, timeout=0, thread_local=False, is_singleton=True, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            holder = "another process"
            with suppress(OSError):
                holder = holder_path.read_text(encoding="utf-8")
            raise WaveBusy(
                f"The wave {key.wave!r} is in use by {holder}.",
                evidence={"project": key.project, "journal": self.path},
                safe="nothing was sent from here; the other process continues.",
                next_step="continue there, or stop that process (shut down its kernel) and rerun this cell.",
            ) from None
        _restrict_to_owner(holder_path)
        holder_path.write_text(
            f"process {os.getpid()} of {_current_user()}, since {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        )
        self._locks[key.digest] = lock

    @contextmanager
    def hold(self, key: WaveKey) -> Iterator[None]:
        """Hold a wave."""
        yield

    def close(self) -> None:
        """Release all claims and close the file."""
        for lock in self._locks.values():
            lock.release()
        self._locks.clear()
        with self._lock:
            self._connection.close()


def _restrict_to_owner(main: Path, *companions: Path) -> None:
    """Restrict the files to their owner; the main file is created first, since SQLite copies its permissions."""
    main.touch(mode=0o600)
    for path in (main, *companions):
        with suppress(FileNotFoundError):
            path.chmod(0o600)


def is_journal(path: Path) -> bool:
    """Return whether a file is a journal, without changing it: opening any other file would start a journal there."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as file:
            return file.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'").fetchone() is not None
    except sqlite3.DatabaseError:
        return False


def default_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the path of the journal: `CINT_NB_JOURNAL`, else a file in the user's data folder."""
    if chosen := environ.get("CINT_NB_JOURNAL"):
        return Path(chosen)
    return platformdirs.user_data_path("cint_nb") / "journal.sqlite3"


def _current_user() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        user = "unknown"
    return f"{user}@{platform.node() or 'unknown'}"
