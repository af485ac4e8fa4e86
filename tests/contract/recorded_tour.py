"""One tour of the client through the in-process sandbox, with every call that was sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import isasyncgenfunction, iscoroutinefunction, isfunction
from typing import Any

from cint_nb.api.client import AsyncClient
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.wire.http import Http
from cint_nb.wire.settings import Settings
from cint_nb.wire.token_factory import SeededTokenFactory
from tests.contract.capturing_transport import CapturingTransport
from tests.contract.fallback_requests import run_detours
from tests.contract.tour import run_tour
from tests.contract.tour_state import TourState
from tests.contract.validator import HttpCall

RESOURCES = (
    "projects",
    "target_groups",
    "recontacts",
    "exclusions",
    "fielding",
    "reports",
    "reconciliations",
    "definitions",
    "profiles",
    "prices",
)


@dataclass(frozen=True)
class RecordedTour:
    """The results and the calls of one tour.

    Args:
        values: What the client's methods returned, by step of the tour.
        calls: The calls that were sent, each different one once.
        used_methods: The public methods that were used, as `resource.method`.
        methods: All public methods.
    """

    values: dict[str, Any]
    calls: tuple[HttpCall, ...]
    used_methods: frozenset[str]
    methods: frozenset[str]


def record_tour() -> RecordedTour:
    """Run the tour and all detours, and return what they gave."""
    sandbox = Sandbox(seed=1)
    transport = CapturingTransport(sandbox.transport())
    settings = Settings.load("sandbox", environ={})
    used: set[str] = set()
    with AsyncClient(
        Http(settings, transport=transport, clock=sandbox.clock, token_factory=SeededTokenFactory("1"))
    ) as client:
        methods = {
            f"{name}.{method}" for name in RESOURCES for method in _observe(getattr(client, name), name, used.add)
        }
        state = TourState(client)
        values = client.run(run_tour(state))
        client.run(run_detours(state, transport, sandbox))
    different = {call.key: call for call in transport.calls}
    return RecordedTour(values, tuple(different.values()), frozenset(used), frozenset(methods))


def _observe(resource: Any, name: str, report: Callable[[str], None]) -> list[str]:
    """Report each use of a public method of a resource, internal ones included; return the names of these methods."""
    methods = [
        method
        for method in dir(type(resource))
        if not method.startswith("_")
        and any(kind(getattr(type(resource), method)) for kind in (isfunction, iscoroutinefunction, isasyncgenfunction))
    ]
    for method in methods:
        plain = getattr(resource, method)

        def observed(*args: Any, _plain: Any = plain, _name: str = f"{name}.{method}", **more: Any) -> Any:
            report(_name)
            return _plain(*args, **more)

        setattr(resource, method, observed)
    return methods
