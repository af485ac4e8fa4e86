"""Requests, responses, and errors in the exchange's own envelope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias, TypeVar, cast, get_origin

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | None"
JsonObject: TypeAlias = dict[str, Json]
QueryValue: TypeAlias = str | int | list[str] | None  # a boolean is an int
T = TypeVar("T")

VALIDATION_TEXT = "request had validation errors"  # create guide, error responses
EXPIRED_TEXT = "you don't have the right permissions to perform this operation"


class StateFault(StrEnum):
    """A fault that changes what the world does with a request."""

    JOB_FAILS = "job-fails"
    JOB_NEVER_ENDS = "job-never-ends"
    PARTIAL = "partial"
    PAUSED_BY_MARKETPLACE = "paused-by-marketplace"
    SHORT_PAGE = "short-page"


@dataclass(slots=True)
class Request:
    """A request after it was read.

    Args:
        method: HTTP method, upper case.
        path: Path below `/v1`.
        raw_query: Query values by name, in order.
        headers: Header values by lower-case name.
        body: The bytes.
        root: Path below which the sandbox is served, `/v1` included.
        received_at: Virtual seconds since the sandbox started.
        path_params: Values taken from the path.
        query_params: Query values, parsed and validated.
        json: The body, parsed and validated; None without one.
        state_faults: Faults that change what the world does with this request.
    """

    method: str
    path: str
    raw_query: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    received_at: float = 0.0
    root: str = "/v1"
    path_params: dict[str, str] = field(default_factory=dict)
    query_params: dict[str, QueryValue] = field(default_factory=dict)
    json: Json = None
    state_faults: frozenset[StateFault] = frozenset()

    def __repr__(self) -> str:
        """Show method and path, without the content."""
        return f"<Request: {self.method} {self.path}>"

    def string_param(self, name: str) -> str | None:
        """Return a query value that is a string; None when it was omitted."""
        value = self.query_params.get(name)
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{name} is not a string")
        return value

    def int_param(self, name: str) -> int:
        """Return a query value that is an integer and has a default."""
        value = self.query_params.get(name)
        if not isinstance(value, int):
            raise TypeError(f"{name} is not an integer")
        return value

    def bool_param(self, name: str) -> bool | None:
        """Return a query value that is true or false; None when it was omitted."""
        value = self.query_params.get(name)
        if value is not None and not isinstance(value, bool):
            raise TypeError(f"{name} is neither true nor false")
        return value

    def list_param(self, name: str) -> list[str]:
        """Return a query value that is a list; empty when it was omitted."""
        value = self.query_params.get(name)
        if value is not None and not isinstance(value, list):
            raise TypeError(f"{name} is not a list")
        return value or []

    def body_as(self, body_type: type[T]) -> T:
        """Return the body as a type of `request_bodies`: the operation's schema, already checked, says the same."""
        if not isinstance(self.json, get_origin(body_type) or dict):
            raise TypeError("the body is of another type")
        return cast("T", self.json)


@dataclass(slots=True)
class Response:
    """A response: a status with a JSON body, raw bytes, or nothing.

    Args:
        status: HTTP status.
        body: JSON value; None sends no body unless `content` is given.
        headers: Further headers.
        content: Raw bytes instead of JSON.
        media_type: Content type of the body.
    """

    status: int = 200
    body: Json = None
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None
    media_type: str = "application/json"


def to_json(value: Mapping[str, object]) -> JsonObject:
    """Return a copy of a typed dictionary as a plain JSON object, which mypy does not see in it."""
    return cast("JsonObject", dict(value))


class ApiError(Exception):
    """An error response: a status and the error envelope.

    Args:
        status: HTTP status.
        error_type: The envelope's `object`.
        detail: The envelope's `detail`.
        invalid_params: Pairs of name and reason for `invalid_params`.
        headers: Further headers.
    """

    def __init__(
        self,
        status: int,
        error_type: str,
        detail: str,
        invalid_params: tuple[tuple[str, str], ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.error_type = error_type
        self.detail = detail
        self.invalid_params = invalid_params
        self.headers = dict(headers or {})

    def to_response(self, request_id: str) -> Response:
        """Return the response with the error envelope."""
        if self.status == 429:
            # The exchange writes this one envelope differently: `details`, and no id.
            return Response(429, {"object": self.error_type, "details": self.detail}, self.headers)
        body: JsonObject = {"id": request_id, "object": self.error_type, "detail": self.detail}
        if self.invalid_params:
            body["invalid_params"] = [{"name": name, "reason": reason} for name, reason in self.invalid_params]
        return Response(self.status, body, self.headers)


def bad_request(*invalid_params: tuple[str, str], detail: str = VALIDATION_TEXT) -> ApiError:
    """Return a 400 with the names and reasons of invalid fields."""
    return ApiError(400, "bad_request_error", detail, invalid_params)


def not_found(what: str) -> ApiError:
    """Return a 404 for an unknown resource."""
    return ApiError(404, "not_found_error", f"{what} was not found")


def unauthorized() -> ApiError:
    """Return a 401 for a token that is missing, invalid or expired."""
    return ApiError(401, "authorization_error", "the access token is missing, invalid or expired")


def forbidden() -> ApiError:
    """Return a 403 for a foreign account, or by a rule for an expired token; the text is the same for both."""
    return ApiError(403, "authorization_error", EXPIRED_TEXT)


def method_not_allowed(allowed: str) -> ApiError:
    """Return a 405 that names the methods of the path."""
    headers = {"Allow": allowed}
    return ApiError(405, "method_not_allowed_error", "the method is not allowed here", headers=headers)


def internal_error() -> ApiError:
    """Return a 500."""
    return ApiError(500, "unexpected_internal_error", "an unexpected error happened")


def unsupported_media_type(detail: str) -> ApiError:
    """Return a 415 for a body of another media type than the operation takes."""
    return ApiError(415, "unsupported_media_type_error", detail)


def job_conflict() -> ApiError:
    """Return a 409 for a second job on the same target group."""
    return ApiError(409, "conflict_error", "another job is already running for this target group")


def precondition_failed() -> ApiError:
    """Return a 412 for an outdated ETag."""
    return ApiError(412, "precondition_failed_error", "the resource was modified since it was last retrieved")


def unprocessable(detail: str) -> ApiError:
    """Return a 422 for an action the state does not allow."""
    return ApiError(422, "invalid_state_error", detail)
