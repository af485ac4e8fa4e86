"""`cint-nb completion`: print what lets a shell complete commands and options."""

from __future__ import annotations

import argparse

from cint_nb.install_commands import missing_extra

EXAMPLES = ('eval "$(cint-nb completion bash)"', "cint-nb completion zsh > ~/.zfunc/_cint-nb")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"), help="the shell")


def run(arguments: argparse.Namespace) -> int:
    """Print the script of the shell."""
    from cint_nb.cli import make_parser

    try:
        import shtab
    except ImportError:
        raise missing_extra("completion", "Completion needs shtab, which is not installed here.") from None
    print(shtab.complete(make_parser(), shell=arguments.shell))
    return 0
