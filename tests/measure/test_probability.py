"""The small distributions, against scipy."""

from __future__ import annotations

import math
import random

import pytest
from scipy import stats

from cint_nb.measure import probability


@pytest.mark.parametrize("df", [1, 2, 3, 4, 7, 40])
def test_the_tail_of_chi_square(df: int) -> None:
    for value in (0.0, 1e-9, 0.3, df, 3.0 * df, 120.0):
        assert math.isclose(probability.chi_square_tail(value, df), stats.chi2.sf(value, df), rel_tol=1e-10)


@pytest.mark.parametrize("df", [1.0, 2.37, 30.4, 4000.5])
def test_the_p_value_of_student(df: float) -> None:
    for t in (0.0, 0.01, -1.3, 2.75, 9.0):
        assert math.isclose(probability.student_p(t, df), 2 * stats.t.sf(abs(t), df), rel_tol=1e-9, abs_tol=1e-15)


def test_the_p_value_of_student_for_very_many_people() -> None:
    for t, df in ((1e-5, 1e4), (1e-5, 1e6), (0.5, 1e6), (1.0, 1e6), (3.0, 1e6)):
        assert math.isclose(probability.student_p(t, df), 2 * stats.t.sf(t, df), rel_tol=1e-8)


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (1, 3), (40, 2), (300.5, 700.25), (1e4, 3e4)])
def test_the_beta_distribution(a: float, b: float) -> None:
    for x in (0.0, 1e-6, 0.01, a / (a + b), 0.4, 0.99, 1.0):
        assert math.isclose(probability.beta_cdf(x, a, b), stats.beta.cdf(x, a, b), rel_tol=1e-8, abs_tol=1e-14)


@pytest.mark.parametrize("seed", range(8))
def test_fishers_exact_test(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - made-up tables, no secret
    table = [[draw.randint(0, 12), draw.randint(0, 30)], [draw.randint(1, 9), draw.randint(1, 9)]]
    assert math.isclose(probability.fisher_exact(*table), stats.fisher_exact(table).pvalue, rel_tol=1e-8)


def test_fishers_exact_test_counts_tables_that_are_as_likely() -> None:
    assert math.isclose(probability.fisher_exact([3, 1], [1, 3]), stats.fisher_exact([[3, 1], [1, 3]]).pvalue)


def test_holm_by_hand_and_without_what_has_no_test() -> None:
    assert probability.holm([0.01, None, 0.04, 0.03]) == [
        pytest.approx(0.03),
        None,
        pytest.approx(0.06),
        pytest.approx(0.06),
    ]
    assert probability.holm([0.9, 0.8]) == [1, 1]


def test_equations() -> None:
    assert probability.solve([[0.0, 2.0], [4.0, 1.0]], [2.0, 9.0]) == pytest.approx([2.0, 1.0])
    assert probability.solve([[1e-9, 2e-9], [2e-9, 4e-9]], [1.0, 2.0]) is None
    assert probability.solve([[1e-9, 0.0], [0.0, 4e-9]], [1e-9, 4e-9]) == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize("survival", [0.0, 1.0])
def test_no_interval_at_the_ends(survival: float) -> None:
    assert probability.log_log_interval(survival, 0.1, 0.95) is None
