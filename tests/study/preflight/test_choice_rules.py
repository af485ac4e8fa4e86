"""What the exchange lets a plan choose from: an unknown choice blocks, one that was not asked is no all-clear."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from cint_nb.domain.findings import Finding, Severity
from cint_nb.domain.profiling.profiles import Profile
from cint_nb.domain.profiling.quotas import ProfileProblem
from cint_nb.sandbox.world.catalogue import BUSINESS_UNIT_ID, PROJECT_MANAGER_ID
from cint_nb.study.preflight.check import WaveFacts, check
from cint_nb.study.preflight.registry import ChoicesFact, ProfilesFact
from tests.support.plans import make_fresh_plan, make_plan

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
KNOWN = ChoicesFact(
    business_units={BUSINESS_UNIT_ID: ("Insights", ("dynamic", "rate_card")), 2: ("Panels", None)},
    project_managers={PROJECT_MANAGER_ID: "Kim Lee"},
    locales=frozenset({"ger_de", "eng_us"}),
    industries=frozenset({"other", "automotive"}),
    study_types=frozenset({"adhoc", "recontact", "tracking"}),
)
NEVER = "b551326b-0000-4d32-8823-4f025787dab9"
UNKNOWN: dict[str, Any] = {
    "business_unit_id": 999,
    "project_manager_id": NEVER,
    "locale": "ger_at",
    "industry_code": "automotve",
    "study_type_code": "adhocc",
}
LISTS = {
    "business_unit_id": "business_units",
    "project_manager_id": "project_managers",
    "locale": "locales",
    "industry_code": "industries",
    "study_type_code": "study_types",
}


def found(
    code: str, choices: ChoicesFact | None = KNOWN, profiles: ProfilesFact | None = None, **changes: Any
) -> list[Finding]:
    facts = WaveFacts(
        plan=make_fresh_plan(NOW, **changes),
        respondents=None,
        now=NOW,
        name="Tracker, wave 1",
        choices=choices,
        profiles=profiles,
    )
    return [finding for finding in check(facts) if finding.rule == code]


@pytest.mark.parametrize("field", UNKNOWN)
def test_a_choice_the_exchange_does_not_know_blocks_and_names_where_to_choose(field: str) -> None:
    (finding,) = found("unknown-choice", **{field: UNKNOWN[field]})
    assert finding.severity is Severity.BLOCK
    assert f"client.choices.{LISTS[field]}()" in str(finding.fix)
    assert finding.evidence


def test_what_is_near_to_an_unknown_choice_is_shown() -> None:
    for field, near in (("industry_code", "automotive"), ("study_type_code", "adhoc"), ("locale", "ger_de")):
        (finding,) = found("unknown-choice", **{field: UNKNOWN[field]})
        assert near in str(finding.evidence)
    (finding,) = found("unknown-choice", business_unit_id=999)
    assert f"{BUSINESS_UNIT_ID} (Insights), 2 (Panels)" in str(finding.evidence)
    (finding,) = found("unknown-choice", project_manager_id=NEVER)
    assert "Kim Lee" in str(finding.evidence)
    assert NEVER not in str(finding.evidence)


def test_all_unknown_choices_are_named_together() -> None:
    assert len(found("unknown-choice", **UNKNOWN)) == len(UNKNOWN)


def test_known_choices_have_no_finding_and_a_uuid_is_one_in_any_case() -> None:
    for code in ("unknown-choice", "pricing-model", "not-asked", "profiles"):
        assert found(code) == []
        assert found(code, project_manager_id=PROJECT_MANAGER_ID.upper()) == []


def test_a_recontact_is_held_to_the_same_lists() -> None:
    wave = WaveFacts(
        plan=make_plan(NOW, industry_code="automotve"), respondents=None, now=NOW, name="Tracker, wave 1", choices=KNOWN
    )
    assert "unknown-choice" in {finding.rule for finding in check(wave)}


def test_a_user_who_is_no_project_manager_is_said_to_be_one_of_the_account() -> None:
    (finding,) = found("unknown-choice", replace(KNOWN, other_users={NEVER: "Robin Roe"}), project_manager_id=NEVER)
    assert finding.severity is Severity.WARN
    assert "Robin Roe" in str(finding.evidence)


@pytest.mark.parametrize("field", [field.name for field in fields(ChoicesFact) if field.name != "other_users"])
def test_a_list_that_could_not_be_asked_is_said_and_objects_to_nothing(field: str) -> None:
    without = replace(KNOWN, **{field: None})
    (finding,) = found("not-asked", without)
    assert finding.severity is Severity.WARN
    assert field.removesuffix("s").removesuffix("ie").replace("_", " ") in finding.message
    unknown = {name: value for name, value in UNKNOWN.items() if LISTS[name] == field}
    assert unknown
    assert found("unknown-choice", without, **unknown) == []


def test_a_list_without_any_choice_is_not_one_that_could_not_be_asked() -> None:
    empty = replace(KNOWN, locales=frozenset(), business_units={}, project_managers={})
    assert found("not-asked", empty) == []
    assert len(found("unknown-choice", empty)) == 3


def test_nothing_is_said_about_choices_where_the_exchange_was_not_to_be_asked() -> None:
    assert found("not-asked", None) == found("unknown-choice", None, **UNKNOWN) == []


@pytest.mark.parametrize(
    ("models", "blocks"), [(("dynamic",), False), (("rate_card",), True), ((), True), (None, False)]
)
def test_the_pricing_model_is_one_of_the_business_unit(models: tuple[str, ...] | None, blocks: bool) -> None:
    choices = replace(KNOWN, business_units={BUSINESS_UNIT_ID: ("Insights", models)})
    assert bool(found("pricing-model", choices)) is blocks


def test_what_the_validator_says_blocks_or_warns_as_it_means_it() -> None:
    problems = (
        ProfileProblem(reason="targets overlap", metadata={"error_level": "Error", "question_id": 43}),
        ProfileProblem(detail="few people", metadata={"error_level": "Warning"}),
        ProfileProblem(name="profiles[0]"),
    )
    severities = [finding.severity for finding in found("profiles", profiles=ProfilesFact(problems))]
    assert sorted(severities) == sorted([Severity.BLOCK, Severity.WARN, Severity.BLOCK])
    assert any(
        "targets overlap (question 43)" in each.message for each in found("profiles", profiles=ProfilesFact(problems))
    )


def test_names_that_are_not_known_block_and_a_validator_that_is_away_is_said() -> None:
    unknown = ProfilesFact(names=("The question library of ger_de has no question 'gendr'.", "search it."))
    (finding,) = found("profiles", profiles=unknown, profiling=Profile("gendr", ["male"]))
    assert (finding.severity, finding.fix) == (Severity.BLOCK, "search it.")
    away = ProfilesFact(reason="refused (503)")
    assert found("profiles", profiles=away) == []
    (finding,) = found("not-asked", profiles=away)
    assert (finding.severity, finding.evidence) == (Severity.WARN, "refused (503)")
    assert found("not-asked", profiles=ProfilesFact(())) == found("profiles", profiles=ProfilesFact(())) == []
