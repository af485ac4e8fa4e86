"""How a visit can end: the status codes of the exchange and of the client, and the words for them.

Client and marketplace number their codes independently: 30 is the client's quality code and the marketplace's
duplicate. A visit that ends before the client's survey has no client code. The codes are those of public lists; which
of 138, 139 and 230 stands for which exclusion is an assumption.
"""

from __future__ import annotations

from typing import NamedTuple

COMPLETE = "complete"
ADJUSTED_COMPLETE = "adjusted_complete"
TERMINATED = "terminated"
QUALITY = "quality"
SPEEDER = "speeder"
OVER_QUOTA = "over_quota"
RECONCILED, RECONCILED_WITH_REASON = "reconciled", "reconciled_with_reason"
RECONCILED_AS_FRAUD = "reconciled_as_fraud"
SCREENED_OUT = "screened_out"
QUOTA_FULL = "quota_full"
EXCLUDED, EXCLUDED_BY_PROJECT, EXCLUDED_BY_ACTIVITY = "excluded", "excluded_by_project", "excluded_by_activity"
LOCKED_OUT = "locked_out"
DUPLICATE = "duplicate"
DROPPED = "dropped"


class Outcome(NamedTuple):
    """One way in which a visit ends.

    Args:
        status: The code that stands for it where there is one only: the client's if it says something.
        label: Its short name.
        description: One clause.
        reason: The word that analyses use for it.
        client: The client's code; None where the client's survey was never reached.
        marketplace: The marketplace's code; 3 where the person was sent to the client's survey.
    """

    status: str
    label: str
    description: str
    reason: str
    client: int | None
    marketplace: int

    @property
    def reached_survey(self) -> bool:
        """Whether the person passed the screening."""
        return self.client is not None


_SENT_ON = 3
OUTCOMES: dict[str, Outcome] = {
    COMPLETE: Outcome("10", "Complete", "finished the survey", "completed", 10, _SENT_ON),
    ADJUSTED_COMPLETE: Outcome(
        "11", "Adjusted complete", "made a complete by reconciliation", "completed", 11, _SENT_ON
    ),
    TERMINATED: Outcome("20", "Client terminate", "the survey ended the interview", "screened", 20, _SENT_ON),
    QUALITY: Outcome("30", "Quality terminate", "ended for the quality of the answers", "quality", 30, _SENT_ON),
    SPEEDER: Outcome("33", "Speeder", "answered faster than the questions can be read", "quality", 33, _SENT_ON),
    OVER_QUOTA: Outcome("40", "Over quota", "arrived after the goal was reached", "over_quota", 40, _SENT_ON),
    RECONCILED: Outcome("26", "Reconciled", "a complete that was rejected later", "reconciled", 26, _SENT_ON),
    RECONCILED_WITH_REASON: Outcome(
        "28", "Reconciled with a reason", "a complete that was rejected later for a reason", "reconciled", 28, _SENT_ON
    ),
    RECONCILED_AS_FRAUD: Outcome(
        "38", "Reconciled as fraud", "a complete that was rejected later as fraud", "reconciled", 38, _SENT_ON
    ),
    SCREENED_OUT: Outcome("23", "Screened out", "did not pass the screener", "screened", None, 23),
    QUOTA_FULL: Outcome("41", "Quota full", "the quota for people like this is full", "over_quota", None, 41),
    EXCLUDED: Outcome("138", "Excluded", "kept out by an exclusion", "blocked", None, 138),
    EXCLUDED_BY_PROJECT: Outcome(
        "230", "Excluded by project", "completed another target group of the project", "blocked", None, 230
    ),
    EXCLUDED_BY_ACTIVITY: Outcome(
        "139", "Excluded by activity", "completed a survey that is excluded", "blocked", None, 139
    ),
    LOCKED_OUT: Outcome("21", "Industry lockout", "took part in a survey of the industry lately", "blocked", None, 21),
    DUPLICATE: Outcome("35", "Duplicate", "has been in this survey before", "duplicate", None, 35),
    DROPPED: Outcome(
        "3", "In client survey or drop", "entered the survey and has not come back", "dropped", 1, _SENT_ON
    ),
}
"""Every outcome, in the order in which it is shown. No two have the same `status`."""
COMPLETES = frozenset({COMPLETE, ADJUSTED_COMPLETE})
"""Outcomes that count as completes, and cost money."""
REJECTED = frozenset({RECONCILED, RECONCILED_WITH_REASON, RECONCILED_AS_FRAUD})
"""Outcomes of completes that were rejected in a reconciliation."""
ANSWERED = COMPLETES | REJECTED | {QUALITY, SPEEDER, OVER_QUOTA}
"""Outcomes of visits that came to the end of the survey, so that there are answers."""
