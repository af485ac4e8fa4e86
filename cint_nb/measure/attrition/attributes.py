"""What is known of each person, and the people of a base together with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import narwhals as nw

from cint_nb.caller_warnings import warn_caller
from cint_nb.domain.errors import InputError
from cint_nb.measure.bases import refuse_base, words_of_base
from cint_nb.measure.frames import Origin, fetch, open_frame, require_columns
from cint_nb.measure.people import read_people
from cint_nb.measure.words import COMPLETED, CUT_OFF, ERASED, NOT_KNOWN, PENDING, REJECTED

NOT_KNOWN_LEVEL = "not_known"
NUMBER_MAX = 1e100
"""The largest number that is taken: squares of it still have room."""


@dataclass(frozen=True)
class Attribute:
    """One attribute of the people in hand.

    Args:
        name: The column.
        kind: Numbers may be null; a word that is null is the level `not_known`.
        values: One for each person.
    """

    name: str
    kind: Literal["number", "word"]
    values: list[Any]

    @property
    def levels(self) -> list[str]:
        """The words that occur, in the order of their letters."""
        return sorted(set(self.values))

    @property
    def varies(self) -> bool:
        """Whether people differ in it."""
        return len({value for value in self.values if value is not None}) > 1

    def at(self, places: Sequence[int]) -> Attribute:
        """Return the attribute of the people at these places."""
        return Attribute(self.name, self.kind, [self.values[place] for place in places])


@dataclass(frozen=True)
class AttributeTable:
    """Attributes of everybody, by person."""

    place_of: dict[Any, int]
    attributes: list[Attribute]

    def of(self, persons: Sequence[Any]) -> list[Attribute]:
        """Return the attributes of these people; all of them must be in the table."""
        places = [self.place_of[person] for person in persons]
        return [attribute.at(places) for attribute in self.attributes]

    def only_known(self, persons: Sequence[Any], verb: str) -> list[int]:
        """Return the places of the people who are in the table, and say how many are not."""
        known = [place for place, person in enumerate(persons) if person in self.place_of]
        if len(known) < len(persons):
            warn_caller(
                f"measure.{verb}: {len(persons) - len(known):,} of {len(persons):,} people have no attributes, and are "
                "left out."
            )
        return known


def read_attributes(frame: Any, columns: Sequence[str] | None, *, besides: Sequence[str] = ()) -> AttributeTable:
    """Return the attributes of each person.

    Args:
        frame: A row per person.
        columns: Which; all but `person` if None.
        besides: Columns that are no attributes.

    Raises:
        InputError: a column is missing, or a person has no key or two rows.
    """
    data, _ = open_frame(frame, "attributes")
    schema = dict(data.collect_schema())
    require_columns(schema, ["person", *besides, *(columns or ())], "attributes")
    chosen = [name for name in schema if name not in {"person", *besides}] if columns is None else list(columns)
    if not chosen:
        raise InputError(
            "attributes has no column but person.",
            evidence={"field": "attributes"},
            next_step="add what is known of each person, such as age and gender.",
        )
    if "person" in chosen or len(set(chosen)) < len(chosen):
        raise InputError(
            "columns names each attribute once, and not person.",
            evidence={"field": "columns"},
            next_step="leave columns out to take all.",
        )
    found = fetch(data.select("person", *chosen))
    persons = found.pop("person")
    place_of = {person: place for place, person in enumerate(persons)}
    if None in place_of or len(place_of) < len(persons):
        raise InputError(
            "attributes has one row per person, each with its key.",
            evidence={"rows": len(persons), "people": len(place_of) - (None in place_of)},
            next_step="keep one row of each person.",
        )
    return AttributeTable(place_of, [_attribute(name, schema[name], values) for name, values in found.items()])


def _attribute(name: str, dtype: Any, values: list[Any]) -> Attribute:
    if dtype.is_numeric():
        numbers = [None if value is None else float(value) for value in values]
        if not all(abs(number) <= NUMBER_MAX for number in numbers if number is not None):
            raise InputError(
                f"The attribute {name} has numbers that are infinite, or too large to have a variance.",
                evidence={"column": name, "largest": f"{NUMBER_MAX:g}"},
                next_step="leave them null where the value is not known, or choose a larger unit.",
            )
        return Attribute(name, "number", numbers)
    return Attribute(name, "word", [NOT_KNOWN_LEVEL if value is None else str(value) for value in values])


@dataclass(frozen=True)
class Sample:
    """The people of a base whose answer is known, with their attributes.

    Args:
        stayed: For each person 1 if they completed the wave, else 0.
        attributes: What is known of them.
        origin: The library results go to.
    """

    stayed: list[int]
    attributes: list[Attribute]
    origin: Origin


def sample_of_base(
    frame: Any, attributes: Any, *, wave: int, base: str, columns: Sequence[str] | None, verb: str
) -> Sample:
    """Return the people of a base with their attributes, and whether they completed the wave.

    Raises:
        InputError: nothing can be compared: the first wave, no report, nobody or everybody stayed.
    """
    refuse_base(base)
    people = read_people(frame)
    found = words_of_base(people, base, wave)
    table = read_attributes(attributes, columns)
    persons, words = found["person"], [None if word is None else int(word) for word in found["word"]]
    refuse_missing_report(words, wave)
    answered = [place for place, word in enumerate(words) if word != NOT_KNOWN]
    persons, words = [persons[place] for place in answered], [words[place] for place in answered]
    kept = table.only_known(persons, verb)
    persons, words = [persons[place] for place in kept], [words[place] for place in kept]
    stayed = [int(word == COMPLETED) for word in words]
    if not stayed or len(set(stayed)) < 2:
        what = "nobody with attributes is in the base" if not stayed else (
            "everybody stayed" if stayed[0] else "nobody stayed"
        )  # fmt: skip
        raise InputError(
            f"Wave {wave}: {what}, so that there is nothing to compare.",
            evidence={"wave": wave, "base": base, "people": len(stayed)},
            next_step="choose another wave or base.",
        )
    for word, text in ((CUT_OFF, "cut off before they could come"), (PENDING, "still pending")):
        if word in words:
            warn_caller(
                f"measure.{verb}, wave {wave}: {words.count(word):,} people were {text} and count as left: differences "
                "are then also between early and late."
            )
    if base != "asked":
        warn_not_asked(words, verb, wave)
    return Sample(stayed, table.of(persons), people.origin)


def warn_not_asked(words: Sequence[int | None], verb: str, wave: int) -> None:
    """Say how many people were never exposed to a wave, so that to count them as left is a choice."""
    never = [word for word in words if word is None or word >= REJECTED]
    if not never:
        return
    kinds = [f"{never.count(word):,} {name}" for word, name in ((REJECTED, "rejected"), (ERASED, "erased"))]
    of_them = ", ".join(kind for kind in kinds if not kind.startswith("0 "))
    warn_caller(
        f"measure.{verb}, wave {wave}: {len(never):,} of {len(words):,} people were not asked"
        f"{f' ({of_them})' if of_them else ''} and count as left, so that the result is about them as well. To compare "
        "only people who were asked, pass their rows alone."
    )


def refuse_missing_report(words: Sequence[int | None], wave: int) -> None:
    """Refuse a wave of which nothing is known of anybody who was asked."""
    asked = [word for word in words if word is not None and word < REJECTED]
    if asked and all(word == NOT_KNOWN for word in asked):
        raise InputError(
            f"Wave {wave}: what became of the people asked is not known, because the report is missing.",
            evidence={"wave": wave, "people": len(asked)},
            next_step="add the report of the wave.",
        )


def read_persons_table(frame: Any, name: str, columns: Sequence[str]) -> dict[str, list[Any]]:
    """Return columns of a small frame, such as weights, as lists.

    Raises:
        InputError: a column is missing or has nulls.
    """
    data, _ = open_frame(frame, name)
    schema = dict(data.collect_schema())
    require_columns(schema, columns, name)
    found = fetch(data.select(*(nw.col(column) for column in columns)))
    for column, values in found.items():
        wrong = [value for value in values if value is None or (column != "person" and not _is_number(value))]
        if wrong:
            kind = "key" if column == "person" else "number"
            raise InputError(
                f"{name}: the column {column} has {len(wrong):,} values that are no {kind}.",
                evidence={"column": column},
                next_step=f"give a value of {column} in each row.",
            )
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
