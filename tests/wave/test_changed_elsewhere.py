"""Whatever somebody else has changed: every verb says what is so, does what still makes sense, and refuses the rest.

A cell is a change, a verb, what happened before, and whether the journal is still there. The world is read directly and
judged by rules, not by expectations of single cells. Plain `pytest` runs each sixth change with each sixth verb, at
stages in turn; `nox -s faults` runs all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from cint_nb.domain.errors import InvalidState
from cint_nb.domain.findings import Findings
from cint_nb.sandbox.faults import CHANGE_NAMES
from cint_nb.wave.wave import Wave
from tests.faults import report
from tests.support.changed_elsewhere import (
    CHANGE_ROWS,
    NOTHING,
    STAGES,
    VERBS,
    Cell,
    End,
    may_happen,
    opened,
    read_truth,
    run_cell,
)
from tests.support.changed_elsewhere_rules import must_succeed, violations
from tests.support.sampling import is_everyday

Noted = Callable[[str, str, str, str], None]
LEGAL = {
    "new": "create check",
    "drafted": "create check upload status update remove",
    "uploaded": "create check upload outcome resubmit status lower_goal update launch remove",
    "live": "create check upload outcome resubmit launch status pause resume close raise_goal set_price extend",
    "paused": "create check upload outcome resubmit status pause resume raise_goal set_price extend",
    "completed": "create check upload outcome resubmit status close relaunch remove",
}
"""Which verbs make sense at each stage when nothing has been changed."""
JOURNALS = (True, False)


@cache
def control(verb: str, stage: str, with_journal: bool) -> End:
    end = run_cell(Cell(NOTHING, verb, stage, with_journal))
    assert end is not None
    return end


def judge(cell: Cell) -> list[str] | None:
    """Return what is wrong in a cell; None if its change cannot happen there."""
    end = run_cell(cell)
    return None if end is None else wrong_in(end)


def wrong_in(end: End) -> list[str]:
    return [f"{end.cell}: {broken}" for broken in violations(end, without(end))]


def without(end: End) -> End:
    """Return the end of the same cell with nothing changed."""
    return control(end.cell.verb, end.cell.stage, end.cell.with_journal)


def refusals(ends: list[End]) -> str:
    """Return the errors with which a verb refused where it would have succeeded, as the report writes them."""
    return " ".join(sorted({type(end.error).__name__ for end in ends if end.error and not without(end).error}))


@cache
def possible_stages(change: str) -> tuple[str, ...]:
    return tuple(stage for stage in STAGES if may_happen(change, stage))


def cells_of(change: str, *, every: bool) -> list[Cell]:
    """Return the cells of a change: all of them, or one for every sixth verb, the stages and journals in turn."""
    stages, row = possible_stages(change), CHANGE_ROWS.index(change)
    if every:
        return [Cell(change, verb, stage, known) for verb in VERBS for stage in stages for known in JOURNALS]
    return [
        Cell(change, verb, stages[(row + column) % len(stages)], (row + column // len(stages)) % 2 == 0)
        for column, verb in enumerate(VERBS)
        if (row + column) % 6 == 0
    ]


def test_every_change_of_the_sandbox_is_a_row_and_can_happen() -> None:
    assert {row.partition(":")[0] for row in CHANGE_ROWS} == set(CHANGE_NAMES)
    assert [change for change in CHANGE_ROWS if not any(may_happen(change, stage) for stage in STAGES)] == []


@pytest.mark.sampled(every=10, deeper=True)
@pytest.mark.parametrize("change", CHANGE_ROWS)
def test_every_verb_says_and_does_what_is_so(
    change: str,
    pytestconfig: pytest.Config,
    record_property: Callable[[str, object], None],
    noted: Noted,
    committed: report.Cells,
) -> None:
    every = not is_everyday(pytestconfig)
    cells = cells_of(change, every=every)
    ends = [end for cell in cells if (end := run_cell(cell)) is not None]
    record_property("cells", len(ends))
    record_property("skipped", len(cells) - len(ends))
    assert [broken for end in ends for broken in wrong_in(end)] == []
    for known, table in zip(JOURNALS, report.CHANGED, strict=True):
        for verb in VERBS:
            of_cell = [end for end in ends if (end.cell.verb, end.cell.with_journal) == (verb, known)]
            if of_cell and every:
                noted(table, change, verb, refusals(of_cell))
            elif of_cell:
                refused = report.letters(refusals(of_cell))
                assert refused in (report.FINE, *committed[table, change, verb].split()), (
                    "run `nox -s faults -- --report`"
                )


@pytest.mark.sampled(every=4)
@pytest.mark.parametrize("with_journal", JOURNALS)
@pytest.mark.parametrize("stage", STAGES)
def test_where_nothing_was_changed_each_verb_that_makes_sense_succeeds_without_a_warning(
    stage: str, with_journal: bool
) -> None:
    legal = set()
    for verb in VERBS:
        end = control(verb, stage, with_journal)
        assert list(violations(end, end)) == []
        if must_succeed(end.cell, end.before):
            legal.add(verb)
    assert legal == set(LEGAL[stage].split())


def test_reading_verbs_change_nothing() -> None:
    for stage in STAGES:
        for verb in ("check", "outcome", "status"):
            end = control(verb, stage, True)
            assert end.before == end.after


# --- the rules find what is wrong ------------------------------------------------------------------------------------

EFFECTIVE = {
    "create": "new",
    "check": "drafted",
    "upload": "drafted",
    "outcome": "uploaded",
    "resubmit": "uploaded",
    "lower_goal": "uploaded",
    "update": "uploaded",
    "launch": "uploaded",
    "status": "live",
    "pause": "live",
    "resume": "paused",
    "close": "live",
    "raise_goal": "live",
    "set_price": "live",
    "extend": "live",
    "relaunch": "completed",
    "remove": "uploaded",
}
"""A stage at which each verb has an effect, or something to say."""


def _refusing(verb: str) -> Callable[[Wave], Any]:
    def refuse(_: Wave) -> Any:
        raise InvalidState("The target group was changed elsewhere.", next_step="look at it.")

    return refuse


def _warning(verb: str) -> Callable[[Wave], Any]:
    def warn(wave: Wave) -> Any:
        wave.client.http.warn("Something may have been changed elsewhere.")
        return VERBS[verb](wave)

    return warn


def _claiming(verb: str) -> Callable[[Wave], Any]:
    """Return a verb that says what it says elsewhere, and does nothing."""
    others = {"check": "uploaded", "outcome": "uploaded", "status": "paused", "create": "drafted"}
    if verb == "outcome":
        with opened("uploaded", with_journal=True) as (_, wave):
            wave.resubmit()
            value: Any = wave.outcome
    elif verb == "check":
        value = Findings()
    else:
        value = control(verb, others.get(verb, EFFECTIVE[verb]), True).value
    return lambda _: value


@pytest.mark.sampled(every=6)
@pytest.mark.parametrize("mutant", [_refusing, _warning, _claiming])
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_that_always_refuses_warns_or_says_done_is_found(
    verb: str, mutant: Callable[[str], Callable[[Wave], Any]]
) -> None:
    cell = Cell(NOTHING, verb, EFFECTIVE[verb], with_journal=True)
    end = run_cell(cell, {verb: mutant(verb)})
    assert end is not None
    wrong = list(violations(end, control(verb, cell.stage, True)))
    assert wrong


@pytest.mark.parametrize(
    ("change", "stage"),
    [("field-edited:completes_goal", "uploaded"), ("list-swapped", "uploaded"), ("field-edited:live_url", "uploaded")],
)
def test_a_launch_without_its_guard_is_found(change: str, stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Wave, "_stop_if_blocked", lambda *_: None)
    assert judge(Cell(change, "launch", stage, with_journal=True))


def test_a_removal_from_a_group_in_the_field_is_found() -> None:
    end = run_cell(
        Cell("launched-elsewhere", "remove", "uploaded", with_journal=True),
        {"remove": lambda wave: wave.remove(while_live=True)},
    )
    assert end is not None
    assert any("in the field were removed" in each for each in violations(end, control("remove", "uploaded", True)))


def test_a_copy_of_a_stage_leaves_the_stage_as_it_is() -> None:
    with opened("live", with_journal=True) as (client, wave):
        before = read_truth(client.sandbox)
        wave.close()
        wave.remove()
        assert read_truth(client.sandbox) != before
    with opened("live", with_journal=False) as (client, _):
        assert read_truth(client.sandbox) == before
