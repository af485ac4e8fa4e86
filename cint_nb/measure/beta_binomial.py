"""The model of a forecast: waves as exchangeable draws of a share, integrated over what is not known of it.

K of a wave is beta-binomial with mean μ and correlation ρ: each wave has a share of its own, which varies between waves
as Beta(μ (1 − ρ) / ρ, (1 − μ) (1 − ρ) / ρ) does. Both parameters have a beta prior and are integrated out on a grid of
logits, where the posterior is smooth and falls off on all sides, so that equal steps are exact to many digits.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SPAN = 18.0
"""Half the width of the first grid, in logits: shares from 1e-8."""
_STEPS = 24
_DEPTH = 14.0
"""Log densities this far below the highest do not count."""
_ENOUGH = 17
"""So many places of a grid must count before it is fine enough: then a step is half a standard deviation."""
_PASSES = 12
_ALL_COUNTS = 600
"""Up to so many completes each has its probability computed; of more, this many, and the others lie between them."""


@dataclass(frozen=True)
class Node:
    """One value of both parameters, as those of the beta distribution of shares, and its posterior weight."""

    a: float
    b: float
    weight: float


def posterior(
    waves: Sequence[tuple[int, int]], prior: tuple[float, float], rho_prior: tuple[float, float]
) -> list[Node]:
    """Return the posterior of the parameters, given completes and people of each wave.

    Args:
        waves: Completes and people.
        prior: Beta prior of μ.
        rho_prior: Beta prior of ρ.
    """
    shares: dict[float, list[tuple[float, float]]] = {}

    def log_marginal(rho: float) -> float:
        # For each correlation a grid of its own: the smaller it is, the closer the mean is known.
        mass = math.exp(-rho)  # (1 − ρ) / ρ
        fixed = len(waves) * math.lgamma(mass) - math.fsum(math.lgamma(mass + n) for _, n in waves)

        def log_density(mu: float) -> float:
            a, b = _shape(mass, mu)
            likelihood = math.fsum(math.lgamma(a + k) + math.lgamma(b + (n - k)) for k, n in waves)
            likelihood -= len(waves) * (math.lgamma(a) + math.lgamma(b))
            # On the scale of logits a density has the factor x (1 − x).
            return fixed + likelihood - prior[0] * _log1p_exp(-mu) - prior[1] * _log1p_exp(mu)

        points, step = _refine(log_density)
        shares[rho] = points
        highest = max(log for _, log in points)
        marginal = highest + math.log(step * math.fsum(math.exp(log - highest) for _, log in points))
        shares[rho] = [(mu, log - marginal + math.log(step)) for mu, log in points]
        return marginal - rho_prior[0] * _log1p_exp(-rho) - rho_prior[1] * _log1p_exp(rho)

    correlations, _ = _refine(log_marginal)
    highest = max(log for _, log in correlations)
    total = math.fsum(math.exp(log - highest) for _, log in correlations)
    return [
        Node(*_shape(math.exp(-rho), mu), math.exp(log - highest + inner) / total)
        for rho, log in correlations
        for mu, inner in shares[rho]
    ]


def _refine(log_density: Callable[[float], float]) -> tuple[list[tuple[float, float]], float]:
    """Return places of equal distance at which a density of one peak counts, with its log, and their distance."""
    low, high = -_SPAN, _SPAN
    for _ in range(_PASSES):
        steps = max(_STEPS, math.ceil(high - low))  # never wider than 1, for the tails, which are exponential
        step = (high - low) / steps
        points = [(x, log_density(x)) for x in (low + step * place for place in range(steps + 1))]
        highest = max(log for _, log in points)
        counted = [point for point in points if point[1] > highest - _DEPTH]
        if len(counted) >= _ENOUGH:
            break
        low, high = max(low, counted[0][0] - step), min(high, counted[-1][0] + step)
    return counted, step


def _shape(mass: float, mu: float) -> tuple[float, float]:
    return mass / (1 + math.exp(-mu)), mass / (1 + math.exp(mu))


def _log1p_exp(x: float) -> float:
    return math.log1p(math.exp(-abs(x))) + max(x, 0.0)


@dataclass(frozen=True)
class Predicted:
    """The posterior predictive distribution of the completes among so many people.

    Args:
        counts: Completes whose probability was computed, in order, from 0 to `people`.
        logs: The logs of these probabilities; between two counts they are taken for straight.
    """

    people: int
    counts: list[int]
    logs: list[float]
    mean: float

    @cached_property
    def _sums(self) -> list[float]:
        """The probability up to each of the counts, not yet scaled."""
        sums, total = [], 0.0
        for place, (count, log) in enumerate(zip(self.counts, self.logs, strict=True)):
            total += math.exp(log) + (self._between(place, count - 1) if place else 0.0)
            sums.append(total)
        return sums

    @property
    def _total(self) -> float:
        return self._sums[-1]

    def _between(self, place: int, last: int) -> float:
        """Return the probability, not yet scaled, of the counts after the one before `place`, up to `last`."""
        start = self.counts[place - 1]
        steps = last - start
        if steps < 1:
            return 0.0
        slope = (self.logs[place] - self.logs[place - 1]) / (self.counts[place] - start)
        first = math.exp(self.logs[place - 1] + slope)
        if abs(slope) < 1e-12:
            return first * steps
        return first * math.expm1(slope * steps) / math.expm1(slope)

    def chance(self, k: int) -> float:
        """Return the probability of exactly `k` completes."""
        return math.exp(self.log_chance(k))

    def log_chance(self, k: int) -> float:
        """Return the log of the probability of exactly `k` completes."""
        place = bisect.bisect_left(self.counts, k)
        log = self.logs[place]
        if self.counts[place] != k:
            start = self.counts[place - 1]
            log = self.logs[place - 1] + (log - self.logs[place - 1]) * (k - start) / (self.counts[place] - start)
        return log - math.log(self._total)

    def at_most(self, k: int) -> float:
        """Return the probability of at most `k` completes."""
        if k < 0 or k >= self.people:
            return float(k >= 0)
        place = bisect.bisect_right(self.counts, k)
        return (self._sums[place - 1] + self._between(place, k)) / self._total

    def quantile(self, q: float) -> int:
        """Return the fewest completes that are not exceeded with at least this probability."""
        low, high = -1, self.people
        while high - low > 1:
            middle = (low + high) // 2
            if self.at_most(middle) >= q:
                high = middle
            else:
                low = middle
        return high

    def expected_up_to(self, most: int) -> float:
        """Return the expected completes, if no more than `most` are counted."""
        # E min(K, m) = Σ P(K > k) for k < m; sums of a straight piece are close to its ends' mean.
        stops = sorted({0, min(most, self.people), *(count for count in self.counts if count < most)})
        total = 0.0
        for start, end in itertools.pairwise(stops):
            total += 1 - self.at_most(start)
            inner = end - start - 1
            if inner:
                total += inner * (1 - (self.at_most(start + 1) + self.at_most(end - 1)) / 2)
        return total


def predict(nodes: Sequence[Node], people: int) -> Predicted:
    """Return how many of so many people will complete."""
    import numpy as np

    counts = _counts(people)
    k = np.array(counts, dtype=np.float64)
    a, b, weight = (np.array([[getattr(node, name)] for node in nodes]) for name in ("a", "b", "weight"))
    chosen = _log_gamma(np.array([people + 1.0])) - _log_gamma(k + 1) - _log_gamma(people - k + 1)
    scale = np.log(weight) + _log_gamma(a + b) - _log_gamma(a) - _log_gamma(b) - _log_gamma(a + b + people)
    chances = np.exp(chosen + scale + _log_gamma(a + k) + _log_gamma(b + (people - k))).sum(axis=0)
    logs = [math.log(chance) if chance > 0 else -745.0 for chance in chances.tolist()]
    mean = people * math.fsum(node.weight * node.a / (node.a + node.b) for node in nodes)
    return Predicted(people, counts, logs, mean)


def _log_gamma(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log Γ of positive numbers: Stirling's series at x + 10, where it is exact to 14 digits.

    numpy has none, and `math.lgamma` takes a quarter of a second for the quarter of a million numbers of a prediction,
    of which a search for the shortest list makes seventy.
    """
    import numpy as np

    y = x + 10
    rising = np.ones_like(x)
    for step in range(10):
        rising *= x + step
    square = 1 / (y * y)
    series = (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188)))) / y
    found: NDArray[np.float64] = (y - 0.5) * np.log(y) - y + 0.5 * math.log(2 * math.pi) + series - np.log(rising)
    return found


def _counts(people: int) -> list[int]:
    """Return the counts to compute: all, or closer to both ends, where a distribution may be steep."""
    if people <= _ALL_COUNTS:
        return list(range(people + 1))
    places = (math.sin(math.pi / 2 * place / _ALL_COUNTS) ** 2 for place in range(_ALL_COUNTS + 1))
    return sorted({round(people * place) for place in places})


def log_binomial(k: int, n: int, share: float) -> float:
    """Return the log of the binomial probability of `k` among `n`, for a share between 0 and 1."""
    choose = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return choose + k * math.log(share) + (n - k) * math.log1p(-share)
