"""Shares of people with their Wilson intervals, and two groups of people side by side."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cint_nb.domain.errors import InputError
from cint_nb.domain.ids import as_printed

if TYPE_CHECKING:
    import pandas as pd

NOT_KNOWN = "not known"


def wilson_interval(people: int, of: int, confidence: float = 0.95) -> tuple[float | None, float | None]:
    """Return the Wilson score interval of a share; (None, None) where there is nobody to count.

    Unlike the share plus and minus something, it stays between 0 and 1 and is of use for small groups.

    Args:
        people: How many did it.
        of: How many there were.
        confidence: Share of such intervals that hold the true rate, above 0 and below 1.

    Returns:
        The low and the high end, 0–1.

    Raises:
        InputError: the counts contradict each other, or the confidence is not between 0 and 1.
    """
    if not 0 < confidence < 1 or not 0 <= people <= of:
        raise InputError(
            "An interval needs 0 ≤ people ≤ of, and a confidence between 0 and 1.",
            evidence={"people": people, "of": of, "confidence": confidence},
            next_step="give people=162, of=250, confidence=0.95 for 162 of 250 people at 95 % confidence.",
        )
    if not of:
        return None, None
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, weight = people / of, z * z / of
    middle = (share + weight / 2) / (1 + weight)
    half = z * sqrt(share * (1 - share) / of + weight / (4 * of)) / (1 + weight)
    # At the ends rounding would put the interval beside the share.
    return middle - half if people else 0.0, middle + half if people < of else 1.0


def contrast(values: pd.Series, stayed: NDArray[np.bool_], *, bins: int | None, confidence: float) -> pd.DataFrame:
    """Compare the people who stayed with the others, value by value; see `WaveSeries.contrast` for the columns.

    Args:
        values: What is known of each person; missing values become `not known`.
        stayed: For each person whether they stayed.
        bins: Cut numbers into so many groups of about equal size; None takes every value as it is.
        confidence: Of the intervals.

    Raises:
        InputError: groups of numbers were asked for, and the values are none.
    """
    import pandas as pd

    groups, order = _group_values(values) if bins is None else _group_numbers(values, bins)
    counts = {group: [0, 0] for group in order}
    for group, is_here in zip(groups, stayed.tolist(), strict=True):
        counts[group][not is_here] += 1
    here, gone = (sum(pair[side] for pair in counts.values()) for side in (0, 1))
    rows = [
        (
            group,
            kept,
            lost,
            kept / max(1, here),
            lost / max(1, gone),
            kept / (kept + lost),
            *wilson_interval(kept, kept + lost, confidence),
            confidence,
        )
        for group, (kept, lost) in counts.items()
    ]
    columns = [
        "value",
        "stayed",
        "dropped_out",
        "share_of_stayed",
        "share_of_dropped_out",
        "retention",
        "low",
        "high",
        "confidence",
    ]
    return pd.DataFrame(rows, columns=columns)


def _group_values(values: pd.Series) -> tuple[list[str], list[str]]:
    """Return the value of each person, and the values, the most frequent first, `not known` last."""
    words = [NOT_KNOWN if empty or str(value) == "" else str(value) for value, empty in _fill_missing(values)]
    sizes = {word: words.count(word) for word in dict.fromkeys(words)}
    return words, sorted(sizes, key=lambda word: (word == NOT_KNOWN, -sizes[word], word))


def _group_numbers(values: pd.Series, bins: int) -> tuple[list[str], list[str]]:
    """Return the group of each person, and the groups in the order of their numbers, `not known` last."""
    import pandas as pd

    numbers = pd.to_numeric(values, errors="coerce")
    if numbers.notna().sum() == 0 or bins < 2:
        raise InputError(
            "Groups of numbers need numbers, and two groups or more.",
            evidence={"bins": bins, "numbers": int(numbers.notna().sum())},
            next_step="leave bins out for values that are words.",
        )
    edges = np.unique(np.quantile(numbers.dropna(), np.linspace(0, 1, bins + 1)))
    places = np.clip(np.searchsorted(edges, numbers.to_numpy(), side="left") - 1, 0, max(0, len(edges) - 2))
    labels: dict[int, str] = {}
    for place in sorted(set(places[numbers.notna().to_numpy()])):
        inside = numbers[(places == place) & numbers.notna().to_numpy()]
        low, high = f"{inside.min():,.10g}", f"{inside.max():,.10g}"
        labels[place] = low if low == high else as_printed(f"{low}–{high}")
    empty = numbers.isna().tolist()
    groups = [NOT_KNOWN if gap else labels[place] for place, gap in zip(places.tolist(), empty, strict=True)]
    return groups, [*labels.values(), *([NOT_KNOWN] if any(empty) else [])]


def _fill_missing(values: pd.Series) -> list[tuple[object, bool]]:
    return list(zip(values.tolist(), values.isna().tolist(), strict=True))
