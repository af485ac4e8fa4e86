"""The validator of profiles: which are right, in the words of the exchange's own codes."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from cint_nb.sandbox.handlers.operation import ACCOUNT, Operation
from cint_nb.sandbox.protocol.messages import JsonObject, Request, Response
from cint_nb.sandbox.protocol.request_bodies import ProfilesToValidate
from cint_nb.sandbox.world.questions import BY_ID, ZIP_ID, LibraryQuestion, library_of
from cint_nb.sandbox.world.world import World

_BLENDED_QUESTIONS_MAX = 3
_BLENDED_QUOTAS_MAX = 350
_REASONS = {
    1: "profile_condition_min_greater_than_max_001",
    3: "profile_condition_not_unique_003",
    6: "profile_not_unique_006",
    8: "quota_percentage_not_in_sync_with_nominal_008",
    9: "incorrect_sum_of_percentage_009",
    10: "incorrect_sum_of_nominal_010",
    14: "profile_condition_ranges_should_not_overlap_014",
    15: "invalid_question_id_015",
    20: "not_supported_question_option_020",
    21: "zip_not_supported_in_blended_021",
    23: "blended_profiles_cannot_have_more_than_3_questions_023",
    24: "number_of_quotas_in_blended_cannot_be_greater_than_max_024",
    25: "quota_will_be_always_enabled_for_blended_profile_025",
    34: "blended_profile_cannot_be_more_than_1_034",
    42: "nominal_adjustment_cannot_have_percentage_042",
    43: "percentage_adjustment_cannot_have_nominal_043",
    44: "profile_id_not_found_044",
    45: "target_id_not_found_for_profile_045",
    46: "quota_value_less_than_completes_046",
    47: "quota_value_greater_than_completes_goal_047",
    48: "regular_profile_cannot_have_more_than_one_question_048",
    52: "completes_goal_percentage_must_be_populated_for_quota_enabled_profile_052",
    53: "completes_goal_must_be_populated_for_quota_enabled_profile_053",
    55: "open_ended_values_must_be_of_same_length_as_option_mask_055",
    56: "duplicate_quota_name_056",
    57: "target_name_or_quota_name_must_be_provided_for_multiple_conditions_057",
    61: "disabled_profile_cannot_have_completes_goal_061",
    66: "blended_profile_with_control_as_blended_type_cannot_be_more_than_1_066",
    76: "total_completes_goal_cannot_be_less_than_collected_076",
}
_WARNINGS = frozenset({8, 25})
"""Codes that stop nothing; which are warnings is not documented. Assumption."""


class ProfileProblem(NamedTuple):
    """One problem: the number of its code, a sentence, and the questions it is about."""

    code: int
    detail: str
    questions: tuple[int, ...] = ()

    @property
    def is_error(self) -> bool:
        """Whether it stops a draft."""
        return self.code not in _WARNINGS

    def to_json(self) -> JsonObject:
        """Return it as the exchange writes it."""
        level = "error" if self.is_error else "warning"
        return {
            "error_type": "data_validation_error",
            "name": f"profile_validation_error_{self.code:03}",
            "reason": _REASONS[self.code],
            "detail": self.detail,
            "metadata": {"question_id": list(self.questions), "error_level": level},
        }


def refusal(problems: list[ProfileProblem]) -> Response:
    """Return the reply to profiles that are not right."""
    detail = f"Validation error: {len(problems)} problem{'s' if len(problems) > 1 else ''} in the profiles."
    body: JsonObject = {
        "object": "unprocessable_entity_error",
        "title": "profile request validation",
        "detail": detail,
        "invalid_params": [problem.to_json() for problem in problems],
    }
    return Response(422, body)


def find_profile_problems(profiling: Any, locale: str, goal: int) -> list[ProfileProblem]:
    """Return what is wrong with profiling that fits its schema."""
    known = {question.id: question for question in library_of(locale)}
    in_percent = profiling["profile_adjustment_type"] == "percentage"
    found: list[ProfileProblem] = []
    regular = Counter[int]()
    for profile in profiling["profiles"]:
        questions = _questions_of(profile)
        found += _question_problems(profile, questions, known)
        found += _answer_problems(profile, known)
        found += _quota_problems(profile, questions, goal, in_percent=in_percent)
        if profile["object"] == "regular":
            regular.update(questions)
    found += [
        ProfileProblem(6, "a question is in two regular profiles", (question,))
        for question, number in regular.items()
        if number > 1
    ]
    return found + list(_blend_problems(profiling["profiles"]))


def _questions_of(profile: Any) -> tuple[int, ...]:
    ids = (int(condition["question_id"]) for target in profile["targets"] for condition in target["conditions"])
    return tuple(dict.fromkeys(ids))


def _question_problems(
    profile: Any, questions: tuple[int, ...], known: dict[int, LibraryQuestion]
) -> Iterator[ProfileProblem]:
    unknown = tuple(question for question in questions if question not in known)
    if unknown:
        yield ProfileProblem(15, "the question does not exist in this locale", unknown)
    if profile["object"] == "regular":
        if len(questions) > 1:
            yield ProfileProblem(48, "a regular profile has one question", questions)
        return
    if len(questions) > _BLENDED_QUESTIONS_MAX:
        yield ProfileProblem(23, "a blended profile has three questions at most", questions)
    if ZIP_ID in questions:
        yield ProfileProblem(21, "zip codes cannot be blended", (ZIP_ID,))
    if len(profile["targets"]) > _BLENDED_QUOTAS_MAX:
        yield ProfileProblem(24, f"a blended profile has {_BLENDED_QUOTAS_MAX} quotas at most", questions)
    if not profile["quotas_enabled"]:
        yield ProfileProblem(25, "the quotas of a blended profile are always enabled", questions)


def _answer_problems(profile: Any, known: dict[int, LibraryQuestion]) -> Iterator[ProfileProblem]:
    seen: set[str] = set()
    spans: list[tuple[int, int]] = []
    is_regular = profile["object"] == "regular"
    for target in profile["targets"]:
        for condition in target["conditions"]:
            question = int(condition["question_id"])
            yield from _condition_problems(condition, known.get(question))
            key = repr(sorted((name, str(value)) for name, value in condition.items()))
            if is_regular and key in seen and condition["object"] != "open_ended":
                yield ProfileProblem(3, "a condition is there twice", (question,))
            seen.add(key)
            if condition["object"] == "range":
                spans.append((int(condition["min"]), int(condition["max"])))
        if len(target["conditions"]) > 1 and not (target.get("quota") or {}).get("name") and profile["quotas_enabled"]:
            yield ProfileProblem(57, "a target with several conditions needs a name", _questions_of(profile))
    spans.sort()
    if is_regular and any(later[0] <= earlier[1] for earlier, later in itertools.pairwise(spans)):
        yield ProfileProblem(14, "the ranges overlap", _questions_of(profile))


def _condition_problems(condition: Any, question: LibraryQuestion | None) -> Iterator[ProfileProblem]:
    if question is None:
        return
    if condition["object"] == "range" and condition["min"] > condition["max"]:
        yield ProfileProblem(1, "the minimum value cannot be greater than the maximum value", (question.id,))
    if condition["object"] != question.kind or (
        question.options
        and condition["object"] == "selection"
        and str(condition["option"]) not in {option.id for option in question.options}
    ):
        yield ProfileProblem(20, "the question has no such answer", (question.id,))
    values = condition.get("open_ended_values") or ()
    if (
        condition["object"] == "open_ended"
        and question.mask
        and any(len(each) != len(question.mask) for each in values)
    ):
        yield ProfileProblem(55, f"each value has {len(question.mask)} characters", (question.id,))


def _quota_problems(
    profile: Any, questions: tuple[int, ...], goal: int, *, in_percent: bool
) -> Iterator[ProfileProblem]:
    quotas = [target.get("quota") or {} for target in profile["targets"]]
    own, other = ("completes_goal_percentage", "completes_goal") if in_percent else (
        "completes_goal", "completes_goal_percentage"
    )  # fmt: skip
    if not profile["quotas_enabled"]:
        if any(own in quota or other in quota for quota in quotas):
            yield ProfileProblem(61, "a profile without quotas has no goals", questions)
        return
    if any(other in quota and own not in quota for quota in quotas):
        yield ProfileProblem(43 if in_percent else 42, "the quotas are of the other kind", questions)
        return
    if any(own not in quota for quota in quotas):
        yield ProfileProblem(52 if in_percent else 53, "a quota has no goal", questions)
        return
    total = sum(Decimal(str(quota[own])) for quota in quotas)
    if in_percent and total != 100:
        yield ProfileProblem(9, f"the percentages sum to {total:f}", questions)
    if not in_percent and total != goal:
        yield ProfileProblem(10, f"the goals sum to {total:f}, the completes goal is {goal}", questions)
    if in_percent and any(0 < goal * quota[own] / 100 < 1 for quota in quotas):
        yield ProfileProblem(8, "a percentage of the goal is less than one complete", questions)
    names = Counter(quota["name"] for quota in quotas if quota.get("name"))
    if any(number > 1 for number in names.values()):
        yield ProfileProblem(56, "two quotas have the same name", questions)


def _blend_problems(profiles: Any) -> Iterator[ProfileProblem]:
    blends = Counter(
        profile.get("blended_type") or "interlock" for profile in profiles if profile["object"] == "blended"
    )
    if blends["interlock"] > 1:
        yield ProfileProblem(34, "there is more than one interlocked profile")
    if blends["control"] > 1:
        yield ProfileProblem(66, "there is more than one control profile")


def _validate(_world: World, request: Request) -> Response:
    body = request.body_as(ProfilesToValidate)
    problems = find_profile_problems(body["profiling"], body["locale"], int(body["completes_goal"]))
    return refusal(problems) if problems else Response(204)


def question_name(question_id: int) -> str:
    """Return the name of a question; one that the library does not have is called by its id."""
    found = BY_ID.get(question_id)
    return found.name if found else f"QUESTION {question_id}"


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="validate_profiles",
        method="POST",
        path=f"{ACCOUNT}/profiles/validate",
        handler=_validate,
        summary="Validate profiles without creating anything.",
        tag="Profiling",
        status=204,
        request_schema="ProfilesToValidate",
        errors=(422,),
        aliases=("validate-profiles",),
    ),
)
