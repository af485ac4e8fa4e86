"""The exchange's definitions: accounts, users, business units, locales, study types, allocation templates."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from cint_nb.domain.arguments import Rule
from cint_nb.domain.errors import InputError
from cint_nb.domain.models import ApiModel, OptionalText

CountryCode = Annotated[str, Rule("a country code of two letters, such as 'DE'", re.compile("[A-Za-z]{2}").fullmatch)]
Minutes = Annotated[int, Rule("whole minutes from 1 to 45", range(1, 46).__contains__)]
Rate = Annotated[float, Rule("a share from 0 to 1", lambda value: 0 <= value <= 1)]
UnitId = Annotated[int, Rule("the number of a business unit", range(1, 2**31).__contains__)]


class Account(ApiModel):
    """An account the credentials may use."""

    id: int
    name: OptionalText = None


class User(ApiModel):
    """A user of an account; the e-mail address never appears in a repr."""

    id: str
    name: OptionalText = None
    email: OptionalText = Field(default=None, repr=False)


class BusinessUnit(ApiModel):
    """A business unit; its currency is the currency of all prices."""

    id: int
    name: OptionalText = None
    currency_code: OptionalText = None
    pricing_models: tuple[str, ...] | None = None


class Language(ApiModel):
    """A language spoken in a country."""

    code: str
    name: OptionalText = None
    is_preferred: bool | None = None


class Country(ApiModel):
    """A country."""

    code: str
    name: OptionalText = None


class Locale(ApiModel):
    """A country with its languages."""

    country: Country
    languages: tuple[Language, ...]

    def codes(self) -> tuple[str, ...]:
        """Return the codes a draft's `locale` takes, such as `ger_de`, the preferred language first."""
        ranked = sorted(self.languages, key=lambda language: not language.is_preferred)
        return tuple(f"{language.code}_{self.country.code}".lower() for language in ranked)


class DefinitionItem(ApiModel):
    """A study type or an industry by its code and name."""

    id: int | None = None
    code: str
    name: OptionalText = None


class Supplier(ApiModel):
    """A supplier of respondents."""

    id: int
    code: OptionalText = None
    name: OptionalText = None


class RateCard(ApiModel):
    """The price of a complete by length of interview, in rows, and incidence, in columns.

    Args:
        kind: `current` of a country; of a target group `predicted`, or `bound` once it has been live.
        country_code: Country.
        token: Name of this version of the card.
        length_of_interview_minutes: Of each row.
        incidence_rate_percents: Of each column, in percent.
        pricing_table_currency_code: Currency.
        pricing_table_data: The cells, as the exchange gives them: no document states their unit.
    """

    kind: str
    country_code: OptionalText = None
    token: OptionalText = None
    length_of_interview_minutes: tuple[float, ...]
    incidence_rate_percents: tuple[float, ...]
    pricing_table_currency_code: OptionalText = None
    pricing_table_data: tuple[tuple[float, ...], ...]

    @property
    def is_complete(self) -> bool:
        """Whether each row and each column has its cells."""
        return len(self.pricing_table_data) == len(self.length_of_interview_minutes) and all(
            len(row) == len(self.incidence_rate_percents) for row in self.pricing_table_data
        )


class AllocationTemplate(ApiModel):
    """An allocation template; `supply_allocations` is None where it was omitted, as in lists."""

    template_id: str
    name: OptionalText = None
    last_modified_at: datetime | None = None
    supply_allocations: tuple[dict[str, Any], ...] | None = None

    def to_open_exchange_allocations(self) -> dict[str, Any]:
        """Return the template as the `open_exchange_allocations` of a draft, with supplier ids as text.

        Raises:
            InputError: the suppliers of the template are not known; nothing was sent.
        """
        if self.supply_allocations is None:
            raise InputError(
                "The suppliers of this allocation template are not known: lists of templates omit them.",
                evidence={"template_id": self.template_id},
                next_step="read it with client.definitions.allocation_template(template_id) and pass that.",
            )
        exchange = next((part for part in self.supply_allocations if part.get("type") == "exchange"), {})
        groups = [part for part in self.supply_allocations if part.get("type") == "group"]
        blocked = [part for part in self.supply_allocations if part.get("type") == "blocked"]
        return {
            "blocked_supplier_ids": [supplier for part in blocked for supplier in _expand_suppliers(part)],
            "exchange_min_percentage": exchange.get("percentage_min") or 0,
            "exchange_max_percentage": exchange.get("percentage_max", 0 if groups else 100),
            "groups": [
                {
                    "group_name": str(part.get("name", "")),
                    "min_percentage": part.get("percentage_min") or 0,
                    "max_percentage": part.get("percentage_max", 100),
                    "suppliers": _expand_suppliers(part),
                }
                for part in groups
            ],
        }


def _expand_suppliers(part: dict[str, Any]) -> list[str]:
    listed = part.get("suppliers")
    rows = listed if isinstance(listed, list) else []
    return [str(row["supplier_id"]) for row in rows if isinstance(row, dict) and row.get("supplier_id") is not None]
