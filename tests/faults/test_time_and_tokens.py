"""Clocks that jump, laptops that sleep and tokens that end, at any moment of a wave."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from cint_nb.domain.errors import BadRequest, PreflightBlocked
from cint_nb.sandbox.clock import SandboxClock
from cint_nb.sandbox.faults import Fault
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.study.files.respondents import Respondents
from cint_nb.wave.client import Client
from cint_nb.wave.journaled_client import JournaledClient
from cint_nb.wire.http import Http
from cint_nb.wire.settings import Settings
from cint_nb.wire.token_factory import SeededTokenFactory
from tests.faults.matrix_cells import STEPS, WaveRun, run_wave
from tests.faults.usage_modes import WAYS
from tests.support.sampling import is_everyday

Noted = Callable[[str, str, str, str], None]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class SuspendedClock:
    """The clock of a computer: its wall clock may jump, its monotonic clock may stop while it sleeps."""

    def __init__(self, exchange: SandboxClock) -> None:
        self.exchange = exchange
        self.ahead = timedelta()
        self.slept = 0.0

    def now(self) -> datetime:
        return self.exchange.now() + self.ahead

    def monotonic(self) -> float:
        return self.exchange.monotonic() - self.slept

    async def sleep(self, seconds: float) -> None:
        await self.exchange.sleep(seconds)


def client_with_own_clock() -> tuple[Client, SuspendedClock]:
    sandbox = Sandbox(seed=1)
    clock = SuspendedClock(sandbox.clock)
    settings = Settings.load("sandbox", environ={})
    http = Http(settings, transport=sandbox.transport(), clock=clock, token_factory=SeededTokenFactory("1"))
    return Client(JournaledClient(http, sandbox=sandbox)), clock


def at_first(session: Client, step: str, happens: Callable[[int], None]) -> None:
    """Call `happens` at the first request of a step and at each later request, with its number."""
    faults = session.sandbox.faults
    trigger, requests = faults.trigger, list[int]()

    def triggered(names: tuple[str, ...]) -> list[Fault]:
        if step in names or requests:
            requests.append(1)
            happens(len(requests))
        return trigger(names)

    faults.trigger = triggered  # type: ignore[method-assign]


@pytest.fixture(scope="module")
def undisturbed(people: Respondents) -> dict[str, WaveRun]:
    return {way: run_wave(people, way) for way in WAYS}


def way_at(step: str) -> str:
    return list(WAYS)[list(STEPS).index(step) % len(WAYS)]


def assert_alike(run: WaveRun, without: WaveRun, where: str) -> None:
    assert (run.outcome, run.saved, run.objects) == (without.outcome, without.saved, without.objects), where
    for stop in run.stops:  # who sleeps over the start of fielding before there is a draft must plan it anew
        if isinstance(stop, PreflightBlocked):  # seen before anything was sent
            assert stop.evidence["rules"] == "dates", where
            assert "start in the past" in str(stop), where
        else:
            assert isinstance(stop, BadRequest), where
            assert [name for name, _ in stop.invalid_params] == ["start_at"], where


@pytest.mark.sampled(every=1, deeper=True)
@pytest.mark.parametrize("fault", ["401", "expired-token"])
def test_a_token_may_end_at_any_request(
    people: Respondents,
    undisturbed: dict[str, WaveRun],
    noted: Noted,
    pytestconfig: pytest.Config,
    fault: str,
) -> None:
    """Each request of each way meets one of the two; in the matrix each step of each way meets both."""
    every = not is_everyday(pytestconfig)
    for way in WAYS if every else ["awaited"]:
        without = undisturbed[way]
        asked = [number for number, step in enumerate(without.asked) if step != "token"]
        apart = 2 if every else 20
        for number in asked[apart // 2 * (fault == "401") :: apart]:
            run = run_wave(people, way, [f"{fault}@any+{number}"])
            assert_alike(run, without, f"{fault} at request {number}, {without.asked[number]}, {way}")
            assert len(run.asked) == len(without.asked) + 2  # a new token, and the request once more
    noted("other", "expiry", "", "")


@pytest.mark.sampled(every=46)
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("jump", [HOUR, -HOUR, 2 * DAY, -2 * DAY, None], ids=str)
def test_a_clock_may_jump_at_any_step(
    people: Respondents, undisturbed: dict[str, WaveRun], noted: Noted, step: str, jump: timedelta | None
) -> None:
    session, clock = client_with_own_clock()

    def happens(number: int) -> None:
        clock.ahead = (DAY if number % 2 else -DAY) if jump is None else jump

    at_first(session, step, happens)
    way = way_at(step)
    assert_alike(run_wave(people, way, client=session), undisturbed[way], f"{jump} at {step}, {way}")
    noted("other", "jumps", "", "")


@pytest.mark.sampled(every=46)
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("standing", [True, False], ids=["its seconds stand still", "its seconds go on"])
@pytest.mark.parametrize("hours", [8, 72])
def test_a_laptop_may_sleep_at_any_step(
    people: Respondents,
    undisturbed: dict[str, WaveRun],
    noted: Noted,
    step: str,
    hours: int,
    standing: bool,
) -> None:
    session, clock = client_with_own_clock()

    def happens(number: int) -> None:
        if number == 1:
            clock.exchange.advance(hours * 3600.0)
            clock.slept = hours * 3600.0 if standing else 0.0

    at_first(session, step, happens)
    way = way_at(step)
    assert_alike(run_wave(people, way, client=session), undisturbed[way], f"{hours} h at {step}, {way}")
    noted("other", "sleep", "", "")
