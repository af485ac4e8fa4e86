"""The claim on a wave while something is sent for it: threads take turns, other processes are refused.

A claim is a row in the journal. Whether its holder still lives is asked of the system where that is possible, on the
same machine since the same start; elsewhere a lease decides, which the holder renews while it works.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import getpass
import os
import platform
import secrets
import threading
from collections import deque
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

from cint_nb.caller_warnings import warn_caller
from cint_nb.domain.errors import JournalError, WaveBusy
from cint_nb.wave.journal.database import JournalDatabase
from cint_nb.wire import loop_thread
from cint_nb.wire.clock import Clock
from cint_nb.wire.http import add_send_guard, remove_send_guard

LEASE_SECONDS = 60.0
RENEW_SECONDS = 20.0
_NOTHING_SENT = "nothing was sent."


# --- processes ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ProcessIdentity:
    """A process, distinct from every other that had or will have its number; unknown parts are empty."""

    host: str
    boot: str
    namespace: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> ProcessIdentity:
        """Return the identity of this process."""
        return _identify(os.getpid())

    def is_alive(self) -> bool | None:
        """Return whether it still runs; None where this process cannot ask, or another may have its number by now."""
        here = ProcessIdentity.current()
        if not self.boot or (self.host, self.boot, self.namespace) != (here.host, here.boot, here.namespace):
            return None
        try:
            os.kill(self.pid, 0)  # only on systems with a boot id: on Windows this would end the process
        except ProcessLookupError:
            return False
        except OSError:  # it is another user's
            pass
        state, started = _read_stat(self.pid)
        if not started or not self.started:
            return None
        return started == self.started and state not in "ZX"


@lru_cache(maxsize=4)
def _identify(pid: int) -> ProcessIdentity:
    boot = namespace = ""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = str(Path("/proc/self/ns/pid").readlink())
    return ProcessIdentity(platform.node(), boot, namespace, pid, _read_stat(pid)[1])


def _read_stat(pid: int) -> tuple[str, str]:
    """Return state and start time of a process, empty where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "", ""
    return fields[0], fields[19]


def current_user() -> str:
    """Return user and machine, as entries and claims name them."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        user = "unknown"
    return f"{user}@{platform.node() or 'unknown'}"


# --- turns within this process ------------------------------------------------------------------------------------

Turn = concurrent.futures.Future[None]
"""Done once it has come."""


class _Turns:
    """The turns at each wave within one process, first come, first served."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.claims: set[str] = set()
        """The tokens of the claims that this process holds."""
        self._mutex = threading.Lock()
        self._queues: dict[tuple[str, str], deque[Turn]] = {}

    def request(self, key: tuple[str, str]) -> Turn:
        turn: Turn = concurrent.futures.Future()
        with self._mutex:
            queue = self._queues.setdefault(key, deque())
            queue.append(turn)
            if queue[0] is turn:
                turn.set_result(None)
        return turn

    def end(self, key: tuple[str, str], turn: Turn) -> None:
        with self._mutex:
            queue = self._queues[key]
            had_come = queue[0] is turn
            queue.remove(turn)
            following = queue[0] if queue else None
            if following is None:
                del self._queues[key]
        if had_come and following is not None:
            with suppress(concurrent.futures.InvalidStateError):  # it was cancelled, and ends its turn itself
                following.set_result(None)


_turns = _Turns()


def _turns_of_this_process() -> _Turns:
    """Return the turns; a forked child starts without those of its parent, whose threads it does not have."""
    global _turns
    if _turns.process != os.getpid():
        _turns = _Turns()
    return _turns


# --- the claim ----------------------------------------------------------------------------------------------------

_held: ContextVar[tuple[WaveLock, ...]] = ContextVar("cint_nb_held_waves", default=())


@dataclass(frozen=True)
class _Claim:
    """A row of the table of claims."""

    token: str
    who: str
    process: ProcessIdentity
    since: datetime
    expires: datetime

    @classmethod
    def parse(cls, row: tuple[Any, ...]) -> _Claim:
        token, who, *process, since, expires = row
        return cls(
            token, who, ProcessIdentity(*process), datetime.fromisoformat(since), datetime.fromisoformat(expires)
        )

    def __str__(self) -> str:
        return f"process {self.process.pid} of {self.who}, since {self.since:%Y-%m-%d %H:%M} UTC"


class WaveLock:
    """The claim on one wave, for a `with` or `async with` block; made by `Journal.lock`, a new one for each block.

    A block inside another one of the same thread or task, or in a task it started, shares the outer claim.

    Args:
        database: The journal's.
        clock: For the lease, which compares the times of two machines: real time, not the exchange's.
        digest: The wave, in the table.
        label: The wave, in messages.
        evidence: What messages add.
    """

    def __init__(
        self, database: JournalDatabase, clock: Clock, *, digest: str, label: str, evidence: dict[str, Any]
    ) -> None:
        self._database = database
        self._clock = clock
        self.key = (str(database.location) if database.path else f"memory {id(database)}", digest)
        self._digest = digest
        self._label = label
        self._evidence = evidence
        self._token = secrets.token_hex(8)
        self._process = os.getpid()
        self._turn: Turn | None = None
        self._has_row = False
        self._outer: WaveLock | None = None
        self._held_before: tuple[WaveLock, ...] = ()
        self._renewals: concurrent.futures.Future[None] | None = None

    @property
    def is_held(self) -> bool:
        """Whether this process claimed the wave and has not ended the claim; see `ensure_held` for a lost one."""
        return self._turn is not None and self._process == os.getpid()

    def __enter__(self) -> Self:
        """Claim the wave, after other threads and tasks of this process.

        Raises:
            WaveBusy: another process holds the claim; it is named.
            LoopError: another thread or task holds it, and waiting here would stop the loop it works on.
        """
        if self._is_held_outside():
            return self
        turn = _turns_of_this_process().request(self.key)
        try:
            if not turn.done():
                loop_thread.check_may_block()
            while not concurrent.futures.wait([turn], timeout=loop_thread.WAIT_SLICE_SECONDS).done:
                pass
            self._claim(turn)
        except BaseException:
            _turns_of_this_process().end(self.key, turn)
            raise
        return self

    async def __aenter__(self) -> Self:
        """Claim the wave, after other threads and tasks of this process; the loop runs on meanwhile.

        Raises:
            WaveBusy: another process holds the claim; it is named.
        """
        if self._is_held_outside():
            return self
        turn = _turns_of_this_process().request(self.key)
        try:
            if not turn.done():
                await asyncio.wrap_future(turn)
            self._claim(turn)
        except BaseException:
            _turns_of_this_process().end(self.key, turn)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the claim; the next thread has its turn."""
        if self._outer is None and self.is_held:
            self._release()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the claim; the next task has its turn."""
        self.__exit__(kind, error, trace)

    def ensure_held(self) -> None:
        """Check that the wave may still be worked on; called before each request that changes something.

        Raises:
            WaveBusy: the claim has ended, or another process took it over because it was not renewed in time.
        """
        if self._outer is not None:
            self._outer.ensure_held()
            return
        if not self.is_held:
            self._raise_lost("its block has ended, or this is a forked child")
        with self._database.read() as connection:
            claim = self._read_claim(connection)
        if claim is None or claim.token != self._token:
            self._raise_lost(f"it is held by {claim}" if claim else "the journal no longer knows of it")
        if claim.expires - self._clock.now() < timedelta(seconds=LEASE_SECONDS - RENEW_SECONDS) and not self.renew():
            self._raise_lost("another process took it over")

    def renew(self) -> bool:
        """Extend the lease, and return whether the claim still was ours."""
        with self._database.write(safe="the next request was not sent.") as connection:
            changed = connection.execute(
                "UPDATE locks SET expires = ? WHERE wave = ? AND token = ?",
                (self._lease_end().isoformat(), self._digest, self._token),
            )
            return changed.rowcount > 0

    def _is_held_outside(self) -> bool:
        self._outer = next((lock for lock in _held.get() if lock.is_held and lock.key == self.key), None)
        return self._outer is not None

    def _lease_end(self) -> datetime:
        return self._clock.now() + timedelta(seconds=LEASE_SECONDS)

    def _read_claim(self, connection: Any) -> _Claim | None:
        columns = "token, who, host, boot, namespace, pid, started, since, expires"
        row = connection.execute(f"SELECT {columns} FROM locks WHERE wave = ?", (self._digest,)).fetchone()  # noqa: S608 - the names are ours
        return _Claim.parse(row) if row else None

    def _claim(self, turn: Turn) -> None:
        process = ProcessIdentity.current()
        with self._database.write(safe=_NOTHING_SENT) as connection:
            claim = self._read_claim(connection)
            if claim is not None and self._is_in_use(claim):
                self._raise_busy(claim)
            connection.execute(
                "INSERT OR REPLACE INTO locks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    self._digest,
                    self._token,
                    current_user(),
                    *astuple(process),
                    self._clock.now().isoformat(),
                    self._lease_end().isoformat(),
                ),
            )
        _turns_of_this_process().claims.add(self._token)
        self._turn, self._has_row = turn, True
        self._held_before = _held.get()
        _held.set((*self._held_before, self))
        add_send_guard(self.ensure_held)
        if self._database.path is not None and loop_thread.has_threads():
            self._renewals = loop_thread.submit(self._keep_renewing())

    def _is_in_use(self, claim: _Claim) -> bool:
        if claim.process == ProcessIdentity.current():
            return claim.token in _turns_of_this_process().claims
        is_alive = claim.process.is_alive()
        return claim.expires > self._clock.now() if is_alive is None else is_alive

    async def _keep_renewing(self) -> None:
        while True:
            await self._clock.sleep(RENEW_SECONDS)
            with suppress(JournalError):  # the next request asks again, and says so
                self.renew()

    def _release(self) -> None:
        turns, turn, self._turn = _turns_of_this_process(), self._turn, None
        remove_send_guard(self.ensure_held)
        _held.set(self._held_before)
        if self._renewals is not None:
            self._renewals.cancel()
        turns.claims.discard(self._token)
        try:
            self.delete_claim()
        finally:
            if turn is not None:
                turns.end(self.key, turn)

    def delete_claim(self) -> None:
        """Take the claim out of the journal, before the block ends where the journal is closed earlier."""
        if not self._has_row or self._process != os.getpid():
            return
        try:
            with self._database.write(safe="what was sent stays as it is.") as connection:
                connection.execute("DELETE FROM locks WHERE wave = ? AND token = ?", (self._digest, self._token))
            self._has_row = False
        except JournalError as error:
            warn_caller(
                f"{self._label[0].upper()}{self._label[1:]} stays claimed by this process until it ends or works on it "
                f"again: {error.what} ({error.evidence.get('reason', '')})"
            )

    def _raise_busy(self, claim: _Claim) -> NoReturn:
        if claim.process.is_alive():
            next_step = "continue there, or stop that process (shut down its kernel) and rerun this cell."
        else:
            next_step = (
                f"continue there, or stop that process and rerun this cell after {claim.expires:%H:%M:%S} UTC: "
                "until then it may still be at work on its machine."
            )
        raise WaveBusy(
            f"{self._label[0].upper()}{self._label[1:]} is in use by {claim}.",
            evidence=self._evidence | {"holder": claim.who, "pid": claim.process.pid},
            safe="nothing was sent from here; the other process continues.",
            next_step=next_step,
        )

    def _raise_lost(self, reason: str) -> NoReturn:
        raise WaveBusy(
            f"This process no longer has the claim on {self._label}: {reason}.",
            evidence=self._evidence,
            safe="the next request was not sent; what was sent before stays as it is.",
            next_step="wait until the other process is done, then rerun this cell: it continues where the wave stands.",
        )
