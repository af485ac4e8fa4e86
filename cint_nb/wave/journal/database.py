"""The file of the journal: opened for one operation at a time, recognised by its mark, every failure in words.

No connection outlives its operation, so threads, forked children and a thousand waves share nothing and keep no file
open. A journal without a path is one connection in memory.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import threading
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from cint_nb.domain.errors import JournalDamaged, JournalError

SCHEMA_VERSION = 3
APPLICATION_ID = 0x434E424A
"""The mark of a journal in the header of its file. A file without it is never changed."""
BUSY_SECONDS = 5.0
"""How long an operation waits for another program that is writing."""
_FIRST_VERSION_WITH_MARK = 3
_BESIDE = ".cint-nb.sqlite3"
_MAGIC = b"SQLite format 3\0"
_SCHEMA = (
    """CREATE TABLE events (
        id INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        who TEXT NOT NULL,
        scope TEXT NOT NULL,
        project TEXT NOT NULL,
        wave TEXT NOT NULL,
        step TEXT NOT NULL,
        batch TEXT NOT NULL,
        state TEXT NOT NULL,
        data TEXT NOT NULL,
        checksum TEXT NOT NULL
    )""",
    "CREATE INDEX by_step ON events (scope, project, wave, step, batch)",
    "CREATE TABLE head (count INTEGER NOT NULL, checksum TEXT NOT NULL)",
    "INSERT INTO head VALUES (0, '')",
    """CREATE TABLE locks (
        wave TEXT PRIMARY KEY,
        token TEXT NOT NULL,
        who TEXT NOT NULL,
        host TEXT NOT NULL,
        boot TEXT NOT NULL,
        namespace TEXT NOT NULL,
        pid INTEGER NOT NULL,
        started TEXT NOT NULL,
        since TEXT NOT NULL,
        expires TEXT NOT NULL
    )""",
    f"PRAGMA application_id={APPLICATION_ID}",
    f"PRAGMA user_version={SCHEMA_VERSION}",
)
_TABLES = {"events", "head", "locks"}

_ANOTHER_FILE = "or set CINT_NB_JOURNAL to another file"
_CHECK_PATH = (
    "check that the path names a file in a folder you may write to, that its disk has space, and that this process "
    f"may open more files, {_ANOTHER_FILE}; then rerun this cell."
)
_WAIT = "close the program that writes to it, or wait for it, then rerun this cell."
_FREE_SPACE = f"free some space on its disk, {_ANOTHER_FILE}; then rerun this cell."
_PERMIT = f"make the file and its folder writable, {_ANOTHER_FILE}; then rerun this cell."
_START_ANEW = (
    "connect again: a new journal is started, and the waves of the old one are looked up on the exchange before "
    "anything is sent."
)
_NEXT_BY_CODE = {
    sqlite3.SQLITE_BUSY: _WAIT,
    sqlite3.SQLITE_LOCKED: _WAIT,
    sqlite3.SQLITE_FULL: _FREE_SPACE,
    sqlite3.SQLITE_READONLY: _PERMIT,
    sqlite3.SQLITE_PERM: _PERMIT,
    sqlite3.SQLITE_CORRUPT: _START_ANEW,
    sqlite3.SQLITE_NOTADB: _START_ANEW,
}
_NEXT_BY_ERRNO = {
    errno.ENOSPC: _FREE_SPACE,
    errno.EDQUOT: _FREE_SPACE,
    errno.EROFS: _PERMIT,
    errno.EACCES: _PERMIT,
    errno.EPERM: _PERMIT,
}


class JournalDatabase:
    """The database of a journal, in a file or in memory.

    Args:
        path: The file; it and its folder are created when missing. None keeps the database in memory.
        read_only: Whether nothing may be created or written.

    Raises:
        JournalDamaged: the file is a journal and cannot be read.
        JournalError: the file is no journal, is one of another version, or cannot be opened.
    """

    def __init__(self, path: Path | None = None, *, read_only: bool = False) -> None:
        self.path = path
        self.is_closed = False
        self._read_only = read_only
        self._memory: sqlite3.Connection | None = None
        self._memory_turn = threading.RLock()
        self._process = os.getpid()
        self._identity: tuple[int, int] | None = None
        with self._explain("opened", "nothing was sent."):
            if path is None:
                self._memory = _open(":memory:")
                _create_schema(self._memory)
                # A client that is only dropped closes it too; later Pythons warn of one that does not.
                weakref.finalize(self, self._memory.close).atexit = False
            else:
                # The working folder may change later, and one file reached by two paths is one journal.
                self.location = Path(os.path.realpath(path))
                self._open_file()

    def _open_file(self) -> None:
        if not self._read_only:
            self.location.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                os.close(os.open(self.location, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        if not stat.S_ISREG(self.location.stat().st_mode):
            raise OSError(errno.EINVAL, "this is not a regular file")
        if self.location.stat().st_size:
            self._check_mark()
        elif self._read_only:
            raise _not_a_journal(self.path)
        self._identity = self._stat_identity()
        if self._read_only:
            return
        with closing(self._connect()) as connection:
            _create_schema(connection)
            if connection.execute("PRAGMA integrity_check").fetchone()[0] != "ok" or _TABLES - _tables(connection):
                raise self._damaged("parts of it are damaged")
            connection.execute("PRAGMA journal_mode=DELETE")  # a write-ahead log would be missing from a copy
        with suppress(PermissionError):  # a colleague's journal on a shared disk
            self.location.chmod(0o600)

    def _check_mark(self) -> None:
        version = journal_version(self.location)
        if version is None:
            raise _not_a_journal(self.path)
        evidence = {"path": self.path, "version": version, "understood": SCHEMA_VERSION}
        if version > SCHEMA_VERSION:
            raise JournalError(
                "The journal was written by a newer version of cint_nb.",
                evidence=evidence,
                safe="nothing was sent, the journal was not changed.",
                next_step="upgrade cint_nb, or set CINT_NB_JOURNAL to another file.",
            )
        if version < SCHEMA_VERSION:
            raise JournalError(
                "The journal was written by an earlier version of cint_nb.",
                evidence=evidence,
                safe="nothing was sent, the journal was not changed.",
                next_step="rename the file, or set CINT_NB_JOURNAL to another one; the waves of the old journal are "
                "looked up on the exchange before anything is sent.",
            )

    def _stat_identity(self) -> tuple[int, int]:
        found = self.location.stat()
        return found.st_dev, found.st_ino

    def _connect(self) -> sqlite3.Connection:
        if self._stat_identity() != self._identity:  # another file was put in its place
            self._check_mark()
            self._identity = self._stat_identity()
        mode = "ro" if self._read_only else "rw"
        connection = _open(f"{self.location.as_uri()}?mode={mode}")
        try:
            connection.execute("PRAGMA synchronous=FULL")
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        if self._memory is None:
            with closing(self._connect()) as connection:
                yield connection
            return
        if self._process != os.getpid():  # another thread may have been at work here when this child was forked
            self._process, self._memory_turn = os.getpid(), threading.RLock()
        with self._memory_turn:
            yield self._memory

    @contextmanager
    def _transaction(self, begin: str, doing: str, safe: str) -> Iterator[sqlite3.Connection]:
        with self._explain(doing, safe):
            self._check_open(safe)
            with self._connection() as connection:
                connection.execute(begin)
                try:
                    yield connection
                    connection.execute("COMMIT")
                except BaseException:
                    with suppress(sqlite3.Error):
                        connection.execute("ROLLBACK")
                    raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that shows one state of the database, whoever writes meanwhile."""
        with self._transaction("BEGIN", "read", "reading the journal sends and changes nothing.") as connection:
            yield connection

    @contextmanager
    def write(self, *, safe: str) -> Iterator[sqlite3.Connection]:
        """Give a connection whose changes are on disk when the block ends, all of them or none.

        Args:
            safe: What to say if that fails: what was sent, and what is safe now.
        """
        with self._transaction("BEGIN IMMEDIATE", "written", safe) as connection:
            yield connection

    def close(self) -> None:
        """End the use of the database; every later operation says that it is closed."""
        self.is_closed = True
        if self._memory is not None:
            with self._connection():
                self._memory.close()

    def _check_open(self, safe: str) -> None:
        if self.is_closed:
            raise JournalError(
                "The client is closed, and its journal with it.",
                safe=safe,
                next_step="connect again and create the wave anew.",
            )

    @contextmanager
    def _explain(self, doing: str, safe: str) -> Iterator[None]:
        """Raise every failure of SQLite and of the system as ours."""
        try:
            yield
        except (sqlite3.Error, OSError, ValueError) as error:  # ValueError: a text or a path no file can hold
            raise self._failure(error, doing, safe) from error

    def _failure(self, error: Exception, doing: str, safe: str) -> JournalError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the higher bits are details
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return self._damaged(str(error), safe)
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        is_missing = code == sqlite3.SQLITE_CANTOPEN and not self.location.exists()
        if self._identity is not None and (is_missing or isinstance(error, FileNotFoundError)):
            return JournalError(
                "The file of the journal is gone.",
                evidence={"path": self.path, "reason": reason},
                safe=safe,
                next_step=f"put the file back and rerun this cell, or {_START_ANEW}",
            )
        number = error.errno if isinstance(error, OSError) else None
        return JournalError(
            f"The journal cannot be {doing}.",
            evidence={"path": self.path, "reason": reason},
            safe=safe,
            next_step=_NEXT_BY_CODE.get(code) or _NEXT_BY_ERRNO.get(number or 0) or _CHECK_PATH,
        )

    def _damaged(self, reason: str, safe: str = "nothing was sent, the file was not changed.") -> JournalDamaged:
        return JournalDamaged(
            "The journal is damaged.",
            evidence={"path": self.path, "reason": reason},
            safe=safe,
            next_step=_START_ANEW,
        )


def journal_version(path: Path) -> int | None:
    """Return the schema version of a journal, or None for a file that does not carry its mark.

    It changes nothing, not even the log files of another database.
    """
    try:
        with closing(_open(f"{path.absolute().as_uri()}?mode=ro&immutable=1")) as file:
            application, version = (
                int(file.execute(f"PRAGMA {field}").fetchone()[0]) for field in ("application_id", "user_version")
            )
            if application == APPLICATION_ID:
                return version
            is_earlier = application == 0 and 0 < version < _FIRST_VERSION_WITH_MARK and "events" in _tables(file)
            return version if is_earlier else None
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
    # A damaged file: whose it was is in its first bytes, if they are left. It is read without SQLite only now, because
    # closing a file drops the locks that this process has on it.
    with path.open("rb") as damaged:
        header = damaged.read(72)
    is_ours = header.startswith(_MAGIC) and int.from_bytes(header[68:72]) == APPLICATION_ID
    return int.from_bytes(header[60:64]) if is_ours else None


def find_location(path: Path) -> Path:
    """Return the file of the journal that is wanted at a path: beside it, where another program's file stands there.

    A file that does not carry our mark is left unchanged, and the journal, which is a cache, must not stop a wave. The
    file beside it is the same one whether the path is a symbolic link or not.
    """
    try:
        location = Path(os.path.realpath(path))
        status = location.stat()
        is_foreign = stat.S_ISREG(status.st_mode) and status.st_size > 0 and journal_version(location) is None
    except (OSError, ValueError, sqlite3.Error):
        return path  # opening it says why it cannot be read
    return location.with_name(f"{location.name}{_BESIDE}") if is_foreign else path


def set_aside(path: Path, reason: str) -> Path:
    """Rename a journal, so that the next connection starts a new one, and return its new path.

    Args:
        path: The file; of a symbolic link the file it points to.
        reason: One word for the new name, such as `damaged`.

    Raises:
        JournalError: the file does not carry the mark of a journal; it was not renamed.
    """
    location = Path(os.path.realpath(path))
    if journal_version(location) is None:
        raise _not_a_journal(path)
    stem = f"{location.name}.{reason}-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    names = (stem, *(f"{stem}-{number}" for number in range(2, 1000)))
    renamed = next(free for name in names if not (free := location.with_name(name)).exists())
    location.rename(renamed)
    with suppress(FileNotFoundError):  # an unfinished change: SQLite would undo it in the new journal
        location.with_name(f"{location.name}-journal").rename(renamed.with_name(f"{renamed.name}-journal"))
    return renamed


def _open(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    # Damaged text is shown as it is; its entry no longer matches its checksum.
    connection.text_factory = lambda text: text.decode(errors="surrogateescape")
    return connection


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _create_schema(connection: sqlite3.Connection) -> None:
    """Create the tables of an empty file; two processes may meet here, and one that died leaves nothing."""
    if connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID:
        return
    connection.execute("BEGIN IMMEDIATE")
    if not _tables(connection):
        for statement in _SCHEMA:
            connection.execute(statement)
    connection.execute("COMMIT")


def _not_a_journal(path: Path | None) -> JournalError:
    return JournalError(
        "The file is not a journal of cint_nb.",
        evidence={"path": path},
        safe="nothing was sent, the file was not changed.",
        next_step="set CINT_NB_JOURNAL to a file of its own. If this was your journal and its beginning is damaged, "
        "rename it yourself, and the next connection starts a new one.",
    )
