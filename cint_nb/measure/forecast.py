"""How many completes a list will bring, from the waves before, and how good such forecasts were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cint_nb.caller_warnings import warn_caller
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError
from cint_nb.measure.beta_binomial import Node, log_binomial, posterior, predict
from cint_nb.measure.counting import HOUR, count_cells, count_times, refuse_horizon
from cint_nb.measure.frames import Origin
from cint_nb.measure.probability import refuse_conf

IDS_MAX = 100_000
"""The longest list an upload takes."""
_PRICE_MAX = 1e9
_FORECAST: dict[str, type] = {
    "hours": float,
    "waves": int,
    "saved": int,
    "mean": float,
    "median": int,
    "low": int,
    "high": int,
    "p_goal": float,
    "ids_needed": int,
    "cost_low": float,
    "cost_mean": float,
    "cost_high": float,
}
_CHECK: dict[str, type] = {
    "wave": int,
    "n": int,
    "completed": int,
    "low": int,
    "high": int,
    "inside": int,
    "pit": float,
    "log_score": float,
    "log_score_last": float,
}


@dataclass(frozen=True)
class PastWave:
    """What is counted of one wave: people asked and known, and how many of them completed within the horizon."""

    wave: int
    n: int
    completed: int


@check_arguments()
def forecast(
    frame: Any,
    *,
    saved: int,
    goal: int | None = None,
    price: float | None = None,
    horizon: float | None = None,
    conf: float = 0.9,
    prior: Sequence[float] = (1, 1),
    rho_prior: Sequence[float] = (1, 19),
    min_waves: int = 3,
) -> Any:
    """Return how many of the saved ids will complete the next wave within the horizon.

    Formula: waves are exchangeable: K ~ BetaBinomial(n, μ (1 − ρ) / ρ, (1 − μ) (1 − ρ) / ρ) with μ ~ Beta(`prior`) and
    ρ ~ Beta(`rho_prior`), integrated numerically; the forecast is the posterior predictive distribution. A plain
    binomial would treat all waves as alike, and its band holds the less often the more they differ. Suppliers are left
    out on purpose: a wave uses them all, and what they share is the wave.

    Source: Gelman et al. (2013), chapter 5; Williams (1975) for the beta-binomial.

    Args:
        frame: Visits and listed persons of past waves, see `dispositions`, or its output.
        saved: The ids saved in the target group; not those uploaded, of which some are rejected.
        goal: Completes wanted.
        price: Of one complete, in any currency.
        horizon: Hours since the opening, above 0; the shortest time that any past wave was open, if None.
        conf: Probability of the band, and of reaching the goal with `ids_needed`; above 0.5 and below 1.
        prior: Beta prior of the mean share. (1, 1) takes all shares for equally likely.
        rho_prior: Beta prior of the correlation within a wave. (1, 19), a mean of 0.05, was chosen by simulation:
            tighter ones make bands that are too narrow. (1, 9) is for waves known to differ by more than ten points.
        min_waves: The fewest past waves, 1 or more. With few the band is wide, not wrong.

    Returns:
        One row: `hours waves saved mean median low high p_goal ids_needed cost_low cost_mean cost_high`. `low` and
        `high` hold with probability `conf` or more, as counts allow; `p_goal` is that of at least `goal` completes;
        `ids_needed` the shortest list that reaches it with probability `conf`, null above 100,000. Costs are the price
        × the completes up to the goal: at `low`, expected, and at `high`. Without goal or price their columns are null.
        A frame of pandas holds the priors in `attrs`.

    Raises:
        InputError: not enough waves were open long enough, or an argument is wrong.

    Assumes: the next wave is like the past ones in everything that matters: list, incentive, length, season.

    Warns: of waves left out, because they were open for less, still are, or have no report.

    Example:
        >>> import pandas as pd
        >>> import cint_nb as cint
        >>> visits = pd.DataFrame({
        ...     "person": [*range(100)] * 4,
        ...     "wave": [1] * 100 + [2] * 100 + [3] * 100 + [4] * 100,
        ...     "reason": sum((["completed"] * n + ["absent"] * (100 - n) for n in (30, 36, 25, 33)), []),
        ... })
        >>> found = cint.measure.forecast(visits, saved=500, goal=100)
        >>> found[["waves", "mean", "low", "high", "p_goal", "ids_needed"]].round(2)
           waves    mean  low  high  p_goal  ids_needed
        0      4  157.76   94   228    0.94         451
    """
    refuse_conf(conf)
    priors = _refuse_settings(prior, rho_prior, min_waves)
    for name, value in (("saved", saved), ("goal", goal)):
        if value is not None and not 1 <= value <= 10 * IDS_MAX:
            raise InputError(
                f"{name} is a whole number from 1 to {10 * IDS_MAX:,}.",
                evidence={"field": name},
                next_step=f"give {'how many ids were saved' if name == 'saved' else 'how many completes are wanted'}.",
            )
    if price is not None and not 0 <= price <= _PRICE_MAX:
        raise InputError(
            f"price is a number from 0 to {_PRICE_MAX:,.0f}.",
            evidence={"field": "price"},
            next_step="give 2.5 for 2.50.",
        )
    waves, hours, origin = _past_waves(frame, horizon)
    if len(waves) < min_waves:
        raise _not_enough(len(waves), min_waves, possible=len(waves))
    nodes = _posterior(waves, *priors)
    coming = predict(nodes, saved)
    low, median, high = (coming.quantile(q) for q in ((1 - conf) / 2, 0.5, (1 + conf) / 2))
    row: dict[str, Any] = dict.fromkeys(_FORECAST) | {
        "hours": hours,
        "waves": len(waves),
        "saved": saved,
        "mean": coming.mean,
        "median": median,
        "low": low,
        "high": high,
    }
    if goal is not None:
        row["p_goal"] = 1 - coming.at_most(goal - 1)
        row["ids_needed"] = _ids_needed(nodes, goal, conf)
    if price is not None:
        most = saved if goal is None else goal
        row |= {
            "cost_low": price * min(low, most),
            "cost_mean": price * coming.expected_up_to(most),
            "cost_high": price * min(high, most),
        }
    result = origin.table({name: [row[name]] for name in _FORECAST}, _FORECAST)
    if isinstance(getattr(result, "attrs", None), dict):
        result.attrs |= {"prior": f"Beta{priors[0]}", "rho_prior": f"Beta{priors[1]}"}
    return result


@check_arguments()
def forecast_check(
    frame: Any,
    *,
    horizon: float | None = None,
    conf: float = 0.9,
    prior: Sequence[float] = (1, 1),
    rho_prior: Sequence[float] = (1, 19),
    min_waves: int = 3,
) -> Any:
    """Return how good forecasts of the past waves would have been, each made from the waves before it.

    Formula: as `forecast`. `pit` = F(k − 1) + f(k) / 2, which good forecasts spread between 0 and 1 as evenly as counts
    can be. `log_score` is log f(k), higher is better, and no forecast gains by saying what it does not believe (a
    proper score; Gneiting & Raftery 2007). `log_score_last` is that of a binomial with the share of the wave before,
    (k + ½) / (n + 1).

    Args:
        frame: Visits and listed persons of past waves, see `dispositions`, or its output.
        horizon: Hours since the opening, as for `forecast`; so are `conf`, `prior` and `rho_prior`.
        conf: Probability of the band.
        prior: Beta prior of the mean share.
        rho_prior: Beta prior of the correlation within a wave.
        min_waves: How many waves the first forecast is made from, 1 or more.

    Returns:
        A row per wave after the first `min_waves`: `wave n completed low high inside pit log_score log_score_last`;
        `inside` is 1 where the band held.

    Raises:
        InputError: not enough waves were open long enough, or an argument is wrong.

    Assumes: as `forecast`.

    Warns: as `forecast`, of waves left out.

    Example:
        >>> import pandas as pd
        >>> import cint_nb as cint
        >>> visits = pd.DataFrame({
        ...     "person": [*range(100)] * 4,
        ...     "wave": [1] * 100 + [2] * 100 + [3] * 100 + [4] * 100,
        ...     "reason": sum((["completed"] * n + ["absent"] * (100 - n) for n in (30, 36, 25, 33)), []),
        ... })
        >>> cint.measure.forecast_check(visits)[["wave", "completed", "low", "high", "inside"]]
           wave  completed  low  high  inside
        0     4         33   15    50       1
    """
    refuse_conf(conf)
    priors = _refuse_settings(prior, rho_prior, min_waves)
    waves, _, origin = _past_waves(frame, horizon)
    if len(waves) <= min_waves:
        raise _not_enough(len(waves), min_waves + 1, possible=len(waves) - 1)
    rows = []
    for place in range(min_waves, len(waves)):
        wave, before = waves[place], waves[place - 1]
        coming = predict(_posterior(waves[:place], *priors), wave.n)
        low, high = (coming.quantile(q) for q in ((1 - conf) / 2, (1 + conf) / 2))
        k = wave.completed
        last = log_binomial(k, wave.n, (before.completed + 0.5) / (before.n + 1))
        rows.append(
            (
                wave.wave,
                wave.n,
                k,
                low,
                high,
                int(low <= k <= high),
                coming.at_most(k) - coming.chance(k) / 2,
                coming.log_chance(k),
                last,
            )
        )
    columns = zip(*rows, strict=True)
    return origin.table({name: list(column) for name, column in zip(_CHECK, columns, strict=True)}, _CHECK)


def _refuse_settings(
    prior: Sequence[float], rho_prior: Sequence[float], min_waves: int
) -> tuple[tuple[float, float], tuple[float, float]]:
    for name, pair in (("prior", prior), ("rho_prior", rho_prior)):
        if len(pair) != 2 or not all(0 < value < 1e6 for value in pair):
            raise InputError(
                f"{name} is two numbers above 0, those of a beta distribution.",
                evidence={"field": name},
                next_step=f"leave {name} out, or give a pair such as (1, 1).",
            )
    if min_waves < 1:
        raise InputError("min_waves is 1 or more.", evidence={"field": "min_waves"}, next_step="3 is the default.")
    return (float(prior[0]), float(prior[1])), (float(rho_prior[0]), float(rho_prior[1]))


def _not_enough(there: int, needed: int, *, possible: int) -> InputError:
    fewer = f", or pass min_waves={possible} for a wider band" if possible > 0 else ""
    return InputError(
        f"There are not enough waves for a forecast: {there} of {needed} that were open long enough, are closed, and "
        "have a report.",
        evidence={"waves": there, "needed": needed},
        safe="nothing was forecast: with fewer waves nobody can know how much they differ.",
        next_step=f"wait for the next wave, or choose a shorter horizon{fewer}.",
    )


def _past_waves(frame: Any, horizon: float | None) -> tuple[list[PastWave], float | None, Origin]:
    """Return the waves that can be compared, the horizon in hours, and where results go."""
    longest = refuse_horizon(horizon)
    counted = count_cells(frame, by=None, base="asked", horizon=longest)
    usable = {
        cell.wave: counts
        for cell, counts in ((cell, counted.counts[cell]) for cell in counted.cells)
        if counts.known and not counts.unfinished and not counts.pending
    }
    if counted.people.timed:
        usable = {wave: counts for wave, counts in usable.items() if not counts.untimed and counts.shortest is not None}
        if longest is None:
            longest = min((counts.shortest for counts in usable.values() if counts.shortest is not None), default=None)
        usable = {wave: counts for wave, counts in usable.items() if (counts.shortest or 0) >= (longest or 0)}
    else:
        longest = None
        usable = {wave: counts for wave, counts in usable.items() if not counts.cut_off}
    out = [cell.wave for cell in counted.cells if cell.wave not in usable]
    if out:
        warn_caller(
            f"measure.forecast: wave{'s' if len(out) > 1 else ''} {', '.join(map(str, out[:10]))} left out: open for "
            "less than the horizon, cut off, still open, or without a report."
        )
    completed = {wave: counts.completed for wave, counts in usable.items()}
    if longest is not None:
        found = count_times(frame, by=None, base="asked")
        completed = {
            cell.wave: sum(time.events for time in times if time.time <= longest) for cell, times in found.times.items()
        }
    waves = [PastWave(wave, usable[wave].known, completed[wave]) for wave in sorted(usable)]
    return waves, None if longest is None else longest / HOUR, counted.people.origin


def _posterior(waves: Sequence[PastWave], prior: tuple[float, float], rho_prior: tuple[float, float]) -> list[Node]:
    return posterior([(wave.completed, wave.n) for wave in waves], prior, rho_prior)


def _ids_needed(nodes: Sequence[Node], goal: int, conf: float) -> int | None:
    def reaches(people: int) -> bool:
        return people >= goal and 1 - predict(nodes, people).at_most(goal - 1) >= conf

    if not reaches(IDS_MAX):
        warn_caller(
            f"measure.forecast: no list of up to {IDS_MAX:,} ids reaches {goal:,} completes with probability {conf:g}, "
            "so that ids_needed is null."
        )
        return None
    low, high = goal - 1, goal
    while not reaches(high):  # doubled, not halved from above: long lists take longer to compute
        low, high = high, min(2 * high, IDS_MAX)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high
