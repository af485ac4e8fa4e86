"""Profiling: target groups take whom they ask for, and their quotas count and close."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from cint_nb.domain import ids
from cint_nb.domain.errors import InputError
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.world.id_store import to_id_bytes
from cint_nb.sandbox.world.people import Person
from cint_nb.sandbox.world.population import PopulationParameters
from cint_nb.sandbox.world.profiling import QUESTIONS, make_rules
from tests.support.sandbox_client import RawClient

DAY = 86_400
PEOPLE = [Person(to_id_bytes(ids.synthetic_id("profiling", number))) for number in range(600)]
MALE, FEMALE, NONE = ({"object": "selection", "question_id": 43, "option": option} for option in ("1", "2", "-3105"))


def ages(low: int, high: int) -> dict[str, Any]:
    return {"object": "range", "question_id": 42, "min": low, "max": high}


def target(*conditions: dict[str, Any], **quota: float) -> dict[str, Any]:
    return {"conditions": list(conditions), **({"quota": quota} if quota else {})}


def percent(*conditions: dict[str, Any], of: float) -> dict[str, Any]:
    return target(*conditions, completes_goal_percentage=of)


def profile(*targets: dict[str, Any], quotas: bool = True, **more: Any) -> dict[str, Any]:
    return {"object": "regular", "quotas_enabled": quotas, "targets": list(targets), **more}


def profiling(*profiles: dict[str, Any], kind: str = "percentage") -> Any:
    return {"profile_adjustment_type": kind, "profiles": list(profiles)}


def even_draw(key: bytes, _salt: bytes) -> float:
    return key[0] / 256


def places(rules: Any) -> list[list[tuple[int, int]] | None]:
    return [make_rules(rules, 100).cells_of(person.key, even_draw) for person in PEOPLE]


# --- who fits ---------------------------------------------------------------------------------------------------


def test_a_person_falls_in_the_target_of_what_they_are() -> None:
    found = places(
        profiling(profile(target(MALE), target(FEMALE)), profile(target(ages(18, 34)), target(ages(35, 60))))
    )
    for person, cells in zip(PEOPLE, found, strict=True):
        if person.gender == "other" or person.age > 60:
            assert cells is None
        else:
            assert cells == [(0, int(person.gender == "female")), (1, int(person.age > 34))]
    assert found.count(None) > 50


def test_conditions_of_one_question_are_alternatives_and_of_several_questions_all_count() -> None:
    either = places(profiling(profile(target(MALE, NONE))))
    assert [cells is not None for cells in either] == [person.gender != "female" for person in PEOPLE]
    both = places(profiling(profile(target(FEMALE, ages(18, 30), ages(50, 55)), blended_type="interlock")))
    assert [cells is not None for cells in both] == [
        person.gender == "female" and (person.age <= 30 or 50 <= person.age <= 55) for person in PEOPLE
    ]


def test_a_control_blend_keeps_nobody_out() -> None:
    found = places(profiling(profile(target(MALE), target(FEMALE)), profile(target(FEMALE), blended_type="control")))
    for person, cells in zip(PEOPLE, found, strict=True):
        if person.gender == "female":
            assert cells == [(0, 1), (1, 0)]
        else:
            assert cells == (None if person.gender == "other" else [(0, 0)])


@pytest.mark.parametrize(
    ("question", "options"),
    [(96, ["1", "2", "3", "4"]), (633, ["1", "2", "3"]), (8214, ["true", "false"]), (43, ["1", "2", "-3105"])],
)
def test_the_options_of_a_question_that_is_known_share_everybody(question: int, options: list[str]) -> None:
    assert question in QUESTIONS
    targets = [target({"object": "selection", "question_id": question, "option": option}) for option in options]
    found = Counter(str(cells) for cells in places(profiling(profile(*targets))))
    assert len(found) == len(options)
    assert "None" not in found


def test_of_an_unknown_question_everybody_has_one_of_the_asked_options() -> None:
    zips = [
        {"object": "open_ended", "question_id": 45, "allow_all_values": False, "open_ended_values": [code]}
        for code in "ab"
    ]
    found = Counter(str(cells) for cells in places(profiling(profile(*map(target, zips)))))
    assert set(found) == {"[(0, 0)]", "[(0, 1)]"}
    assert min(found.values()) > 200


@pytest.mark.parametrize(("values", "fits"), [(["30", "31"], True), ([], False)])
def test_an_open_ended_condition_takes_its_values_or_all(values: list[str], fits: bool) -> None:
    one = {"object": "open_ended", "question_id": 42, "allow_all_values": False, "open_ended_values": values}
    found = places(profiling(profile(target(one))))
    assert [cells is not None for cells in found] == [fits and str(person.age) in values for person in PEOPLE]
    every = {**one, "allow_all_values": True}
    assert None not in places(profiling(profile(target(every))))


# --- limits -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("goal", "shares", "limits"),
    [
        (100, [50, 50], [50, 50]),
        (101, [50, 50], [51, 50]),
        (10, [33.33, 33.33, 33.34], [3, 3, 4]),
        (7, [10, 20, 70], [1, 1, 5]),
        (1, [50, 50], [1, 0]),
        (100, [0, 100], [0, 100]),
        (100, [20, 30], [20, 30]),
    ],
)
def test_percentages_are_rounded_so_that_the_sum_stays(goal: int, shares: list[float], limits: list[int]) -> None:
    rules = make_rules(profiling(profile(*(percent(MALE, of=share) for share in shares))), goal)
    assert [rules.limits[0, place] for place in range(len(shares))] == limits


def test_counts_are_taken_as_they_are_and_a_profile_without_quotas_has_none() -> None:
    both = {"completes_goal": 0, "completes_goal_percentage": 30}
    counted = profile(target(MALE, completes_goal=7), target(FEMALE, completes_goal=5), target(NONE))
    assert make_rules(profiling(counted, kind="nominal"), 100).limits == {(0, 0): 7, (0, 1): 5}
    assert make_rules(profiling(profile(target(MALE, **both))), 100).limits == {(0, 0): 30}
    assert make_rules(profiling(profile(target(MALE, **both)), kind="nominal"), 100).limits == {(0, 0): 0}
    assert make_rules(profiling(profile(percent(MALE, of=50), quotas=False)), 100).limits == {}


# --- in the field -----------------------------------------------------------------------------------------------


def field(raw_client: RawClient, rules: Any, *, goal: int = 100, days: float = 10, **draft: Any) -> str:
    """Field a target group of new people; return its id."""
    fields = {"study_type_code": "adhoc", "allocations": None, "completes_goal": goal, "profiling": rules, **draft}
    group = raw_client.group(**fields)
    raw_client.launched(group)
    raw_client.sandbox.advance(days * DAY)
    return group.rsplit("/", 1)[1]


def completes(sandbox: Sandbox, group: str) -> list[dict[str, Any]]:
    truth = sandbox.truth(group)
    rows = [dict(zip(truth, row, strict=True)) for row in zip(*truth.values(), strict=True)]
    return [row for row in rows if row["completed"]]


@pytest.mark.parametrize("strategy", ["completes", "prescreens"])
def test_quotas_count_and_close(sandbox: Sandbox, raw_client: RawClient, strategy: str) -> None:
    gender = profile(percent(MALE, of=30), percent(FEMALE, of=70), name="gender")
    age = profile(percent(ages(18, 39), of=50), percent(ages(40, 65), of=50), name="age")
    group = field(raw_client, profiling(gender, age), filling_strategy=strategy, goal=120)
    quotas = sandbox.quotas(group)
    assert [(quota.profile, quota.target, quota.limit) for quota in quotas] == [
        ("gender", 0, 36),
        ("gender", 1, 84),
        ("age", 0, 60),
        ("age", 1, 60),
    ]
    counted = [quota.prescreens if strategy == "prescreens" else quota.completes for quota in quotas]
    assert counted == [quota.limit for quota in quotas], "exactly full: nobody more"
    done = completes(sandbox, group)
    assert Counter(row["gender"] for row in done) == {"male": quotas[0].completes, "female": quotas[1].completes}
    assert all(18 <= row["age"] <= 65 for row in done)
    assert sum(row["age"] < 40 for row in done) == quotas[2].completes
    assert sandbox.world.groups[group].status == "completed"
    ends = Counter(visit.outcome for visit in sandbox.world.groups[group].fieldwork.visits)
    assert ends["quota_full"] + ends["over_quota"] > 0


def test_some_who_come_do_not_fit_and_are_screened_out(open_sandbox: Callable[..., RawClient]) -> None:
    raw_client = open_sandbox(population=PopulationParameters(off_target=0.4))
    group = field(raw_client, profiling(profile(target(FEMALE), quotas=False)), goal=200, expected_incidence_rate=1.0)
    truth = raw_client.sandbox.truth(group)
    rows = list(zip(truth["gender"], truth["reason"], truth["would_complete"], strict=True))
    others = [(reason, would) for gender, reason, would in rows if gender != "female" and reason is not None]
    assert {reason for reason, _ in others} == {"screened"}
    assert not any(would for _, would in others)
    assert len(others) / sum(reason is not None for _, reason, _ in rows) == pytest.approx(0.4, abs=0.08)


def test_a_profile_that_nobody_fits_fills_nothing(sandbox: Sandbox, raw_client: RawClient) -> None:
    group = field(raw_client, profiling(profile(percent(ages(1, 10), of=100))), goal=50)
    assert completes(sandbox, group) == []
    assert sandbox.quotas(group)[0].completes == 0
    assert sandbox.world.groups[group].fieldwork.completes == 0


def test_profiling_left_on_a_recontact_turns_away_who_does_not_fit(sandbox: Sandbox, raw_client: RawClient) -> None:
    people = [ids.synthetic_id("profiling", number) for number in range(400)]
    group = raw_client.group(completes_goal=300, profiling=profiling(profile(target(MALE), quotas=False)))
    raw_client.saved_ids(group, people)
    raw_client.launched(group)
    sandbox.advance(8 * DAY)
    truth = sandbox.truth(group.rsplit("/", 1)[1])
    for gender, reason in zip(truth["gender"], truth["reason"], strict=True):
        if gender != "male":
            assert reason in (None, "screened")
    assert truth["reason"].count("completed") > 30


def test_a_changed_goal_changes_the_quotas_in_percent(sandbox: Sandbox, raw_client: RawClient) -> None:
    rules = profiling(profile(percent(MALE, of=50), percent(FEMALE, of=50)))
    group = field(raw_client, rules, goal=40, days=0.1)
    path = next(iter(sandbox.world.groups.values())).project_id
    url = f"{raw_client.account}/projects/{path}/target-groups/{group}/profiles/completes-goal"
    assert raw_client.ask("PUT", url, json={"completes_goal": 44}).is_success
    sandbox.advance(8 * DAY)
    assert [(quota.limit, quota.completes) for quota in sandbox.quotas(group)] == [(22, 22), (22, 22)]


def test_quotas_of_a_group_without_any_are_none_and_of_an_unknown_one_an_error(
    sandbox: Sandbox, raw_client: RawClient
) -> None:
    group = raw_client.group()
    assert sandbox.quotas(group.rsplit("/", 1)[1]) == []
    with pytest.raises(InputError, match="no target group"):
        sandbox.quotas("0" * 26)
