"""Weights that make those who stayed stand for all who began, and their replicates."""

from __future__ import annotations

import math
import random
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from cint_nb.caller_warnings import warn_caller
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError
from cint_nb.domain.ids import masked_repr
from cint_nb.measure.attrition.attributes import read_persons_table
from cint_nb.measure.attrition.chain import Chain, UnusableError, fit_steps, read_chain, refuse_unusable

_UNUSABLE_MAX = 0.05
"""The share of replicates that may be unusable without a warning."""
_REPLICATES_MAX = 100_000
_CLASSES_MAX = 1_000
_WEIGHTS: dict[str, type] = {"wave": int, "p": float, "weight_raw": float, "weight": float}
_REPLICATES: dict[str, type] = {"replicate": int, "wave": int, "times": int, "weight": float}


@check_arguments()
def attrition_weights(
    frame: Any,
    attributes: Any,
    *,
    columns: Sequence[str] | None = None,
    waves: Sequence[int] | None = None,
    method: Literal["logit", "classes"] = "logit",
    classes: int = 5,
    base_weight: str | None = None,
    trim: float | None = None,
    cut_off: Literal["refuse", "as_left"] = "refuse",
) -> Any:
    """Return weights by which those who stayed stand for everybody who completed the first wave.

    Formula: a chain of steps; each models completing a wave among those who completed every wave before it, and the
    weight is the base weight × Π 1/p. Whoever was not asked counts as left. With `logit` p is the fitted probability of
    a logit with main effects, unweighted; with `classes` people are sorted by it into classes of about equal size, and
    p is the share of the class that stayed.

    Source: Rizzo, Kalton & Brick (1996); Little (1986) for weighting classes; Potter (1990) for trimming.

    Args:
        frame: Visits and listed persons, see `dispositions`, or its output.
        attributes: A row per person, with the column `person`; numeric columns are numbers, all others words.
        columns: The attributes that predict staying; all but the base weight if None.
        waves: The waves of the chain, of which the first is where it begins; all if None.
        method: `logit` or `classes`.
        classes: How many classes, from 2 to 1,000.
        base_weight: A column of `attributes` with weights from before, such as a calibration of the first wave.
        trim: Weights above this many times the median of their wave are cut to it, once; above 1. What was cut is
            spread over all in proportion, so that the largest end a little above.
        cut_off: `refuse` waves in which people of the chain were cut off, or count them `as_left`.

    Returns:
        A row per wave and person who completed all waves so far: `person wave p weight_raw weight`; `p` is of the step
        to this wave, `weight_raw` of all steps so far, `weight` is trimmed.

    Raises:
        InputError: there are no two waves; a wave is still open, or stopped early, or has no report; attributes
            separate those who stayed; a class has nobody who stayed; a number or a base weight is not known.

    Assumes: missing at random: of two people with the same attributes, staying does not depend on what they would have
    answered, and none is certain to leave. Where it does, bias remains, and nothing in the data can show it.

    Warns: of people without attributes or without a known answer, who leave the chain and for whom nobody else stands;
    of people cut off; and of people who were not asked, for whom weights make up as if they had left by themselves.

    Example:
        >>> import pandas as pd
        >>> import cint_nb as cint
        >>> visits = pd.DataFrame({
        ...     "person": [*range(8), *range(8)],
        ...     "wave": [1] * 8 + [2] * 8,
        ...     "reason": ["completed"] * 8 + ["completed"] * 3 + ["absent"] + ["completed", "absent"] * 2,
        ... })
        >>> known = pd.DataFrame({"person": range(8), "device": ["desktop"] * 4 + ["phone"] * 4})
        >>> weights = cint.measure.attrition_weights(visits, known)
        >>> weights[weights.wave == 2].round(3)
            person  wave     p  weight_raw  weight
        8        0     2  0.75       1.333   1.333
        9        1     2  0.75       1.333   1.333
        10       2     2  0.75       1.333   1.333
        11       4     2  0.50       2.000   2.000
        12       6     2  0.50       2.000   2.000
    """
    _refuse_settings(method, classes, cut_off)
    if trim is not None and not 1 < trim < math.inf:
        raise InputError(
            "trim is a number above 1: how many times the median a weight may be.",
            evidence={"field": "trim", "given": trim},
            next_step="give 3, for example, or leave it out.",
        )
    chain = read_chain(
        frame, attributes, columns=columns, waves=waves, base_weight=base_weight, cut_off=cut_off,
        verb="attrition_weights",
    )  # fmt: skip
    try:
        steps = fit_steps(chain, method=method, classes=classes)
    except UnusableError as error:
        raise refuse_unusable(chain, error) from error
    values: dict[str, list[Any]] = {name: [] for name in ("person", *_WEIGHTS)}
    for wave, places, probabilities, raw in _weights(chain, steps):
        values["person"] += [chain.persons[place] for place in places]
        values["wave"] += [wave] * len(places)
        values["p"] += probabilities
        values["weight_raw"] += raw
        values["weight"] += raw if trim is None else _trimmed(raw, trim)
    return chain.origin.table(values, _WEIGHTS)


def _refuse_settings(method: str, classes: int, cut_off: str) -> None:
    for name, word, known in (("method", method, ("logit", "classes")), ("cut_off", cut_off, ("refuse", "as_left"))):
        if word not in known:
            raise InputError(
                f"{name} is {' or '.join(known)}, not {masked_repr(word, 40)}.",
                evidence={"field": name},
                next_step=f"leave {name} out for {known[0]}.",
            )
    if not 2 <= classes <= _CLASSES_MAX:
        raise InputError(
            f"classes is from 2 to {_CLASSES_MAX:,}.",
            evidence={"field": "classes", "given": classes},
            next_step="5 is usual.",
        )


def _weights(
    chain: Chain, steps: Sequence[tuple[Any, list[float]]]
) -> Iterator[tuple[int, list[int], list[float], list[float]]]:
    """Yield wave by wave who is still there, with what probability they stayed, and their weight."""
    everybody = list(range(len(chain.persons)))
    yield chain.first, everybody, [1.0] * len(everybody), list(chain.base)
    weights = dict(enumerate(chain.base))
    for step, probabilities in steps:
        weights = {place: weights[place] / p for place, p in zip(step.members, probabilities, strict=True)}
        yield step.wave, list(weights), probabilities, list(weights.values())


def _trimmed(weights: Sequence[float], trim: float) -> list[float]:
    most = trim * statistics.median(weights)
    cut = [min(weight, most) for weight in weights]
    factor = math.fsum(weights) / math.fsum(cut)
    return [weight * factor for weight in cut]


@check_arguments()
def bootstrap_weights(
    frame: Any,
    attributes: Any,
    *,
    draws: Any = None,
    replicates: int = 200,
    seed: int = 1,
    columns: Sequence[str] | None = None,
    waves: Sequence[int] | None = None,
    method: Literal["logit", "classes"] = "logit",
    classes: int = 5,
    base_weight: str | None = None,
    cut_off: Literal["refuse", "as_left"] = "refuse",
) -> Any:
    """Return the weights of resampled panels, for standard errors that know that the weights are estimates.

    Formula: people who completed the first wave are drawn with replacement; every step of `attrition_weights` is fitted
    anew, with the number of times that a person was drawn as frequency weight; the weight is times × base weight × Π
    1/p. Replicates that have no weights (separation, an empty class, nobody stayed) are left out and counted, not
    fitted by a penalised likelihood: their weights would be of another estimator than the one whose error is sought.

    Source: Efron & Tibshirani (1993); Valliant, Dever & Kreuter (2018), chapter 15, on repeating every step of
        weighting.

    Args:
        frame: Visits and listed persons, as for `attrition_weights`.
        attributes: A row per person.
        draws: The resamples themselves, `replicate person times`; drawn if None.
        replicates: How many to draw, from 2 to 100,000. The result has a row per replicate, person and wave.
        seed: Of the draws: the same seed gives the same weights.
        columns: The attributes, as for `attrition_weights`; so are `waves`, `method`, `classes`, `base_weight`,
            `cut_off`.
        waves: The waves of the chain.
        method: `logit` or `classes`.
        classes: How many classes.
        base_weight: A column of `attributes` with weights from before.
        cut_off: `refuse` or `as_left`.

    Returns:
        A row per replicate, wave and person drawn who completed all waves so far: `replicate person wave times weight`.

    Raises:
        InputError: as `attrition_weights`; or no replicate has weights.

    Assumes: as `attrition_weights`; and people drawn independently, without strata. Base weights are taken as given:
    how they were made is not repeated. As many are drawn as there are, which makes errors smaller by √(1 − 1/n) only.

    Warns: if more than 5 % of the replicates were unusable, with their number: errors are then those of resamples that
    have weights, which differ less than all do. Else as `attrition_weights`.

    Example:
        >>> import pandas as pd
        >>> import cint_nb as cint
        >>> visits = pd.DataFrame({
        ...     "person": [*range(60), *range(60)],
        ...     "wave": [1] * 60 + [2] * 60,
        ...     "reason": ["completed"] * 60 + ["completed", "absent", "completed"] * 20,
        ... })
        >>> known = pd.DataFrame({"person": range(60), "device": ["desktop", "desktop", "phone", "phone"] * 15})
        >>> drawn = cint.measure.bootstrap_weights(visits, known, replicates=20)
        >>> sums = drawn.groupby(["replicate", "wave"]).weight.sum().unstack()
        >>> bool(sums[1].eq(60).all())
        True
    """
    _refuse_settings(method, classes, cut_off)
    if not 2 <= replicates <= _REPLICATES_MAX:
        raise InputError(
            f"replicates is from 2 to {_REPLICATES_MAX:,}.",
            evidence={"field": "replicates", "given": replicates},
            next_step="200 is usual.",
        )
    chain = read_chain(
        frame, attributes, columns=columns, waves=waves, base_weight=base_weight, cut_off=cut_off,
        verb="bootstrap_weights",
    )  # fmt: skip
    resamples = _draw(len(chain.persons), replicates, seed) if draws is None else _read_draws(draws, chain.persons)
    values: dict[str, list[Any]] = {name: [] for name in ("replicate", "person", "wave", "times", "weight")}
    usable = 0
    for replicate, times in resamples.items():
        try:
            steps = fit_steps(chain, method=method, classes=classes, times=times)
        except UnusableError:
            continue
        usable += 1
        for wave, places, _, raw in _weights(chain, steps):
            drawn = [(place, weight) for place, weight in zip(places, raw, strict=True) if times[place]]
            values["replicate"] += [replicate] * len(drawn)
            values["person"] += [chain.persons[place] for place, _ in drawn]
            values["wave"] += [wave] * len(drawn)
            values["times"] += [times[place] for place, _ in drawn]
            values["weight"] += [times[place] * weight for place, weight in drawn]
    unusable = len(resamples) - usable
    if not usable:
        raise InputError(
            f"None of the {len(resamples):,} replicates has weights: separation, an empty class, or nobody stayed.",
            evidence={"replicates": len(resamples)},
            next_step="use fewer attributes, or join small levels.",
        )
    if unusable > _UNUSABLE_MAX * len(resamples):
        warn_caller(
            f"measure.bootstrap_weights: {unusable:,} of {len(resamples):,} replicates are unusable and left out: "
            "standard errors are then of the others only, and may be too small. Use fewer attributes, or join small "
            "levels."
        )
    return chain.origin.table(values, _REPLICATES)


def _draw(people: int, replicates: int, seed: int) -> dict[int, list[int]]:
    generator = random.Random(seed)  # noqa: S311 - a resample, no secret
    resamples: dict[int, list[int]] = {}
    for replicate in range(1, replicates + 1):
        drawn = Counter(generator.choices(range(people), k=people))
        resamples[replicate] = [drawn[place] for place in range(people)]
    return resamples


def _read_draws(draws: Any, persons: Sequence[Any]) -> dict[int, list[int]]:
    found = read_persons_table(draws, "draws", ["replicate", "person", "times"])
    place_of = {person: place for place, person in enumerate(persons)}
    resamples: dict[int, list[int]] = defaultdict(lambda: [0] * len(persons))
    strangers = 0
    for replicate, person, times in zip(*found.values(), strict=True):
        if times < 0 or times != int(times):
            raise InputError(
                "draws: times is a whole number, 0 or more.",
                evidence={"column": "times"},
                next_step="say how often each person was drawn.",
            )
        if person in place_of:
            resamples[int(replicate)][place_of[person]] += int(times)
        else:
            strangers += 1
    if strangers:
        warn_caller(
            f"measure.bootstrap_weights: {strangers:,} rows of draws are of people who did not complete the first "
            "wave, or have no attributes; they are left out."
        )
    if not resamples:
        raise InputError(
            "draws has no row of anybody who completed the first wave.",
            evidence={"field": "draws"},
            next_step="use the same keys in person of all frames.",
        )
    return dict(sorted(resamples.items()))
