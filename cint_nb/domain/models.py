"""The base of all API models, references to target groups, and amounts of money.

Every model keeps unknown fields, treats nulls as absent and requires no optional field, because the exchange's contract
drifts within one version.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, model_validator


class ApiModel(BaseModel):
    """Base of the API models: unknown fields are kept, a null means absent, numbers may arrive as text."""

    model_config = ConfigDict(frozen=True, extra="allow", coerce_numbers_to_str=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        known = set(cls.model_fields) | {field.alias for field in cls.model_fields.values() if field.alias}
        return {key: value for key, value in data.items() if value is not None or key not in known}


SomeModel = TypeVar("SomeModel", bound=BaseModel)


def evolve(model: SomeModel, **changes: object) -> SomeModel:
    """Return a copy of a model with some fields changed.

    pydantic's own `model_copy(update=…)` takes any key and any value, so a misspelled field would be lost silently.

    Raises:
        TypeError: if the model has no field of that name.
        pydantic.ValidationError: if a value does not fit its field.
    """
    if unknown := changes.keys() - type(model).model_fields.keys():
        raise TypeError(f"{type(model).__name__} has no field {', '.join(sorted(unknown))}")
    return type(model).model_validate({**dict(model), **changes})


class TargetGroupRef(BaseModel):
    """A reference to one target group.

    Args:
        project_id: Project, 26 capital letters and digits.
        target_group_id: Target group, the same form.
    """

    model_config = ConfigDict(frozen=True)

    project_id: str
    target_group_id: str

    def path_params(self, **more: str) -> dict[str, str]:
        """Return the path parameters of this target group, with `more` of them."""
        return {"project_id": self.project_id, "target_group_id": self.target_group_id, **more}


def format_money(value: Decimal, currency_code: str) -> str:
    """Return an amount as text that can be read in one way only: a comma never stands without a point."""
    text = f"{value:,f}"
    return f"{text}{'.00' if ',' in text and '.' not in text else ''} {currency_code}"


class Amount(ApiModel):
    """Money as the exchange writes it: a decimal string and a currency code."""

    value: Decimal | None = None
    currency_code: str = ""

    def __str__(self) -> str:
        """Return amount and currency as text."""
        return "" if self.value is None else format_money(self.value, self.currency_code)
