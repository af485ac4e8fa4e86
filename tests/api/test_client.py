"""Connecting: which exchange, which clock, which tokens; and nothing happens before the first request."""

from __future__ import annotations

import asyncio
import socket
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from cint_nb.api.client import AsyncClient, build_client
from cint_nb.domain.errors import InputError, LoopError, NotRecorded, NotSent, SettingsError
from cint_nb.sandbox import Missingness, PopulationParameters
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.server import ServedSandbox
from cint_nb.wire import loop_thread
from cint_nb.wire.clock import SystemClock
from cint_nb.wire.token_factory import RandomTokenFactory

MANAGER = "b551326b-ac9d-4d32-8823-4f025787dab9"
LIVE: dict[str, Any] = {"account_id": 7, "client_id": "me", "client_secret": "planted"}


def test_the_sandbox_is_what_one_gets_without_asking() -> None:
    client = build_client()
    assert (client.mode, client.account_id) == ("sandbox", 101)
    assert repr(client) == "<cint_nb client: sandbox · account 101>"


def test_connecting_sends_nothing_and_starts_no_thread() -> None:
    loop_thread.shut_down()
    client = build_client("sandbox")
    assert client.requests_sent == 0
    assert "cint-nb loop" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.usefixtures("without_credentials")
def test_live_is_never_a_fallback_and_names_what_it_needs() -> None:
    with pytest.raises(SettingsError, match="CINT_NB_ACCOUNT_ID, CINT_NB_CLIENT_ID, CINT_NB_CLIENT_SECRET"):
        build_client("live")


def test_live_runs_on_the_systems_time_and_randomness() -> None:
    client = build_client("live", **LIVE)
    assert isinstance(client.clock, SystemClock)
    assert isinstance(client.token_factory, RandomTokenFactory)
    assert len({client.durations.jitter() for _ in range(5)}) > 1
    assert "planted" not in repr(client) + repr(client.http.settings)


def test_time_passes_in_the_sandbox_and_not_on_the_live_exchange() -> None:
    client = build_client("sandbox")
    before = client.clock.now()
    client.pass_time(days=1, hours=2, minutes=3)
    assert (client.clock.now() - before).total_seconds() == 86_400 + 7_200 + 180
    with pytest.raises(SettingsError, match="sandbox"):
        build_client("live", **LIVE).pass_time(days=1)


def test_the_same_seed_gives_the_same_world() -> None:
    def first_project(seed: int) -> str:
        with build_client("sandbox", seed=seed) as client:
            return client.run(client.projects.create("A project", MANAGER)).id

    assert first_project(3) == first_project(3) != first_project(4)


def test_the_environment_chooses_the_world_where_no_seed_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINT_NB_SEED", "3")
    assert build_client("sandbox").sandbox.seed == 3
    assert build_client("sandbox", seed=4).sandbox.seed == 4


def test_two_sandboxes_of_one_process_are_two_worlds() -> None:
    with build_client("sandbox") as one, build_client("sandbox") as other:
        one.run(one.projects.create("A project", MANAGER))
        assert (len(one.sandbox.world.projects), len(other.sandbox.world.projects)) == (1, 0)


def test_a_closed_client_sends_nothing_more() -> None:
    with build_client("sandbox") as client:
        pass
    client.close()
    with pytest.raises(NotSent, match="closed"):
        client.run(client.definitions.accounts())


def test_a_client_is_an_asynchronous_context_too() -> None:
    async def within() -> int:
        async with build_client("sandbox") as client:
            return len(await client.definitions.accounts())

    assert asyncio.run(within()) > 0


def test_blocking_on_the_loop_thread_is_refused() -> None:
    client = build_client("sandbox")

    async def wrongly() -> None:
        client.run(client.definitions.accounts())

    with pytest.raises(LoopError):
        client.run(wrongly())


def test_plain_code_gets_a_list_of_what_an_iterator_gives() -> None:
    with build_client("sandbox") as client:
        made = {client.run(client.projects.create(f"Project {number}", MANAGER)).id for number in range(12)}
        assert {project.id for project in client.run(client.projects.list())} == made


def test_faults_can_be_ordered() -> None:
    with build_client("sandbox", faults=["503@project=0"]) as client:
        client.run(client.projects.create("A project", MANAGER))
        assert client.sandbox.faults.armed[0].fired == 1


def test_a_client_class_of_ones_own() -> None:
    class Mine(AsyncClient):
        pass

    assert type(build_client("sandbox", cls=Mine)) is Mine


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(SettingsError, match="client_secret"):
        build_client("live", client_secrt="x")


def test_an_httpx_client_of_ones_own_is_used_and_left_open() -> None:
    seen: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["x-mine"])
        return httpx.Response(200, json={"accounts": [{"id": 7}]})

    mine = httpx.AsyncClient(transport=httpx.MockTransport(handle), headers={"x-mine": "yes"})
    with build_client("live", account_id=7, token="planted", http_client=mine) as client:
        assert [account.id for account in client.run(client.definitions.accounts())] == [7]
    assert seen == ["yes"]
    assert not mine.is_closed
    asyncio.run(mine.aclose())


def test_an_httpx_client_of_ones_own_cannot_serve_the_sandbox_in_here() -> None:
    mine = httpx.AsyncClient()
    with pytest.raises(SettingsError, match="custom httpx client"):
        build_client("sandbox", http_client=mine)
    asyncio.run(mine.aclose())


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    path = tmp_path / "recording.jsonl"
    for _ in range(2):
        with build_client("sandbox", record=path, seed=5) as client:
            made = client.run(client.projects.create("A project", MANAGER))
            client.run(client.projects.get(made.id))
    return path


def results_of(client: AsyncClient) -> tuple[str, str, str]:
    made = client.run(client.projects.create("A project", MANAGER))
    return made.id, client.token_factory.token(), client.clock.now().isoformat()


def test_a_replay_meets_the_same_keys_times_and_answers(recorded: Path) -> None:
    with build_client("replay", recording=recorded) as one, build_client("replay", recording=recorded) as other:
        first, second = results_of(one), results_of(other)
        assert first[1] != second[1]  # each connection has a seed of its own, so that keys never meet
        assert repr(one) == "<cint_nb client: replay · account 101>"


def test_a_replay_fails_on_what_was_never_asked(recorded: Path) -> None:
    with build_client("replay", recording=recorded) as client, pytest.raises(NotRecorded, match="cint-nb record"):
        client.run(client.definitions.locales())


def test_time_passes_in_a_replay(recorded: Path) -> None:
    with build_client("replay", recording=recorded) as client:
        before = client.clock.now()
        client.pass_time(hours=1)
        assert (client.clock.now() - before).total_seconds() == 3_600


def test_a_sandbox_that_is_not_there_is_an_error_that_says_how_to_start_one() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # taken and not listened to: whoever connects is refused
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}/v1"
        with (
            build_client("sandbox", base_url=address) as client,
            pytest.raises(NotSent, match="cint-nb sandbox") as caught,
        ):
            client.run(client.definitions.business_units())
    assert caught.value.evidence["variable"] == "CINT_NB_BASE_URL"


def test_a_served_sandbox_is_reached_over_http_on_its_own_time(capsys: pytest.CaptureFixture[str]) -> None:
    with ServedSandbox(Sandbox()) as served, build_client("sandbox", base_url=served.base_url) as client:
        made = client.run(client.projects.create("A project", MANAGER))
        before = client.clock.now()
        client.pass_time(days=1)
        assert (client.clock.now() - before).total_seconds() == 86_400
        assert client.run(client.projects.get(made.id)).name == "A project"
        assert isinstance(client.token_factory, RandomTokenFactory)
        assert capsys.readouterr().out == "", "a standing clock is nobody else's concern"


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize(
    ("span", "words"),
    [
        ({"days": 7}, "7 days"),
        ({"hours": 1}, "1 hour"),
        ({"days": 1, "hours": 12}, "1.5 days"),
        ({"minutes": 90}, "1.5 hours"),
    ],
)
def test_passing_time_moves_a_clock_that_runs_and_says_so(
    span: dict[str, float], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with ServedSandbox(Sandbox(speed=1)) as served, build_client("sandbox", base_url=served.base_url) as client:
        before = client.clock.now()
        client.pass_time(**span)
        seconds = timedelta(**span).total_seconds()
        assert seconds <= (client.clock.now() - before).total_seconds() < seconds + 600
        assert served.sandbox.clock.elapsed >= seconds
        said = capsys.readouterr().out
        assert f"moved on by {words}" in said
        assert f"{client.clock.now():%Y-%m-%d}" in said


def test_passing_time_moves_a_running_clock_in_this_process_too(capsys: pytest.CaptureFixture[str]) -> None:
    with build_client("sandbox", speed=1) as client:
        before = client.clock.now()
        client.pass_time(days=30)
        assert (client.clock.now() - before).days == 30
    assert "moved on by 30 days" in capsys.readouterr().out


def _renamed(client: AsyncClient, name: str) -> str:
    """Create a project, let somebody else rename it, and return the name it has then."""
    project = client.run(client.projects.create("Injected", MANAGER))
    client.inject("project-renamed", value=name, target=project.id)
    return str(client.run(client.projects.get(project.id)).name)


def test_a_change_elsewhere_is_injected_wherever_the_sandbox_is() -> None:
    with ServedSandbox(Sandbox(seed=1)) as served:
        for client in (build_client("sandbox"), build_client("sandbox", base_url=served.base_url)):
            with client:
                assert _renamed(client, "Renamed elsewhere") == "Renamed elsewhere"
                with pytest.raises(InputError, match="project-renamed"):
                    client.inject("project-renamd")


def test_who_stays_away_is_switched_wherever_the_sandbox_is() -> None:
    with ServedSandbox(Sandbox(seed=1)) as served:
        here = build_client("sandbox")
        for client, sandbox in (
            (here, here.sandbox),
            (build_client("sandbox", base_url=served.base_url), served.sandbox),
        ):
            with client:
                client.switch(Missingness.mar(), PopulationParameters(quality=0.5))
                client.switch(Missingness(by_chance=0.1))
                assert sandbox.world.population.missingness == Missingness(by_chance=0.1)
                assert sandbox.world.population.parameters == PopulationParameters(quality=0.5)


@pytest.mark.usefixtures("without_credentials")
def test_nothing_is_injected_live() -> None:
    client = build_client("live", **LIVE)
    with pytest.raises(SettingsError, match="live"):
        client.inject("goal-raised")
    with pytest.raises(SettingsError, match="live"):
        client.switch(Missingness())


def test_a_replay_shows_what_was_injected_when_it_was_recorded(tmp_path: Path) -> None:
    recording = tmp_path / "recording.jsonl"
    with ServedSandbox(Sandbox(seed=1)) as served:
        recorder = build_client("sandbox", base_url=served.base_url, record=recording)
        assert _renamed(recorder, "Renamed elsewhere") == "Renamed elsewhere"
        recorder.close()
    assert _renamed(build_client("replay", recording=recording), "Renamed elsewhere") == "Renamed elsewhere"
