"""The one model of this room: a logit of staying, with main effects of the attributes.

numpy comes with statsmodels, and is used here only, to build what it fits.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cint_nb.domain.errors import InputError
from cint_nb.install_commands import command_for
from cint_nb.measure.attrition.attributes import Attribute

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FARTHEST = 15
"""A linear predictor beyond this is a probability of 0 or 1: the attributes separate those who stayed, or a number is
far out, whose weight would rest on the model alone."""


class SeparationError(Exception):
    """The attributes predict somebody perfectly, or say the same twice, so that there is no estimate to rely on."""


def load() -> tuple[Any, Any]:
    """Return numpy, and the generalised linear models of statsmodels.

    Raises:
        InputError: the extra `weights` is not installed.
    """
    try:
        import numpy as np
        from statsmodels.genmod import families, generalized_linear_model
    except ImportError as error:
        raise InputError(
            "This measure fits a model, and statsmodels is not installed.",
            evidence={"missing": getattr(error, "name", None)},
            next_step=f"run: {command_for('weights')}",
        ) from error
    return np, (generalized_linear_model.GLM, families.Binomial)


@dataclass(frozen=True)
class Term:
    """The columns of one attribute in a design.

    Args:
        attribute: Of these people.
        first: The place of its first column.
        levels: Of a word: its levels, of which the first is the reference and has no column.
        scale: Of a number: its standard deviation, by which it was divided.
    """

    attribute: Attribute
    first: int
    levels: Sequence[str] = ()
    scale: float = 1.0


@dataclass(frozen=True)
class Design:
    """A matrix with an intercept, a column per number and a column per level but the first."""

    matrix: Floats
    terms: list[Term]


def make_design(attributes: Sequence[Attribute]) -> Design:
    """Return the design of all attributes that vary; their numbers must be known.

    Numbers are centred and scaled, which changes no fitted probability and keeps the fit accurate.
    """
    np, _ = load()
    columns: list[Any] = [np.ones(len(attributes[0].values) if attributes else 0)]
    terms: list[Term] = []
    for attribute in attributes:
        if not attribute.varies:
            continue
        first = len(columns)
        if attribute.kind == "number":
            values = np.array(attribute.values, dtype=float)
            scale = float(values.std())
            columns.append((values - values.mean()) / scale)
            terms.append(Term(attribute, first, scale=scale))
        else:
            levels = attribute.levels
            place_of = {level: place for place, level in enumerate(levels)}
            places = np.array([place_of[value] for value in attribute.values])
            columns += [(places == place).astype(float) for place in range(1, len(levels))]
            terms.append(Term(attribute, first, levels=levels))
    return Design(np.column_stack(columns), terms)


@dataclass(frozen=True)
class Logit:
    """A fitted model: coefficients, their covariance, and the probability of each person."""

    coefficients: Floats
    covariance: Floats
    fitted: Floats


def fit_logit(design: Floats, stayed: Floats, times: Floats | None = None) -> Logit:
    """Fit the model by maximum likelihood.

    Args:
        design: A row per person.
        stayed: 1 or 0 for each.
        times: How often each person counts; once if None.

    Raises:
        SeparationError: no estimate exists.
    """
    np, (model, family) = load()
    weights = np.ones(len(stayed)) if times is None else times
    counted = weights > 0
    rows, outcome, weights = design[counted], stayed[counted], weights[counted]
    if not len(rows) or outcome.min() == outcome.max() or np.linalg.matrix_rank(rows) < rows.shape[1]:
        raise SeparationError
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # what they would say is decided below
        try:
            fit = model(outcome, rows, family=family(), freq_weights=weights).fit(maxiter=100, tol=1e-12)
            coefficients, covariance = np.asarray(fit.params), np.asarray(fit.cov_params())
        except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
            raise SeparationError from error
        predictor = rows @ coefficients
        is_far = not np.all(np.isfinite(predictor)) or np.max(np.abs(predictor)) > FARTHEST
        if is_far or not fit.converged or not np.all(np.isfinite(covariance)):
            raise SeparationError
        fitted = 1 / (1 + np.exp(-(design @ coefficients)))
    return Logit(coefficients, covariance, fitted)


def refuse_separation(wave: int, names: Sequence[str]) -> InputError:
    """Return the error for attributes that separate those who stayed from those who left."""
    return InputError(
        f"Wave {wave}: separation: some combination of the attributes predicts perfectly who stayed, a number has "
        "values so far out that they alone decide, or two attributes say the same, so that the model has no estimate "
        "to rely on.",
        evidence={"wave": wave, "attributes": ", ".join(names)},
        next_step="join small levels, cut such a number into groups or take its logarithm, or leave out an attribute.",
    )
