"""The create guide's example, which the vendor's own schema of a new target group refuses, judged piece by piece."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from cint_nb.api import operations as ops
from cint_nb.api.operations import Operation
from cint_nb.domain.plan import AllocationFormat, TargetGroupPlan
from cint_nb.domain.profiling.profiles import Profile
from cint_nb.domain.profiling.questions import Question
from tests.contract.deviations import KNOWN
from tests.contract.openapi_documents import vendor
from tests.contract.validator import ContractValidator, Difference, HttpCall
from tests.support.constants import PROJECT
from tests.support.plans import guide_draft, guide_plan, make_fresh_plan

BASE = "https://api.cint.com/v1"
NOW = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def validator() -> ContractValidator:
    return ContractValidator(vendor())


def differences(validator: ContractValidator, operation: Operation, body: dict[str, Any]) -> set[tuple[str, str]]:
    """Return what the document objects to in a body, as places and rules."""
    path = operation.template.format(account_id=101, project_id=PROJECT)
    headers = {"cint-api-version": "2025-12-18", "authorization": "Bearer token"}
    request = httpx.Request(operation.method, f"{BASE}{path}", json=body, headers=headers)
    found = validator.differences(HttpCall(operation, request))
    assert all(row.place.startswith("request body") for row in found)
    return {(row.place, row.rule) for row in found}


def looked_up(plan: TargetGroupPlan) -> TargetGroupPlan:
    question = Question.model_validate(
        {
            "name": "GENDER",
            "targets": [
                {"text": text, "conditions": [{"object": "selection", "question_id": 43, "option": option}]}
                for text, option in (("Male", "1"), ("Female", "2"))
            ],
        }
    )
    assert isinstance(plan.profiling, tuple)
    return plan.model_copy(update={"profiling": tuple(each.look_up([question]) for each in plan.profiling)})


def test_it_is_refused_for_two_reasons_which_are_both_listed(validator: ContractValidator) -> None:
    found = differences(validator, ops.CREATE_DRAFT, guide_draft())
    assert found == {("request body: allocations", "required"), ("request body: profiling", "oneOf")}
    assert {Difference("target_groups.create_draft", *row) for row in found} <= KNOWN


def test_as_a_plan_it_is_refused_for_the_same_two_and_spelled_out_for_one(validator: ContractValidator) -> None:
    plan = looked_up(guide_plan())
    assert differences(validator, ops.CREATE_DRAFT, plan.to_body()) == {
        ("request body: allocations", "required"),
        ("request body: profiling", "oneOf"),
    }
    spelled = plan.model_copy(update={"allocation_format": AllocationFormat.OPEN_EXCHANGE})
    assert differences(validator, ops.CREATE_DRAFT, spelled.to_body()) == {("request body: profiling", "oneOf")}
    without = spelled.model_copy(update={"profiling": None})
    assert differences(validator, ops.CREATE_DRAFT, without.to_body()) == set()


def profilings() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield profiling as the guide writes it, and as ours does for each kind of profile."""
    yield "the guide's", guide_draft()["profiling"]
    plan = guide_plan()
    for name, profile in {
        "with quota names": Profile(43, {"1": 50, "2": 50}, name="birth gender", quota_names={"1": "half"}),
        "percent with decimals": Profile(43, {"1": 33.33, "2": 66.67}),
        "completes": Profile(43, {"1": 4, "2": 6}, by="completes"),
        "no quotas": Profile(43, ["1"]),
        "either": Profile(43, {("1", "2"): 100}),
    }.items():
        body = looked_up(plan.model_copy(update={"profiling": (profile,)})).to_body()
        yield name, body["profiling"]
    age = Question.model_validate(
        {
            "name": "AGE",
            "targets": [{"text": "", "conditions": [{"object": "range", "question_id": 42, "min": 1, "max": 99}]}],
        }
    )
    gender = looked_up(plan).profiling
    blended = Profile(("gender", "age"), {("1", "18-34"): 50, ("2", (35, 99)): 50})
    question = Question.model_validate(
        {
            "name": "gender",
            "targets": [
                {"text": option, "conditions": [{"object": "selection", "question_id": 43, "option": option}]}
                for option in "12"
            ],
        }
    )
    for name, made in {
        "ranges": (Profile("age", {"18-34": 40, "35+": 60}).look_up([age]),),
        "blended": (blended.look_up([question, age]),),
        "two profiles": (*(gender or ()), Profile("age", {"18-99": 100}).look_up([age])),
    }.items():
        yield name, plan.model_copy(update={"profiling": made}).to_body()["profiling"]


PROFILINGS = dict(profilings())


@pytest.mark.parametrize("name", PROFILINGS)
def test_the_schema_of_the_validation_accepts_every_profiling_that_is_written(
    name: str, validator: ContractValidator
) -> None:
    body = {"locale": "ger_de", "completes_goal": 10, "profiling": json.loads(json.dumps(PROFILINGS[name]))}
    assert differences(validator, ops.VALIDATE_PROFILES, body) == set()


@pytest.mark.parametrize("name", PROFILINGS)
def test_the_schema_of_a_new_group_has_a_oneof_that_none_of_them_fits(name: str, validator: ContractValidator) -> None:
    found = differences(validator, ops.CREATE_DRAFT, {**guide_draft(), "profiling": PROFILINGS[name]})
    assert ("request body: profiling", "oneOf") in found


def test_the_validation_refuses_what_is_no_profiling(validator: ContractValidator) -> None:
    for wrong in ({}, {"profile_adjustment_type": "percent", "profiles": []}, {"profiles": [{"object": "regular"}]}):
        body = {"locale": "ger_de", "completes_goal": 10, "profiling": wrong}
        assert differences(validator, ops.VALIDATE_PROFILES, body) != set()


def test_every_incidence_in_whole_percent_fits_the_schema(validator: ContractValidator) -> None:
    for percent in range(101):
        plan = make_fresh_plan(NOW, expected_incidence_rate=percent / 100, allocation_format="open_exchange")
        body = plan.to_body(name="Brand tracker, wave 1")
        assert differences(validator, ops.CREATE_DRAFT, body) == set()
        between = {**body, "expected_incidence_rate": (percent + 0.1) / 100}
        assert differences(validator, ops.CREATE_DRAFT, between) != set()
