"""How those who stayed differ from those who left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from cint_nb.caller_warnings import warn_caller
from cint_nb.domain.arguments import check_arguments
from cint_nb.measure.attrition.attributes import Attribute, sample_of_base
from cint_nb.measure.attrition.logit import Logit, SeparationError, Term, fit_logit, load, make_design
from cint_nb.measure.probability import (
    chi_square_tail,
    fisher_exact,
    holm,
    refuse_conf,
    student_p,
    two_sided_p,
    two_sided_quantile,
)

_SMALL = 5
"""An expected count below which χ² is not trusted."""
_KINDS: dict[str, type] = {
    "attribute": str,
    "level": str,
    "kind": str,
    "n": int,
    "n_stayed": int,
    "stayed": float,
    "left": float,
    "smd": float,
    "test": str,
    "statistic": float,
    "df": float,
    "p": float,
    "p_holm": float,
    "ame": float,
    "ame_low": float,
    "ame_high": float,
    "ame_p": float,
}
_NO_TEST: dict[str, Any] = {"test": "none", "statistic": None, "df": None, "p": None}
_NO_EFFECT: dict[str, Any] = {"ame": None, "ame_low": None, "ame_high": None, "ame_p": None}


@check_arguments()
def contrast(
    frame: Any,
    attributes: Any,
    *,
    wave: int,
    base: str = "previous",
    columns: Sequence[str] | None = None,
    conf: float = 0.95,
    joint: bool = True,
) -> Any:
    """Return how those who stayed differ from those who left, attribute by attribute.

    Formula: standardised differences, (stayed − left) / √((s₁² + s₀²) / 2) (Austin 2009), with p (1 − p) as variance of
    a share; Welch's t for numbers, χ² without correction for words, Fisher's exact test for two levels with an expected
    count below 5; p-values adjusted over attributes (Holm 1979). Average marginal effects come from one logit of all
    attributes: for a word everybody set to the level less everybody set to the first level, for a number the mean
    derivative; with the delta method. The model has the people of whom all numbers are known.

    Args:
        frame: Visits and listed persons, see `dispositions`, or its output.
        attributes: A row per person, with the column `person`. Numeric columns are numbers, also 0 and 1; all others
            words, in which null is the level `not_known`.
        wave: The wave that was completed or not.
        base: Whose: those who completed the wave before (`previous`), the `first` or `ever` an earlier one, or
            everybody `asked`. Of the first three, people who were not asked count as left.
        columns: The attributes; all if None.
        conf: Of the intervals, above 0.5 and below 1.
        joint: Whether to fit the model; without it the effects are null, and statsmodels is not needed.

    Returns:
        A row per number, and per level of a word: `attribute level kind n n_stayed stayed left smd test statistic df p
        p_holm ame ame_low ame_high ame_p`; `stayed` and `left` are means, or shares of the level.

    Raises:
        InputError: the first wave, no report, everybody or nobody stayed, or a column is missing.

    Assumes: people of whom nothing is known are like the others; the model, that effects add up on the logit scale.

    Warns: of people without attributes, of people cut off or not asked, who count as left, of small expected counts,
    and of separation, or numbers that are known of too few, which leave the effects null.

    Example:
        >>> import pandas as pd
        >>> import cint_nb as cint
        >>> visits = pd.DataFrame({
        ...     "person": [*range(8), *range(8)],
        ...     "wave": [1] * 8 + [2] * 8,
        ...     "reason": ["completed"] * 13 + ["absent"] * 3,
        ... })
        >>> known = pd.DataFrame({"person": range(8), "age": [60, 50, 40, 30, 20, 25, 35, 45]})
        >>> found = cint.measure.contrast(visits, known, wave=2, joint=False)
        >>> found[["attribute", "n", "n_stayed", "stayed", "left", "smd", "test", "p"]].round(2)
          attribute  n  n_stayed  stayed  left   smd   test    p
        0       age  8         5    40.0  35.0  0.38  welch  0.6
    """
    refuse_conf(conf)
    sample = sample_of_base(frame, attributes, wave=wave, base=base, columns=columns, verb="contrast")
    groups = [_compare(attribute, sample.stayed, wave) for attribute in sample.attributes]
    adjusted = holm([rows[0]["p"] for rows in groups])
    effects = _effects(sample.attributes, sample.stayed, wave, conf) if joint else {}
    rows = [
        row | {"p_holm": p} | effects.get((row["attribute"], row["level"]), _NO_EFFECT)
        for rows, p in zip(groups, adjusted, strict=True)
        for row in rows
    ]
    return sample.origin.table({name: [row[name] for row in rows] for name in _KINDS}, _KINDS)


def _compare(attribute: Attribute, stayed: Sequence[int], wave: int) -> list[dict[str, Any]]:
    return (
        _compare_numbers(attribute, stayed) if attribute.kind == "number" else _compare_words(attribute, stayed, wave)
    )


def _compare_numbers(attribute: Attribute, stayed: Sequence[int]) -> list[dict[str, Any]]:
    sides: tuple[list[float], list[float]] = ([], [])
    for value, is_here in zip(attribute.values, stayed, strict=True):
        if value is not None:
            sides[not is_here].append(value)
    (n1, mean1, variance1), (n0, mean0, variance0) = map(_moments, sides)
    row: dict[str, Any] = {
        "attribute": attribute.name,
        "level": None,
        "kind": "number",
        "n": n1 + n0,
        "n_stayed": n1,
        "stayed": mean1,
        "left": mean0,
        "smd": None,
        **_NO_TEST,
    }
    if mean1 is None or mean0 is None or variance1 is None or variance0 is None or not variance1 + variance0:
        return [row]
    difference, first, second = mean1 - mean0, variance1 / n1, variance0 / n0
    t = difference / math.sqrt(first + second)
    df = (first + second) ** 2 / (first**2 / (n1 - 1) + second**2 / (n0 - 1))
    row |= {"smd": difference / math.sqrt((variance1 + variance0) / 2), "test": "welch"}
    return [row | {"statistic": t, "df": df, "p": student_p(t, df)}]


def _moments(values: Sequence[float]) -> tuple[int, float | None, float | None]:
    """Return the number, the mean and the variance (divisor n − 1) of values."""
    n = len(values)
    if not n:
        return 0, None, None
    mean = math.fsum(values) / n
    return n, mean, math.fsum((value - mean) ** 2 for value in values) / (n - 1) if n > 1 else None


def _compare_words(attribute: Attribute, stayed: Sequence[int], wave: int) -> list[dict[str, Any]]:
    levels = attribute.levels
    counts = {level: [0, 0] for level in levels}
    for value, is_here in zip(attribute.values, stayed, strict=True):
        counts[value][not is_here] += 1
    here = sum(stayed)
    gone = len(stayed) - here
    test = _test_words(attribute.name, list(counts.values()), here, gone, wave)
    rows = []
    for level in levels:
        kept, lost = counts[level]
        p1, p0 = kept / here, lost / gone
        spread = (p1 * (1 - p1) + p0 * (1 - p0)) / 2
        rows.append(
            {
                "attribute": attribute.name,
                "level": level,
                "kind": "word",
                "n": kept + lost,
                "n_stayed": kept,
                "stayed": p1,
                "left": p0,
                "smd": (p1 - p0) / math.sqrt(spread) if spread else None,
            }
            | test
        )
    return rows


def _test_words(name: str, counts: Sequence[Sequence[int]], here: int, gone: int, wave: int) -> dict[str, Any]:
    if len(counts) < 2:
        return _NO_TEST
    total = here + gone
    expected = [[(kept + lost) * side / total for side in (here, gone)] for kept, lost in counts]
    if any(value < _SMALL for row in expected for value in row):
        if len(counts) == 2:
            return {"test": "fisher", "statistic": None, "df": None, "p": fisher_exact(*counts)}
        warn_caller(
            f"measure.contrast, wave {wave}: {name} has small expected counts: some level has fewer than {_SMALL} "
            "people expected to stay or to leave, and χ² is only roughly right. Join small levels."
        )
    chi2 = math.fsum(
        (value - wanted) ** 2 / wanted
        for seen, row in zip(counts, expected, strict=True)
        for value, wanted in zip(seen, row, strict=True)
    )
    return {"test": "chi2", "statistic": chi2, "df": len(counts) - 1, "p": chi_square_tail(chi2, len(counts) - 1)}


def _effects(
    attributes: Sequence[Attribute], stayed: Sequence[int], wave: int, conf: float
) -> dict[tuple[str, str | None], dict[str, Any]]:
    """Return the average marginal effect of each number, and each level but the first."""
    np, _ = load()
    numbers = [attribute.values for attribute in attributes if attribute.kind == "number"]
    places = [place for place in range(len(stayed)) if all(values[place] is not None for values in numbers)]
    known = [attribute.at(places) for attribute in attributes]
    outcome = np.array([stayed[place] for place in places], dtype=float)
    if len(set(outcome)) < 2:
        warn_caller(
            f"measure.contrast, wave {wave}: no effects, because "
            + (
                f"everybody of whom all numbers are known {'stayed' if outcome[0] else 'left'}. "
                if places
                else "of nobody all numbers are known. "
            )
            + "Leave out of columns what is known of few, or cut it into groups, so that unknown is a level."
        )
        return {}
    try:
        design = make_design(known)
        fit = fit_logit(design.matrix, outcome)
    except SeparationError:
        warn_caller(
            f"measure.contrast, wave {wave}: separation: some combination of the attributes predicts perfectly who "
            "stayed, a number has values so far out that they alone decide, or two attributes say the same. Effects "
            "are null; the other columns stand. Join small levels, cut such a number into groups, or leave out an "
            "attribute."
        )
        return {}
    effects: dict[tuple[str, str | None], dict[str, Any]] = {}
    for term in design.terms:
        if term.attribute.kind == "number":
            effects[term.attribute.name, None] = _slope(design.matrix, fit, term, conf)
        for place, level in enumerate(term.levels[1:]):
            effects[term.attribute.name, level] = _step(design.matrix, fit, term, place, conf)
    return effects


def _slope(matrix: Any, fit: Logit, term: Term, conf: float) -> dict[str, Any]:
    """Return the mean derivative with respect to a number."""
    np, _ = load()
    p, coefficient = fit.fitted, fit.coefficients[term.first]
    slope = p * (1 - p)
    gradient = coefficient * np.mean((slope * (1 - 2 * p))[:, None] * matrix, axis=0)
    gradient[term.first] += slope.mean()
    return _effect(coefficient * slope.mean() / term.scale, gradient / term.scale, fit, conf)


def _step(matrix: Any, fit: Logit, term: Term, place: int, conf: float) -> dict[str, Any]:
    """Return the difference between everybody set to a level and everybody set to the first."""
    np, _ = load()
    effect, gradient = 0.0, np.zeros(matrix.shape[1])
    for sign, column in ((1, term.first + place), (-1, None)):
        changed = matrix.copy()
        changed[:, term.first : term.first + len(term.levels) - 1] = 0
        if column is not None:
            changed[:, column] = 1
        p = 1 / (1 + np.exp(-(changed @ fit.coefficients)))
        effect += sign * p.mean()
        gradient += sign * np.mean((p * (1 - p))[:, None] * changed, axis=0)
    return _effect(effect, gradient, fit, conf)


def _effect(effect: float, gradient: Any, fit: Logit, conf: float) -> dict[str, Any]:
    se = math.sqrt(float(gradient @ fit.covariance @ gradient))
    half = two_sided_quantile(conf) * se
    effect = float(effect)
    return {
        "ame": effect,
        "ame_low": effect - half,
        "ame_high": effect + half,
        "ame_p": two_sided_p(effect / se) if se else None,
    }
