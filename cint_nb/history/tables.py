"""The six tables: their columns and the words they hold. Only whole numbers and short texts, alike in every engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from cint_nb.domain.arguments import Rule
from cint_nb.measure.words import VISIT_WORDS

TABLES: Mapping[str, Mapping[str, str]] = {
    "people": {"person": "BIGINT", "rsid": "VARCHAR", "origin": "VARCHAR", "erased_at": "BIGINT"},
    "sessions": {"visit": "BIGINT", "rid": "VARCHAR"},
    "parts": {
        "part": "INTEGER",
        "wave": "INTEGER",
        "name": "VARCHAR",
        "project": "VARCHAR",
        "target_group": "VARCHAR",
        "locale": "VARCHAR",
        "open_from": "BIGINT",
        "open_until": "BIGINT",
        "closed_by": "VARCHAR",
        "goal": "BIGINT",
        "price": "BIGINT",
        "currency": "VARCHAR",
        "list_hash": "VARCHAR",
        "as_of": "BIGINT",
        "report": "VARCHAR",
        "source": "VARCHAR",
        "first_visit": "BIGINT",
        "unattributed": "INTEGER",
        "origin": "VARCHAR",
    },
    "listed": {"person": "BIGINT", "part": "INTEGER", "state": "VARCHAR", "came": "INTEGER"},
    "visits": {
        "visit": "BIGINT",
        "person": "BIGINT",
        "part": "INTEGER",
        "reason": "VARCHAR",
        "entered": "BIGINT",
        "ended": "BIGINT",
        "supplier": "VARCHAR",
        "cost": "BIGINT",
        "as_of": "BIGINT",
        "source": "VARCHAR",
    },
    "attributes": {"person": "BIGINT", "wave": "INTEGER", "name": "VARCHAR", "value": "VARCHAR"},
}
"""The columns of each table, with their types in DuckDB."""

WaveNumber = Annotated[int, Rule("the number of a wave, from 1", lambda number: 1 <= number <= 10_000)]

WITH_IDS = ("people", "sessions")
"""The tables with ids of respondents, or of their visits; no other has any."""

STATES = ("saved", "rejected", "uploaded")
"""What became of a listed id, what is surest first: `uploaded` is one of which it is not known."""

REASONS = (*VISIT_WORDS, "not_known")
"""What became of a visit, the strongest first, as the measures order them."""

CLOSINGS = ("end", "goal", "hand", "pause", "open", "not_known")
"""Why a part closed."""

READ, MISSING = "read", "missing"
"""Whether the report of a part was read."""


def select_as(table: str, query: str) -> str:
    """Return a query whose result has the columns of a table, in their order and types."""
    columns = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in TABLES[table].items())
    return f"SELECT {columns} FROM ({query})"


def rank_sql(column: str) -> str:
    """Return the place of a reason in `REASONS` as SQL."""
    cases = " ".join(f"WHEN '{word}' THEN {place}" for place, word in enumerate(REASONS))
    return f"CASE {column} {cases} END"
