"""Kernels forked from one process that has imported what notebooks import: each begins clean, none imports again.

A kernel is what `ipykernel` starts in any process; only the seconds of importing pandas and the package are shared.
`jupyter_client` launches kernels through provisioners, and the one here is put in the place of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

NAME = "preloaded"
SERVER = Path(__file__).with_name("kernel_server.py")


class KernelServer:
    """The process that has imported everything, and forks."""

    def __init__(self) -> None:
        # The backend is what ipykernel would choose; matplotlib reads the variable while it is imported.
        environment = os.environ | {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
        self._process = subprocess.Popen(
            [sys.executable, SERVER], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def fork(self, command: list[str], folder: str, environment: dict[str, str]) -> int:
        """Start a kernel and return its process id.

        Args:
            command: As a kernel specification gives it: an interpreter, a module, its arguments.
            folder: Where the kernel works.
            environment: All its variables.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([command, folder, environment]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End the process; its kernels notice, and end too."""
        self._process.communicate()


class ForkedProcess:
    """As much of `subprocess.Popen` as a provisioner uses, for a process that is no child of this one."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def poll(self) -> int | None:
        """Return None while the process runs; how it ended is not known here."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return 0
        return None

    def wait(self) -> int | None:
        """Return what `poll` does: a provisioner asks only after the end."""
        return self.poll()

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)


class PreloadedProvisioner(LocalProvisioner):
    """Launch kernels by forking the server's process."""

    server: KernelServer

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        if stream := kwargs.get("stderr"):
            stream.close()  # nbval opens one for each kernel and leaves it so
        self.cwd = kwargs.get("cwd") or Path.cwd()
        self.pid = self.pgid = self.server.fork(cmd, str(self.cwd), kwargs["env"])
        self.process = ForkedProcess(self.pid)  # type: ignore[assignment]  # as much of a Popen as is used
        return self.connection_info


@contextlib.contextmanager
def preloaded_kernels() -> Iterator[None]:
    """Let every kernel that starts within the block be forked from one process."""
    factory = KernelProvisionerFactory.instance()
    PreloadedProvisioner.server = KernelServer()
    with pytest.MonkeyPatch.context() as patch:
        entry = EntryPoint(NAME, f"{__name__}:{PreloadedProvisioner.__name__}", factory.GROUP_NAME)
        patch.setitem(factory.provisioners, NAME, entry)
        patch.setattr(factory, "default_provisioner_name", NAME)
        try:
            yield
        finally:
            PreloadedProvisioner.server.close()
