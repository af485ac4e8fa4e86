"""Served: the same app over HTTP, its control API and page, its host guard, and connections that really break."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn

from cint_nb.sandbox import clock as clock_module
from cint_nb.sandbox import server
from cint_nb.sandbox.clock import RemoteClock
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.server import ServedSandbox
from cint_nb.sandbox.world.entities import Job
from tests.support.sandbox_client import RawClient

CREDENTIALS = {"client_id": "sandbox", "client_secret": "sandbox", "grant_type": "client_credentials"}


@pytest.fixture
def served() -> Iterator[ServedSandbox]:
    with ServedSandbox(Sandbox(seed=1)) as served:
        yield served


@pytest.fixture
def http(served: ServedSandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.base_url, trust_env=False) as http:
        token = http.post(served.token_url, json=CREDENTIALS).json()["access_token"]
        http.headers.update({"Authorization": f"Bearer {token}", "Cint-API-Version": "2025-12-18"})
        yield http


def test_it_answers_over_http_as_in_process(http: httpx.Client, raw_client: RawClient) -> None:
    for path in ("/accounts", "/locales", "/study-types", "/demand/allocation-templates", "/nowhere"):
        there, here = http.get(path), raw_client.get(path)
        assert there.status_code == here.status_code
        if there.is_success:
            assert there.json() == here.json()
    assert "server" not in http.get("/accounts").headers


def test_it_describes_itself(served: ServedSandbox, http: httpx.Client) -> None:
    document = http.get(f"{served.url}/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert len(document["paths"]) > 50


@pytest.mark.thorough
def test_its_description_is_valid(served: ServedSandbox, http: httpx.Client) -> None:
    from openapi_spec_validator import validate

    validate(http.get(f"{served.url}/openapi.json").json())


@pytest.mark.parametrize("name", ["drop-reply", "refuse", "reset"])
def test_a_dropped_connection_truly_breaks(served: ServedSandbox, http: httpx.Client, name: str) -> None:
    served.sandbox.faults.arm(f"{name}@get_locales")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)):
        http.get("/locales")
    assert http.get("/locales").status_code == 200


def test_a_reply_dropped_after_the_deed_leaves_the_deed(served: ServedSandbox, http: httpx.Client) -> None:
    served.sandbox.faults.arm("drop-reply@create_project")
    body = {"name": "Brand tracker", "project_manager_id": "b551326b-ac9d-4d32-8823-4f025787dab9"}
    headers = {"idempotency-key": "one"}
    with pytest.raises(httpx.TransportError):
        http.post("/demand/accounts/101/projects", json=body, headers=headers)
    assert len(served.sandbox.world.projects) == 1
    http.post("/demand/accounts/101/projects", json=body, headers=headers)
    assert len(served.sandbox.world.projects) == 1, "the key makes it the same project"


def test_a_delay_is_real_when_served(served: ServedSandbox, http: httpx.Client) -> None:
    served.sandbox.faults.arm("delay@get_locales=0.3")
    with pytest.raises(httpx.ReadTimeout):
        http.get("/locales", timeout=0.05)


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_foreign_host_names_are_refused(served: ServedSandbox, http: httpx.Client, host: str) -> None:
    assert http.get("/accounts", headers={"Host": host}).status_code in (400, 421)


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("host", ["localhost", "localhost:8640", "127.0.0.1", "[::1]:9", "LOCALHOST"])
def test_names_of_this_machine_are_taken(http: httpx.Client, host: str) -> None:
    assert http.get("/accounts", headers={"Host": host}).status_code == 200


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_requests_of_other_web_sites_are_refused(
    served: ServedSandbox, http: httpx.Client, headers: dict[str, str]
) -> None:
    for path in ("/sandbox/clock/advance", "/sandbox/page/advance", "/sandbox/faults"):
        assert http.post(f"{served.url}{path}", json={"seconds": 60}, headers=headers).status_code == 403
    assert served.sandbox.clock.elapsed == 0


def test_the_control_room_moves_the_clock(served: ServedSandbox, http: httpx.Client) -> None:
    body = http.post(f"{served.url}/sandbox/clock/advance", json={"seconds": 90}).json()
    assert body["t"] == 90
    assert body["now"] == "2026-09-01T08:01:30.000Z"
    assert http.post(f"{served.url}/sandbox/clock/advance", json={"until": 60}).json()["t"] == 90, "never back"
    assert http.get(f"{served.url}/sandbox/clock").json()["speed"] is None


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"seconds": -1}', '{"seconds": "x"}', '{"seconds": NaN}', '{"seconds": 1e99}']
)
def test_a_jump_that_makes_no_sense_is_refused(served: ServedSandbox, http: httpx.Client, body: str) -> None:
    reply = http.post(f"{served.url}/sandbox/clock/advance", content=body)
    assert reply.status_code == 400
    assert served.sandbox.clock.elapsed == 0


def test_the_control_room_arms_and_disarms_faults(served: ServedSandbox, http: httpx.Client) -> None:
    faults = f"{served.url}/sandbox/faults"
    assert http.post(faults, json={"fault": "429@get_locales"}).json()["faults"][0]["left"] == 1
    assert http.get("/locales").status_code == 429
    assert http.get(faults).json()["faults"] == [{"fault": "429@get_locales", "left": 0, "happened": 1}]
    assert http.delete(faults).json() == {"faults": []}
    wrong: list[Any] = [{"fault": "explode@upload"}, {"fault": "429@nowhere"}, {}, []]
    for body in wrong:
        assert http.post(faults, json=body).status_code == 400


def test_the_page_shows_the_world_and_escapes_it(served: ServedSandbox, http: httpx.Client) -> None:
    body = {"name": "<script>alert(1)</script>", "project_manager_id": "b551326b-ac9d-4d32-8823-4f025787dab9"}
    http.post("/demand/accounts/101/projects", json=body, headers={"idempotency-key": "a"})
    served.sandbox.faults.arm("429@list")
    reply = http.get(f"{served.url}/")
    assert reply.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert "<script" not in reply.text
    assert "2026-09-01T08:00:00.000Z" in reply.text
    assert "429@list" in reply.text
    assert not re.search(r"""(src|href)=["']https?:""", reply.text), "nothing is loaded from elsewhere"


def test_a_job_without_a_file_has_an_empty_cell_on_the_page(served: ServedSandbox, http: httpx.Client) -> None:
    served.sandbox.world.jobs["J"] = Job("J", "launch", "P", "G", 0.0, 1.0, "somebody")
    assert http.get(f"{served.url}/sandbox/world").json()["jobs"][0]["file_name"] is None
    assert "None<" not in http.get(f"{served.url}/").text


def test_the_forms_of_the_page_work(served: ServedSandbox, http: httpx.Client) -> None:
    reply = http.post(f"{served.url}/sandbox/page/advance", data={"seconds": "3600"})
    assert (reply.status_code, reply.headers["location"]) == (303, "/")
    assert served.sandbox.clock.elapsed == 3600
    http.post(f"{served.url}/sandbox/page/fault", data={"fault": "503@upload"})
    assert served.sandbox.faults.armed[0].text == "503@upload"
    http.post(f"{served.url}/sandbox/page/fault", data={"clear": "1"})
    assert served.sandbox.faults.armed == []
    problem = http.post(f"{served.url}/sandbox/page/fault", data={"fault": "<b>"}, follow_redirects=True)
    assert 'role="alert"' in problem.text
    assert "<b>" not in problem.text


def test_a_remote_clock_reads_and_moves_the_served_time(served: ServedSandbox) -> None:
    clock = RemoteClock(served.base_url)
    assert clock.now() == served.sandbox.clock.now()
    asyncio.run(clock.sleep(120))
    assert served.sandbox.clock.elapsed == 120
    assert clock.monotonic() == 120
    asyncio.run(clock.jump(30))
    assert clock.now() == served.sandbox.clock.now()


def test_remote_sleepers_share_one_time_line(served: ServedSandbox) -> None:
    async def both() -> None:
        clock = RemoteClock(served.base_url)
        await clock.sleep(0)
        await asyncio.gather(clock.sleep(60), clock.sleep(90), clock.sleep(30))

    asyncio.run(both())
    assert served.sandbox.clock.elapsed == 90


def test_a_running_clock_is_awaited_not_moved() -> None:
    with ServedSandbox(Sandbox(speed=1_000)) as served:
        clock = RemoteClock(served.base_url)
        begun = clock.now()
        asyncio.run(clock.sleep(50))
        assert 50 <= (clock.now() - begun).total_seconds() < 20_000


def test_who_waits_for_a_running_clock_sees_that_it_was_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_module, "_REREAD_SECONDS", 0.1)
    with ServedSandbox(Sandbox(speed=1)) as served:
        clock = RemoteClock(served.base_url)
        clock.now()

        async def wait_while_the_page_moves_it() -> None:
            waiting = asyncio.create_task(clock.sleep(86_400))
            await asyncio.sleep(0)
            form = {"seconds": "90000"}
            async with httpx.AsyncClient(trust_env=False) as page:
                await page.post(f"{served.url}/sandbox/page/advance", data=form)
            await asyncio.wait_for(waiting, 20)

        asyncio.run(wait_while_the_page_moves_it())


def test_a_running_clock_jumps_when_it_is_told_to() -> None:
    with ServedSandbox(Sandbox(speed=1)) as served:
        clock = RemoteClock(served.base_url)
        asyncio.run(clock.jump(7 * 86_400))
        assert 7 * 86_400 <= served.sandbox.clock.elapsed < 7 * 86_400 + 600


def test_a_taken_port_is_refused_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match=r"in use|permitted"):
            ServedSandbox(port=taken.getsockname()[1])


def test_serving_beyond_this_machine_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []

    async def nothing(_self: uvicorn.Server, sockets: list[socket.socket]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(uvicorn.Server, "serve", nothing)
    server.serve(host="0.0.0.0", port=0, echo=lines.append)  # noqa: S104 - what is warned of
    assert [line.split()[0] for line in lines] == ["sandbox", "warning:"]
    assert "other machines" in lines[1]
    lines.clear()
    server.serve(port=0, echo=lines.append)
    assert [line.split()[0] for line in lines] == ["sandbox"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "60 times real time, a minute each second"),
        ({"speed": 3_600.0}, "3,600 times real time, an hour each second"),
        ({"speed": 7.5}, "7.5 times real time"),
        ({"speed": None}, "the clock stands until it is moved"),
        ({"students": 3}, "60 times real time, a minute each second"),
    ],
)
def test_the_first_line_says_how_time_passes(
    monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], says: str
) -> None:
    lines: list[str] = []

    async def nothing(_self: uvicorn.Server, sockets: list[socket.socket]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(uvicorn.Server, "serve", nothing)
    server.serve(port=0, echo=lines.append, **arguments)
    assert f"· {says} ·" in lines[0]


def test_what_was_accepted_comes_to_be_by_itself_while_the_clock_runs() -> None:
    with (
        ServedSandbox(Sandbox(speed=3_000)) as served,
        httpx.Client(base_url=served.base_url, trust_env=False) as http,
    ):
        token = http.post(served.token_url, json=CREDENTIALS).json()["access_token"]
        http.headers.update({"Authorization": f"Bearer {token}", "Cint-API-Version": "2025-12-18"})
        body = {"name": "Brand tracker", "project_manager_id": "b551326b-ac9d-4d32-8823-4f025787dab9"}
        made = http.post("/demand/accounts/101/projects", json=body, headers={"idempotency-key": "one"}).json()["id"]
        seen = [http.get(f"/demand/accounts/101/projects/{made}").status_code for _ in range(30)]
        assert seen[-1] == 200, "nobody has moved the clock"


def test_a_served_sandbox_lives_unless_it_is_given() -> None:
    with ServedSandbox() as served:
        assert served.sandbox.clock.speed == 60


def test_bodies_larger_than_any_file_are_not_kept(http: httpx.Client) -> None:
    reply = http.post("/demand/accounts/101/projects", content=b"x" * 6_000_000, headers={"idempotency-key": "a"})
    assert reply.status_code == 413


def test_the_world_is_told_without_respondent_ids(
    served: ServedSandbox, http: httpx.Client, raw_client: RawClient
) -> None:
    body = json.dumps(http.get(f"{served.url}/sandbox/world").json())
    assert "target_groups" in body


def test_in_a_browser_nothing_can_be_served_and_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "SO_REUSEADDR")
    with pytest.raises(OSError, match="in a browser cannot listen on a port"):
        ServedSandbox(Sandbox(seed=1))
