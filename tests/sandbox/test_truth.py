"""The truth: what all would have answered, against what reports show, and against what a mechanism should do."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean
from typing import Any

import pandas as pd
import pytest

from cint_nb.domain import ids
from cint_nb.domain.errors import InputError
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.simulation.truth import Truth, TruthRow
from cint_nb.sandbox.world.missingness import Missingness
from cint_nb.sandbox.world.population import PopulationParameters
from tests.support.sandbox_client import RawClient
from tests.support.two_wave_study import completes, run_study

DAY = 86_400
PEOPLE = [ids.synthetic_id("truth", number) for number in range(400)]


def live(raw_client: RawClient, people: list[str] = PEOPLE, **draft: Any) -> str:
    now = raw_client.sandbox.clock.elapsed
    times = [raw_client.sandbox.world.format_time(now + seconds) for seconds in (3_600, 25 * DAY)]
    fields = {"fielding_specification": {"start_at": times[0], "end_at": times[1]}} | draft
    raw_client.log_in()
    group = raw_client.group(**{"completes_goal": len(people) * 9 // 10, **fields})
    if draft.get("study_type_code") != "adhoc":
        raw_client.saved_ids(group, people)
    raw_client.launched(group, times[1])
    return group


def frame(sandbox: Sandbox, **more: Any) -> pd.DataFrame:
    return pd.DataFrame(sandbox.truth(**more))


def test_a_truth_has_a_row_for_everybody_in_the_list_and_no_id_unless_asked(
    sandbox: Sandbox, raw_client: RawClient
) -> None:
    group = live(raw_client)
    sandbox.advance(3 * DAY)
    truth = frame(sandbox)
    assert list(truth.columns) == list(TruthRow._fields) == list(Truth.__annotations__)
    raw_client.log_in()
    saved = raw_client.saved(group)
    assert len(truth) == saved
    assert truth.person.tolist() == list(range(saved))
    assert truth.rsid.str.startswith("••••").all()
    printed = truth.to_csv()
    assert not any(one[:8] in printed for one in PEOPLE)
    shown = frame(sandbox, reveal=True)
    assert set(shown.rsid) <= set(PEOPLE)
    assert shown.drop(columns="rsid").equals(truth.drop(columns="rsid"))
    assert set(truth.wave) == {1}
    assert truth.target_group_id.unique().tolist() == [group.rsplit("/", 1)[1]]


def test_it_agrees_with_what_the_reports_show(sandbox: Sandbox, raw_client: RawClient) -> None:
    group = live(raw_client)
    sandbox.advance(8 * DAY)
    answers = {row["Respondent ID (RSID)"]: int(row["RATING"]) for row in completes(raw_client, group)}
    truth = frame(sandbox, reveal=True)
    done = truth[truth.completed]
    assert dict(zip(done.rsid, done.answer, strict=True)) == answers
    assert (truth.reason == "completed").equals(truth.completed)
    assert (truth.visits > 0).equals(truth.reason.notna())
    assert truth.would_enter[truth.visits > 0].all()
    assert truth.would_complete[truth.completed].all()


def test_who_would_come_comes_if_the_wave_stays_open(open_sandbox: Callable[..., RawClient]) -> None:
    raw_client = open_sandbox(population=PopulationParameters(comes_again=0.2, drop_rate=0.2, slow_factor=1))
    live(raw_client)
    raw_client.sandbox.advance(24 * DAY)
    truth = frame(raw_client.sandbox)
    came_by_the_end = truth.enters_after_hours < 23 * 24
    assert (truth.visits > 0).equals(truth.would_enter & came_by_the_end)
    assert truth.completed[came_by_the_end].equals(truth.would_complete[came_by_the_end])
    assert truth.enters_after_hours.notna().equals(truth.would_enter)
    assert truth.propensity.between(0, 1).all()
    assert truth.propensity[truth.would_enter].min() > 0
    assert truth.would_enter.mean() == pytest.approx(truth.propensity.mean(), abs=0.06)


def test_a_wave_stopped_at_its_goal_hides_who_would_have_come(sandbox: Sandbox, raw_client: RawClient) -> None:
    live(raw_client, completes_goal=20)
    sandbox.advance(10 * DAY)
    truth = frame(sandbox)
    assert truth.completed.sum() == 20
    assert truth.would_complete.sum() > 100


def test_people_keep_their_number_over_waves_and_remember_being_seen(sandbox: Sandbox, raw_client: RawClient) -> None:
    live(raw_client, study_type_code="adhoc", allocations=None, completes_goal=150)
    sandbox.advance(6 * DAY)
    first = frame(sandbox, reveal=True)
    people = first.rsid[first.completed].tolist()
    before = frame(sandbox)
    sandbox.switch(Missingness(wear_off=3.0))
    live(raw_client, people)
    sandbox.advance(20 * DAY)
    live(raw_client, people)
    sandbox.advance(1 * DAY)
    truth = frame(sandbox)
    known = ["person", "rsid", "age", "answer", "propensity", "would_complete", "completed", "reason"]
    assert truth.loc[truth.wave == 1, known].equals(before[known]), "what was true stays true"
    two, three = (truth[truth.wave == wave].set_index("person") for wave in (2, 3))
    assert set(two.index) == set(three.index) <= set(first.person)
    assert two.age.equals(first.set_index("person").age[two.index])
    shown = two.propensity > 0
    tired = three.propensity[shown & two.completed]
    others = three.propensity[shown & ~two.completed]
    assert tired.mean() < 0.2 < others.mean() - 0.2, "who has just completed a wave is tired of them"
    assert not two.answer.equals(three.answer)


def test_who_is_invited_late_is_judged_by_what_was_known_then(sandbox: Sandbox, raw_client: RawClient) -> None:
    group = live(raw_client, PEOPLE[:200])
    sandbox.advance(2 * DAY)
    raw_client.log_in()
    raw_client.saved_ids(group, PEOPLE[200:])
    sandbox.advance(20 * DAY)
    truth = frame(sandbox, reveal=True)
    late = truth.rsid.isin(PEOPLE[200:])
    assert late.sum() > 150
    in_time = truth.enters_after_hours < 18 * 24
    assert (truth.visits > 0)[in_time].all()
    assert not (truth.visits > 0)[~truth.would_enter].any()


def test_a_target_group_is_found_by_either_id_and_an_unknown_one_is_an_error(
    sandbox: Sandbox, raw_client: RawClient
) -> None:
    assert {len(column) for column in sandbox.truth().values()} == {0}  # type: ignore[arg-type]
    draft = raw_client.group(raw_client.project("Draft"))
    group = sandbox.world.groups[live(raw_client).rsplit("/", 1)[1]]
    assert sandbox.truth(group.id) == sandbox.truth(group.human_readable_id) == sandbox.truth()
    for unknown in ("0" * 26, draft.rsplit("/", 1)[1]):
        with pytest.raises(InputError, match="has been live"):
            sandbox.truth(unknown)


# --- what a mechanism does to an estimate -----------------------------------------------------------------------

SEEDS = range(4)


def mean_biases(missingness: Missingness) -> tuple[float, float]:
    """Return the mean bias of some studies, before and after weighting; its standard error is about 0.4 points."""
    found = [run_study(seed, missingness, people=400) for seed in SEEDS]
    return fmean(one.bias for one in found), fmean(one.weighted_bias for one in found)


@pytest.mark.thorough
def test_missing_by_chance_biases_nothing() -> None:
    bias, weighted = mean_biases(Missingness.mcar())
    assert abs(bias) < 1.3
    assert abs(bias - weighted) < 0.4, "there is nothing to correct"


@pytest.mark.thorough
def test_missing_by_attributes_biases_the_mean_until_it_is_weighted() -> None:
    bias, weighted = mean_biases(Missingness.mar())
    assert bias > 0.4
    assert bias - weighted > 0.9, "weights take away what the attributes do, 1.6 points"


@pytest.mark.thorough
def test_missing_by_the_answer_biases_the_mean_and_weights_leave_most_of_it() -> None:
    bias, weighted = mean_biases(Missingness.mnar())
    assert bias > 3.4
    assert weighted > 2.5


def test_the_direction_of_a_mechanism_is_that_of_its_sign() -> None:
    assert run_study(1, Missingness.mnar(-2.0), people=300).bias < -4
