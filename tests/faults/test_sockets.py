"""The same over real sockets: a proxy on this machine damages one exchange at one byte, and the wave ends as ever.

`nox -s faults` damages each exchange in every way at every byte position. Plain `pytest` lets each damage at each
position strike one exchange, and cuts, holds and doubles the upload wherever that can be done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.study.files.respondents import Respondents
from cint_nb.wave.client import Client
from cint_nb.wire.http import Http
from cint_nb.wire.settings import Settings
from tests.faults.matrix_cells import WaveRun, run_wave
from tests.faults.proxied_sandbox import WOUNDED, ProxiedSandbox, run_damaged, wounds
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
    if "wound" not in metafunc.fixturenames:
        return
    every, ways, others = metafunc.config.getoption("every_way", default=False), list(WAYS), list(WOUNDED)
    rows, columns = list(DAMAGES), list(POSITIONS)
    wounded = [
        (request, damage, position, ways[turn % 3])
        for number, request in enumerate(others)
        for damage, position in wounds(request)
        if (turn := rows.index(damage) + columns.index(position)) % len(others) == number
        or (request == "the upload" and damage in ("cut", "delay", "twice-last"))
        or every
    ]
    names = [f"{request}: {damage} {POSITIONS[position]}" for request, damage, position, _ in wounded]
    metafunc.parametrize("wound", wounded, ids=names)


def warnings_of_the_next_look(sandbox: Sandbox) -> list[str]:
    """Look for the draft by its reference, as a wave does that is begun again without its journal."""
    settings = Settings.load("sandbox", environ={})
    group = next(iter(sandbox.world.groups.values()))
    reference = group.body["target_group_customer_reference_number"]
    assert reference is not None
    with Client(Http(settings, transport=sandbox.transport(), clock=sandbox.clock)) as client:
        assert client.run(client.target_groups.find(group.project_id, reference)) is not None
        return client.http.warnings


def test_a_damaged_exchange_changes_nothing_that_counts(
    proxied: ProxiedSandbox,
    people: Respondents,
    undisturbed: WaveRun,
    noted: Callable[[str, str, str, str], None],
    wound: tuple[str, str, str, str],
) -> None:
    request, damage, position, way = wound
    run, session = run_damaged(proxied, people, way, request, damage, position)
    assert run.fired == 1
    assert run.outcome == undisturbed.outcome
    assert run.saved == undisturbed.saved
    assert all(error.next_step for error in run.stops)
    doubled = (request, damage) in TWO_DRAFTS
    assert run.objects == undisturbed.objects | ({"groups": 2} if doubled else {})
    if doubled:
        groups = sorted(session.sandbox.world.groups.values(), key=lambda group: group.status)
        assert [(group.status, len(group.saved)) for group in groups] == [("completed", 0), ("draft", 0)]
        assert groups[1].run is None
        assert any("2 target groups carry the reference" in text for text in warnings_of_the_next_look(session.sandbox))
    noted(request, damage, position, run.ending)
