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

What somebody else changes between two requests is written the same way, with two more moments, `NAME@now` and
`NAME@after-STEP`: see `cint_nb.sandbox.changes_elsewhere`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from starlette.types import Receive, Scope

from cint_nb.domain.ids import printable
from cint_nb.sandbox.changes_elsewhere import CHANGES, ChangeElsewhere, ChangeName, LaggingList
from cint_nb.sandbox.draft_edits import DraftField
from cint_nb.sandbox.fault_kinds import KINDS, FaultKind, FaultName
from cint_nb.sandbox.moment import nearest
from cint_nb.sandbox.protocol.messages import Json

FAULT_NAMES = frozenset(KINDS)
"""What can break."""
CHANGE_NAMES = frozenset(CHANGES)
"""What can change elsewhere."""
ALWAYS = 10**9
NOW = "now"
_OPTION = r"=[A-Za-z0-9_.:\-]+|=\"(?:[^\"\\]|\\.)*\"|\*(?:\d{1,6}|always)|\+\d{1,6}|%\d{1,3}|#[0-9A-Z]{6,26}"
_PLAIN_VALUE = re.compile(r"[A-Za-z0-9_.:\-]+", re.ASCII)
_FAULT_PATTERN = re.compile(
    r"(?P<name>[a-z0-9\-]+)(?::(?P<argument>[a-z0-9_\-]+))?@(?P<after>after-)?(?P<step>[a-z0-9_\-]+)"
    rf"(?P<rest>(?:{_OPTION})*)",
    re.ASCII,
)


@printable
@dataclass
class Fault:
    """One armed fault.

    Args:
        text: As it was written.
        name: What happens.
        step: Where.
        value: Its value; None when omitted.
        argument: What follows the name after a colon; None without it.
        target: Id of the target group or project it is about; None without it.
        after: Whether it happens after the request, before the next.
        remaining: How often it may still happen.
        skip: How many matching requests pass first.
        percent: Probability in percent.
        matched: Matching requests so far.
        fired: How often it has happened.
        problem: Why it did not happen the last time; None when it did.
    """

    text: str
    name: str
    step: str
    value: str | None = None
    remaining: int = 1
    skip: int = 0
    percent: int = 100
    matched: int = 0
    fired: int = 0
    argument: str | None = None
    target: str | None = None
    after: bool = False
    problem: str | None = None

    @property
    def kind(self) -> FaultKind:
        """What it does, and when."""
        return KINDS.get(self.name) or CHANGES[self.name]


def write_fault(
    name: FaultName | ChangeName,
    at: str,
    argument: DraftField | LaggingList | None = None,
    *,
    value: Json = None,
    times: int = 1,
    skip: int = 0,
    target: str | None = None,
) -> str:
    """Write a fault as text, such as `429@list*3=20`.

    Args:
        name: What happens.
        at: The step at which it happens, `after-` and a step, or `now`.
        argument: The field or list it is about, where there is a choice.
        value: Its value; None for the usual one.
        times: How often it happens.
        skip: How many matching requests pass first.
        target: Id of the target group or project it is about.
    """
    text = f"{name}{f':{argument}' if argument is not None else ''}@{at}"
    if times != 1:
        text += f"*{'always' if times >= ALWAYS else times}"
    if skip:
        text += f"+{skip}"
    if target is not None:
        text += f"#{target}"
    if value is None:
        return text
    try:
        word = value if isinstance(value, str) else json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        raise ValueError(
            "the value of a fault is JSON: a text, a number, true, false, null, or lists of them"
        ) from None
    return f"{text}={word if _PLAIN_VALUE.fullmatch(word) else json.dumps(word)}"


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
    names = FAULT_NAMES | CHANGE_NAMES
    if match["name"] not in names:
        near = nearest(match["name"], names)
        raise ValueError(f"{match['name']!r:.40} is not a known fault; {near}choose from {', '.join(sorted(names))}")
    fault = Fault(text.strip(), match["name"], match["step"], argument=match["argument"], after=bool(match["after"]))
    value: str | None = None
    for option in re.findall(_OPTION, match["rest"], re.ASCII):
        sign, written = option[0], option[1:]
        if sign == "=":
            value = str(json.loads(written)) if written[0] == '"' else written
        elif sign == "*":
            fault.remaining = ALWAYS if written == "always" else int(written)
        elif sign == "+":
            fault.skip = int(written)
        elif sign == "#":
            fault.target = written
        else:
            fault.percent = int(written)
    fault.value = value
    _check_form(fault, value)
    return fault


def _check_form(fault: Fault, value: str | None) -> None:
    """Raise ValueError for what only changes elsewhere may have, and for arguments that these do not know."""
    kind = fault.kind
    if isinstance(kind, ChangeElsewhere):
        kind.check(fault.argument, value)
    elif fault.argument is not None or fault.target is not None or fault.after or fault.step == NOW:
        raise ValueError(f"the fault {fault.name} happens to requests; write {fault.name}@STEP, such as @upload")


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
        change_now: Makes a change that is to happen at once; ValueError when it cannot.
    """

    texts: Iterable[str] = ()
    seed: int = 1
    known_steps: frozenset[str] = frozenset()
    change_now: Callable[[Fault], None] | None = None
    armed: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        for text in self.texts:
            self.arm(text)

    def arm(self, text: str) -> Fault:
        """Arm a fault; a change `@now` has happened when this returns.

        Raises:
            ValueError: when it is not valid, names an unknown step, or is a change that cannot happen now.
        """
        fault = parse_fault(text)
        if fault.step == NOW:
            if self.change_now is None:
                raise ValueError("nothing exists yet that could change now; name a step, such as @launch")
            fault.remaining = 0
            self.change_now(fault)
            fault.fired = 1
        elif self.known_steps and fault.step not in self.known_steps:
            near = nearest(fault.step, self.known_steps)
            raise ValueError(
                f"{fault.step!r} is not a known step; {near}choose from {', '.join(sorted(self.known_steps))}"
            )
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
