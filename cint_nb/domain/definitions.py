"""The exchange's definitions: accounts, users, business units, locales, study types, allocation templates."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from cint_nb.domain.models import ApiModel


class Account(ApiModel):
    """An account the credentials may use."""

    id: int
    name: str = ""


class User(ApiModel):
    """A user of an account; the e-mail address never appears in a repr."""

    id: str
    name: str = ""
    email: str = Field(default="", repr=False)


class BusinessUnit(ApiModel):
    """A business unit; its currency is the currency of all prices."""

    id: int
    name: str = ""
    currency_code: str = ""
    pricing_models: tuple[str, ...] = ()


class Language(ApiModel):
    """A language spoken in a country."""

    code: str = ""
    name: str = ""
    is_preferred: bool = False


class Country(ApiModel):
    """A country."""

    code: str = ""
    name: str = ""


class Locale(ApiModel):
    """A country with its languages."""

    country: Country = Field(default_factory=Country)
    languages: tuple[Language, ...] = ()

    def codes(self) -> tuple[str, ...]:
        """Return the codes a draft's `locale` takes, such as `ger_de`, the preferred language first."""
        ranked = sorted(self.languages, key=lambda language: not language.is_preferred)
        return tuple(f"{language.code}_{self.country.code}".lower() for language in ranked)


class DefinitionItem(ApiModel):
    """A study type or an industry by its code and name."""

    id: int | None = None
    code: str
    name: str = ""


class AllocationTemplate(ApiModel):
    """An allocation template; lists omit its `supply_allocations`."""

    template_id: str
    name: str = ""
    last_modified_at: datetime | None = None
    supply_allocations: tuple[dict[str, Any], ...] = ()

    def to_open_exchange_allocations(self) -> dict[str, Any]:
        """Return the template as the `open_exchange_allocations` of a draft, with supplier ids as text."""
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
