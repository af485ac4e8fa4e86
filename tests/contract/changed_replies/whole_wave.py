"""A whole wave in which every reply of one operation is changed, and what is so at its end.

Where it stops, the cells are run again with the replies as they were: it must end as if nothing had been changed.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pandas as pd
import pytest

from cint_nb.domain.errors import CintError, CintWarning, PreflightBlocked
from cint_nb.domain.jobs import JobSnapshot
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.study.files.respondents import Respondents
from cint_nb.wave.client import Client, open_client
from cint_nb.wave.wave import Wave
from cint_nb.wire.replies.shape import Presence
from tests.contract.changed_replies import endings
from tests.contract.changed_replies.changes import MOVED, Path, cells, changed, media_type
from tests.contract.openapi_documents import operation_at
from tests.faults.matrix_cells import count_objects
from tests.faults.usage_modes import NAME, PROJECT, plan_of

Bodies = dict[str, Any]
"""A JSON body of each operation of a wave."""


class ChangingTransport(httpx.AsyncBaseTransport):
    """Passes replies of the sandbox on, those of one operation changed; keeps the longest body of each.

    Args:
        inner: The sandbox's transport.
        bodies: Where bodies are kept.
        name: The operation whose replies are changed; None for none.
        change: How.
        path: Where.
    """

    def __init__(
        self, inner: httpx.AsyncBaseTransport, bodies: Bodies, name: str | None, change: str = "", path: Path = ()
    ) -> None:
        self._inner, self._bodies = inner, bodies
        self._name, self._change, self._path = name, change, path

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        reply = await self._inner.handle_async_request(request)
        content = await reply.aread()
        if request.url.path == "/oauth/token" or reply.status_code >= 300 or b"{" not in content[:1]:
            return reply
        name, body = operation_at(request.method, request.url.path.removeprefix("/v1")).name, json.loads(content)
        if len(str(body)) > len(str(self._bodies.get(name, ""))):
            self._bodies[name] = body
        if name != self._name:
            return reply
        kept = {key: value for key, value in reply.headers.items() if key not in ("content-length", "content-type")}
        other = changed(body, self._change, self._path)
        if isinstance(other, bytes):
            kept["content-type"] = media_type(other)
            return httpx.Response(reply.status_code, content=other, headers=kept)
        return httpx.Response(reply.status_code, json=other, headers=kept)


@dataclass
class WaveEnd:
    """What is so after a wave.

    Args:
        seen: What its verbs returned, by verb.
        objects: How many projects, groups, runs and jobs there are.
        stopped: The error it stopped with, while replies were changed.
        warnings: What the client warned of while they were.
        bodies: A body of each operation.
    """

    seen: dict[str, Any] = field(default_factory=dict)
    objects: dict[str, int] = field(default_factory=dict)
    stopped: CintError | None = None
    warnings: list[str] = field(default_factory=list)
    bodies: Bodies = field(default_factory=dict)


@contextmanager
def changing(bodies: Bodies, name: str | None, change: str, path: Path) -> Iterator[Callable[[], None]]:
    """Put the transport before every sandbox; yield what ends the changes."""
    plain, transports = Sandbox.transport, list[ChangingTransport]()

    def transport(sandbox: Sandbox) -> httpx.AsyncBaseTransport:
        transports.append(ChangingTransport(plain(sandbox), bodies, name, change, path))
        return transports[-1]

    def stop() -> None:
        for each in transports:
            each._name = None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sandbox, "transport", transport)
        yield stop


def run(people: Respondents, name: str | None = None, change: str = "", path: Path = ()) -> WaveEnd:
    """Run a wave in which the replies of an operation are changed, and to its end without."""
    end = WaveEnd()
    with changing(end.bodies, name, change, path) as stop, open_client("sandbox", seed=1) as client, _shown() as shown:
        try:
            live(client, people, end.seen)
        except CintError as error:
            end.stopped = error
        end.warnings = [*client.http.warning_texts, *(str(each.message) for each in shown)]
        if end.stopped is not None:
            stop()
            live(client, people, end.seen)
        end.objects = count_objects(client.sandbox.world)
    return end


@contextmanager
def _shown() -> Iterator[list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always", CintWarning)
        yield shown


def live(client: Client, people: Respondents, seen: dict[str, Any]) -> None:
    """Run the verbs of a wave that were not run yet, in their order."""
    wave = client.wave(NAME, project=PROJECT, respondents=people, plan=plan_of(client))
    verbs: dict[str, Callable[[], Any]] = {
        "check": lambda: sorted(wave.check("create", ask=True).rules()),
        "create": lambda: wave.create().project_id,
        "upload": lambda: _job(wave.upload()),
        "first outcome": lambda: wave.outcome.frame(reveal=True).to_csv(),
        "resubmit": lambda: _job(wave.resubmit()),
        "outcome": lambda: wave.outcome.frame(reveal=True).to_csv(),
        "check of the launch": lambda: sorted(wave.check("launch", ask=True).rules()),
        "launch": lambda: wave.launch(budget="100 EUR").state,
        "a day": lambda: client.pass_time(days=1),
        "status": lambda: _status(client, wave),
        "pause": lambda: _state_after(wave, wave.pause),
        "resume": lambda: _state_after(wave, wave.resume),
        "close": lambda: _state_after(wave, wave.close),
        "remove": lambda: wave.remove().state,
    }
    for verb, act in verbs.items():
        if verb not in seen:
            seen[verb] = endings.known(act())


_OF_THE_WAVE = ("state", "goal", "sent", "saved", "price_cap", "approved", "committed", "currency", "ends_at")
"""What a status shows that does not depend on when it is asked for."""


def _status(client: Client, wave: Wave) -> dict[str, Any]:
    """Return a status: what is known of it, and whether completes and cost are those of the exchange."""
    row = wave.status(trend=True).iloc[0]
    (group,) = client.sandbox.world.groups.values()
    shown: dict[str, Any] = {
        str(name): None if not isinstance(value, list) and pd.isna(value) else value for name, value in row.items()
    }
    for name, value in shown.items():
        if name not in _OF_THE_WAVE and value is not None:
            shown[name] = "known"
    true = None if row["completes"] is None else bool(row["completes"] == group.fieldwork.completes)
    return {**shown, "true completes": true}


def _state_after(wave: Wave, act: Callable[[], None]) -> str:
    act()
    return str(wave.exchange_state().state)


def _job(snapshot: JobSnapshot) -> tuple[str, int | None]:
    return str(snapshot.state), snapshot.saved_count


def wave_cells(bodies: Bodies) -> Iterator[tuple[str, str, Path]]:
    """Yield every change of every reply of a wave."""
    for name, body in bodies.items():
        for change, path in cells(body):
            yield name, change, path


def ending_of(people: Respondents, full: WaveEnd, name: str, change: str, path: Path) -> str:
    """Return how a wave with changed replies ends, or say what is wrong with it."""
    try:
        found = run(people, name, change, path)
    except CintError as error:
        return f"never ends: {type(error).__name__}: {error.what}"
    different = [verb for verb, shown in full.seen.items() if found.seen.get(verb) != shown]
    said = " ".join([str(found.stopped or ""), *found.warnings])
    if found.objects != full.objects:
        return f"{found.objects} in place of {full.objects}; {said[:200]}"
    # A reply that lacks what it may lack, or a list that may be empty, is documented: a guard then says what it misses.
    documented = endings.presence(name, path) in (Presence.OPTIONAL, None) or change == "emptied"
    if found.stopped is not None or found.warnings:
        blocked = isinstance(found.stopped, PreflightBlocked) and path[-1:] and path[-1] in said
        if not (blocked or documented or endings.names(name, path, said)):
            return f"said without a name: {said[:300]}"
        return endings.WARNED if found.stopped is None else endings.REFUSED
    if not different:
        return endings.RIGHT
    if (
        documented
        and change not in MOVED
        and all(endings.only_less(full.seen[verb], found.seen[verb]) for verb in different)
    ):
        return endings.NOT_KNOWN
    return f"silent at {different}: {full.seen[different[0]]} became {found.seen[different[0]]}"
