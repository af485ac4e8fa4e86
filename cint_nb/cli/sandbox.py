"""`cint-nb sandbox`: serve the simulated Demand API on this machine, for other programs and for teaching."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=8640, help="port (default 8640)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another population")
    parser.add_argument("--speed", type=float, help="run the clock at this multiple of real time (default: on demand)")
    parser.add_argument("--fault", action="append", default=[], help="arm a fault by name; may be given again")
    parser.add_argument("--state", type=Path, help="keep the world in this file")


def run(arguments: argparse.Namespace) -> int:
    """Print the address, and serve until interrupted."""
    from cint_nb.sandbox.server import serve

    kept = "" if arguments.state else " Its world ends with it: --state FILE keeps it."
    print("Point the notebooks at it: CINT_NB_BASE_URL=<the second address below>, then cint_nb.connect().")
    print(f"Ctrl+C ends it.{kept}")
    serve(
        host=arguments.host,
        port=arguments.port,
        seed=arguments.seed,
        speed=arguments.speed,
        faults=arguments.fault,
        state=arguments.state,
        echo=partial(print, flush=True),  # whoever reads it through a pipe waits for the address
    )
    return 0
