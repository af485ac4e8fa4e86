"""Intervals and distributions of the standard library's size: nothing here needs a numerical package."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

from cint_nb.domain.errors import InputError

_NORMAL = NormalDist()


def refuse_conf(conf: float) -> None:
    """Refuse what is no confidence."""
    if not 0.5 < conf < 1:
        raise InputError(
            "conf is above 0.5 and below 1.",
            evidence={"field": "conf", "given": conf},
            next_step="give 0.95 for 95 %.",
        )


def two_sided_quantile(conf: float) -> float:
    """Return the standard normal quantile of a two-sided interval."""
    return _NORMAL.inv_cdf((1 + conf) / 2)


def two_sided_p(z: float) -> float:
    """Return the probability that a standard normal value lies at least as far from 0 as `z`."""
    return math.erfc(abs(z) / math.sqrt(2))


def wilson_interval(count: int, of: int, conf: float) -> tuple[float, float]:
    """Return the score interval of a proportion (Wilson 1927); `of` is at least 1."""
    z = two_sided_quantile(conf)
    share, weight = count / of, z * z / of
    middle = (share + weight / 2) / (1 + weight)
    half = z * math.sqrt(share * (1 - share) / of + weight / (4 * of)) / (1 + weight)
    # At the ends rounding would put the limit beside the proportion.
    return (middle - half if count else 0.0), (middle + half if count < of else 1.0)


def log_log_interval(survival: float, greenwood: float, conf: float) -> tuple[float, float] | None:
    """Return the interval of a Kaplan–Meier estimate on the scale log(−log S); None at 0 and 1, where it has none.

    Args:
        survival: The estimate, S.
        greenwood: Greenwood's sum, Σ d / (n (n − d)); the variance of S is S² times this.
        conf: Of the interval.
    """
    if not 0 < survival < 1:
        return None
    log = math.log(survival)
    spread = two_sided_quantile(conf) * math.sqrt(greenwood) / -log
    return math.exp(log * math.exp(spread)), math.exp(log * math.exp(-spread))


def chi_square_tail(value: float, df: int) -> float:
    """Return the probability that a chi-square variable with `df` ≥ 1 degrees of freedom is at least `value`."""
    half = value / 2
    if half <= 0:
        return 1.0
    # The recurrence Q(a + 1, x) = Q(a, x) + xᵃ e⁻ˣ / Γ(a + 1), from Q(½, x) or Q(1, x).
    shape = 0.5 if df % 2 else 1.0
    tail = math.erfc(math.sqrt(half)) if df % 2 else math.exp(-half)
    while shape < df / 2:
        tail += math.exp(shape * math.log(half) - half - math.lgamma(shape + 1))
        shape += 1
    return min(1.0, tail)


def beta_cdf(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function: the probability that a Beta(a, b) variable is at most `x`."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):  # where the continued fraction converges fast
        return 1 - beta_cdf(1 - x, b, a)
    log_front = a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return min(1.0, math.exp(log_front) * _beta_fraction(x, a, b) / a)


def _beta_fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of the incomplete beta function, by Lentz's method."""
    tiny = 1e-300
    c, d = 1.0, 1 / _off_zero(1 - (a + b) * x / (a + 1), tiny)
    value = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d, c = 1 / _off_zero(1 + even * d, tiny), _off_zero(1 + even / c, tiny)
        value *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d, c = 1 / _off_zero(1 + odd * d, tiny), _off_zero(1 + odd / c, tiny)
        value *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return value


def _off_zero(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny


def student_p(t: float, df: float) -> float:
    """Return the two-sided p-value of Student's t, with `df` degrees of freedom that need not be whole."""
    square = t * t
    if square < 1:  # of many people df / (df + t²) rounds to 1, and its distance to 1 does not
        return 1 - beta_cdf(square / (df + square), 0.5, df / 2)
    return beta_cdf(df / (df + square), df / 2, 0.5)


def fisher_exact(stayed: Sequence[int], left: Sequence[int]) -> float:
    """Return the two-sided p-value of Fisher's exact test of a 2 × 2 table: the sum over all no more likely tables."""
    (a, b), (c, d) = stayed, left
    row, column, total = a + b, a + c, a + b + c + d

    def log_probability(corner: int) -> float:
        return _log_choose(column, corner) + _log_choose(total - column, row - corner) - _log_choose(total, row)

    seen = log_probability(a)
    possible = range(max(0, row + column - total), min(row, column) + 1)
    # Equal in theory, rounded apart in practice.
    likely = (log for log in map(log_probability, possible) if log <= seen + 1e-7)
    return min(1.0, math.fsum(math.exp(log) for log in likely))


def _log_choose(of: int, chosen: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(chosen + 1) - math.lgamma(of - chosen + 1)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p-values adjusted for their number (Holm 1979); None stays None and does not count."""
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, place) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(known) - rank)))
        adjusted[place] = highest
    return adjusted


def solve(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float] | None:
    """Return x with `matrix` x = `right`, by elimination with pivoting; None if the matrix is singular."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    size = len(rows)
    smallest = 1e-12 * max((abs(value) for row in matrix for value in row), default=0.0)
    for column in range(size):
        pivot = max(range(column, size), key=lambda row: abs(rows[row][column]))
        if abs(rows[pivot][column]) <= smallest:
            return None
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for row in range(column + 1, size):
            factor = rows[row][column] / rows[column][column]
            rows[row] = [value - factor * above for value, above in zip(rows[row], rows[column], strict=True)]
    found = [0.0] * size
    for row in reversed(range(size)):
        known = math.fsum(rows[row][column] * found[column] for column in range(row + 1, size))
        found[row] = (rows[row][size] - known) / rows[row][row]
    return found
