"""Two hundred seeded two-wave studies for each mechanism of missingness: what it does to an estimate, what weights do.

Run `python -m benchmarks.two_wave_studies`, or `nox -s laboratory`; `--report` writes the table of docs/laboratory.md,
`--studies` runs another number. It fails when a mechanism does not do what its name says: by chance alone no bias; by
attributes a bias that weighting by them removes; by the answer a bias that no weights remove.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cint_nb.sandbox.world.missingness import MECHANISMS
from tests.support.two_wave_study import Estimates, run_study

PAGE = Path(__file__).resolve().parent.parent / "docs" / "laboratory.md"
MARKS = ("<!-- studies -->", "<!-- /studies -->")
NAMES = {
    "none": "nothing but the usual chance",
    "mcar": "`Missingness.mcar()`",
    "mar": "`Missingness.mar()`",
    "mnar": "`Missingness.mnar()`",
}


class Result(NamedTuple):
    """What the studies of one mechanism found: mean share of completes; means of biases with their standard errors."""

    completed: float
    plain: tuple[float, float]
    weighted: tuple[float, float]


def study(mechanism: str, seed: int) -> Estimates:
    logging.disable(logging.CRITICAL)
    return run_study(seed, MECHANISMS[mechanism]())


def result(found: list[Estimates]) -> Result:
    return Result(
        float(np.mean([one.completed for one in found])),
        mean_and_error([one.bias for one in found]),
        mean_and_error([one.weighted_bias for one in found]),
    )


def mean_and_error(values: list[float]) -> tuple[float, float]:
    return float(np.mean(values)), float(np.std(values, ddof=1) / len(values) ** 0.5)


def problems(results: dict[str, Result]) -> list[str]:
    """Return where a mechanism does not do what its name says; three standard errors count as nothing."""
    found = []
    for name in ("none", "mcar"):
        mean, error = results[name].plain
        if abs(mean) > 3 * error:
            found.append(f"{name}: a bias of {mean:.2f}, although chance alone decides")
    for name in ("mar", "mnar"):
        mean, error = results[name].plain
        if mean < 10 * error:
            found.append(f"{name}: no clear bias")
    mean, error = results["mar"].weighted
    if abs(mean) > 3 * error:
        found.append(f"mar: a bias of {mean:.2f} remains after weighting")
    mean, error = results["mnar"].weighted
    if mean < 10 * error:
        found.append("mnar: weights remove the bias")
    return found


def table(results: dict[str, Result], studies: int) -> str:
    lines = [
        f"{studies} studies each, 600 people; the answer has a standard deviation of 14 points. Biases in points, ± "
        "one standard error of the mean over the studies.",
        "",
        "| who is missing is decided by | completed | bias of the mean | bias after weighting |",
        "|---|---|---|---|",
    ]
    for name, (completed, plain, weighted) in results.items():
        cells = (f"{mean:+.2f} ± {error:.2f}" for mean, error in (plain, weighted))
        lines.append(f"| {NAMES[name]} | {completed:.0%} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=200, help="studies for each mechanism (default 200)")
    parser.add_argument("--report", action="store_true", help=f"write the table into docs/{PAGE.name}")
    options = parser.parse_args()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        results = {
            name: result(list(pool.map(partial(study, name), range(1, options.studies + 1), chunksize=5)))
            for name in NAMES
        }
    text = table(results, options.studies)
    print(text)
    if options.report:
        begin, end = MARKS
        page = PAGE.read_text(encoding="utf-8")
        whole = f"{begin}\n{text}\n{end}"
        PAGE.write_text(re.sub(f"{begin}.*{end}", lambda _: whole, page, flags=re.DOTALL), encoding="utf-8")
    found = problems(results)
    print("\n".join(found))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
