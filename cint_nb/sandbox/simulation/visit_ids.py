"""The response ids of visits: every visit of a person has one of its own."""

from __future__ import annotations

from cint_nb.domain.ids import EntityType
from cint_nb.sandbox.world.entities import TargetGroup, Visit
from cint_nb.sandbox.world.id_store import to_id_bytes
from cint_nb.sandbox.world.ids import made_up_id
from cint_nb.sandbox.world.world import World


def visit_rid(group: TargetGroup, visit: Visit) -> str:
    """Return the response id of a visit to a target group: every visit of a person has one of its own."""
    which = "visit" if visit.number == 0 else f"visit {visit.number + 1}"
    return made_up_id(EntityType.RID, f"{which} to {group.id}", int.from_bytes(visit.key))


def visit_rids(world: World) -> dict[bytes, bytes]:
    """Return the respondents of all visits in this sandbox, by response id."""
    return {
        to_id_bytes(visit_rid(group, visit)): visit.key
        for group in world.groups.values()
        for visit in group.fieldwork.visits
    }


def find_visits(world: World) -> dict[bytes, tuple[TargetGroup, int]]:
    """Return target group and place of every visit in this sandbox, by response id."""
    return {
        to_id_bytes(visit_rid(group, visit)): (group, place)
        for group in world.groups.values()
        for place, visit in enumerate(group.fieldwork.visits)
    }
