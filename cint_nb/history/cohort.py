"""A cohort: the people of a history who fit a rule, as a list for the next wave."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
from narwhals.exceptions import ColumnNotFoundError
from numpy.typing import NDArray

from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError, RespondentFileError
from cint_nb.domain.ids import EntityType, RichDisplay, format_count, masked_repr, printable
from cint_nb.history.engine import DuckDBReader, reading
from cint_nb.history.queries import completed_sql
from cint_nb.measure.dispositions import dispositions
from cint_nb.measure.words import WORDS
from cint_nb.study.files import id_array, line_frames
from cint_nb.study.files.readers import SourceInfo
from cint_nb.study.files.respondents import Respondents

_WORDS = tuple(word for word in WORDS if word is not None)
_COMPLETED = "completed"
_AT_ONCE = 250_000
"""So many ids are put in order at once, which the memory of a connection of our own has room for."""


@check_arguments()
@printable
class Cohort(RichDisplay):
    """People of a history who fit a rule. Shows no id.

    Created by `History.cohort`.

    Args:
        people: Their numbers in the history, in ascending order.
        folder: Returns the folder of the present version of the history.
        name: What it is called.
    """

    def __init__(self, people: NDArray[np.int64], folder: Callable[[], Path], name: str) -> None:
        self.people = people
        self._folder = folder
        self._name = name

    @cached_property
    def _ids(self) -> Respondents:
        import pyarrow as pa

        reader = DuckDBReader()
        people = reader.table(self._folder() / "people")
        found = bytearray()
        for start in range(0, len(self.people), _AT_ONCE):
            chosen = self.people[start : start + _AT_ONCE]
            reader.connection.register("chosen", pa.table({"person": chosen}))
            (ids,) = reader.rows(
                f"SELECT string_agg(replace(p.rsid, '-', ''), '' ORDER BY p.person) FROM {people} p JOIN chosen c "
                f"ON c.person = p.person WHERE p.rsid IS NOT NULL AND p.person BETWEEN {chosen[0]} AND {chosen[-1]}"
            )[0]
            found += bytes.fromhex(ids or "")
        reader.forget()
        return Respondents(
            EntityType.RSID, line_frames.index_of_ids(id_array.from_buffer(found)), SourceInfo(self._name, "list")
        )

    @property
    def name(self) -> str:
        """What it is called: its rule in words."""
        return self._name

    def respondents(self) -> Respondents:
        """Return them ready to be uploaded to another wave; people who were erased are not among them.

        Raises:
            RespondentFileError: nobody fits the rule.
        """
        if not len(self._ids):
            raise RespondentFileError(
                "Nobody in the history fits.",
                evidence={"cohort": self._name},
                next_step="see cint.measure.patterns(history.long()) for the courses that exist.",
            )
        return self._ids

    def __len__(self) -> int:
        """Count the people."""
        return len(self.people)

    def __repr__(self) -> str:
        """Show the rule and the count, never an id."""
        return f"<Cohort: {format_count(len(self), 'person', 'people')} · {self._name}>"


def find_people(
    reader: DuckDBReader, folder: Path, long: Any, rule: Any, waves: Collection[int], words: Mapping[str, Any]
) -> tuple[NDArray[np.int64], str]:
    """Return the numbers of the people who fit a rule, in ascending order, and what the rule says.

    Args:
        reader: What runs the queries.
        folder: Of the version.
        long: The result of `History.long`.
        rule: A mapping from waves to words, or a frame with a column `person`; None for what `words` says.
        waves: The waves that exist.
        words: `completed` and `not_completed`, each a wave or several.

    Raises:
        InputError: a wave or a word does not exist.
    """
    if rule is not None and not isinstance(rule, Mapping):
        return _people_of_frame(rule), "chosen by a frame"
    wanted: dict[int, set[str]] = {}
    for wave, found in (rule or {}).items():
        wanted[wave] = _checked_words(found)
    for wave in _several(words.get("completed")):
        wanted[wave] = {_COMPLETED}
    for wave in _several(words.get("not_completed")):
        wanted[wave] = wanted.get(wave, set(_WORDS)) - {_COMPLETED}
    for wave in wanted:
        if wave not in waves:
            raise InputError(
                f"There is no wave {masked_repr(wave, 20)} in the history.",
                evidence={"there are": ", ".join(map(str, sorted(waves))) or "none"},
                next_step="choose among them.",
            )
    if not wanted:
        raise InputError(
            "A cohort needs a rule.",
            next_step="write history.cohort(completed=1), or "
            'history.cohort({1: "completed", 2: ["absent", "cut_off"]}).',
        )
    said = ", ".join(
        f"wave {wave}: {'not completed' if len(found) > 8 else ' or '.join(sorted(found))}"
        for wave, found in sorted(wanted.items())
    )
    return _people_by_words(reader, folder, long, wanted), said


def _people_by_words(
    reader: DuckDBReader, folder: Path, long: Any, wanted: Mapping[int, set[str]]
) -> NDArray[np.int64]:
    queries = []
    for wave, found in sorted(wanted.items()):
        if found == {_COMPLETED}:
            queries.append(completed_sql(reader, folder, wave))
            continue
        words = dispositions(long.filter(f"wave = {int(wave)}"))
        view = f"cint_nb_wave_{int(wave)}"
        words.create_view(view, replace=True)
        listed = ", ".join(f"'{word}'" for word in sorted(found))
        chosen = f"SELECT person FROM {view} WHERE disposition IN ({listed})"
        if "not_asked" in found:
            everybody = f"SELECT person FROM {reader.table(folder / 'people')}"
            chosen += f" UNION ({everybody} EXCEPT SELECT person FROM {view})"
        queries.append(chosen)
    sql = " INTERSECT ".join(f"({query})" for query in queries)
    with reading():
        found = reader.connection.execute(f"SELECT DISTINCT person FROM ({sql}) ORDER BY person").fetchnumpy()["person"]
    return np.asarray(found, np.int64)


def _people_of_frame(frame: Any) -> NDArray[np.int64]:
    """Return the people of a frame: all rows, or those with 1 in a column `kept`, as `select` of the measures gives."""
    try:
        data = nw.from_native(frame).lazy()
        names = data.collect_schema().names()
        if "kept" in names:
            data = data.filter(nw.col("kept") == 1)
        people = data.select("person").collect()["person"].to_numpy()
    except (TypeError, LookupError, ColumnNotFoundError):
        raise InputError(
            "A rule is a mapping from waves to words, or a frame with a column person.",
            evidence={"given": type(frame).__name__},
            next_step='write history.cohort({1: "completed"}), or pass '
            "cint.measure.select(history.long(), min_done=2).",
        ) from None
    return np.unique(np.asarray(people, np.int64))


def _checked_words(found: Any) -> set[str]:
    words = [found] if isinstance(found, str) or not isinstance(found, Collection) else list(found)
    for word in words:
        if not isinstance(word, str) or word not in _WORDS:
            raise InputError(
                f"{masked_repr(word, 40)} is not what can become of a person in a wave.",
                next_step=f"use one of {', '.join(_WORDS)}.",
            )
    return set(words)


def _several(waves: int | Collection[int] | None) -> list[int]:
    return [] if waves is None else [waves] if isinstance(waves, int) else list(waves)
