"""The served sandbox refuses other web sites and other names, and slow clients do not keep it from the rest.

Names and sites are distinguished in `tests/sandbox/test_served.py`; every request its description allows is sent
by schemathesis in `tests/sandbox/test_schemathesis.py`. Here are whole addresses, and clients that dawdle.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator

import httpx
import pytest

from cint_nb.sandbox.http.app import build_app
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.server import ServedSandbox
from tests.support.waiting import wait_for

HEAD = b"POST /v1/demand/accounts/101/projects HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n"
PATHS = ("/", "/openapi.json", "/sandbox/clock", "/sandbox/world", "/sandbox/faults", "/v1/accounts", "/oauth/token")


@pytest.fixture
def impatient() -> Iterator[ServedSandbox]:
    """Serve to those only who are to be given up on: where the machine is busy, others would be too."""
    with ServedSandbox(Sandbox(seed=1), request_timeout=0.1) as served:
        yield served


@pytest.fixture
def patient() -> Iterator[ServedSandbox]:
    with ServedSandbox(Sandbox(seed=1), request_timeout=3_600, max_connections=40) as served:
        yield served


@pytest.fixture
def dial() -> Iterator[Callable[[ServedSandbox], socket.socket]]:
    """Open a bare connection."""
    with contextlib.ExitStack() as stack:

        def connect(served: ServedSandbox) -> socket.socket:
            address = served.url.removeprefix("http://").split(":")
            line = stack.enter_context(socket.create_connection((address[0], int(address[1])), timeout=30))
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return line

        yield connect


def is_over(line: socket.socket) -> bool:
    """Wait until the other side has ended the connection."""
    with contextlib.suppress(ConnectionError):
        while line.recv(10_000):
            pass
    return True


# One client for all: making one costs more than what it asks here.
_other = httpx.Client(trust_env=False, timeout=30, headers={"Connection": "close"})


def answers(served: ServedSandbox) -> bool:
    """Ask as another client does, over a connection of its own."""
    return _other.get(f"{served.url}/sandbox/clock").status_code == 200


# Slow clients


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize(
    "sent", [b"", b"G", b"GET / HTTP/1.1\r\n", HEAD, HEAD + b"\r\n", HEAD + b"\r\n" + b"x" * 10], ids=repr
)
def test_a_request_that_never_arrives_is_given_up_on(
    impatient: ServedSandbox, dial: Callable[[ServedSandbox], socket.socket], sent: bytes
) -> None:
    line = dial(impatient)
    line.sendall(sent)
    assert is_over(line)
    wait_for(lambda: not impatient.connections.open)


def test_a_trickle_buys_no_time_and_others_are_served_meanwhile(
    patient: ServedSandbox, dial: Callable[[ServedSandbox], socket.socket]
) -> None:
    line, waited_for = dial(patient), patient.connections.awaiting_request
    wait_for(lambda: len(waited_for) == 1)
    (transport, timer), *_ = waited_for.items()
    for byte in HEAD + b"\r\n" + b"x" * 20:
        line.sendall(bytes([byte]))
    for _ in range(5):
        line.sendall(b"x")
        assert answers(patient)
        assert waited_for[transport] is timer


def test_a_request_is_waited_for_until_it_has_arrived_and_the_next_one_again(
    patient: ServedSandbox, dial: Callable[[ServedSandbox], socket.socket]
) -> None:
    line, waited_for = dial(patient), patient.connections.awaiting_request
    wait_for(lambda: len(waited_for) == 1)
    line.sendall(b"GET /sandbox/clock HTTP/1.1\r\nHost: localhost\r\n\r\n")
    wait_for(lambda: len(waited_for) == 0)
    assert line.recv(10_000).startswith(b"HTTP/1.1 200")
    line.sendall(b"GET /sandbox/clo")
    wait_for(lambda: len(waited_for) == 1)


def test_many_slow_clients_do_not_keep_another_from_being_served(
    patient: ServedSandbox, dial: Callable[[ServedSandbox], socket.socket]
) -> None:
    """More of them than connections allowed, none of which will ever finish: the longest waiting make room."""
    slow = [dial(patient) for _ in range(100)]
    for line in slow:
        with contextlib.suppress(ConnectionError):
            line.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
    for _ in range(20):
        assert answers(patient)
    assert len(patient.connections.open) <= 40
    assert is_over(slow[0])


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize(
    "said",
    [b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 50_000, b"A" * 200_000, b"\x16\x03\x01\x02\x00\x01\x00", b"\x00" * 1_000,
     b"GET / HTTP/1.1\r\nHost: a\r\nHost: localhost\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
     b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc"],
    ids=["a head without end", "no line end", "TLS", "zeros", "two hosts", "negative", "two lengths"],
)  # fmt: skip
def test_what_is_no_request_is_refused_and_the_sandbox_lives(
    patient: ServedSandbox, dial: Callable[[ServedSandbox], socket.socket], said: bytes
) -> None:
    line = dial(patient)
    with contextlib.suppress(ConnectionError):
        line.sendall(said)
        first = line.recv(1_000)
        assert first == b"" or first.split(b" ")[1] in (b"400", b"405", b"413", b"421", b"431")
    assert answers(patient)


# Other web sites, other names


@pytest.mark.sampled
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example"},
        {"Host": "rebound.example:{port}"},
        {"Host": "localhost.rebound.example:{port}"},
        {"Host": "127.0.0.1.nip.io:{port}"},
        {"Host": "169.254.169.254"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1.evil.example:{port}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_no_address_of_the_sandbox_answers_another_web_site_or_another_name(
    patient_forever: ServedSandbox, path: str, headers: dict[str, str]
) -> None:
    port = patient_forever.url.rpartition(":")[2]
    given = {name: value.replace("{port}", port) for name, value in headers.items()}
    for method in ("GET", "POST", "OPTIONS"):
        reply = _other.request(method, f"{patient_forever.url}{path}", headers=given, content=b"{}")
        assert reply.status_code in (403, 421)
        assert not {name for name in reply.headers if name.startswith("access-control-")}
        assert "sandbox." not in reply.text.replace("this sandbox", "")
    assert patient_forever.sandbox.clock.elapsed == 0


@pytest.fixture(scope="module")
def patient_forever() -> Iterator[ServedSandbox]:
    with ServedSandbox(Sandbox(seed=1)) as served:
        yield served


def test_the_page_itself_may_send_its_forms(patient_forever: ServedSandbox) -> None:
    reply = _other.post(
        f"{patient_forever.url}/sandbox/page/fault",
        data={"clear": "1"},
        headers={"Origin": patient_forever.url, "Sec-Fetch-Site": "same-origin"},
    )
    assert reply.status_code == 303


def test_the_gate_stands_before_everything() -> None:
    """It is the outermost part of the app, so that no address can be added behind its back."""
    app = build_app(Sandbox(seed=1))
    assert [getattr(each.cls, "__name__", "") for each in app.user_middleware] == ["HostGuard"]
