"""The reason codes of reconciliations, by number and by word."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from cint_nb.domain.errors import InputError
from cint_nb.domain.ids import masked_repr, printable


@printable
class ReconciliationCode(NamedTuple):
    """One reason code, with which a visit is reconciled.

    Args:
        code: Its number.
        word: The word by which this library takes it too.
        meaning: What it says, in a clause.
        allowed: Whether buyers may submit it.
        makes: What the visit becomes: `complete` or `terminate`; None for a code that may not be submitted.
    """

    code: int
    word: str
    meaning: str
    allowed: bool
    makes: str | None


RECONCILIATION_CODES: tuple[ReconciliationCode, ...] = (
    ReconciliationCode(11, "complete", "adjusted to a complete", True, "complete"),
    ReconciliationCode(26, "no reason", "no reason given; the exchange may audit it", True, "terminate"),
    ReconciliationCode(930, "fraud", "fraud, not specified", True, "terminate"),
    ReconciliationCode(932, "straight-lining", "the same answer down every grid", True, "terminate"),
    ReconciliationCode(933, "speeder", "answered faster than the questions can be read", True, "terminate"),
    ReconciliationCode(934, "poor open end", "open answers without sense", True, "terminate"),
    ReconciliationCode(935, "ghost complete", "a complete of which the survey knows nothing", True, "terminate"),
    ReconciliationCode(936, "inconsistent", "answers that contradict each other", True, "terminate"),
    ReconciliationCode(940, "setup error", "the survey was set up wrongly", False, None),
    ReconciliationCode(941, "wrong price", "the cost per interview was wrong", False, None),
    ReconciliationCode(942, "wrong quotas", "qualifications or quotas were wrong", False, None),
    ReconciliationCode(943, "overfill", "more completes than were wanted", False, None),
    ReconciliationCode(944, "bulk", "data of which only a part is affected", False, None),
)
"""The reason codes that are documented, in order; `client.reconciliations.reason_codes()` asks the exchange."""
CODES: Mapping[int, ReconciliationCode] = MappingProxyType({row.code: row for row in RECONCILIATION_CODES})
_BY_WORD = {row.word: row for row in RECONCILIATION_CODES}
MAKE_COMPLETE = 11
"""The only code that makes a visit a complete; all others end one."""


def parse_reason(reason: object) -> ReconciliationCode:
    """Return the reason code of a number, or of a word of the table.

    Args:
        reason: Such as `933`, `"933"` or `"speeder"`, in any case.

    Raises:
        InputError: it is not known, or buyers may not submit it.
    """
    usable = ", ".join(f"{row.code} ({row.word})" for row in RECONCILIATION_CODES if row.allowed)
    text = "" if isinstance(reason, bool) else str(reason).strip().lower().removesuffix(".0")
    plain = " ".join(text.replace("_", " ").split())
    found = CODES.get(int(plain)) if plain.isascii() and plain.isdigit() and len(plain) < 6 else None
    found = found or _BY_WORD.get(plain) or _BY_WORD.get(plain.replace(" ", "-"))
    if found is None:
        raise InputError(
            f"The reason {masked_repr(reason, 40)} is none of the documented reason codes.",
            evidence={"field": "reason"},
            safe="nothing was sent.",
            next_step=f"choose one of {usable}.",
        )
    if not found.allowed:
        raise InputError(
            f"The exchange rejects sessions with reason code {found.code} ({found.word}): {found.meaning}.",
            evidence={"field": "reason", "code": found.code},
            safe="nothing was sent.",
            next_step="faults of one's own set-up, overfill among them, cannot be reconciled: ask Cint. "
            f"Otherwise choose one of {usable}.",
        )
    return found
