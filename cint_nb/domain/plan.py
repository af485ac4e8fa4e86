"""The plan of a target group: every field of the draft, validated before it is sent."""

from __future__ import annotations

import difflib
import functools
import inspect
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from numbers import Number
from typing import Annotated, Any, Concatenate, Literal, ParamSpec, Self, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from cint_nb.domain import limits
from cint_nb.domain.arguments import Rule, check_arguments, compares_itself, list_problems
from cint_nb.domain.errors import PlanError
from cint_nb.domain.ids import RichDisplay, masked_repr, printable
from cint_nb.domain.models import OptionalText, PrintableModel, format_money
from cint_nb.domain.profiling.profiles import Profile, profiling_body

_FORM = "write an amount and a currency code, such as '1400 EUR', '1,400.50 EUR' or '1.400,50 EUR'."
_SYMBOLS = {"€": "EUR", "£": "GBP"}
_SHARED_SYMBOLS = {"$": "USD, AUD or CAD", "¥": "JPY or CNY"}
_AMOUNT_MAX = 10**15
_DECIMALS_MAX = 28
"""What amounts are computed with: the precision of decimals in Python."""
_WHOLE_MAX = 2**63
_RATE_STEP = Decimal("0.01")
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
    """How the allocations, who may supply respondents, are written in the draft.

    `TEMPLATE_ID` is the recontact guide's `allocations.template_id`; `ALLOCATION_TEMPLATE` the October 2026 contract's
    `allocation_template`; `OPEN_EXCHANGE` spells them out as `allocations.open_exchange_allocations`; `OMITTED` writes
    none, as the create guide does, so that the exchange takes its own default.
    """

    TEMPLATE_ID = "template_id"
    ALLOCATION_TEMPLATE = "allocation_template"
    OPEN_EXCHANGE = "open_exchange"
    OMITTED = "omitted"


class PlanKind(StrEnum):
    """Whom a plan is about: `fresh` is new people, `recontact` a list of earlier respondents."""

    FRESH = "fresh"
    RECONTACT = "recontact"


PricingModel = Literal["dynamic", "rate_card"]
AllocationWord = Literal["template_id", "allocation_template", "open_exchange", "omitted"]
FillingStrategy = Literal["completes", "prescreens", "automated"]
WHOLE_EXCHANGE: Mapping[str, JsonValue] = {
    "blocked_supplier_ids": [],
    "exchange_min_percentage": 0,
    "exchange_max_percentage": 100,
    "groups": [],
}
"""Allocations that let every supplier of the open exchange supply: what a plan that spells out none means."""


@printable
class Money(BaseModel):
    """An amount in a currency, exactly.

    Args:
        fields: By name, `value` and `currency_code`.
        value: Amount, 0 or more.
        currency_code: Three capital letters; for prices the business unit's currency.

    Raises:
        PlanError: if the amount is negative or not a number, or the code has another form.

    Example:
        >>> cint.Money.parse("2.75 EUR")
        Money(value=Decimal('2.75'), currency_code='EUR')
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

        >>> [str(cint.Money.parse(text)) for text in ("2,7352 EUR", "EUR 2.7352", "2.7352 €")]
        ['2.7352 EUR', '2.7352 EUR', '2.7352 EUR']
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
        """Return the JSON form, with the amount as a decimal string.

        Example:
            >>> cint.Money.parse("2.75 EUR").to_body()
            {'value': '2.75', 'currency_code': 'EUR'}
        """
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
        f"The plan is not valid: {list_problems(error, _explain_problem)}.".replace("?.", "?"),
        evidence={"fields": ", ".join(sorted({str(item["loc"][0]) for item in error.errors() if item["loc"]}))},
        next_step="correct these fields and create the plan again.",
    )


ParamsT = ParamSpec("ParamsT")
PlanT = TypeVar("PlanT")


def _fields_by_name(
    constructor: Callable[Concatenate[type[PlanT], ParamsT], PlanT],
) -> Callable[Concatenate[type[PlanT], ParamsT], PlanT]:
    """Let a constructor refuse missing and unknown fields all together, each with the word that was meant.

    Python's own message names one of them, and offers none of the words of the field.
    """
    signature = inspect.signature(constructor)
    names = [name for name in signature.parameters if name != "cls"]

    @functools.wraps(constructor)
    def construct(cls: Any, *positional: Any, **fields: Any) -> Any:
        if positional:
            raise PlanError(
                f"TargetGroupPlan.{constructor.__name__} takes its fields by name, not {masked_repr(positional[0])}.",
                evidence={"fields": ", ".join(names[:4]) + ", …"},
                next_step=f"write {names[0]}=…, {names[1]}=… and so on; the help of TargetGroupPlan lists them.",
            )
        try:
            signature.bind(cls, **fields)
        except TypeError:  # a field is missing, or is none of this plan's: the class says which, and of all of them
            cls(**fields)
            strange = next(name for name in fields if name not in names)
            raise PlanError(
                f"A {constructor.__name__} plan sets {strange} itself.",
                evidence={"field": strange},
                next_step="leave it out, or use the other constructor: TargetGroupPlan.fresh for new people, "
                "TargetGroupPlan.recontact for a list.",
            ) from None
        return constructor(cls, **fields)  # type: ignore[call-arg]  # bound above

    return cast("Callable[Concatenate[type[PlanT], ParamsT], PlanT]", compares_itself(construct))


@check_arguments(PlanError, explain=_invalid_plan_error)
class TargetGroupPlan(RichDisplay, PrintableModel):
    """A target group as the two guides define it.

    `TargetGroupPlan.fresh(...)` creates one for new people, `TargetGroupPlan.recontact(...)` one for a list of earlier
    respondents; their help has an example each, and lists the fields with units and defaults.

    A plan does not change; `plan.model_copy(update={"completes_goal": 400})` returns another one.

    Args:
        kind: `fresh` or `recontact`; each constructor sets its own.
        business_unit_id: Number of the business unit; its currency is the currency of all prices.
        project_manager_id: UUID of the project manager.
        locale: Language and country, such as `ger_de`.
        completes_goal: Completes wanted, 1 or more; of a recontact at most the ids uploaded.
        expected_length_of_interview_minutes: Whole minutes, 1–45.
        expected_incidence_rate: Share of those asked who qualify, 0–1 in steps of 0.01.
        start_at: Start of fielding, UTC.
        end_at: End of fielding, UTC, at least one hour ahead when sent. Both count from `client.clock.now()`, which on
            the sandbox is a time of its own.
        live_url: Survey URL, at most 3,000 characters; of a recontact with `[%RECONTACT_RSID%]`.
        test_url: The same for tests; `live_url` when omitted.
        cost_per_interview: Price per complete, such as `2.7352 EUR`; none with a rate card.
        maximum_cpi: Highest price per complete; of a recontact `cost_per_interview` when omitted.
        total_budget: The most the exchange lets the group cost, in place of `maximum_cpi`; dynamic pricing only. One
            below goal times `cost_per_interview` is not taken for a bound.
        pricing_model: `dynamic` or `rate_card`; which of them a business unit has, `client.choices` lists.
        name: 5–128 characters; the wave's name when omitted.
        industry_code: Topic of the survey, of `client.choices.industries()`.
        collects_pii: Whether the survey asks for personal data.
        study_type_code: Kind of study, of `client.choices.study_types()`.
        profiling: Who may take part, and how many of each: a list of `Profile`, or Cint's `profiling` object. None lets
            everybody of the locale, or of the list, take part.
        exclusion_enabled: Project exclusion: whether people who completed another group of the project are kept out.
        filling_strategy: What counts toward the goal: `completes`, `prescreens` or `automated`.
        prevent_overfill: Whether filling stops at the goal. The exchange does it by a quota of those who pass the
            screener.
        balance_fill: Cint's `balance_fill` of the quota overlay: whether quotas fill evenly.
        allocation_format: How the allocations are written.
        allocation_template_id: Id of the allocation template, for the formats that name one.
        open_exchange_allocations: The allocations spelled out, for the format `open_exchange`; the whole exchange when
            omitted.
        customer_reference_number: Your own number for the target group, 3–128 characters.

    Serves both guides; endpoint `POST …/target-groups`.

    Example:
        >>> plan.completes_goal, plan.locale
        (20, 'ger_de')
        >>> print(plan.cost_per_interview)
        2.75 EUR
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: PlanKind
    business_unit_id: int = Field(ge=0, lt=_WHOLE_MAX)
    project_manager_id: str
    locale: str = Field(pattern=r"^[a-z]{3}_[a-z]{2}$")
    completes_goal: int = Field(ge=1, lt=_WHOLE_MAX)
    expected_length_of_interview_minutes: int = Field(ge=limits.INTERVIEW_MINUTES[0], le=limits.INTERVIEW_MINUTES[1])
    expected_incidence_rate: float = Field(ge=0)
    start_at: datetime
    end_at: datetime
    live_url: str
    test_url: OptionalText = None
    cost_per_interview: Money | None = None
    maximum_cpi: Money | None = None
    total_budget: Money | None = None
    pricing_model: PricingModel = "dynamic"
    name: OptionalText = Field(default=None, max_length=limits.NAME_CHARACTERS[1])
    industry_code: str = "other"
    collects_pii: bool = False
    study_type_code: str = limits.RECONTACT_STUDY_TYPE
    profiling: dict[str, JsonValue] | tuple[Profile, ...] | None = None
    exclusion_enabled: bool = False
    filling_strategy: FillingStrategy = "completes"
    prevent_overfill: bool = True
    balance_fill: bool = False
    allocation_format: AllocationFormat = AllocationFormat.TEMPLATE_ID
    allocation_template_id: str | None = limits.RECONTACT_TEMPLATE_ID
    open_exchange_allocations: dict[str, JsonValue] | None = None
    customer_reference_number: OptionalText = None

    @classmethod
    @_fields_by_name
    def fresh(
        cls,
        *,
        business_unit_id: int,
        project_manager_id: str,
        locale: str,
        completes_goal: int,
        expected_length_of_interview_minutes: int,
        expected_incidence_rate: float,
        start_at: datetime,
        end_at: datetime,
        live_url: str,
        test_url: str | None = None,
        cost_per_interview: str | Money | None = None,
        maximum_cpi: str | Money | None = None,
        total_budget: str | Money | None = None,
        pricing_model: PricingModel = "dynamic",
        name: str | None = None,
        study_type_code: str = "adhoc",
        industry_code: str = "other",
        collects_pii: bool = False,
        profiling: Sequence[Profile] | Profile | Mapping[str, Any] | None = None,
        exclusion_enabled: bool = True,
        filling_strategy: FillingStrategy = "completes",
        prevent_overfill: bool = True,
        balance_fill: bool = False,
        allocation_format: AllocationFormat | AllocationWord = "omitted",
        allocation_template_id: str | None = None,
        open_exchange_allocations: Mapping[str, Any] | None = None,
        customer_reference_number: str | None = None,
    ) -> Self:
        """Create the plan of a target group of new people, as the create guide does.

        ```python
        plan = cint.TargetGroupPlan.fresh(
            business_unit_id=1234,
            project_manager_id="b551326b-ac9d-4d32-8823-4f025787dab9",
            locale="ger_de",
            completes_goal=10,
            expected_length_of_interview_minutes=5,
            expected_incidence_rate=0.8,
            cost_per_interview="2.7352 EUR",
            maximum_cpi="2.7352 EUR",
            start_at=now + timedelta(hours=1),
            end_at=now + timedelta(days=11),
            live_url="https://mytestsurvey.com/?RID=[%RID%]",
            profiling=[cint.Profile("gender", {"male": 50, "female": 50})],
        )
        ```

        Args:
            business_unit_id: Number of the business unit, of `client.choices.business_units()`; its currency is the
                currency of all prices.
            project_manager_id: UUID of the project manager, of `client.choices.project_managers()`.
            locale: Language and country, such as `ger_de`, of `client.choices.locales()`.
            completes_goal: Completes wanted, 1 or more.
            expected_length_of_interview_minutes: How long the survey takes, in whole minutes, 1–45. A median above it
                can pause the group.
            expected_incidence_rate: Share of those asked who qualify, 0–1 in steps of 0.01.
            start_at: Start of fielding, with its zone.
            end_at: End of fielding, at least one hour ahead when sent.
            live_url: Survey URL, at most 3,000 characters; `[%RID%]` in it becomes the id of the visit.
            test_url: The same for tests; `live_url` when omitted.
            cost_per_interview: Price per complete, amount and currency; dynamic pricing only.
            maximum_cpi: The most a complete may cost. With `prevent_overfill` it bounds what the wave can cost; one of
                `maximum_cpi` and `total_budget` is needed before the wave can be created.
            total_budget: The most the exchange lets the group cost; in place of `maximum_cpi`. The budget of a
                launch must cover goal times `cost_per_interview` all the same.
            pricing_model: `dynamic` or `rate_card`, as the business unit has it.
            name: 5–128 characters; the wave's name when omitted.
            study_type_code: Kind of study, of `client.choices.study_types()`; any but `recontact`.
            industry_code: Topic of the survey, of `client.choices.industries()`.
            collects_pii: Whether the survey asks for personal data.
            profiling: A `Profile`, a list of them, or Cint's `profiling` object; None lets everybody take part.
            exclusion_enabled: Whether people who completed another group of the project are kept out.
            filling_strategy: What counts toward the goal: `completes`, `prescreens` or `automated`.
            prevent_overfill: Whether filling stops at the goal. The exchange does it by a quota of those who pass the
                screener, so that a wave may end below its goal.
            balance_fill: Whether quotas fill evenly.
            allocation_format: `omitted` leaves it to the exchange who supplies, as the guide does; where it wants them
                spelled out, `open_exchange`.
            allocation_template_id: Id of an allocation template, for the formats that name one.
            open_exchange_allocations: Who may supply, for the format `open_exchange`; the whole exchange when omitted.
            customer_reference_number: Your own number for the target group, 3–128 characters.

        Raises:
            PlanError: naming each field that is missing, unknown or out of range, and the word that was meant.

        Example:
            >>> plan = cint.TargetGroupPlan.fresh(
            ...     business_unit_id=cint.sandbox.BUSINESS_UNIT_ID,
            ...     project_manager_id=cint.sandbox.PROJECT_MANAGER_ID,
            ...     locale="ger_de",
            ...     completes_goal=200,
            ...     expected_length_of_interview_minutes=10,
            ...     expected_incidence_rate=0.8,
            ...     cost_per_interview="2.75 EUR",
            ...     start_at=client.clock.now() + timedelta(hours=1),
            ...     end_at=client.clock.now() + timedelta(days=14),
            ...     live_url="https://your-survey.com?RID=[%RID%]",
            ... )
            >>> plan.is_recontact
            False
        """
        return cls(
            kind=PlanKind.FRESH,
            business_unit_id=business_unit_id,
            project_manager_id=project_manager_id,
            locale=locale,
            completes_goal=completes_goal,
            expected_length_of_interview_minutes=expected_length_of_interview_minutes,
            expected_incidence_rate=expected_incidence_rate,
            start_at=start_at,
            end_at=end_at,
            live_url=live_url,
            test_url=test_url,
            cost_per_interview=cost_per_interview,
            maximum_cpi=maximum_cpi,
            total_budget=total_budget,
            pricing_model=pricing_model,
            name=name,
            study_type_code=study_type_code,
            industry_code=industry_code,
            collects_pii=collects_pii,
            profiling=profiling,
            exclusion_enabled=exclusion_enabled,
            filling_strategy=filling_strategy,
            prevent_overfill=prevent_overfill,
            balance_fill=balance_fill,
            allocation_format=allocation_format,
            allocation_template_id=allocation_template_id,
            open_exchange_allocations=open_exchange_allocations,
            customer_reference_number=customer_reference_number,
        )

    @classmethod
    @_fields_by_name
    def recontact(
        cls,
        *,
        business_unit_id: int,
        project_manager_id: str,
        locale: str,
        completes_goal: int,
        expected_length_of_interview_minutes: int,
        expected_incidence_rate: float,
        start_at: datetime,
        end_at: datetime,
        live_url: str,
        test_url: str | None = None,
        cost_per_interview: str | Money | None = None,
        maximum_cpi: str | Money | None = None,
        total_budget: str | Money | None = None,
        pricing_model: PricingModel = "dynamic",
        name: str | None = None,
        industry_code: str = "other",
        collects_pii: bool = False,
        profiling: Sequence[Profile] | Profile | Mapping[str, Any] | None = None,
        exclusion_enabled: bool = False,
        filling_strategy: FillingStrategy = "completes",
        prevent_overfill: bool = True,
        balance_fill: bool = False,
        allocation_format: AllocationFormat | AllocationWord = "template_id",
        allocation_template_id: str = limits.RECONTACT_TEMPLATE_ID,
        open_exchange_allocations: Mapping[str, Any] | None = None,
        customer_reference_number: str | None = None,
    ) -> Self:
        """Create the plan of a target group for a list of earlier respondents, as the recontact guide does.

        ```python
        plan = cint.TargetGroupPlan.recontact(
            business_unit_id=1234,
            project_manager_id="b551326b-ac9d-4d32-8823-4f025787dab9",
            locale="ger_de",
            completes_goal=500,
            expected_length_of_interview_minutes=10,
            expected_incidence_rate=0.9,
            cost_per_interview="2.75 EUR",
            start_at=now + timedelta(hours=1),
            end_at=now + timedelta(days=14),
            live_url="https://your-survey.com?RID=[%RID%]&RECONTACT_RSID=[%RECONTACT_RSID%]",
        )
        ```

        Args:
            business_unit_id: Number of the business unit, of `client.choices.business_units()`; its currency is the
                currency of all prices.
            project_manager_id: UUID of the project manager, of `client.choices.project_managers()`.
            locale: Language and country, such as `ger_de`, of `client.choices.locales()`.
            completes_goal: Completes wanted, 1 or more, at most the ids uploaded.
            expected_length_of_interview_minutes: How long the survey takes, in whole minutes, 1–45. A median above it
                can pause the group.
            expected_incidence_rate: Share of those asked who qualify, 0–1 in steps of 0.01.
            start_at: Start of fielding, with its zone.
            end_at: End of fielding, at least one hour ahead when sent.
            live_url: Survey URL with `[%RECONTACT_RSID%]`, at most 3,000 characters.
            test_url: The same for tests; `live_url` when omitted.
            cost_per_interview: Price per complete, amount and currency; dynamic pricing only.
            maximum_cpi: The most a complete may cost; `cost_per_interview` when omitted.
            total_budget: The most the exchange lets the group cost; in place of `maximum_cpi`. The budget of a
                launch must cover goal times `cost_per_interview` all the same.
            pricing_model: `dynamic` or `rate_card`, as the business unit has it.
            name: 5–128 characters; the wave's name when omitted.
            industry_code: Topic of the survey, of `client.choices.industries()`.
            collects_pii: Whether the survey asks for personal data.
            profiling: A `Profile`, a list of them, or Cint's `profiling` object, where only part of the list should
                take part; None lets everybody of it take part.
            exclusion_enabled: Whether people who completed another group of the project are kept out. Off, since people
                of the same project are to come back.
            filling_strategy: What counts toward the goal: `completes`, `prescreens` or `automated`.
            prevent_overfill: Whether filling stops at the goal. Where it does not, the budget must cover every id.
            balance_fill: Whether quotas fill evenly.
            allocation_format: How the recontact allocation template is written.
            allocation_template_id: Id of that template.
            open_exchange_allocations: The template expanded, for the format `open_exchange` only; the whole exchange
                when omitted.
            customer_reference_number: Your own number for the target group, 3–128 characters.

        Raises:
            PlanError: naming each field that is missing, unknown or out of range, and the word that was meant.

        Example:
            >>> plan = cint.TargetGroupPlan.recontact(
            ...     business_unit_id=cint.sandbox.BUSINESS_UNIT_ID,
            ...     project_manager_id=cint.sandbox.PROJECT_MANAGER_ID,
            ...     locale="ger_de",
            ...     completes_goal=200,
            ...     expected_length_of_interview_minutes=10,
            ...     expected_incidence_rate=0.8,
            ...     cost_per_interview="2.75 EUR",
            ...     start_at=client.clock.now() + timedelta(hours=1),
            ...     end_at=client.clock.now() + timedelta(days=14),
            ...     live_url="https://your-survey.com?RID=[%RID%]",
            ... )
            >>> plan.is_recontact
            True
        """
        return cls(
            kind=PlanKind.RECONTACT,
            business_unit_id=business_unit_id,
            project_manager_id=project_manager_id,
            locale=locale,
            completes_goal=completes_goal,
            expected_length_of_interview_minutes=expected_length_of_interview_minutes,
            expected_incidence_rate=expected_incidence_rate,
            start_at=start_at,
            end_at=end_at,
            live_url=live_url,
            test_url=test_url,
            cost_per_interview=cost_per_interview,
            maximum_cpi=maximum_cpi,
            total_budget=total_budget,
            pricing_model=pricing_model,
            name=name,
            study_type_code=limits.RECONTACT_STUDY_TYPE,
            industry_code=industry_code,
            collects_pii=collects_pii,
            profiling=profiling,
            exclusion_enabled=exclusion_enabled,
            filling_strategy=filling_strategy,
            prevent_overfill=prevent_overfill,
            balance_fill=balance_fill,
            allocation_format=allocation_format,
            allocation_template_id=allocation_template_id,
            open_exchange_allocations=open_exchange_allocations,
            customer_reference_number=customer_reference_number,
        )

    @model_validator(mode="before")
    @classmethod
    def _choose_kind(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or data.get("kind") is not None:
            return data
        study_type = data.get("study_type_code", limits.RECONTACT_STUDY_TYPE)
        kind = PlanKind.RECONTACT if study_type == limits.RECONTACT_STUDY_TYPE else PlanKind.FRESH
        return {**data, "kind": kind}

    @field_validator("cost_per_interview", "maximum_cpi", "total_budget", mode="before")
    @classmethod
    def _read_money(cls, value: Any) -> Any:
        if isinstance(value, Number) and not isinstance(value, bool):
            given = masked_repr(value, 30)
            raise PlanError(
                f"{given} has no currency", next_step="write text, such as '2.75 EUR', in the unit's currency"
            )
        return Money.parse(value) if isinstance(value, str) else value

    @field_validator("expected_incidence_rate", mode="after")
    @classmethod
    def _in_whole_percent(cls, value: float) -> float:
        exact = Decimal(str(value))  # as floats, 0.07 and 0.29 are no multiples of 0.01
        if exact > 1:
            meant = exact / 100
            shown = (
                f", such as {meant.normalize():f} for {exact.normalize():f} %"
                if meant <= 1 and meant % _RATE_STEP == 0
                else ""
            )
            raise ValueError(f"it is a share from 0 to 1{shown}")
        if exact % _RATE_STEP:
            raise ValueError(f"it has steps of 0.01: write {exact.quantize(_RATE_STEP):f}")
        return value

    @field_validator("profiling", mode="before")
    @classmethod
    def _read_profiling(cls, value: Any) -> Any:
        profiles = [value] if isinstance(value, Profile) else value
        if not isinstance(profiles, list | tuple):
            return value
        if not all(isinstance(each, Profile) for each in profiles):
            raise ValueError("write a list of cint.Profile(…), or Cint's profiling object")
        if len({each.by for each in profiles}) > 1:
            raise ValueError("all profiles have quotas by percent, or all by completes")
        return tuple(profiles) or None

    @field_validator("start_at", "end_at", mode="after")
    @classmethod
    def _as_utc(cls, value: datetime) -> datetime:
        if value.tzinfo is None:
            raise ValueError("pass a time with its zone, such as 2026-09-13T08:00:00Z")
        try:
            return value.astimezone(UTC)
        except OverflowError:
            raise ValueError("pass a time between the years 1 and 9999, UTC") from None

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:  # noqa: ARG002
        """Return a plan with some fields changed: pydantic's own would take any name and any value as they are.

        Args:
            update: The fields to change; values as the constructors take them.
            deep: Nothing: the values of a plan do not change, so that copies can share them.

        Raises:
            PlanError: a field is not known, or cannot have the value.

        Example:
            >>> plan.model_copy(update={"cost_per_interview": "2.60 EUR"}).cost_per_interview
            Money(value=Decimal('2.60'), currency_code='EUR')
        """
        return type(self)(**{**dict(self), **(update or {})})

    @property
    def is_recontact(self) -> bool:
        """Whether a list of respondents belongs to it; otherwise it is about new people."""
        return self.kind is PlanKind.RECONTACT

    @property
    def price_cap(self) -> Money | None:
        """The highest price one complete can cost; None where no price bounds it."""
        if self.maximum_cpi is None and self.is_recontact and self.total_budget is None:
            return self.cost_per_interview
        return self.maximum_cpi

    def to_body(self, *, name: str | None = None, customer_reference_number: str | None = None) -> dict[str, Any]:
        """Return the JSON body of the draft, in the form of the guides.

        Args:
            name: Used when the plan has no name of its own.
            customer_reference_number: By which a lost draft is found again; 3–128 characters.

        Raises:
            PlanError: it has profiles whose names have not been looked up.

        Example:
            >>> plan.to_body()["completes_goal"]
            20
        """
        chosen_name = self.name or name
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
                **self._pricing_body(),
                "quota_overlay": {"prevent_overfill": self.prevent_overfill, "balance_fill": self.balance_fill},
            },
            "exclusion": {"enabled": self.exclusion_enabled},
            "locale": self.locale,
            "completes_goal": self.completes_goal,
            **self._allocation_body(),
        }
        if self.cost_per_interview is not None:
            body["cost_per_interview"] = self.cost_per_interview.to_body()
        if (profiling := profiling_body(self.profiling)) is not None:
            body["profiling"] = profiling
        reference = self.customer_reference_number or customer_reference_number
        if reference:
            body["target_group_customer_reference_number"] = reference
        return body

    def _pricing_body(self) -> dict[str, Any]:
        bounds = {"total_budget": self.total_budget, "maximum_cpi": self.price_cap}
        written = {name: bound.to_body() for name, bound in bounds.items() if bound is not None}
        if not written and self.pricing_model == "dynamic":
            return {}
        return {"pricing": {"type": self.pricing_model, **written}}

    def _allocation_body(self) -> dict[str, Any]:
        match self.allocation_format:
            case AllocationFormat.TEMPLATE_ID:
                return {"allocations": {"template_id": self.allocation_template_id}}
            case AllocationFormat.ALLOCATION_TEMPLATE:
                return {"allocation_template": {"id": self.allocation_template_id, "type": "global"}}
            case AllocationFormat.OPEN_EXCHANGE:
                spelled = self.open_exchange_allocations or dict(WHOLE_EXCHANGE)
                return {"allocations": {"open_exchange_allocations": spelled}}
            case AllocationFormat.OMITTED:
                return {}


def _to_ascii(text: str) -> str:
    """Return a text with the digits, spaces and signs of other scripts as ASCII has them."""
    digits = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
    return " ".join(digits.translate(_LIKE_ASCII).split())


def _money_error(given: object, what: str, next_step: str) -> PlanError:
    return PlanError(what, evidence={"given": masked_repr(given, 40)}, next_step=next_step)


def _explain_problem(problem: ErrorDetails) -> str:
    field = str(problem["loc"][0]) if problem["loc"] else ""
    match problem["type"]:
        case "extra_forbidden":
            return f"unknown field{_suggest_field(field)}"
        case "missing" if field in _NEEDS:
            return f"missing; pass {_NEEDS[field]}"
        case "string_pattern_mismatch" if problem["loc"][-1] == "currency_code":
            return "use three capital letters, such as EUR"
        case "string_pattern_mismatch":  # the locale: an example says more than its pattern
            return "use Cint's language_country code, such as ger_de or eng_us"
        case _:
            refused = problem.get("ctx", {}).get("error")
            if isinstance(refused, PlanError):  # an amount of money: what it was read as, without the other lines
                return f"{refused.what.removesuffix('.')} ({(refused.next_step or '').removesuffix('.')})"
            needs = (
                f" (pass {_NEEDS[field]})" if field in _NEEDS and not problem["msg"].startswith("Value error") else ""
            )
            return problem["msg"].removeprefix("Value error, ") + needs


_NEEDS: Mapping[str, str] = {
    "business_unit_id": "the number of a business unit, of client.choices.business_units()",
    "project_manager_id": "the UUID of a user, of client.choices.project_managers()",
    "locale": "language and country such as ger_de, of client.choices.locales()",
    "completes_goal": "the completes wanted, a whole number from 1 on",
    "expected_length_of_interview_minutes": "whole minutes from 1 to 45",
    "expected_incidence_rate": "the share of people who qualify, 0 to 1 in steps of 0.01",
    "start_at": "a time with its zone, counted from client.clock.now()",
    "end_at": "a time with its zone, an hour ahead or more of client.clock.now()",
    "live_url": "the address of the survey, such as https://your-survey.com?RID=[%RID%]",
}
"""What the fields without a default need, for whoever left one out."""

_FIELD_WORDS: Mapping[str, str] = {
    word: name
    for name, words in {
        "business_unit_id": "business_unit unit unit_id bu bu_id business",
        "project_manager_id": "project_manager manager manager_id pm pm_id owner user user_id",
        "locale": "country country_code language language_code lang market region country_language",
        "completes_goal": "goal completes n sample_size target quota filling_goal number_of_completes size",
        "expected_length_of_interview_minutes": "loi length duration minutes interview_length length_of_interview "
        "expected_loi expected_length_of_interview loi_minutes median_loi",
        "expected_incidence_rate": "ir incidence incidence_rate expected_ir expected_incidence bir",
        "start_at": "start begin starts start_date start_time begins_at fielding_start from_date",
        "end_at": "end until ends end_date end_time ends_at fielding_end deadline to_date",
        "live_url": "url link survey survey_url survey_link live_link liveurl client_survey_live_url",
        "test_url": "test_link testurl client_survey_test_url",
        "cost_per_interview": "cpi price cost cpc cost_per_complete price_per_complete rate",
        "maximum_cpi": "max_cpi cap price_cap cpi_cap maximum_price max_price highest_price",
        "total_budget": "budget max_budget maximum_budget total",
        "pricing_model": "pricing pricing_type",
        "name": "title label target_group_name",
        "industry_code": "industry topic",
        "study_type_code": "study_type study type",
        "collects_pii": "pii personal_data",
        "profiling": "profiles profile quotas targeting qualifications",
        "exclusion_enabled": "exclusion exclude exclusions exclude_project project_exclusion",
        "filling_strategy": "strategy fill_strategy",
        "prevent_overfill": "overfill no_overfill",
        "balance_fill": "balance balanced",
        "allocation_format": "allocations allocation",
        "allocation_template_id": "template template_id allocation_template",
        "customer_reference_number": "reference reference_number po po_number customer_reference job_number",
    }.items()
    for word in words.split()
}
"""The short words of the field, and those of other documents, for each field of the plan."""

_ELSEWHERE: Mapping[str, str] = {
    **dict.fromkeys(
        ("respondents", "people", "list", "ids", "rsids"),
        "the list goes to client.wave(…, respondents=…)",
    ),
    **dict.fromkeys(("project", "project_id"), "the project goes to client.wave(…, project=…)"),
}


def _suggest_field(given: str) -> str:
    """Return the field that an unknown word was meant for, as the end of a sentence; empty if it is not clear."""
    word = given.strip().lower().replace("-", "_")
    if word in _ELSEWHERE:
        return f": {_ELSEWHERE[word]}"
    fields = [name for name in TargetGroupPlan.model_fields if name != "kind"]
    meant = _FIELD_WORDS.get(word)
    if meant is None:
        words = [*fields, *_FIELD_WORDS]
        close = difflib.get_close_matches(word, words, n=1, cutoff=0.75)
        meant = _FIELD_WORDS.get(close[0], close[0]) if close else None
    if meant is None:
        return ""
    needs = f", {_NEEDS[meant]}" if meant in _NEEDS else ""
    return f": did you mean {meant}{needs}?"


def format_utc(moment: datetime) -> str:
    """Return a time as the API expects it: RFC 3339, UTC, three decimals, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
