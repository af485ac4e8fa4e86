"""`cint-nb sandbox`: serve the simulated Demand API on this machine, for other programs and for teaching."""

from __future__ import annotations

import argparse
from contextlib import suppress
from functools import partial
from pathlib import Path

from cint_nb.cli import port_number
from cint_nb.domain.errors import InputError, SettingsError
from cint_nb.domain.ids import masked_repr

SPEED_MAX = 1_000_000
"""Virtual seconds per second that a sandbox's clock takes."""
EXAMPLES = ("cint-nb sandbox", "cint-nb sandbox --speed 600 --fault drop-reply@upload", "cint-nb sandbox --students 30")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=port_number, default=8640, help="port (default 8640; 0 chooses a free one)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the population")
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument("--speed", type=_speed, help="run the clock at this multiple of real time (default 60)")
    pace.add_argument(
        "--manual",
        action="store_true",
        help="let the clock stand until its page or a waiting client moves it",
    )
    parser.add_argument(
        "--fault", type=_fault, action="append", default=[], help="inject a fault by name; may be repeated"
    )
    parser.add_argument(
        "--rule",
        type=_rule,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="what it does where no source says what the exchange does, such as expiry_status=403; may be repeated",
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


def _speed(text: str) -> float:
    """Return how fast the clock runs, once it is a speed that a clock can run at."""
    with suppress(ValueError):
        if 0 < (speed := float(text)) <= SPEED_MAX:
            return speed
    raise argparse.ArgumentTypeError(
        f"{masked_repr(text, 40)} is not a number above 0 and at most {SPEED_MAX:,}; --manual lets the clock stand"
    )


def _rule(text: str) -> str:
    """Return a rule as it was written, once it is known to be one."""
    from cint_nb.sandbox.world.rules import parse_rules

    try:
        parse_rules((text,))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def run(arguments: argparse.Namespace) -> int:
    """Print the URL and the speed, and serve until interrupted."""
    from cint_nb.sandbox.clock import SERVED_SPEED
    from cint_nb.sandbox.server import serve
    from cint_nb.sandbox.world.rules import parse_rules

    if arguments.students is None:
        how = (
            "Client id and secret: sandbox. From a notebook, set CINT_NB_BASE_URL to the URL of the API, "
            "then call cint_nb.connect()."
        )
    else:
        how = "Each student sets CINT_NB_BASE_URL and CINT_NB_TOKEN to the API and token of one row below."
    lost = "" if arguments.state else " Its state is lost when it stops; --state FILE saves it."
    speed = SERVED_SPEED if arguments.speed is None else arguments.speed
    try:
        serve(
            host=arguments.host,
            port=arguments.port,
            seed=arguments.seed,
            speed=None if arguments.manual else speed,
            faults=arguments.fault,
            state=arguments.state,
            students=arguments.students,
            rules=parse_rules(arguments.rule),
            notes=(how, f"Press Ctrl+C to stop.{lost}"),
            echo=partial(print, flush=True),  # whoever reads it through a pipe waits for the URL
        )
    except ValueError as error:
        what = error.what if isinstance(error, InputError) else f"{str(error)[:1].upper()}{str(error)[1:]}."
        raise InputError(what, next_step="correct the argument; `cint-nb sandbox --help` lists all.") from None
    except OSError as error:
        raise SettingsError(
            f"The sandbox cannot listen on {masked_repr(arguments.host)}, port {arguments.port}.",
            evidence={"reason": error.strerror},
            safe="nothing was started.",
            next_step="if another program uses the port, choose another one, such as --port 0 for any that is free; "
            "--host takes an address of this machine.",
        ) from None
    return 0
