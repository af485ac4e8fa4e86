"""Quotas of a wave: shown by name with their progress, and changed so that nothing nobody named is lost."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import pandas as pd
import pytest

from cint_nb.domain.errors import (
    BudgetExceeded,
    CintWarning,
    InvalidState,
    PlanError,
    PreflightBlocked,
    UnexpectedReply,
)
from cint_nb.domain.profiling.profiles import Profile
from cint_nb.sandbox.world.entities import TargetGroup
from cint_nb.wave.client import Client
from tests.support.fresh_waves import BUDGET, QUOTAS, another_machine, fresh_wave, live_wave

COLUMNS = [
    "profile",
    "target",
    "question_ids",
    "options",
    "percent",
    "goal",
    "completes",
    "prescreens",
    "filled",
    "quota_id",
]
CONTROL = {
    "object": "blended",
    "blended_type": "control",
    "name": "control",
    "quotas_enabled": True,
    "targets": [
        {
            "conditions": [
                {"object": "selection", "question_id": 43, "option": option},
                {"object": "range", "question_id": 42, "min": 18, "max": 99},
            ],
            "quota": {"name": f"adults {option}", "completes_goal_percentage": 50},
        }
        for option in ("1", "2")
    ],
}


def goals(frame: pd.DataFrame, profile: str) -> dict[str, int]:
    rows = frame[frame["profile"].str.casefold() == profile]
    return dict(zip(rows["target"].str.casefold(), rows["goal"], strict=True))


def group_of(client: Client) -> TargetGroup:
    (group,) = client.sandbox.world.groups.values()
    return group


def add_control(client: Client) -> None:
    """Give the launched group control quotas, which no list shows."""
    group = group_of(client)
    profiling: Any = copy.deepcopy(group.body["profiling"])
    profiling["profiles"].append(copy.deepcopy(CONTROL))
    group.body = {**group.body, "profiling": profiling}


def controls(client: Client) -> list[Any]:
    profiling: Any = group_of(client).body["profiling"]
    return [each for each in profiling["profiles"] if each.get("blended_type") == "control"]


# --- shown ------------------------------------------------------------------------------------------------------------


def test_before_it_is_created_the_plan_is_shown_with_the_ids_that_were_found(client: Client) -> None:
    frame = fresh_wave(client, profiling=QUOTAS).quotas()
    assert list(frame.columns) == COLUMNS
    assert frame["target"].tolist() == ["male", "female", "18-34", "35-99"]
    assert frame["question_ids"].tolist() == ["43", "43", "42", "42"]
    assert frame["options"].tolist() == ["1", "2", "18-34", "35-99"]
    assert frame["percent"].tolist() == [50, 50, 40, 60]
    assert frame[["completes", "prescreens", "filled", "quota_id"]].isna().all().all()
    assert client.sandbox.world.groups == {}


def test_the_draft_and_the_launched_group_show_the_same_quotas(client: Client) -> None:
    wave = fresh_wave(client, profiling=QUOTAS)
    planned = wave.quotas()
    wave.create()
    drafted = wave.quotas()
    wave.launch(budget=BUDGET)
    launched = wave.quotas()
    for shown in (drafted, launched):
        assert shown["options"].tolist() == planned["options"].tolist()
        assert shown["percent"].tolist() == planned["percent"].tolist()
    assert launched["goal"].tolist() == [50, 50, 40, 60]
    assert launched["completes"].tolist() == [0, 0, 0, 0]


def test_progress_is_shown_while_it_is_in_the_field(client: Client) -> None:
    wave = live_wave(client, profiling=QUOTAS)
    client.pass_time(days=2)
    frame, completes = wave.quotas(), wave.status()["completes"].item()
    assert completes > 0
    for profile in ("gender", "age"):
        rows = frame[frame["profile"].str.casefold() == profile]
        assert rows["completes"].sum() == completes
        assert (rows["prescreens"] >= rows["completes"]).all()
        assert rows["filled"].tolist() == pytest.approx((rows["completes"] / rows["goal"]).tolist())


def test_a_wave_without_profiles_has_no_rows(client: Client) -> None:
    wave = fresh_wave(client)
    for step in (lambda: None, wave.create, lambda: wave.launch(budget=BUDGET)):
        step()
        frame = wave.quotas()
        assert (list(frame.columns), len(frame)) == (COLUMNS, 0)


def test_a_blend_is_shown_as_its_combinations(client: Client) -> None:
    cells = {("male", "18-49"): 25, ("male", "50+"): 25, ("female", "18-49"): 25, ("female", "50+"): 25}
    wave = live_wave(client, profiling=Profile(("gender", "age"), cells))
    frame = wave.quotas()
    assert frame["question_ids"].tolist() == ["43, 42"] * 4
    assert frame["target"].tolist() == ["male, 18-49", "male, 50+", "female, 18-49", "female, 50+"]
    assert frame["goal"].tolist() == [25] * 4


def test_a_name_of_the_analyst_is_shown_before_and_after_the_launch(client: Client) -> None:
    named = Profile("gender", {"male": 50, "female": 50}, quota_names={"male": "Men"})
    wave = fresh_wave(client, profiling=named)
    assert wave.quotas()["target"].tolist() == ["Men", "female"]
    wave.create()
    assert wave.quotas()["target"].tolist() == ["Men", "female"]
    wave.launch(budget=BUDGET)
    assert wave.quotas()["target"].tolist() == ["Men", "Female"]
    frame = wave.set_quotas({"gender": {"Men": 60, "female": 40}})
    assert frame["goal"].tolist() == [60, 40]


# --- before the draft -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        (Profile("gendre", {"male": 50, "female": 50}), "no question 'gendre'; close to it are GENDER"),
        (Profile("gender", {"man": 50, "female": 50}), "has no such answer"),
        (Profile("age", {"young": 100}), "is answered with a number"),
        (Profile(987_654, ["1"]), "no question 987654"),
        (Profile("hispanic", ["2"]), "no question 'hispanic'"),
    ],
)
def test_a_name_that_is_not_known_blocks_before_anything_is_created(
    client: Client, profile: Profile, said: str
) -> None:
    wave = fresh_wave(client, profiling=profile)
    (finding,) = [each for each in wave.check(ask=True) if each.rule == "profiles"]
    assert said in finding.message
    with pytest.raises((PlanError, PreflightBlocked), match=said.replace("(", r"\(")):
        wave.create()
    assert client.sandbox.world.groups == {}


def test_what_the_exchanges_validator_refuses_is_not_created(client: Client) -> None:
    overlapping = {
        "profile_adjustment_type": "percentage",
        "profiles": [
            {
                "object": "regular",
                "quotas_enabled": True,
                "targets": [
                    {
                        "conditions": [{"object": "range", "question_id": 42, "min": low, "max": 60}],
                        "quota": {"completes_goal_percentage": 50},
                    }
                    for low in (18, 40)
                ],
            }
        ],
    }
    wave = fresh_wave(client, profiling=overlapping)
    assert "profiles" in {finding.rule for finding in wave.check(ask=True)}
    with pytest.raises((PlanError, PreflightBlocked), match="validator"):
        wave.create()
    assert client.sandbox.world.groups == {}


# --- another goal -----------------------------------------------------------------------------------------------------


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("goal", [101, 107, 150, 333])
def test_a_raised_goal_keeps_the_shares_of_all_quotas(client: Client, goal: int) -> None:
    wave = live_wave(client, profiling=QUOTAS)
    assert wave.raise_goal(goal, budget="2000 EUR") == goal
    for profile, shares in (("gender", (50, 50)), ("age", (40, 60))):
        shown = list(goals(wave.quotas(), profile).values())
        assert sum(shown) == goal
        assert all(abs(number - goal * share / 100) < 1 for number, share in zip(shown, shares, strict=True))


def test_quotas_that_cannot_be_read_are_not_left_to_the_exchange(client: Client) -> None:
    wave = live_wave(client, profiling=QUOTAS)
    client.sandbox.inject("500", "list_profiles", times=20)
    with pytest.raises(UnexpectedReply, match="cannot be read"):
        wave.raise_goal(150, budget="900 EUR")
    assert group_of(client).goal == 100


# --- their own goals --------------------------------------------------------------------------------------------------


def test_named_quotas_are_set_and_the_others_stay(client: Client) -> None:
    wave = live_wave(client, profiling=QUOTAS)
    frame = wave.set_quotas({"gender": {"male": 60, "female": 40}})
    assert goals(frame, "gender") == {"male": 60, "female": 40}
    assert list(goals(frame, "age").values()) == [40, 60]
    again = wave.set_quotas({"GENDER": {"Female": 45, "1": 55}, 42: {"18-34": 30, (35, 99): 70}})
    assert goals(again, "gender") == {"male": 55, "female": 45}
    assert list(goals(again, "age").values()) == [30, 70]


def test_with_another_goal_the_others_keep_their_proportions(client: Client) -> None:
    wave = live_wave(client, profiling=QUOTAS)
    frame = wave.set_quotas({"gender": {"male": 70, "female": 50}}, goal=120, budget="400 EUR")
    assert goals(frame, "gender") == {"male": 70, "female": 50}
    assert list(goals(frame, "age").values()) == [48, 72]
    assert wave.status()["goal"].item() == 120


def test_percentages_are_of_the_goal_and_name_every_target(client: Client) -> None:
    wave = live_wave(client, profiling=QUOTAS)
    frame = wave.set_quotas({"age": {"18-34": 33.33, "35-99": 66.67}}, by="percent")
    assert list(goals(frame, "age").values()) == [33, 67]
    with pytest.raises(PlanError, match="must name all of its targets"):
        wave.set_quotas({"age": {"18-34": 100}}, by="percent")


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"gender": {"male": 60}}, "would be 110 in all, the goal 100"),
        ({"gender": {"male": 60, "female": 60}}, "would be 120 in all, the goal 100"),
        ({"gender": {"male": 100, "female": 0}}, "cannot be 0"),
        ({"gender": {"male": 50.5, "female": 49.5}}, "in all"),
        ({"gender": {"men": 50, "female": 50}}, "has no target 'men'"),
        ({"sex": {"male": 50, "female": 50}}, "no profile called 'sex'"),
    ],
)
def test_goals_that_do_not_fit_change_nothing(client: Client, wanted: Any, said: str) -> None:
    wave = live_wave(client, profiling=QUOTAS)
    before = wave.quotas()
    with pytest.raises(PlanError, match=said):
        wave.set_quotas(wanted)
    pd.testing.assert_frame_equal(wave.quotas(), before)


def test_a_quota_is_not_set_below_its_completes(client: Client) -> None:
    wave = live_wave(client, profiling=QUOTAS)
    client.pass_time(days=2)
    done: Any = wave.quotas().set_index("options").loc["1", "completes"]
    assert done > 1
    with pytest.raises(PlanError, match="cannot be"):
        wave.set_quotas({"gender": {"male": int(done) - 1, "female": 101 - int(done)}})


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("verb", ["set_quotas", "set_profiles", "replace"])
def test_a_higher_goal_needs_a_budget_for_it(client: Client, verb: str) -> None:
    wave = live_wave(client, profiling=QUOTAS)
    profiling: Any = group_of(client).body["profiling"]

    def act(**budget: Any) -> Any:
        if verb == "set_quotas":
            return wave.set_quotas({"gender": {"male": 100, "female": 100}}, goal=200, **budget)
        if verb == "set_profiles":
            return wave.set_profiles([Profile("gender", {"male": 40, "female": 60})], goal=200, **budget)
        assert wave.target_group is not None
        return client.profiles.replace(wave.target_group, 200, profiling, **budget)

    with pytest.raises(PlanError, match="budget"):
        act()
    with pytest.raises(BudgetExceeded):
        act(budget="500 EUR")
    assert group_of(client).goal == 100
    act(budget="550 EUR")
    assert group_of(client).goal == 200


def test_only_a_wave_in_the_field_has_quotas_to_change(client: Client) -> None:
    wave = fresh_wave(client, profiling=QUOTAS)
    wave.create()
    with pytest.raises(InvalidState):
        wave.set_quotas({"gender": {"male": 60, "female": 40}})
    with pytest.raises(InvalidState):
        wave.set_profiles([Profile("gender", {"male": 40, "female": 60})])


# --- profiles of a launched group -------------------------------------------------------------------------------------


def test_a_profile_takes_the_place_of_the_one_about_the_same_question_and_the_others_stay(client: Client) -> None:
    wave = live_wave(client, profiling=QUOTAS)
    frame = wave.set_profiles([Profile("gender", {"male": 30, "female": 70})])
    assert goals(frame, "gender") == {"male": 30, "female": 70}
    assert list(goals(frame, "age").values()) == [40, 60]


def test_a_profile_about_another_question_is_added_and_one_can_be_removed(client: Client) -> None:
    wave = live_wave(client, profiling=QUOTAS)
    added = wave.set_profiles([Profile("region", {"North": 25, "East": 25, "South": 25, "West": 25})])
    assert len(added) == 8
    left = wave.set_profiles([], remove=["gender", 42])
    assert left["options"].tolist() == ["1", "2", "3", "4"]
    with pytest.raises(PlanError, match="cannot lose all"):
        wave.set_profiles([], remove=["region"])


def test_control_quotas_that_no_list_shows_are_written_again(client: Client) -> None:
    wave = fresh_wave(client, profiling={"profile_adjustment_type": "percentage", "profiles": [AGE, CONTROL]})
    wave.create()
    wave.launch(budget=BUDGET)
    assert len(wave.quotas()) == 2
    before = controls(client)
    wave.set_profiles([Profile("age", {"18-54": 70, "55-99": 30})])
    assert controls(client) == before != []


AGE = {
    "object": "regular",
    "quotas_enabled": True,
    "targets": [
        {
            "conditions": [{"object": "range", "question_id": 42, "min": low, "max": high}],
            "quota": {"completes_goal_percentage": 50},
        }
        for low, high in ((18, 49), (50, 99))
    ],
}


def test_a_journal_that_knows_nothing_asks_whether_there_are_control_quotas(client: Client) -> None:
    live_wave(client, profiling=QUOTAS)
    add_control(client)
    with another_machine(client) as other:
        wave = fresh_wave(other, profiling=QUOTAS)
        with pytest.raises(InvalidState, match="deletes control quotas"):
            wave.set_profiles([Profile("gender", {"male": 30, "female": 70})])
        assert len(controls(client)) == 1
        wave.set_profiles([Profile("gender", {"male": 30, "female": 70})], unverified=["control quotas"])
        assert controls(client) == []


def test_quotas_in_percent_do_not_become_numbers(client: Client) -> None:
    wave = live_wave(client, profiling=QUOTAS)
    with pytest.raises(PlanError, match="stay of their kind"):
        wave.set_profiles([Profile("gender", {"male": 30, "female": 70}, by="completes")])


NOMINAL = (
    Profile("gender", {"male": 50, "female": 50}, by="completes"),
    Profile("age", {"18-34": 40, "35-99": 60}, by="completes"),
)


def test_another_journal_removes_a_profile_and_the_others_stay_numbers(client: Client) -> None:
    live_wave(client, profiling=NOMINAL)
    with another_machine(client) as other:
        wave = fresh_wave(other, profiling=NOMINAL)
        with pytest.warns(CintWarning, match="found on the exchange"):
            left = wave.set_profiles([], remove=["age"], unverified=["control quotas"])
    assert left["goal"].tolist() == [50, 50]
    profiling: Any = group_of(client).body["profiling"]
    assert profiling["profile_adjustment_type"] == "nominal"


def test_a_profile_is_not_removed_where_the_unit_of_the_others_is_not_known(client: Client) -> None:
    live_wave(client, profiling=NOMINAL)
    with another_machine(client) as other:
        wave = fresh_wave(other)
        with pytest.raises(InvalidState, match="percentages or numbers of completes"):
            wave.set_profiles([], remove=["age"], unverified=["control quotas"])
    profiling: Any = group_of(client).body["profiling"]
    assert len(profiling["profiles"]) == 2


def test_a_change_in_the_same_moment_is_noticed(client: Client) -> None:
    wave = live_wave(client, profiling=QUOTAS)
    original = wave.client.profiles.list

    async def list_changed(ref: Any) -> Any:
        group = group_of(client)
        profiling: Any = copy.deepcopy(group.body["profiling"])
        shown = await original(ref)
        if goals_written(profiling):
            profiling["profiles"] = profiling["profiles"][:1]
            group.body = {**group.body, "profiling": profiling}
            shown = await original(ref)
        return shown

    def goals_written(profiling: Any) -> bool:
        quotas = [target["quota"] for profile in profiling["profiles"] for target in profile["targets"]]
        return any(quota.get("completes_goal_percentage") == 30 for quota in quotas)

    wave.client.profiles.list = list_changed  # type: ignore[method-assign]  # a colleague between two requests
    with pytest.warns(CintWarning, match="the exchange shows others"):
        wave.set_profiles([Profile("gender", {"male": 30, "female": 70})])


def test_a_group_that_shows_none_of_its_profiles_is_not_overwritten(client: Client) -> None:
    wave = live_wave(client, profiling=QUOTAS)
    group = group_of(client)
    group.body = {**group.body, "profiling": {"profile_adjustment_type": "percentage", "profiles": []}}
    with pytest.raises(UnexpectedReply, match="launched with some"):
        wave.set_profiles([Profile("gender", {"male": 30, "female": 70})])
    with pytest.raises(UnexpectedReply, match="cannot be read"):
        wave.raise_goal(110, budget="900 EUR")


@pytest.mark.parametrize(("profiling", "is_told"), [(QUOTAS, True), (None, False)])
def test_a_reply_without_profiles_is_no_answer_where_the_plan_has_some(
    client: Client, profiling: Any, is_told: bool
) -> None:
    wave = live_wave(client, profiling=profiling)
    original = wave.client.profiles.list

    async def list_left_out(ref: Any) -> Any:
        return (await original(ref)).model_copy(update={"profiles": None})

    wave.client.profiles.list = list_left_out  # type: ignore[method-assign]  # as the documents allow it
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert len(wave.quotas()) == 0
    assert any("quotas are not known" in str(each.message) for each in caught) is is_told
    assert any("quotas are not known" in text for text in wave.warnings) is is_told
