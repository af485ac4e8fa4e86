"""Projects as the exchange returns them: single, listed, with their statistics."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from cint_nb.domain.models import ApiModel, OptionalText


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
