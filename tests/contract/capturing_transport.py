"""A transport that records what is sent and received."""

from __future__ import annotations

import httpx

from tests.contract.openapi_documents import operation_at
from tests.contract.validator import HttpCall


class CapturingTransport(httpx.AsyncBaseTransport):
    """Passes requests on and records each with its reply, except token requests, which no description contains.

    Args:
        inner: The transport that answers.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.calls: list[HttpCall] = []
        self._inner = inner
        self._rejections: list[tuple[str, str, int, str]] = []

    def reject_next(self, method: str, ending: str, status: int, field: str = "") -> None:
        """Reject the next request to a URL with a made-up reply, which no description needs to contain."""
        self._rejections.append((method, ending, status, field))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        if request.url.path == "/oauth/token":
            return await self._inner.handle_async_request(request)
        operation = operation_at(request.method, request.url.path.removeprefix("/v1"))
        for rejection in self._rejections:
            method, ending, status, field = rejection
            if request.method == method and request.url.path.endswith(ending):
                self._rejections.remove(rejection)
                self.calls.append(HttpCall(operation, request))
                params = [{"name": field, "reason": "is refused here"}] if field else None
                body = {"object": "bad_request_error", "detail": "refused", "invalid_params": params}
                return httpx.Response(status, json=body)
        reply = await self._inner.handle_async_request(request)
        await reply.aread()
        self.calls.append(HttpCall(operation, request, reply))
        return reply
