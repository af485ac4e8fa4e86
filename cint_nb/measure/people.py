"""One row per person and wave, as a query: the strongest of several visits, and what a listed person without one is.

Everything is computed with aggregates that every engine has, so that a lazy engine counts before anything is fetched.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import narwhals as nw

from cint_nb.caller_warnings import warn_caller
from cint_nb.domain.errors import InputError
from cint_nb.domain.ids import mask_id, masked_repr
from cint_nb.measure.frames import (
    Origin,
    cases,
    column_as,
    distinct,
    fetch,
    flag,
    open_frame,
    require_columns,
    without_nan,
)
from cint_nb.measure.words import (
    ABSENT,
    CLOSING_NOT_GIVEN,
    CLOSINGS,
    COMPLETED,
    CUT_OFF,
    END,
    LAST_VISIT,
    LISTED,
    NOT_KNOWN,
    OPEN,
    PENDING,
    PLACE_OF,
    REJECTED,
    STOPPED,
    UNKNOWN_WORD,
    WORDS,
)

_CLOSING_PLACE: dict[Any, int] = {word: place for place, word in enumerate(CLOSINGS)}
_TIME_MAX = 9 * 10**14
"""Later than any time in milliseconds, and short enough to be written with a fixed number of digits."""
_DIGITS_FROM = 10**15
_CODED_MAX = 32
"""So many values of a grouping column are compared as small numbers; more than these as they are."""
_MASK = mask_id("")[:2]
_CELLS_MAX = 5_000
"""More waves and groups than this are not looked at together."""
_ROWS_AT_ONCE = 1_500_000
"""DuckDB keeps a row of some hundred bytes for each person and wave that it counts: more than this are counted one wave
after the other, which takes no longer."""


@dataclass(frozen=True)
class Grouping:
    """The column `by`.

    Args:
        name: Of the column.
        values: Its values, if they are few: the query then has their places in this list; None has it itself.
    """

    name: str
    values: list[Any] | None

    def label(self, found: Any) -> Any:
        """Return the value that a result of the query stands for."""
        return found if self.values is None else self.values[int(found)]


@dataclass(frozen=True)
class People:
    """One row per person and wave that has rows in the frame.

    Args:
        data: `person wave word closing final` and, by what was asked for, `by`; `opened closes entered done doubtful`;
            `visits supplier cost`. Words and closings are places in their lists.
        origin: Where the frame came from.
        rows: Rows of the frame.
        by: The grouping column.
        timed: Whether the frame says when parts were open.
        unread: The rows of the frame in the same terms, to look unknown words up in.
        columns: The names of the columns of `reason` and `closed_by` in `unread`.
        look: What was seen of the waves and groups alone; None where all rows were looked at.
    """

    data: nw.LazyFrame[Any]
    origin: Origin
    rows: int
    by: Grouping | None
    timed: bool
    unread: nw.LazyFrame[Any]
    columns: tuple[str, str | None]
    look: Look | None = None

    @cached_property
    def waves(self) -> list[int]:
        """All waves of the frame, in order."""
        if not self.rows:
            return []
        if self.look is not None:
            return sorted(self.look.rows)
        return sorted({int(wave) for wave in distinct(self.unread, "wave")["wave"]})

    def choose_waves(self, waves: Sequence[int] | None) -> list[int]:
        """Return the waves that were chosen, in order; all if None.

        Raises:
            InputError: one of them does not exist, or none was chosen.
        """
        if waves is None:
            return self.waves
        if not waves:
            raise InputError(
                "waves names no wave.", evidence={"field": "waves"}, next_step="leave it out to take all of them."
            )
        for wave in waves:
            self.refuse_wave(wave)
        return sorted(set(waves))

    def refuse_wave(self, wave: int) -> None:
        """Refuse a wave that does not exist."""
        if wave not in self.waves:
            raise InputError(
                f"There is no wave {wave}.",
                evidence={"there are": ", ".join(map(str, self.waves[:20])) or "none"},
                next_step="choose among the waves of the frame.",
            )

    def spans(self) -> list[tuple[int, int] | None]:
        """Return the first and the last of the waves that are counted at once, in order; None for all at once."""
        if self.look is None or not self.data.implementation.is_duckdb() or self.rows <= _ROWS_AT_ONCE:
            return [None]
        found: list[tuple[int, int]] = []
        counted = 0
        for wave in self.waves:
            counted += self.look.rows[wave]
            if found and counted <= _ROWS_AT_ONCE:
                found[-1] = (found[-1][0], wave)
            else:
                found.append((wave, wave))
                counted = self.look.rows[wave]
        return [*found]

    def refuse_no_keys(self) -> None:
        """Refuse rows without a person.

        Raises:
            InputError: there is one.
        """
        missing = fetch(self.unread.select(missing=flag(nw.col("person").is_null()).sum()))["missing"][0]
        if missing:
            raise _no_person(int(missing), 0)

    def refuse_unknown_words(self) -> None:
        """Refuse words that are none of ours, by name.

        Raises:
            InputError: there is one.
        """
        reason, closed_by = self.columns
        words = distinct(self.unread, "reason")["reason"]
        allowed = {word for word in WORDS if word is not None} | ({None} if reason == "reason" else set())
        _refuse_words(reason, [word for word in words if word not in allowed], [each for each in WORDS if each])
        if closed_by is not None:
            closings = distinct(self.unread, "closed_by")["closed_by"]
            _refuse_words(closed_by, [word for word in closings if word not in {None, *CLOSINGS}], CLOSINGS)


def _refuse_words(column: str, unknown: Sequence[Any], known: Sequence[str]) -> None:
    if unknown:
        shown = ", ".join(masked_repr(word, 40) if word is not None else "null" for word in unknown[:5])
        raise InputError(
            f"The column {column} holds words that are none of its own: {shown}.",
            evidence={"column": column, "unknown": len(unknown), "known": " ".join(known)},
            safe="nothing was counted: an unknown word is neither a complete nor an absence.",
            next_step="translate each of them into one of the known words.",
        )


def read_people(
    frame: Any, *, by: str | None = None, times: bool = False, details: bool = False, words: bool = True,
    exact: bool = True, quick: bool = False,
) -> People:  # fmt: skip
    """Return what became of each person in each wave.

    Args:
        frame: Rows of visits and listed persons, or the output of `dispositions`.
        by: A column to group by.
        times: Whether open times and the time of completion are needed.
        details: Whether everything is needed that `dispositions` returns.
        words: Whether unknown words are looked for at once; else they have the place `UNKNOWN_WORD`.
        exact: Whether several completed visits of one person and wave are distinguished by when they began; else `done`
            is the earliest end, and `doubtful` is 1 where that may not be the deciding one.
        quick: Whether whoever counts looks for rows without a person, `person` being null there. A query is then asked
            for its waves and groups only, before its people are counted.

    Raises:
        InputError: a column is missing, holds something else, or holds an unknown word.
    """
    data, origin = open_frame(frame)
    schema = dict(data.collect_schema())
    is_read = "disposition" in schema
    reason = "disposition" if is_read else "reason"
    require_columns(schema, ["person", "wave", reason, *([by] if by is not None else [])])
    closed_by = "closed_by" if "closed_by" in schema else None
    texts = [(reason, "reason"), ("closed_by", "closed_by"), *([("supplier", "supplier")] if details else [])]
    numbers = ["open_until", "as_of"] if not is_read else ["final", "open_until"]
    if times or details:
        numbers += ["open_from", "entered", *(["completed_at"] if is_read else ["ended"])]
    if details:
        numbers += ["cost", *(["visits"] if is_read else [])]
    rows = data.select(
        *(without_nan(nw.col(name)) if schema[name].is_float() else nw.col(name) for name in ("person", "wave")),
        *(column_as(data, schema, given, "text").alias(name) for given, name in texts),
        *(column_as(data, schema, name, "number").alias(name) for name in numbers),
        *([nw.col(by).alias("by")] if by is not None else []),
    )
    timed = times and {"open_from", "open_until"} <= set(schema)
    look = _look(rows, schema, by, timed=timed) if quick and origin.lazy and closed_by is not None else None
    seen = _survey(rows, schema, by) if look is None else look.survey()
    grouping = None if by is None else _grouping(rows, by) if look is None else look.grouping(by)
    rows_with_places = rows.with_columns(
        word=cases(PLACE_OF, nw.col("reason"), null=UNKNOWN_WORD if is_read else LISTED, other=UNKNOWN_WORD),
        closing=cases(_CLOSING_PLACE, nw.col("closed_by"), null=CLOSING_NOT_GIVEN, other=UNKNOWN_WORD),
        **({"by": _place(grouping)} if grouping is not None else {}),
    ).with_columns(
        word=nw.when(nw.col("closing") == UNKNOWN_WORD).then(nw.lit(UNKNOWN_WORD)).otherwise(nw.col("word")),
    )
    if is_read:
        found = _read_again(rows_with_places, schema, times=times, details=details)
    else:
        if closed_by is None and seen.reasons < seen.rows:
            warn_caller(
                "measure: no column closed_by: listed persons without a reason count as absent. If a part was closed "
                "early or is still open, say so in closed_by."
            )
        found = _strongest(
            rows_with_places, schema, times=times, details=details, exact=exact, null_is_absent=closed_by is None
        )
    people = People(found, origin, seen.rows, grouping, timed, rows, (reason, closed_by), look)
    if words and people.rows:
        people.refuse_unknown_words()
    if is_read and people.rows:
        _refuse_doubles(rows)
    return people


@dataclass(frozen=True)
class Look:
    """What the waves and groups of a frame are, where nothing is odd about them.

    Args:
        rows: How many each wave has.
        groups: The values of the grouping column.
        shortest: Milliseconds between opening and closing, the least of all rows; None where that is not known.
    """

    rows: Mapping[int, int]
    groups: Sequence[Any]
    shortest: int | None

    def survey(self) -> _Survey:
        """Return it as what a look at all rows shows."""
        rows = sum(self.rows.values())
        return _Survey(rows, rows, rows, rows, rows, 0, 0, 0, min(self.rows, default=None))

    def grouping(self, by: str) -> Grouping:
        """Return the column `by` with its values."""
        return Grouping(by, None if len(self.groups) > _CODED_MAX else sorted(self.groups, key=sort_key))


def _look(rows: nw.LazyFrame[Any], schema: Mapping[str, Any], by: str | None, *, timed: bool) -> Look | None:
    """Look at waves, groups and open times, which an engine often knows for whole files; None if anything is odd."""
    if not (schema["person"].is_integer() and schema["wave"].is_integer()):
        return None
    keys = ["wave", *(["by"] if by is not None else [])]
    counted = rows.with_columns(shortest=nw.col("open_until") - nw.col("open_from")) if timed else rows
    wanted = [nw.len().alias("rows"), *([nw.col("shortest").min()] if timed else [])]
    found = fetch(counted.group_by(*keys).agg(*wanted).head(_CELLS_MAX + 1))
    cells = len(found["wave"])
    if not 0 < cells <= _CELLS_MAX or any(value is None for key in keys for value in found[key]):
        return None
    counts: dict[int, int] = {}
    for wave, number in zip(found["wave"], found["rows"], strict=True):
        counts[int(wave)] = counts.get(int(wave), 0) + int(number)
    if min(counts) < 1:
        return None
    shortest = min((int(each) for each in found.get("shortest", ()) if each is not None), default=None)
    return Look(counts, list(dict.fromkeys(found["by"])) if by is not None else [], shortest)


@dataclass(frozen=True)
class _Survey:
    """What one look at all rows shows.

    Args:
        rows: How many there are; of these `persons`, `waves`, `reasons` and `groups` have one.
        masked: Rows whose person is a masked id.
        broken_persons: Rows whose person is a number that is not whole; `broken_waves` likewise.
        first: The lowest wave; None if waves are no numbers, or there are no rows.
    """

    rows: int
    persons: int
    waves: int
    reasons: int
    groups: int
    masked: int
    broken_persons: int
    broken_waves: int
    first: float | None


def _survey(rows: nw.LazyFrame[Any], schema: Mapping[str, Any], by: str | None) -> _Survey:
    """Look at all rows once, and refuse what no measure can use."""
    dtypes = {name: schema[name] for name in ("person", "wave")}
    broken = {
        name: flag(nw.col(name) != nw.col(name).floor()).sum() if _may_be_broken(dtype) else nw.len() * 0
        for name, dtype in dtypes.items()
    }
    is_masked = nw.col("person").str.starts_with(_MASK) if dtypes["person"] == nw.String else None
    questions = {
        "rows": nw.len(),
        "persons": nw.col("person").count(),
        "waves": nw.col("wave").count(),
        "reasons": nw.col("reason").count(),
        "groups": nw.col("by").count() if by is not None else nw.len(),
        "masked": nw.len() * 0 if is_masked is None else flag(is_masked).sum(),
        "broken_persons": broken["person"],
        "broken_waves": broken["wave"],
        **({"first": nw.col("wave").min()} if dtypes["wave"].is_numeric() else {}),
    }
    found = {name: values[0] for name, values in fetch(rows.select(**questions)).items()}
    first = found.pop("first", None)
    if not found["rows"]:
        return _Survey(0, 0, 0, 0, 0, 0, 0, 0, None)
    seen = _Survey(**{name: int(value) for name, value in found.items()}, first=first)
    if seen.persons < seen.rows or seen.masked or seen.broken_persons:
        raise _no_key(seen)
    if first is None or seen.waves < seen.rows or seen.broken_waves or first < 1:
        raise InputError(
            "wave must be a whole number from 1 in every row.",
            evidence={"column": "wave", "type": str(dtypes["wave"]), "lowest": first},
            next_step="number the waves 1, 2, 3 … by their first opening.",
        )
    if seen.groups < seen.rows:
        raise InputError(
            f"The column {by} is not known for all: it is null in some rows.",
            evidence={"column": by, "rows": seen.rows - seen.groups},
            next_step=f"fill {by} with a word of its own, such as not_known, where it is null.",
        )
    return seen


def _may_be_broken(dtype: Any) -> bool:
    return bool(dtype.is_float() or dtype.is_decimal())


def _no_key(seen: _Survey) -> InputError:
    if seen.masked:
        return InputError(
            "The column person holds masked ids: different people share a mask, so that it is no key.",
            evidence={"rows": seen.masked},
            next_step="use a key of your own, such as the person numbers of a history.",
        )
    return _no_person(seen.rows - seen.persons, seen.broken_persons)


def _no_person(without: int, broken: int) -> InputError:
    return InputError(
        "person must be a key in every row: a whole number or a text.",
        evidence={"without": without, "not whole": broken},
        next_step="give each row the key of its person, or leave the row out.",
    )


def _grouping(rows: nw.LazyFrame[Any], by: str) -> Grouping:
    values = distinct(rows, "by", at_most=_CODED_MAX + 1)["by"]
    known = [value for value in values if value is not None]
    return Grouping(by, None if len(known) > _CODED_MAX else sorted(known, key=sort_key))


def sort_key(value: Any) -> tuple[str, Any]:
    """Sort values of one type by themselves, and others after them."""
    return ("" if isinstance(value, int | float) else type(value).__name__, value)


def _place(grouping: Grouping) -> nw.Expr:
    if grouping.values is None:
        return nw.col("by")
    places = {value: place for place, value in enumerate(grouping.values)}
    return cases(places, nw.col("by"), null=-1, other=-1)


_Part = tuple[dict[str, nw.Expr], list[nw.Expr]]
"""Columns to make of each row, and what to compute of them for each person and wave."""


def _strongest(
    rows: nw.LazyFrame[Any], schema: dict[str, Any], *, times: bool, details: bool, exact: bool, null_is_absent: bool
) -> nw.LazyFrame[Any]:
    parts = [_word_and_closing(schema)]
    if "by" in rows.collect_schema():
        parts.append(({"by_high": nw.col("by")}, [nw.col("by").min(), nw.col("by_high").max()]))
    if times or details:
        parts.append(_times_of_visits(exact=exact, details=details))
    if details:
        sums = [nw.col("visits").sum(), nw.col("cost").sum(), nw.col("costs").count()]
        parts.append(({"visits": flag(_is_visit()), "costs": nw.col("cost")}, sums))
    made = {name: column for columns, _ in parts for name, column in columns.items()}
    wanted = [aggregate for _, aggregates in parts for aggregate in aggregates]
    found = rows.with_columns(**made).group_by("person", "wave").agg(*wanted)
    return _resolved(found, made, null_is_absent=null_is_absent)


def _is_visit() -> nw.Expr:
    return (nw.col("word") >= 0) & (nw.col("word") <= LAST_VISIT)


def _word_and_closing(schema: Mapping[str, Any]) -> _Part:
    # One number says which part closed last, and why: of two at the same time the first of the list.
    # A millisecond later, so that 0 is what is not known, and a part that closed at 0 has closed.
    closed = (nw.col("open_until") + 1).fill_null(0) * 8 if "open_until" in schema else 0
    made: dict[str, nw.Expr] = {"latest": closed + (7 - nw.col("closing"))}
    wanted = [nw.col("word").min(), nw.col("latest").max()]
    if {"as_of", "open_until"} <= set(schema):
        made["unfinished"] = flag(nw.col("as_of") < nw.col("open_until"))
        wanted.append(nw.col("unfinished").max())
    return made, wanted


def _times_of_visits(*, exact: bool, details: bool) -> _Part:
    made = {"opened": nw.col("open_from"), "first_entered": nw.when(_is_visit()).then(nw.col("entered"))}
    wanted = [nw.col("opened").min(), nw.col("first_entered").min()]
    if exact:
        made["deciding"] = nw.when(_is_visit()).then(_sort_key(details)).otherwise(nw.lit("~"))
        wanted.append(nw.col("deciding").min())
    else:
        made["done"] = nw.when(nw.col("word") == COMPLETED).then(nw.coalesce(nw.col("ended"), nw.col("entered")))
        made["done_last"] = made["done"]
        wanted += [nw.col("done").min(), nw.col("done_last").max()]
    return made, wanted


def _resolved(found: nw.LazyFrame[Any], made: Collection[str], *, null_is_absent: bool) -> nw.LazyFrame[Any]:
    """Return each person and wave in our terms.

    Args:
        found: What was computed of their rows.
        made: The columns it was computed of.
        null_is_absent: Whether a listed person is absent where nothing says why the part closed.
    """
    # A step of its own, since it is asked for often; and not `%`, which pandas lacks for numbers of Arrow.
    found = found.with_columns(closing=7 - (nw.col("latest") - nw.col("latest") // 8 * 8))
    listed = _without_visit(nw.col("closing"), null_is_absent=null_is_absent)
    columns = {"word": nw.when(nw.col("word") == LISTED).then(listed).otherwise(nw.col("word"))}
    if "opened" in made:
        columns["closes"] = nw.when(nw.col("latest") >= 8).then(nw.col("latest") // 8 - 1)
        columns["entered"] = nw.col("first_entered")
    if "deciding" in made:
        columns |= _deciding_visit(details="costs" in made)
    if "done" in made:
        columns["doubtful"] = flag(nw.col("done") != nw.col("done_last"))
    if "costs" in made:
        columns["cost"] = nw.when(nw.col("costs") > 0).then(nw.col("cost"))
    if "by_high" in made:
        columns["by_differs"] = flag(nw.col("by") != nw.col("by_high"))
    unfinished = (nw.col("word") == PENDING) | (nw.col("closing") == OPEN)
    if "unfinished" in made:
        unfinished = unfinished | (nw.col("unfinished") == 1)
    return found.with_columns(**columns).with_columns(
        final=nw.when(unfinished).then(nw.lit(0)).otherwise(nw.lit(1)),
    )


def _without_visit(closing: nw.Expr, *, null_is_absent: bool) -> nw.Expr:
    """Return what a listed person without a visit is, by why the part closed."""
    return (
        nw.when(closing == END).then(nw.lit(ABSENT))
        .otherwise(nw.when((closing >= STOPPED[0]) & (closing <= STOPPED[-1])).then(nw.lit(CUT_OFF))
        .otherwise(nw.when(closing == OPEN).then(nw.lit(PENDING))
        .otherwise(nw.when(closing == CLOSING_NOT_GIVEN).then(nw.lit(ABSENT if null_is_absent else NOT_KNOWN))
        .otherwise(nw.lit(NOT_KNOWN)))))
    )  # fmt: skip


def _sort_key(details: bool) -> nw.Expr:
    """Return a text whose smallest is the deciding visit: word, entered, ended, supplier, each of fixed length."""
    parts = [
        (nw.col("word") + 10).cast(nw.Int64()).cast(nw.String()),
        *(
            (nw.col(name).fill_null(_TIME_MAX).cast(nw.Int64()) + _DIGITS_FROM).cast(nw.String())
            for name in ("entered", "ended")
        ),
    ]
    if details:
        named = nw.concat_str([nw.lit("0"), nw.col("supplier")])
        parts.append(nw.when(nw.col("supplier").is_null()).then(nw.lit("1")).otherwise(named))
    return nw.concat_str(parts)


def _deciding_visit(details: bool) -> dict[str, nw.Expr]:
    key = nw.col("deciding")
    is_visit = key != "~"
    # Where there was no visit, digits all the same: some engines read every row before they choose.
    digits = nw.when(is_visit).then(key).otherwise(nw.lit("10" + str(_TIME_MAX + _DIGITS_FROM) * 2))
    entered, ended = (digits.str.slice(start, 16).cast(nw.Int64()) - _DIGITS_FROM for start in (2, 18))
    done = nw.when(ended < _TIME_MAX).then(ended).otherwise(entered)
    completed = (nw.col("word") == COMPLETED) & (done < _TIME_MAX)
    found = {"done": nw.when(completed).then(done), "doubtful": nw.lit(0)}
    if details:
        named = is_visit & (key.str.slice(34, 1) == "0")
        found["supplier"] = nw.when(named).then(key.str.slice(35))
    return found


def _read_again(rows: nw.LazyFrame[Any], schema: dict[str, Any], *, times: bool, details: bool) -> nw.LazyFrame[Any]:
    """Return the output of `dispositions` in our terms."""
    open_now = (nw.col("word") == PENDING) | (nw.col("closing") == OPEN)
    made: dict[str, nw.Expr] = {
        "final": nw.when(open_now | (nw.col("final") == 0)).then(nw.lit(0)).otherwise(nw.lit(1)),
    }
    if times or details:
        made |= {
            "opened": nw.col("open_from"),
            "closes": nw.col("open_until"),
            "done": nw.when(nw.col("word") == COMPLETED).then(nw.col("completed_at")),
            "doubtful": nw.lit(0),
        }
    if details and "visits" not in schema:
        made["visits"] = flag((nw.col("word") >= 0) & (nw.col("word") <= LAST_VISIT))
    if "by" in rows.collect_schema():
        made["by_differs"] = nw.lit(0)
    return rows.with_columns(**made)


def _refuse_doubles(rows: nw.LazyFrame[Any]) -> None:
    counted = rows.group_by("person", "wave").agg(nw.len().alias("times")).filter(nw.col("times") > 1)
    double = fetch(counted.select(nw.len().alias("people")))["people"][0]
    if double:
        raise InputError(
            "A frame with a column disposition has one row per person and wave; this one has more.",
            evidence={"double": double},
            next_step="give the rows of the visits, without the column disposition, to have the strongest chosen.",
        )


def is_asked(word: nw.Expr) -> nw.Expr:
    """Whether the person was asked, by the place of the word."""
    return word < REJECTED


def is_known(word: nw.Expr) -> nw.Expr:
    """Whether the person was asked, and what became of it is known."""
    return (word < REJECTED) & (word != NOT_KNOWN)
