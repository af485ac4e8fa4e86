"""The model of a forecast: waves as exchangeable draws of a share, integrated over what is not known of it.

K of a wave is beta-binomial with mean μ and correlation ρ: each wave has a share of its own, which varies between waves
as Beta(μ (1 − ρ) / ρ, (1 − μ) (1 − ρ) / ρ) does. Both parameters have a beta prior and are integrated out on a grid,
which is exact enough to forget about and needs no sampling.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cint_nb.measure.probability import beta_cdf

_SPAN = 16.0
"""Half the width of the first grid, in logits: shares from 1e-7."""
_COARSE, _FINE = 33, 40
_DEPTH = 18.0
"""Log densities this far below the highest do not count."""
_GRID = 400
"""Places at which the density of the next wave's share is known."""
_WIDTH = 9.0
"""Standard deviations beyond which nothing counts."""


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

    def log_density(mu: float, rho: float) -> float:
        # On the scale of logits, so that the density has the factors x (1 − x).
        m, r = _expit(mu), _expit(rho)
        mass = (1 - r) / r
        a, b = m * mass, (1 - m) * mass
        total = sum(math.lgamma(k + a) + math.lgamma(n - k + b) - math.lgamma(n + mass) for k, n in waves) - len(
            waves
        ) * (math.lgamma(a) + math.lgamma(b) - math.lgamma(mass))
        return (
            total
            + prior[0] * math.log(m) + prior[1] * _log_complement(mu)
            + rho_prior[0] * math.log(r) + rho_prior[1] * _log_complement(rho)
        )  # fmt: skip

    box = ((-_SPAN, _SPAN), (-_SPAN, _SPAN))
    for size in (_COARSE, _COARSE, _FINE):
        axes = [[low + (high - low) * place / (size - 1) for place in range(size)] for low, high in box]
        densities = {(i, j): log_density(mu, rho) for i, mu in enumerate(axes[0]) for j, rho in enumerate(axes[1])}
        highest = max(densities.values())
        kept = [place for place, density in densities.items() if density > highest - _DEPTH]
        box = tuple(  # type: ignore[assignment]
            (
                axis[max(0, min(place[side] for place in kept) - 1)],
                axis[min(size - 1, max(place[side] for place in kept) + 1)],
            )
            for side, axis in enumerate(axes)
        )
    weights = {place: math.exp(densities[place] - highest) for place in kept}
    total = math.fsum(weights.values())
    nodes = []
    for (i, j), weight in weights.items():
        m, r = _expit(axes[0][i]), _expit(axes[1][j])
        nodes.append(Node(m * (1 - r) / r, (1 - m) * (1 - r) / r, weight / total))
    return nodes


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _log_complement(x: float) -> float:
    """Return log(1 − expit(x)), without losing what is near 0."""
    return -math.log1p(math.exp(x))


@dataclass(frozen=True)
class NextWave:
    """The share of the next wave: places between 0 and 1 with their probability."""

    shares: list[float]
    weights: list[float]
    mean: float

    def distribution(self, people: int) -> list[float]:
        """Return the probability of 0, 1, … completes of so many people."""
        found = [0.0] * (people + 1)
        for share, weight in zip(self.shares, self.weights, strict=True):
            if weight:
                _add_binomial(found, people, share, weight)
        return found

    def at_least(self, goal: int, people: int) -> float:
        """Return the probability of at least `goal` completes."""
        if goal <= 0 or goal > people:
            return float(goal <= 0)
        return math.fsum(
            weight * beta_cdf(share, goal, people - goal + 1)
            for share, weight in zip(self.shares, self.weights, strict=True)
            if weight
        )


def next_wave(nodes: Sequence[Node]) -> NextWave:
    """Return the posterior predictive distribution of the next wave's share."""
    # Equal steps of the arc sine, on which binomial variation is alike everywhere.
    step = math.pi / 2 / _GRID
    angles = [step * (place + 0.5) for place in range(_GRID)]
    logs = [(math.log(math.sin(angle)), math.log(math.cos(angle))) for angle in angles]
    weights = [0.0] * _GRID
    for node in nodes:
        middle = math.asin(math.sqrt(node.a / (node.a + node.b)))
        spread = 0.5 / math.sqrt(node.a + node.b + 1)
        if spread < step:  # narrower than the grid: between the two nearest places
            place = min(max(middle / step - 0.5, 0.0), _GRID - 1.0)
            below = min(int(place), _GRID - 2)
            weights[below] += node.weight * (below + 1 - place)
            weights[below + 1] += node.weight * (place - below)
            continue
        first = max(0, int((middle - _WIDTH * spread) / step))
        last = min(_GRID, int((middle + _WIDTH * spread) / step) + 1)
        heights = [(2 * node.a - 1) * sine + (2 * node.b - 1) * cosine for sine, cosine in logs[first:last]]
        highest = max(heights)
        densities = [math.exp(height - highest) for height in heights]
        factor = node.weight / math.fsum(densities)
        for place, density in enumerate(densities, start=first):
            weights[place] += factor * density
    mean = math.fsum(node.weight * node.a / (node.a + node.b) for node in nodes)
    return NextWave([math.sin(angle) ** 2 for angle in angles], weights, mean)


def log_binomial(k: int, n: int, share: float) -> float:
    """Return the log of the binomial probability of `k` among `n`."""
    choose = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return choose + k * math.log(share) + (n - k) * math.log1p(-share)


def _add_binomial(found: list[float], people: int, share: float, weight: float) -> None:
    """Add a binomial distribution, from its middle as far as it counts."""
    middle = min(people, int((people + 1) * share))
    odds = share / (1 - share)
    start = weight * math.exp(log_binomial(middle, people, share))
    least = start * 1e-14
    value, k = start, middle
    while k <= people and value > least:
        found[k] += value
        value *= (people - k) / (k + 1) * odds
        k += 1
    value, k = start * middle / ((people - middle + 1) * odds), middle - 1
    while k >= 0 and value > least:
        found[k] += value
        value *= k / ((people - k + 1) * odds)
        k -= 1
