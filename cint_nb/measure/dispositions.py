"""What became of each person in each wave."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from cint_nb.domain.arguments import check_arguments
from cint_nb.measure.frames import flag
from cint_nb.measure.people import is_asked, read_people
from cint_nb.measure.words import CLOSINGS, COMPLETED, LAST_VISIT, WORDS

COLUMNS = {
    "person": str,
    "wave": int,
    "disposition": str,
    "asked": int,
    "came": int,
    "completed": int,
    "visits": int,
    "entered": int,
    "completed_at": int,
    "open_from": int,
    "open_until": int,
    "closed_by": str,
    "supplier": str,
    "cost": int,
    "final": int,
}


@check_arguments()
def dispositions(frame: Any) -> Any:
    """Return one row per person and wave: the strongest of several visits, or why there was none.

    Formula: the strongest visit wins, in the order `completed reconciled quality screened over_quota closed priced_out
    dropped declined blocked duplicate failed`; of equals the one that entered first, then ended first, then by the
    letters of its supplier. A listed person without a visit is, by why the part closed, `absent` (at its planned end),
    `cut_off` (goal, hand or pause: nobody can say whether they would have come), `pending` (still open) or `not_known`.

    Source: the terms follow AAPOR's Standard Definitions for non-probability panels (10th edition, 2023), divided
    by who ended the visit.

    Args:
        frame: A frame of any library that narwhals reads, with a row per visit and per listed person without one:
            `person`, `wave` (from 1) and `reason`, a word or null; and, as far as known, `entered`, `ended`,
            `open_from`, `open_until` and `as_of` (milliseconds since 1970 in UTC), `closed_by` (`end`, `goal`,
            `hand`, `pause`, `open` or `not_known`), `supplier`, and `cost` (ten-thousandths of a currency unit).

    Returns:
        A frame of the same library (a query where a query was given), sorted by person and wave, with the columns
        `person wave disposition asked came completed visits entered completed_at open_from open_until closed_by
        supplier cost final`; flags are 0 or 1. `asked` is 0 for rejected, erased and not asked people, `final` is 0
        where the answer may still change.

    Raises:
        InputError: a column is missing, or holds a word or a type that is not known.

    Assumes: a person and wave without any row was not asked.

    Warns: where somebody has no reason and there is no column `closed_by`, that they count as absent.

    Example:
        >>> import pandas as pd
        >>> import cint_nb as cint
        >>> visits = pd.DataFrame({
        ...     "person": [1, 1, 2, 3],
        ...     "wave": [1, 1, 1, 1],
        ...     "reason": ["dropped", "completed", None, None],
        ...     "closed_by": ["end", "end", "end", "goal"],
        ... })
        >>> cint.measure.dispositions(visits)[["person", "disposition", "visits", "final"]]
           person disposition  visits  final
        0       1   completed       2      1
        1       2      absent       0      1
        2       3     cut_off       0      1
    """
    people = read_people(frame, details=True)
    if not people.rows:
        return people.origin.table({name: [] for name in COLUMNS}, COLUMNS)
    word, closing = nw.col("word"), nw.col("closing")
    as_key = [nw.col("person")]
    if people.data.collect_schema()["person"].is_float():
        as_key = [nw.col("person").cast(nw.Int64())]
    whole_numbers = {
        "wave": nw.col("wave"),
        "asked": flag(is_asked(word)),
        "came": flag(word <= LAST_VISIT),
        "completed": flag(word == COMPLETED),
        "visits": nw.col("visits"),
        "final": nw.col("final"),
    }
    times = {
        "entered": nw.col("entered"),
        "completed_at": nw.col("done"),
        "open_from": nw.col("opened"),
        "open_until": nw.col("closes"),
        "cost": nw.col("cost"),
    }
    if not people.data.implementation.is_pandas_like():  # whose whole numbers know no null
        times = {name: column.cast(nw.Int64()) for name, column in times.items()}
    found = people.data.select(
        *as_key,
        **{name: column.cast(nw.Int64()) for name, column in whole_numbers.items()},
        **times,
        disposition=_word_at(word, WORDS),
        closed_by=_word_at(closing, CLOSINGS),
        supplier=nw.col("supplier"),
    )
    return people.origin.hand_over(found.select(*COLUMNS).sort("person", "wave"))


def _word_at(place: nw.Expr, words: tuple[str | None, ...]) -> nw.Expr:
    found: nw.Expr = nw.lit(None, dtype=nw.String())
    for number, word in reversed(list(enumerate(words))):
        if word is not None:
            found = nw.when(place == number).then(nw.lit(word)).otherwise(found)
    return found
