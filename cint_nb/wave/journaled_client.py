"""The API client with a journal and progress reports: what a wave needs from the client that started it."""

from __future__ import annotations

import threading

from cint_nb.api.client import AsyncClient
from cint_nb.wave.journal import Journal, default_path
from cint_nb.wave.reporting import ReporterFactory, make_silent_reporter
from cint_nb.wire.settings import Mode


class JournaledClient(AsyncClient):
    """The API client with a journal.

    Attributes:
        reporter_factory: Creates the reporter of a step's progress; silent unless `cint_nb.connect` chose another.
    """

    reporter_factory: ReporterFactory = staticmethod(make_silent_reporter)
    _journal: Journal | None = None
    _opening = threading.Lock()
    """Two threads that use the journal first open one."""

    @property
    def journal(self) -> Journal:
        """The journal of this client, opened on first use.

        It is kept in memory where the exchange is too: with the sandbox of this process, and in a replay.

        Raises:
            JournalError: the file cannot be opened, or is no journal.
        """
        with self._opening:
            if self._journal is None:
                self._journal = Journal(None if self._is_ephemeral else default_path())
            return self._journal

    @property
    def _is_ephemeral(self) -> bool:
        served = self.http.settings.mode is Mode.SANDBOX and "sandbox.invalid" not in self.http.settings.base_url
        return self.mode != Mode.LIVE and not served

    @property
    def scope(self) -> str:
        """Where this client's waves run: mode, host and account."""
        return f"{self.mode} {self.http.settings.base_url} account {self.account_id}"

    async def aclose(self) -> None:
        """Close the connection and the journal."""
        with self._opening:
            self._journal = self._journal or Journal()  # a closed client opens no file any more
            self._journal.close()
        await super().aclose()
