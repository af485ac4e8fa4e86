"""Persistence of a world as a request log in SQLite: replaying the same requests in the same order rebuilds it.

Nothing is stored twice and nothing can be missing: a world depends only on its seed and on the requests that changed
it, so those are what is saved.
"""

from __future__ import annotations

import json
import sqlite3
import weakref
from datetime import datetime
from pathlib import Path

from cint_nb.sandbox.http.dispatch import Dispatcher
from cint_nb.sandbox.moment import Sender
from cint_nb.sandbox.protocol.messages import Request, StateFault
from cint_nb.sandbox.world.population import Population
from cint_nb.sandbox.world.settings import changed_settings

_FORMAT_VERSION = 3
_LOGGED_HEADERS = ("cint-api-version", "content-type", "idempotency-key", "if-match")  # never the token
_APPLICATION_ID = 0x434E4253
"""The mark of a state file. A file without it is never changed."""
_SCHEMA_SQL = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS asked (
    number INTEGER PRIMARY KEY, t REAL NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,
    query TEXT NOT NULL, headers TEXT NOT NULL, effects TEXT NOT NULL, sender TEXT NOT NULL,
    body BLOB NOT NULL
);
"""


class RequestLog:
    """The log of the requests that changed a world, and their replay.

    Args:
        path: SQLite file; created when missing.
        seed: The sandbox's seed.
        start: Moment at which its time is 0.
        account_id: Its account.
        people: Its population as it begins; later switches are requests.
        rules: Its rules, as text.

    Raises:
        ValueError: for a file of another seed, start, account, population, format or other rules, or one that is not a
            request log.
    """

    def __init__(
        self, path: Path, *, seed: int, start: datetime, account_id: int, people: Population, rules: str
    ) -> None:
        try:
            is_new = not path.exists() or not path.stat().st_size
            is_ours = is_new or _is_state_file(path)
        except OSError as error:
            raise ValueError(f"{path.name!r} cannot be opened as a state file: {error.strerror}") from None
        if not is_ours:
            raise ValueError(f"{path.name} is not a state file of the sandbox")
        try:
            self._file = sqlite3.connect(path, check_same_thread=False)
        except sqlite3.Error:
            raise ValueError(f"{path.name!r} cannot be opened as a state file") from None
        try:
            if is_new:  # before the write-ahead log: the mark must be in the file itself
                self._file.execute(f"PRAGMA application_id={_APPLICATION_ID}")
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.executescript(_SCHEMA_SQL)
            known = {"format": str(_FORMAT_VERSION), "seed": str(seed), "start": start.isoformat()}
            known["population"] = json.dumps(changed_settings(people.parameters), sort_keys=True)
            known["missingness"] = json.dumps(changed_settings(people.missingness), sort_keys=True)
            self._check({**known, "account": str(account_id), "rules": rules}, path)
        except sqlite3.DatabaseError:
            self._file.close()
            raise ValueError(f"{path.name} is not a state file of the sandbox") from None
        except ValueError:
            self._file.close()
            raise
        weakref.finalize(self, self._file.close).atexit = False

    def _check(self, wanted: dict[str, str], path: Path) -> None:
        known = dict(self._file.execute("SELECT name, value FROM about"))
        for name, value in wanted.items():
            if known.get(name, value) != value:
                raise ValueError(
                    f"{path.name} was made with {name} {known[name]}, not {value}; start the sandbox with that"
                )
        self._file.executemany("INSERT OR IGNORE INTO about VALUES (?, ?)", wanted.items())
        self._file.commit()

    def append(self, request: Request, sender: Sender) -> None:
        """Append a request that changed the world, and who sent it."""
        headers = {name: request.headers[name] for name in _LOGGED_HEADERS if name in request.headers}
        row = (
            request.received_at,
            request.method,
            request.path,
            json.dumps(request.raw_query),
            json.dumps(headers),
            json.dumps(sorted(request.state_faults)),
            sender.value,
        )
        self._file.execute(
            "INSERT INTO asked (t, method, path, query, headers, effects, sender, body) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*row, request.body),
        )
        self.save_time(request.received_at)

    def save_time(self, t: float) -> None:
        """Save how far time has advanced."""
        self._file.execute("INSERT OR REPLACE INTO about VALUES ('t', ?)", (repr(t),))
        self._file.commit()

    def replay(self, dispatcher: Dispatcher) -> float:
        """Handle all logged requests again, in order; return how far time had advanced."""
        columns = "sender, t, method, path, query, headers, effects, body"
        for row in self._file.execute(f"SELECT {columns} FROM asked ORDER BY number"):  # noqa: S608 - a constant
            sender, request = Sender(row[0]), _read_row(row[1:])
            if sender is Sender.CLIENT:
                dispatcher.handle(request, dispatcher.router.match(request.method, request.path), replayed=True)
            else:
                dispatcher.act(request, sender, replayed=True)
        known = dict(self._file.execute("SELECT name, value FROM about"))
        return float(known.get("t", 0.0))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _is_state_file(path: Path) -> bool:
    """Return whether a file carries our mark; its first bytes say so without opening it as a database."""
    with path.open("rb") as file:
        header = file.read(72)
    return header.startswith(b"SQLite format 3\0") and int.from_bytes(header[68:72]) == _APPLICATION_ID


def _read_row(row: tuple[float, str, str, str, str, str, bytes]) -> Request:
    t, method, path, query, headers, effects, body = row
    known = frozenset(StateFault(name) for name in json.loads(effects))
    return Request(method, path, json.loads(query), json.loads(headers), body, t, state_faults=known)
