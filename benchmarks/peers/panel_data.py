"""A made-up panel, the same for every seed: who took part in four waves, when, and who they are.

Wave 4 was fielded in two parts. The smaller one stopped at its goal after five days, so that people in it are cut off:
they are neither there nor lost, which is what survival analysis is for.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

PEOPLE = 2_000
REPLICATES = 200
HOUR = 3_600_000
DAYS_OPEN = 14
DAYS_TO_GOAL = 5


def write_panel(folder: Path, seed: int) -> None:
    """Write `visits.csv`, `people.csv` and `draws.csv`, which is whom each bootstrap replicate draws.

    Args:
        folder: Where they are written.
        seed: Of everything that is random.
    """
    random = np.random.default_rng(seed)
    person = np.arange(1, PEOPLE + 1)
    age = random.integers(18, 80, PEOPLE)
    education = random.choice(["high", "low", "middle"], PEOPLE, p=[0.3, 0.3, 0.4])
    device = random.choice(["desktop", "mobile", "tablet"], PEOPLE, p=[0.35, 0.55, 0.1])
    value = (40 + age / 3 + 6 * (education == "high") + random.normal(0, 12, PEOPLE)).round(1)
    people = pd.DataFrame({"person": person, "age": age, "education": education, "device": device, "value": value})
    people.to_csv(folder / "people.csv", index=False)
    stays = 1 / (1 + np.exp(-(-0.6 + 0.02 * (age - 40) - 0.5 * (education == "low") - 0.2 * (device == "mobile"))))
    in_small_part = random.random(PEOPLE) < 0.3
    waves = [_wave(random, people, number, stays, in_small_part) for number in range(1, 5)]
    pd.concat(waves).to_csv(folder / "visits.csv", index=False)
    drawn = random.multinomial(PEOPLE, np.full(PEOPLE, 1 / PEOPLE), size=REPLICATES)
    replicate, place = np.nonzero(drawn)
    draws = {"replicate": replicate + 1, "person": person[place], "times": drawn[replicate, place]}
    pd.DataFrame(draws).to_csv(folder / "draws.csv", index=False)


def _wave(
    random: np.random.Generator, people: pd.DataFrame, number: int, stays: np.ndarray, in_small_part: np.ndarray
) -> pd.DataFrame:
    """Return a row for each person who was asked in a wave; everybody completed the first."""
    comes = (random.random(PEOPLE) < stays) | (number == 1)
    slow = 1 + (people["device"] == "mobile")
    hours = random.exponential(60 * slow)
    stopped = in_small_part & (number == 4)
    days = np.where(stopped, DAYS_TO_GOAL, DAYS_OPEN)
    done = comes & ((hours < 24 * days - 1) | (number == 1))
    entered = pd.Series((np.minimum(hours, 24 * DAYS_OPEN - 1) * HOUR).round()).astype("Int64")
    return pd.DataFrame(
        {
            "person": people["person"],
            "wave": number,
            "reason": np.where(done, "completed", None),
            "entered": entered.where(done),
            "ended": (entered + HOUR // 6).where(done),
            "open_from": 0,
            "open_until": days * 24 * HOUR,
            "closed_by": np.where(stopped, "goal", "end"),
            "device": people["device"],
        }
    )
