"""What the exchange knows of a wave reaches the rules before anything irreversible is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cint_nb.domain.errors import BudgetExceeded, CintWarning, PlanError, PreflightBlocked
from cint_nb.domain.findings import Severity
from cint_nb.domain.plan import Money
from cint_nb.domain.respondent_lists import ActivityExclusion
from cint_nb.study.preflight.registry import WaveFacts
from cint_nb.wave.client import Client
from cint_nb.wave.exchange.facts import read_exchange_facts
from cint_nb.wave.wave import Wave
from tests.support.plans import PRICE_VALUE
from tests.support.sandbox_client import RawClient

Make = Callable[..., Wave]


def test_a_check_sends_nothing_unless_asked_to(client: Client, make_wave: Make) -> None:
    make_wave().check()
    assert client.requests_sent == 0
    make_wave().check(ask=True)
    assert client.requests_sent > 0


def test_a_price_in_another_currency_than_the_business_units_is_stopped(make_wave: Make) -> None:
    wave = make_wave(cost_per_interview=f"{PRICE_VALUE} USD")
    assert "currency" in wave.check(ask=True).rules()
    with pytest.raises(PreflightBlocked, match="EUR"):
        wave.create()
    assert wave.target_group is None


def test_people_the_exchange_would_turn_away_are_counted(client: Client, make_wave: Make) -> None:
    wave = make_wave()
    ref = wave.create()
    assert "excluded-ids" not in wave.check("upload", ask=True).rules()
    client.exclusions.upload(ref, wave.respondents.sample(100, seed=1)).wait()
    finding = next(each for each in wave.check("upload", ask=True) if each.rule == "excluded-ids")
    assert not [identifier for identifier in wave.respondents.ids if identifier in str(finding)]


def test_an_activity_exclusion_that_covers_the_source_is_named(client: Client, make_wave: Make) -> None:
    first = make_wave("Tracker, wave 1").create()
    wave = make_wave("Tracker, wave 2b")
    wave.sources = (first,)
    ref = wave.create()
    client.exclusions.set_activity(
        ref, [ActivityExclusion(type="target-group", id=first.target_group_id, duration="P90D")]
    )
    assert "activity-exclusions" in wave.check("launch", ask=True).rules()


def test_project_exclusion_over_a_source_of_the_same_project_stops_before_anything_is_sent(
    client: Client, make_wave: Make
) -> None:
    first = make_wave("Tracker, wave 1")
    ref = first.create()
    by_name = make_wave("Tracker, wave 2c", exclusion_enabled=True)
    by_id = client.wave("Tracker, wave 2d", project=ref.project_id, respondents=first.respondents, plan=by_name.plan)
    elsewhere = client.wave("Tracker, wave 2e", project="Another one", respondents=first.respondents, plan=by_name.plan)
    sent = client.requests_sent
    for wave in (by_name, by_id, elsewhere):
        wave.sources = (ref,)
    assert "project-exclusion" in by_name.check().rules()
    with pytest.raises(PreflightBlocked, match="same project"):
        by_id.create()
    assert "project-exclusion" not in elsewhere.check().rules()
    assert client.requests_sent == sent


def test_first_and_last_complete_of_a_source_are_told_apart(client: Client, make_wave: Make) -> None:
    wave = make_wave()
    ref = wave.create()
    wave.upload()
    wave.launch(budget="300 EUR")
    client.pass_time(days=5)
    facts = WaveFacts(plan=wave.plan, respondents=wave.respondents, now=client.clock.now())
    (source,) = client.aio.run(read_exchange_facts(client.aio, facts, [ref], state=None, uploads=None)).sources
    seen = client.target_groups.performance(ref)
    assert (source.first_complete, source.last_complete) == (seen.first_complete, seen.last_complete)
    assert seen.first_complete != seen.last_complete


def test_a_running_job_stops_a_launch(client: Client, make_wave: Make) -> None:
    wave = make_wave()
    ref = wave.create()
    wave.upload()
    client.recontacts.upload(ref, wave.respondents.sample(50, seed=1))
    with pytest.raises(PreflightBlocked, match="job"):
        wave.launch(budget="300 EUR")


def test_pausing_resuming_and_closing_a_paused_wave(client: Client, make_wave: Make) -> None:
    wave = make_wave()
    wave.create()
    wave.upload()
    wave.launch(budget="300 EUR")
    client.pass_time(hours=2)
    wave.pause()
    assert wave.status().iloc[0]["state"] == "paused"
    wave.resume()
    assert wave.status().iloc[0]["state"] == "live"
    wave.pause()
    wave.close(resume_first=True)
    assert wave.status().iloc[0]["state"] == "completed"


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize(
    ("changes", "budget"),
    [
        ({"cost_per_interview": "1 EUR"}, "100 EUR"),
        ({"completes_goal": 50}, "140 EUR"),
        ({"live_url": "https://elsewhere.example?RECONTACT_RSID=[%RECONTACT_RSID%]"}, "900 EUR"),
    ],
)
def test_a_plan_changed_after_the_draft_was_made_is_not_launched_by_its_old_draft(
    client: Client, make_wave: Make, changes: dict[str, Any], budget: str
) -> None:
    first = make_wave()
    first.create()
    first.upload()
    again = make_wave(**changes)
    again.create()
    with pytest.raises(PreflightBlocked, match="draft"):
        again.launch(budget=budget)
    assert not again.launched
    again.update(again.plan)
    again.launch(budget=budget)
    client.pass_time(days=10)
    assert again.status().iloc[0]["cost"] <= Money.parse(budget).value


def test_lowering_the_goal_never_raises_it(make_wave: Make) -> None:
    wave = make_wave()
    wave.create()
    wave.upload()
    assert wave.lower_goal() == 100
    with pytest.raises(PlanError, match="choose a whole number from 1 to 100"):
        wave.lower_goal(101)
    assert wave.plan.completes_goal == 100


def test_with_overfill_allowed_a_wave_costs_no_more_than_its_budget(client: Client, make_wave: Make) -> None:
    wave = make_wave(prevent_overfill=False, completes_goal=20)
    wave.create()
    wave.upload()
    with pytest.raises(BudgetExceeded, match="ids may complete"):
        wave.launch(budget="54.704 EUR")
    cap = wave.plan.price_cap
    assert cap is not None
    budget = Money(value=len(wave.respondents) * cap.value, currency_code="EUR")
    wave.launch(budget=budget)
    client.pass_time(days=10)
    assert wave.status().iloc[0]["cost"] <= budget.value


def test_people_of_another_open_group_of_the_project_would_be_asked_twice(client: Client, make_wave: Make) -> None:
    first = make_wave("Tracker, wave 1b")
    first.create()
    first.upload()
    first.launch(budget="300 EUR")
    client.pass_time(hours=1)
    second = make_wave("Tracker, wave 2b")
    second.create()
    found = {finding.rule: finding for finding in second.check("upload", ask=True)}
    assert str(first.outcome.counts["saved"]) in str(found["asked-twice"].evidence)
    client.sandbox.faults.arm("404@rsids*always")
    notes = [each.message for each in second.check("upload", ask=True) if each.rule == "asked-twice"]
    assert notes == ["Other open groups of the project were not compared with this list."]
    client.sandbox.faults.armed.clear()
    second.upload()
    with pytest.raises(PreflightBlocked, match=r"it may be this very wave[\s\S]*unverified=\['asked twice'\]"):
        second.launch(budget="300 EUR")
    assert not second.launched
    with pytest.warns(CintWarning, match=rf"would be asked twice\. Seen: {first.outcome.counts['saved']} in"):
        second.launch(budget="300 EUR", unverified=["asked twice"])
    first.close()
    assert "asked-twice" not in second.check("upload", ask=True).rules()


def put_in_one_exclusion_group(client: Client, *waves: Wave) -> None:
    """Let a colleague put the target groups of waves into one exclusion group."""
    groups = f"/demand/accounts/{client.account_id}/exclusion-groups"
    sandbox = RawClient(client.sandbox)
    sandbox.log_in()
    body = {"tag": "Tracker 2026", "description": "nobody is asked twice"}
    made = sandbox.post(groups, body).json()["exclusion_group_id"]
    members = [wave.target_group.target_group_id for wave in waves if wave.target_group is not None]
    assert sandbox.post(f"{groups}/{made}/target-groups/add", {"data": members}).status_code == 204
    sandbox.close()


def test_two_waves_in_one_exclusion_group_stop_before_everybody_is_turned_away(client: Client, make_wave: Make) -> None:
    first = make_wave("Tracker, wave 1")
    source = first.create()
    wave = make_wave("Tracker, wave 2b")
    wave.sources = (source,)
    wave.create()
    assert "exclusion-groups" not in wave.check("upload", ask=True).rules()
    put_in_one_exclusion_group(client, first, wave)
    finding = next(each for each in wave.check("upload", ask=True) if each.rule == "exclusion-groups")
    assert finding.severity is Severity.BLOCK
    assert "Tracker 2026" in str(finding.evidence)
    with pytest.raises(PreflightBlocked, match="exclusion group"):
        wave.launch(budget="2000 EUR")


def test_an_exclusion_group_without_a_known_source_is_a_warning(client: Client, make_wave: Make) -> None:
    wave = make_wave("Tracker, wave 2c")
    wave.create()
    put_in_one_exclusion_group(client, wave)
    finding = next(each for each in wave.check("upload", ask=True) if each.rule == "exclusion-groups")
    assert finding.severity is Severity.WARN


def test_exclusion_groups_that_may_not_be_read_are_named(client: Client, make_wave: Make) -> None:
    wave = make_wave("Tracker, wave 2d")
    wave.create()
    client.inject("404", "get_exclusion_groups_for_target_group")
    assert "the exclusion groups" in str(wave.check("upload", ask=True))
