"""The Starlette app of a sandbox: the exchange under `/v1`, the token, the description, the control room, the page."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from cint_nb.sandbox.control import Held, control_routes
from cint_nb.sandbox.description import describe
from cint_nb.sandbox.door import Door
from cint_nb.sandbox.gate import Gate
from cint_nb.sandbox.page import page_routes


def build_app(sandbox: Held, hosts: frozenset[str] = frozenset()) -> Starlette:
    """Build the app of a sandbox.

    Args:
        sandbox: The sandbox.
        hosts: Further host names it answers to, besides those of this machine.
    """
    door = Door(sandbox.dispatcher, sandbox.clock, sandbox.faults)

    async def openapi(_request: Request) -> Response:
        return JSONResponse(describe())  # only here: it takes longer than all else a new sandbox does

    return Starlette(
        routes=[
            Mount("/v1", app=door),
            Route("/oauth/token", door, methods=None),
            Route("/openapi.json", openapi),
            *control_routes(sandbox),
            *page_routes(sandbox),
        ],
        middleware=[Middleware(Gate, hosts=hosts)],
    )
