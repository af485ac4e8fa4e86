"""Reports: their types in both spellings, and the list of report requests."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from cint_nb.domain.jobs import JobState, parse_job_state
from cint_nb.domain.models import ApiModel, OptionalText, text_or_none


class ReportType(StrEnum):
    """A report as the API reference spells it; `RESPONDENT_ANALYSIS` contains the RSIDs of a finished wave."""

    COMPLETES = "completes"
    RECONCILIATIONS_STATUS = "reconciliations-status"
    RECONCILIATION_ELIGIBLE_RIDS = "reconciliation-eligible-rids"
    SAMPLE_BOUGHT = "sample-bought"
    RESPONDENT_ANALYSIS = "respondent-analysis"
    TERM_DETAILS = "term-details"


GUIDE_SPELLINGS: dict[ReportType, str] = {
    ReportType.RECONCILIATIONS_STATUS: "reconciliation_status",
    ReportType.RECONCILIATION_ELIGIBLE_RIDS: "reconciliation_eligible_rids",
    ReportType.SAMPLE_BOUGHT: "sample_bought",
    ReportType.RESPONDENT_ANALYSIS: "respondent_analysis",
    ReportType.TERM_DETAILS: "termination_details",
}
"""How the guides spell the same reports."""


class ReportRequest(ApiModel):
    """A report request as listed; the requestor never appears in a repr."""

    report_id: str
    report_type: OptionalText = None
    status: OptionalText = None
    level: OptionalText = None
    create_date: datetime | None = None
    create_params: dict[str, Any] | None = None
    requestor: dict[str, Any] | None = Field(default=None, repr=False)

    @property
    def state(self) -> JobState:
        """The status as a state."""
        return parse_job_state(self.status)

    def matches(self, body: dict[str, Any]) -> bool:
        """Return whether this request has the period and the filter of a body."""
        params = self.create_params
        if not params:  # the list omits them, so a new request of the same type has to do
            return True
        same_dates = all(_day(params.get(key)) == _day(body.get(key)) for key in _DATE_FIELDS)
        same_filter = text_or_none(params.get("filter")) == text_or_none(body.get("filter"))
        return same_dates and same_filter and set(params.get("filter_ids") or ()) == set(body.get("filter_ids") or ())


_DATE_FIELDS = ("start_date", "end_date")


def _day(moment: Any) -> str | None:
    return None if (text := text_or_none(moment)) is None else text[:10]
