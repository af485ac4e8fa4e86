"""Everything the client can do, done once in an order that makes sense: one project, two waves, their end.

The same calls go to the sandbox in process, over HTTP and to a recording, and are checked against the descriptions.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from tests.contract import tour_from_launch, tour_until_launch
from tests.contract.tour_state import TourState, plain

STEPS: tuple[Callable[[TourState], Awaitable[Any]], ...] = (
    tour_until_launch.definitions,
    tour_until_launch.profiles_before_a_draft,
    tour_until_launch.allocation_templates,
    tour_until_launch.projects,
    tour_until_launch.drafts,
    tour_until_launch.lists_of_groups,
    tour_until_launch.changes_of_drafts,
    tour_until_launch.uploads,
    tour_from_launch.launches,
    tour_from_launch.course_of_a_run,
    tour_from_launch.changes_of_a_live_group,
    tour_from_launch.schedules,
    tour_from_launch.profiles_of_a_live_group,
    tour_from_launch.figures_of_a_live_group,
    tour_from_launch.batches,
    tour_from_launch.exclusions_by_file,
    tour_from_launch.exclusions_by_rule,
    tour_from_launch.prices,
    tour_from_launch.reports,
    tour_from_launch.reconciliations,
    tour_from_launch.removals,
)


async def run_tour(state: TourState) -> dict[str, Any]:
    """Run every step and return its result, by the step's name."""
    return {step.__name__: plain(await step(state)) for step in STEPS}
