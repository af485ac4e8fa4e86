"""Whom a rate is of: everybody asked, or people who completed an earlier wave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import narwhals as nw

from cint_nb.domain.errors import InputError
from cint_nb.domain.ids import masked_repr
from cint_nb.measure.frames import Values, cases, fetch
from cint_nb.measure.people import Grouping, People, is_asked, sort_key
from cint_nb.measure.words import COMPLETED

BASES = ("asked", "first", "previous", "ever")
Base = Literal["asked", "first", "previous", "ever"]


@dataclass(frozen=True)
class Cell:
    """A wave, and the value of the grouping column if there is one."""

    wave: int
    group: Any = None


@dataclass(frozen=True)
class Based:
    """The people of a base, in each wave.

    Args:
        data: The rows of `People.data` that belong to somebody of the base.
        missing: How many of the base have no row in a wave. They were not asked, and count where they came from.
        cells: Every wave, and group, that has a row in the result.
    """

    data: nw.LazyFrame
    missing: Counter[Cell]
    cells: list[Cell]


def refuse_base(base: str) -> None:
    """Refuse a word that is no base."""
    if base not in BASES:
        raise InputError(
            f"base is one of {', '.join(BASES)}, not {masked_repr(base, 40)}.",
            evidence={"field": "base"},
            next_step="asked: everybody asked in the wave. first, previous, ever: those who completed the first, the "
            "wave before, or any earlier wave.",
        )


def people_of_base(people: People, base: str) -> Based:
    """Return the people of a base in each wave; the bases of earlier completes have no row for the first wave."""
    waves = people.waves
    if base == "asked":
        return Based(people.data.filter(is_asked(nw.col("word"))), Counter(), _cells(people, waves))
    later = waves[1:]
    completes = people.data.filter(nw.col("word") == COMPLETED)
    keys = ["person"]
    if base == "previous":
        keys = ["person", "wave"]
        following = dict(zip(waves, later, strict=False))
        completes = completes.with_columns(since=cases(following, nw.col("wave"), null=0, other=0))
        completes = completes.filter(nw.col("since") > 0)
    elif base == "first":
        completes = completes.filter(nw.col("wave") == waves[0]).with_columns(since=nw.col("wave"))
    else:
        earliest = completes.group_by("person").agg(nw.col("wave").min().alias("since"))
        completes = (
            earliest
            if people.by is None
            else completes.join(earliest, left_on=["person", "wave"], right_on=["person", "since"], how="inner")
            .with_columns(since=nw.col("wave"))
        )  # fmt: skip
    group = [] if people.by is None else [nw.col("by").alias("by_base")]
    members = completes.select(nw.col("person"), nw.col("since"), *group)
    if base == "previous":
        members = members.with_columns(wave=nw.col("since").cast(people.data.collect_schema()["wave"]))
    joined = people.data.join(members, on=keys, how="inner")
    if base != "previous":
        joined = joined.filter(nw.col("wave") > nw.col("since"))
    group_names = [] if people.by is None else ["by_base"]
    begun = fetch(members.group_by("since", *group_names).agg(nw.len().alias("people")))
    seen = fetch(joined.group_by("wave", *group_names).agg(nw.len().alias("people")))
    missing: Counter[Cell] = Counter()
    for since, group_value, count in _rows(begun, "since", people.by):
        for wave in [since] if base == "previous" else [wave for wave in later if wave > since]:
            missing[Cell(wave, group_value)] += count
    for wave, group_value, count in _rows(seen, "wave", people.by):
        missing[Cell(wave, group_value)] -= count
    return Based(joined, +missing, _cells(people, later, also=list(+missing)))


def words_of_base(people: People, base: str, wave: int) -> Values:
    """Return `person word final` of everybody in the base of one wave; `word` is None without a row in the wave.

    Raises:
        InputError: the wave does not exist, or is the first and has no such base.
    """
    if wave not in people.waves:
        raise InputError(
            f"There is no wave {wave}.",
            evidence={"field": "wave", "there are": ", ".join(map(str, people.waves[:20])) or "none"},
            next_step="choose a wave of the frame.",
        )
    here = people.data.filter(nw.col("wave") == wave).select("person", "word", "final")
    if base == "asked":
        return fetch(here.filter(is_asked(nw.col("word"))))
    if wave == people.waves[0]:
        raise InputError(
            f"Wave {wave} is the first: nobody completed a wave before it.",
            evidence={"field": "wave", "base": base},
            next_step="choose a later wave, or base='asked'.",
        )
    completes = people.data.filter(nw.col("word") == COMPLETED)
    if base == "first":
        completes = completes.filter(nw.col("wave") == people.waves[0])
    elif base == "previous":
        completes = completes.filter(nw.col("wave") == people.waves[people.waves.index(wave) - 1])
    else:
        completes = completes.filter(nw.col("wave") < wave)
    return fetch(completes.select("person").unique().join(here, on="person", how="left"))


def _rows(found: dict[str, list[Any]], wave: str, by: Grouping | None) -> list[tuple[int, Any, int]]:
    groups = [None] * len(found[wave]) if by is None else [by.label(value) for value in found["by_base"]]
    return [
        (int(number), group, int(count))
        for number, group, count in zip(found[wave], groups, found["people"], strict=True)
    ]


def _cells(people: People, waves: Sequence[int], also: Sequence[Cell] = ()) -> list[Cell]:
    if people.by is None:
        return [Cell(wave) for wave in waves]
    found = fetch(people.unread.select("wave", "by").unique())
    cells = {Cell(int(wave), group) for wave, group in zip(found["wave"], found["by"], strict=True)} | set(also)
    return sorted(
        (cell for cell in cells if cell.wave in set(waves)), key=lambda cell: (cell.wave, sort_key(cell.group))
    )
