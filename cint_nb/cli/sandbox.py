"""`cint-nb sandbox`: serve the simulated Demand API on this machine, for other programs and for teaching."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from cint_nb.domain.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=8640, help="port (default 8640)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the population")
    parser.add_argument(
        "--speed", type=float, help="run the clock at this multiple of real time (default: only when advanced)"
    )
    parser.add_argument(
        "--fault", type=_fault, action="append", default=[], help="inject a fault by name; may be repeated"
    )
    parser.add_argument(
        "--students", type=int, metavar="N", help="give each of N students a token and an account of their own"
    )
    parser.add_argument("--state", type=Path, help="save the sandbox's state in this file")


def _fault(text: str) -> str:
    """Return a fault as it was written, once it is known to be one."""
    from cint_nb.sandbox.faults import FaultPlan
    from cint_nb.sandbox.sandbox import FAULT_STEPS

    try:
        FaultPlan((text,), known_steps=FAULT_STEPS)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def run(arguments: argparse.Namespace) -> int:
    """Print the URL, and serve until interrupted."""
    from cint_nb.sandbox.server import serve

    state_note = "" if arguments.state else " Its state is lost when it stops; --state FILE saves it."
    if arguments.students is None:
        print("To use it from a notebook, set CINT_NB_BASE_URL to the second URL below, then call cint_nb.connect().")
    else:
        print("Each student sets CINT_NB_BASE_URL and CINT_NB_TOKEN to the API and token of one row below.")
    print(f"Press Ctrl+C to stop.{state_note}")
    try:
        serve(
            host=arguments.host,
            port=arguments.port,
            seed=arguments.seed,
            speed=arguments.speed,
            faults=arguments.fault,
            state=arguments.state,
            students=arguments.students,
            echo=partial(print, flush=True),  # whoever reads it through a pipe waits for the URL
        )
    except ValueError as error:
        raise InputError(f"{error}.", next_step="correct the argument; `cint-nb sandbox --help` lists all.") from None
    return 0
