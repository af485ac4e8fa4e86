"""Whatever breaks at whichever step: a wave ends as it would have, or stops with a next step and ends when run again.

Never two objects, never a lost id, never a partial success shown as a full one. `nox -s faults` runs every fault at
every step in every way of use; plain `pytest` runs each fault, each step and each way at least once.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cint_nb.domain.errors import CintError
from cint_nb.sandbox.faults import FAULT_NAMES
from cint_nb.study.files.respondents import Respondents
from tests.faults.matrix_cells import FAULTS, ONLY_AT, STEPS, WaveRun, applies, is_asked, run_wave
from tests.faults.usage_modes import WAYS

Noted = Callable[[str, str, str, str], None]


@pytest.fixture(scope="module")
def undisturbed(people: Respondents) -> dict[str, WaveRun]:
    return {way: run_wave(people, way) for way in WAYS}


def test_undisturbed_all_ways_end_alike(undisturbed: dict[str, WaveRun]) -> None:
    first = undisturbed["blocking"]
    assert first.objects == {
        "projects": 1, "groups": 1, "runs": 1, "recontact-upload": 2, "launch": 1, "recontact-removal": 1,
    }  # fmt: skip
    for run in undisturbed.values():
        assert (run.outcome, run.saved, run.objects) == (first.outcome, first.saved, first.objects)
        assert run.ending == ""
        assert len(run.saved) > 100


def test_every_request_of_a_wave_is_a_step_of_the_matrix(undisturbed: dict[str, WaveRun]) -> None:
    for way, run in undisturbed.items():
        assert set(run.asked) == {step for step in STEPS if is_asked(step, way)}


def test_every_fault_of_the_sandbox_is_a_row_of_the_matrix() -> None:
    assert set(FAULTS) == set(FAULT_NAMES)
    assert set(ONLY_AT) <= set(FAULTS)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "fault" not in metafunc.fixturenames:
        return
    cells = [(way, fault, step) for way in WAYS for fault in FAULTS for step in STEPS if applies(fault, step, way)]
    names = [f"{fault}: {STEPS[step]}, {way}" for way, fault, step in cells]
    metafunc.parametrize(("way", "fault", "step"), cells, ids=names)


@pytest.mark.sampled(every=140)
def test_one_fault_changes_nothing_that_counts(
    people: Respondents, undisturbed: dict[str, WaveRun], noted: Noted, way: str, fault: str, step: str
) -> None:
    run, without = run_wave(people, way, [f"{fault}@{step}"]), undisturbed[way]
    assert run.fired == 1
    assert run.outcome == without.outcome
    assert run.saved == without.saved
    assert run.objects == without.objects
    for error in run.stops:
        assert isinstance(error, CintError)
        assert error.next_step
    noted(way, fault, step, run.ending)
