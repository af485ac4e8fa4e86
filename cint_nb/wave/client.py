"""The client an analyst works with: the API client, and the waves started from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from cint_nb.api.client import build_client
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.study.files.respondents import Respondents
from cint_nb.wave.journaled_client import JournaledClient
from cint_nb.wave.project_status import ProjectStatus
from cint_nb.wave.reporting import ReporterFactory, make_silent_reporter
from cint_nb.wave.wave import Wave
from cint_nb.wire.settings import wrap_secrets


class Client(JournaledClient):
    """The client an analyst works with: the API client, and the waves started from it."""

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
                same wave: rerunning it continues where it stands.
            project: Name of the project, created on first use, or the id of an existing one.
            respondents: Whom to recontact.
            plan: The target group.
            sources: Target groups of earlier waves the respondents come from; `check` then sees who is excluded.
            list_made_on: Day the list was created; `check` then sees whether reconciliation may have changed it since.
            crosswalk: RSID of each RID, such as `Crosswalk.from_frame(report)`. The exchange stores RIDs as RSIDs;
                without it, the outcome of RIDs is known by count only.

        Raises:
            PlanError: the name is too short or too long.
            WaveBusy: another process is using this wave.
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
        """Return what loads the status of all target groups of a project.

        `StatusTable(client.project_status("Brand tracker"))` shows it.

        Args:
            project: Name or id of the project.
        """
        return ProjectStatus(self, project)


def open_client(
    mode: str | None = None, *, reporter: ReporterFactory = make_silent_reporter, **settings: Any
) -> Client:
    """Connect to the sandbox, a replay or the live exchange, without showing progress.

    For scripts; notebooks use `cint_nb.connect`, which shows it.
    """
    settings = wrap_secrets(settings)
    client = build_client(mode, cls=Client, **settings)
    client.reporter_factory = reporter
    return client
