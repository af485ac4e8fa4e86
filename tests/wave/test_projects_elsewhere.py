"""A project that was renamed, or is spelled in another way, is not created a second time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cint_nb.domain.errors import CintWarning, InvalidState
from cint_nb.wave import context
from cint_nb.wave.client import Client
from cint_nb.wave.journal.journal import Journal
from cint_nb.wave.wave import Wave

Make = Callable[..., Wave]


def _count(client: Client) -> tuple[int, int]:
    world = client.sandbox.world
    return len(world.projects), len(world.groups)


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


def test_another_wave_of_the_same_number_in_another_project_is_another_wave(client: Client, make_wave: Make) -> None:
    first = make_wave("Tracker, wave 1", customer_reference_number="PO-4711")
    first.create()
    plan = make_wave(customer_reference_number="PO-4711").plan
    other = client.wave("Tracker, wave 2", project="Another study", respondents=first.respondents, plan=plan).create()
    assert other.project_id != first.create().project_id
    assert client.aio.http.warning_texts == ()


def test_projects_that_were_not_searched_are_said(
    client: Client, make_wave: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "SEARCHED_PROJECTS", 0)
    first = make_wave()
    first.create()
    other = client.wave("Tracker, wave 9", project="Another study", respondents=first.respondents, plan=first.plan)
    with pytest.warns(CintWarning, match="were not searched"):
        other.create()


def test_a_group_is_not_adopted_into_a_project_that_does_not_exist(client: Client, make_wave: Make) -> None:
    first = make_wave()
    ref = first.create()
    before = _count(client)
    other = client.wave("Tracker, wave 9", project="Another study", respondents=first.respondents, plan=first.plan)
    with pytest.raises(InvalidState, match="no target group to adopt"):
        other.create(adopt=ref.target_group_id)
    assert _count(client) == before
