"""What a status in a report means: complete or not, as far as is known."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from cint_nb.domain.ids import mask_ids_in

# Client response codes: 10 complete, 11 adjusted to complete. Marketplace codes and codes of other systems differ.
_COMPLETE_CODES = frozenset({"10", "11"})
_COMPLETE_WORDS = frozenset({"complete", "completed", "adjusted to complete"})
_OTHER_CODES = frozenset(
    {"-1", "1", "3", "20", "21", "23", "24", "26", "28", "30", "33", "34", "35", "36", "37", "40", "41", "42", "50"}
    | {"70", "80", "91", "110", "134", "138", "139", "230", "241", "242"}
)
_OTHER_WORDS = re.compile(
    r"terminat|screen|quota|disqualif|drop|incomplete|in (client )?survey|in progress|partial|abandon|quality|speeder"
    r"|not complete|non.?complete"
    r"|fraud|duplicate|reject|lockout|mismatch|not reached|never|closed|expired|start|entered"
)
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
