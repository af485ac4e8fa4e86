"""Where the people of a panel went, wave by wave, in boxes that sum exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import narwhals as nw

from cint_nb.domain.arguments import check_arguments
from cint_nb.measure.frames import fetch
from cint_nb.measure.people import read_people
from cint_nb.measure.words import VISIT_WORDS, WORDS

NOT_COME = ("absent", "cut_off", "pending")
_KINDS: dict[str, type] = {"wave": int, "box": str, "parent": str, "split": str, "n": int}


@check_arguments()
def flow(frame: Any, *, waves: Sequence[int] | None = None) -> Any:
    """Return the boxes of a flow diagram: who was known, listed, asked, came, completed, in each wave.

    Formula: known (a row in this wave or an earlier one) = carried + new, and = listed + not_asked + erased; listed =
    asked + rejected; asked = came + not_came + not_known; came = the twelve words of visits; not_came = absent +
    cut_off + pending. Every sum is exact. The break-off rate is dropped / (dropped + completed).

    Source: CONSORT (Schulz, Altman & Moher 2010), for panels; the outcomes as AAPOR (2023) tells them apart.

    Args:
        frame: Visits and listed persons, see `dispositions`, or its output.
        waves: The waves to show; all if None. Who is new is decided by the whole frame.

    Returns:
        A row per wave and box, all boxes always: `wave box parent split n`. `split` is `origin` or `fate`: the boxes of
        one parent and split sum to it; the first box has neither.

    Raises:
        InputError: a wave does not exist, or a column is wrong.

    Assumes: a person and wave without any row was not asked.

    Warns: as `dispositions`.

    Example:
        >>> import pandas as pd
        >>> import cint_nb as cint
        >>> visits = pd.DataFrame({
        ...     "person": [1, 2, 3, 1, 2],
        ...     "wave": [1, 1, 1, 2, 2],
        ...     "reason": ["completed", "completed", "screened", "completed", "rejected"],
        ... })
        >>> boxes = cint.measure.flow(visits)
        >>> boxes[(boxes.wave == 2) & (boxes.n > 0)][["box", "n"]]
                  box  n
        26      known  3
        27    carried  3
        29     listed  2
        30  not_asked  1
        32      asked  1
        33   rejected  1
        34       came  1
        37  completed  1
    """
    people = read_people(frame)
    chosen = people.choose_waves(waves)
    rows: list[tuple[int, str, str | None, str | None, int]] = []
    if chosen:
        words = _count(fetch(people.data.group_by("wave", "word").agg(nw.len().alias("people"))), "word")
        starts = people.data.group_by("person").agg(nw.col("wave").min().alias("since"))
        begun = fetch(starts.group_by("since").agg(nw.len().alias("people")))
        new = {int(wave): int(number) for wave, number in zip(begun["since"], begun["people"], strict=True)}
        for wave in chosen:
            counts = Counter({WORDS[place]: number for (here, place), number in words.items() if here == wave})
            carried = sum(number for since, number in new.items() if since < wave)
            rows += [(wave, *box) for box in _boxes(counts, carried, new.get(wave, 0))]
    columns = zip(*rows, strict=True) if rows else ([] for _ in _KINDS)
    return people.origin.table({name: list(column) for name, column in zip(_KINDS, columns, strict=True)}, _KINDS)


def _count(found: dict[str, list[Any]], name: str) -> dict[tuple[int, int], int]:
    return {
        (int(wave), int(place)): int(number)
        for wave, place, number in zip(found["wave"], found[name], found["people"], strict=True)
    }


def _boxes(counts: Counter[str | None], carried: int, new: int) -> list[tuple[str, str | None, str | None, int]]:
    came = sum(counts[word] for word in VISIT_WORDS)
    not_came = sum(counts[word] for word in NOT_COME)
    asked = came + not_came + counts["not_known"]
    listed = asked + counts["rejected"]
    known = carried + new
    return [
        ("known", None, None, known),
        ("carried", "known", "origin", carried),
        ("new", "known", "origin", new),
        ("listed", "known", "fate", listed),
        ("not_asked", "known", "fate", known - listed - counts["erased"]),
        ("erased", "known", "fate", counts["erased"]),
        ("asked", "listed", "fate", asked),
        ("rejected", "listed", "fate", counts["rejected"]),
        ("came", "asked", "fate", came),
        ("not_came", "asked", "fate", not_came),
        ("not_known", "asked", "fate", counts["not_known"]),
        *((word, "came", "fate", counts[word]) for word in VISIT_WORDS),
        *((word, "not_came", "fate", counts[word]) for word in NOT_COME),
    ]
