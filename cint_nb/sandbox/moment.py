"""The moment at which somebody else changes something: what it is about, and how a colleague acts."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import cast

from cint_nb.domain import limits
from cint_nb.sandbox.draft_edits import DraftField, edited
from cint_nb.sandbox.protocol.messages import Json, JsonObject, Request, Response, to_json
from cint_nb.sandbox.world.entities import FieldingRun, Project, TargetGroup
from cint_nb.sandbox.world.id_store import to_id_bytes
from cint_nb.sandbox.world.population import UploadResult
from cint_nb.sandbox.world.world import World

_DETAILS: tuple[DraftField, ...] = (
    "name",
    "project_manager_id",
    "expected_length_of_interview_minutes",
    "expected_incidence_rate",
    "industry_lockout_code",
    "live_url",
    "test_url",
    "target_group_customer_reference_number",
    "client_cost_per_interview_note",
)
_BOUNDARY = "cint-nb-sandbox-colleague"


class Sender(StrEnum):
    """Who sent a request: a client, a colleague in the web interface, or another machine of the same user."""

    CLIENT = "client"
    COLLEAGUE = "colleague"
    MACHINE = "machine"


class ChangeRefused(ValueError):
    """A change that the state of the exchange does not allow."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the question after a name that was nearly meant; nothing when none is near."""
    names = sorted(known)
    near = [name for name in names if len(word) > 2 and word in name] or difflib.get_close_matches(word, names, 1)
    return f"did you mean {near[0]}? " if near else ""


@dataclass
class Moment:
    """The moment at which something changes, and what a person can do then.

    Args:
        world: The world.
        t: The time, in virtual seconds.
        act: Sends a request to the exchange; ApiError when it is rejected.
        stop_replica: Lets the next reads of an operation be answered from the state of this moment.
        argument: What follows the name of the fault after a colon; None without it.
        value: The value it was written with; None without it.
        target: The id of the target group that is meant; None for the one of the request.
        request: The request at which it happens; None for a change that happens by itself.
    """

    world: World
    t: float
    act: Callable[[Request, Sender], Response]
    stop_replica: Callable[[str, int], None]
    argument: str | None = None
    value: str | None = None
    target: str | None = None
    request: Request | None = None
    _path: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._path = self.request.path_params if self.request is not None else {}

    @property
    def group(self) -> TargetGroup:
        """The target group it is about.

        Raises:
            ChangeRefused: when there is none.
        """
        groups = self.world.groups
        if self.target is not None:
            known = [group for group in groups.values() if self.target in (group.id, group.human_readable_id)]
        elif self._path.get("target_group_id") in groups:
            return groups[self._path["target_group_id"]]
        else:
            project = self._path.get("project_id")
            known = [group for group in groups.values() if project in (None, group.project_id)]
        if not known:
            raise ChangeRefused(f"there is no target group{f' {self.target}' if self.target else ''} yet")
        return max(known, key=lambda group: group.id)

    @property
    def project(self) -> Project:
        """The project it is about.

        Raises:
            ChangeRefused: when there is none.
        """
        projects = self.world.projects
        if self.target is None and self._path.get("project_id") in projects:
            return projects[self._path["project_id"]]
        if self.target in projects:
            return projects[self.target]
        if self.target is not None or self.world.groups:
            return projects[self.group.project_id]
        if not projects:
            raise ChangeRefused("there is no project yet")
        return projects[max(projects)]

    @property
    def run(self) -> FieldingRun:
        """The fielding run of the target group.

        Raises:
            ChangeRefused: when there is none.
        """
        if self.group.run is None:
            raise ChangeRefused(f"the target group is {self.group.status} and has no fielding run")
        return self.group.run

    @property
    def project_path(self) -> str:
        """The path of the target group's project."""
        return f"/demand/accounts/{self.world.account_id}/projects/{self.group.project_id}"

    @property
    def group_path(self) -> str:
        """The path of the target group."""
        return f"{self.project_path}/target-groups/{self.group.id}"

    def send(self, method: str, path: str, body: Json = None, *, if_match: str | None = None) -> None:
        """Send a colleague's request.

        Raises:
            ApiError: when it is rejected.
        """
        headers = {"cint-api-version": limits.API_VERSION, "idempotency-key": self.unused_key()}
        if body is not None:
            headers["content-type"] = "application/json"
        if if_match is not None:
            headers["if-match"] = if_match
        content = b"" if body is None else json.dumps(body).encode()
        self.act(Request(method, path, {}, headers, content, self.t), Sender.COLLEAGUE)

    def other_people(self, count: int) -> list[str]:
        """Return the ids of people who are not in the list."""
        population, saved = self.world.population, set(self.group.saved.keys())
        # From the end of the population: sample files hold people from its beginning.
        everybody = map(population.rsid, range(population.parameters.population - 1, -1, -1))
        others = (
            rsid
            for rsid in everybody
            if (key := to_id_bytes(rsid)) not in saved and population.upload_result(key) is UploadResult.ACCEPTED
        )
        return list(islice(others, count))

    def upload(self, lines: list[str]) -> None:
        """Upload people."""
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="list-of-a-colleague.csv"\r\n'
        text = f"{head}Content-Type: text/csv\r\n\r\n" + "".join(f"{line}\n" for line in lines)
        headers = {
            "cint-api-version": limits.API_VERSION,
            "content-type": f"multipart/form-data; boundary={_BOUNDARY}",
        }
        path = f"{self.group_path}/recontacts/jobs/upload-respondents-by-file"
        body = f"{text}\r\n--{_BOUNDARY}--\r\n".encode()
        self.act(Request("POST", path, {"entity_type": ["RSID"]}, headers, body, self.t), Sender.COLLEAGUE)

    def edit(self, name: DraftField, text: str | None) -> None:
        """Change one field of the target group: of a draft any, after the launch what the exchange lets change."""
        group, body = self.group, to_json(self.group.body)
        if group.run is not None:
            start, end = self.world.format_time(group.run.start), self.world.format_time(group.run.end)
            body["fielding_specification"] = {"start_at": start, "end_at": end}
        body = edited(body, name, text, group.currency)
        if group.status == "draft":
            self.send("PUT", f"{self.group_path}/web/draft", body)
        elif name in _DETAILS:
            urls = {"live_url": body.get("live_url"), "test_url": body.get("test_url") or body.get("live_url")}
            details = {"industry_lockout_code": "", **body, **urls}
            self.send("PUT", f"{self.group_path}/details", {key: details[key] for key in _DETAILS if key in details})
        elif name in ("start_at", "end_at"):
            period = cast("JsonObject", body["fielding_specification"])
            dates: JsonObject = {"start_fielding_at": period["start_at"], "end_fielding_at": period["end_at"]}
            self.send("PUT", f"{self.group_path}/fielding-runs/{self.run.id}", dates, if_match=self.run.etag)
        elif name == "completes_goal":
            self.send("PUT", f"{self.group_path}/profiles/completes-goal", {name: body[name]})
        elif name == "cost_per_interview":
            self.send("PUT", f"{self.group_path}/cost-per-interview", {"target_group_cpi": body[name]})
        elif name == "filling_strategy":
            self.send("PUT", f"{self.group_path}/filling-strategy", {name: body[name]})
        elif name == "exclusion":
            enabled = cast("JsonObject", body[name])["enabled"]
            policies: list[Json] = [{"target_group_id": group.id, "project_exclusion_enabled": enabled}]
            self.send("PUT", f"{self.project_path}/exclusion-policies", policies)
        elif name == "respondent_activity_exclusions":
            self.send("PUT", f"{self.group_path}/respondent-activity-exclusions", {name: body.get(name, [])})
        else:
            raise ChangeRefused(f"{name} cannot be changed once the target group has been launched")

    def unused_key(self) -> str:
        """Return an idempotency key that nobody has used."""
        return f"elsewhere-{self.world.id_factory.id_count}-{len(self.world.jobs)}-{self.t}"
