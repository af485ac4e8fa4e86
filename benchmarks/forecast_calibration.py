"""How often the 90 % band of a forecast holds: `python benchmarks/forecast_calibration.py [--report] [--studies 500]`.

Each study is a panel of waves whose shares scatter about a middle by so many points (normal, so not the model's own
distribution); the last wave is forecast from the others. Beside it: the band of a plain binomial that pools all waves,
and the log score of the last wave's share, (k + 1/2) / (n + 1). Studies on the sandbox draw who returns, and when, from
its population, whose people have suppliers and habits of their own.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random

from measuring import Row, show

from cint_nb.domain.ids import synthetic_id
from cint_nb.measure.beta_binomial import log_binomial, posterior, predict
from cint_nb.sandbox.world.id_store import to_id_bytes
from cint_nb.sandbox.world.population import Population, PopulationParameters, Wave

PAGE = Path(__file__).resolve().parent.parent / "docs" / "measures.md"
BEGIN, END = "<!-- calibration -->", "<!-- end of calibration -->"
WAVES = (3, 6, 12, 16)
SPREADS = (2, 4, 8, 12)
CONF = 0.9
LOWEST, HIGHEST = 0.87, 0.95
KINDS = {"sandbox": "on the sandbox", "simulated": "of plain draws"}
HORIZON = 7 * 86_400.0
USUAL, WIDE = (1.0, 19.0), (1.0, 9.0)
"""Priors of the correlation: the default, and the one for waves that are known to differ a lot."""


@dataclass(frozen=True)
class Held:
    """What one forecast was worth."""

    inside: bool
    binomial: bool
    gain: float


def drawn(generator: Random, middle: float, spread: float) -> float:
    return min(0.98, max(0.02, generator.gauss(middle, spread / 100)))


def simulated(waves: int, spread: float, seed: int) -> list[tuple[int, int]]:
    """Return completes and people of so many waves and the one to forecast."""
    generator = Random(f"{waves} {spread} {seed}")  # noqa: S311 - a made-up study, no secret
    middle = generator.uniform(0.15, 0.6)
    counts = []
    for _ in range(waves + 1):
        share, people = drawn(generator, middle, spread), generator.randint(80, 400)
        counts.append((sum(generator.random() < share for _ in range(people)), people))
    return counts


def on_sandbox(waves: int, spread: float, seed: int) -> list[tuple[int, int]]:
    """Return the same from the sandbox's population: who is shown the survey, returns within a week, and completes."""
    generator = Random(f"sandbox {waves} {spread} {seed}")  # noqa: S311 - a made-up study, no secret
    middle = generator.uniform(0.3, 0.7)
    known = PopulationParameters()
    losses = known.screened_out + known.terminated + known.quality + known.drop_rate
    counts = []
    for wave in range(waves + 1):
        population = Population(
            seed, replace(known, returns=drawn(generator, middle, spread / known.supplier_takes_part))
        )
        people = generator.randint(80, 250)
        completed = 0
        for number in range(people):
            key = to_id_bytes(synthetic_id(f"study {seed} {waves}", wave * 1_000 + number))
            delay = population.return_delay(key, Wave(f"wave {wave}".encode()), 1.0)
            completed += delay is not None and delay <= HORIZON and generator.random() >= losses
        counts.append((completed, people))
    return counts


def judge(counts: list[tuple[int, int]], rho_prior: tuple[float, float] = USUAL) -> Held:
    past, (completed, people) = counts[:-1], counts[-1]
    coming = predict(posterior(past, (1.0, 1.0), rho_prior), people)
    low, high = (coming.quantile(q) for q in ((1 - CONF) / 2, (1 + CONF) / 2))
    pooled = (sum(k for k, _ in past) + 0.5) / (sum(n for _, n in past) + 1)
    total, limits = 0.0, []
    for k in range(people + 1):
        total += math.exp(log_binomial(k, people, pooled))
        if total >= ((1 - CONF) / 2, (1 + CONF) / 2)[len(limits)]:
            limits.append(k)
            if len(limits) == 2:
                break
    limits += [people] * (2 - len(limits))
    last = (past[-1][0] + 0.5) / (past[-1][1] + 1)
    gain = coming.log_chance(completed) - log_binomial(completed, people, last)
    return Held(low <= completed <= high, limits[0] <= completed <= limits[1], gain)


def study(kind: str, waves: int, spread: float, seed: int) -> Held:
    counts = (on_sandbox if kind == "sandbox" else simulated)(waves, spread, seed)
    return judge(counts, WIDE if kind == "wide" else USUAL)


def cell(pool: ProcessPoolExecutor, kind: str, waves: int, spread: float, studies: int) -> list[Held]:
    return list(pool.map(partial(study, kind, waves, spread), range(studies), chunksize=25))


def tables(found: dict[tuple[str, int, float], list[Held]], studies: int) -> str:
    """Return the figures as text for docs/measures.md."""
    wide = [f"{share(found['wide', waves, max(SPREADS)]):.1%}" for waves in WAVES]
    return "\n".join(
        [
            f"Of {studies} forecasts in each cell, each of a panel of its own whose shares scatter by so many "
            "percentage points (standard deviation) between waves, so many held: the 90 % band of the forecast, "
            "in brackets the band of a plain binomial that pools all waves. The standard error of a share of 90 % is "
            f"{100 * math.sqrt(CONF * (1 - CONF) / studies):.1f} points.",
            "",
            "On the sandbox's population, whose people return or not by habits of their own:",
            "",
            *by_cell(lambda waves, spread: coverage(found["sandbox", waves, spread])),
            "",
            "Of plain draws about middles of 15 to 60 %, where shares that scatter far meet their lower limit:",
            "",
            *by_cell(lambda waves, spread: coverage(found["simulated", waves, spread])),
            "",
            "With `rho_prior=(1, 9)`, for waves that are known to differ by more than ten points, those that scatter "
            f"by {max(SPREADS)} points had bands that held in {', '.join(wide[:-1])} and {wide[-1]}.",
            "",
            "By how much the log score of the forecast beats that of the last wave's share, on average, on the "
            "sandbox and of plain draws; above 0 it is better:",
            "",
            *by_cell(lambda waves, spread: " and ".join(f"{gain(found[kind, waves, spread]):+.2f}" for kind in KINDS)),
        ]
    )


def by_cell(text: Callable[[int, int], str]) -> list[str]:
    """Return the lines of a table with a row for each spread and a column for each number of waves."""
    head = "| points between waves | " + " | ".join(f"{waves} waves before" for waves in WAVES) + " |"
    rows = [f"| {spread} | " + " | ".join(text(waves, spread) for waves in WAVES) + " |" for spread in SPREADS]
    return [head, "|---|" + "---|" * len(WAVES), *rows]


def coverage(held: list[Held]) -> str:
    return f"{share(held):.1%} ({binomial(held):.0%})"


def share(held: list[Held]) -> float:
    return statistics.mean(one.inside for one in held)


def binomial(held: list[Held]) -> float:
    return statistics.mean(one.binomial for one in held)


def gain(held: list[Held]) -> float:
    return statistics.mean(one.gain for one in held)


def rows(studies: int = 500) -> list[Row]:
    found: dict[tuple[str, int, float], list[Held]] = {}
    with ProcessPoolExecutor() as pool:
        for kind, spreads in {**dict.fromkeys(KINDS, SPREADS), "wide": SPREADS[-1:]}.items():
            for spread in spreads:
                for waves in WAVES:
                    found[kind, waves, spread] = cell(pool, kind, waves, spread, studies)
    table = tables(found, studies)
    return [row for kind, words in KINDS.items() for row in _rows_of(kind, words, found, studies, table)]


def _rows_of(
    kind: str, words: str, found: dict[tuple[str, int, float], list[Held]], studies: int, table: str
) -> list[Row]:
    shares = {(waves, spread): share(held) for (of, waves, spread), held in found.items() if of == kind}
    many = [value for (waves, _), value in shares.items() if waves >= 12]
    least = min(gain(held) for (of, *_), held in found.items() if of == kind)
    return [
        Row(
            f"forecast: the 90 % band of the next wave, {words}", f"{studies} waves in each of {len(shares)} cells", [],
            None,
            "The share of bands that held, in the cell where fewest and where most did.",
            wanted="never below 87 %", met=min(shares.values()) >= LOWEST,
            shown=f"{min(shares.values()):.1%}–{max(shares.values()):.1%}", tables=[table],
        ),
        Row(
            f"forecast: the same from twelve waves on, {words}", "the same", [], None,
            "The same, of cells with 12 or 16 waves.",
            wanted="87–95 %", met=LOWEST <= min(many) <= max(many) <= HIGHEST, shown=f"{min(many):.1%}–{max(many):.1%}",
        ),
        Row(
            f"forecast: log score, {words}", "the share of the last wave", [], None,
            "The mean gain of the log score, in the cell where it is least.",
            wanted="above 0", met=least > 0, shown=f"{least:+.2f}",
        ),
    ]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", action="store_true", help="write the figures into docs/measures.md")
    parser.add_argument("--studies", type=int, default=500, help="forecasts in each cell")
    options = parser.parse_args()
    found = rows(options.studies)
    if options.report:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}\n\n{found[0].tables[0]}\n\n{END}{after}", encoding="utf-8")
    return show(found)


if __name__ == "__main__":
    sys.exit(main())
