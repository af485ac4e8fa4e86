"""Where completes may end, from the intervals seen so far: drawing from the past, not a model."""

from __future__ import annotations

from typing import Any

import pandas as pd

DRAWS = 400
BAND = (0.1, 0.9)
INTERVALS_MIN = 3
STEPS_MAX = 400


def project(frame: pd.DataFrame, *, until: Any, seed: int = 1) -> pd.DataFrame | None:
    """Continue completes to the end of fielding as if each interval to come were one of those seen.

    Args:
        frame: Columns `until` (UTC) and `completes`, at even intervals.
        until: End of fielding, UTC.
        seed: Same seed, same band.

    Returns:
        A frame: `until`, UTC, from the last interval on; `low`, `middle`, `high`: the 10th, 50th and 90th percentile.
        None with fewer than three intervals, or when the end has passed.
    """
    import numpy as np

    times = pd.to_datetime(frame["until"], utc=True)
    end = pd.to_datetime(until, utc=True)
    if len(frame) < INTERVALS_MIN + 1 or times.iloc[-1] >= end:
        return None
    step = times.diff().median()
    if step <= pd.Timedelta(0):
        return None
    new = np.maximum(np.diff(frame["completes"].to_numpy(dtype=float)), 0.0)
    steps = min(max(int(np.ceil((end - times.iloc[-1]) / step)), 1), STEPS_MAX)
    now = float(frame["completes"].iloc[-1])
    drawn = now + np.random.default_rng(seed).choice(new, size=(DRAWS, steps)).cumsum(axis=1)
    low, middle, high = np.quantile(drawn, [BAND[0], 0.5, BAND[1]], axis=0)
    ahead = [min(times.iloc[-1] + step * number, end) for number in range(steps + 1)]
    return pd.DataFrame({"until": ahead, "low": [now, *low], "middle": [now, *middle], "high": [now, *high]})
