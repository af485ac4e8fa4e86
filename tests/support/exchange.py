"""A fake exchange behind httpx: it answers by rule or in the order of a script, and keeps every request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx

Reply = httpx.Response | Exception
Responder = Callable[[httpx.Request], Reply]
Answer = Reply | Responder


def json_response(status: int = 200, body: Any = None, content: bytes = b"", **headers: str) -> Responder:
    """Answer with JSON, bytes or nothing; `location` and `etag` are given as keywords."""

    def make(_: httpx.Request) -> httpx.Response:
        if body is not None:
            return httpx.Response(status, json=body, headers=headers)
        return httpx.Response(status, content=content, headers=headers)

    return make


def error_response(status: int, kind: str = "bad_request_error", detail: str = "no", **params: str) -> Responder:
    """Answer with the exchange's error envelope; keywords are invalid parameters."""
    named = [{"name": name, "reason": reason} for name, reason in params.items()]
    return json_response(status, {"object": kind, "detail": detail, "invalid_params": named or None})


def lost_reply(_: httpx.Request) -> httpx.Response:
    """Lose the reply."""
    raise httpx.ReadError("the connection was cut")


def numbered_token(number: int) -> httpx.Response:
    """Hand out `token-1`, `token-2`, …, each for a day."""
    body = {"access_token": f"token-{number}", "expires_in": 86_400, "token_type": "Bearer"}
    return httpx.Response(200, json=body)


class FakeExchange(httpx.AsyncBaseTransport):
    """Answer each request by the first rule that fits, else in the order of the script.

    The last answer of a rule and of the script repeats. An answer is a response, an exception, or a function of the
    request that returns or raises either.

    Args:
        answers: The script. Without one, and without a rule that fits, a request is an error of the test.
    """

    def __init__(self, *answers: Answer) -> None:
        self.script: list[Answer] = list(answers)
        self.requests: list[httpx.Request] = []
        self.token_requests: list[httpx.Request] = []
        self.token_response: Callable[[int], Answer] = numbered_token
        self.in_flight = 0
        self.max_in_flight = 0
        self.closed = False
        self._rules: list[tuple[str, str, list[Answer]]] = []

    def on(self, method: str, ending: str, *answers: Answer) -> FakeExchange:
        """Add a rule: what is answered to a method at the paths with this ending."""
        self._rules.append((method, ending, list(answers)))
        return self

    def sent(self, method: str, ending: str) -> list[httpx.Request]:
        """Return the requests with a method and an ending of their path."""
        return [r for r in self.requests if r.method == method and r.url.path.endswith(ending)]

    def bodies(self, method: str, ending: str) -> list[Any]:
        """Return the JSON bodies of the same requests."""
        return [json.loads(request.content) for request in self.sent(method, ending)]

    @property
    def tokens_used(self) -> list[str]:
        """Return the token of each request."""
        return [request.headers["authorization"].removeprefix("Bearer ") for request in self.requests]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        try:
            for _ in range(20):  # as long as it takes until all who want to send are in flight
                await asyncio.sleep(0)
            return self._reply(request)
        finally:
            self.in_flight -= 1

    async def aclose(self) -> None:
        self.closed = True

    def _reply(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/oauth/token"):
            self.token_requests.append(request)
            said = self.token_response(len(self.token_requests))
        else:
            self.requests.append(request)
            said = self._answer_to(request)
        if not isinstance(said, (httpx.Response, Exception)):
            said = said(request)
        if isinstance(said, Exception):
            raise said
        assert isinstance(said, httpx.Response)
        # The same scripted response may be handed out twice: build it anew each time.
        return httpx.Response(said.status_code, headers=said.headers, content=said.content)

    def _answer_to(self, request: httpx.Request) -> Answer:
        for method, ending, answers in self._rules:
            if method == request.method and request.url.path.endswith(ending):
                return _next(answers)
        if self.script:
            return _next(self.script)
        raise AssertionError(f"the script has no answer to {request.method} {request.url.path}")


def _next(answers: list[Answer]) -> Answer:
    return answers.pop(0) if len(answers) > 1 else answers[0]
