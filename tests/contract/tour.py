"""Everything the client can ask, asked once in an order that makes sense: one project, two waves, their end.

The same questions go to the sandbox in process, over HTTP and to a recording, and are held against the descriptions.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from tests.contract import tour_after, tour_before
from tests.contract.traveller import Traveller, plain

STEPS: tuple[Callable[[Traveller], Awaitable[Any]], ...] = (
    tour_before.definitions,
    tour_before.allocation_templates,
    tour_before.projects,
    tour_before.drafts,
    tour_before.lists_of_groups,
    tour_before.changes_of_drafts,
    tour_before.uploads,
    tour_after.launches,
    tour_after.course_of_a_run,
    tour_after.changes_of_a_live_group,
    tour_after.schedules,
    tour_after.figures_of_a_live_group,
    tour_after.batches,
    tour_after.exclusions_by_file,
    tour_after.exclusions_by_rule,
    tour_after.reports,
    tour_after.removals,
)


async def take_tour(traveller: Traveller) -> dict[str, Any]:
    """Take every step and return what it gave, by the step's name."""
    return {step.__name__: plain(await step(traveller)) for step in STEPS}
