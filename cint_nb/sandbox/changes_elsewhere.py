"""What somebody else changes between two requests: a colleague in the web interface, the marketplace, another machine.

A change is a fault that is written like the others, `NAME@MOMENT`, some with `:ARGUMENT` after the name:

```
launched-elsewhere@now                            at once
paused-elsewhere@status                           before the next status request
paused-elsewhere@after-status+2                   after the third status request
field-edited:completes_goal@launch=150            before the next launch the goal becomes 150
field-edited:name@now="A name with spaces"        values with other signs than A-Z a-z 0-9 _ . : - are JSON strings
replica-lags:target-groups@create=3               three lists of target groups are as before the next creation
list-swapped@launch#01JZ0000000000000000000000    about this target group, by either of its ids
```
Without `#ID` a change is about the target group in the path of the request, else about the newest one of its project,
else about the newest of all. Somebody else works through the same rules as the client: a change that the state does not
allow, such as resuming a live group, does not happen, and the list of faults says why.

| name | what happens elsewhere |
|---|---|
| `field-edited:FIELD` | a field of the target group becomes `=V`, or another than now; `null` removes it |
| `group-renamed` | the target group is called `=V` (`Renamed by a colleague`) |
| `project-renamed` | the project is called `=V` (its name and ` (renamed)`) |
| `goal-raised` | the completes goal becomes `=V` (twice as many, after the launch at most the saved ids) |
| `price-raised` | the cost per interview becomes `=V` (twice as much) |
| `launched-elsewhere` | the draft is launched until the end in it, and is live |
| `scheduled-elsewhere` | the draft is scheduled for the start and the end in it |
| `paused-elsewhere` | the live run is paused, with `=marketplace` by the marketplace |
| `resumed-elsewhere` | the paused run is resumed |
| `completed-elsewhere` | the live or scheduled run is completed |
| `relaunched-elsewhere` | the completed run is relaunched |
| `people-added` | `=V` (50) other people are uploaded to the list |
| `list-emptied` | all saved ids are removed |
| `list-swapped` | all saved ids are removed, and `=V` (as many) other people uploaded |
| `group-archived` | the target group is archived; its run is completed |
| `group-deleted` | the target group and its jobs are gone |
| `second-machine` | another machine sends this request first: same body, another idempotency key |
| `replica-lags:LIST` | the next `=V` (1) reads of a list show the state of this moment, whatever is written after it |

`FIELD` is a field of `DraftField`, `LIST` one of `LaggingList`.
"""

from __future__ import annotations

from typing import Literal, cast, get_args

from cint_nb.sandbox.draft_edits import DRAFT_EDITS, DraftField
from cint_nb.sandbox.fault_kinds import FaultKind
from cint_nb.sandbox.moment import ChangeRefused, Moment, Sender, nearest
from cint_nb.sandbox.protocol.messages import JsonObject, Request

ChangeName = Literal[
    "field-edited",
    "group-renamed",
    "project-renamed",
    "goal-raised",
    "price-raised",
    "launched-elsewhere",
    "scheduled-elsewhere",
    "paused-elsewhere",
    "resumed-elsewhere",
    "completed-elsewhere",
    "relaunched-elsewhere",
    "people-added",
    "list-emptied",
    "list-swapped",
    "group-archived",
    "group-deleted",
    "second-machine",
    "replica-lags",
]
"""What can change elsewhere."""
LaggingList = Literal["projects", "target-groups", "upload-jobs", "saved-count", "saved-ids", "fielding-runs"]
"""The lists, and one count, that a replica can answer."""

_LIST_OPERATIONS: dict[LaggingList, str] = {
    "projects": "list_account_projects",
    "target-groups": "get_list_target_groups",
    "upload-jobs": "recontact_list_upload_respondents_by_file_jobs",
    "saved-count": "get_recontacts_overview",
    "saved-ids": "get_target_group_rsid_recontact_list",
    "fielding-runs": "get_fielding_runs_by_target_group_id",
}
_PEOPLE_ADDED = 50


class ChangeElsewhere(FaultKind):
    """A change by somebody else."""

    arguments: tuple[str, ...] = ()

    def check(self, argument: str | None, value: str | None) -> None:
        """Check what a change was written with.

        Raises:
            ValueError: when it cannot be meant, with the name that is nearest.
        """
        self._check_argument(argument)
        if value is not None:
            self.check_value(value)

    def _check_argument(self, argument: str | None) -> None:
        if argument is None and self.arguments:
            raise ValueError(f"write {self.name}:NAME with one of {', '.join(self.arguments)}")
        if argument is not None and argument not in self.arguments:
            near = nearest(argument, self.arguments)
            known = f"choose from {', '.join(self.arguments)}" if self.arguments else f"write {self.name} alone"
            raise ValueError(f"{argument!r:.60} is not known after {self.name}; {near}{known}")

    def check_value(self, value: str) -> None:
        """Raise ValueError for a value that cannot be meant; most changes take none."""
        raise ValueError(f"{self.name} takes no value, and {value!r:.60} was given")

    def apply(self, moment: Moment) -> None:
        """Make the change.

        Raises:
            ChangeRefused: when there is nothing to change.
            ApiError: when the exchange rejects it.
        """
        raise NotImplementedError


class FieldEdited(ChangeElsewhere):
    """A colleague edits one field of a target group."""

    arguments = get_args(DraftField)

    def check(self, argument: str | None, value: str | None) -> None:
        """Check the field, and that the value can be one of it."""
        self._check_argument(argument)
        if value is None or value == "null":
            return
        try:
            DRAFT_EDITS[cast("DraftField", argument)].read(value)
        except ValueError as error:
            raise ValueError(f"{value!r:.60} cannot be {argument}: {error}") from None

    def apply(self, moment: Moment) -> None:
        """Edit the field."""
        moment.edit(cast("DraftField", moment.argument), moment.value)


class GroupRenamed(ChangeElsewhere):
    """A colleague renames the target group."""

    def check_value(self, value: str) -> None:
        """Accept any name."""

    def apply(self, moment: Moment) -> None:
        """Rename it."""
        moment.edit("name", moment.value)


class ProjectRenamed(ChangeElsewhere):
    """A colleague renames the project."""

    def check_value(self, value: str) -> None:
        """Accept any name."""

    def apply(self, moment: Moment) -> None:
        """Rename it."""
        project = moment.project
        path = f"/demand/accounts/{moment.world.account_id}/projects/{project.id}"
        moment.send("PUT", f"{path}/web/name", {"name": moment.value or f"{project.name} (renamed)"})


class GoalRaised(ChangeElsewhere):
    """A colleague raises the completes goal."""

    def check_value(self, value: str) -> None:
        """Check that it is a number of completes."""
        _count(self.name, value, 1)

    def apply(self, moment: Moment) -> None:
        """Raise it."""
        group = moment.group
        most = len(group.saved) if group.is_recontact and group.status != "draft" else group.goal * 2
        goal = _count(self.name, moment.value, min(group.goal * 2, most))
        if goal <= group.goal:
            raise ChangeRefused(f"the goal is {group.goal} and cannot be raised to {goal}")
        moment.edit("completes_goal", str(goal))


class PriceRaised(ChangeElsewhere):
    """A colleague raises the cost per interview."""

    def check_value(self, value: str) -> None:
        """Check that it is an amount."""
        DRAFT_EDITS["cost_per_interview"].read(value)

    def apply(self, moment: Moment) -> None:
        """Raise it."""
        moment.edit("cost_per_interview", moment.value or format(moment.group.cpi * 2, "f"))


class LaunchedElsewhere(ChangeElsewhere):
    """A colleague launches the draft."""

    def apply(self, moment: Moment) -> None:
        """Launch it."""
        end_at = moment.group.body["fielding_specification"]["end_at"]
        moment.send("POST", f"{moment.group_path}/fielding-run-jobs/launch-from-draft", {"end_fielding_at": end_at})
        _require_run(moment)


class ScheduledElsewhere(ChangeElsewhere):
    """A colleague schedules the draft."""

    def apply(self, moment: Moment) -> None:
        """Schedule it."""
        period = moment.group.body["fielding_specification"]
        body: JsonObject = {"start_fielding_at": period["start_at"], "end_fielding_at": period["end_at"]}
        moment.send("POST", f"{moment.group_path}/fielding-run-jobs/schedule-from-draft", body)
        _require_run(moment)


class PausedElsewhere(ChangeElsewhere):
    """A colleague or the marketplace pauses the run."""

    def check_value(self, value: str) -> None:
        """Check who pauses."""
        if value != "marketplace":
            near = nearest(value, ["marketplace"])
            raise ValueError(f"{value!r:.60} does not pause runs; {near}write =marketplace, or nothing for a colleague")

    def apply(self, moment: Moment) -> None:
        """Pause it."""
        if moment.value is None:
            _act_on_run(moment, "pause")
        else:
            moment.send("POST", f"{moment.group_path}/web/pause-by-marketplace")


class ResumedElsewhere(ChangeElsewhere):
    """A colleague resumes the run."""

    def apply(self, moment: Moment) -> None:
        """Resume it."""
        _act_on_run(moment, "resume")


class CompletedElsewhere(ChangeElsewhere):
    """A colleague completes the run."""

    def apply(self, moment: Moment) -> None:
        """Complete it."""
        _act_on_run(moment, "complete")


class RelaunchedElsewhere(ChangeElsewhere):
    """A colleague relaunches the run."""

    def apply(self, moment: Moment) -> None:
        """Relaunch it."""
        _act_on_run(moment, "relaunch")


class PeopleAdded(ChangeElsewhere):
    """A colleague uploads more people."""

    def check_value(self, value: str) -> None:
        """Check that it is a number of people."""
        _count(self.name, value, _PEOPLE_ADDED)

    def apply(self, moment: Moment) -> None:
        """Upload them."""
        moment.upload(moment.other_people(_count(self.name, moment.value, _PEOPLE_ADDED)))


class ListEmptied(ChangeElsewhere):
    """A colleague removes all saved people."""

    def apply(self, moment: Moment) -> None:
        """Remove them."""
        moment.send("POST", f"{moment.group_path}/recontacts/jobs/remove-all-rsids")


class ListSwapped(ChangeElsewhere):
    """A colleague replaces the saved people by others."""

    def check_value(self, value: str) -> None:
        """Check that it is a number of people."""
        _count(self.name, value, _PEOPLE_ADDED)

    def apply(self, moment: Moment) -> None:
        """Remove the people and upload others."""
        if not moment.group.is_recontact:
            raise ChangeRefused("the target group is not a recontact target group and has no list")
        others = moment.other_people(_count(self.name, moment.value, len(moment.group.saved) or _PEOPLE_ADDED))
        moment.send("POST", f"{moment.group_path}/recontacts/jobs/remove-all-rsids")
        moment.upload(others)


class GroupArchived(ChangeElsewhere):
    """A colleague archives the target group."""

    def apply(self, moment: Moment) -> None:
        """Archive it."""
        moment.send("POST", f"{moment.group_path}/web/archive")


class GroupDeleted(ChangeElsewhere):
    """A colleague deletes the target group."""

    def apply(self, moment: Moment) -> None:
        """Delete it."""
        moment.send("DELETE", moment.group_path)


class SecondMachine(ChangeElsewhere):
    """Another machine of the same user sends the same request first, as after a search that found nothing."""

    def apply(self, moment: Moment) -> None:
        """Send the request."""
        request = moment.request
        if request is None or request.method == "GET":
            raise ChangeRefused(f"{self.name} needs a request that changes something; name it, such as @create")
        headers = {**request.headers, "idempotency-key": moment.unused_key()}
        moment.act(
            Request(request.method, request.path, request.raw_query, headers, request.body, moment.t), Sender.MACHINE
        )


class ReplicaLags(ChangeElsewhere):
    """The replica that answers a list receives no changes from this moment on, for some reads."""

    arguments = get_args(LaggingList)

    def check_value(self, value: str) -> None:
        """Check that it is a number of reads."""
        _count(self.name, value, 1)

    def apply(self, moment: Moment) -> None:
        """Stop the replica."""
        operation = _LIST_OPERATIONS[cast("LaggingList", moment.argument)]
        moment.stop_replica(operation, _count(self.name, moment.value, 1))


def _count(name: str, value: str | None, default: int) -> int:
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and 0 < int(value) < 10**6):
        raise ValueError(f"{value!r:.60} is not valid for {name}; write a number from 1 on")
    return int(value)


def _act_on_run(moment: Moment, action: str) -> None:
    moment.send("POST", f"{moment.group_path}/fielding-runs/{moment.run.id}/{action}", if_match=moment.run.etag)


def _require_run(moment: Moment) -> None:
    """Raise when the launch job of this moment has failed: the request was accepted, the launch was not."""
    job = list(moment.world.jobs.values())[-1]
    if job.failure is not None:
        raise ChangeRefused(str(job.failure["description"]))


CHANGES: dict[str, ChangeElsewhere] = {
    kind.name: kind
    for kind in (
        FieldEdited("field-edited"),
        GroupRenamed("group-renamed"),
        ProjectRenamed("project-renamed"),
        GoalRaised("goal-raised"),
        PriceRaised("price-raised"),
        LaunchedElsewhere("launched-elsewhere"),
        ScheduledElsewhere("scheduled-elsewhere"),
        PausedElsewhere("paused-elsewhere"),
        ResumedElsewhere("resumed-elsewhere"),
        CompletedElsewhere("completed-elsewhere"),
        RelaunchedElsewhere("relaunched-elsewhere"),
        PeopleAdded("people-added"),
        ListEmptied("list-emptied"),
        ListSwapped("list-swapped"),
        GroupArchived("group-archived"),
        GroupDeleted("group-deleted"),
        SecondMachine("second-machine"),
        ReplicaLags("replica-lags"),
    )
}
"""Every change, in the order of the documentation."""


def field_edits() -> list[str]:
    """Return the name of a change for every field of a draft, such as `field-edited:completes_goal`.

    Example:
        >>> cint.sandbox.field_edits()[:3]
        ['field-edited:name', 'field-edited:business_unit_id', 'field-edited:project_manager_id']
    """
    return [f"field-edited:{name}" for name in get_args(DraftField)]
