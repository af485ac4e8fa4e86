"""Reconciliation: what becomes of each line of a submission, and what it changes in the target groups."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from cint_nb.sandbox.simulation import fieldwork
from cint_nb.sandbox.simulation.outcomes import (
    COMPLETES,
    OUTCOMES,
    RECONCILED,
    RECONCILED_AS_FRAUD,
    RECONCILED_WITH_REASON,
)
from cint_nb.sandbox.simulation.visit_ids import find_visits
from cint_nb.sandbox.world.central_time import reconcilable_until
from cint_nb.sandbox.world.entities import ReconciledGroup, Reconciliation, TargetGroup
from cint_nb.sandbox.world.world import World

LineEnd: TypeAlias = Literal["expired", "invalid", "positive", "negative"]

ADJUSTED = 11
REASONS: dict[int, tuple[str, str, bool]] = {
    ADJUSTED: ("Adjusted complete", "the visit counts as a complete", True),
    26: ("No reason given", "the complete is rejected, and may be audited", True),
    930: ("Unspecified fraud", "the complete is rejected as fraud", True),
    932: ("Straight-lining", "the same answer was given throughout", True),
    933: ("Speeder", "the answers came faster than the questions can be read", True),
    934: ("Poor open end", "the open answers make no sense", True),
    935: ("Ghost complete", "the survey knows nothing of the complete", True),
    936: ("Inconsistent answers", "answers contradict each other", True),
    940: ("Set-up error", "the survey was set up wrongly", False),
    941: ("Wrong CPI", "the cost per interview was wrong", False),
    942: ("Wrong qualifications or quotas", "the wrong people were asked", False),
    943: ("Overfill", "there are more completes than were wanted", False),
    944: ("Bulk", "only a part of the data is affected", False),
}
"""The reason codes: name, meaning, and whether buyers may use them."""
# Which status a reason leads to is not documented: an assumption.
_STATUS_OF_REASON = {26: RECONCILED, 930: RECONCILED_AS_FRAUD}
_LINE = re.compile(r"([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}) ?, ?(\d{1,4})", re.ASCII)
_NEVER_IN_SURVEY = tuple(name for name, outcome in OUTCOMES.items() if not outcome.reached_survey)
_SECONDS = (30.0, 120.0)  # virtual seconds until a submission is processed; assumption
_SECONDS_PER_LINE = 0.002


def seconds_to_process(world: World, lines: int) -> float:
    """Return how many virtual seconds a submission takes."""
    low, high = _SECONDS
    draw = world.id_factory.draw(f"reconciliation:{world.id_factory.id_count}")
    return round(low + (high - low) * draw + lines * _SECONDS_PER_LINE, 3)


def process(world: World, submission: Reconciliation, t: float) -> None:
    """Process a submission: each line is expired, invalid, or changes a visit.

    The first line that names a visit counts; a second one finds nothing left to change, and is invalid.
    """
    visits = find_visits(world)
    named: set[bytes] = set()
    for number, line in enumerate(submission.lines):
        match = _LINE.fullmatch(line)
        key = bytes.fromhex(match[1].replace("-", "")) if match else b""
        group, place = visits.get(key, (None, 0))
        counts = submission.groups.setdefault(None if group is None else group.id, ReconciledGroup())
        counts.submitted += 1
        end: LineEnd = "invalid"
        refused = submission.is_partial and number % 10 == 9
        if group is not None and match is not None and key not in named and not refused:
            end = _change(world, group, place, int(match[2]), submission.created, t)
        named.add(key)
        setattr(counts, end, getattr(counts, end) + 1)
        if end in ("expired", "invalid"):
            rids = submission.expired_rids if end == "expired" else submission.invalid_rids
            rids.append(line.partition(",")[0].strip())
    submission.is_processed = True


def _change(world: World, group: TargetGroup, place: int, code: int, submitted: float, t: float) -> LineEnd:
    """Change a visit as a line asks, by the deadline that counts when it was submitted."""
    visit = group.fieldwork.visits[place]
    if code not in REASONS or not REASONS[code][2] or visit.outcome in _NEVER_IN_SURVEY:
        return "invalid"
    if world.time_at(submitted) >= reconcilable_until(world.time_at(visit.ended)):
        return "expired"
    if (code == ADJUSTED) == (visit.outcome in COMPLETES):
        return "invalid"  # it is so already
    if code == ADJUSTED:
        fieldwork.make_complete(world, group, place, t)
        return "positive"
    fieldwork.reconcile(world, group, place, _STATUS_OF_REASON.get(code, RECONCILED_WITH_REASON))
    return "negative"
