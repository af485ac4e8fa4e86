"""A field of the draft that a colleague edits stops the launch by name, and the advice given brings it back."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from cint_nb.domain.errors import CintWarning, PreflightBlocked
from cint_nb.domain.findings import Finding, Severity
from cint_nb.sandbox.draft_edits import DRAFT_EDITS, DraftField
from cint_nb.study.preflight.draft_witnesses import WITNESSES, get_field, normalised
from cint_nb.wave.client import Client, open_client
from cint_nb.wave.exchange.draft_merge import has_allocations, writable_allocations
from cint_nb.wave.journaled_client import JournaledClient
from cint_nb.wave.wave import Wave
from tests.support.changed_elsewhere import UNSEEN, opened, people, read_truth
from tests.support.changed_elsewhere_rules import LABELS
from tests.support.plans import make_plan

BUDGET = "40 EUR"
BEARING = [field for field in get_args(DraftField) if field not in LABELS]


def _blocking(wave: Wave, unverified: tuple[str, ...]) -> list[Finding]:
    with pytest.raises(PreflightBlocked) as caught:
        wave.launch(budget=BUDGET, unverified=unverified)
    return [each for each in caught.value.findings if each.severity is Severity.BLOCK]


def _paste(fix: str, wave: Wave) -> Any:
    """Run the call that a fix names."""
    found = re.search(r"wave\.update\(wave\.plan, overwrite=\[[^]]*\]\)", fix)
    assert found is not None, fix
    return eval(found[0], {"wave": wave})  # noqa: S307 - advice has to run as it is written


@pytest.mark.sampled(every=5)
@pytest.mark.parametrize("with_journal", [True, False])
@pytest.mark.parametrize("field", BEARING)
def test_an_edited_field_stops_the_launch_and_the_advice_restores_it(field: DraftField, with_journal: bool) -> None:
    unseen = () if with_journal else UNSEEN
    with opened("uploaded", with_journal=with_journal) as (client, wave):
        before = read_truth(client.sandbox).groups[0]
        client.sandbox.inject("field-edited", "now", field)
        finding, *_ = _blocking(wave, unseen)
        shown = str(finding.evidence)
        assert not read_truth(client.sandbox).groups[0].in_field
        assert DRAFT_EDITS[field].path[-1] in shown or field in shown
        _paste(str(finding.fix), wave)
        after = read_truth(client.sandbox).groups[0]
        assert (after.draft.get("allocations"), after.strategy) == (before.draft.get("allocations"), before.strategy)
        wave.launch(budget=BUDGET)  # what was written from here is known from now on
        assert read_truth(client.sandbox).groups[0].status == "live"


@pytest.mark.parametrize("field", ["allocations", "filling_strategy"])
def test_a_plan_taken_from_the_exchange_has_what_a_colleague_edited(field: DraftField) -> None:
    with opened("uploaded", with_journal=True) as (client, wave):
        client.sandbox.inject("field-edited", "now", field)
        edited = read_truth(client.sandbox).groups[0]
        again = client.wave(
            wave.name, project="Brand tracker", respondents=wave.respondents, plan=wave.plan_from_exchange()
        )
        again.launch(budget=BUDGET)
        launched = read_truth(client.sandbox).groups[0]
        assert launched.in_field
        assert launched.strategy == edited.strategy


def test_a_lower_goal_keeps_the_suppliers_and_the_strategy_a_colleague_chose() -> None:
    with opened("uploaded", with_journal=True) as (client, wave):
        for field in ("allocations", "filling_strategy"):
            client.sandbox.inject("field-edited", "now", field)
        edited = read_truth(client.sandbox).groups[0]
        wave.lower_goal(5)
        lowered = read_truth(client.sandbox).groups[0]
        assert lowered.goal == 5
        assert (lowered.draft["allocations"], lowered.strategy) == (edited.draft["allocations"], edited.strategy)
        assert "draft-audience" in wave.check("launch", ask=True).rules()


@pytest.mark.parametrize(
    ("operation", "field"),
    [("get_list_target_groups", "filling_strategy"), ("get_target_group_allocation_specification", None)],
)
def test_a_refused_read_of_a_witness_blocks_by_name(operation: str, field: str | None) -> None:
    with opened("uploaded", with_journal=True) as (client, wave):
        client.sandbox.faults.arm(f"404@{operation}*always")
        if field is None:  # the draft shows it, so the second read is not needed
            wave.launch(budget=BUDGET)
            return
        assert [finding.evidence for finding in _blocking(wave, ())] == [field]
        wave.launch(budget=BUDGET, unverified=[field])


SHOWN: dict[str, Any] = {
    "open_exchange_allocations": {
        "exchange_min_percentage": 10,
        "exchange_max_percentage": 90,
        "blocked_suppliers": [{"id": 201, "name": "One", "completes": 3}],
        "exchange_suppliers": [{"id": 202, "name": "Two"}],
        "groups": [
            {"group_id": "a", "group_name": "A", "min_percentage": 1, "max_percentage": 9, "suppliers": [{"id": 203}]}
        ],
    },
    "private_exchange_allocations": {
        "blocked_suppliers": [{"id": 301}],
        "groups": [{"group_name": "P", "min_percentage": 0, "max_percentage": 5, "supplier": {"id": 302}}],
    },
}


def test_allocations_are_the_same_in_the_form_that_is_shown_and_the_one_that_is_written() -> None:
    written = writable_allocations(SHOWN)
    assert has_allocations({"allocations": SHOWN}, written)
    assert written["private_exchange_allocations"]["groups"][0]["supplier_id"] == "302"
    for part, name in (("open", "groups"), ("private", "groups"), ("open", "blocked_suppliers")):
        other = copy.deepcopy(SHOWN)
        other[f"{part}_exchange_allocations"][name] = []
        assert not has_allocations({"allocations": other}, written)
    more = copy.deepcopy(SHOWN)
    more["open_exchange_allocations"]["exchange_suppliers"] = []  # who exists is nobody's decision
    assert has_allocations({"allocations": more}, written)


@pytest.mark.sampled(every=5)
@pytest.mark.parametrize("field", [each for each in BEARING if each != "completes_goal"])
@pytest.mark.parametrize("first", ["update", "lower_goal"])
def test_what_was_kept_once_is_kept_again_by_the_same_cell(field: DraftField, first: str) -> None:
    with opened("uploaded", with_journal=True) as (client, wave):
        plan = wave.plan
        client.sandbox.inject("field-edited", "now", field)
        edited = read_truth(client.sandbox).groups[0]

        def as_edited() -> bool:
            now = read_truth(client.sandbox).groups[0]
            values = [normalised(witness, get_field(each.draft, witness.field)) for each in (now, edited)]
            return values[0] == values[1] and now.strategy == edited.strategy

        path = ".".join(DRAFT_EDITS[field].path)
        # The strategy stands beside the draft, and is compared there.
        shown = "locale" if field == "filling_strategy" else path
        witness = next(each for each in WITNESSES if each.field == shown)

        if first == "update":
            assert wave.update(plan)
        else:
            wave.lower_goal(5)
        assert as_edited()
        again = client.wave(wave.name, project="Brand tracker", respondents=wave.respondents, plan=plan)
        _blocking(again, ())  # of the plan in the cell it differs still
        again.update(again.plan)
        assert as_edited()


@pytest.mark.parametrize("with_journal", [True, False])
def test_a_replay_does_not_take_the_survey_addresses_that_a_recording_blanks_for_a_colleagues(
    tmp_path: Path, with_journal: bool
) -> None:
    file = tmp_path / "updates.jsonl"

    def updates(client: Client) -> tuple[str, ...]:
        plan = make_plan(client.clock.now(), completes_goal=20)
        wave = client.wave("Tracker, wave 3", project="Brand tracker", respondents=people(), plan=plan)
        wave.create()
        if not with_journal:
            other = Client(JournaledClient(client.http))
            wave = other.wave(wave.name, project="Brand tracker", respondents=people(), plan=plan)
            with pytest.warns(CintWarning, match="was found on the exchange"):
                wave.create()
        return wave.update(plan)

    with open_client("sandbox", record=file) as client:
        recorded = updates(client)
    with open_client("replay", recording=file) as client:
        assert updates(client) == recorded == ()
