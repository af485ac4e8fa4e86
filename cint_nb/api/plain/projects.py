"""Projects as plain verbs."""

# Generated from cint_nb/api/resources/projects.py by `nox -s plain`; change that file instead.

from __future__ import annotations

import builtins

from cint_nb.api.resources import projects
from cint_nb.domain.target_groups import Project, ProjectOverview, ProjectSummary
from cint_nb.wire import loop_thread


class Projects:
    """The projects of the account: create, read and list them."""

    def __init__(self, aio: projects.Projects) -> None:
        self._aio = aio

    def create(
        self, name: str, project_manager_id: str, *, reference: str | None = None, idempotency_key: str | None = None
    ) -> Project:
        """Create a project and wait until it can be read.

        Args:
            name: Name of the project, 5–128 characters.
            project_manager_id: UUID of the project manager.
            reference: Your own reference number: letters, digits, spaces, `-` and `_`.
            idempotency_key: The same key never creates a second project; a new one if omitted.

        Raises:
            BadRequest: the exchange rejects fields, which the error names.
            TransportError: the reply was lost; `evidence` contains the idempotency key with which to call this again.
            CintError: the project was accepted but could not be read, usually `NotFound` for two minutes; `evidence`
                contains its id.

        Serves `POST …/projects`, which accepts first and creates later.

        Example:
            >>> project = client.projects.create("Brand tracker", cint.sandbox.PROJECT_MANAGER_ID)
            >>> project.name
            'Brand tracker'
        """
        return loop_thread.run(
            self._aio.create(name, project_manager_id, reference=reference, idempotency_key=idempotency_key)
        )

    def get(self, project_id: str) -> Project:
        """Read a project; `GET …/projects/{project_id}`.

        Example:
            >>> client.projects.get(ref.project_id).name
            'Brand tracker'
        """
        return loop_thread.run(self._aio.get(project_id))

    def overview(self, project_id: str) -> ProjectOverview:
        """Read a project with its metrics; `GET …/projects/{project_id}/overview`.

        Example:
            >>> statistics = client.projects.overview(ref.project_id).statistics
            >>> statistics.current_completes, statistics.filling_goal
            (13, 20)
        """
        return loop_thread.run(self._aio.overview(project_id))

    def list(
        self,
        *,
        name: str | None = None,
        search: str | None = None,
        status: str | None = None,
        project_manager_id: str | None = None,
        whole: bool = False,
    ) -> builtins.list[ProjectSummary]:
        """List the account's projects.

        Args:
            name: Only projects with this name.
            search: Only projects that match this text.
            status: `active` or `inactive`.
            project_manager_id: Only projects of this manager.
            whole: Raise `UnexpectedReply` if the list was truncated, instead of warning.

        Serves `GET …/projects`.

        Example:
            >>> project = client.projects.create("Brand tracker", cint.sandbox.PROJECT_MANAGER_ID)
            >>> [each.name for each in client.projects.list(search="brand")]
            ['Brand tracker']
        """
        return loop_thread.run(
            loop_thread.collect(
                self._aio.list(
                    name=name, search=search, status=status, project_manager_id=project_manager_id, whole=whole
                )
            )
        )
