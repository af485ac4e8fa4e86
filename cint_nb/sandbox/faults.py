"""Faults that are injected on purpose, by name, so that one can see what happens and how to fix it.

A fault is written `NAME@STEP`, followed by options:

```
drop-reply@upload          the reply of the next upload is lost after the exchange acted
429@list*3                 the next three lists of upload jobs are rejected
429@list*3=20              … with Retry-After: 20
delay@status=40+2          the third status request (two pass) takes 40 seconds
503@any%10*always          one request in ten, seeded, without end
```
`STEP` is an operation id of the OpenAPI document, an alias of it, or `any`. `*N` says how often (1 when omitted,
`*always` without end), `+N` how many matching requests pass first, `%N` the probability in percent, `=V` a value.

| name | what happens |
|---|---|
| `refuse` | no connection; the request is not sent |
| `reset` | the connection breaks while the request is sent; the exchange does not act |
| `drop-reply` | the exchange acts, the reply is lost |
| `delay` | the reply comes after `=V` seconds (30); longer than the client waits is a read timeout, after acting |
| `429`, `503` | rejected, `Retry-After: V` (2) |
| `500`, `502` | rejected before acting |
| `500-after` | the exchange acts, then responds with 500 |
| `truncated` | the exchange acts, the JSON of the reply ends early |
| `html` | the exchange acts, the reply is a web page with status 200 |
| `404` | 404 before acting, as from an exchange that does not have the URL |
| `401` | 401 `authorization_error`, as the recontact guide describes expired tokens |
| `expired-token` | 403 `authorization_error`, as the reference describes expired tokens |
| `stale-etag` | 412, as if somebody else had changed the resource |
| `invalid` | 400 that names the field `=V` (`Allocations`) |
| `job-fails` | the job created by this request fails |
| `job-never-ends` | the job created by this request never finishes |
| `partial` | a tenth of the upload is rejected once and accepted when resent |
| `paused-by-marketplace` | the run created by this launch is paused after six hours live |
| `unknown-status` | `status` in the reply is the word `=V` (`Archiving`) |
| `extra-fields` | objects of the reply contain an undocumented field |
| `repeated-cursor` | the next cursor is the one that was sent, or never ends |
| `short-page` | the page contains half of what it could, and its cursor continues from there |
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from starlette.types import Receive, Scope

from cint_nb.sandbox.fault_kinds import KINDS, FaultKind

FAULT_NAMES = frozenset(KINDS)
ALWAYS = 10**9
_FAULT_PATTERN = re.compile(
    r"(?P<name>[a-z0-9\-]+)@(?P<step>[a-z0-9_\-]+)"
    r"(?P<rest>(?:=[A-Za-z0-9_.\-]+|\*(?:\d{1,6}|always)|\+\d{1,6}|%\d{1,3})*)",
    re.ASCII,
)


@dataclass
class Fault:
    """One armed fault.

    Args:
        text: As it was written.
        name: What happens.
        step: Where.
        value: Its value, empty when omitted.
        remaining: How often it may still happen.
        skip: How many matching requests pass first.
        percent: Probability in percent.
        matched: Matching requests so far.
        fired: How often it has happened.
    """

    text: str
    name: str
    step: str
    value: str = ""
    remaining: int = 1
    skip: int = 0
    percent: int = 100
    matched: int = 0
    fired: int = 0

    @property
    def kind(self) -> FaultKind:
        """What it does, and when."""
        return KINDS[self.name]


def parse_fault(text: str) -> Fault:
    """Parse a fault such as `429@list*3=20`.

    Raises:
        ValueError: for an unknown name or an invalid form, with the known names.
    """
    match = _FAULT_PATTERN.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"the fault {text!r:.60} is not valid; write NAME@STEP, such as drop-reply@upload or 429@list*3"
        )
    if match["name"] not in FAULT_NAMES:
        raise ValueError(f"{match['name']!r:.40} is not a known fault; {_choices(match['name'], FAULT_NAMES)}")
    fault = Fault(text.strip(), match["name"], match["step"])
    for sign, value in re.findall(r"([=*+%])([^=*+%]+)", match["rest"]):
        if sign == "=":
            fault.value = value
        elif sign == "*":
            fault.remaining = ALWAYS if value == "always" else int(value)
        elif sign == "+":
            fault.skip = int(value)
        else:
            fault.percent = int(value)
    return fault


def _choices(given: str, known: Collection[str]) -> str:
    near = get_close_matches(given, known, n=1)
    return f"did you mean {near[0]}?" if near else f"choose from {', '.join(sorted(known))}"


class ConnectionDropped(Exception):
    """A request ends without a reply.

    Args:
        message: What happened.
        how: `refuse`, `reset`, `drop` or `read-timeout`.
    """

    def __init__(self, message: str, how: str = "drop") -> None:
        super().__init__(message)
        self.how = how

    async def apply(self, scope: Scope, receive: Receive) -> None:
        """Break the connection of a served sandbox; in process, hand the error to the transport."""
        abort = scope.get("extensions", {}).get("cint_nb.abort")
        if abort is None:
            raise self
        abort()
        while (await receive())["type"] != "http.disconnect":
            pass


@dataclass
class FaultPlan:
    """The armed faults of one sandbox, which decides request by request which of them happen.

    Args:
        texts: Faults as written.
        seed: Decides the draws of faults with a probability.
        known_steps: Steps a fault may name; empty accepts all.
    """

    texts: Iterable[str] = ()
    seed: int = 1
    known_steps: frozenset[str] = frozenset()
    armed: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        for text in self.texts:
            self.arm(text)

    def arm(self, text: str) -> Fault:
        """Arm a fault.

        Raises:
            ValueError: when it is not valid or names an unknown step.
        """
        fault = parse_fault(text)
        if self.known_steps and fault.step not in self.known_steps:
            raise ValueError(f"{fault.step!r} is not a known step; {_choices(fault.step, self.known_steps)}")
        self.armed.append(fault)
        return fault

    def clear(self) -> None:
        """Disarm everything."""
        self.armed.clear()

    def trigger(self, names: tuple[str, ...]) -> list[Fault]:
        """Return the faults that happen to a request, given the names of its operation."""
        happening = []
        for fault in self.armed:
            if fault.remaining <= 0 or not names or (fault.step != "any" and fault.step not in names):
                continue
            fault.matched += 1
            if fault.matched <= fault.skip or self._draw(fault) >= fault.percent:
                continue
            fault.remaining -= 1
            fault.fired += 1
            happening.append(fault)
        return happening

    def _draw(self, fault: Fault) -> float:
        digest = hashlib.sha256(f"{self.seed}:{fault.text}:{fault.matched}".encode()).digest()
        return int.from_bytes(digest[:4]) / 2**32 * 100
