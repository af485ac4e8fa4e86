"""DuckDB, which reads and writes the files of a history, and other engines that only read them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from cint_nb.domain.errors import HistoryError, InputError
from cint_nb.install_commands import command_for

WRITE_MEMORY, READ_MEMORY, MORE_MEMORY = 200, 240, 1_000
"""Megabytes that a connection of our own may use before it goes to disk: one that writes, one that reads, and one that
had too little. Small, since a small hosted computer has a gigabyte for everything."""
_ROWS_IN_READ_MEMORY = 12_000_000
"""So many visits and list entries are counted in `READ_MEMORY`; with more of them it grows. Likewise for people."""
_PEOPLE_IN_WRITE_MEMORY = 2_500_000
_THREADS = 4
"""At most, where a history is written: each of them takes memory of its own."""


def load_duckdb() -> Any:
    """Return the module duckdb.

    Raises:
        InputError: the extra `history` is not installed.
    """
    try:
        import duckdb
        import pyarrow  # noqa: F401 - hands ids and frames to DuckDB
    except ImportError as error:
        raise InputError(
            "A history lies in Parquet files, and what reads them is not installed.",
            evidence={"missing": getattr(error, "name", None)},
            next_step=f"run: {command_for('history')}",
        ) from error
    return duckdb


def connect(scratch: Path | None = None) -> Any:
    """Return a DuckDB connection of our own, which never asks the network for anything.

    Args:
        scratch: Where one that writes puts what does not fit into memory; None for one that reads, which uses the
            system's folder for temporary files.
    """
    connection = load_duckdb().connect(
        config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    )
    allow_memory(connection, READ_MEMORY if scratch is None else WRITE_MEMORY)
    if scratch is not None:
        connection.execute(f"SET threads = {min(_THREADS, os.cpu_count() or 1)}")
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET preserve_insertion_order = false")
    spilled = scratch or Path(tempfile.gettempdir()) / f"cint_nb-{os.getpid()}"  # DuckDB makes it, and removes it
    connection.execute(f"SET temp_directory = {text(str(spilled))}")
    return connection


def write_memory(people: int) -> int:
    """Return how many megabytes a connection that writes may use in a history of so many people."""
    return WRITE_MEMORY * max(people, _PEOPLE_IN_WRITE_MEMORY) // _PEOPLE_IN_WRITE_MEMORY


def allow_memory(connection: Any, megabytes: int) -> None:
    """Say how much memory a connection of our own may use."""
    connection.execute(f"SET memory_limit = '{megabytes}MB'")


@contextmanager
def reading() -> Iterator[None]:
    """Turn what DuckDB says of files into an error of ours.

    Raises:
        HistoryError: a file is missing or damaged, or the memory that may be used is not enough.
    """
    try:
        yield
    except load_duckdb().OutOfMemoryException as error:
        raise HistoryError(
            "The memory that DuckDB may use is not enough for this.",
            safe="nothing was changed.",
            next_step="ask in a connection of your own, which may use most of the memory: "
            "cint.History.open(folder, engine=duckdb.connect()).",
        ) from error
    except load_duckdb().Error as error:
        raise HistoryError(
            "A file of the history cannot be read.",
            evidence={"reason": type(error).__name__},
            safe="nothing was changed.",
            next_step="run history.check(), which names the file; if it finds nothing, another process has changed the "
            "history in between: run the line again.",
        ) from error


def text(value: str | None) -> str:
    """Return a text as SQL writes it."""
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def name(column: str) -> str:
    """Return the name of a column as SQL writes it."""
    return '"' + column.replace('"', '""') + '"'


def number(value: int | None) -> str:
    """Return a whole number as SQL writes it."""
    return "NULL" if value is None else str(int(value))


def read_files(files: Sequence[Path]) -> str:
    """Return what stands for some Parquet files in a query of DuckDB."""
    return f"read_parquet([{', '.join(text(str(path)) for path in files)}])"


class DuckDBReader:
    """Queries over the files of a history in a DuckDB connection.

    Args:
        connection: The caller's; None for one of our own.
    """

    arg_max = "arg_max"

    def __init__(self, connection: Any = None) -> None:
        self._given = connection
        self._own: Any = None
        self._memory = READ_MEMORY

    @property
    def connection(self) -> Any:
        """The connection; made when it is first needed."""
        if self._given is not None:
            return self._given
        if self._own is None:
            self._own = connect()
            allow_memory(self._own, self._memory)
        return self._own

    def make_room(self, rows: int) -> None:
        """Let a connection of our own use more memory for more rows than it was made for."""
        memory = READ_MEMORY * max(rows, _ROWS_IN_READ_MEMORY) // _ROWS_IN_READ_MEMORY
        if memory > self._memory:
            self._memory = memory
            if self._own is not None:
                allow_memory(self._own, memory)

    def table(self, folder: Path) -> str:
        """Return what stands for the Parquet files of a folder in a query."""
        return f"read_parquet({text(str(folder / '*.parquet'))})"

    def query(self, sql: str) -> Any:
        """Return the result of a query as a relation, which is not run before it is needed."""
        with reading():
            return self.connection.sql(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a query and return its rows.

        Raises:
            HistoryError: a file cannot be read.
        """
        with reading():
            return list(self.connection.execute(sql).fetchall())

    def frame(self, sql: str) -> pd.DataFrame:
        """Run a query and return a pandas frame.

        Raises:
            HistoryError: a file cannot be read.
        """
        with reading():
            found: pd.DataFrame = self.connection.execute(sql).df()
            return found

    def forget(self) -> None:
        """Close a connection of our own, with what it remembers of files; a new one is made when it is needed."""
        if self._own is not None:
            self._own.close()
            self._own = None

    def __repr__(self) -> str:
        """Name the engine."""
        return "DuckDB"


class SparkReader:
    """Queries over the same files in a Spark session of the caller.

    Args:
        session: The session.
    """

    arg_max = "max_by"

    def __init__(self, session: Any) -> None:
        self._session = session

    def table(self, folder: Path) -> str:
        """Return what stands for the Parquet files of a folder in a query."""
        return f"parquet.`{folder.absolute().as_uri()}`"

    def query(self, sql: str) -> Any:
        """Return the result of a query as a Spark DataFrame, which is not run before it is needed."""
        return self._session.sql(sql)

    def __repr__(self) -> str:
        """Name the engine."""
        return "Spark"


Reader = DuckDBReader | SparkReader


def choose_reader(engine: Any) -> Reader:
    """Return what runs the queries: our own DuckDB for None, or the caller's connection or session.

    Raises:
        InputError: it is neither.
    """
    if engine is None:
        return DuckDBReader()
    library = type(engine).__module__.partition(".")[0]
    if library in ("duckdb", "_duckdb") and hasattr(engine, "sql"):
        return DuckDBReader(engine)
    if hasattr(engine, "sql") and hasattr(engine, "createDataFrame"):
        return SparkReader(engine)
    raise InputError(
        "The engine of a history is a DuckDB connection or a Spark session.",
        evidence={"given": type(engine).__name__},
        next_step="leave engine out, or pass what duckdb.connect gave you, or your Spark session.",
    )
