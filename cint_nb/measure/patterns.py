"""Who took part when: the patterns of a panel, and the people whose pattern serves an analysis."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

import narwhals as nw

from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError
from cint_nb.domain.ids import masked_repr
from cint_nb.measure.frames import fetch, flag
from cint_nb.measure.people import People, read_people
from cint_nb.measure.words import COMPLETED, CUT_OFF, NOT_KNOWN, PENDING, REJECTED

_LETTERS = {1: "1", 2: "0", 3: "?"}
_NOT_ASKED = "-"
_TYPES = (
    ("never_asked", re.compile("")),
    ("not_known", re.compile(r".*\?.*")),
    ("never", re.compile("0+")),
    ("always", re.compile("1+")),
    ("leaver", re.compile("1+0+")),
    ("late", re.compile("0+1+")),
    ("returner", re.compile("1+0+1+")),
)
_PATTERNS: dict[str, type] = {"pattern": str, "type": str, "n": int, "share": float}
_SELECTED = ("person", "done", "first", "last", "n_gaps", "longest_gap", "coverage", "kept")


@check_arguments()
def patterns(frame: Any, *, waves: Sequence[int] | None = None) -> Any:
    """Return how many people took part in which waves.

    Formula: a letter per wave: `1` completed; `0` asked, and known not to have completed; `?` not known, cut off or
    still pending; `-` not asked. The type is that of the pattern without its `-`: `never_asked` (nothing is left),
    `not_known` (any `?`), `never`, `always`, `leaver` (1s, then 0s), `late` (0s, then 1s), `returner` (1s, 0s, 1s),
    else `intermittent`.

    Source: monotone and intermittent patterns, Little & Rubin (2019), chapter 1. The names of the types are ours.

    Args:
        frame: Visits and listed persons, see `dispositions`, or its output.
        waves: The waves of the pattern; all if None. People without a row in any of them are left out.

    Returns:
        A row per pattern, the most frequent first: `pattern type n share`; the share is of all people.

    Raises:
        InputError: a wave does not exist, or a column is wrong.

    Assumes: a person and wave without any row was not asked.

    Warns: as `dispositions`.

    Example:
        >>> import pandas as pd
        >>> import cint_nb as cint
        >>> visits = pd.DataFrame({
        ...     "person": [1, 1, 2, 2, 3],
        ...     "wave": [1, 2, 1, 2, 1],
        ...     "reason": ["completed", "completed", "completed", "absent", "completed"],
        ... })
        >>> cint.measure.patterns(visits).round(2)
          pattern    type  n  share
        0      1-  always  1   0.33
        1      10  leaver  1   0.33
        2      11  always  1   0.33
    """
    people = read_people(frame)
    chosen = people.choose_waves(waves)
    if not chosen:
        return people.origin.table({name: [] for name in _PATTERNS}, _PATTERNS)
    columns = [f"wave {wave}" for wave in chosen]
    counted = _letters(people, chosen).group_by(*columns).agg(nw.len().alias("people"))
    found = fetch(counted)
    counts = {
        "".join(_LETTERS.get(int(letter), _NOT_ASKED) for letter in letters): int(number)
        for *letters, number in zip(*(found[name] for name in columns), found["people"], strict=True)
    }
    total = sum(counts.values())
    ordered = sorted(counts, key=lambda pattern: (-counts[pattern], pattern))
    values: dict[str, list[Any]] = {
        "pattern": ordered,
        "type": [_type_of(pattern) for pattern in ordered],
        "n": [counts[pattern] for pattern in ordered],
        "share": [counts[pattern] / total for pattern in ordered],
    }
    return people.origin.table(values, _PATTERNS)


def _letters(people: People, waves: Sequence[int]) -> nw.LazyFrame[Any]:
    """Return a row per person with a letter per wave, as its place; 0 where the person was not asked."""
    word = nw.col("word")
    is_open = (word == CUT_OFF) | (word == PENDING) | (word == NOT_KNOWN)
    letter = (
        nw.when(word == COMPLETED).then(nw.lit(1))
        .otherwise(nw.when(is_open).then(nw.lit(3))
        .otherwise(nw.when(word < REJECTED).then(nw.lit(2)).otherwise(nw.lit(0))))
    )  # fmt: skip
    lettered = people.data.with_columns(letter=letter)
    columns = {
        f"wave {wave}": nw.when(nw.col("wave") == wave).then(nw.col("letter")).otherwise(nw.lit(0)) for wave in waves
    }
    is_chosen = nw.any_horizontal(*(nw.col("wave") == wave for wave in waves), ignore_nulls=True)
    return (
        lettered.filter(is_chosen)
        .with_columns(**columns)
        .group_by("person")
        .agg(*(nw.col(name).max() for name in columns))
    )


def _type_of(pattern: str) -> str:
    asked = pattern.replace(_NOT_ASKED, "")
    return next((name for name, form in _TYPES if form.fullmatch(asked)), "intermittent")


@check_arguments()
def select(
    frame: Any,
    *,
    min_done: int = 1,
    max_gap: int | None = None,
    max_gaps: int | None = None,
    endpoints: bool = False,
    last_since: int | None = None,
    gaps: Literal["data", "attrition"] = "data",
    waves: Sequence[int] | None = None,
) -> Any:
    """Return who took part often enough, and without gaps too long, for an analysis.

    Formula: a gap is a run of waves without a complete between a person's first and last complete. `coverage` is the
    share of waves completed.

    Source: rules for unbalanced panels as in the R package weasel; Wooldridge (2010), chapter 19, on what selection by
    such rules assumes.

    Args:
        frame: Visits and listed persons, see `dispositions`, or its output.
        min_done: The fewest waves completed, from 0 to the number of waves.
        max_gap: The most waves in a row that a gap may have.
        max_gaps: The most gaps.
        endpoints: Whether the first and the last wave must be completed.
        last_since: The wave in which, or after which, the last complete must lie.
        gaps: `data`: every wave that was not completed is a gap. `attrition`: waves in which the person was not asked,
            or of which nothing is known, are left out first.
        waves: The waves to look at; all if None.

    Returns:
        A row per person (a query where a query was given), sorted: `person done first last n_gaps longest_gap coverage
        kept`. `first` and `last` are waves, null without a complete; `kept` is 1 where all rules hold. `coverage` is
        null where no wave is left to cover.

    Raises:
        InputError: a rule cannot hold, a wave does not exist, or a column is wrong.

    Assumes: nothing; but an analysis of selected people assumes that selection does not depend on its outcome.

    Warns: as `dispositions`.

    Example:
        >>> import pandas as pd
        >>> import cint_nb as cint
        >>> visits = pd.DataFrame({
        ...     "person": [1, 1, 1, 2, 2, 2],
        ...     "wave": [1, 2, 3, 1, 2, 3],
        ...     "reason": ["completed", "absent", "completed", "completed", "absent", "absent"],
        ... })
        >>> cint.measure.select(visits, endpoints=True)[["person", "done", "n_gaps", "longest_gap", "kept"]]
           person  done  n_gaps  longest_gap  kept
        0       1     2       1            1     1
        1       2     1       0            0     0
    """
    if gaps not in ("data", "attrition"):
        raise InputError(
            f"gaps is data or attrition, not {masked_repr(gaps, 40)}.",
            evidence={"field": "gaps"},
            next_step="data: every wave not completed is a gap. attrition: waves without a request are none.",
        )
    people = read_people(frame)
    chosen = people.choose_waves(waves)
    for name, rule in (("max_gap", max_gap), ("max_gaps", max_gaps)):
        if rule is not None and rule < 0:
            raise InputError(f"{name} is 0 or more.", evidence={"field": name}, next_step="leave it out for no limit.")
    if min_done < 0 or (chosen and min_done > len(chosen)):
        raise InputError(
            f"min_done={min_done} cannot hold: there are {len(chosen)} waves.",
            evidence={"field": "min_done"},
            next_step="ask for at most as many completes as there are waves.",
        )
    if not chosen:
        return people.origin.table({name: [] for name in _SELECTED}, {"person": str, "coverage": float})
    found = _follow(_letters(people, chosen), chosen, gaps)
    rules = [nw.col("done") >= min_done]
    if max_gap is not None:
        rules.append(nw.col("longest_gap") <= max_gap)
    if max_gaps is not None:
        rules.append(nw.col("n_gaps") <= max_gaps)
    if last_since is not None:
        rules.append(nw.col("last_wave") >= last_since)
    if endpoints:
        rules += [nw.col("starts") == 1, nw.col("ends") == 1]
    has_any = nw.col("done") > 0
    selected = found.select(
        nw.col("person").cast(nw.Int64()) if found.collect_schema()["person"].is_float() else nw.col("person"),
        nw.col("done").cast(nw.Int64()),
        nw.when(has_any).then(nw.col("first_wave").cast(nw.Int64())).alias("first"),
        nw.when(has_any).then(nw.col("last_wave").cast(nw.Int64())).alias("last"),
        nw.col("n_gaps").cast(nw.Int64()),
        nw.col("longest_gap").cast(nw.Int64()),
        nw.when(nw.col("length") > 0).then(nw.col("done") / nw.col("length")).alias("coverage"),
        flag(nw.all_horizontal(*rules, ignore_nulls=True)).cast(nw.Int64()).alias("kept"),
    )
    return people.origin.hand_over(selected.sort("person"))


def _follow(letters: nw.LazyFrame[Any], waves: Sequence[int], gaps: str) -> nw.LazyFrame[Any]:
    """Go through the waves of all people at once, and keep count."""
    counts = ("done", "length", "first_wave", "last_wave", "n_gaps", "longest_gap", "run", "starts", "ends")
    found = letters.with_columns(**{name: nw.lit(0) for name in counts})
    for wave in waves:
        letter = nw.col(f"wave {wave}")
        counts_here = letter >= 0 if gaps == "data" else (letter == 1) | (letter == 2)
        done = letter == 1
        missed = counts_here & ~done
        begun = nw.col("done") > 0
        ends_gap = done & (nw.col("run") > 0)
        longer = ends_gap & (nw.col("run") > nw.col("longest_gap"))
        found = found.with_columns(
            starts=nw.when(counts_here & (nw.col("length") == 0)).then(flag(done)).otherwise(nw.col("starts")),
            ends=nw.when(counts_here).then(flag(done)).otherwise(nw.col("ends")),
            length=nw.col("length") + flag(counts_here),
            first_wave=nw.when(done & ~begun).then(nw.lit(wave)).otherwise(nw.col("first_wave")),
            last_wave=nw.when(done).then(nw.lit(wave)).otherwise(nw.col("last_wave")),
            n_gaps=nw.col("n_gaps") + flag(ends_gap),
            longest_gap=nw.when(longer).then(nw.col("run")).otherwise(nw.col("longest_gap")),
            run=nw.when(done).then(nw.lit(0)).otherwise(nw.col("run") + flag(missed & begun)),
            done=nw.col("done") + flag(done),
        )
    return found
