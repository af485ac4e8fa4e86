"""Advancing the simulation: everything that was due until now happens, in order of time.

Called before each request is handled, so that a reply shows the world at the moment of its request.
"""

from __future__ import annotations

from cint_nb.sandbox.simulation import fieldwork, jobs, reconciliation
from cint_nb.sandbox.world.entities import TargetGroup
from cint_nb.sandbox.world.world import World


def catch_up(world: World, t: float) -> None:
    """Process everything that was due until `t`, in order of time."""
    while (entry := world.pop_due(t)) is not None:
        world.caught_up_to = max(world.caught_up_to, entry[0])
        job = world.jobs.get(entry[1])
        submission = world.reconciliations.get(entry[1])
        if job is not None:
            jobs.finish_job(world, job, entry[0])
        elif submission is not None:
            reconciliation.process(world, submission, entry[0])
        else:
            _run_fieldwork(world, world.groups[entry[1]], entry[0], t)
    world.caught_up_to = max(world.caught_up_to, t)
    for job in world.running.values():
        jobs.apply_due_ids(world, job, t)


def _run_fieldwork(world: World, group: TargetGroup, now: float, until: float) -> None:
    """Process the events of a target group, from the one due now until something else is due."""
    due = fieldwork.next_event(group)
    if due is not None and due <= now:
        while True:
            jobs.update_group(world, group, now)
            fieldwork.process_event(world, group, now)
            due = fieldwork.next_event(group)
            if due is None or due > until or due >= world.due_next_at():
                break
            now = max(now, due)
            world.caught_up_to = now
    if due is not None:
        world.schedule(max(due, now), group.id)
