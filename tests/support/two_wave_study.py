"""A study of two waves on the sandbox, from new people to the bias of an estimate, through the API alone.

The first wave asks new people, the second all who completed the first. What is estimated is the mean answer of the
second wave's list; the truth says what it is. The weighted estimate knows what an analyst knows: the attributes in the
report of the first wave, and who completed the second.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.world.missingness import Missingness
from cint_nb.sandbox.world.population import PopulationParameters
from tests.support.sandbox_client import RawClient

DAY = 86_400
_WORDS = ("gender", "region", "education", "device")
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimates:
    """What one study finds: the true mean, that of who completed, and theirs weighted; the share that completed."""

    truth: float
    plain: float
    weighted: float
    completed: float

    @property
    def bias(self) -> float:
        """The error of the unweighted mean, in points of the answer."""
        return self.plain - self.truth

    @property
    def weighted_bias(self) -> float:
        """The error of the weighted mean."""
        return self.weighted - self.truth


def run_study(
    seed: int, missingness: Missingness, *, people: int = 600, population: PopulationParameters | None = None
) -> Estimates:
    """Run a study of two waves.

    Args:
        seed: Seed of the sandbox.
        missingness: What decides who is missing from the second wave.
        people: Completes of the first wave.
        population: The parameters of people's behaviour; the usual ones if None.
    """
    sandbox = Sandbox(seed=seed, missingness=missingness, population=population)
    raw_client = RawClient(sandbox)
    raw_client.log_in()
    project = raw_client.project()
    first = raw_client.group(project, study_type_code="adhoc", allocations=None, completes_goal=people)
    raw_client.launched(first)
    sandbox.advance(6 * DAY)
    known = {row["Respondent ID (RSID)"]: row for row in completes(raw_client, first)}
    period = {"start_at": sandbox.world.format_time(7 * DAY), "end_at": sandbox.world.format_time(28 * DAY)}
    second = raw_client.group(project, completes_goal=len(known) * 9 // 10, fielding_specification=period)
    raw_client.saved_ids(second, list(known))
    raw_client.launched(second, period["end_at"])
    sandbox.advance(20 * DAY)
    answers = {row["Respondent ID (RSID)"]: float(row["RATING"]) for row in completes(raw_client, second)}
    truth = sandbox.truth(second.rsplit("/", 1)[1], reveal=True)
    raw_client.close()
    listed = truth["rsid"]
    done = np.array([rsid in answers for rsid in listed])
    weights = 1 / response_propensities(design([known[rsid] for rsid in listed]), done)
    given = np.array([answers.get(rsid, 0.0) for rsid in listed])
    return Estimates(
        truth=float(np.mean(truth["answer"])),
        plain=float(given[done].mean()),
        weighted=float(np.average(given[done], weights=weights[done])),
        completed=float(done.mean()),
    )


def completes(raw_client: RawClient, group: str) -> list[dict[str, str]]:
    """Return the completes of a target group, as its report with answers has them."""
    raw_client.log_in()
    reports = f"{raw_client.account}/reports"
    body = {
        "filter": "target_group",
        "filter_ids": [group.rsplit("/", 1)[1]],
        "report_options": {"include_respondent_answers": True},
    }
    report_id = raw_client.post(f"{reports}/respondent-analysis", body).json()["report_id"]
    raw_client.sandbox.advance(90)
    text = raw_client.get(f"{reports}/{report_id}/download", headers={"Accept": "*/*"}).text
    return [row for row in csv.DictReader(io.StringIO(text)) if row["Client Status"] == "10"]


def design(rows: list[dict[str, str]]) -> Floats:
    """Return the attributes of people as columns of a regression.

    They are a constant, the age, its square, each level but the first of the others, and age within each of them: who
    completes does so after several chances, whose product is no logistic function of the age alone.
    """
    years = np.array([float(row["AGE"]) for row in rows])
    age = (years - years.mean()) / years.std()
    columns = [np.ones(len(rows)), age, age**2]
    for name in _WORDS:
        found = [row[name.upper()] for row in rows]
        for level in sorted(set(found))[1:]:
            has_level = np.array([value == level for value in found], float)
            columns += [has_level, has_level * age]
    return np.column_stack(columns)


def response_propensities(columns: Floats, done: NDArray[np.bool_]) -> Floats:
    """Return the fitted chances of a logistic regression, by Newton's method.

    A slight penalty keeps the coefficients of a level finite of which nobody completed, or everybody.
    """
    penalty = 0.1 * np.eye(columns.shape[1])
    penalty[0, 0] = 0.0
    coefficients = np.zeros(columns.shape[1])
    for _ in range(30):
        fitted = 1 / (1 + np.exp(-columns @ coefficients))
        information = (columns * (fitted * (1 - fitted))[:, None]).T @ columns + penalty
        step = np.linalg.solve(information, columns.T @ (done - fitted) - penalty @ coefficients)
        coefficients += step
        if np.abs(step).max() < 1e-10:
            break
    return np.asarray(1 / (1 + np.exp(-columns @ coefficients)))
