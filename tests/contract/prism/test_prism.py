"""The client, unchanged, in live mode against a stock mock server: no request is refused, every reply is read."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

import cint_nb
from cint_nb.api.client import AsyncClient
from cint_nb.api.operations import OPERATIONS
from cint_nb.domain.errors import BadRequest, UnexpectedReply
from tests.contract.example_transport import call_of
from tests.contract.openapi_documents import vendor
from tests.contract.operation_calls import OPERATION_CALLS

PRISM = os.environ.get("CINT_NB_PRISM", "")
START_SECONDS = 60
SAME_CURSOR = "next_cursor was repeated"
"""The mock's lists never end: each page is its example, with the same cursor."""
_LISTS_FIRST = {"reconciliations.submit"}
"""It reads a whole list before it sends, and the mock's lists never end."""
BY_CALL = sorted({name for name, ask in OPERATION_CALLS.items() if ask.scene} | _LISTS_FIRST)
"""Prism knows no state, so that its examples hinder some methods; the request they would send is sent by itself."""
BY_METHOD = sorted(set(OPERATION_CALLS) - set(BY_CALL))
COMPLAINT = '"location":["request'


@dataclass
class Mock:
    """A running mock server.

    Args:
        url: Its URL.
        log: What it writes, its complaints about requests included.
        seen: Method, path, status and complaints of every request that was answered.
    """

    url: str
    log: Path
    seen: list[tuple[str, str, int, str]] = field(default_factory=list)


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mock]:
    folder = tmp_path_factory.mktemp("prism")
    document, log = folder / "repaired.json", folder / "prism.log"
    document.write_text(json.dumps(vendor().only(OPERATIONS.values()), default=str), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [PRISM, "mock", "--host", "127.0.0.1", "--port", str(port), str(document)]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as server:
        try:
            mock = Mock(f"http://127.0.0.1:{port}", log)
            wait_for(mock, server)
            yield mock
        finally:
            server.terminate()
            server.wait(timeout=20)


@pytest.fixture(scope="module")
def client(mock: Mock) -> Iterator[AsyncClient]:
    """Connect as anybody would: by the environment alone."""
    plain = httpx.AsyncHTTPTransport.handle_async_request

    async def watched(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        reply = await plain(self, request)
        complaint = reply.headers.get("sl-violations", "")
        mock.seen.append((request.method, request.url.path, reply.status_code, complaint))
        return reply

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", watched)
        patch.setenv("CINT_NB_MODE", "live")
        patch.setenv("CINT_NB_BASE_URL", mock.url)
        patch.setenv("CINT_NB_TOKEN", "a-static-token")
        patch.setenv("CINT_NB_ACCOUNT_ID", "101")
        with cint_nb.connect() as made:
            for resource in (made.aio.target_groups, made.aio.fielding, made.aio.profiles, made.aio.reconciliations):
                resource.spend_guard = None  # the mock makes its amounts up; the guard has tests of its own
            yield made.aio


@pytest.fixture
def answered(mock: Mock) -> Iterator[list[tuple[str, str, int, str]]]:
    """What was answered during a test; afterwards none of it may be a refusal, nor complain of the request.

    Prism complains of some of the document's own examples too, which are its replies.
    """
    mock.seen.clear()
    yield mock.seen
    assert mock.seen
    assert [row for row in mock.seen if row[2] >= 300 or COMPLAINT in row[3]] == []


@pytest.mark.filterwarnings("ignore:.*undocumented 'maximum_cpi\"':cint_nb.errors.CintWarning")  # as its example has it
@pytest.mark.filterwarnings("ignore:.*undocumented 'currency_code\"':cint_nb.errors.CintWarning")  # and another one
@pytest.mark.filterwarnings(
    "ignore:.*private_exchange_prices.*currency_code is missing:cint_nb.errors.CintWarning"
)  # so
@pytest.mark.filterwarnings(f"ignore:.*{SAME_CURSOR}:cint_nb.errors.CintWarning")
@pytest.mark.parametrize("name", BY_METHOD)
def test_a_method_is_understood_and_its_reply_is_read(name: str, client: AsyncClient, answered: list[Any]) -> None:
    refusal = pytest.raises(UnexpectedReply, match=SAME_CURSOR)  # who is saved must be known as a whole
    with refusal if name == "recontacts.saved_ids" else nullcontext():
        client.run(OPERATION_CALLS[name].through(client))
    operation = OPERATIONS[name]
    address = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(operation.template))
    assert any(method == operation.method and re.fullmatch(address, path) for method, path, *_ in answered)


@pytest.mark.parametrize("name", BY_CALL)
def test_a_request_is_understood(name: str, client: AsyncClient, answered: list[Any]) -> None:
    reply = client.run(client.http.send(call_of(name, vendor())))
    assert 200 <= reply.status < 300


def test_a_request_that_differs_is_noticed(mock: Mock, client: AsyncClient) -> None:
    mock.seen.clear()
    body = {"name": "Brand tracker"}
    with pytest.raises(BadRequest):
        client.run(client.http.send(OPERATIONS["projects.create"].make_call(json=body, idempotency_key="key")))
    ((_, _, status, complaint),) = mock.seen
    assert status >= 400
    assert COMPLAINT in complaint


def wait_for(mock: Mock, server: subprocess.Popen[bytes]) -> None:
    for _ in range(START_SECONDS * 10):
        if "Prism is listening" in mock.log.read_text(encoding="utf-8", errors="replace"):
            return
        if server.poll() is not None:
            break
        time.sleep(0.1)
    pytest.fail("Prism did not start: " + mock.log.read_text(encoding="utf-8", errors="replace")[-2_000:])
