"""The plan decides what a wave is: one on new people has no list, and a forgotten list never buys strangers."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal

import pytest

from cint_nb.domain.errors import BudgetExceeded, CintWarning, InvalidState, PlanError, PreflightBlocked
from cint_nb.domain.jobs import JobState
from cint_nb.domain.plan import Money, PlanKind
from cint_nb.domain.profiling.profiles import Profile
from cint_nb.sandbox.world.rules import ExchangeRules
from cint_nb.study.files.respondents import Respondents
from cint_nb.wave.client import Client
from cint_nb.wave.wave import Wave
from tests.support.fresh_waves import BUDGET, NAME, PROJECT, QUOTAS, another_machine, fresh_wave, live_wave
from tests.support.plans import make_fresh_plan, make_plan

MakeWave = Callable[..., Wave]
Act = Callable[[Wave], Any]
Dearer = Callable[[Wave, "str | None"], Any]


def read_only(client: Client, name: str = NAME) -> Wave:
    return client.wave(name, project=PROJECT)


def state(wave: Wave) -> str:
    return str(wave.status()["state"].item())


# --- end to end -------------------------------------------------------------------------------------------------------


def test_a_whole_wave_of_new_people(client: Client) -> None:
    wave = fresh_wave(client)
    assert (wave.kind, wave.id_count) == (PlanKind.FRESH, None)
    wave.check(ask=True).raise_if_blocking()
    created = wave.create()
    assert wave.create() == created
    wave.check("launch", ask=True).raise_if_blocking()
    assert wave.launch(budget=BUDGET).state is JobState.DONE
    client.pass_time(days=1)
    status = wave.status().iloc[0]
    assert status["state"] == "live"
    assert status["completes"] > 0
    wave.pause()
    assert state(wave) == "paused"
    wave.resume()
    assert wave.raise_goal(105, budget=BUDGET) == 105
    assert str(wave.set_price("2 EUR", budget=BUDGET)) == "2 EUR"
    later = wave.plan.end_at + timedelta(days=3)
    assert wave.extend(later, budget=BUDGET) == later
    wave.close()
    assert state(wave) == "completed"
    assert not [job for job in client.sandbox.world.jobs.values() if "recontact" in str(job.kind)]


@pytest.mark.parametrize(
    ("changes", "budget", "enough"),
    [
        ({}, "273.52 EUR", True),
        ({}, "273.51 EUR", False),
        ({"maximum_cpi": None, "total_budget": "280 EUR"}, "280 EUR", True),
        ({"maximum_cpi": None, "total_budget": "280 EUR"}, "279.99 EUR", False),
        ({"maximum_cpi": None, "total_budget": "280 EUR", "prevent_overfill": False}, "280 EUR", True),
        # What 100 completes cost at the price of the plan is not bounded by less.
        ({"maximum_cpi": None, "total_budget": "150 EUR"}, "150 EUR", False),
        ({"maximum_cpi": None, "total_budget": "150 EUR"}, "273.52 EUR", True),
    ],
)
def test_the_budget_covers_goal_times_price_cap_or_the_total_budget(
    client: Client, changes: dict[str, Any], budget: str, enough: bool
) -> None:
    wave = fresh_wave(client, **changes)
    wave.create()
    if enough:
        assert wave.launch(budget=budget).state is JobState.DONE
        return
    with pytest.raises(BudgetExceeded):
        wave.launch(budget=budget)
    assert state(wave) == "draft"


@pytest.mark.parametrize("changes", [{"maximum_cpi": None}, {"prevent_overfill": False}])
def test_what_nothing_bounds_is_not_even_created(client: Client, changes: dict[str, Any]) -> None:
    wave = fresh_wave(client, **changes)
    with pytest.raises(PreflightBlocked, match="Nothing bounds what this wave can cost"):
        wave.create()
    assert wave.target_group is None


@pytest.mark.parametrize(
    ("dearer", "covered"),
    [
        (lambda wave, budget: wave.set_price("5 EUR", budget=budget), "500 EUR"),
        (lambda wave, budget: wave.raise_goal(200, budget=budget), "547.04 EUR"),
    ],
)
def test_a_total_budget_bounds_no_price_and_no_goal_above_it(client: Client, dearer: Dearer, covered: str) -> None:
    wave = fresh_wave(client, maximum_cpi=None, total_budget="280 EUR")
    wave.create()
    wave.launch(budget="280 EUR")
    with pytest.raises(BudgetExceeded):
        dearer(wave, "280 EUR")
    with pytest.raises(PlanError, match="no budget was given"):
        dearer(wave, None)
    dearer(wave, covered)
    assert wave.status()["committed"].item() == float(covered.split()[0])


def test_raising_the_goal_needs_a_budget_for_it(client: Client) -> None:
    wave = live_wave(client)
    with pytest.raises(PlanError):
        wave.raise_goal(200)
    with pytest.raises(BudgetExceeded):
        wave.raise_goal(200, budget="500 EUR")
    assert wave.status()["goal"].item() == 100


def test_the_most_a_wave_can_cost_is_what_its_launch_compares(client: Client) -> None:
    wave = fresh_wave(client)
    most = wave.worst_case()
    assert most is not None
    assert wave.worst_case(most) == most
    less = Money(value=most.value - 1, currency_code=most.currency_code)
    for verb in (wave.worst_case, wave.launch):
        with pytest.raises(BudgetExceeded):
            verb(less)


SPENDING: dict[str, Act] = {
    "launch": lambda wave: wave.launch(),
    "relaunch": lambda wave: wave.relaunch(),
    "raise_goal": lambda wave: wave.raise_goal(200),
    "set_price": lambda wave: wave.set_price("5 EUR"),
    "extend": lambda wave: wave.extend(wave.client.clock.now() + timedelta(days=30)),
    "set_quotas": lambda wave: wave.set_quotas({"gender": {"male": 100, "female": 100}}, goal=200),
    "set_profiles": lambda wave: wave.set_profiles([Profile("gender", {"male": 50, "female": 50})], goal=200),
}


def test_every_verb_with_a_budget_is_tried_without_one() -> None:
    verbs = {name: member for name, member in vars(Wave).items() if inspect.isfunction(member)}
    with_budget = {name for name, verb in verbs.items() if "budget" in inspect.signature(verb).parameters}
    apart = {"approve", "feasibility", "reconcile", "worst_case"} | {name for name in with_budget if name[0] == "_"}
    assert with_budget - apart == set(SPENDING) - apart


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("verb", SPENDING)
def test_without_a_budget_the_next_step_names_the_verb_that_was_called(client: Client, verb: str) -> None:
    wave = (fresh_wave if verb == "launch" else live_wave)(client, profiling=QUOTAS[:1])
    if verb == "launch":
        wave.create()
    if verb == "relaunch":
        wave.close()
    with pytest.raises(PlanError, match="no budget was given") as caught:
        SPENDING[verb](wave)
    assert re.search(rf"wave\.{verb}\((…, )?budget='", str(caught.value))


# --- verbs of a list --------------------------------------------------------------------------------------------------

OF_LISTS: dict[str, Act] = {
    "upload": lambda wave: wave.upload(),
    "outcome": lambda wave: wave.outcome,
    "resubmit": lambda wave: wave.resubmit(),
    "remove": lambda wave: wave.remove(),
    "respondents": lambda wave: wave.respondents,
    "withdrawn": lambda wave: wave.withdrawn,
    "find_withdrawals": lambda wave: wave.find_withdrawals(),
}


@pytest.mark.sampled
@pytest.mark.parametrize("verb", OF_LISTS)
@pytest.mark.parametrize("make", [fresh_wave, live_wave], ids=["new", "live"])
def test_verbs_of_a_list_refuse_in_words_before_anything_is_sent(
    client: Client, verb: str, make: Callable[[Client], Wave]
) -> None:
    wave = make(client)
    sent = client.requests_sent
    with pytest.raises(PlanError, match="about new people, so it has no list") as caught:
        OF_LISTS[verb](wave)
    assert client.requests_sent == sent
    assert "wave.launch" in str(caught.value.next_step)


def test_a_plan_for_new_people_refuses_respondents(client: Client, people: Respondents) -> None:
    with pytest.raises(PlanError, match="new people"):
        client.wave(NAME, project=PROJECT, respondents=people, plan=make_fresh_plan(client.clock.now()))
    assert client.requests_sent == 0


def test_respondents_without_a_plan_are_no_wave(client: Client, people: Respondents) -> None:
    with pytest.raises(PlanError, match="plan"):
        client.wave(NAME, project=PROJECT, respondents=people)
    assert client.requests_sent == 0


# --- a forgotten list -------------------------------------------------------------------------------------------------

CHANGING: dict[str, Act] = {
    "create": lambda wave: wave.create(),
    "upload": lambda wave: wave.upload(),
    "outcome": lambda wave: wave.outcome,
    "resubmit": lambda wave: wave.resubmit(),
    "remove": lambda wave: wave.remove(),
    "lower_goal": lambda wave: wave.lower_goal(),
    "update": lambda wave: wave.update(make_plan(wave.client.clock.now())),
    "launch": lambda wave: wave.launch(budget=BUDGET),
    "resume": lambda wave: wave.resume(),
    "relaunch": lambda wave: wave.relaunch(budget=BUDGET),
    "approve": lambda wave: wave.approve(BUDGET),
    "raise_goal": lambda wave: wave.raise_goal(200, budget=BUDGET),
    "set_price": lambda wave: wave.set_price("3 EUR", budget=BUDGET),
    "extend": lambda wave: wave.extend(wave.client.clock.now() + timedelta(days=30), budget=BUDGET),
    "set_quotas": lambda wave: wave.set_quotas({"gender": {"male": 1}}),
    "set_profiles": lambda wave: wave.set_profiles([]),
}
"""Every verb that changes something, but for pausing and closing, which end what costs money."""
READING = {
    *("status", "report", "quotas", "check", "exchange_state", "look", "plan_from_exchange"),
    *("feasibility", "prices", "rate_card", "files", "download_file", "test_links", "history_record"),
    *("pause", "close", "withdraw", "undo_withdrawal"),
}
"""What needs no list: reading, and what protects money and people."""
OF_VISITS = {"reconcile"}
"""Names its visits itself, and the report says which are the wave's: no list of people is needed."""


def test_every_verb_of_a_wave_either_reads_or_is_tried_without_its_list() -> None:
    verbs = {name for name in vars(Wave) if not name.startswith("_")}
    assert verbs - set(CHANGING) - READING - OF_VISITS - set(OF_LISTS) == KNOWN_HERE


KNOWN_HERE = {
    *("warnings", "kind", "id_count", "plan", "target_group", "last_known", "launched", "resubmitted_count"),
    "worst_case",
}
"""What a wave knows without asking."""


@pytest.mark.sampled(every=4)
@pytest.mark.parametrize("verb", CHANGING)
def test_a_forgotten_list_refuses_before_anything_is_sent(client: Client, make_wave: MakeWave, verb: str) -> None:
    whole = make_wave()
    whole.create()
    forgetful = client.wave(whole.name, project=PROJECT, plan=whole.plan)
    sent = client.requests_sent
    with pytest.raises(PlanError) as caught:
        CHANGING[verb](forgetful)
    assert client.requests_sent == sent
    assert "respondents=" in str(caught.value)


def test_a_wave_that_was_uploaded_is_not_launched_by_one_without_its_list(client: Client, make_wave: MakeWave) -> None:
    whole = make_wave()
    whole.create()
    whole.upload()
    with pytest.raises(PlanError):
        client.wave(whole.name, project=PROJECT, plan=whole.plan).launch(budget=BUDGET)
    assert state(whole) == "draft"


def test_without_its_list_a_recontact_can_be_read_paused_and_closed(client: Client, make_wave: MakeWave) -> None:
    whole = make_wave()
    whole.create()
    whole.upload()
    whole.launch(budget=BUDGET)
    forgetful = client.wave(whole.name, project=PROJECT, plan=whole.plan)
    assert state(forgetful) == "live"
    assert len(forgetful.quotas()) == 0
    forgetful.pause()
    assert state(whole) == "paused"
    forgetful.close(resume_first=True)
    assert state(whole) == "completed"


def test_the_check_of_a_recontact_without_a_list_blocks(client: Client) -> None:
    forgetful = client.wave(NAME, project=PROJECT, plan=make_plan(client.clock.now()))
    assert "respondents" in {finding.rule for finding in forgetful.check()}
    assert client.requests_sent == 0


# --- a wave that is only read -----------------------------------------------------------------------------------------


def test_a_wave_without_a_plan_is_found_read_paused_and_closed(client: Client) -> None:
    wave = live_wave(client)
    found = read_only(client)
    assert (found.kind, found.id_count) == (None, None)
    assert state(found) == "live"
    known = found.look().state
    assert known is not None
    assert known.state == "live"
    assert found.last_known.state == known
    assert found.quotas().empty
    found.pause()
    assert state(wave) == "paused"
    found.close(resume_first=True)
    assert state(wave) == "completed"


def test_a_recontact_without_a_plan_is_read_too(client: Client, make_wave: MakeWave) -> None:
    whole = make_wave()
    whole.create()
    whole.upload()
    assert read_only(client, whole.name).status()["saved"].item() == whole.status()["saved"].item() > 0


@pytest.mark.sampled(every=4)
@pytest.mark.parametrize("verb", [*CHANGING, "check", "plan"])
def test_a_wave_without_a_plan_changes_nothing(client: Client, verb: str) -> None:
    live_wave(client)
    found = read_only(client)
    sent = client.requests_sent
    acts: dict[str, Act] = {**CHANGING, "check": lambda wave: wave.check(), "plan": lambda wave: wave.plan}
    with pytest.raises(PlanError, match=r"without a plan|no respondents"):
        acts[verb](found)
    assert client.requests_sent == sent


def test_a_wave_nobody_created_is_not_there_to_be_read(client: Client) -> None:
    found = read_only(client, "Never created")
    with pytest.raises(InvalidState):
        found.pause()
    assert client.sandbox.world.groups == {}


# --- one name, two kinds ----------------------------------------------------------------------------------------------


def test_a_recontact_does_not_take_over_a_launched_wave_of_new_people(client: Client, make_wave: MakeWave) -> None:
    live_wave(client)
    other = make_wave(NAME)
    for act in (other.upload, lambda: other.launch(budget=BUDGET), lambda: other.raise_goal(110, budget="900 EUR")):
        with pytest.raises((InvalidState, PlanError, PreflightBlocked)):
            act()
    found = read_only(client).status()
    assert (found["state"].item(), found["goal"].item()) == ("live", 100)
    assert not [job for job in client.sandbox.world.jobs.values() if "recontact" in str(job.kind)]


def test_nor_does_one_on_a_machine_that_only_finds_it(client: Client, people: Respondents) -> None:
    live_wave(client)
    with another_machine(client) as other:
        recontact = other.wave(NAME, project=PROJECT, respondents=people, plan=make_plan(other.clock.now()))
        with pytest.warns(CintWarning, match="found on the exchange and is continued"):
            recontact.check("upload", ask=True)
        with pytest.raises(InvalidState, match="the target group is open to new people"):
            recontact.upload()
    assert [str(job.kind) for job in client.sandbox.world.jobs.values()] == ["launch"]


def test_a_plan_for_new_people_does_not_take_over_a_launched_recontact(client: Client, make_wave: MakeWave) -> None:
    whole = make_wave()
    whole.create()
    whole.upload()
    whole.launch(budget=BUDGET)
    other = client.wave(whole.name, project=PROJECT, plan=make_fresh_plan(client.clock.now()))
    for act in (
        lambda: other.raise_goal(200, budget="900 EUR"),
        lambda: other.set_price("9 EUR", budget="900 EUR"),
        lambda: other.launch(budget="900 EUR"),
    ):
        with pytest.raises((InvalidState, PreflightBlocked)):
            act()
    assert whole.status()["goal"].item() == 100


def test_an_update_does_not_change_the_kind(client: Client) -> None:
    wave = fresh_wave(client)
    wave.create()
    sent = client.requests_sent
    with pytest.raises(PlanError, match="opened with a plan of the kind fresh, not recontact"):
        wave.update(make_plan(client.clock.now()))
    assert client.requests_sent == sent


def test_a_colleagues_change_of_the_study_type_blocks_the_launch(client: Client) -> None:
    wave = fresh_wave(client)
    wave.create()
    client.sandbox.inject("field-edited", "now", "study_type_code", value="tracker")
    with pytest.raises(PreflightBlocked, match="study_type_code"):
        wave.launch(budget=BUDGET)
    assert state(wave) == "draft"


def test_a_draft_that_a_colleague_made_a_recontact_is_not_launched_for_new_people(client: Client) -> None:
    wave = fresh_wave(client)
    wave.create()
    (group,) = client.sandbox.world.groups.values()
    draft: Any = dict(group.body)
    recontact = make_plan(client.clock.now()).to_body(name=NAME)
    group.body = draft | {name: recontact[name] for name in ("study_type_code", "allocations", "live_url")}
    with pytest.raises(PreflightBlocked, match="study_type_code"):
        wave.launch(budget=BUDGET)
    assert state(wave) == "draft"


def test_the_plan_that_is_read_back_is_of_the_same_kind(client: Client) -> None:
    wave = fresh_wave(client)
    wave.create()
    read = wave.plan_from_exchange()
    assert read.kind is PlanKind.FRESH
    assert read.to_body(name=NAME) == wave.plan.to_body(name=NAME)


def test_another_machine_finds_it_and_launches_nothing_twice(client: Client) -> None:
    wave = live_wave(client)
    with another_machine(client) as other:
        again = fresh_wave(other)
        with pytest.warns(CintWarning, match="found on the exchange and is continued"):
            assert again.create() == wave.target_group
        assert again.kind is PlanKind.FRESH
        with pytest.warns(CintWarning, match="is live already; it was launched elsewhere"):
            again.launch(budget=BUDGET)
    assert len(client.sandbox.world.groups) == 1
    assert [str(job.kind) for job in client.sandbox.world.jobs.values()] == ["launch"]


@pytest.mark.parametrize(("rule", "is_told"), [("kept", False), ("prescreens", True)])
def test_a_group_that_prevent_overfill_turned_to_prescreens_is_told(
    client: Client, rule: Literal["kept", "prescreens"], is_told: bool
) -> None:
    client.sandbox.world.rules = ExchangeRules(prevent_overfill=rule)
    wave = live_wave(client)
    client.pass_time(days=1)
    assert ("who passes the screener fills the goal" in str(wave.status().loc[0, "warnings"])) is is_told
