"""The states of a target group and its fielding run, and the transitions between them."""

from __future__ import annotations

from cint_nb.sandbox.protocol.messages import unprocessable
from cint_nb.sandbox.world.entities import FieldingRun, TargetGroup
from cint_nb.sandbox.world.world import World

# The states each action requires, by the API reference: `complete` from live or scheduled, not from paused.
ALLOWED_FROM: dict[str, tuple[str, ...]] = {
    "launch": ("draft",),
    "launch-now": ("scheduled",),
    "pause": ("live",),
    "resume": ("paused",),
    "complete": ("live", "scheduled"),
    "relaunch": ("completed",),
}


_LETS_PEOPLE_IN = ("launch", "launch-now", "resume", "relaunch")


def is_allowed(group: TargetGroup, action: str, t: float) -> bool:
    """Return whether an action is allowed now."""
    return refusal(group, action, t) is None


def refusal(group: TargetGroup, action: str, t: float) -> str | None:
    """Return why an action is not allowed now, None when it is.

    Resume and relaunch require an open goal and an end in the future; whatever lets people into a recontact target
    group requires saved ids: after a removal, as the reference says, not before more are added.
    """
    if group.status not in ALLOWED_FROM[action]:
        return f"the target group is {group.status} and does not allow {action}"
    if action in _LETS_PEOPLE_IN and group.is_recontact and not len(group.saved):
        return f"no respondent ids are saved in the target group, which does not allow {action}"
    if action in ("resume", "relaunch") and not (
        group.run is not None and group.run.end > t and goal_count(group) < group.goal
    ):
        return f"the end or the goal of the target group is reached, which does not allow {action}"
    return None


def goal_count(group: TargetGroup) -> int:
    """Return the count toward the goal: completes, or with the strategy `prescreens` those who passed screening."""
    return group.fieldwork.prescreens if group.strategy == "prescreens" else group.fieldwork.completes


def require_allowed(group: TargetGroup, action: str, t: float) -> FieldingRun:
    """Return the run if an action may be taken.

    Raises:
        ApiError: 422 when the state does not allow it.
    """
    reason = refusal(group, action, t)
    if group.run is None or reason is not None:
        raise unprocessable(reason or f"the target group has no fielding run and does not allow {action}")
    return group.run


def attach_run(world: World, group: TargetGroup, run: FieldingRun, t: float) -> None:
    """Attach a new run: live at once, or scheduled when its start lies ahead."""
    group.run = run
    world.log_change(group, t, ("fielding_period_end_date", None, world.format_time(run.end)))
    transition(world, group, "scheduled" if run.start > t else "live", t)


def transition(
    world: World, group: TargetGroup, status: str, t: float, *, system: str | None = None, reason: str | None = None
) -> None:
    """Move a target group and its run to a state, stop or start the live time, and log the change."""
    run = group.run
    if run is None:
        raise ValueError("a target group without a run has no states")
    world.log_change(group, t, ("status", group.status, status), system=system, reason=reason)
    if run.live_since is not None:
        run.live_before = run.live_seconds(t)
        run.live_since = None
    if status == "live":
        run.live_since = t
        run.start = min(run.start, t)
    group.status = run.status = status
    run.changed_at = t
    if not system:
        run.changed_by = world.actor
    run.version += 1
    world.schedule(t, group.id)
