"""How evenly people stayed: the representativity indicator and its parts."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError
from cint_nb.measure.attrition.attributes import Attribute, sample_of_base
from cint_nb.measure.attrition.logit import SeparationError, fit_logit, load, make_design, refuse_separation
from cint_nb.measure.probability import refuse_conf, two_sided_quantile

_KINDS: dict[str, type] = {
    "quantity": str,
    "attribute": str,
    "level": str,
    "value": float,
    "se": float,
    "low": float,
    "high": float,
}


@check_arguments()
def r_indicator(
    frame: Any,
    attributes: Any,
    *,
    wave: int,
    base: str = "previous",
    columns: Sequence[str] | None = None,
    conf: float = 0.95,
) -> Any:
    """Return how evenly people stayed, as far as their attributes show it.

    Formula: with ρ the probability to stay, from a logit of all attributes, R = 1 − 2 S(ρ): 1 if everybody is as likely
    to stay. S² is reduced by the bias that the estimation of ρ brings, Σ zᵢ′ Σ zᵢ / N with zᵢ = ρᵢ (1 − ρᵢ) xᵢ, never
    below 0; `R_raw` is without. The standard error takes the list for the population, so that it has no part for
    sampling. CV = S(ρ) / ρ̄ bounds the bias of an unweighted mean, in standard deviations of what is averaged. Partial
    indicators say what brings the unevenness: `Pu` of a level √(nₖ/N) (ρ̄ₖ − ρ̄), of an attribute the root of the sum of
    their squares; `Pc` what an attribute adds within the cells of all others. Those of attributes are reduced by the
    factor that S is reduced by, those of levels, which have a sign, are not.

    Source: Schouten, Cobben & Bethlehem (2009); Shlomo, Skinner & Schouten (2012) for bias and error; Schouten, Shlomo
        & Skinner (2011) for the partial indicators.

    Args:
        frame: Visits and listed persons, see `dispositions`, or its output.
        attributes: A row per person, with the column `person`; words only.
        wave: The wave that was completed or not.
        base: Whose staying, as for `contrast`.
        columns: The attributes; all if None.
        conf: Of the interval of R, above 0.5 and below 1.

    Returns:
        A row per quantity: `quantity attribute level value se low high`; `R`, `R_raw`, `CV`, `propensity` (ρ̄), `n`,
        then for each attribute `Pu`, `Pc` and `Pu` of each level. Only R has a standard error.

    Raises:
        InputError: an attribute is a number, the first wave, no report, everybody or nobody stayed, or separation.

    Assumes: the attributes are what matters; R says nothing about what they do not show, and Rs of different attributes
    do not compare. With many attributes the cells of the others have one person each, and `Pc` goes to 0.

    Warns: of people without attributes, and of people cut off or not asked, who count as left.

    Example:
        >>> import pandas as pd
        >>> import cint_nb as cint
        >>> visits = pd.DataFrame({
        ...     "person": [*range(40), *range(40)],
        ...     "wave": [1] * 40 + [2] * 40,
        ...     "reason": ["completed"] * 40 + (["completed"] * 3 + ["absent"]) * 5 + ["completed", "absent"] * 10,
        ... })
        >>> known = pd.DataFrame({"person": range(40), "device": ["desktop"] * 20 + ["phone"] * 20})
        >>> found = cint.measure.r_indicator(visits, known, wave=2)
        >>> found[["quantity", "value"]].iloc[[0, 1, 3]].round(3)
             quantity  value
        0           R  0.857
        1       R_raw  0.747
        3  propensity  0.625
    """
    refuse_conf(conf)
    sample = sample_of_base(frame, attributes, wave=wave, base=base, columns=columns, verb="r_indicator")
    numbers = [attribute.name for attribute in sample.attributes if attribute.kind == "number"]
    if numbers:
        raise InputError(
            f"The attribute {numbers[0]} is a number: cut it into groups first.",
            evidence={"numbers": ", ".join(numbers)},
            next_step=f"cut it into groups, such as 18–29, 30–49, 50+, or leave {numbers[0]} out of columns.",
        )
    np, _ = load()
    design = make_design(sample.attributes)
    try:
        fit = fit_logit(design.matrix, np.array(sample.stayed, dtype=float))
    except SeparationError as error:
        raise refuse_separation(wave, [attribute.name for attribute in sample.attributes]) from error
    rho, size = fit.fitted, len(sample.stayed)
    mean = float(rho.mean())
    z = (rho * (1 - rho))[:, None] * design.matrix
    variance = float(((rho - mean) ** 2).sum() / (size - 1))
    bias = float(np.einsum("ij,jk,ik->", z, fit.covariance, z) / size)
    # Without any difference between people there is nothing to reduce, and no scale for an error.
    kept = max(0.0, 1 - bias / variance) if variance > 1e-24 else 0.0
    spread = math.sqrt(kept * variance)
    r = 1 - 2 * spread
    se = _standard_error(rho, z, fit.covariance) if variance > 1e-24 else None
    rows = [
        _quantity("R", r, se=se, conf=conf),
        _quantity("R_raw", 1 - 2 * math.sqrt(variance)),
        _quantity("CV", spread / mean),
        _quantity("propensity", mean),
        _quantity("n", float(size)),
    ]
    for attribute in sample.attributes:
        rows += _parts(attribute, sample.attributes, rho.tolist(), mean, kept)
    return sample.origin.table({name: [row[name] for row in rows] for name in _KINDS}, _KINDS)


def _quantity(
    name: str,
    value: float,
    *,
    attribute: str | None = None,
    level: str | None = None,
    se: float | None = None,
    conf: float = 0.95,
) -> dict[str, Any]:
    half = None if se is None else two_sided_quantile(conf) * se
    return {
        "quantity": name,
        "attribute": attribute,
        "level": level,
        "value": value,
        "se": se,
        "low": None if half is None else value - half,
        "high": None if half is None else min(1.0, value + half),
    }


def _standard_error(rho: Any, z: Any, covariance: Any) -> float:
    np, _ = load()
    centred, deviation = z - z.mean(axis=0), rho - rho.mean()
    a = centred.T @ deviation / len(rho)
    b = centred.T @ centred / len(rho)
    product = b @ covariance
    total = 4 * float(a @ covariance @ a) + 2 * float(np.trace(product @ product))
    return math.sqrt(total / float((deviation**2).mean()))


def _parts(
    attribute: Attribute, attributes: Sequence[Attribute], rho: Sequence[float], mean: float, kept: float
) -> list[dict[str, Any]]:
    size = len(rho)
    levels: dict[str, list[float]] = defaultdict(list)
    cells: dict[tuple[str, ...], list[float]] = defaultdict(list)
    others = [other.values for other in attributes if other is not attribute]
    for place, value in enumerate(rho):
        levels[attribute.values[place]].append(value)
        cells[tuple(values[place] for values in others)].append(value)
    means = {level: math.fsum(values) / len(values) for level, values in levels.items()}
    between = math.fsum(len(values) / size * (means[level] - mean) ** 2 for level, values in levels.items())
    within = 0.0
    for values in cells.values():
        middle = math.fsum(values) / len(values)
        within += math.fsum((value - middle) ** 2 for value in values) / size
    return [
        _quantity("Pu", math.sqrt(kept * between), attribute=attribute.name),
        _quantity("Pc", math.sqrt(kept * within), attribute=attribute.name),
        *(
            _quantity(
                "Pu",
                math.sqrt(len(levels[level]) / size) * (means[level] - mean),
                attribute=attribute.name,
                level=level,
            )
            for level in attribute.levels
        ),
    ]
