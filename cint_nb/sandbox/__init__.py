"""The sandbox: a simulated Demand API to practise on.

Knows: the rules of both guides, a population of respondents, and time that can be advanced. It speaks JSON only.
May import: domain.limits and domain.ids, lazy_names, Starlette, python-multipart, uvicorn with h11, httpx for its
transport and its remote clock; never our models or our client.
Gives out: `Sandbox`, a simulated exchange in this process; `ServedSandbox`, the same over HTTP;
`write_sample`, a respondent file with realistic dirt; `FAULT_NAMES`, what can go wrong on purpose; `CHANGE_NAMES`,
what others can change, with `field_edits()` for each field; `PopulationParameters`, the parameters of people's
behaviour, and `Missingness`, what decides who is missing; `ExchangeRules`, what the exchange does where no source says
it; and `BUSINESS_UNIT_ID` and `PROJECT_MANAGER_ID`, which a plan for the sandbox needs.

A request goes through `http.asgi` (faults are injected here) and `http.dispatch` to the handler that `http.routes`
names; handlers read and change the `World`. What is due by then happens first, in `simulation`. One `World` contains
all state, and none of it depends on when somebody polls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cint_nb.lazy_names import load_name

if TYPE_CHECKING:
    from cint_nb.sandbox.changes_elsewhere import field_edits as field_edits
    from cint_nb.sandbox.faults import CHANGE_NAMES as CHANGE_NAMES
    from cint_nb.sandbox.faults import FAULT_NAMES as FAULT_NAMES
    from cint_nb.sandbox.sample import write_sample as write_sample
    from cint_nb.sandbox.sandbox import BUSINESS_UNIT_ID as BUSINESS_UNIT_ID
    from cint_nb.sandbox.sandbox import PROJECT_MANAGER_ID as PROJECT_MANAGER_ID
    from cint_nb.sandbox.sandbox import Sandbox as Sandbox
    from cint_nb.sandbox.server import ServedSandbox as ServedSandbox
    from cint_nb.sandbox.world.missingness import Missingness as Missingness
    from cint_nb.sandbox.world.population import PopulationParameters as PopulationParameters
    from cint_nb.sandbox.world.rules import ExchangeRules as ExchangeRules

_HOMES = {
    "BUSINESS_UNIT_ID": "cint_nb.sandbox.sandbox",
    "CHANGE_NAMES": "cint_nb.sandbox.faults",
    "ExchangeRules": "cint_nb.sandbox.world.rules",
    "FAULT_NAMES": "cint_nb.sandbox.faults",
    "Missingness": "cint_nb.sandbox.world.missingness",
    "PROJECT_MANAGER_ID": "cint_nb.sandbox.sandbox",
    "PopulationParameters": "cint_nb.sandbox.world.population",
    "Sandbox": "cint_nb.sandbox.sandbox",
    "ServedSandbox": "cint_nb.sandbox.server",
    "field_edits": "cint_nb.sandbox.changes_elsewhere",
    "write_sample": "cint_nb.sandbox.sample",
}

__all__ = [
    "BUSINESS_UNIT_ID",
    "CHANGE_NAMES",
    "FAULT_NAMES",
    "PROJECT_MANAGER_ID",
    "ExchangeRules",
    "Missingness",
    "PopulationParameters",
    "Sandbox",
    "ServedSandbox",
    "field_edits",
    "write_sample",
]


def __getattr__(name: str) -> Any:
    """Load a name from its home on first use, so that importing this room does not load Starlette."""
    return load_name(__name__, name, _HOMES)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
