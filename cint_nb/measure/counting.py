"""Counting completes and times to completion inside the engine: what comes out has a row per wave, or event time."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw

from cint_nb.caller_warnings import warn_caller
from cint_nb.domain.errors import InputError
from cint_nb.measure.bases import Based, Cell, in_order, people_of_base
from cint_nb.measure.frames import Values, fetch, flag
from cint_nb.measure.people import People, is_asked, is_known, read_people
from cint_nb.measure.words import (
    CLOSING_NOT_GIVEN,
    CLOSINGS,
    COMPLETED,
    CUT_OFF,
    NOT_KNOWN,
    PAUSE,
    PENDING,
    TURNED_AWAY,
    UNKNOWN_WORD,
    WORDS,
)

HOUR = 3_600_000
"""Milliseconds."""
_HOURS_MAX = 1_000_000
"""More than a century: beyond this a number of hours is something else."""

_NOT_ASKED, _NOT_KNOWN, _UNTIMED = -3, -2, -1
"""In place of a time, for people who have none."""
_NO_KEY, _UNKNOWN_WORD, _GROUPS_DIFFER, _CLOSED_FIRST, _CAME_FIRST, _DOUBTFUL = 6, 5, 4, 3, 2, 1
"""What may be wrong with a person, the worst highest."""


def refuse_horizon(horizon: float | None) -> float | None:
    """Return a horizon in milliseconds; refuse one that is not above 0."""
    if horizon is None:
        return None
    if not 0 < horizon <= _HOURS_MAX:
        raise InputError(
            "horizon is a number of hours above 0.",
            evidence={"field": "horizon", "given": horizon},
            next_step="give the hours since the opening, such as 48, or leave it out.",
        )
    exact = horizon * HOUR
    # Times are whole milliseconds; a horizon that was read off a result must meet them.
    return float(round(exact)) if abs(exact - round(exact)) < 1e-3 else exact


@dataclass(frozen=True)
class CellCounts:
    """What the engine counted in one wave, or one group of a wave.

    Args:
        known: People who were asked and whose report is there.
        completed: Those of them who completed; `cut_off` and `pending` likewise.
        not_known: People who were asked and whose report is missing.
        not_asked: People of the base who were not.
        unfinished: Whether an answer may still change.
        paused: Whether a part ended with a pause.
        closings: The first and the last word for why their parts closed, by place; None without known people.
        shortest: Milliseconds between opening and closing, the least of the known people; `longest` the most.
        untimed: Known people whose open times are not known.
        at_risk: People whose time is at least the horizon.
        log_survival: log S at the horizon; meaningless where `emptied`.
        greenwood: Greenwood's sum at the horizon.
        emptied: Whether the last people at risk completed by then, so that S is 0.
    """

    known: int = 0
    completed: int = 0
    cut_off: int = 0
    pending: int = 0
    not_known: int = 0
    not_asked: int = 0
    unfinished: bool = False
    paused: bool = False
    closings: tuple[int, int] | None = None
    shortest: float | None = None
    longest: float | None = None
    untimed: int = 0
    at_risk: int = 0
    log_survival: float = 0.0
    greenwood: float = 0.0
    emptied: bool = False

    @property
    def n(self) -> int:
        """The denominator: the base without those whose report is missing."""
        return self.known + self.not_asked

    @property
    def is_known(self) -> bool:
        """Whether anything is known of those who were asked, or nobody was asked at all."""
        return bool(self.known) or not self.not_known

    @property
    def closed_by(self) -> str | None:
        """The word for why the parts closed, if it is the same for all."""
        if self.closings is None:
            return None
        first, last = self.closings
        if first != last:
            return "mixed"
        return None if first == CLOSING_NOT_GIVEN else CLOSINGS[first]

    @property
    def kind(self) -> str:
        """What may be concluded from the share."""
        if not self.is_known:
            return "not_known"
        if self.pending or self.unfinished:
            return "provisional"
        return "lower_bound" if self.cut_off else "rate"


@dataclass(frozen=True)
class Counted:
    """The counts of every cell of a frame.

    Args:
        people: Whom they are of.
        cells: Every wave, and group, in order.
        counts: Of each.
        horizon: Milliseconds since the opening; None where no open times are known.
    """

    people: People
    cells: list[Cell]
    counts: dict[Cell, CellCounts]
    horizon: float | None


def count_cells(frame: Any, *, by: str | None, base: str, horizon: float | None) -> Counted:
    """Return the counts of each wave, and group, of a base.

    Args:
        frame: Visits and listed persons, or the output of `dispositions`.
        by: The grouping column.
        base: Whom to count.
        horizon: Milliseconds since the opening; the shortest open time if None.
    """
    for exact in (False, True):  # exactly only where somebody completed several times in a wave
        people = read_people(frame, by=by, times=True, exact=exact, words=False, quick=True)
        if not people.rows:
            return Counted(people, [], {}, horizon)
        based = people_of_base(people, base)
        found = _fetch_timed(people, based, horizon) if people.timed else _fetch_in_spans(people, based, _plain_query)
        troubles = found["trouble"] if people.timed else (_unpacked(int(packed))[3] for packed in found["packed"])
        worst = max(map(int, troubles), default=0)
        if worst > _DOUBTFUL:
            refuse_trouble(people, worst)
        if worst < _DOUBTFUL:
            break
    counts = _timed_counts(people, found) if people.timed else _plain_counts(people, found)
    for cell, missing in based.missing.items():
        counts[cell] = replace(counts[cell], not_asked=counts[cell].not_asked + missing)
    if horizon is None:
        horizon = min((each.shortest for each in counts.values() if each.shortest is not None), default=None)
    if based.cells is None:
        counts = {cell: replace(each, not_asked=0) for cell, each in counts.items()}
    return Counted(people, based.cells or in_order(counts), counts, horizon)


def _fetch_timed(people: People, based: Based, horizon: float | None) -> Values:
    """Return the counts at a horizon; the shortest open time of all if None.

    That of all rows is known before people are counted. It is that of all people too, unless those it is of came to
    two parts, or nothing is known of them: then they are counted again.
    """
    is_everybody = based.cells is None
    guess = people.look.shortest if horizon is None and people.look is not None and is_everybody else horizon
    found = _fetch_in_spans(people, based, lambda people, data: _timed_query(people, data, guess))
    if horizon is not None or (guess is None and (len(people.spans()) == 1 or not is_everybody)):
        return found
    shortest = min((each for each in found["exposure"] if each is not None), default=None)
    if shortest in (None, guess) or max(map(int, found["trouble"]), default=0):
        return found
    return _fetch_in_spans(people, based, lambda people, data: _timed_query(people, data, int(shortest)))


def _fetch_in_spans(
    people: People, based: Based, query: Callable[[People, nw.LazyFrame[Any]], nw.LazyFrame[Any]]
) -> Values:
    """Return what a query of people finds; of very many in one span of waves after the other."""
    found: Values = {}
    for span in people.spans() if based.cells is None else [None]:
        data = based.data
        if span is not None:
            data = data.filter((nw.col("wave") >= span[0]) & (nw.col("wave") <= span[1]))
        for name, values in fetch(query(people, data)).items():
            found.setdefault(name, []).extend(values)
    return found


def refuse_trouble(people: People, worst: int) -> None:
    """Refuse what is wrong with somebody, in words."""
    if worst == _NO_KEY:
        people.refuse_no_keys()
    if worst == _UNKNOWN_WORD:
        people.refuse_unknown_words()
    if worst == _GROUPS_DIFFER:
        name = "by" if people.by is None else people.by.name
        raise InputError(
            f"The column {name} differs between the rows of one person and wave, so that they belong to two groups.",
            evidence={"column": name},
            next_step="group by something that is the same in all rows of a person and wave.",
        )
    what = (
        "A part closed before it opened"
        if worst == _CLOSED_FIRST
        else "Somebody came or completed before the wave opened"
    )
    raise InputError(
        f"{what}: the times contradict each other.",
        evidence={"columns": "entered, ended, open_from, open_until"},
        safe="nothing was computed; a time zone that differs between two sources is the usual cause.",
        next_step="give all times as milliseconds since 1970-01-01 in UTC; reports are in US Central time.",
    )


def with_times(people: People, data: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Return the people with `time` (milliseconds, or why they have none), `event`, `exposure` and `trouble`."""
    word = nw.col("word")
    trouble: nw.Expr = nw.lit(0)
    time: nw.Expr = nw.lit(_UNTIMED)
    made: dict[str, nw.Expr] = {"event": flag(word == COMPLETED)}
    if people.timed:
        opened, closes, entered, done = (nw.col(name) for name in ("opened", "closes", "entered", "done"))
        came_until = nw.when(entered < closes).then(entered).otherwise(closes)
        # Who came in time may complete when the others are censored already, and would then be alone at risk.
        done = nw.when(done > closes).then(closes).otherwise(done)
        is_turned_away = (word >= TURNED_AWAY[0]) & (word <= TURNED_AWAY[-1])
        ended = (
            nw.when(word == COMPLETED).then(done).otherwise(nw.when(is_turned_away).then(came_until).otherwise(closes))
        )
        known_time = nw.when((ended - opened).is_null() | (closes - opened).is_null())
        time = known_time.then(nw.lit(_UNTIMED)).otherwise(ended - opened)
        made["exposure"] = nw.when(is_known(word)).then(closes - opened)
        trouble = nw.when(nw.col("doubtful") == 1).then(nw.lit(_DOUBTFUL)).otherwise(trouble)
        trouble = nw.when((entered < opened) | (done < opened)).then(nw.lit(_CAME_FIRST)).otherwise(trouble)
        trouble = nw.when(closes < opened).then(nw.lit(_CLOSED_FIRST)).otherwise(trouble)
    if people.by is not None:
        trouble = nw.when(nw.col("by_differs") == 1).then(nw.lit(_GROUPS_DIFFER)).otherwise(trouble)
    trouble = nw.when(word == UNKNOWN_WORD).then(nw.lit(_UNKNOWN_WORD)).otherwise(trouble)
    made["trouble"] = nw.when(nw.col("person").is_null()).then(nw.lit(_NO_KEY)).otherwise(trouble)
    time = nw.when(word == NOT_KNOWN).then(nw.lit(_NOT_KNOWN)).otherwise(time)
    made["time"] = nw.when(is_asked(word)).then(time).otherwise(nw.lit(_NOT_ASKED))
    return data.with_columns(**made)


def cell_keys(people: People) -> list[str]:
    """Return the columns that tell cells apart."""
    return ["wave"] if people.by is None else ["wave", "by"]


def cells_of(people: People, found: Values) -> list[Cell]:
    """Return the cell of each row of a result."""
    groups = [None] * len(found["wave"]) if people.by is None else [people.by.label(value) for value in found["by"]]
    return [Cell(int(wave), group) for wave, group in zip(found["wave"], groups, strict=True)]


_PACKED = (len(WORDS) + 1, len(CLOSINGS) + 1, 2, _NO_KEY + 1)
"""How many values the parts of a packed number have: word (from -1), closing, final, trouble."""


def _plain_query(people: People, data: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Count people by all that matters of them, packed into one number, by which engines group fast."""
    packed = nw.col("word") + 1
    for name, size in zip(("closing", "final", "trouble"), _PACKED[1:], strict=True):
        packed = packed * size + nw.col(name)
    counted = with_times(people, data).with_columns(packed=packed)
    return counted.group_by(*cell_keys(people), "packed").agg(nw.len().alias("people"))


def _unpacked(number: int) -> tuple[int, int, int, int]:
    number, trouble = divmod(number, _PACKED[3])
    number, final = divmod(number, _PACKED[2])
    word, closing = divmod(number, _PACKED[1])
    return word - 1, closing, final, trouble


def _plain_counts(people: People, found: Values) -> dict[Cell, CellCounts]:
    counts: dict[Cell, CellCounts] = defaultdict(CellCounts)
    for cell, packed, value in zip(cells_of(people, found), found["packed"], found["people"], strict=True):
        before, number = counts[cell], int(value)
        word, closing, final, _ = _unpacked(int(packed))
        if word == NOT_KNOWN:
            counts[cell] = replace(before, not_known=before.not_known + number)
        elif word > PENDING:
            counts[cell] = replace(before, not_asked=before.not_asked + number)
        else:
            closings = (closing, *(before.closings or ()))
            counts[cell] = replace(
                before,
                known=before.known + number,
                completed=before.completed + number * (word == COMPLETED),
                cut_off=before.cut_off + number * (word == CUT_OFF),
                pending=before.pending + number * (word == PENDING),
                unfinished=before.unfinished or not final,
                paused=before.paused or closing == PAUSE,
                closings=(min(closings), max(closings)),
                untimed=before.untimed + number,
            )
    return counts


def _timed_query(people: People, data: nw.LazyFrame[Any], horizon: float | None) -> nw.LazyFrame[Any]:
    """Return one query for all counts: people are counted by their times, then times by running sums."""
    keys = cell_keys(people)
    word, known = nw.col("word"), is_known(nw.col("word"))
    by_time = (
        with_times(people, data)
        .with_columns(
            **({"time": _clipped(horizon)} if horizon is not None else {}),
            cut_off=flag(word == CUT_OFF),
            pending=flag(word == PENDING),
            unfinished=flag(known & (nw.col("final") == 0)),
            paused=flag(known & (nw.col("closing") == PAUSE)),
            first_closing=nw.when(known).then(nw.col("closing")),
            last_closing=nw.when(known).then(nw.col("closing")),
            longest=nw.col("exposure"),
        )
        .group_by(*keys, "time")
        .agg(
            nw.len().alias("people"),
            *(nw.col(name).sum() for name in ("event", "cut_off", "pending")),
            *(nw.col(name).max() for name in ("unfinished", "paused", "last_closing", "longest", "trouble")),
            *(nw.col(name).min() for name in ("first_closing", "exposure")),
        )
        .with_columns(
            timed=nw.when(nw.col("time") >= 0).then(nw.col("people")).otherwise(nw.lit(0)),
            everywhere=nw.lit(1),
        )
        .with_columns(
            risk=nw.col("timed").cum_sum(reverse=True).over(*keys, order_by="time"),
            horizon=nw.col("exposure").min().over("everywhere") if horizon is None else nw.lit(horizon),
        )
    )
    risk, events = nw.col("risk"), nw.col("event")
    counted = (nw.col("time") >= 0) & (nw.col("time") <= nw.col("horizon")) & (events > 0)
    lasting = counted & (events < risk)
    # Where nothing is counted, numbers that are harmless: some engines compute every branch.
    left = nw.when(lasting).then(risk - events).otherwise(nw.lit(1))
    at_risk = nw.when(lasting).then(risk).otherwise(nw.lit(1))
    return (
        by_time.with_columns(
            known=nw.when(nw.col("time") >= _UNTIMED).then(nw.col("people")).otherwise(nw.lit(0)),
            untimed=nw.when(nw.col("time") == _UNTIMED).then(nw.col("people")).otherwise(nw.lit(0)),
            not_known=nw.when(nw.col("time") == _NOT_KNOWN).then(nw.col("people")).otherwise(nw.lit(0)),
            not_asked=nw.when(nw.col("time") == _NOT_ASKED).then(nw.col("people")).otherwise(nw.lit(0)),
            at_risk=nw.when(nw.col("time") >= nw.col("horizon")).then(nw.col("timed")).otherwise(nw.lit(0)),
            log_survival=nw.when(lasting).then((left / at_risk).log()).otherwise(nw.lit(0.0)),
            greenwood=nw.when(lasting).then(events / (at_risk * left)).otherwise(nw.lit(0.0)),
            emptied=flag(counted & (events == risk)),
        )
        .group_by(*keys)
        .agg(
            *(
                nw.col(name).sum()
                for name in (
                    "known", "event", "cut_off", "pending", "not_known", "not_asked", "untimed", "at_risk",
                    "log_survival", "greenwood", "emptied",
                )
            ),
            *(nw.col(name).max() for name in ("unfinished", "paused", "last_closing", "longest", "trouble")),
            *(nw.col(name).min() for name in ("first_closing", "exposure")),
        )
    )  # fmt: skip


def _clipped(horizon: float) -> nw.Expr:
    """Return the times, all that are beyond a horizon as one: whoever has such a time is at risk until then."""
    beyond = math.floor(horizon) + 1
    return nw.when(nw.col("time") > beyond).then(nw.lit(beyond)).otherwise(nw.col("time"))


def _timed_counts(people: People, found: Values) -> dict[Cell, CellCounts]:
    counts: dict[Cell, CellCounts] = defaultdict(CellCounts)
    rows = (dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True))
    for cell, row in zip(cells_of(people, found), rows, strict=True):
        first, last = row["first_closing"], row["last_closing"]
        counts[cell] = CellCounts(
            **{
                name: int(row[name])
                for name in ("known", "cut_off", "pending", "not_known", "not_asked", "untimed", "at_risk")
            },
            completed=int(row["event"]),
            unfinished=bool(row["unfinished"]),
            paused=bool(row["paused"]),
            closings=None if first is None else (int(first), int(last)),
            shortest=row["exposure"],
            longest=row["longest"],
            log_survival=row["log_survival"],
            greenwood=row["greenwood"],
            emptied=bool(row["emptied"]),
        )
    return counts


@dataclass(frozen=True)
class EventTime:
    """What happened at one time in one cell.

    Args:
        time: Milliseconds since the opening.
        at_risk: People who had neither completed nor been censored before.
        events: How many completed.
        censored: How many were censored.
    """

    time: int
    at_risk: int
    events: int
    censored: int

    @property
    def hours(self) -> float:
        """Since the opening."""
        return self.time / HOUR


@dataclass(frozen=True)
class Times:
    """The times of every cell of a frame, in order; none for cells with people whose open times are not known."""

    people: People
    cells: list[Cell]
    times: dict[Cell, list[EventTime]]
    untimed: int


def count_times(frame: Any, *, by: str | None, base: str) -> Times:
    """Return how many people of a base completed, or were censored, at each time of each wave, and group."""
    people = read_people(frame, by=by, times=True)
    if not people.rows:
        return Times(people, [], {}, 0)
    based = people_of_base(people, base)
    counted = (
        with_times(people, based.data)
        .group_by(*cell_keys(people), "time")
        .agg(nw.len().alias("people"), nw.col("event").sum(), nw.col("trouble").max())
    )
    found = fetch(counted)
    worst = max(map(int, found["trouble"]), default=0)
    if worst > _DOUBTFUL:
        refuse_trouble(people, worst)
    rows: dict[Cell, dict[int, tuple[int, int]]] = defaultdict(dict)
    for cell, *numbers in zip(
        cells_of(people, found), *(found[name] for name in ("time", "people", "event")), strict=True
    ):
        time, number, events = map(int, numbers)
        rows[cell][time] = (number, events)
    times: dict[Cell, list[EventTime]] = {}
    for cell, counts in rows.items():
        at_risk = sum(number for time, (number, _) in counts.items() if time >= 0)
        times[cell] = []
        for time, (number, events) in sorted(counts.items()) if _UNTIMED not in counts else ():
            if time >= 0:
                times[cell].append(EventTime(time, at_risk, events, number - events))
                at_risk -= number
    untimed = sum(counts[_UNTIMED][0] for counts in rows.values() if _UNTIMED in counts)
    return Times(people, based.cells or in_order(times), times, untimed)


def warn_untimed(count: int, what: str) -> None:
    """Say that people whose open times are not known leave a measure without a value."""
    warn_caller(
        f"measure: open times are not known for {count:,} people, so that {what}. Give open_from and open_until "
        "for their parts, and for a complete when it ended."
    )
