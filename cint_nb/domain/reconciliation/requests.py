"""Submissions of reconciliations, their counts, and what can be reconciled, as the exchange shows them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from cint_nb.domain.arguments import Rule
from cint_nb.domain.models import Amount, ApiModel, OptionalText, SpareTime

DownloadType = Literal["submitted-rids", "expired-rids", "invalid-rids"]
"""The files of a submission; the fourth that the exchange has belongs to lists of approved completes."""
_LONGEST_WAIT = 86_400.0
WaitSeconds = Annotated[float, Rule("seconds from 0 to one day", lambda value: 0 <= value <= _LONGEST_WAIT)]


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
