"""The door: reads an ASGI request, lets faults act, asks the dispatcher, writes the reply."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.types import Message, Receive, Scope, Send

from cint_nb.domain import limits
from cint_nb.sandbox.clock import SandboxClock
from cint_nb.sandbox.faults import ConnectionDropped, FaultPlan
from cint_nb.sandbox.handlers.upload_file import payload_too_large
from cint_nb.sandbox.http.dispatch import Dispatcher
from cint_nb.sandbox.http.fault_injection import FaultInjector
from cint_nb.sandbox.http.routes import RouteMatch
from cint_nb.sandbox.protocol.messages import ApiError, Request, Response

_BODY_MAX = limits.UPLOAD_MAX_BYTES + 100_000  # the multipart envelope comes on top of the file


class SandboxApp:
    """The ASGI app for everything under `/v1` and the token endpoint.

    Args:
        dispatcher: Answers requests.
        clock: Tells the time of a request.
        faults: What may go wrong on purpose.
    """

    def __init__(self, dispatcher: Dispatcher, clock: SandboxClock, faults: FaultPlan) -> None:
        self.dispatcher = dispatcher
        self.clock = clock
        self.faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = _path(scope)
        route = self.dispatcher.router.match(scope["method"], path) if path is not None else None
        meeting = FaultInjector(self.faults.trigger(_names(route)), self.clock, scope)
        try:
            meeting.before_request()
            body = await _read_body(receive, meeting)
            answer = meeting.replacement_response()
            if answer is None:
                answer = (
                    self._respond(scope, body, route, meeting)
                    if body is not None
                    else _error_to_response(payload_too_large())
                )
            await meeting.before_response()
            await _send_response(meeting.alter_response(answer), scope, send)
        except ConnectionDropped as dropped:
            await dropped.apply(scope, receive)

    def _respond(self, scope: Scope, body: bytes, route: RouteMatch | None, meeting: FaultInjector) -> Response:
        path = _path(scope)
        if route is None or path is None:
            if scope["method"] != "POST":
                allow = {"Allow": "POST"}
                return _error_to_response(
                    ApiError(405, "method_not_allowed_error", "the method is not allowed here", headers=allow)
                )
            return self.dispatcher.token(body, self.clock.elapsed)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=200)
        ask = Request(
            scope["method"], path, query, headers, body, self.clock.elapsed, state_faults=meeting.state_faults
        )
        return self.dispatcher.handle(ask, route)


def _path(scope: Scope) -> str | None:
    """Return the path behind `/v1`, None for the token endpoint."""
    path: str = scope["path"]
    return None if path == "/oauth/token" else path.removeprefix("/v1") or "/"


def _names(route: RouteMatch | None) -> tuple[str, ...]:
    """Return the names a fault may call a request's operation by; none for an unknown address."""
    if route is None:
        return ("token",)
    return (route.operation.name, *route.operation.aliases) if route.operation is not None else ()


def _error_to_response(refusal: ApiError) -> Response:
    return refusal.to_response("00000000-0000-4000-8000-000000000000")


async def _read_body(receive: Receive, meeting: FaultInjector) -> bytes | None:
    """Read the body; None when it is too large."""
    parts: list[bytes] = []
    size = 0
    while True:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionDropped("the client left")
        part = message.get("body", b"")
        size += len(part)
        if message.get("more_body", False):
            meeting.during_body(done=False)
        if size <= _BODY_MAX:
            parts.append(part)
        if not message.get("more_body", False):
            break
    meeting.during_body(done=True)
    return b"".join(parts) if size <= _BODY_MAX else None


async def _send_response(answer: Response, scope: Scope, send: Send) -> None:
    headers: dict[str, str] = dict(answer.headers)
    content = answer.content
    if content is None and answer.body is not None:
        content = json.dumps(answer.body, separators=(",", ":")).encode("ascii")
    if content is not None:
        headers["Content-Type"] = answer.media_type
    if answer.status not in (204, 304):
        headers["Content-Length"] = str(len(content or b""))
    raw = _encode_headers(headers)
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    body = b"" if scope["method"] == "HEAD" else content or b""
    await send({"type": "http.response.body", "body": body})


def _encode_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
