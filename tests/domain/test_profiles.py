"""Profiles as an analyst writes them: read in every form, refused where they do not add up, and looked up by name."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cint_nb.domain.errors import PlanError
from cint_nb.domain.profiling.profiles import Profile, profiling_body
from cint_nb.domain.profiling.questions import Question, find_question, parse_range, plain_name


def selection(name: str, question_id: int, *answers: tuple[str, str], **fields: Any) -> Question:
    """Make a question with options: each answer is its German and its English text."""
    targets = [
        {
            "text": text,
            "text_translated": english,
            "conditions": [{"object": "selection", "question_id": question_id, "option": str(number)}],
        }
        for number, (text, english) in enumerate(answers, 1)
    ]
    return Question.model_validate({"name": name, "targets": targets, **fields})


GENDER = selection("GENDER", 43, ("Männlich", "Male"), ("Weiblich", "Female"), standard=True)
AGE = Question.model_validate(
    {
        "name": "AGE",
        "targets": [{"text": "", "conditions": [{"object": "range", "question_id": 42, "min": 1, "max": 99}]}],
    }
)
POSTCODE = Question.model_validate(
    {
        "name": "ZIP",
        "option_mask": "XXXXX",
        "targets": [
            {"conditions": [{"object": "open_ended", "question_id": 45, "allow_all_values": True}], "text": None}
        ],
    }
)
ONES = {"object": "selection", "question_id": 43}


def body(profile: Profile, *questions: Question) -> dict[str, Any]:
    (written,) = (profiling_body((profile.look_up(questions),)) or {})["profiles"]
    return dict(written)


def refused(*arguments: Any, **options: Any) -> str:
    with pytest.raises(PlanError) as caught:
        Profile(*arguments, **options)
    assert caught.value.next_step
    return str(caught.value)


@pytest.mark.parametrize("answer", ["male", "MALE", " Male ", "Männlich", "1", 1])
def test_an_answer_is_found_in_either_language_or_by_its_option(answer: object) -> None:
    (target,) = body(Profile("gender", [answer]), GENDER)["targets"]
    assert target == {"object": "nominal", "conditions": [{**ONES, "option": "1"}]}


@pytest.mark.parametrize("written", ["18-34", "18 - 34", "18\u201334", "18 to 34", (18, 34)])
def test_a_range_is_read_in_each_spelling(written: object) -> None:
    (target,) = body(Profile("age", [written]), AGE)["targets"]
    assert target["conditions"] == [{"object": "range", "question_id": 42, "min": 18, "max": 34}]


def test_an_open_range_ends_where_ages_end() -> None:
    targets = body(Profile("age", {"18-64": 60, "65+": 40}), AGE)["targets"]
    assert [(each["conditions"][0]["min"], each["conditions"][0]["max"]) for each in targets] == [(18, 64), (65, 99)]


@given(low=st.integers(-5, 120), high=st.integers(-5, 120))
def test_a_range_is_one_from_1_to_99_whose_ends_are_in_order(low: int, high: int) -> None:
    assert (parse_range((low, high)) is not None) == (1 <= low <= high <= 99)


def test_percent_and_completes_are_written_where_each_belongs() -> None:
    shares = body(Profile("gender", {"male": 50, "female": 50}), GENDER)
    assert shares["quotas_enabled"] is True
    assert [each["quota"] for each in shares["targets"]] == [{"completes_goal_percentage": 50}] * 2
    counts = Profile("gender", {"male": 120, "female": 80}, by="completes")
    assert [each["quota"] for each in body(counts, GENDER)["targets"]] == [
        {"completes_goal": 120},
        {"completes_goal": 80},
    ]
    assert (profiling_body((counts.look_up([GENDER]),)) or {})["profile_adjustment_type"] == "nominal"


def test_answers_of_which_each_will_do_share_a_quota_that_has_a_name() -> None:
    (target,) = body(Profile("gender", {("male", "female"): 100}), GENDER)["targets"]
    assert [each["option"] for each in target["conditions"]] == ["1", "2"]
    assert target["quota"] == {"name": "male/female", "completes_goal_percentage": 100}


def test_combinations_are_an_interlocked_blend() -> None:
    written = body(
        Profile(("gender", "age"), {("male", "18-49"): 30, ("male", "50+"): 20, ("female", (18, 99)): 50}), GENDER, AGE
    )
    assert (written["object"], written["blended_type"], written["name"]) == ("blended", "interlock", "gender, age")
    assert [len(each["conditions"]) for each in written["targets"]] == [2, 2, 2]
    assert written["targets"][1]["quota"] == {"name": "male, 50+", "completes_goal_percentage": 20}


def test_a_text_answer_has_as_many_characters_as_the_question_takes() -> None:
    (target,) = body(Profile("zip", [("10115", "20095")]), POSTCODE)["targets"]
    assert target["conditions"] == [
        {
            "object": "open_ended",
            "question_id": 45,
            "allow_all_values": False,
            "open_ended_values": ["10115", "20095"],
        }
    ]
    with pytest.raises(PlanError, match="a text of 5 characters"):
        Profile("zip", ["1011"]).look_up([POSTCODE])


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        (("gender", {"male": 50, "female": 49}), {}, "add up to 99 %"),
        (("gender", {"male": 33.33, "female": 66.66}), {}, "add up to 99.99 %"),
        (("gender", {"male": 33.333, "female": 66.667}), {}, "more than two decimals"),
        (("gender", {"male": 1.5, "female": 2}), {"by": "completes"}, "no numbers of completes"),
        (("gender", {"male": 0, "female": 0}), {"by": "completes"}, "no numbers of completes"),
        (("gender", {"male": -50, "female": 150}), {}, "has the quota -50"),
        (("gender", {"male": True, "female": 50}), {}, "has the quota True"),
        (("gender", {"male": "half", "female": 50}), {}, "has the quota"),
        (("gender", {"male": float("nan"), "female": 50}), {}, "has the quota nan"),
        (("gender", {"male": 50, "female": 50}), {"by": "share"}, "by"),
        (("gender", {}), {}, "has no targets"),
        (("gender", []), {}, "has no targets"),
        (("gender", ["male", "male"]), {}, "a target twice"),
        (("gender", [""]), {}, "has the target"),
        (("age", {"18-34": 50, "34-60": 50}), {}, "18-34 and 34-60, which overlap"),
        (("age", {(40, 30): 100}), {}, "has the range (40, 30)"),
        (("age", {(0, 30): 100}), {}, "has the range (0, 30)"),
        ((("gender", "gender"), {("male", "male"): 100}), {}, "names 2 questions"),
        (((), {"male": 100}), {}, "names 0 questions"),
        ((("a", "b", "c", "d"), {}), {}, "names 4 questions"),
        ((("gender", "age"), {"male": 100}), {}, "one answer per question"),
        ((("gender", "age"), [("male", "18-34")]), {}, "has no quotas"),
        (("gender", {"male": 50, "female": 50}), {"quota_names": {"man": "Men"}}, "names a quota of 'man'"),
        (("age", dict.fromkeys(range(1, 352), 1)), {"by": "completes"}, "351 targets"),
    ],
)
def test_what_does_not_add_up_is_refused_when_it_is_written(
    arguments: tuple[Any, ...], options: dict[str, Any], said: str
) -> None:
    assert said in refused(*arguments, **options)


@given(parts=st.lists(st.integers(1, 10_000), min_size=2, max_size=20))
def test_percentages_of_two_decimals_add_up_exactly_however_many_they_are(parts: list[int]) -> None:
    shares = [Decimal(part * 10_000 // sum(parts)) / 100 for part in parts]
    shares[0] += 100 - sum(shares)
    profile = Profile("question", {f"answer {number}": float(share) for number, share in enumerate(shares)})
    assert [cell.quota for cell in profile.cells] == shares


def test_a_wrong_answer_names_the_nearest_and_what_there_is() -> None:
    with pytest.raises(PlanError) as caught:
        Profile("gender", {"mael": 50, "female": 50}).look_up([GENDER])
    assert "Did you mean 'Male'?" in str(caught.value)
    assert "It has: Male, Female" in str(caught.value)
    with pytest.raises(PlanError, match="is answered with one of its options"):
        Profile("gender", {(18, 34): 100}).look_up([GENDER])
    with pytest.raises(PlanError, match="is answered with a number"):
        Profile("age", {"young": 100}).look_up([AGE])


def test_an_answer_that_stands_twice_is_not_guessed() -> None:
    twice = selection("REGION", 12453, ("Berlin", "Berlin"), ("Land Berlin", "Berlin"))
    with pytest.raises(PlanError, match=r"has several such answers; write the id of the option: 1 \(.*2 \("):
        Profile("region", ["Berlin"]).look_up([twice])
    (target,) = body(Profile("region", ["2"]), twice)["targets"]
    assert target["conditions"][0]["option"] == "2"


def test_a_question_is_found_by_name_or_id_and_never_guessed() -> None:
    own = selection("gender", 90_001, ("x", "x"), standard=False)
    assert find_question("Gender", [own, GENDER]) is GENDER
    assert find_question(90_001, [own, GENDER]) is own
    assert find_question("sex", [own, GENDER]) is None
    other = selection("Gender", 90_002, ("x", "x"), standard=False)
    with pytest.raises(PlanError, match="has 2 questions called"):
        find_question("gender", [own, other])


@pytest.mark.parametrize("name", ["household_income", "Household Income", " HOUSEHOLD_INCOME "])
def test_names_are_compared_without_case_and_with_underscores_as_spaces(name: str) -> None:
    assert plain_name(name) == "household income"


def test_ids_are_shown_once_they_are_known() -> None:
    profile = Profile(("gender", "age"), {("male", "18-99"): 100})
    assert profile.question_ids == ()
    assert "question" not in repr(profile)
    found = profile.look_up([GENDER, AGE])
    assert found.question_ids == (43, 42)
    assert repr(found).endswith("(question 43, 42)")


def test_names_that_were_not_looked_up_are_never_sent() -> None:
    with pytest.raises(PlanError, match="have not been looked up yet: gender"):
        profiling_body((Profile("gender", ["male"]),))
    assert profiling_body(None) is None
    assert profiling_body({"template_id": "x"}) == {"template_id": "x"}
