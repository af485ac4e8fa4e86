"""Projects: create, read, list."""

from __future__ import annotations

from collections.abc import AsyncIterator

from cint_nb.api import operations as ops
from cint_nb.api.parsing import parse, parse_created_id, parse_item
from cint_nb.domain import limits
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import CintError, NotFound, RateLimited, ServerError, TransportError, UnexpectedReply
from cint_nb.domain.target_groups import Project, ProjectOverview, ProjectSummary
from cint_nb.wire.http import Http
from cint_nb.wire.pages import iter_items

_TRANSIENT_ERRORS = (NotFound, TransportError, ServerError, RateLimited, UnexpectedReply)
"""Errors that reading a project which was just accepted may meet until it can be read."""


@check_arguments()
class Projects:
    """The projects of the account: create, read and list them."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def create(
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
        key = idempotency_key or self._http.token_factory.uuid()
        body = {"name": name, "project_manager_id": project_manager_id}
        if reference is not None:
            body["project_customer_reference_number"] = reference
        call = ops.CREATE_PROJECT.make_call(json=body, idempotency_key=key)
        try:
            try:
                project_id = parse_created_id(await self._http.send(call), "id", "project_id", ulid=True)
            except UnexpectedReply:  # the key makes a second request harmless
                project_id = parse_created_id(await self._http.send(call), "id", "project_id", ulid=True)
        except (TransportError, ServerError, UnexpectedReply) as error:
            error.evidence["idempotency_key"] = key
            raise
        return await self._wait_until_readable(project_id)

    async def get(self, project_id: str) -> Project:
        """Read a project; `GET …/projects/{project_id}`.

        Example:
            >>> client.projects.get(ref.project_id).name
            'Brand tracker'
        """
        return parse(Project, await self._http.send(ops.GET_PROJECT.make_call({"project_id": project_id})))

    async def overview(self, project_id: str) -> ProjectOverview:
        """Read a project with its metrics; `GET …/projects/{project_id}/overview`.

        Example:
            >>> statistics = client.projects.overview(ref.project_id).statistics
            >>> statistics.current_completes, statistics.filling_goal
            (13, 20)
        """
        return parse(ProjectOverview, await self._http.send(ops.PROJECT_OVERVIEW.make_call({"project_id": project_id})))

    async def list(
        self,
        *,
        name: str | None = None,
        search: str | None = None,
        status: str | None = None,
        project_manager_id: str | None = None,
        whole: bool = False,
    ) -> AsyncIterator[ProjectSummary]:
        """Iterate over the account's projects.

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
        query = {
            # The parameter `name` is deprecated, also finds similar names, and is ignored beside a search.
            "search_string": search or name,
            "status": status,
            "project_manager_id": project_manager_id,
        }
        call = ops.LIST_PROJECTS.make_call(query=query)
        async for row in iter_items(self._http, call, items_key="projects", complete=whole):
            project = parse_item(ProjectSummary, row, call)
            if name is None or project.name == name:
                yield project

    async def _wait_until_readable(self, project_id: str) -> Project:
        """Return an accepted project once it can be read; any error raised states that it was accepted.

        The time limit counts only the pauses made here: a clock may jump, and a computer may sleep in between.
        """
        waited, pause = 0.0, 0.5
        while True:
            try:
                return await self.get(project_id)
            except CintError as error:
                if not isinstance(error, _TRANSIENT_ERRORS) or waited >= limits.PROJECT_READY_SECONDS:
                    error.evidence["project_id"] = project_id
                    error.safe = "the project was accepted but cannot be read yet."
                    error.next_step = "read it later with client.projects.get(project_id); do not create it again."
                    raise
            await self._http.sleep(pause)
            waited += pause
            pause = min(2 * pause, 8.0)
