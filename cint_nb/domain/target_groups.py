"""Projects and their target groups as the exchange returns them: draft, launched, listed, with their metrics."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from cint_nb.domain.models import Amount, ApiModel, OptionalText, reason_in_words, text_or_none


class Project(ApiModel):
    """A project; endpoint `GET …/projects/{project_id}`."""

    id: str
    name: OptionalText = None
    project_manager_id: OptionalText = None
    account_id: int | None = None
    human_readable_id: OptionalText = None
    project_customer_reference_number: OptionalText = None


class ProjectStatistics(ApiModel):
    """The metrics of a project over all its target groups; rates are fractions, 0–1."""

    filling_goal: int | None = None
    current_completes: int | None = None
    current_prescreens: int | None = None
    incidence_rate_median: float | None = None
    length_of_interview_median_seconds: float | None = None
    conversion_rate_average: float | None = None
    drop_off_rate_average: float | None = None


class ProjectSummary(Project):
    """A project as listed."""

    status: OptionalText = None
    target_group_count: int | None = None
    last_activity_at: datetime | None = None
    statistics: ProjectStatistics = Field(default_factory=ProjectStatistics)


class ProjectOverview(Project):
    """A project with its metrics; endpoint `GET …/projects/{project_id}/overview`."""

    status: OptionalText = None
    created_at: datetime | None = None
    statistics: ProjectStatistics = Field(default_factory=ProjectStatistics)


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

    pricing: Pricing | None = None
    quota_overlay: QuotaOverlay | None = None


class TargetGroup(ApiModel):
    """A target group, draft or launched; a launched one has fewer fields.

    `launched` is ours: which of the two endpoints answered.
    """

    id: str
    launched: bool
    human_readable_id: OptionalText = None
    name: OptionalText = None
    business_unit_id: int | None = None
    project_manager_id: OptionalText = None
    locale: OptionalText = None
    study_type_code: OptionalText = None
    industry_code: OptionalText = None
    completes_goal: int | None = None
    collects_pii: bool | None = None
    expected_length_of_interview_minutes: int | None = None
    expected_incidence_rate: float | None = None
    fielding_specification: FieldingSpecification = Field(default_factory=FieldingSpecification)
    cost_per_interview: Amount | None = None
    live_url: OptionalText = None
    test_url: OptionalText = None
    exclusion: dict[str, Any] | None = None
    fielding_assistant_assignment: FieldingAssistantAssignment | None = None
    allocations: dict[str, Any] | None = None
    profiling: dict[str, Any] | None = None
    filling_strategy: OptionalText = None
    links: dict[str, Any] | None = None
    created_at: datetime | None = None
    target_group_customer_reference_number: OptionalText = None

    @property
    def price_cap(self) -> Amount | None:
        """The highest price of a complete; None where the target group shows none."""
        pricing = self.fielding_assistant_assignment.pricing if self.fielding_assistant_assignment else None
        return (pricing.maximum_cpi if pricing else None) or self.cost_per_interview


class TargetGroupSummary(ApiModel):
    """A target group as listed; `statistics` contains metrics with the exchange's own advice."""

    id: str
    human_readable_id: OptionalText = None
    name: OptionalText = None
    project_manager_id: OptionalText = None
    exclusion_enabled: bool | None = None
    locale: OptionalText = None
    status: OptionalText = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    statistics: dict[str, Any] | None = None
    target_group_customer_reference_number: OptionalText = None

    def issues(self) -> tuple[tuple[str, str | None, str | None], ...]:
        """Return the exchange's own advice as (metric, `warning` or `error`, reason in words); None if not given."""
        return tuple(
            (metric, text_or_none(issue.get("issue_type")), reason_in_words(issue.get("reason")))
            for metric, entry in (self.statistics or {}).items()
            for issue in ((entry.get("issues") or ()) if isinstance(entry, dict) else ())
            if isinstance(issue, dict)
        )


class GoalProgress(ApiModel):
    """How far the goal is reached and what counts toward it."""

    current_completes: int | None = None
    current_prescreens: int | None = None
    filling_goal: int | None = None
    filling_strategy: OptionalText = None


class TargetGroupOverview(ApiModel):
    """State, progress and cost of a launched target group; rates are fractions, 0–1."""

    target_group_name: OptionalText = None
    project_name: OptionalText = None
    status: OptionalText = None
    progress: GoalProgress = Field(default_factory=GoalProgress)
    pricing_model: OptionalText = None
    is_pricing_restricted: bool | None = None
    current_cost_per_interview: Amount | None = None
    average_cost_per_interview: Amount | None = None
    current_cost: Amount | None = None
    conversion_rate: float | None = None
    drop_off_rate: float | None = None
    incidence_rate: float | None = None
    median_length_of_interview_seconds: float | None = None
    study_type_code: OptionalText = None
    country_code: OptionalText = None
    language_code: OptionalText = None
    created_at: datetime | None = None
    target_group_customer_reference_number: OptionalText = None


class RespondentCount(ApiModel):
    """The number of visits that ended in one status."""

    status: OptionalText = None
    label: OptionalText = None
    description: OptionalText = None
    count: int | None = None


class RespondentAnalysis(ApiModel):
    """Visits by status, live and test separately."""

    live: tuple[RespondentCount, ...] | None = None
    test: tuple[RespondentCount, ...] | None = None


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
    count: int | None = None


class ChangelogEntry(ApiModel):
    """One entry of the changelog: when, by whom, what; old and new values are kept as received."""

    id: OptionalText = None
    occurred_at: datetime | None = None
    user: dict[str, Any] | None = None
    changes: tuple[dict[str, Any], ...] | None = None


class Feasibility(ApiModel):
    """The exchange's forecast for a population. It does not consider a recontact list."""

    suggested_price: Amount | None = None
    suggested_price_range: dict[str, Any] | None = None
    suggested_completes_goal_range: dict[str, Any] | None = None
    profiles: tuple[dict[str, Any], ...] | None = None
    allocations: dict[str, Any] | None = None


class ExchangePrice(ApiModel):
    """The price of a complete on the open exchange, or from one supplier of a Private Exchange."""

    supplier_id: OptionalText = None
    cost_per_interview: Amount | None = None
    pricing_context: dict[str, Any] | None = None

    @property
    def pricing_model(self) -> str | None:
        """`dynamic` or `rate_card`; None if it is not said."""
        return text_or_none((self.pricing_context or {}).get("type"))


class PricePrediction(ApiModel):
    """The price of a complete; `price_type` says of a target group whether it is a `prediction`."""

    price_type: OptionalText = None
    open_exchange_price: ExchangePrice
    private_exchange_prices: tuple[ExchangePrice, ...]
    buyer_business_unit_exchange_rate_from_usd: float | None = None


class Transitions(ApiModel):
    """The actions a set of target groups currently allows."""

    target_groups: tuple[str, ...] | None = None
    is_launch_allowed: bool | None = None
    is_pause_allowed: bool | None = None
    is_resume_allowed: bool | None = None
    is_relaunch_allowed: bool | None = None
    is_finish_allowed: bool | None = None
