"""The API client with a journal and progress reports: what a wave needs from the client that started it."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cint_nb.api.client import AsyncClient
from cint_nb.domain.jobs import JobHandle
from cint_nb.wave.exchange.spending import SpendGuard
from cint_nb.wave.journal.journal import EntryState, Journal, WaveKey, default_path
from cint_nb.wave.journal.payloads import JOB, StartedJobPayload
from cint_nb.wave.reporting import ReporterFactory, make_silent_reporter
from cint_nb.wire.http import Http

if TYPE_CHECKING:
    from cint_nb.sandbox.sandbox import Sandbox


_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""Spellings of this machine: one exchange must not be two for the journal."""


class JournaledClient(AsyncClient):
    """The API client with a journal, and with a guard on every call that can spend: `Client.aio` is one.

    Attributes:
        spend_guard: Asks for a budget before money can be spent, and keeps the approvals.
        reporter_factory: Creates the reporter of a step's progress; silent unless `cint_nb.connect` chose another.
    """

    reporter_factory: ReporterFactory = staticmethod(make_silent_reporter)
    _journal: Journal | None = None
    _opening = threading.Lock()
    """Two threads that use the journal first open one."""

    def __init__(self, http: Http, *, sandbox: Sandbox | None = None) -> None:
        super().__init__(http, sandbox=sandbox)
        self.spend_guard = SpendGuard(self, lambda: self.journal, self.scope)
        for resource in (self.target_groups, self.profiles, self.recontacts, self.fielding, self.reconciliations):
            resource.spend_guard = self.spend_guard
        self.recontacts.on_started = self._keep_handle

    def _keep_handle(self, handle: JobHandle, saved_before: int | None) -> None:
        """Keep the handle of a job that any call started, so that `resume_jobs` finds it after the kernel has ended."""
        key = WaveKey(self.scope, handle.project_id or "", handle.target_group_id or "")
        payload = StartedJobPayload(handle=handle, saved_before=saved_before)
        self.journal.write(key, JOB, EntryState.RUNNING, payload, batch=handle.job_id or "", at=self.clock.now())

    @property
    def journal(self) -> Journal:
        """The journal of this client, opened on first use.

        It is kept in memory where the exchange is too: with the sandbox of this process, and in a replay.

        Raises:
            JournalError: the file cannot be opened, or is no journal.
        """
        with self._opening:
            if self._journal is None:
                self._journal = Journal(None if self.http.settings.is_in_process else default_path())
            return self._journal

    @cached_property  # it stands in the key of each entry that is read, and the settings stay as they are
    def scope(self) -> str:
        """Where this client's waves run: mode, host and account."""
        url = urlsplit(self.http.settings.base_url)
        host = "127.0.0.1" if url.hostname in _LOOPBACK else url.hostname
        port = f":{url.port}" if url.port else ""
        return f"{self.mode} {url.scheme}://{host}{port}{url.path.rstrip('/')} account {self.account_id}"

    async def aclose(self) -> None:
        """Close the connection and the journal."""
        with self._opening:
            self._journal = self._journal or Journal()  # a closed client opens no file any more
            self._journal.close()
        await super().aclose()
