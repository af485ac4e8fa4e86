"""Target groups as the exchange returns them: draft, launched, listed, with their metrics."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from cint_nb.domain.models import Amount, ApiModel


class FieldingSpecification(ApiModel):
    """Start and end of fielding, UTC."""

    start_at: datetime | None = None
    end_at: datetime | None = None


class Pricing(ApiModel):
    """How a complete is priced; `maximum_cpi` is the most it can cost."""

    maximum_cpi: Amount | None = None


class QuotaOverlay(ApiModel):
    """Whether completes stop at the goal, and whether quotas fill evenly."""

    prevent_overfill: bool | None = None
    balance_fill: bool | None = None


class FieldingAssistantAssignment(ApiModel):
    """What the fielding assistant holds of a target group."""

    pricing: Pricing = Field(default_factory=Pricing)
    quota_overlay: QuotaOverlay = Field(default_factory=QuotaOverlay)


class TargetGroup(ApiModel):
    """A target group, draft or launched; a launched one has fewer fields.

    `launched` is ours: which of the two endpoints answered.
    """

    id: str = ""
    launched: bool = False
    human_readable_id: str = ""
    name: str = ""
    business_unit_id: int | None = None
    project_manager_id: str = ""
    locale: str = ""
    study_type_code: str = ""
    industry_code: str = ""
    completes_goal: int | None = None
    collects_pii: bool | None = None
    expected_length_of_interview_minutes: int | None = None
    expected_incidence_rate: float | None = None
    fielding_specification: FieldingSpecification = Field(default_factory=FieldingSpecification)
    cost_per_interview: Amount | None = None
    live_url: str = ""
    test_url: str = ""
    exclusion: dict[str, Any] = Field(default_factory=dict)
    fielding_assistant_assignment: FieldingAssistantAssignment = Field(default_factory=FieldingAssistantAssignment)
    allocations: dict[str, Any] = Field(default_factory=dict)
    profiling: dict[str, Any] = Field(default_factory=dict)
    filling_strategy: str = ""
    created_at: datetime | None = None
    target_group_customer_reference_number: str = ""

    @property
    def price_cap(self) -> Amount | None:
        """The highest price of a complete; None where the target group shows none."""
        return self.fielding_assistant_assignment.pricing.maximum_cpi or self.cost_per_interview


class TargetGroupSummary(ApiModel):
    """A target group as listed; `statistics` contains metrics with the exchange's own advice."""

    id: str
    human_readable_id: str = ""
    name: str = ""
    project_manager_id: str = ""
    exclusion_enabled: bool | None = None
    locale: str = ""
    status: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    statistics: dict[str, Any] = Field(default_factory=dict)
    target_group_customer_reference_number: str = ""

    def issues(self) -> tuple[tuple[str, str, str], ...]:
        """Return the exchange's own advice as (metric, `warning` or `error`, reason in words)."""
        return tuple(
            (metric, str(issue.get("issue_type", "")), _reason_in_words(issue.get("reason")))
            for metric, entry in self.statistics.items()
            for issue in ((entry.get("issues") or ()) if isinstance(entry, dict) else ())
            if isinstance(issue, dict)
        )


def _reason_in_words(reason: Any) -> str:
    if isinstance(reason, dict):
        return str(reason.get("description") or reason.get("code") or "")
    return str(reason or "")


class GoalProgress(ApiModel):
    """How far the goal is reached and what counts toward it."""

    current_completes: int | None = None
    current_prescreens: int | None = None
    filling_goal: int | None = None
    filling_strategy: str = ""


class TargetGroupOverview(ApiModel):
    """State, progress and cost of a launched target group; rates are fractions, 0–1."""

    target_group_name: str = ""
    project_name: str = ""
    status: str = ""
    progress: GoalProgress = Field(default_factory=GoalProgress)
    pricing_model: str = ""
    is_pricing_restricted: bool | None = None
    current_cost_per_interview: Amount | None = None
    average_cost_per_interview: Amount | None = None
    current_cost: Amount | None = None
    conversion_rate: float | None = None
    drop_off_rate: float | None = None
    incidence_rate: float | None = None
    median_length_of_interview_seconds: float | None = None
    study_type_code: str = ""
    country_code: str = ""
    language_code: str = ""
    created_at: datetime | None = None
    target_group_customer_reference_number: str = ""


class RespondentCount(ApiModel):
    """The number of visits that ended in one status."""

    status: str = ""
    label: str = ""
    description: str = ""
    count: int = 0


class RespondentAnalysis(ApiModel):
    """Visits by status, live and test separately."""

    live: tuple[RespondentCount, ...] = ()
    test: tuple[RespondentCount, ...] = ()


class Performance(ApiModel):
    """The metrics of fielding; rates are fractions, 0–1."""

    entrants: int | None = None
    prescreens: int | None = None
    completes: int | None = None
    completes_cost: Amount | None = None
    first_complete: datetime | None = None
    last_complete: datetime | None = None
    incidence_rate: float | None = None
    drop_off_rate: float | None = None
    conversion_rate: float | None = None
    respondent_analysis: RespondentAnalysis = Field(default_factory=RespondentAnalysis)


class CompletesInterval(ApiModel):
    """The completes collected until `timestamp`, the end of an interval; counts are cumulative."""

    timestamp: datetime
    count: int = 0


class ChangelogEntry(ApiModel):
    """One entry of the changelog: when, by whom, what; old and new values are kept as received."""

    id: str = ""
    occurred_at: datetime | None = None
    user: dict[str, Any] = Field(default_factory=dict)
    changes: tuple[dict[str, Any], ...] = ()


class Feasibility(ApiModel):
    """The exchange's forecast for a population. It does not consider a recontact list."""

    suggested_price: Amount | None = None
    suggested_price_range: dict[str, Any] = Field(default_factory=dict)
    suggested_completes_goal_range: dict[str, Any] = Field(default_factory=dict)
    profiles: tuple[dict[str, Any], ...] = ()
    allocations: dict[str, Any] = Field(default_factory=dict)


class Transitions(ApiModel):
    """The actions a set of target groups currently allows."""

    target_groups: tuple[str, ...] = ()
    is_launch_allowed: bool | None = None
    is_pause_allowed: bool | None = None
    is_resume_allowed: bool | None = None
    is_relaunch_allowed: bool | None = None
    is_finish_allowed: bool | None = None
