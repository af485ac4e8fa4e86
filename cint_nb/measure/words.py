"""The words of a visit and of a wave, in the order in which the strongest of several counts.

Engines count with the place of a word in that order, since small numbers are what every engine treats alike.
"""

from __future__ import annotations

VISIT_WORDS = (
    "completed",
    "reconciled",
    "quality",
    "screened",
    "over_quota",
    "closed",
    "priced_out",
    "dropped",
    "declined",
    "blocked",
    "duplicate",
    "failed",
)
"""What became of a visit, strongest first."""

OTHER_WORDS = ("not_known", "absent", "cut_off", "pending", None, "rejected", "erased", "not_asked")
"""What became of a person without a visit, strongest first; None is a listed person of whom nothing else is said."""

WORDS: tuple[str | None, ...] = (*VISIT_WORDS, *OTHER_WORDS)
PLACE_OF: dict[str | None, int] = {word: place for place, word in enumerate(WORDS)}

COMPLETED = PLACE_OF["completed"]
LAST_VISIT = PLACE_OF["failed"]
NOT_KNOWN = PLACE_OF["not_known"]
ABSENT = PLACE_OF["absent"]
CUT_OFF = PLACE_OF["cut_off"]
PENDING = PLACE_OF["pending"]
LISTED = PLACE_OF[None]
REJECTED = PLACE_OF["rejected"]
ERASED = PLACE_OF["erased"]
TURNED_AWAY = tuple(PLACE_OF[word] for word in ("over_quota", "closed", "priced_out"))
"""Came when no place was left: how soon they would have completed is not seen, so that they are censored."""
UNKNOWN_WORD = -1
"""The place of a word that is none of these: the strongest, so that it is never hidden by another."""

CLOSINGS = ("end", "goal", "hand", "pause", "open", "not_known")
"""Why a part closed, in the order that decides between parts that closed at the same time."""
CLOSING_NOT_GIVEN = len(CLOSINGS)
END, PAUSE, OPEN = (CLOSINGS.index(word) for word in ("end", "pause", "open"))
STOPPED = tuple(CLOSINGS.index(word) for word in ("goal", "hand", "pause"))
"""Closed before its planned end: who had not come yet was cut off. They stand next to each other in the list."""
