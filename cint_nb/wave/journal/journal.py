"""The journal: what a wave meant to do and what came of it, on disk, so that nothing happens twice.

Before each request that must not be resent the intent is written, after it the outcome. It contains job ids, tokens,
counts and digests; never a respondent id and never a secret.
"""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any, Generic, overload

import platformdirs

from cint_nb.caller_warnings import warn_caller
from cint_nb.domain.errors import JournalDamaged, JournalError
from cint_nb.domain.findings import Finding, Findings, Severity
from cint_nb.wave.journal.database import JournalDatabase, find_location, set_aside
from cint_nb.wave.journal.locks import WaveLock, current_user
from cint_nb.wave.journal.payloads import STEPS, AnyPayload, Payload, PayloadOut, Step
from cint_nb.wire.clock import Clock, SystemClock

_CONTENT = "id, at, who, scope, project, wave, step, batch, state, data"
"""The columns of an entry that its checksum covers."""


class EntryState(StrEnum):
    """What an entry says about its step."""

    INTENT = "intent"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


_SAFE_BY_STATE = {
    EntryState.INTENT: "nothing was sent for this step.",
    EntryState.RUNNING: "the request was sent and accepted, and its job runs on the exchange; the journal holds the "
    "intent, so that rerunning the step finds the job and sends nothing twice.",
    EntryState.DONE: "the step was sent and is done on the exchange; rerunning it finds that.",
    EntryState.FAILED: "the exchange refused the request or reports that its job failed; nothing of it runs.",
}
"""What is so when an entry cannot be written: an intent is written before its request, the others after it."""


@dataclass(frozen=True)
class WaveKey:
    """The identity of a wave: its scope (mode, host and account), its project and its name."""

    scope: str
    project: str
    wave: str = ""

    @property
    def digest(self) -> str:
        """A short name for its lock."""
        return sha256("\0".join((self.scope, self.project, self.wave)).encode(errors="surrogatepass")).hexdigest()[:16]


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
        read_only: Whether nothing may be created, written or renamed.
        clock: For the locks: real time, whatever the time of the exchange.

    A damaged journal is renamed, with a warning that gives its new name; one that was shortened or changed elsewhere is
    read on, with a warning. A file that is no journal is left unchanged: the journal is then kept beside it, with a
    warning that names it. One of another schema version is refused and left unchanged.

    Raises:
        JournalError: the file cannot be opened, or is refused.
    """

    def __init__(self, path: Path | None = None, *, read_only: bool = False, clock: Clock | None = None) -> None:
        if path is not None and not read_only:
            path = self._find_location(path)
        self.path = path
        self._clock = clock or SystemClock()
        self._locks: weakref.WeakSet[WaveLock] = weakref.WeakSet()
        try:
            self._database = JournalDatabase(path, read_only=read_only)
            findings = Findings() if read_only else self.verify()
        except JournalDamaged:
            if read_only or path is None:
                raise
            self._rename_damaged(path)
            self._database = JournalDatabase(path)
            findings = Findings()
        if findings:
            warn_caller(
                f"The journal {path} is not as it was written: "
                f"{' '.join(finding.message for finding in findings)} What can be read is used; the exchange decides "
                "what is so. `cint-nb journal` lists it, `cint-nb journal --set-aside` starts a new one."
            )

    @staticmethod
    def _find_location(path: Path) -> Path:
        location = find_location(path)
        if location != path:
            warn_caller(
                f"{path} is not a journal of cint_nb and was left unchanged; the journal is {location}. Set "
                "CINT_NB_JOURNAL to a file of its own. If this was your journal and its beginning is damaged, what it "
                "held is lost: its waves are looked up on the exchange before anything is sent."
            )
        return location

    def _rename_damaged(self, path: Path) -> None:
        try:
            renamed = set_aside(path, "damaged")
        except OSError as error:
            raise JournalError(
                "The journal is damaged and cannot be renamed.",
                evidence={"path": path, "reason": error.strerror},
                safe="nothing was sent, the file was not changed.",
                next_step="rename it, or set CINT_NB_JOURNAL to another file.",
            ) from error
        warn_caller(
            f"The journal could not be read. It was renamed to {renamed}, and a new journal was started. "
            "Waves from the old journal are looked up on the exchange before anything is sent."
        )

    @property
    def is_closed(self) -> bool:
        """Whether the client was closed, and the journal with it."""
        return self._database.is_closed

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

        Raises:
            JournalError: it cannot be written; it says whether the request of the step was sent.
        """
        moment = (at or datetime.now(UTC)).isoformat(timespec="milliseconds")
        data = payload.model_dump_json(exclude_none=True)
        content = (moment, current_user(), key.scope, key.project, key.wave, step.name, batch, str(state), data)
        with self._database.write(safe=_SAFE_BY_STATE[state]) as connection:
            newest = connection.execute("SELECT id, checksum FROM events ORDER BY id DESC LIMIT 1").fetchone()
            number, before = newest or (0, "")
            row = (number + 1, *content)
            checksum = _chain(before, row)
            connection.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, checksum))
            connection.execute("UPDATE head SET count = count + 1, checksum = ?", (checksum,))

    @overload
    def entries(
        self, key: WaveKey | None = None, *, step: Step[AnyPayload], after: int = 0
    ) -> list[JournalEntry[AnyPayload]]: ...

    @overload
    def entries(
        self, key: WaveKey | None = None, *, step: None = None, after: int = 0
    ) -> list[JournalEntry[Payload]]: ...

    def entries(self, key: WaveKey | None = None, *, step: Step[Payload] | None = None, after: int = 0) -> list[Any]:
        """Return entries in the order they were written: of one wave, of one step, or all.

        Of a wave, only entries that match their checksums: a wave acts on them, and asks the exchange about what the
        journal has lost; one flipped bit in a key could launch it a second time.

        Raises:
            JournalError: the journal or one of these entries cannot be read.
        """
        conditions: dict[str, Any] = {"after": after}
        if key is not None:
            conditions |= {"scope": key.scope, "project": key.project, "wave": key.wave}
        if step is not None:
            conditions["step"] = step.name
        where = " AND ".join(["id > :after", *(f"{name} = :{name}" for name in conditions if name != "after")])
        before = "(SELECT checksum FROM events AS earlier WHERE earlier.id = events.id - 1)"
        query = f"SELECT {_CONTENT}, checksum, {before} FROM events WHERE {where} ORDER BY id"  # noqa: S608 - the names are ours, the values bound
        with self._database.read() as connection:
            rows = connection.execute(query, conditions).fetchall()
        return [
            self._parse(content)
            for *content, checksum, earlier in rows
            if key is None or _chain(earlier or "", content) == checksum
        ]

    def _parse(self, row: Sequence[Any]) -> JournalEntry[Payload]:
        number, at, who, scope, project, wave, step, batch, state, data = row
        try:
            return JournalEntry(
                number=number,
                at=datetime.fromisoformat(at),
                who=who,
                key=WaveKey(scope, project, wave),
                step=step,
                batch=batch,
                state=EntryState(state),
                payload=STEPS[step].payload.model_validate_json(data),
            )
        except (KeyError, TypeError, ValueError):
            raise JournalError(
                "An entry of the journal cannot be read.",
                evidence={"path": self.path, "entry": number, "step": step},
                safe="nothing was sent, the journal was not changed.",
                next_step="set CINT_NB_JOURNAL to another file, or restore this one from a backup.",
            ) from None

    def last(
        self, key: WaveKey, step: Step[AnyPayload], *, batch: str | None = None, after: int = 0
    ) -> JournalEntry[AnyPayload] | None:
        """Return the newest entry of a step, or None.

        Raises:
            JournalError: as in `entries`.
        """
        found = [entry for entry in self.entries(key, step=step, after=after) if batch is None or entry.batch == batch]
        return found[-1] if found else None

    def verify(self) -> Findings:
        """Return what is missing from the journal or was changed in it, by the checksums of its entries.

        Each checksum covers its entry and the checksum before it, and the head of the file counts the entries.

        Raises:
            JournalError: the journal cannot be read.
        """
        with self._database.read() as connection:
            head = connection.execute("SELECT count, checksum FROM head").fetchone()
            rows = connection.execute(f"SELECT {_CONTENT}, checksum FROM events ORDER BY id")  # noqa: S608 - ours
            return Findings.of(_find_breaks(head, rows))

    @property
    def is_complete(self) -> bool:
        """Whether the journal holds every entry as it was written."""
        return not self.verify()

    def lock(self, key: WaveKey) -> WaveLock:
        """Return the lock of a wave, for a `with` or `async with` block around everything that is sent for it.

        Threads and tasks of this process take turns; a block inside another one of the same thread or task shares the
        outer one's. Inside the block each changing request first asks whether the lock is still held.

        ```python
        async with journal.lock(key):
            await client.target_groups.create_draft(...)
        ```

        Args:
            key: The wave, or a project: the key without a wave.

        Raises:
            WaveBusy: when the block is entered: another process holds the lock; it is named.
        """
        lock = WaveLock(
            self._database,
            self._clock,
            digest=key.digest,
            label=f"the wave {key.wave!r}" if key.wave else f"the project {key.project!r}",
            evidence={"project": key.project, "journal": self.path},
        )
        self._locks.add(lock)
        return lock

    def close(self) -> None:
        """End all locks and the use of the file."""
        if not self.is_closed:
            for lock in list(self._locks):
                lock.delete_claim()
        self._database.close()


def _chain(before: str, content: Iterable[Any]) -> str:
    """Return the checksum of an entry that follows the one with the checksum `before`."""
    return sha256(json.dumps([before, *content]).encode()).hexdigest()


def _find_breaks(head: tuple[int, str] | None, rows: Iterable[Sequence[Any]]) -> Iterator[Finding]:
    number, before = 0, ""
    missing: list[str] = []
    changed: list[str] = []
    for *content, checksum in rows:
        if content[0] != number + 1:
            missing.append(_span(number + 1, content[0] - 1))
        elif _chain(before, content) != checksum:
            changed.append(str(content[0]))
        number, before = content[0], checksum
    if head is None:
        yield _finding("journal-head-missing", "The count of its entries is missing.")
    elif head[0] > number:
        missing.append(_span(number + 1, head[0]))
    elif (head[0], head[1]) != (number, before) and str(number) not in changed:
        changed.append(str(number))
    if missing:
        yield _finding("journal-entries-missing", f"Entries are missing: {', '.join(missing)}.")
    if changed:
        yield _finding("journal-entries-changed", f"Entries were changed: {', '.join(changed)}.")


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first} to {last}"


def _finding(rule: str, message: str) -> Finding:
    fix = "restore the journal from a backup, or start a new one; the exchange decides what is so."
    return Finding(rule, Severity.WARN, message, fix=fix)


def default_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the path of the journal: `CINT_NB_JOURNAL`, else a file in the user's data folder."""
    if chosen := environ.get("CINT_NB_JOURNAL"):
        return Path(chosen)
    return platformdirs.user_data_path("cint_nb") / "journal.sqlite3"
