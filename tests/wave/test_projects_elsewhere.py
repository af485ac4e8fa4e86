"""A project that was renamed, or is spelled in another way, is not created a second time."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from cint_nb.domain.errors import CintWarning, InvalidState
from cint_nb.domain.findings import Findings
from cint_nb.wave import context
from cint_nb.wave.client import Client
from cint_nb.wave.journal.journal import Journal
from cint_nb.wave.wave import Wave

Make = Callable[..., Wave]


def _count(client: Client) -> tuple[int, int]:
    world = client.sandbox.world
    return len(world.projects), len(world.groups)


@pytest.mark.sampled
@pytest.mark.parametrize("spelling", ["BRAND TRACKER", "brand tracker", "Brand Tracker"])
@pytest.mark.parametrize("journal_lost", [True, False])
def test_a_project_in_other_letter_case_stops_with_evidence(
    client: Client, make_wave: Make, spelling: str, journal_lost: bool
) -> None:
    first = make_wave()
    ref = first.create()
    if journal_lost:
        client.aio._journal = Journal()
    before = _count(client)
    again = client.wave(first.name, project=spelling, respondents=first.respondents, plan=first.plan)
    with pytest.raises(InvalidState, match="letter case") as caught:
        again.create()
    assert ref.project_id in str(caught.value)
    assert "Brand tracker" in str(caught.value.next_step)
    assert _count(client) == before


@pytest.mark.parametrize("number", [None, "PO-4711"])
def test_a_wave_in_a_renamed_project_is_found_before_a_second_project_is_created(
    client: Client, make_wave: Make, number: str | None
) -> None:
    first = make_wave(customer_reference_number=number)
    ref = first.create()
    first.upload()
    client.sandbox.inject("project-renamed", "now")
    client.aio._journal = Journal()
    before = _count(client)
    with pytest.raises(InvalidState, match="another name") as caught:
        make_wave(customer_reference_number=number).create()
    assert _count(client) == before
    assert ref.target_group_id in str(caught.value)
    assert f"project='{ref.project_id}'" in str(caught.value.next_step)
    found = client.wave(first.name, project=ref.project_id, respondents=first.respondents, plan=first.plan)
    with pytest.warns(CintWarning, match="found on the exchange"):
        assert found.create() == ref


def test_a_second_study_with_a_wave_of_the_same_name_begins_with_the_call_that_the_error_names(
    client: Client, make_wave: Make
) -> None:
    first = make_wave()
    ref = first.create()
    second = client.wave(first.name, project="Another study", respondents=first.respondents, plan=first.plan)
    with pytest.raises(InvalidState, match="another name") as caught:
        second.create()
    call = f"client.projects.create('Another study', {first.plan.project_manager_id!r})"
    assert call in str(caught.value.next_step)
    client.projects.create("Another study", first.plan.project_manager_id)
    assert second.create().project_id != ref.project_id


def test_another_wave_of_the_same_number_in_another_project_is_another_wave(client: Client, make_wave: Make) -> None:
    first = make_wave("Tracker, wave 1", customer_reference_number="PO-4711")
    first.create()
    plan = make_wave(customer_reference_number="PO-4711").plan
    other = client.wave("Tracker, wave 2", project="Another study", respondents=first.respondents, plan=plan).create()
    assert other.project_id != first.create().project_id
    assert client.aio.http.warning_texts == ()


EVERYTHING: dict[str, Callable[[Wave], object]] = {
    "create": lambda wave: wave.create(),
    "check upload": lambda wave: wave.check("upload", ask=True),
    "check launch": lambda wave: wave.check("launch", ask=True),
    "upload": lambda wave: wave.upload(),
    "outcome": lambda wave: wave.outcome,
    "resubmit": lambda wave: wave.resubmit(),
    "lower_goal": lambda wave: wave.lower_goal(5),
    "update": lambda wave: wave.update(wave.plan),
    "plan_from_exchange": lambda wave: wave.plan_from_exchange(),
    "launch": lambda wave: wave.launch(budget="900 EUR"),
    "status": lambda wave: wave.status(),
    "launched": lambda wave: wave.launched,
    "exchange_state": lambda wave: wave.exchange_state(),
    "approve": lambda wave: wave.approve(budget="900 EUR"),
    "pause": lambda wave: wave.pause(),
    "resume": lambda wave: wave.resume(),
    "close": lambda wave: wave.close(),
    "raise_goal": lambda wave: wave.raise_goal(120, budget="900 EUR"),
    "set_price": lambda wave: wave.set_price("3 EUR", budget="900 EUR"),
    "extend": lambda wave: wave.extend(wave.plan.end_at + timedelta(days=7), budget="900 EUR"),
    "relaunch": lambda wave: wave.relaunch(budget="900 EUR"),
    "remove": lambda wave: wave.remove(),
}
"""Whatever asks the exchange about a wave."""


@pytest.mark.sampled(every=4)
@pytest.mark.parametrize("verb", EVERYTHING)
def test_without_its_journal_no_verb_denies_a_wave_whose_project_was_renamed(
    client: Client, make_wave: Make, verb: str
) -> None:
    first = make_wave()
    ref = first.create()
    client.sandbox.inject("project-renamed", "now")
    client.aio._journal = Journal()
    before = _count(client)
    with pytest.raises(InvalidState, match="another name") as caught:
        EVERYTHING[verb](make_wave())
    assert f"project='{ref.project_id}'" in str(caught.value.next_step)
    assert _count(client) == before


@pytest.mark.sampled(every=6)
@pytest.mark.parametrize("verb", EVERYTHING)
def test_a_wave_that_may_be_in_a_project_that_was_not_searched_is_neither_created_nor_denied(
    client: Client, make_wave: Make, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setattr(context, "SEARCHED_PROJECTS", 1)
    for number in (3, 4):
        plan = make_wave().plan
        client.projects.create(f"Study {number}", plan.project_manager_id)
        make_wave(f"Tracker, wave {number}", project=f"Study {number}").create()
    before = _count(client)
    with pytest.raises(InvalidState, match="not known whether its project was renamed") as caught:
        EVERYTHING[verb](make_wave())
    assert _count(client) == before
    call = re.search(r"client\.projects\.create\(.*\)", str(caught.value.next_step))
    assert call is not None
    eval(call[0], {"client": client})  # noqa: S307 - advice has to run as it is written
    make_wave().create()
    assert _count(client) == (before[0] + 1, before[1] + 1)


@pytest.mark.parametrize("verb", ["check upload", "check launch", "launched"])
def test_a_wave_that_does_not_exist_is_said_not_to(client: Client, make_wave: Make, verb: str) -> None:
    make_wave("Tracker, wave 3", project="Another study").create()
    wave = make_wave()
    if verb == "launched":
        assert not wave.launched
        return
    findings = EVERYTHING[verb](wave)
    assert isinstance(findings, Findings)
    assert [finding.message for finding in findings.blocking] == ["The wave has no target group yet."]


def test_a_group_is_not_adopted_into_a_project_that_does_not_exist(client: Client, make_wave: Make) -> None:
    first = make_wave()
    ref = first.create()
    before = _count(client)
    other = client.wave("Tracker, wave 9", project="Another study", respondents=first.respondents, plan=first.plan)
    with pytest.raises(InvalidState, match="no target group to adopt"):
        other.create(adopt=ref.target_group_id)
    assert _count(client) == before
