"""The API client with a journal and progress reports: what a wave needs from the client that started it."""

from __future__ import annotations

from cint_nb.api.client import AsyncClient
from cint_nb.wave.journal import Journal, default_path
from cint_nb.wave.reporting import ReporterFactory, make_silent_reporter


class JournaledClient(AsyncClient):
    """The API client with a journal.

    Attributes:
        reporter_factory: Creates the reporter of a step's progress; silent unless `cint_nb.connect` chose another.
    """

    reporter_factory: ReporterFactory = staticmethod(make_silent_reporter)
    _journal: Journal | None = None

    @property
    def journal(self) -> Journal:
        """The journal of this client, opened on first use.

        It is kept in memory where the exchange is too: with the sandbox of this process, and in a replay.
        """
        if self._journal is None:
            self._journal = Journal(None if self.http.settings.is_in_process else default_path())
        return self._journal

    @property
    def scope(self) -> str:
        """Where this client's waves run: mode, host and account."""
        return f"{self.mode} {self.http.settings.base_url} account {self.account_id}"

    async def aclose(self) -> None:
        """Close the connection and the journal."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        await super().aclose()
