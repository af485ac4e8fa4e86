"""The R-indicator: its formulas once more in loops, and what must hold at its ends."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.discrete.discrete_model import Logit

import cint_nb as cint
from cint_nb.domain.errors import InputError
from tests.measure.worlds import by_key, panel, quiet, rows_of, shares


def test_it_is_that_of_its_formulas() -> None:
    rows, attributes = panel(4, people=200, waves=2)
    known = pd.DataFrame(attributes)
    done = {
        wave: {row["person"] for row in rows if row["wave"] == wave and row["reason"] == "completed"} for wave in (1, 2)
    }
    base = known[known.person.isin(done[1])]
    stayed = base.person.isin(done[2]).astype(float).to_numpy()
    x = np.column_stack(
        [np.ones(len(base)), base.gender == "m", base.device == "phone", base.device == "tablet"]
    ).astype(float)
    fit = Logit(stayed, x).fit(disp=0, tol=1e-12)
    rho, size, sigma = fit.predict(x), len(base), fit.cov_params()
    mean = rho.mean()
    z = [p * (1 - p) * row for p, row in zip(rho, x, strict=True)]
    variance = sum((p - mean) ** 2 for p in rho) / (size - 1)
    kept = max(0, 1 - sum(each @ sigma @ each for each in z) / size / variance)
    centre = sum(z) / size
    a = sum((p - mean) * (each - centre) for p, each in zip(rho, z, strict=True)) / size
    b = sum(np.outer(each - centre, each - centre) for each in z) / size
    se = math.sqrt((4 * a @ sigma @ a + 2 * np.trace(b @ sigma @ b @ sigma)) / (variance * (size - 1) / size))

    found = by_key(
        rows_of(
            quiet(cint.measure.r_indicator, pd.DataFrame(rows), known, wave=2, columns=["gender", "device"], conf=0.8)
        ),
        "quantity", "attribute", "level",
    )  # fmt: skip
    r = found["R", None, None]
    half = stats.norm.ppf(0.9) * se
    assert math.isclose(r["value"], 1 - 2 * math.sqrt(kept * variance), rel_tol=1e-7)
    assert math.isclose(r["se"], se, rel_tol=1e-6)
    assert math.isclose(r["low"], r["value"] - half, rel_tol=1e-6)
    assert math.isclose(r["high"], min(1, r["value"] + half), rel_tol=1e-6)
    assert math.isclose(found["R_raw", None, None]["value"], 1 - 2 * math.sqrt(variance), rel_tol=1e-7)
    assert math.isclose(found["CV", None, None]["value"], math.sqrt(kept * variance) / mean, rel_tol=1e-7)
    assert math.isclose(found["propensity", None, None]["value"], stayed.mean(), rel_tol=1e-7)
    assert found["n", None, None]["value"] == size
    between = 0.0
    for level in ("desktop", "phone", "tablet"):
        inside = rho[(base.device == level).to_numpy()]
        expected = math.sqrt(len(inside) / size) * (inside.mean() - mean)
        between += expected**2
        assert math.isclose(found["Pu", "device", level]["value"], expected, rel_tol=1e-6)
    assert math.isclose(found["Pu", "device", None]["value"], math.sqrt(kept * between), rel_tol=1e-6)
    within = 0.0
    for gender in ("f", "m"):
        inside = rho[(base.gender == gender).to_numpy()]
        within += ((inside - inside.mean()) ** 2).sum() / size
    assert math.isclose(found["Pc", "device", None]["value"], math.sqrt(kept * within), rel_tol=1e-6)


def test_it_is_one_where_everybody_is_as_likely_to_stay() -> None:
    frame = pd.DataFrame(shares([(40, 40), (20, 40)]))
    known = pd.DataFrame({"person": range(40), "kind": ["a", "b"] * 20})  # ten of each kind stayed
    found = by_key(rows_of(quiet(cint.measure.r_indicator, frame, known, wave=2)), "quantity", "attribute", "level")
    assert found["R", None, None]["value"] == pytest.approx(1)
    assert found["R", None, None]["high"] in (None, pytest.approx(1))
    assert found["Pu", "kind", "a"]["value"] == pytest.approx(0)


@pytest.mark.thorough
def test_the_bias_of_estimation_is_taken_off() -> None:
    """Levels that mean nothing: the raw indicator shows unevenness that is chance."""
    raw, adjusted = [], []
    for seed in range(12):
        generator = np.random.default_rng(seed)
        frame = pd.DataFrame(shares([(150, 150), (75, 150)]))
        known = pd.DataFrame({"person": generator.permutation(150), "kind": generator.choice(list("abcdef"), 150)})
        found = by_key(rows_of(quiet(cint.measure.r_indicator, frame, known, wave=2)), "quantity", "attribute", "level")
        raw.append(found["R_raw", None, None]["value"])
        adjusted.append(found["R", None, None]["value"])
    assert np.mean(raw) < 0.87
    assert np.mean(adjusted) > 0.92


def test_a_number_is_refused_by_name() -> None:
    frame = pd.DataFrame(shares([(8, 8), (4, 8)]))
    known = pd.DataFrame({"person": range(8), "kind": list("abababab"), "age": range(8)})
    with pytest.raises(InputError, match="The attribute age is a number: cut it into groups"):
        cint.measure.r_indicator(frame, known, wave=2)


def test_separation_is_refused() -> None:
    frame = pd.DataFrame(shares([(8, 8), (4, 8)]))
    known = pd.DataFrame({"person": range(8), "kind": ["a"] * 4 + ["b"] * 4})
    with pytest.raises(InputError, match="separation"):
        cint.measure.r_indicator(frame, known, wave=2)
