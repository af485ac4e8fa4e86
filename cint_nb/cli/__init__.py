"""The command line: `cint-nb demo | lab | check | journal | doctor | sandbox | record | completion`.

Knows: arguments, exit codes, and how to print.
May import: every room; the sandbox only inside the commands that need it.
Gives out: `main`, `make_parser`, and the names of commands and exit codes.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import io
import os
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NoReturn

import cint_nb
from cint_nb.cli.progress import clear_line
from cint_nb.domain.errors import CintError, CintWarning, InputError
from cint_nb.domain.ids import masked_repr

COMMANDS = ("demo", "lab", "check", "journal", "doctor", "sandbox", "record", "completion")
EXIT_CODES = {
    0: "done",
    1: "something failed",
    2: "the input or the arguments are wrong",
    130: "interrupted",
    141: "whoever read the output has closed it, as `| head` does",
}
_EXAMPLES = ("cint-nb demo", "cint-nb lab", "cint-nb check people.csv --entity-type RSID", "cint-nb doctor")


class _Parser(argparse.ArgumentParser):
    """A parser that says which command or option was nearly meant."""

    def error(self, message: str) -> NoReturn:
        """Print the error with a suggestion, and end with 2."""
        hint = ""
        if wrong := re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message, re.DOTALL):
            hint = _nearest(wrong[1], re.findall(r"[\w-]+", wrong[2]))
        elif wrong := re.search(r"unrecognized arguments: (--[\w-]+)", message):
            hint = _nearest(wrong[1], [each for each in self._option_string_actions if each.startswith("--")])
        super().error(f"{message}{hint}")

    def parse_known_args(self, *arguments: Any, **named: Any) -> Any:
        """Parse, and let a command say itself what it does not know, with its own usage and what was nearly meant."""
        found, unknown = super().parse_known_args(*arguments, **named)
        if unknown and self.get_default("run") is not None:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown


def _nearest(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {near[0]}?" if near else ""


def make_parser(names: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """Return the parser of some commands, by default of all."""
    parser = _Parser(
        prog="cint-nb",
        description="Recontact earlier survey respondents through the Cint Exchange.",
        epilog=_epilog(_EXAMPLES, EXIT_CODES) + "\n\nSettings come from variables too: `cint-nb doctor` shows all.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"cint-nb {cint_nb.__version__}", help="print the version and end"
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", parser_class=_Parser)
    for name in names:
        module = importlib.import_module(f"cint_nb.cli.{name}")
        summary = (module.__doc__ or "").splitlines()[0].partition(": ")[2]
        codes = getattr(module, "EXIT_CODES", {code: EXIT_CODES[code] for code in (0, 1, 2)})
        command = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[:1].upper()}{summary[1:]}",
            epilog=_epilog(module.EXAMPLES, codes),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def _commands_for(words: list[str]) -> Sequence[str]:
    """Return the commands to load: neither the version nor the check of a file waits for all that others need."""
    if words == ["--version"]:
        return ()
    return words[:1] if words and words[0] in COMMANDS else COMMANDS


def _epilog(examples: Sequence[str], codes: dict[int, str]) -> str:
    lines = ["examples:", *(f"  {each}" for each in examples), "", "exit codes:"]
    return "\n".join([*lines, *(f"  {code:<4} {meaning}" for code, meaning in codes.items())])


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return what reads a whole number between two bounds, for the `type` of an argument.

    Args:
        low: The lowest that is taken.
        high: The highest.
    """

    def read(text: str) -> int:
        with suppress(ValueError):
            if low <= (number := int(text)) <= high:
                return number
        raise argparse.ArgumentTypeError(f"{masked_repr(text, 40)} is not a whole number from {low:,} to {high:,}")

    return read


port_number = whole_number(0, 65_535)
"""Reads the number of a port; 0 lets the system choose."""


def use_colour() -> bool:
    """Return whether to print in colour: on a terminal, and unless the user asked for none."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console that knows few signs shows question marks for others
            stream.reconfigure(errors="replace")
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = make_parser(_commands_for(words))
    if not words:
        parser.print_help(sys.stderr)
        return 2
    chosen = parser.parse_args(words)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", CintWarning)
            show_others = warnings.showwarning

            def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
                if issubclass(category, CintWarning):
                    clear_line()
                    print(f"warning: {message}", file=sys.stderr)
                else:
                    show_others(message, category, *rest, **more)

            warnings.showwarning = show
            code = int(chosen.run(chosen) or 0)
            sys.stdout.flush()
    except BrokenPipeError:
        with suppress(BrokenPipeError):  # else Python would write what is left when it ends, and complain then
            sys.stdout.close()
        return 141
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except CintError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt as stop:
        print(stop or "Stopped.", file=sys.stderr)
        return 130
    return code
