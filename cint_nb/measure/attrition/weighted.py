"""What weights are worth, and what they do: their summary, balance, and a mean."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import narwhals as nw

from cint_nb.caller_warnings import warn_caller
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError
from cint_nb.measure.attrition.attributes import NUMBER_MAX, Attribute, read_attributes, read_persons_table
from cint_nb.measure.frames import fetch, open_frame, require_columns
from cint_nb.measure.people import read_people
from cint_nb.measure.probability import refuse_conf, two_sided_quantile
from cint_nb.measure.words import COMPLETED

_SUMMARY: dict[str, type] = {
    "wave": int,
    "n": int,
    "sum": float,
    "mean": float,
    "cv": float,
    "deff": float,
    "n_eff": float,
    "min": float,
    "max": float,
}
_BALANCE: dict[str, type] = {
    "attribute": str,
    "level": str,
    "target": float,
    "unweighted": float,
    "weighted": float,
    "smd_before": float,
    "smd_after": float,
}
_MEAN: dict[str, type] = {"wave": int, "n": int, "mean": float, "se": float, "low": float, "high": float}


@check_arguments()
def weight_summary(weights: Any) -> Any:
    """Return what weights cost, wave by wave.

    Formula: `deff` = n Σw² / (Σw)² = 1 + cv² (Kish 1965), the factor by which unequal weights alone raise the variance
    of a mean; `n_eff` = n / deff; `cv` has the divisor n.

    Args:
        weights: The output of `attrition_weights`, or any frame with `person wave weight`.

    Returns:
        A row per wave: `wave n sum mean cv deff n_eff min max`.

    Raises:
        InputError: a column is missing, or a weight is not known or below 0.

    Assumes: weights that do not depend on what is estimated; where they predict it, deff overstates their cost.

    Example:
        >>> import pandas as pd
        >>> import cint_nb as cint
        >>> weights = pd.DataFrame({"person": [1, 2, 3], "wave": 1, "weight": [1.0, 1.0, 4.0]})
        >>> cint.measure.weight_summary(weights)[["n", "sum", "deff", "n_eff"]]
           n  sum  deff  n_eff
        0  3  6.0   1.5    2.0
    """
    found = _read_weights(weights)
    rows = []
    for wave in sorted(found):
        values = list(found[wave].values())
        n, total = len(values), _sum_of_weights(values, wave)
        mean = total / n
        # Relative to their mean, since squares of very large or small weights are out of range.
        relative = [value / total * n for value in values]
        deff = math.fsum(value * value for value in relative) / n
        cv = math.sqrt(math.fsum((value - 1) ** 2 for value in relative) / n)
        rows.append((wave, n, total, mean, cv, deff, n / deff, min(values), max(values)))
    columns = zip(*rows, strict=True) if rows else ([] for _ in _SUMMARY)
    _, origin = open_frame(weights, "weights")
    return origin.table({name: list(column) for name, column in zip(_SUMMARY, columns, strict=True)}, _SUMMARY)


def _read_weights(weights: Any) -> dict[int, dict[Any, float]]:
    """Return the weight of each person in each wave."""
    found = read_persons_table(weights, "weights", ["person", "wave", "weight"])
    by_wave: dict[int, dict[Any, float]] = defaultdict(dict)
    for person, wave, weight in zip(*found.values(), strict=True):
        if not 0 <= weight <= NUMBER_MAX or person in by_wave[int(wave)]:
            raise InputError(
                f"weights has one row per person and wave, each with a weight of 0 or more, up to {NUMBER_MAX:g}.",
                evidence={"field": "weights", "wave": int(wave)},
                next_step="pass the output of attrition_weights; of replicates, one of them.",
            )
        by_wave[int(wave)][person] = float(weight)
    return by_wave


def _sum_of_weights(weights: Sequence[float], wave: int) -> float:
    total = math.fsum(weights)
    if not total:
        raise InputError(
            f"The weights of wave {wave} sum to 0.", evidence={"wave": wave}, next_step="leave the wave out."
        )
    return total


def _weights_of(weights: dict[int, dict[Any, float]], wave: int) -> dict[Any, float]:
    if wave not in weights:
        raise InputError(
            f"The weights have no wave {wave}.",
            evidence={"field": "wave", "there are": ", ".join(map(str, sorted(weights)[:20])) or "none"},
            next_step="choose a wave of the weights.",
        )
    return weights[wave]


@check_arguments()
def balance(frame: Any, attributes: Any, weights: Any, *, wave: int, columns: Sequence[str] | None = None) -> Any:
    """Return how those who stayed differ from all who began, before and after weighting.

    Formula: standardised differences from the people who completed the first wave of the weights, with their standard
    deviation as divisor (n − 1 for numbers, √(p (1 − p)) for shares); below 0.1 is usually called balanced. They count
    with their weights of that wave, so that with a base weight the target is what the weights are to reproduce;
    `unweighted` is without any weight.

    Source: Stuart (2010); Austin & Stuart (2015).

    Args:
        frame: Visits and listed persons, see `dispositions`, or its output.
        attributes: A row per person, as for `attrition_weights`.
        weights: The output of `attrition_weights`.
        wave: Whose weights: of those who stayed up to this wave.
        columns: The attributes to compare; all if None. Also such as were not used for the weights.

    Returns:
        A row per number, and per level of a word: `attribute level target unweighted weighted smd_before smd_after`.

    Raises:
        InputError: the weights have no such wave, those of their first sum to 0, or a column is missing.

    Assumes: nothing. Balance of what is known is no proof of balance in what is asked.

    Warns: of people without attributes, who are left out; and where the wave is the first of the weights, whose people
        are compared with themselves.

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
        >>> cint.measure.balance(visits, known, weights, wave=2).round(2)
          attribute    level  target  unweighted  weighted  smd_before  smd_after
        0    device  desktop     0.5         0.6       0.5         0.2        0.0
        1    device    phone     0.5         0.4       0.5        -0.2        0.0
    """
    of_waves = _read_weights(weights)
    of_wave = _weights_of(of_waves, wave)
    people = read_people(frame)
    first = min(of_waves)
    if wave == first:
        warn_caller(
            f"measure.balance: wave {wave} is the first of the weights, so that its people are compared with "
            "themselves. Pass the weights of all waves, and a later wave."
        )
    begun = people.data.filter(nw.col("wave") == first).filter(nw.col("word") == COMPLETED)
    target = fetch(begun.select("person"))["person"]
    table = read_attributes(attributes, columns)
    target = [target[place] for place in table.only_known(target, "balance")]
    if not target:
        raise InputError(
            f"Nobody with attributes completed wave {first}.",
            evidence={"wave": first},
            next_step="use the same keys in person of all frames.",
        )
    stayed = [person for person in of_wave if person in table.place_of]
    if len(stayed) < len(of_wave):
        warn_caller(f"measure.balance: {len(of_wave) - len(stayed):,} weighted people have no attributes.")
    shares = [of_wave[person] for person in stayed]
    # Whoever has no weight in the first wave stands for as many people as the others do on average.
    usual = _sum_of_weights(list(of_waves[first].values()), first) / len(of_waves[first])
    begun_shares = [of_waves[first].get(person, usual) for person in target]
    rows = [
        row
        for all_of_them, here in zip(table.of(target), table.of(stayed), strict=True)
        for row in _balance(all_of_them, begun_shares, here, shares)
    ]
    return people.origin.table({name: [row[name] for row in rows] for name in _BALANCE}, _BALANCE)


def _balance(
    target: Attribute, target_weights: Sequence[float], here: Attribute, weights: Sequence[float]
) -> list[dict[str, Any]]:
    rows = []
    for level in [None] if target.kind == "number" else sorted({*target.levels, *here.levels}):
        known = _known(here, level, weights)
        goal = _known(target, level, target_weights)
        middle = _mean(goal)
        before, after = _mean([(value, 1.0) for value, _ in known]), _mean(known)
        spread = None
        if middle is not None and target.kind == "word":
            spread = math.sqrt(max(0.0, middle * (1 - middle)))  # weights may round a share to just above 1
        elif middle is not None and len(goal) > 1:
            variance = _mean([((value - middle) ** 2, weight) for value, weight in goal])
            spread = None if variance is None else math.sqrt(variance * len(goal) / (len(goal) - 1))
        rows.append(
            {
                "attribute": target.name,
                "level": level,
                "target": middle,
                "unweighted": before,
                "weighted": after,
                "smd_before": _standardised(before, middle, spread),
                "smd_after": _standardised(after, middle, spread),
            }
        )
    return rows


def _standardised(mean: float | None, target: float | None, spread: float | None) -> float | None:
    if mean is None or target is None or not spread:
        return None
    # Weights reach the target to the last digits only: what is left there has a sign, and no meaning.
    return 0.0 if math.isclose(mean, target, rel_tol=1e-12, abs_tol=1e-12) else (mean - target) / spread


def _known(attribute: Attribute, level: str | None, weights: Sequence[float]) -> list[tuple[float, float]]:
    """Return the known values, of a word whether it is the level, with the weights of their people."""
    values = attribute.values if level is None else [float(value == level) for value in attribute.values]
    return [(value, weight) for value, weight in zip(values, weights, strict=True) if value is not None]


def _mean(pairs: Sequence[tuple[float, float]]) -> float | None:
    total = math.fsum(weight for _, weight in pairs)
    return math.fsum(value * weight for value, weight in pairs) / total if total else None


@check_arguments()
def weighted_mean(values: Any, weights: Any, *, wave: int, replicates: Any = None, conf: float = 0.95) -> Any:
    """Return the weighted mean of a value, with its standard error.

    Formula: Σ wᵢ yᵢ / Σ wᵢ. Without replicates the error is linearised, people taken as drawn with replacement: se² = n
    / (n − 1) Σ (wᵢ (yᵢ − ȳ) / Σw)² (Särndal, Swensson & Wretman 1992), and takes the weights as given. With replicates
    it is the standard deviation of their means about the mean of these (divisor R − 1), which knows that weights are
    estimated. Normal interval.

    Args:
        values: A row per person: `person` and `value`, a number.
        weights: The output of `attrition_weights`.
        wave: Whose weights: of those who stayed up to this wave.
        replicates: The output of `bootstrap_weights`.
        conf: Of the interval, above 0.5 and below 1.

    Returns:
        One row: `wave n mean se low high`; `n` people have a weight and a value.

    Raises:
        InputError: the weights have no such wave, or nobody has a value.

    Assumes: as `attrition_weights`; people without a value are like those with one.

    Warns: of people without a value, who are left out.

    Example:
        >>> import pandas as pd
        >>> import cint_nb as cint
        >>> weights = pd.DataFrame({"person": [1, 2, 3], "wave": 1, "weight": [1.0, 1.0, 2.0]})
        >>> values = pd.DataFrame({"person": [1, 2, 3], "value": [10.0, 20.0, 30.0]})
        >>> cint.measure.weighted_mean(values, weights, wave=1).round(2)
           wave  n  mean    se    low   high
        0     1  3  22.5  6.03  10.69  34.31
    """
    refuse_conf(conf)
    of_wave = _weights_of(_read_weights(weights), wave)
    value_of = _read_values(values)
    known = [(value_of[person], weight) for person, weight in of_wave.items() if person in value_of]
    if len(known) < len(of_wave):
        warn_caller(
            f"measure.weighted_mean: {len(of_wave) - len(known):,} of {len(of_wave):,} weighted people have no value, "
            "and are left out."
        )
    mean = _mean(known)
    if mean is None:
        raise InputError(
            "Nobody has both a value and a weight above 0.",
            evidence={"wave": wave},
            next_step="use the same keys in person of both frames.",
        )
    n, total = len(known), math.fsum(weight for _, weight in known)
    se: float | None = None
    if replicates is not None:
        se = _replicate_error(value_of, replicates, wave)
    elif n > 1:
        se = math.sqrt(n / (n - 1) * math.fsum((weight * (value - mean) / total) ** 2 for value, weight in known))
    half = None if se is None else two_sided_quantile(conf) * se
    row = {
        "wave": wave,
        "n": n,
        "mean": mean,
        "se": se,
        "low": None if half is None else mean - half,
        "high": None if half is None else mean + half,
    }
    _, origin = open_frame(values, "values")
    return origin.table({name: [value] for name, value in row.items()}, _MEAN)


def _read_values(values: Any) -> dict[Any, float]:
    data, _ = open_frame(values, "values")
    schema = dict(data.collect_schema())
    require_columns(schema, ["person", "value"], "values")
    if not schema["value"].is_numeric():
        raise InputError(
            "values: the column value holds no numbers.",
            evidence={"column": "value", "type": str(schema["value"])},
            next_step="for the share of a word, make a column of 0 and 1.",
        )
    found = fetch(data.select("person", "value"))
    if None in found["person"] or len(set(found["person"])) < len(found["person"]):
        raise InputError(
            "values has one row per person, each with its key.",
            evidence={"rows": len(found["person"])},
            next_step="keep one value of each person.",
        )
    pairs = zip(found["person"], found["value"], strict=True)
    known = {person: float(value) for person, value in pairs if value is not None}
    if not all(abs(value) <= NUMBER_MAX for value in known.values()):
        raise InputError(
            "values: the column value has numbers that are infinite, or too large to have a variance.",
            evidence={"column": "value", "largest": f"{NUMBER_MAX:g}"},
            next_step="leave them null where the value is not known, or choose a larger unit.",
        )
    return known


def _replicate_error(value_of: dict[Any, float], replicates: Any, wave: int) -> float:
    found = read_persons_table(replicates, "replicates", ["replicate", "person", "wave", "weight"])
    of_replicate: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for replicate, person, number, weight in zip(*found.values(), strict=True):
        if not 0 <= weight <= NUMBER_MAX:
            raise InputError(
                f"replicates: a weight is 0 or more, up to {NUMBER_MAX:g}.",
                evidence={"field": "replicates", "wave": int(number)},
                next_step="pass the output of bootstrap_weights.",
            )
        if number == wave and person in value_of:
            of_replicate[int(replicate)].append((value_of[person], float(weight)))
    means = [mean for mean in map(_mean, of_replicate.values()) if mean is not None]
    if len(means) < 2:
        raise InputError(
            f"A standard error needs two replicates of wave {wave} or more.",
            evidence={"wave": wave, "replicates": len(means)},
            next_step="pass the output of bootstrap_weights for the same waves.",
        )
    middle = math.fsum(means) / len(means)
    return math.sqrt(math.fsum((mean - middle) ** 2 for mean in means) / (len(means) - 1))
