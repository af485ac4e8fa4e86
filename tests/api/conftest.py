"""A scripted exchange: answers by rule, keeps every request, and can lose replies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from cint_nb.api.client import Client
from cint_nb.domain.ids import synthetic_id
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.uploads import UploadFile
from cint_nb.wire.clock import ReplayClock
from cint_nb.wire.http import Http
from cint_nb.wire.nonces import SeededNonces
from cint_nb.wire.settings import Settings

START = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
PROJECT = "01JX2KPG5VEBF8498Z8YTTE8TB"
GROUP = "01JX2X0N5RTR012AYDTA83QWTW"
MANAGER = "b551326b-ac9d-4d32-8823-4f025787dab9"

Answer = Callable[[httpx.Request], httpx.Response]


def answer(status: int = 200, body: Any = None, content: bytes = b"", **headers: str) -> Answer:
    """Answer with JSON, bytes or nothing; `location` and `etag` are given as keywords."""

    def make(_: httpx.Request) -> httpx.Response:
        if body is not None:
            return httpx.Response(status, json=body, headers=headers)
        return httpx.Response(status, content=content, headers=headers)

    return make


def refusal(status: int, kind: str = "bad_request_error", detail: str = "no", **params: str) -> Answer:
    """Answer with the exchange's error envelope; keywords are invalid parameters."""
    named = [{"name": name, "reason": reason} for name, reason in params.items()]
    return answer(status, {"object": kind, "detail": detail, "invalid_params": named or None})


def lost(_: httpx.Request) -> httpx.Response:
    """Lose the reply."""
    raise httpx.ReadError("the connection was cut")


class Exchange(httpx.AsyncBaseTransport):
    """Answer each request by the first rule that fits; the last answer of a rule repeats."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self._rules: list[tuple[str, str, list[Answer]]] = []

    def on(self, method: str, ending: str, *answers: Answer) -> Exchange:
        self._rules.append((method, ending, list(answers)))
        return self

    def sent(self, method: str, ending: str) -> list[httpx.Request]:
        return [r for r in self.requests if r.method == method and r.url.path.endswith(ending)]

    def bodies(self, method: str, ending: str) -> list[Any]:
        return [json.loads(request.content) for request in self.sent(method, ending)]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/oauth/token"):
            return httpx.Response(200, json={"access_token": "planted", "expires_in": 86_400})
        await request.aread()
        self.requests.append(request)
        for method, ending, answers in self._rules:
            if method == request.method and request.url.path.endswith(ending):
                made = answers.pop(0) if len(answers) > 1 else answers[0]
                return made(request)
        raise AssertionError(f"the script has no answer to {request.method} {request.url.path}")


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


@pytest.fixture
def client(exchange: Exchange) -> Iterator[Client]:
    made = Client(
        Http(
            Settings.read("sandbox", environ={}),
            transport=exchange,
            clock=ReplayClock(START),
            nonces=SeededNonces("tests"),
        )
    )
    with made:
        yield made


@pytest.fixture
def ref() -> TargetGroupRef:
    return TargetGroupRef(project_id=PROJECT, target_group_id=GROUP)


@pytest.fixture
def script() -> Any:
    """The words of a script, as one namespace: modules of tests cannot import each other."""

    class Words:
        project, group, manager, start = PROJECT, GROUP, MANAGER, START
        answer = staticmethod(answer)
        refusal = staticmethod(refusal)
        lost = staticmethod(lost)

        @staticmethod
        def upload(ids: int = 3, *, entity: str = "RSID") -> UploadFile:
            content = "".join(f"{synthetic_id('tests', number)}\n" for number in range(ids)).encode()
            return UploadFile(content, ids, entity)  # type: ignore[arg-type]

    return Words
