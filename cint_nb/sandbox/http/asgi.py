"""The ASGI app: reads a request, injects faults, calls the dispatcher and sends the response."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.types import Message, Receive, Scope, Send

from cint_nb.domain import limits
from cint_nb.sandbox.clock import SandboxClock
from cint_nb.sandbox.faults import ConnectionDropped, FaultPlan
from cint_nb.sandbox.handlers.upload_file import payload_too_large
from cint_nb.sandbox.http.change_runner import ChangeRunner
from cint_nb.sandbox.http.dispatch import Dispatcher
from cint_nb.sandbox.http.fault_injection import FaultInjector
from cint_nb.sandbox.http.routes import RouteMatch
from cint_nb.sandbox.protocol.messages import Request, Response, method_not_allowed

_BODY_MAX = limits.UPLOAD_MAX_BYTES + 100_000  # the multipart envelope is added to the file


class SandboxApp:
    """The ASGI app for everything under `/v1` and the token endpoint.

    Args:
        dispatcher: Handles requests.
        clock: Gives the time of a request.
        faults: The faults to inject.
        changes: Makes the changes of somebody else.
    """

    def __init__(self, dispatcher: Dispatcher, clock: SandboxClock, faults: FaultPlan, changes: ChangeRunner) -> None:
        self.dispatcher = dispatcher
        self.clock = clock
        self.faults = faults
        self.changes = changes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = _path(scope)
        route = self.dispatcher.router.match(scope["method"], path) if path is not None else None
        happening = self.faults.trigger(_operation_names(route))
        injector = FaultInjector(happening, self.clock, scope)
        try:
            injector.before_request()
            body = await _read_body(receive, injector)
            request = self._request(scope, body or b"", injector) if path is not None else None
            self.changes.run(happening, request, after=False)
            response = injector.replacement_response()
            if response is None:
                response = (
                    self._respond(scope, body, request, route)
                    if body is not None
                    else self.dispatcher.answer_error(payload_too_large())
                )
            self.changes.run(happening, request, after=True)
            await injector.before_response()
            await _send_response(injector.alter_response(response), scope, send)
        except ConnectionDropped as dropped:
            await dropped.apply(scope, receive)

    def _respond(self, scope: Scope, body: bytes, request: Request | None, route: RouteMatch | None) -> Response:
        if request is None or route is None:
            if scope["method"] != "POST":
                return self.dispatcher.answer_error(method_not_allowed("POST"))
            return self.dispatcher.token(body, self.clock.elapsed)
        return self.dispatcher.handle(request, route)

    def _request(self, scope: Scope, body: bytes, injector: FaultInjector) -> Request:
        path = _path(scope) or "/"
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=200)
        return Request(
            scope["method"],
            path,
            query,
            headers,
            body,
            self.clock.elapsed,
            root=scope.get("root_path", ""),
            state_faults=injector.state_faults,
        )


def _path(scope: Scope) -> str | None:
    """Return the path below `/v1`, or None for the token endpoint."""
    path: str = scope["path"]
    return None if path == "/oauth/token" else path.removeprefix("/v1") or "/"


def _operation_names(route: RouteMatch | None) -> tuple[str, ...]:
    """Return the names a fault may call a request's operation by; none for an unknown path."""
    if route is None:
        return ("token",)
    return (route.operation.name, *route.operation.aliases) if route.operation is not None else ()


async def _read_body(receive: Receive, injector: FaultInjector) -> bytes | None:
    """Read the body; None when it is too large."""
    parts: list[bytes] = []
    size = 0
    while True:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionDropped("the client disconnected")
        part = message.get("body", b"")
        size += len(part)
        if message.get("more_body", False):
            injector.during_body(done=False)
        if size <= _BODY_MAX:
            parts.append(part)
        if not message.get("more_body", False):
            break
    injector.during_body(done=True)
    return b"".join(parts) if size <= _BODY_MAX else None


async def _send_response(response: Response, scope: Scope, send: Send) -> None:
    headers: dict[str, str] = dict(response.headers)
    content = response.content
    if content is None and response.body is not None:
        content = json.dumps(response.body, separators=(",", ":")).encode("ascii")
    if content is not None:
        headers["Content-Type"] = response.media_type
    if response.status not in (204, 304):
        headers["Content-Length"] = str(len(content or b""))
    raw = _encode_headers(headers)
    await send({"type": "http.response.start", "status": response.status, "headers": raw})
    body = b"" if scope["method"] == "HEAD" else content or b""
    await send({"type": "http.response.body", "body": body})


def _encode_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
