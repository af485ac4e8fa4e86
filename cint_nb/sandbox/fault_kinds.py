"""The kinds of faults, by where they act: connection, time, before the handler, response, state.

Each can affect any operation, the token endpoint included; one that finds nothing to act on there does nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from cint_nb.domain.ids import printable
from cint_nb.sandbox.protocol.messages import (
    ApiError,
    Json,
    Response,
    StateFault,
    bad_request,
    forbidden,
    internal_error,
    not_found,
    precondition_failed,
    unauthorized,
)
from cint_nb.sandbox.protocol.paging import encode_cursor

_UNKNOWN_ID = "00000000-0000-4000-8000-00000000fa17"  # the id of errors that no handler has produced
_EXTRA_FIELD = "cint_nb_sandbox_extra"
_DELAY_SECONDS = 30.0
_RETRY_AFTER_SECONDS = 2


@printable
@dataclass(frozen=True)
class FaultKind:
    """A kind of fault.

    Args:
        name: How it is written.
    """

    name: str


class ConnectionRefused(FaultKind):
    """The connection breaks before the request is read."""


class ConnectionReset(FaultKind):
    """The connection breaks while the request is read."""


class ReplyDropped(FaultKind):
    """The connection breaks after the handler has acted."""


class ReplyDelayed(FaultKind):
    """Time passes between the handler and its response."""

    def seconds(self, value: str | None) -> float:
        """Return the delay in seconds, from the value the fault was written with."""
        return _number(value, _DELAY_SECONDS)


@dataclass(frozen=True)
class EarlyResponse(FaultKind):
    """A response that replaces the handler, which does not act.

    Args:
        name: How it is written.
        response: Builds the response from the value the fault was written with.
    """

    response: Callable[[str | None], Response]


@dataclass(frozen=True)
class ResponseChange(FaultKind):
    """A change to a successful response, after the handler has acted.

    Args:
        name: How it is written.
        change: Builds the changed response from the response, the fault's value and the raw query.
    """

    change: Callable[[Response, str | None, str], Response]


@dataclass(frozen=True)
class StateChange(FaultKind):
    """A change to what the handler, or time after it, does with the state.

    Args:
        name: How it is written.
        effect: The state fault that the handler receives.
    """

    effect: StateFault


def _number(value: str | None, default: float) -> float:
    try:
        return default if value is None else float(value)
    except ValueError:
        return default


def _early_error(make: Callable[[], ApiError]) -> Callable[[str | None], Response]:
    return lambda _value: make().to_response(_UNKNOWN_ID)


def _too_many(value: str | None) -> Response:
    return _retry_later(429, "too_many_requests_problem_details", "too many requests", value)


def _unavailable(value: str | None) -> Response:
    return _retry_later(503, "service_unavailable_error", "try again later", value)


def _retry_later(status: int, kind: str, detail: str, value: str | None) -> Response:
    headers = {"Retry-After": f"{_number(value, _RETRY_AFTER_SECONDS):.0f}"}
    return ApiError(status, kind, detail, headers=headers).to_response(_UNKNOWN_ID)


def _bad_gateway(_value: str | None) -> Response:
    page = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
    return Response(502, content=page, media_type="text/html")


def _invalid_field(value: str | None) -> Response:
    field_name = value or "Allocations"
    return bad_request((field_name, f"'{field_name}' is not accepted.")).to_response(_UNKNOWN_ID)


def _replace_by_error(_response: Response, _value: str | None, _query: str) -> Response:
    return internal_error().to_response(_UNKNOWN_ID)


def _truncate(response: Response, _value: str | None, _query: str) -> Response:
    text = response.content if response.content is not None else json.dumps(response.body or {"": ""}).encode()
    return Response(
        response.status,
        headers=response.headers,
        content=text[: max(1, len(text) // 2)],
        media_type=response.media_type,
    )


def _replace_by_page(response: Response, _value: str | None, _query: str) -> Response:
    page = b"<!doctype html><html><body><h1>Please sign in to continue</h1></body></html>"
    return Response(200, headers=response.headers, content=page, media_type="text/html")


def _set_status(response: Response, value: str | None, _query: str) -> Response:
    word = value or "Archiving"
    if isinstance(response.body, dict):
        response.body = {name: word if name == "status" else item for name, item in response.body.items()}
    return response


def _add_fields(response: Response, _value: str | None, _query: str) -> Response:
    response.body = _with_extra(response.body)
    return response


def _with_extra(value: Json) -> Json:
    if isinstance(value, dict):
        return {**{name: _with_extra(item) for name, item in value.items()}, _EXTRA_FIELD: {"since": "tomorrow"}}
    if isinstance(value, list):
        return [_with_extra(item) for item in value]
    return value


def _repeat_cursor(response: Response, _value: str | None, query: str) -> Response:
    if isinstance(response.body, dict):
        sent = [part.partition("=")[2] for part in query.split("&") if part.startswith("start_after=")]
        cursor = sent[-1] if sent else response.body.get("next_cursor") or encode_cursor("again")
        response.body = {
            **response.body,
            "next_cursor": cursor,
            **({"has_more": True} if "has_more" in response.body else {}),
        }
    return response


FaultName = Literal[
    "refuse",
    "reset",
    "drop-reply",
    "delay",
    "429",
    "503",
    "500",
    "502",
    "500-after",
    "truncated",
    "html",
    "404",
    "401",
    "expired-token",
    "stale-etag",
    "invalid",
    "job-fails",
    "job-never-ends",
    "partial",
    "paused-by-marketplace",
    "unknown-status",
    "extra-fields",
    "repeated-cursor",
    "short-page",
]
"""What can break."""

KINDS: dict[str, FaultKind] = {
    kind.name: kind
    for kind in (
        ConnectionRefused("refuse"),
        ConnectionReset("reset"),
        ReplyDropped("drop-reply"),
        ReplyDelayed("delay"),
        EarlyResponse("429", _too_many),
        EarlyResponse("503", _unavailable),
        EarlyResponse("500", _early_error(internal_error)),
        EarlyResponse("502", _bad_gateway),
        ResponseChange("500-after", _replace_by_error),
        ResponseChange("truncated", _truncate),
        ResponseChange("html", _replace_by_page),
        EarlyResponse("404", _early_error(lambda: not_found("the address"))),
        EarlyResponse("401", _early_error(unauthorized)),
        EarlyResponse("expired-token", _early_error(forbidden)),
        EarlyResponse("stale-etag", _early_error(precondition_failed)),
        EarlyResponse("invalid", _invalid_field),
        StateChange("job-fails", StateFault.JOB_FAILS),
        StateChange("job-never-ends", StateFault.JOB_NEVER_ENDS),
        StateChange("partial", StateFault.PARTIAL),
        StateChange("paused-by-marketplace", StateFault.PAUSED_BY_MARKETPLACE),
        ResponseChange("unknown-status", _set_status),
        ResponseChange("extra-fields", _add_fields),
        ResponseChange("repeated-cursor", _repeat_cursor),
        StateChange("short-page", StateFault.SHORT_PAGE),
    )
}
"""Every fault, in the order of the documentation."""
