"""The base of all API models, references to target groups, and amounts of money.

Every model keeps unknown fields, treats nulls as absent and requires no optional field, because the exchange's contract
drifts within one version. What the exchange did not say is None: never an empty text, an empty list or a zero.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    WrapValidator,
    model_validator,
)

from cint_nb.domain.arguments import Rule, check_arguments
from cint_nb.domain.ids import printable


def text_or_none(value: Any) -> str | None:
    """Return a value of a reply as text, a number too; None if it is absent, null, empty or anything else."""
    is_text = isinstance(value, str | int | float) and not isinstance(value, bool)
    return (str(value) or None) if is_text else None


def reason_in_words(reason: Any) -> str | None:
    """Return the reason of a reply, a text or an object with description and code, as text; None if there is none."""
    if isinstance(reason, Mapping):
        return text_or_none(reason.get("description")) or text_or_none(reason.get("code"))
    return text_or_none(reason)


OptionalText = Annotated[str | None, BeforeValidator(lambda value: None if value == "" else value)]
"""A text, or None where it was not given; the exchange writes that as an absent field, as null or as an empty text."""


PLAUSIBLE_YEARS = range(2000, 2200)
"""Programs write dates outside for "none" or "never": as dates they would end a run, or never end it."""


def _time_or_none(value: Any, parse: Callable[[Any], datetime]) -> datetime | None:
    try:
        found = parse(value) if isinstance(value, str | datetime) else None
    except ValidationError:
        return None
    return found if found is not None and found.tzinfo is not None and found.year in PLAUSIBLE_YEARS else None


def _count_or_none(value: Any, parse: Callable[[Any], int]) -> int | None:
    try:
        found = parse(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    except ValidationError:
        return None
    return found if found is not None and 0 <= found < 2**53 else None


SpareTime = Annotated[datetime | None, WrapValidator(_time_or_none)]
"""A time with its zone; None where what was sent is none, since nothing may wait for it."""
SpareCount = Annotated[int | None, WrapValidator(_count_or_none)]
"""A whole number from 0; None where what was sent is none, since nothing may wait for it."""


class PrintableModel(BaseModel):
    """Base of models whose fields may hold texts from anywhere: what it shows can be printed on every console."""

    @printable
    def __repr__(self) -> str:
        """Show every field."""
        return super().__repr__()

    @printable
    def __str__(self) -> str:
        """Show every field."""
        return super().__str__()


class ApiModel(PrintableModel):
    """Base of the API models: unknown fields are kept, null and empty text mean absent, numbers may arrive as text."""

    model_config = ConfigDict(frozen=True, extra="allow", coerce_numbers_to_str=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        known = set(cls.model_fields) | {field.alias for field in cls.model_fields.values() if field.alias}
        return {key: value for key, value in data.items() if key not in known or (value is not None and value != "")}


def _is_json(value: Mapping[str, Any]) -> bool:
    try:
        return bool(json.dumps(value, allow_nan=False, ensure_ascii=False).encode())
    except (TypeError, ValueError, RecursionError):
        return False


JsonObject = Annotated[Mapping[str, Any], Rule("a mapping that can be written as JSON", _is_json)]
IdInUrl = Annotated[str, Rule("an id as the exchange returned it", re.compile(r"[\w-]{1,128}", re.ASCII).fullmatch)]

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


@check_arguments()
@printable
class TargetGroupRef(BaseModel):
    """A reference to one target group.

    Args:
        project_id: Project, 26 capital letters and digits.
        target_group_id: Target group, the same form.

    Example:
        >>> group = cint.TargetGroupRef(project_id="01P", target_group_id="01G")
        >>> group.target_group_id
        '01G'
    """

    model_config = ConfigDict(frozen=True)

    project_id: str
    target_group_id: str

    def path_params(self, **more: str) -> dict[str, str]:
        """Return the path parameters of this target group, with `more` of them.

        Example:
            >>> cint.TargetGroupRef(project_id="01P", target_group_id="01G").path_params()
            {'project_id': '01P', 'target_group_id': '01G'}
        """
        return {"project_id": self.project_id, "target_group_id": self.target_group_id, **more}


def format_money(value: Decimal, currency_code: str) -> str:
    """Return an amount as text that can be read in one way only: a comma never stands without a point.

    A price may have four decimals, and what it is multiplied with leaves zeros at their end: these say nothing.
    """
    whole, point, decimals = f"{value:,f}".partition(".")
    if point:
        decimals = decimals[:2] + decimals[2:].rstrip("0")
    elif "," in whole:
        point, decimals = ".", "00"
    return f"{whole}{point}{decimals} {currency_code}"


class Amount(ApiModel):
    """Money as the exchange writes it: a decimal string and a currency code."""

    value: Decimal | None = None
    currency_code: Annotated[OptionalText, AfterValidator(lambda code: code and code.upper())] = None

    @printable
    def __str__(self) -> str:
        """Return amount and currency as text, as far as they are known."""
        if self.value is None:
            return "not known"
        return f"{self.value:,f}" if self.currency_code is None else format_money(self.value, self.currency_code)
