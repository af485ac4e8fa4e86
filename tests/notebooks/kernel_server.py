"""A process that imports what notebooks import, and forks a kernel for each line it reads.

Run as a script, so that it holds nothing of the tests: what it holds, every kernel holds.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import json
import os
import runpy
import signal
import sys
import threading
from types import SimpleNamespace
from typing import NoReturn

MODULES = ("ipykernel.kernelapp", "ipywidgets", "matplotlib.pyplot", "pandas", "cint_nb")


def preload() -> None:
    """Import everything; pandas asks, while it is imported, whether it will show its frames in a kernel."""
    builtins.get_ipython = lambda: SimpleNamespace(kernel=None)  # type: ignore[attr-defined]
    modules = [importlib.import_module(name) for name in MODULES]
    for name in modules[-1].__all__:
        getattr(modules[-1], name)  # public names are loaded when they are first used
    del builtins.get_ipython  # type: ignore[attr-defined]
    assert threading.active_count() == 1, "a thread does not survive a fork"


def become_kernel(command: list[str], folder: str, environment: dict[str, str]) -> NoReturn:
    """Run a kernel in this process, which was forked for it, and end the process with it."""
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    os.close(nowhere)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment, JPY_PARENT_PID=str(os.getppid()))
    _interpreter, _dash_m, module, *arguments = command
    sys.path[0] = folder  # as `-m` does
    sys.argv = [module, *arguments, f"--IPKernelApp.parent_handle={os.getppid()}"]
    runpy.run_module(module, run_name="__main__", alter_sys=True)  # ends when the kernel is killed
    os._exit(0)


def reap(*_signal: object) -> None:
    """Take note of every kernel that has ended: nobody else waits for them."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    preload()
    signal.signal(signal.SIGCHLD, reap)
    for line in sys.stdin:
        if (pid := os.fork()) == 0:
            become_kernel(*json.loads(line))
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
