"""The client an analyst holds: everything of the API client, and waves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from cint_nb.api.client import AsyncClient, build_client
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.study.files.respondents import Respondents
from cint_nb.wave.journal import Journal, default_path
from cint_nb.wave.project_status import ProjectStatus
from cint_nb.wave.reporting import ReporterFactory, make_silent_reporter
from cint_nb.wave.wave import Wave
from cint_nb.wire.settings import Mode, wrap_secrets


class Client(AsyncClient):
    """Hold a connection and start waves from it.

    Attributes:
        reporter_factory: Makes what shows the progress of a step; silent unless `cint_nb.connect` chose another.
    """

    reporter_factory: ReporterFactory = staticmethod(make_silent_reporter)
    _journal: Journal | None = None

    @property
    def journal(self) -> Journal:
        """Return the journal of this session, opened on first use.

        It lives in memory where the exchange does too: with the sandbox of this process and with a replay.
        """
        if self._journal is None:
            self._journal = Journal(None if self._is_ephemeral else default_path())
        return self._journal

    @property
    def _is_ephemeral(self) -> bool:
        served = self.http.settings.mode is Mode.SANDBOX and "sandbox.invalid" not in self.http.settings.base_url
        return self.mode != Mode.LIVE and not served

    @property
    def scope(self) -> str:
        """Name where waves of this session run: mode, host and account."""
        return f"{self.mode} {self.http.settings.base_url} account {self.account_id}"

    def wave(
        self,
        name: str,
        *,
        project: str,
        respondents: Respondents,
        plan: TargetGroupPlan,
        sources: Sequence[TargetGroupRef] = (),
        list_made_on: date | None = None,
        crosswalk: Mapping[str, str] | None = None,
    ) -> Wave:
        """Describe one recontact wave; nothing is sent yet.

        Args:
            name: Name of the wave and of its target group, 5–128 characters. The same name in the same project is the
                same wave: running it again continues where it stands.
            project: Name of the project, created on first use, or the id of an existing one.
            respondents: Whom to recontact.
            plan: The target group.
            sources: Target groups of earlier waves the respondents come from; `check` then sees who is kept out.
            list_made_on: Day the list was made; `check` then sees whether reconciliation may have changed it since.
            crosswalk: RSID of each RID, such as `Crosswalk.of(report)`. The exchange stores RIDs as RSIDs;
                without it, the outcome of RIDs is told by counts only.

        Raises:
            PlanError: the name is too short or too long.
            WaveBusy: another process works on this wave.
        """
        return Wave(
            self,
            name,
            project=project,
            respondents=respondents,
            plan=plan,
            sources=sources,
            list_made_on=list_made_on,
            crosswalk=crosswalk,
        )

    def project_status(self, project: str) -> ProjectStatus:
        """Watch all target groups of a project: `StatusTable(client.project_status("Brand tracker"))`.

        Args:
            project: Name or id of the project.
        """
        return ProjectStatus(self, project)

    async def aclose(self) -> None:
        """Close the connection and the journal."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        await super().aclose()


def open_client(
    mode: str | None = None, *, reporter: ReporterFactory = make_silent_reporter, **settings: Any
) -> Client:
    """Connect to the sandbox, a replay or the live exchange, without showing progress.

    Serves scripts; notebooks use `cint_nb.connect`, which shows it.
    """
    settings = wrap_secrets(settings)
    session = build_client(mode, cls=Client, **settings)
    session.reporter_factory = reporter
    return session
