"""The control API of the people: how they behave, shown and switched under `/sandbox/people`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cint_nb.sandbox.http.control_api import error_response, read_limited_body
from cint_nb.sandbox.protocol.messages import JsonObject
from cint_nb.sandbox.world.missingness import MECHANISMS, Missingness
from cint_nb.sandbox.world.population import PopulationParameters
from cint_nb.sandbox.world.settings import read_settings
from cint_nb.sandbox.world.world import World

_PARTS = ("population", "missingness")


class Switchable(Protocol):
    """Protocol for a sandbox whose people can be switched."""

    world: World

    def switch(self, missingness: Missingness | None = None, population: PopulationParameters | None = None) -> None:
        """Let people behave in another way."""
        ...


def people_to_json(world: World) -> JsonObject:
    """Return how people behave now as JSON, with every setting."""
    return {
        "population": asdict(world.population.parameters),
        "missingness": asdict(world.population.missingness),
    }


def switch_people(sandbox: Switchable, body: Any) -> None:
    """Change some settings and leave the others as they are.

    Args:
        sandbox: The sandbox.
        body: Settings by name under `population` and `missingness`; under the latter also the name of a mechanism,
            `none`, `mcar`, `mar` or `mnar`, which replaces all switches.

    Raises:
        ValueError: for a name or value that is not valid.
    """
    if not isinstance(body, dict):
        raise ValueError("write an object with settings by name")  # noqa: TRY004 - the caller's text, not a bug
    for part in body:
        if part not in _PARTS:
            raise ValueError(f"{part!r:.60} cannot be switched; write {' or '.join(_PARTS)}")
    known = sandbox.world.population
    wanted = body.get("missingness", {})
    if isinstance(wanted, str):
        if wanted not in MECHANISMS:
            raise ValueError(f"{wanted!r:.60} is no mechanism; choose from {', '.join(MECHANISMS)}")
        missingness = MECHANISMS[wanted]()
    else:
        missingness = read_settings(Missingness, wanted, known.missingness)
    sandbox.switch(missingness, read_settings(PopulationParameters, body.get("population", {}), known.parameters))


def people_routes(sandbox: Switchable) -> list[Route]:
    """Return the routes that show and switch how people behave."""

    async def people(request: Request) -> Response:
        if request.method == "PATCH":
            try:
                switch_people(sandbox, json.loads(await read_limited_body(request)))
            except (ValueError, RecursionError) as error:
                return error_response(error)
        return JSONResponse(people_to_json(sandbox.world))

    return [Route("/sandbox/people", people, methods=["GET", "PATCH"])]
