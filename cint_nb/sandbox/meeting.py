"""One request meets its faults: each acts at its moment, before, during or after the exchange does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from starlette.types import Scope

from cint_nb.sandbox.clock import SandboxClock
from cint_nb.sandbox.faults import WORLDLY, Dropped, Fault
from cint_nb.sandbox.messages import Answer, Refusal, invalid, not_authenticated, not_found, not_permitted, stale
from cint_nb.sandbox.paging import write_cursor

_NOBODY = "00000000-0000-4000-8000-00000000fa17"  # the id of errors no request of the world has seen
_UNHEARD_OF = "cint_nb_sandbox_extra"


class Meeting:
    """Hold the faults of one request and let each act at its moment.

    Args:
        faults: What happens to this request.
        clock: The sandbox's clock, for delays in process.
        scope: The ASGI scope of the request.
    """

    def __init__(self, faults: list[Fault], clock: SandboxClock, scope: Scope) -> None:
        self._faults = {fault.name: fault for fault in faults}
        self._clock = clock
        self._extensions: dict[str, Any] = scope.get("extensions") or {}
        self._query = scope.get("query_string", b"").decode("latin-1")

    @property
    def effects(self) -> frozenset[str]:
        """Return the faults that change the world."""
        return WORLDLY & self._faults.keys()

    def arrive(self) -> None:
        """Act before the request is read."""
        if "refuse" in self._faults:
            raise Dropped("the connection was refused", "refuse")

    def reading(self, *, done: bool) -> None:
        """Act while the body arrives, at the latest when it is there."""
        if "reset" in self._faults:
            raise Dropped(f"the connection was reset while {'waiting' if done else 'sending'}", "reset")

    def answer_instead(self) -> Answer | None:
        """Return the reply that takes the place of acting, if there is one."""
        for name, fault in self._faults.items():
            refusal = _refusal(name, fault)
            if refusal is not None:
                return refusal.answer(_NOBODY)
            if name == "502":
                page = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
                return Answer(502, content=page, media_type="text/html")
        return None

    async def leave(self) -> None:
        """Act between the exchange's deed and its reply."""
        if "delay" in self._faults:
            await self._delay(self._faults["delay"].number(30.0))
        if "drop-reply" in self._faults:
            raise Dropped("the connection was closed before a reply came")

    async def _delay(self, seconds: float) -> None:
        if "cint_nb.abort" in self._extensions:
            await asyncio.sleep(seconds)  # served: the client waits in real time, so the delay is real
            return
        patience = self._extensions.get("cint_nb.read_timeout")
        if patience is not None and seconds > patience:
            self._clock.advance(patience)
            raise Dropped("no reply came in time", "read-timeout")
        self._clock.advance(seconds)

    def changed(self, answer: Answer) -> Answer:
        """Return the reply as it leaves."""
        for name, fault in self._faults.items():
            change = _CHANGES.get(name)
            if change is not None and answer.status < 400:
                answer = change(answer, fault, self._query)
        return answer


def _refusal(name: str, fault: Fault) -> Refusal | None:
    if name in ("429", "503"):
        kind = "too_many_requests_problem_details" if name == "429" else "service_unavailable_error"
        detail = "too many requests" if name == "429" else "try again later"
        return Refusal(int(name), kind, detail, headers={"Retry-After": f"{fault.number(2):.0f}"})
    if name == "500":
        return Refusal(500, "unexpected_internal_error", "an unexpected error happened")
    if name == "404":
        return not_found("the address")
    if name == "401":
        return not_authenticated()
    if name == "expired-token":
        return not_permitted()
    if name == "stale-etag":
        return stale()
    if name == "invalid":
        field_name = fault.value or "Allocations"
        return invalid((field_name, f"'{field_name}' is not accepted."))
    return None


def _after(_answer: Answer, _fault: Fault, _query: str) -> Answer:
    return Refusal(500, "unexpected_internal_error", "an unexpected error happened").answer(_NOBODY)


def _truncated(answer: Answer, _fault: Fault, _query: str) -> Answer:
    text = answer.content if answer.content is not None else json.dumps(answer.body or {"": ""}).encode()
    return Answer(
        answer.status, headers=answer.headers, content=text[: max(1, len(text) // 2)], media_type=answer.media_type
    )


def _html(answer: Answer, _fault: Fault, _query: str) -> Answer:
    page = b"<!doctype html><html><body><h1>Please sign in to continue</h1></body></html>"
    return Answer(200, headers=answer.headers, content=page, media_type="text/html")


def _unknown_status(answer: Answer, fault: Fault, _query: str) -> Answer:
    word = fault.value or "Archiving"
    if isinstance(answer.body, dict):
        answer.body = {name: word if name == "status" else value for name, value in answer.body.items()}
    return answer


def _extra(answer: Answer, _fault: Fault, _query: str) -> Answer:
    answer.body = _with_extra(answer.body)
    return answer


def _with_extra(value: Any) -> Any:
    if isinstance(value, dict):
        return {**{name: _with_extra(item) for name, item in value.items()}, _UNHEARD_OF: {"since": "tomorrow"}}
    if isinstance(value, list):
        return [_with_extra(item) for item in value]
    return value


def _repeated_cursor(answer: Answer, _fault: Fault, query: str) -> Answer:
    if isinstance(answer.body, dict):
        sent = [part.partition("=")[2] for part in query.split("&") if part.startswith("start_after=")]
        cursor = sent[-1] if sent else answer.body.get("next_cursor") or write_cursor("again")
        answer.body = {
            **answer.body,
            "next_cursor": cursor,
            **({"has_more": True} if "has_more" in answer.body else {}),
        }
    return answer


_CHANGES: dict[str, Callable[[Answer, Fault, str], Answer]] = {
    "500-after": _after,
    "truncated": _truncated,
    "html": _html,
    "unknown-status": _unknown_status,
    "extra-fields": _extra,
    "repeated-cursor": _repeated_cursor,
}
