"""Keep what goes over the wire."""

from __future__ import annotations

import httpx

from tests.contract.openapi_documents import operation_at
from tests.contract.validator import HttpCall


class Capture(httpx.AsyncBaseTransport):
    """Pass requests on and keep each with its reply; token requests are no part of the described interface.

    Args:
        inner: What answers.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.exchanges: list[HttpCall] = []
        self._inner = inner
        self._refusals: list[tuple[str, str, int, str]] = []

    def refuse(self, method: str, ending: str, status: int, field: str = "") -> None:
        """Answer the next request at an address with a refusal of our making, which no description has to know."""
        self._refusals.append((method, ending, status, field))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        if request.url.path == "/oauth/token":
            return await self._inner.handle_async_request(request)
        operation = operation_at(request.method, request.url.path.removeprefix("/v1"))
        for refusal in self._refusals:
            method, ending, status, field = refusal
            if request.method == method and request.url.path.endswith(ending):
                self._refusals.remove(refusal)
                self.exchanges.append(HttpCall(operation, request))
                params = [{"name": field, "reason": "is refused here"}] if field else None
                body = {"object": "bad_request_error", "detail": "refused", "invalid_params": params}
                return httpx.Response(status, json=body)
        reply = await self._inner.handle_async_request(request)
        await reply.aread()
        self.exchanges.append(HttpCall(operation, request, reply))
        return reply
