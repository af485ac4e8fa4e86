"""What a status in a report means: complete or not, as far as is known."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from cint_nb.domain.ids import mask_ids_in

# Client and marketplace number their codes independently, and no number of a client's complete is one of the
# marketplace's. So a column that turns out to be the marketplace's is never read as one of completes.
_COMPLETE_CODES = frozenset({"10", "11", "70"})  # complete, adjusted to complete, complete by another way
_COMPLETE_WORDS = frozenset({"complete", "completed", "adjusted to complete", "adjusted complete"})
_OTHER_CLIENT_CODES = (
    *(-1, 1),  # never reached the client's survey; in it, or left it open
    *(26, 28, 38),  # rejected in a reconciliation
    *(20, 80),  # screened out
    *(30, 33, 34, 60),  # quality
    *(40, 136),  # over quota, closed
    *(62, 66),  # declined
    *(35, 91, 110, 134, 135, 137, 233, 235),  # failed, or not known
)
_MARKETPLACE_CODES = (
    *(-6, -5, -1, 1, 3, 98, 123, 124, 126),  # left on the way, or sent on to the client's survey (3)
    *(21, 138, 139, 230),  # blocked by the buyer's own exclusions
    *(23, 24, 237),  # screened out
    *(30, 31, 35, 36),  # duplicate
    *(32, 37, 38, 132, 133, 134, 234, 238, 241, 242),  # quality
    *(40, 41, 42, 50),  # over quota, closed, priced out
    *(120, 122, 125, 236),  # declined
    *(131, 240, 243),  # failed
)
_OTHER_CODES = frozenset(map(str, {*_OTHER_CLIENT_CODES, *_MARKETPLACE_CODES}))
_OTHER_WORDS = re.compile(
    r"terminat|screen|quota|disqualif|drop|incomplete|in (client )?survey|in progress|partial|abandon|quality|speeder"
    r"|not complete|non.?complete"
    r"|fraud|duplicate|reject|reconciled|excluded|lockout|mismatch|not reached|never|closed|expired|start|entered"
)
_UNENDED_CODES = frozenset({"-1", "1", "3"})
_UNENDED_WORDS = re.compile(r"drop|in (client )?survey|in progress|partial|abandon|not reached|never|start|entered")
"""Of those, visits that were abandoned or have not ended: nobody turned them away."""
_SHOWN = 12


def is_complete(text: str, codes: Mapping[str, str]) -> bool:
    """Return whether a status means that the visit was completed.

    Args:
        text: The status, a client code or words.
        codes: What the analyst said that codes and words mean, in lower case.
    """
    plain = _plain(text)
    plain = _plain(codes.get(plain, plain))
    return plain in _COMPLETE_CODES or plain in _COMPLETE_WORDS


def is_screened_out(text: str) -> bool | None:
    """Return whether a visit was ended by somebody else than the visitor; None if the status is not known."""
    plain = _plain(text)
    if is_complete(plain, {}) or plain in _UNENDED_CODES or _UNENDED_WORDS.search(plain):
        return False
    return True if plain in _OTHER_CODES or _OTHER_WORDS.search(plain) else None


def unknown_statuses(texts: Iterable[str], codes: Mapping[str, str]) -> dict[str, int]:
    """Return how often each status occurs of which neither Cint's codes and words nor the analyst say what it means."""
    found = Counter(_plain(text) for text in texts)
    return {
        status: count
        for status, count in found.most_common()
        if status and status not in codes and not _is_known(status)
    }


def unknown_meanings(codes: Mapping[str, str]) -> dict[str, int]:
    """Return how often each meaning occurs that nothing here knows; a slip would make a complete something else."""
    found = Counter(_plain(meaning) for meaning in codes.values())
    return {meaning: count for meaning, count in found.items() if not _is_known(meaning)}


def _is_known(status: str) -> bool:
    return is_complete(status, {}) or status in _OTHER_CODES or _OTHER_WORDS.search(status) is not None


def describe_statuses(statuses: Mapping[str, int]) -> str:
    """Return statuses with their counts for a message, ids in them masked."""
    shown = ", ".join(f"{mask_ids_in(status)[:40]!r} ({count:,})" for status, count in [*statuses.items()][:_SHOWN])
    return shown + (f" and {len(statuses) - _SHOWN:,} more" if len(statuses) > _SHOWN else "")


def _plain(text: str) -> str:
    return " ".join(text.lower().split()).removesuffix(".0")
