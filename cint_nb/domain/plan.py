"""The plan of a target group: every field of the draft, validated before it is sent."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from cint_nb.domain import limits
from cint_nb.domain.errors import PlanError
from cint_nb.domain.ids import masked_repr
from cint_nb.domain.models import OptionalText

_MONEY = re.compile(r"(?P<amount>(\d+|\d{1,3}(,\d{3})+)(\.\d+)?)\s+(?P<code>[A-Za-z]{3})", re.ASCII)
"""Commas only between thousands: a decimal comma would otherwise be read as a hundred times the amount."""


class AllocationFormat(StrEnum):
    """How the recontact allocation template is written in the draft.

    `TEMPLATE_ID` is the recontact guide's `allocations.template_id`; `ALLOCATION_TEMPLATE` the October 2026 contract's
    `allocation_template`; `OPEN_EXCHANGE` the template expanded into `allocations.open_exchange_allocations`.
    """

    TEMPLATE_ID = "template_id"
    ALLOCATION_TEMPLATE = "allocation_template"
    OPEN_EXCHANGE = "open_exchange"


class Money(BaseModel):
    """An amount in a currency, exactly.

    Args:
        value: Amount, 0 or more.
        currency_code: Three capital letters; for prices the business unit's currency.
    """

    model_config = ConfigDict(frozen=True)

    value: Decimal = Field(ge=0)
    currency_code: str = Field(pattern=r"^[A-Z]{3}$")

    @classmethod
    def parse(cls, text: str | Money) -> Money:
        """Parse text such as `1400 EUR`.

        Raises:
            PlanError: if the text is not an amount and a currency code.
        """
        if isinstance(text, Money):
            return text
        read = _MONEY.fullmatch(str(text).strip())
        if read is None:
            raise PlanError(
                "The amount of money is not valid.",
                evidence={"given": masked_repr(text, 40)},
                next_step="write an amount and a currency code, such as '1400 EUR' or '1,400.50 EUR': "
                "use a point for decimals.",
            )
        return cls(value=Decimal(read["amount"].replace(",", "")), currency_code=read["code"].upper())

    def to_body(self) -> dict[str, str]:
        """Return the JSON form, with the amount as a decimal string."""
        return {"value": format(self.value, "f"), "currency_code": self.currency_code}

    def __str__(self) -> str:
        """Return amount and currency as text."""
        return f"{self.value:,f} {self.currency_code}"


class TargetGroupPlan(BaseModel):
    """A recontact target group as the two guides define it.

    Args:
        business_unit_id: Number of the business unit; its currency is the currency of all prices.
        project_manager_id: UUID of the project manager.
        locale: Language and country, such as `ger_de`.
        completes_goal: Completes wanted, 1 or more, at most the ids uploaded.
        start_at: Start of fielding, UTC.
        end_at: End of fielding, UTC, at least one hour ahead when sent.
        live_url: Survey URL with `[%RECONTACT_RSID%]`, at most 3,000 characters.
        test_url: The same for tests; `live_url` when omitted.
        cost_per_interview: Price per complete, such as `2.7352 EUR`.
        maximum_cpi: Highest price per complete; `cost_per_interview` when omitted.
        expected_length_of_interview_minutes: 1–45.
        expected_incidence_rate: Share that qualifies, 0–1.
        name: 5–128 characters; the wave's name when omitted.
        profiling: Cint's `profiling` object, or None to omit it, which suits a recontact.
        exclusion_enabled: Project exclusion. False admits people of the same project again.
        filling_strategy: What counts toward the goal; `completes` for a recontact.
        allocation_format: How the recontact allocation template is written.

    Serves both guides; endpoint `POST …/target-groups`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    business_unit_id: int
    project_manager_id: str
    locale: str = Field(pattern=r"^[a-z]{3}_[a-z]{2}$")
    completes_goal: int = Field(ge=1)
    start_at: datetime
    end_at: datetime
    live_url: str
    test_url: OptionalText = None
    cost_per_interview: Money | None = None
    maximum_cpi: Money | None = None
    expected_length_of_interview_minutes: int = Field(
        default=10, ge=limits.INTERVIEW_MINUTES[0], le=limits.INTERVIEW_MINUTES[1]
    )
    expected_incidence_rate: float = Field(default=0.8, ge=0, le=1)
    name: OptionalText = Field(default=None, max_length=limits.NAME_CHARACTERS[1])
    industry_code: str = "other"
    collects_pii: bool = False
    study_type_code: str = limits.RECONTACT_STUDY_TYPE
    profiling: dict[str, Any] | None = None
    exclusion_enabled: bool = False
    filling_strategy: str = "completes"
    prevent_overfill: bool = True
    balance_fill: bool = False
    allocation_format: AllocationFormat = AllocationFormat.TEMPLATE_ID
    allocation_template_id: str = limits.RECONTACT_TEMPLATE_ID
    open_exchange_allocations: dict[str, Any] | None = None
    customer_reference_number: OptionalText = None

    @classmethod
    def recontact(cls, **fields: Any) -> Self:
        """Create a plan, with a clear error for each wrong field.

        Raises:
            PlanError: naming each field that is missing, unknown or out of range.
        """
        try:
            return cls(**fields)
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, item['loc']))}: {_explain_problem(item)}" for item in error.errors()
            )
            raise PlanError(
                f"The plan is not valid: {problems}.",
                evidence={"fields": ", ".join(sorted({str(item["loc"][0]) for item in error.errors()}))},
                next_step="correct these fields and create the plan again.",
            ) from None

    @field_validator("cost_per_interview", "maximum_cpi", mode="before")
    @classmethod
    def _read_money(cls, value: Any) -> Any:
        return Money.parse(value) if isinstance(value, str) else value

    @field_validator("start_at", "end_at", mode="after")
    @classmethod
    def _as_utc(cls, value: datetime) -> datetime:
        if value.tzinfo is None:
            raise ValueError("pass a time with its zone, such as 2026-09-13T08:00:00Z")
        return value.astimezone(UTC)

    @property
    def price_cap(self) -> Money | None:
        """The highest price one complete can cost; None with a rate card."""
        return self.maximum_cpi or self.cost_per_interview

    def to_body(self, *, name: str | None = None, customer_reference_number: str | None = None) -> dict[str, Any]:
        """Return the JSON body of the draft, in the form of the guides.

        Args:
            name: Used when the plan has no name of its own.
            customer_reference_number: By which a lost draft is found again; 3–128 characters.
        """
        chosen_name = self.name or name
        pricing: dict[str, Any] = {}
        if self.price_cap is not None:
            pricing = {"pricing": {"type": "dynamic", "maximum_cpi": self.price_cap.to_body()}}
        body: dict[str, Any] = {
            **({"name": chosen_name} if chosen_name else {}),
            "business_unit_id": str(self.business_unit_id),
            "project_manager_id": self.project_manager_id,
            "study_type_code": self.study_type_code,
            "industry_code": self.industry_code,
            "collects_pii": self.collects_pii,
            "expected_length_of_interview_minutes": self.expected_length_of_interview_minutes,
            "expected_incidence_rate": self.expected_incidence_rate,
            "fielding_specification": {"start_at": format_utc(self.start_at), "end_at": format_utc(self.end_at)},
            "live_url": self.live_url,
            "test_url": self.test_url or self.live_url,
            "fielding_assistant_assignment": {
                **pricing,
                "quota_overlay": {"prevent_overfill": self.prevent_overfill, "balance_fill": self.balance_fill},
            },
            "exclusion": {"enabled": self.exclusion_enabled},
            "locale": self.locale,
            "completes_goal": self.completes_goal,
            **self._allocation_body(),
        }
        if self.cost_per_interview is not None:
            body["cost_per_interview"] = self.cost_per_interview.to_body()
        if self.profiling is not None:
            body["profiling"] = self.profiling
        reference = self.customer_reference_number or customer_reference_number
        if reference:
            body["target_group_customer_reference_number"] = reference
        return body

    def _allocation_body(self) -> dict[str, Any]:
        match self.allocation_format:
            case AllocationFormat.TEMPLATE_ID:
                return {"allocations": {"template_id": self.allocation_template_id}}
            case AllocationFormat.ALLOCATION_TEMPLATE:
                return {"allocation_template": {"id": self.allocation_template_id, "type": "global"}}
            case AllocationFormat.OPEN_EXCHANGE:
                return {"allocations": {"open_exchange_allocations": self.open_exchange_allocations or {}}}


def _explain_problem(problem: ErrorDetails) -> str:
    match problem["type"]:
        case "extra_forbidden":
            return "unknown field"
        case "string_pattern_mismatch":  # the locale: an example says more than its pattern
            return "use Cint's language_country code, such as ger_de or eng_us"
        case _:
            return problem["msg"].removeprefix("Value error, ")


def format_utc(moment: datetime) -> str:
    """Return a time as the API expects it: RFC 3339, UTC, three decimals, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
