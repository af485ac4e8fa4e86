"""The replies of the exchange as values: the common base, references, money and projects.

Every model keeps fields it does not know, takes nulls for absent fields and never insists on an optional one:
the exchange's contract drifts inside one version.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ApiModel(BaseModel):
    """Read a reply tolerantly: unknown fields are kept, a null means absent, numbers may arrive as text."""

    model_config = ConfigDict(frozen=True, extra="allow", coerce_numbers_to_str=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        known = set(cls.model_fields) | {field.alias for field in cls.model_fields.values() if field.alias}
        return {key: value for key, value in data.items() if value is not None or key not in known}


SomeModel = TypeVar("SomeModel", bound=BaseModel)


def evolve(model: SomeModel, **changes: object) -> SomeModel:
    """Return a copy of a model with some fields changed.

    pydantic's own `model_copy(update=…)` takes any key and any value, so a misspelled field would be lost unsaid.

    Raises:
        TypeError: the model has no field of that name.
        pydantic.ValidationError: a value does not fit its field.
    """
    if unknown := changes.keys() - type(model).model_fields.keys():
        raise TypeError(f"{type(model).__name__} has no field {', '.join(sorted(unknown))}")
    return type(model).model_validate({**dict(model), **changes})


class TargetGroupRef(BaseModel):
    """Point at one target group.

    Args:
        project_id: Project, 26 capital letters and digits.
        target_group_id: Target group, the same form.
    """

    model_config = ConfigDict(frozen=True)

    project_id: str
    target_group_id: str

    def path(self, **more: str) -> dict[str, str]:
        """Return the values the addresses of this target group need, with `more` of them."""
        return {"project_id": self.project_id, "target_group_id": self.target_group_id, **more}


class Amount(ApiModel):
    """Hold money as the exchange writes it: a decimal string and a currency code."""

    value: Decimal | None = None
    currency_code: str = ""

    def __str__(self) -> str:
        """Write amount and currency."""
        return f"{self.value:,f} {self.currency_code}" if self.value is not None else ""


class Project(ApiModel):
    """Describe a project; endpoint `GET …/projects/{project_id}`."""

    id: str
    name: str = ""
    project_manager_id: str = ""
    account_id: int | None = None
    human_readable_id: str = ""
    project_customer_reference_number: str = ""


class ProjectStatistics(ApiModel):
    """Hold the figures of a project over all its target groups; rates are shares, 0–1."""

    filling_goal: int | None = None
    current_completes: int | None = None
    current_prescreens: int | None = None
    incidence_rate_median: float | None = None
    length_of_interview_median_seconds: float | None = None
    conversion_rate_average: float | None = None
    drop_off_rate_average: float | None = None


class ProjectSummary(Project):
    """Describe a project as the list of projects shows it."""

    status: str = ""
    target_group_count: int | None = None
    last_activity_at: datetime | None = None
    statistics: ProjectStatistics = Field(default_factory=ProjectStatistics)


class ProjectOverview(Project):
    """Describe a project with its figures; endpoint `GET …/projects/{project_id}/overview`."""

    status: str = ""
    created_at: datetime | None = None
    statistics: ProjectStatistics = Field(default_factory=ProjectStatistics)
