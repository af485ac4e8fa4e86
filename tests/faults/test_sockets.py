"""The same over real sockets: a proxy on this machine damages one exchange at one byte, and the wave ends as ever.

`nox -s faults` damages each exchange in every way at every byte position. Plain `pytest` has each exchange, each damage
and each position at least once.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import pytest

from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.study.files.respondents import Respondents
from cint_nb.wave.client import Client
from cint_nb.wave.journaled_client import JournaledClient
from cint_nb.wire.http import Http
from cint_nb.wire.settings import Settings
from tests.faults.matrix_cells import WaveRun, run_wave
from tests.faults.proxied_sandbox import DAMAGED_REQUESTS, ProxiedSandbox, damages_of, run_damaged
from tests.faults.proxy import DAMAGES, POSITIONS
from tests.faults.usage_modes import WAYS

TWO_DRAFTS = {("the draft", "twice"), ("the draft", "twice-last")}


@pytest.fixture(scope="module")
def proxied() -> Iterator[ProxiedSandbox]:
    proxied = ProxiedSandbox()
    with proxied.served:
        yield proxied


@pytest.fixture(scope="module")
def undisturbed(people: Respondents) -> WaveRun:
    return run_wave(people, "awaited")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "damage" not in metafunc.fixturenames:
        return
    ways, rows, columns = list(WAYS), list(DAMAGES), list(POSITIONS)
    cases = [
        (message, damage, position, ways[(rows.index(damage) + columns.index(position)) % 3])
        for message in DAMAGED_REQUESTS
        for damage, position in damages_of(message)
    ]
    names = [f"{message}: {damage} {POSITIONS[position]}" for message, damage, position, _ in cases]
    metafunc.parametrize(("message", "damage", "position", "way"), cases, ids=names)


def warnings_of_next_search(sandbox: Sandbox) -> list[str]:
    """Return the warnings of finding the draft by its reference, as a wave started without its journal does."""
    settings = Settings.load("sandbox", environ={})
    group = next(iter(sandbox.world.groups.values()))
    reference = group.body["target_group_customer_reference_number"]
    assert reference is not None
    http = Http(settings, transport=sandbox.transport(), clock=sandbox.clock)
    with Client(JournaledClient(http)) as client:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert client.target_groups.find(group.project_id, reference) is not None
        return [str(warning.message) for warning in caught]


@pytest.mark.sampled(every=76)
def test_a_damaged_exchange_changes_nothing_that_counts(
    proxied: ProxiedSandbox,
    people: Respondents,
    undisturbed: WaveRun,
    noted: Callable[[str, str, str, str], None],
    message: str,
    damage: str,
    position: str,
    way: str,
) -> None:
    run, session = run_damaged(proxied, people, way, message, damage, position)
    assert run.fired == 1
    assert run.outcome == undisturbed.outcome
    assert run.saved == undisturbed.saved
    assert all(error.next_step for error in run.stops)
    doubled = (message, damage) in TWO_DRAFTS
    assert run.objects == undisturbed.objects | ({"groups": 2} if doubled else {})
    if doubled:
        groups = sorted(session.sandbox.world.groups.values(), key=lambda group: group.status)
        assert [(group.status, len(group.saved)) for group in groups] == [("completed", 0), ("draft", 0)]
        assert groups[1].run is None
        assert any("has 2 target groups" in text for text in warnings_of_next_search(session.sandbox))
    noted(message, damage, position, run.ending)
