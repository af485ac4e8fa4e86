"""One journey of the client through the sandbox in process, with everything that went over the wire."""

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
from tests.contract.capturing_transport import Capture
from tests.contract.fallback_requests import take_detours
from tests.contract.tour import take_tour
from tests.contract.tour_state import Traveller
from tests.contract.validator import HttpCall

RESOURCES = ("projects", "target_groups", "recontacts", "exclusions", "fielding", "reports", "definitions")


@dataclass(frozen=True)
class Journey:
    """Hold what a journey gave.

    Args:
        values: What the client's methods returned, by step of the tour.
        exchanges: What went over the wire, each different one once.
        asked: The public methods that were used, as `resource.method`.
        methods: The public methods there are.
    """

    values: dict[str, Any]
    exchanges: tuple[HttpCall, ...]
    asked: frozenset[str]
    methods: frozenset[str]


def travel() -> Journey:
    """Take the tour and all detours."""
    sandbox = Sandbox(seed=1)
    capture = Capture(sandbox.transport())
    settings = Settings.load("sandbox", environ={})
    asked: set[str] = set()
    with AsyncClient(
        Http(settings, transport=capture, clock=sandbox.clock, token_factory=SeededTokenFactory("1"))
    ) as client:
        methods = {
            f"{name}.{method}" for name in RESOURCES for method in _watch(getattr(client, name), name, asked.add)
        }
        traveller = Traveller(client)
        values = client.run(take_tour(traveller))
        client.run(take_detours(traveller, capture, sandbox))
    different = {exchange.key: exchange for exchange in capture.exchanges}
    return Journey(values, tuple(different.values()), frozenset(asked), frozenset(methods))


def _watch(resource: Any, name: str, note: Callable[[str], None]) -> list[str]:
    """Note each use of a public method of a resource from outside or inside; return their names."""
    methods = [
        method
        for method in dir(type(resource))
        if not method.startswith("_")
        and any(kind(getattr(type(resource), method)) for kind in (isfunction, iscoroutinefunction, isasyncgenfunction))
    ]
    for method in methods:
        plain = getattr(resource, method)

        def noting(*args: Any, _plain: Any = plain, _name: str = f"{name}.{method}", **more: Any) -> Any:
            note(_name)
            return _plain(*args, **more)

        setattr(resource, method, noting)
    return methods
