"""The kinds of faults, by where they act: connection, time, before the handler, response, state.

Each may strike any operation, the token endpoint too; one that finds nothing to act on there does nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from cint_nb.sandbox.protocol.messages import (
    Answer,
    Json,
    Refusal,
    StateFault,
    invalid,
    not_authenticated,
    not_found,
    not_permitted,
    stale,
)
from cint_nb.sandbox.protocol.paging import write_cursor

_UNKNOWN_ID = "00000000-0000-4000-8000-00000000fa17"  # the id of errors no request of the world has seen
_EXTRA_FIELD = "cint_nb_sandbox_extra"
_DELAY_SECONDS = 30.0
_RETRY_AFTER_SECONDS = 2


@dataclass(frozen=True)
class FaultKind:
    """Name a fault.

    Args:
        name: How it is written.
    """

    name: str


class ConnectionRefused(FaultKind):
    """Break the connection before the request is read."""


class ConnectionReset(FaultKind):
    """Break the connection while the request is read."""


class ReplyDropped(FaultKind):
    """Break the connection after the handler has acted."""


class ReplyDelayed(FaultKind):
    """Let time pass between the handler and its response."""

    def seconds(self, value: str) -> float:
        """Return how long, by the value the fault was written with."""
        return _number(value, _DELAY_SECONDS)


@dataclass(frozen=True)
class EarlyResponse(FaultKind):
    """Answer in place of the handler, which does not act.

    Args:
        name: How it is written.
        response: Makes the response from the value the fault was written with.
    """

    response: Callable[[str], Answer]


@dataclass(frozen=True)
class ResponseChange(FaultKind):
    """Change the response of success, after the handler has acted.

    Args:
        name: How it is written.
        change: Makes the changed response from the response, the fault's value and the raw query.
    """

    change: Callable[[Answer, str, str], Answer]


@dataclass(frozen=True)
class StateChange(FaultKind):
    """Change what the handler, or time after it, does with the state.

    Args:
        name: How it is written.
        effect: What the handler is told.
    """

    effect: StateFault


def _number(value: str, default: float) -> float:
    try:
        return float(value)
    except ValueError:
        return default


def _refused(make: Callable[[], Refusal]) -> Callable[[str], Answer]:
    return lambda _value: make().answer(_UNKNOWN_ID)


def _too_many(value: str) -> Answer:
    return _retry_later(429, "too_many_requests_problem_details", "too many requests", value)


def _unavailable(value: str) -> Answer:
    return _retry_later(503, "service_unavailable_error", "try again later", value)


def _retry_later(status: int, kind: str, detail: str, value: str) -> Answer:
    headers = {"Retry-After": f"{_number(value, _RETRY_AFTER_SECONDS):.0f}"}
    return Refusal(status, kind, detail, headers=headers).answer(_UNKNOWN_ID)


def _internal_error() -> Refusal:
    return Refusal(500, "unexpected_internal_error", "an unexpected error happened")


def _bad_gateway(_value: str) -> Answer:
    page = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
    return Answer(502, content=page, media_type="text/html")


def _invalid_field(value: str) -> Answer:
    field_name = value or "Allocations"
    return invalid((field_name, f"'{field_name}' is not accepted.")).answer(_UNKNOWN_ID)


def _replace_by_error(_answer: Answer, _value: str, _query: str) -> Answer:
    return _internal_error().answer(_UNKNOWN_ID)


def _truncate(answer: Answer, _value: str, _query: str) -> Answer:
    text = answer.content if answer.content is not None else json.dumps(answer.body or {"": ""}).encode()
    return Answer(
        answer.status, headers=answer.headers, content=text[: max(1, len(text) // 2)], media_type=answer.media_type
    )


def _replace_by_page(answer: Answer, _value: str, _query: str) -> Answer:
    page = b"<!doctype html><html><body><h1>Please sign in to continue</h1></body></html>"
    return Answer(200, headers=answer.headers, content=page, media_type="text/html")


def _set_status(answer: Answer, value: str, _query: str) -> Answer:
    word = value or "Archiving"
    if isinstance(answer.body, dict):
        answer.body = {name: word if name == "status" else item for name, item in answer.body.items()}
    return answer


def _add_fields(answer: Answer, _value: str, _query: str) -> Answer:
    answer.body = _with_extra(answer.body)
    return answer


def _with_extra(value: Json) -> Json:
    if isinstance(value, dict):
        return {**{name: _with_extra(item) for name, item in value.items()}, _EXTRA_FIELD: {"since": "tomorrow"}}
    if isinstance(value, list):
        return [_with_extra(item) for item in value]
    return value


def _repeat_cursor(answer: Answer, _value: str, query: str) -> Answer:
    if isinstance(answer.body, dict):
        sent = [part.partition("=")[2] for part in query.split("&") if part.startswith("start_after=")]
        cursor = sent[-1] if sent else answer.body.get("next_cursor") or write_cursor("again")
        answer.body = {
            **answer.body,
            "next_cursor": cursor,
            **({"has_more": True} if "has_more" in answer.body else {}),
        }
    return answer


KINDS: dict[str, FaultKind] = {
    kind.name: kind
    for kind in (
        ConnectionRefused("refuse"),
        ConnectionReset("reset"),
        ReplyDropped("drop-reply"),
        ReplyDelayed("delay"),
        EarlyResponse("429", _too_many),
        EarlyResponse("503", _unavailable),
        EarlyResponse("500", _refused(_internal_error)),
        EarlyResponse("502", _bad_gateway),
        ResponseChange("500-after", _replace_by_error),
        ResponseChange("truncated", _truncate),
        ResponseChange("html", _replace_by_page),
        EarlyResponse("404", _refused(lambda: not_found("the address"))),
        EarlyResponse("401", _refused(not_authenticated)),
        EarlyResponse("expired-token", _refused(not_permitted)),
        EarlyResponse("stale-etag", _refused(stale)),
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
