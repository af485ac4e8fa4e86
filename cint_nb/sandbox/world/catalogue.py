"""The fixed data of the simulated exchange: accounts, users, business units, locales, templates, suppliers."""

from __future__ import annotations

from typing import TypedDict

from cint_nb.domain import limits
from cint_nb.sandbox.protocol.messages import JsonObject, to_json
from cint_nb.sandbox.protocol.request_bodies import OpenExchangeAllocations

ACCOUNT_ID = 101
"""The account of the sandbox; in one with several accounts, also the number of everybody's own."""
BUSINESS_UNIT_ID = 1234
PROJECT_MANAGER_ID = "b551326b-ac9d-4d32-8823-4f025787dab9"  # the one both guides print
COLLEAGUE_ID = "6f1c2f0e-5b0a-4f0e-9d53-0c6a3b7e1f24"
CLIENT_ID = "sandbox"
CLIENT_SECRET = "sandbox"  # noqa: S105 - not a secret: the sandbox documents it


class BusinessUnit(TypedDict):
    """A business unit."""

    id: int
    name: str
    currency_code: str
    pricing_models: list[str]


class Code(TypedDict):
    """An entry of a list of codes."""

    id: int
    code: str
    name: str


class Supplier(TypedDict):
    """A supplier."""

    supplier_id: int
    name: str
    type: str


class Template(TypedDict):
    """A global allocation template: its name, and what it stands for, as a draft would spell it out."""

    name: str
    allocations: OpenExchangeAllocations


USERS: tuple[dict[str, str], ...] = (
    {"id": PROJECT_MANAGER_ID, "email": "manager@sandbox.invalid", "name": "Sandbox Manager"},
    {"id": COLLEAGUE_ID, "email": "colleague@sandbox.invalid", "name": "Sandbox Colleague"},
)
BUSINESS_UNITS: tuple[BusinessUnit, ...] = (
    {"id": 1234, "name": "Sandbox Europe", "currency_code": "EUR", "pricing_models": ["dynamic", "rate_card"]},
    {"id": 5678, "name": "Sandbox America", "currency_code": "USD", "pricing_models": ["dynamic", "rate_card"]},
)
CURRENCIES = {unit["id"]: unit["currency_code"] for unit in BUSINESS_UNITS}

_COUNTRIES: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    ("at", "Austria", (("ger", "German"),)),
    ("au", "Australia", (("eng", "English"),)),
    ("br", "Brazil", (("por", "Portuguese"),)),
    ("ca", "Canada", (("eng", "English"), ("fre", "French"))),
    ("ch", "Switzerland", (("ger", "German"), ("fre", "French"), ("ita", "Italian"))),
    ("de", "Germany", (("ger", "German"),)),
    ("dk", "Denmark", (("dan", "Danish"),)),
    ("es", "Spain", (("spa", "Spanish"),)),
    ("fr", "France", (("fre", "French"),)),
    ("gb", "United Kingdom", (("eng", "English"),)),
    ("it", "Italy", (("ita", "Italian"),)),
    ("jp", "Japan", (("jpn", "Japanese"),)),
    ("nl", "Netherlands", (("dut", "Dutch"),)),
    ("pl", "Poland", (("pol", "Polish"),)),
    ("se", "Sweden", (("swe", "Swedish"),)),
    ("us", "United States", (("eng", "English"), ("spa", "Spanish"))),
)
LOCALE_LIST: list[JsonObject] = [
    {
        "country": {"code": code, "name": name},
        "languages": [
            {"is_preferred": number == 0, "name": language, "code": short}
            for number, (short, language) in enumerate(languages)
        ],
    }
    for code, name, languages in _COUNTRIES
]
LOCALES = frozenset(f"{short}_{code}" for code, _, languages in _COUNTRIES for short, _ in languages)

INDUSTRIES: tuple[Code, ...] = tuple(
    {"id": number, "code": code, "name": code.replace("_", " ").capitalize()}
    for number, code in enumerate(
        (
            "automotive",
            "beauty_cosmetics",
            "beverages_alcoholic",
            "beverages_non_alcoholic",
            "education",
            "electronics_computer_software",
            "entertainment",
            "fashion_clothing",
            "financial_services_insurance",
            "food_snacks",
            "gambling_lottery",
            "healthcare_pharmaceuticals",
            "home_entertainment",
            "home_improvement",
            "it",
            "media_publishing",
            "other",
            "politics",
            "sports_recreation_fitness",
            "telecommunications",
            "transportation_shipping",
            "travel",
            "video_games",
        ),
        start=1,
    )
)
INDUSTRY_CODES = frozenset(industry["code"] for industry in INDUSTRIES)

STUDY_TYPES: tuple[Code, ...] = tuple(
    {"id": number, "code": code, "name": code.replace("_", " ").capitalize()}
    for number, code in enumerate(
        (
            "adhoc",
            "diary",
            "ihut",
            "community_recruit",
            "incidence_check",
            "recruit",
            limits.RECONTACT_STUDY_TYPE,
            "tracker",
        ),
        start=1,
    )
)
STUDY_TYPE_CODES = frozenset(study["code"] for study in STUDY_TYPES)

QUESTION_NAMES = {42: "age", 43: "gender", 45: "postal code", 47: "hispanic", 63: "stores", 96: "state"}
"""Names of the questions whose ids are public; all others have none here."""

SUPPLIERS: tuple[Supplier, ...] = tuple(
    {"supplier_id": 201 + number, "name": f"Sandbox supplier {number + 1}", "type": "survey_panels"}
    for number in range(14)
)
BALANCED_TEMPLATE_ID = "01JH0PEHNMJZGPP1M1P11WJHWW"
_WHOLE_EXCHANGE: OpenExchangeAllocations = {
    "blocked_supplier_ids": [],
    "exchange_min_percentage": 0,
    "exchange_max_percentage": 100,
    "groups": [],
}
TEMPLATES: dict[str, Template] = {
    limits.RECONTACT_TEMPLATE_ID: {"name": "Recontact", "allocations": _WHOLE_EXCHANGE},
    BALANCED_TEMPLATE_ID: {"name": "Open exchange", "allocations": _WHOLE_EXCHANGE},
}
TEMPLATES_MODIFIED_AT = "2025-12-18T00:00:00.000Z"


def account_name(account_id: int) -> str:
    """Return the name of an account: those after the first are numbered."""
    return f"Sandbox Research{_suffix(account_id)}"


def business_units(account_id: int) -> list[BusinessUnit]:
    """Return the business units of an account: its own, under the ids that the examples of this package use."""
    return [{**unit, "name": f"{unit['name']}{_suffix(account_id)}"} for unit in BUSINESS_UNITS]


def _suffix(account_id: int) -> str:
    return "" if account_id == ACCOUNT_ID else f" {account_id}"


def template(template_id: str) -> JsonObject:
    """Return a global allocation template as the exchange does: who may supply which share."""
    allocations = TEMPLATES[template_id]["allocations"]
    blocked = set(allocations["blocked_supplier_ids"])
    exchange: JsonObject = {
        "type": "exchange",
        "percentage_min": allocations["exchange_min_percentage"],
        "percentage_max": allocations["exchange_max_percentage"],
        "suppliers": [to_json(one) for one in SUPPLIERS if str(one["supplier_id"]) not in blocked],
    }
    barred = [to_json(one) for one in SUPPLIERS if str(one["supplier_id"]) in blocked]
    closed: JsonObject = {"type": "blocked", "suppliers": barred}
    name = TEMPLATES[template_id]["name"]
    return {"template_id": template_id, "name": name, "supply_allocations": [exchange, closed]}
