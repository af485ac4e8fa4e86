"""What passes through the door: a question, an answer, or a refusal in the exchange's own envelope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

VALIDATION_TEXT = "request had validation errors"  # create guide, error responses
EXPIRED_TEXT = "you don't have the right permissions to perform this operation"


@dataclass(slots=True)
class Ask:
    """Hold one request after it was read.

    Args:
        method: HTTP method, upper case.
        path: Path behind `/v1`.
        query: Query values by name, in order.
        headers: Header values by lower-case name.
        body: The bytes.
        t: Virtual seconds since the sandbox began.
        params: Values taken from the path.
        values: Query values, read and checked.
        json: The body, read and checked; None without one.
        effects: Faults that change what the world does with this request.
    """

    method: str
    path: str
    query: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    t: float = 0.0
    params: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    json: Any = None
    effects: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        """Name the request without its content."""
        return f"<Ask: {self.method} {self.path}>"


@dataclass(slots=True)
class Answer:
    """Hold one reply: a status with a JSON body, raw bytes, or nothing.

    Args:
        status: HTTP status.
        body: JSON value; None sends no body unless `content` is given.
        headers: Further headers.
        content: Raw bytes in place of JSON.
        media_type: Content type of the body.
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None
    media_type: str = "application/json"


class Refusal(Exception):
    """Refuse a request with a status and the error envelope.

    Args:
        status: HTTP status.
        kind: The envelope's `object`.
        detail: The envelope's `detail`.
        params: Pairs of name and reason for `invalid_params`.
        headers: Further headers.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        params: tuple[tuple[str, str], ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.params = params
        self.headers = dict(headers or {})

    def answer(self, request_id: str) -> Answer:
        """Write the envelope."""
        if self.status == 429:
            # The exchange writes this one envelope differently: `details`, and no id.
            return Answer(429, {"object": self.kind, "details": self.detail}, self.headers)
        body: dict[str, Any] = {"id": request_id, "object": self.kind, "detail": self.detail}
        if self.params:
            body["invalid_params"] = [{"name": name, "reason": reason} for name, reason in self.params]
        return Answer(self.status, body, self.headers)


def invalid(*params: tuple[str, str], detail: str = VALIDATION_TEXT) -> Refusal:
    """Refuse a body or parameter: 400 with the names and reasons."""
    return Refusal(400, "bad_request_error", detail, params)


def not_found(what: str) -> Refusal:
    """Refuse an unknown thing: 404."""
    return Refusal(404, "not_found_error", f"{what} was not found")


def not_authenticated() -> Refusal:
    """Refuse a request without a usable token: 401."""
    return Refusal(401, "authorization_error", "the access token is missing or invalid")


def not_permitted() -> Refusal:
    """Refuse an expired token or a foreign account: 403, the same words for both."""
    return Refusal(403, "authorization_error", EXPIRED_TEXT)


def busy() -> Refusal:
    """Refuse a second job for the same target group: 409."""
    return Refusal(409, "conflict_error", "another job is already running for this target group")


def stale() -> Refusal:
    """Refuse an outdated ETag: 412."""
    return Refusal(412, "precondition_failed_error", "the resource was modified since it was last retrieved")


def wrong_state(detail: str) -> Refusal:
    """Refuse an action the state does not allow: 422."""
    return Refusal(422, "invalid_state_error", detail)
