"""What a target group holds about respondents: upload jobs, saved counts, exclusions."""

from __future__ import annotations

from datetime import datetime

from cint_nb.domain.jobs import JobState, parse_job_state
from cint_nb.domain.models import ApiModel, OptionalText


class UploadJob(ApiModel):
    """An upload job as listed; recontact guide, managing upload jobs."""

    job_id: str
    file_name: OptionalText = None
    status: OptionalText = None
    created_at: datetime | None = None
    created_by: OptionalText = None
    completed_at: datetime | None = None

    @property
    def state(self) -> JobState:
        """The status as a state; a partial success appears only in the job itself."""
        return parse_job_state(self.status, ended=self.completed_at is not None)


class RecontactOverview(ApiModel):
    """The saved counts of a target group; its goal may be at most the number of respondent ids."""

    saved_respondent_ids_count: int | None = None
    saved_access_respondent_guids_count: int | None = None


class ExclusionPolicy(ApiModel):
    """Whether people who completed elsewhere in the project are excluded from a target group."""

    target_group_id: OptionalText = None
    project_exclusion_enabled: bool | None = None
    create_date: datetime | None = None
    update_date: datetime | None = None
    updated_by: OptionalText = None


class ExclusionGroup(ApiModel):
    """Target groups of which each keeps out whoever completed another one of them."""

    exclusion_group_id: str
    tag: OptionalText = None
    description: OptionalText = None
    create_date: datetime | None = None
    update_date: datetime | None = None


class ActivityExclusion(ApiModel):
    """An exclusion of the respondents active in another project or target group.

    Args:
        type: `target-group` or `project`.
        id: The project or target group whose respondents are excluded; never the group's own.
        duration: How far back, in ISO 8601 date units, `P1D` to `P396D`.
    """

    type: str
    id: str
    duration: str

    def to_body(self) -> dict[str, object]:
        """Return the JSON form, with every field that was received."""
        return self.model_dump(mode="json")
