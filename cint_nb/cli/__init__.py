"""The command line: `cint-nb demo | lab | check | journal | doctor | sandbox | record`.

Knows: arguments, exit codes, and how to print.
May import: every room; the sandbox only inside the commands that need it.
Gives out: `main`. Exit codes: 0 done, 1 something failed, 2 the input or the arguments are wrong, 130 interrupted, 141
whoever read the output has closed it, as `| head` does.
"""

from __future__ import annotations

import argparse
import importlib
import io
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from cint_nb.domain.errors import CintError, CintWarning, InputError

_COMMANDS = ("demo", "lab", "check", "journal", "doctor", "sandbox", "record")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console that knows few signs shows question marks for others
            stream.reconfigure(errors="replace")
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(
        prog="cint-nb",
        description="Recontact earlier survey respondents through the Cint Exchange.",
        epilog="Exit codes: 0 done, 1 something failed, 2 the input or the arguments are wrong.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    # Only the command that runs is loaded: checking a file must not wait for a web server to be imported.
    for name in [words[0]] if words[:1] and words[0] in _COMMANDS else _COMMANDS:
        module = importlib.import_module(f"cint_nb.cli.{name}")
        summary = (module.__doc__ or "").splitlines()[0].partition(": ")[2]
        command = commands.add_parser(name, help=summary, description=summary)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    chosen = parser.parse_args(words)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", CintWarning)
            show_others = warnings.showwarning

            def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
                if issubclass(category, CintWarning):
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
