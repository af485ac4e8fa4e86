"""Reconciliations: the reason codes, the changes that are submitted, and the requests as the exchange shows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import Field

from cint_nb.domain.arguments import Rule, check_arguments
from cint_nb.domain.errors import InputError
from cint_nb.domain.ids import UUID_PATTERN, is_masked, is_respondent_id, masked_repr, normalise_id, printable
from cint_nb.domain.models import Amount, ApiModel, OptionalText, SpareTime

ROWS_MAX = 100_000
"""Rows of one submission."""
CENTRAL = ZoneInfo("America/Chicago")
"""The zone in which the exchange's deadlines are."""
DownloadType = Literal["submitted-rids", "expired-rids", "invalid-rids"]
"""The files of a submission; the fourth that the exchange has belongs to lists of approved completes."""
_NAME = re.compile(r"[A-Za-z0-9_. -]{1,255}", re.ASCII)
_LONGEST_WAIT = 86_400.0
_DEADLINE_DAY = 25
_WARN_FROM_DAY = 20


def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and UUID_PATTERN.search(name.lower()) is None


ReconciliationName = Annotated[
    str, Rule("1 to 255 letters, digits, spaces, '.', '_' or '-', without an id in it", _is_name)
]
WaitSeconds = Annotated[float, Rule("seconds from 0 to one day", lambda value: 0 <= value <= _LONGEST_WAIT)]


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


@printable
class Change(NamedTuple):
    """One change: the visit, and the reason code. Shows no id."""

    rid: str
    code: int

    def __repr__(self) -> str:
        """Show the code alone."""
        return f"Change(rid={masked_repr(self.rid)}, code={self.code})"


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


@check_arguments()
def reconciliation_deadline(completed_at: datetime) -> datetime:
    """Return until when a visit can be reconciled: the end of the 25th of the month after its completion, US Central.

    Args:
        completed_at: When the visit was completed.

    Returns:
        The last second of that day, with the zone America/Chicago.

    Example:
        >>> from datetime import UTC, datetime
        >>> from cint_nb.domain.reconciliation import reconciliation_deadline
        >>> reconciliation_deadline(datetime(2026, 9, 30, 12, 0, tzinfo=UTC)).isoformat()
        '2026-10-25T23:59:59-05:00'
        >>> reconciliation_deadline(datetime(2026, 10, 31, 12, 0, tzinfo=UTC)).isoformat()
        '2026-11-25T23:59:59-06:00'
    """
    local = completed_at.astimezone(CENTRAL)
    year, month = divmod(local.year * 12 + local.month, 12)
    return datetime(year, month + 1, _DEADLINE_DAY, 23, 59, 59, tzinfo=CENTRAL)


def is_expired(deadline: datetime, now: datetime) -> bool:
    """Return whether a deadline has passed: its last second has."""
    return now.astimezone(UTC) >= deadline.astimezone(UTC) + timedelta(seconds=1)


def is_near(deadline: datetime, now: datetime) -> bool:
    """Return whether a deadline is near: it is that month's 20th or later, US Central."""
    local = now.astimezone(CENTRAL)
    return (local.year, local.month) == (deadline.year, deadline.month) and local.day >= _WARN_FROM_DAY


def format_deadline(deadline: datetime) -> str:
    """Write a deadline with its zone, such as `2026-10-25 23:59:59 CDT (America/Chicago)`."""
    return f"{deadline:%Y-%m-%d %H:%M:%S %Z} (America/Chicago)"


# --- as the exchange shows them --------------------------------------------------------------------------------------


class ReconciliationCounts(ApiModel):
    """How many RIDs of a submission ended how. None is not known, never 0."""

    submitted: int | None = None
    expired: int | None = None
    invalid: int | None = None
    total_reversed: int | None = None
    positive_reversed: int | None = None
    negative_reversed: int | None = None

    def contradiction(self) -> str | None:
        """Return which counts contradict each other, in words; None where none does, or they are not all known."""
        parts = (self.expired, self.invalid, self.positive_reversed, self.negative_reversed)
        known = [part for part in parts if part is not None]
        if self.submitted is None or len(known) < len(parts):
            return None
        if sum(known) != self.submitted:
            return f"{self.submitted:,} submitted are not {' + '.join(f'{part:,}' for part in known)}"
        reversed_ = (self.positive_reversed or 0) + (self.negative_reversed or 0)
        if self.total_reversed is not None and self.total_reversed != reversed_:
            return f"{self.total_reversed:,} reversed are not {reversed_:,}"
        return None


class _FlatCounts(ApiModel):
    """Counts as the reply about one submission writes them."""

    submitted_count: int | None = None
    expired_count: int | None = None
    invalid_count: int | None = None
    positive_reversed_count: int | None = None
    negative_reversed_count: int | None = None

    @property
    def counts(self) -> ReconciliationCounts:
        """The counts, under the names of the list."""
        return ReconciliationCounts(
            submitted=self.submitted_count,
            expired=self.expired_count,
            invalid=self.invalid_count,
            positive_reversed=self.positive_reversed_count,
            negative_reversed=self.negative_reversed_count,
        )


def _is_complete(status: str | None) -> bool:
    return status is not None and status.strip().lower() in ("complete", "completed")


class ListedReconciliation(ApiModel):
    """A submission as the list shows it."""

    id: str
    name: OptionalText = None
    status: OptionalText = None
    submitted_at: SpareTime = None
    submitted_by_user_id: OptionalText = Field(default=None, repr=False)
    submission_type: OptionalText = None
    result_counts: ReconciliationCounts | None = None

    @property
    def is_complete(self) -> bool:
        """Whether it has been processed."""
        return _is_complete(self.status)


class ReconciliationRequest(_FlatCounts):
    """A submission by itself. Its status is `processing` or `complete`; there is none for a failure."""

    request_id: str
    name: OptionalText = None
    status: OptionalText = None
    submitted_at: SpareTime = None
    submitter_las_id: OptionalText = Field(default=None, repr=False)
    submission_type: OptionalText = None

    @property
    def is_complete(self) -> bool:
        """Whether it has been processed."""
        return _is_complete(self.status)


class GroupReconciliation(_FlatCounts):
    """What a submission changed in one target group."""

    target_group_id: str
    status: OptionalText = None


class EligibleTargetGroup(ApiModel):
    """A target group with visits that can still be reconciled.

    The exchange writes the number of completes as text; `completes` is it as a number.
    """

    target_group_id: str
    name: OptionalText = None
    project_id: OptionalText = None
    project_name: OptionalText = None
    project_manager: dict[str, Any] | None = Field(default=None, repr=False)
    status: OptionalText = None
    last_reconciliation_date: SpareTime = None
    eligible_completes: OptionalText = None
    monetary_amount: Amount | None = None

    @property
    def completes(self) -> int | None:
        """The number of eligible completes; None where the exchange gives none."""
        text = (self.eligible_completes or "").strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


class ReasonCode(ApiModel):
    """A reason code as the exchange lists it; one that is not `allowed` is rejected with its RIDs."""

    code: str
    name: OptionalText = None
    description: OptionalText = None
    allowed: bool | None = None
