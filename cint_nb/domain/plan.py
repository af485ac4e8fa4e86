"""The plan of a target group: every field of the draft, validated before it is sent."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator
from pydantic_core import ErrorDetails

from cint_nb.domain import limits
from cint_nb.domain.arguments import Rule, check_arguments, list_problems
from cint_nb.domain.errors import PlanError
from cint_nb.domain.ids import masked_repr, printable
from cint_nb.domain.models import OptionalText, PrintableModel, format_money

_FORM = "write an amount and a currency code, such as '1400 EUR', '1,400.50 EUR' or '1.400,50 EUR'."
_SYMBOLS = {"€": "EUR", "£": "GBP"}
_SHARED_SYMBOLS = {"$": "USD, AUD or CAD", "¥": "JPY or CNY"}
_AMOUNT_MAX = 10**15
_DECIMALS_MAX = 28
"""What amounts are computed with: the precision of decimals in Python."""
_WHOLE_MAX = 2**63
_NOT_CODES = ("NAN", "INF")
"""Numbers of a programming language that have the form of a currency code."""

_APOSTROPHES = "\u2019\u02bc\uff07\u066c"
_MINUS_SIGNS = "\u2212\u2010\u2011\u2012\u2013\ufe63\uff0d"
_LIKE_ASCII: dict[int, str] = {
    **dict.fromkeys(map(ord, _APOSTROPHES), "'"),
    **dict.fromkeys(map(ord, _MINUS_SIGNS), "-"),
    **dict(zip(map(ord, "\uff0c\uff0e\u066b\uff04\uffe1\uffe5"), ",..$£¥", strict=True)),
}

_UNIT = r"[A-Za-z]{3}|[€£]"
_TEXT = re.compile(rf"(?P<before>{_UNIT})? ?(?P<amount>\d(?:[\d.,' ]*\d)?) ?(?P<after>{_UNIT})?", re.ASCII)
_AMBIGUOUS = re.compile(r"(?P<whole>\d+),(?P<rest>\d{3})", re.ASCII)
# A point alone is always the decimal sign: prices have up to four decimals, and Python writes them so.
_AMOUNTS = (
    re.compile(r"(?P<whole>\d+)(?:[.,](?P<decimals>\d+))?", re.ASCII),
    re.compile(r"(?P<whole>\d{1,3}(?:,\d{3})+)\.(?P<decimals>\d+)", re.ASCII),
    re.compile(r"(?P<whole>\d{1,3}(?:\.\d{3})+),(?P<decimals>\d+)", re.ASCII),
    re.compile(r"(?P<whole>\d{1,3}(?P<mark>[,.])\d{3}(?:(?P=mark)\d{3})+)(?P<decimals>)", re.ASCII),
    re.compile(r"(?P<whole>\d{1,3}(?P<mark>[ '])\d{3}(?:(?P=mark)\d{3})*)(?:[.,](?P<decimals>\d+))?", re.ASCII),
)


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
        fields: By name, `value` and `currency_code`.
        value: Amount, 0 or more.
        currency_code: Three capital letters; for prices the business unit's currency.

    Raises:
        PlanError: if the amount is negative or not a number, or the code has another form.
    """

    model_config = ConfigDict(frozen=True)

    value: Decimal = Field(ge=0, lt=_AMOUNT_MAX, decimal_places=_DECIMALS_MAX)
    currency_code: str = Field(pattern=r"^[A-Z]{3}$")

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise PlanError(
                f"The amount of money is not valid: {list_problems(error, _explain_problem)}.", next_step=_FORM
            ) from None

    @classmethod
    def parse(cls, text: str | Money) -> Money:
        """Parse text such as `1400 EUR`, as people write it.

        A point or a comma is the decimal sign; a point, comma, space or apostrophe stands between thousands where the
        text shows it (`1,400.50`, `1.400,50`, `1 400`, `1'400`). A point alone is always the decimal sign. A comma
        alone before three digits is refused: `2,735 EUR` is 2.735 to some and 2735 to others. The currency, a code in
        any case or `€` or `£`, stands before or after.

        Raises:
            PlanError: if the text is not an amount and a currency, or can be read in two ways.

        >>> Money.parse("2,7352 EUR") == Money.parse("EUR 2.7352") == Money.parse("2.7352 €")
        True
        """
        if isinstance(text, Money):
            return text
        plain = _to_ascii(text) if isinstance(text, str) else ""
        for symbol, codes in _SHARED_SYMBOLS.items():
            if symbol in plain:
                raise _money_error(text, f"{symbol} is the sign of several currencies.", f"write a code: {codes}.")
        read = _TEXT.fullmatch(plain)
        unit = (read["before"] or read["after"] or "") if read else ""
        code = _SYMBOLS.get(unit, unit.upper())
        if read is None or not unit or (read["before"] and read["after"]) or code in _NOT_CODES:
            raise _money_error(text, "The amount of money is not valid.", _FORM)
        if both := _AMBIGUOUS.fullmatch(read["amount"]):
            decimal, thousands = f"{both['whole']}.{both['rest']} {code}", f"{both['whole']}{both['rest']} {code}"
            raise _money_error(
                text,
                f"The amount of money can be read in two ways: {decimal} or {thousands}.",
                f"write '{decimal}' or '{thousands}'.",
            )
        for form in _AMOUNTS:
            if found := form.fullmatch(read["amount"]):
                whole = re.sub(r"\D", "", found["whole"])
                return cls(value=Decimal(f"{whole}.{found['decimals'] or ''}"), currency_code=code)
        raise _money_error(text, "The amount of money is not valid.", _FORM)

    def to_body(self) -> dict[str, str]:
        """Return the JSON form, with the amount as a decimal string."""
        return {"value": format(self.value, "f"), "currency_code": self.currency_code}

    @printable
    def __str__(self) -> str:
        """Return amount and currency as text."""
        return format_money(self.value, self.currency_code)


MoneyText = Annotated[str, Rule("an amount and a currency code, such as '1400 EUR'", Money.parse)]
Completes = Annotated[int, Rule("a whole number from 1 on", range(1, 10**9).__contains__)]
"""A number of completes that somebody can want; more is a slip of the keyboard."""


def _invalid_plan_error(error: ValidationError) -> PlanError:
    return PlanError(
        f"The plan is not valid: {list_problems(error, _explain_problem)}.",
        evidence={"fields": ", ".join(sorted({str(item["loc"][0]) for item in error.errors()}))},
        next_step="correct these fields and create the plan again.",
    )


@check_arguments(PlanError, explain=_invalid_plan_error)
class TargetGroupPlan(PrintableModel):
    """A recontact target group as the two guides define it. `TargetGroupPlan.recontact(...)` creates it.

    ```python
    plan = cint.TargetGroupPlan.recontact(
        business_unit_id=1234,
        project_manager_id="b551326b-ac9d-4d32-8823-4f025787dab9",
        locale="ger_de",
        completes_goal=500,
        cost_per_interview="2.75 EUR",
        start_at=now + timedelta(hours=1),
        end_at=now + timedelta(days=14),
        live_url="https://your-survey.com?RID=[%RID%]&RECONTACT_RSID=[%RECONTACT_RSID%]",
    )
    ```

    A plan does not change; `plan.model_copy(update={"completes_goal": 400})` returns another one.

    Args:
        business_unit_id: Number of the business unit; its currency is the currency of all prices.
        project_manager_id: UUID of the project manager.
        locale: Language and country, such as `ger_de`.
        completes_goal: Completes wanted, 1 or more, at most the ids uploaded.
        start_at: Start of fielding, UTC.
        end_at: End of fielding, UTC, at least one hour ahead when sent. Both count from `client.clock.now()`, which on
            the sandbox is a time of its own.
        live_url: Survey URL with `[%RECONTACT_RSID%]`, at most 3,000 characters.
        test_url: The same for tests; `live_url` when omitted.
        cost_per_interview: Price per complete, such as `2.7352 EUR`.
        maximum_cpi: Highest price per complete; `cost_per_interview` when omitted.
        expected_length_of_interview_minutes: 1–45.
        expected_incidence_rate: Share that qualifies, 0–1.
        name: 5–128 characters; the wave's name when omitted.
        industry_code: Topic of the survey, of `client.definitions.industries()`.
        collects_pii: Whether the survey asks for personal data.
        study_type_code: Kind of study, of `client.definitions.study_types()`.
        profiling: Cint's `profiling` object, or None to omit it, which suits a recontact.
        exclusion_enabled: Project exclusion. False admits people of the same project again.
        filling_strategy: What counts toward the goal; `completes` for a recontact.
        prevent_overfill: Whether filling stops at the goal. Where it does not, the budget must cover every id.
        balance_fill: Cint's `balance_fill` of the quota overlay.
        allocation_format: How the recontact allocation template is written.
        allocation_template_id: Id of that template.
        open_exchange_allocations: The template expanded, for the format `open_exchange` only.
        customer_reference_number: Your own number for the target group, 3–128 characters.

    Serves both guides; endpoint `POST …/target-groups`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    business_unit_id: int = Field(ge=0, lt=_WHOLE_MAX)
    project_manager_id: str
    locale: str = Field(pattern=r"^[a-z]{3}_[a-z]{2}$")
    completes_goal: int = Field(ge=1, lt=_WHOLE_MAX)
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
    profiling: dict[str, JsonValue] | None = None
    exclusion_enabled: bool = False
    filling_strategy: str = "completes"
    prevent_overfill: bool = True
    balance_fill: bool = False
    allocation_format: AllocationFormat = AllocationFormat.TEMPLATE_ID
    allocation_template_id: str = limits.RECONTACT_TEMPLATE_ID
    open_exchange_allocations: dict[str, JsonValue] | None = None
    customer_reference_number: OptionalText = None

    @classmethod
    def recontact(cls, **fields: Any) -> Self:
        """Create a plan, with a clear error for each wrong field.

        Args:
            fields: Those of `TargetGroupPlan`, whose help explains them and has an example.

        Raises:
            PlanError: naming each field that is missing, unknown or out of range.
        """
        return cls(**fields)

    @field_validator("cost_per_interview", "maximum_cpi", mode="before")
    @classmethod
    def _read_money(cls, value: Any) -> Any:
        return Money.parse(value) if isinstance(value, str) else value

    @field_validator("start_at", "end_at", mode="after")
    @classmethod
    def _as_utc(cls, value: datetime) -> datetime:
        if value.tzinfo is None:
            raise ValueError("pass a time with its zone, such as 2026-09-13T08:00:00Z")
        try:
            return value.astimezone(UTC)
        except OverflowError:
            raise ValueError("pass a time between the years 1 and 9999, UTC") from None

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


def _to_ascii(text: str) -> str:
    """Return a text with the digits, spaces and signs of other scripts as ASCII has them."""
    digits = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
    return " ".join(digits.translate(_LIKE_ASCII).split())


def _money_error(given: object, what: str, next_step: str) -> PlanError:
    return PlanError(what, evidence={"given": masked_repr(given, 40)}, next_step=next_step)


def _explain_problem(problem: ErrorDetails) -> str:
    match problem["type"]:
        case "extra_forbidden":
            return "unknown field"
        case "string_pattern_mismatch" if problem["loc"][-1] == "currency_code":
            return "use three capital letters, such as EUR"
        case "string_pattern_mismatch":  # the locale: an example says more than its pattern
            return "use Cint's language_country code, such as ger_de or eng_us"
        case _:
            refused = problem.get("ctx", {}).get("error")
            if isinstance(refused, PlanError):  # an amount of money: what it was read as, without the other lines
                return f"{refused.what.removesuffix('.')} ({(refused.next_step or '').removesuffix('.')})"
            return problem["msg"].removeprefix("Value error, ")


def format_utc(moment: datetime) -> str:
    """Return a time as the API expects it: RFC 3339, UTC, three decimals, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
