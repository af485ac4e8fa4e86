"""Where completes may end: they go on, or slow down as they have so far, and end where list and goal end.

A recontact list is finite. Those who want to come back come early, so that steady growth promises too much. The pace is
taken to shrink from interval to interval, at once by the same share or ever more slowly, with or without a trickle that
stays; it may stand still and never gets faster. Every such slowing is weighed by how well it fits the intervals seen
(counts as Poisson, spread as far as the intervals themselves were), many futures are drawn, and each is cut at what can
still be had. The band is about chance and slowing only: it knows no weekday, no holiday and no change of price.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

SIMULATIONS = 1_000
BAND_QUANTILES = (0.1, 0.9)
INTERVALS_MIN = 3
STEPS_MAX = 400
_DECAY_COUNT = 48
_DECAY_EXPONENTS = (1.0, 0.5)
_DECAY_FLOORS = (0.0, 0.01, 0.03, 0.1)


def project(
    frame: pd.DataFrame, *, end_at: Any, maximum: float | None = None, now: Any = None, seed: int = 1
) -> pd.DataFrame | None:
    """Continue completes to the end of fielding, slowing as they have so far.

    Args:
        frame: Columns `until` (UTC) and `completes`, at even intervals.
        end_at: End of fielding, UTC.
        maximum: Completes that cannot be exceeded, such as the goal or what is left of the list.
        now: When the completes were read, UTC; of an interval that had not ended by then only the part counts.
        seed: Same seed, same band.

    Returns:
        A frame: `until`, UTC, from the last interval on; `low`, `middle`, `high`: the 10th, 50th and 90th percentile.
        None with less than three whole intervals since the first complete, or when the end has passed.
    """
    import numpy as np

    times = pd.to_datetime(frame["until"], utc=True)
    end = pd.to_datetime(end_at, utc=True)
    if len(frame) < INTERVALS_MIN or times.iloc[-1] >= end:
        return None
    step = times.diff().median()
    new, part = _intervals(frame, times, step, now)
    if step <= pd.Timedelta(0) or part.sum() < INTERVALS_MIN:
        return None
    steps = min(max(int(np.ceil((end - times.iloc[-1]) / step)), 1), STEPS_MAX)
    reached = float(frame["completes"].iloc[-1])
    drawn = reached + _simulate(new, part, steps, np.random.default_rng(seed)).cumsum(axis=1)
    if maximum is not None:
        drawn = np.minimum(drawn, max(maximum, reached))
    low, middle, high = np.quantile(drawn, [BAND_QUANTILES[0], 0.5, BAND_QUANTILES[1]], axis=0)
    ahead = [min(times.iloc[-1] + step * number, end) for number in range(steps + 1)]
    return pd.DataFrame(
        {"until": ahead, "low": [reached, *low], "middle": [reached, *middle], "high": [reached, *high]}
    )


def _intervals(frame: pd.DataFrame, times: Any, step: Any, now: Any) -> tuple[Numbers, Numbers]:
    """Return completes of each interval from the first complete on, and which part of it had passed."""
    import numpy as np

    counts = frame["completes"].to_numpy(dtype=float)
    new = np.maximum(np.diff(counts, prepend=0.0), 0.0)
    part = np.ones_like(new)
    if now is not None:
        part = np.clip((pd.to_datetime(now, utc=True) - (times - step)) / step, 0.0, 1.0).to_numpy(dtype=float)
    first = int(np.argmax(new > 0)) if (new > 0).any() else len(new)
    kept = part[first:] > 0
    return new[first:][kept], part[first:][kept]


def _decay_curves(numbers: Numbers) -> Numbers:
    """Return ways to slow down, one a row, as pace of each interval by its number; the first has pace 1."""
    import numpy as np

    share = np.linspace(1 / _DECAY_COUNT, 1.0, _DECAY_COUNT)[:, None]
    return np.vstack(
        [share ** (numbers**bend) * (1 - rest) + rest for bend in _DECAY_EXPONENTS for rest in _DECAY_FLOORS]
    )


def _simulate(new: Numbers, part: Numbers, steps: int, random: np.random.Generator) -> Numbers:
    """Draw what each of the coming intervals may bring."""
    import numpy as np

    shapes = _decay_curves(np.arange(len(new) + steps, dtype=float))
    seen = shapes[:, : len(new)] * part
    fits = seen * (new.sum() / seen.sum(axis=1))[:, None]
    fit = (new * np.log(np.maximum(fits, 1e-12)) - fits).sum(axis=1)
    best = fits[fit.argmax()]
    spread = max(1.0, float((((new - best) ** 2) / np.maximum(best, 0.5)).sum() / max(len(new) - 2, 1)))
    weight = np.exp((fit - fit.max()) / spread)
    chosen = random.choice(len(shapes), size=SIMULATIONS, p=weight / weight.sum())
    pace = random.gamma((new.sum() + 0.5) / spread, spread / seen.sum(axis=1)[chosen])
    expected = np.maximum(pace[:, None] * shapes[chosen, len(new) :], 1e-9)
    if spread > 1.001:
        expected = random.gamma(expected / (spread - 1), spread - 1)
    drawn: Numbers = random.poisson(expected).astype(np.float64)
    return drawn
