"""The changes that a reconciliation submits: the visit, by its RID, and the reason code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, NamedTuple

from cint_nb.domain.arguments import Rule, check_arguments
from cint_nb.domain.errors import InputError
from cint_nb.domain.ids import UUID_PATTERN, is_masked, is_respondent_id, mask_id, masked_repr, normalise_id, printable
from cint_nb.domain.reconciliation.reasons import parse_reason

ROWS_MAX = 100_000
"""Rows of one submission."""
_NAME = re.compile(r"[A-Za-z0-9_. -]{1,255}", re.ASCII)


def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and UUID_PATTERN.search(name.lower()) is None


ReconciliationName = Annotated[
    str, Rule("1 to 255 letters, digits, spaces, '.', '_' or '-', without an id in it", _is_name)
]


@printable
class Change(NamedTuple):
    """One change: the visit, and the reason code. Shows no id."""

    rid: str
    code: int

    def __repr__(self) -> str:
        """Show the masked RID and the code."""
        return f"<Change: {mask_id(self.rid)} to {self.code}>"


@check_arguments(leave=("changes",))
def parse_changes(changes: Mapping[str, int | str] | Iterable[tuple[str, int | str]]) -> tuple[Change, ...]:
    """Return changes in the form in which they are sent: RIDs in lower case, codes as numbers.

    Args:
        changes: Reason code by RID, or pairs of both; a code may be its word.

    Raises:
        InputError: there are none, or too many; a RID is malformed, masked or named twice; a code is not usable.
    """
    try:
        pairs = [(rid, code) for rid, code in (changes.items() if isinstance(changes, Mapping) else changes)]
    except (TypeError, ValueError):
        raise InputError(
            "The changes are not pairs of a RID and a reason code.",
            evidence={"field": "changes", "type": type(changes).__name__},
            next_step='pass a mapping, such as {rid: "speeder"}, or pairs of both.',
        ) from None
    if not 1 <= len(pairs) <= ROWS_MAX:
        raise InputError(
            f"A submission has 1 to {ROWS_MAX:,} rows; these are {len(pairs):,}.",
            evidence={"field": "changes", "rows": len(pairs)},
            safe="nothing was sent.",
            next_step="submit them in several parts: each part changes the visits it names, and no others.",
        )
    found: dict[str, Change] = {}
    for row, (rid, code) in enumerate(pairs, 1):
        plain = normalise_id(rid) if isinstance(rid, str) else ""
        if not is_respondent_id(plain):
            hidden = isinstance(rid, str) and is_masked(rid)
            raise InputError(
                f"Row {row:,} has {'a masked id' if hidden else 'no RID'}: {masked_repr(rid)}.",
                evidence={"field": "changes", "row": row},
                safe="nothing was sent.",
                next_step="pass whole RIDs, which are UUIDs with dashes.",
            )
        if plain in found:
            raise InputError(
                f"Row {row:,} names a RID a second time.",
                evidence={"field": "changes", "row": row},
                safe="nothing was sent.",
                next_step="name each RID once, with one reason code.",
            )
        found[plain] = Change(plain, parse_reason(code).code)
    return tuple(found.values())


def to_csv(changes: Iterable[Change]) -> bytes:
    """Return the body of a submission: `RID,code` a line, without header and without spaces."""
    return "".join(f"{change.rid},{change.code}\n" for change in changes).encode("ascii")
