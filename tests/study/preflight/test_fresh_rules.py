"""Preflight of a wave on new people: what bounds its cost, and nothing that only a list can break."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cint_nb.domain.findings import Finding, Severity
from cint_nb.domain.limits import OTHER_LANGUAGE_CODES
from cint_nb.domain.plan import AllocationFormat, Money
from cint_nb.domain.profiling.profiles import Profile
from cint_nb.study.preflight import registry
from cint_nb.study.preflight.check import WaveFacts, check
from tests.support.plans import make_fresh_plan, make_plan

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
NO_VARIABLE = "https://survey.example/?RID=[%RID%]"
EUROS = Money.parse("3 EUR")
ABOUT_LISTS = {
    *("allocation-template", "capacity", "goal", "goal-rate", "no-ids", "nothing-saved", "partly-saved"),
    *("profiling", "respondents", "source-known"),
}


def facts(*, recontact: bool = False, step: Any = "create", **changes: Any) -> WaveFacts:
    make = make_plan if recontact else make_fresh_plan
    return WaveFacts(
        plan=make(NOW, **changes), respondents=None, now=NOW, name="Tracker, wave 1", step=step, has_list=False
    )


def found(code: str, **options: Any) -> list[Finding]:
    return [finding for finding in check(facts(**options)) if finding.rule == code]


def one(code: str, severity: Severity, **options: Any) -> Finding:
    (finding,) = found(code, **options)
    assert finding.severity is severity
    assert finding.evidence
    assert finding.fix
    return finding


@pytest.mark.parametrize("step", registry.STEPS)
def test_a_sound_wave_of_new_people_has_the_note_on_prescreens_and_no_more(step: str) -> None:
    (finding,) = check(facts(step=step))
    assert finding.rule == "overfill-prescreens"
    assert finding.severity is Severity.NOTE
    assert "those who pass the screener" in finding.message


@pytest.mark.parametrize(
    ("bounds", "enough"),
    [
        ({"maximum_cpi": EUROS, "prevent_overfill": True}, True),
        ({"maximum_cpi": EUROS, "prevent_overfill": False}, False),
        ({"maximum_cpi": None, "prevent_overfill": True}, False),
        ({"maximum_cpi": None, "prevent_overfill": False}, False),
        ({"maximum_cpi": None, "total_budget": EUROS, "prevent_overfill": True}, True),
        ({"maximum_cpi": None, "total_budget": EUROS, "prevent_overfill": False}, True),
    ],
)
@pytest.mark.parametrize("step", registry.STEPS)
def test_new_people_need_a_price_cap_with_overfill_prevented_or_a_total_budget(
    step: str, bounds: dict[str, Any], enough: bool
) -> None:
    assert bool(found("price-bound", step=step, **bounds)) is not enough
    assert not found("price-bound", step=step, recontact=True, **bounds)
    if not enough:
        finding = one("price-bound", Severity.BLOCK, step=step, **bounds)
        assert "maximum_cpi" in str(finding.fix)
        assert "total_budget" in str(finding.fix)


@pytest.mark.parametrize(
    "pricing",
    [
        {"maximum_cpi": EUROS, "total_budget": EUROS},
        {"pricing_model": "rate_card"},
        {"pricing_model": "rate_card", "cost_per_interview": None, "maximum_cpi": None, "total_budget": EUROS},
    ],
)
@pytest.mark.parametrize("recontact", [False, True])
def test_prices_that_exclude_each_other_block(recontact: bool, pricing: dict[str, Any]) -> None:
    assert one("price-bound", Severity.BLOCK, recontact=recontact, **pricing)


def test_the_note_on_prescreens_stands_where_the_exchange_counts_them() -> None:
    assert found("overfill-prescreens", prevent_overfill=False, total_budget=EUROS, maximum_cpi=None) == []
    assert one("overfill", Severity.WARN, prevent_overfill=False, total_budget=EUROS, maximum_cpi=None)


@pytest.mark.parametrize("goal", [1, 100_000_000])
@pytest.mark.parametrize("step", registry.STEPS)
def test_nothing_that_only_a_list_can_break_is_found(step: str, goal: int) -> None:
    wave = facts(step=step, completes_goal=goal, allocation_format=AllocationFormat.OPEN_EXCHANGE)
    assert not {finding.rule for finding in check(wave)} & ABOUT_LISTS


def test_the_variable_of_a_recontact_means_nothing_to_new_people() -> None:
    url = "https://survey.example/?RID=[%RID%]&RSID=[%RECONTACT_RSID%]"
    assert "for a recontact only" in one("url-variable", Severity.WARN, live_url=url, test_url=NO_VARIABLE).message


def test_each_kind_of_plan_has_its_own_study_types() -> None:
    assert one("study-type", Severity.BLOCK, study_type_code="recontact")
    assert not found("study-type", study_type_code="tracking")


def test_a_forgotten_list_blocks_at_every_step() -> None:
    for step in registry.STEPS:
        finding = one("respondents", Severity.BLOCK, recontact=True, step=step)
        assert "TargetGroupPlan.fresh" in str(finding.fix)
        assert not found("respondents", step=step)


@pytest.mark.parametrize("language", OTHER_LANGUAGE_CODES)
def test_a_language_of_the_other_iso_list_is_named_with_the_code_that_is_meant(language: str) -> None:
    finding = one("locale-list", Severity.WARN, locale=f"{language}_de")
    assert f"{OTHER_LANGUAGE_CODES[language]}_de" in str(finding.fix)
    assert not found("locale-list", locale=f"{OTHER_LANGUAGE_CODES[language]}_de")


@pytest.mark.parametrize(
    ("numbers", "fits"), [((60, 40), True), ((60, 41), False), ((60, 39), False), ((100, 0), True)]
)
def test_quotas_in_completes_make_up_the_goal(numbers: tuple[int, int], fits: bool) -> None:
    profile = Profile("gender", dict(zip(("male", "female"), numbers, strict=True)), by="completes")
    targets = [{"quota": {"completes_goal": number}} for number in numbers]
    spelled = {"profile_adjustment_type": "nominal", "profiles": [{"quotas_enabled": True, "targets": targets}]}
    for profiling in (profile, spelled):
        assert bool(found("quota-completes", profiling=profiling)) is not fits


def test_profiles_filter_a_list_and_choose_new_people() -> None:
    profile = Profile("gender", {"male": 50, "female": 50})
    assert one("profiling", Severity.WARN, recontact=True, profiling=profile).evidence == "1 profile"
    assert not found("profiling", profiling=profile)
