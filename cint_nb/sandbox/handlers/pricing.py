"""Handlers for price predictions, prices of target groups, and rate cards. All amounts are invented. Assumption."""

from __future__ import annotations

from decimal import Decimal

from cint_nb.sandbox.handlers.operation import ACCOUNT, TARGET_GROUP, Operation, QueryParam
from cint_nb.sandbox.protocol.messages import JsonObject, Request, Response, bad_request, forbidden, not_found
from cint_nb.sandbox.protocol.request_bodies import Money, PriceQuery
from cint_nb.sandbox.simulation.metrics import money_to_json
from cint_nb.sandbox.world import catalogue
from cint_nb.sandbox.world.entities import TargetGroup
from cint_nb.sandbox.world.world import World

_MINUTES = (3, 6, 10, 15, 20, 25, 30, 35, 40, 45)
_PERCENTS = (75, 50, 30, 20, 15, 10, 7, 5, 3, 1)
_COUNTRIES = frozenset(locale.partition("_")[2].upper() for locale in catalogue.LOCALES)
_PER_USD = {"EUR": 0.9, "USD": 1.0}
_PRIVATE_SUPPLIER = str(catalogue.SUPPLIERS[0]["supplier_id"])
_TOKEN = "UkNUPVNBTkRCT1g"  # noqa: S105 - the name of a rate card


def _predict(world: World, request: Request) -> Response:
    currency = _currency(request)
    _require_private_exchange(world)
    config = request.body_as(PriceQuery)["config"]
    if config["type"] == "dynamic":
        if "user_requested_cpi" not in config:
            raise bad_request(("Config.UserRequestedCpi", "'User Requested Cpi' must not be empty."))
        offered = _amount(config["user_requested_cpi"], currency, "Config.UserRequestedCpi")
        return Response(body=_price_to_json(world, request, "dynamic", offered, currency))
    for name in ("country_code", "expected_incidence_rate", "expected_length_of_interview_minutes"):
        if name not in config:
            title = name.title().replace("_", "")
            raise bad_request((f"Config.{title}", f"'{name.replace('_', ' ').title()}' must not be empty."))
    _require_country(config["country_code"])
    price = _card_price(config["expected_length_of_interview_minutes"], config["expected_incidence_rate"] * 100)
    if "cpi_boost" in config:
        price += _amount(config["cpi_boost"], currency, "Config.CpiBoost")
    if "maximum_cpi" in config:
        price = min(price, _amount(config["maximum_cpi"], currency, "Config.MaximumCpi"))
    return Response(body=_price_to_json(world, request, "rate_card", price, currency))


def _group_price(world: World, request: Request) -> Response:
    currency = _currency(request)
    _require_private_exchange(world)
    group = world.groups.get(request.path_params["target_group_id"])
    if group is None or str(group.body["business_unit_id"]) != request.path_params["business_unit_id"]:
        raise not_found("the target group")
    if group.pricing_model == "rate_card":
        body = group.body
        price = _card_price(body["expected_length_of_interview_minutes"], float(body["expected_incidence_rate"]) * 100)
    else:
        price = group.cpi
    return Response(
        body={
            "price_type": "prediction" if group.status == "draft" else "specification",
            "target_group_id": group.id,
            "pricing_config_token": f"{_TOKEN}.{group.id}",
            **_price_to_json(world, request, group.pricing_model, price, currency),
        }
    )


def _price_to_json(world: World, request: Request, model: str, price: Decimal, currency: str) -> JsonObject:
    context: JsonObject = {"type": model}
    if model == "rate_card":
        context["rate_card_token"] = _TOKEN
    return {
        "buyer_account_id": world.account_id,
        "buyer_business_unit_id": request.path_params["business_unit_id"],
        "buyer_business_unit_exchange_rate_from_usd": _PER_USD[currency],
        "open_exchange_price": {"pricing_context": context, "cost_per_interview": money_to_json(price, currency)},
        "private_exchange_prices": [
            {
                "supplier_id": _PRIVATE_SUPPLIER,
                "pricing_context": {"type": "dynamic"},
                "cost_per_interview": money_to_json(price, currency),
            }
        ],
    }


def _rate_card(_world: World, request: Request) -> Response:
    currency, country = _currency(request), (request.string_param("country_code") or "").upper()
    _require_country(country)
    return Response(body={"country_code": country, "token": _TOKEN, "rate_card_data": _card(currency)})


def _group_rate_card(world: World, request: Request) -> Response:
    group = world.group(request)
    kind = "bound" if _was_live(group) else "predicted"
    return Response(
        body={
            "country_code": group.body["locale"].partition("_")[2].upper(),
            f"{kind}_rate_card_token": _TOKEN,
            f"{kind}_rate_card": _card(group.currency),
        }
    )


def _was_live(group: TargetGroup) -> bool:
    return group.status not in ("draft", "scheduled")


def _card(currency: str) -> JsonObject:
    """Return a rate card: whole numbers of hundredths, since the document's example has no decimals. Assumption."""
    return {
        "data_format": "loi_ir_matrix",
        "length_of_interview_minutes": list(_MINUTES),
        "incidence_rate_percents": list(_PERCENTS),
        "pricing_table_currency_code": currency,
        "pricing_table_data": [[int(_card_price(row, column) * 100) for column in _PERCENTS] for row in _MINUTES],
    }


def _card_price(minutes: float, percent: float) -> Decimal:
    """Return a price: longer and rarer costs more."""
    return Decimal(str(round(0.9 + 0.12 * float(minutes) + 0.6 / max(float(percent) / 100, 0.05), 2)))


def _amount(money: Money, currency: str, name: str) -> Decimal:
    if money["currency_code"] != currency:
        raise bad_request((name, f"the business unit has the currency {currency}."))
    return Decimal(money["value"])


def _currency(request: Request) -> str:
    unit = request.path_params["business_unit_id"]
    found = next((one for one in catalogue.BUSINESS_UNITS if str(one["id"]) == unit), None)
    if found is None:
        raise not_found("the business unit")
    return found["currency_code"]


def _require_country(code: str) -> None:
    if code.upper() not in _COUNTRIES:
        raise bad_request(("CountryCode", "there is no rate card of this country."))


def _require_private_exchange(world: World) -> None:
    if world.rules.private_exchange == "absent":
        raise forbidden()


_TAG = "Prices"
_UNIT = f"{ACCOUNT}/business-units/{{business_unit_id}}"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="generate_price_prediction",
        method="POST",
        path=f"{_UNIT}/generate-price-prediction",
        handler=_predict,
        summary="Predict the price of a complete; for accounts with a Private Exchange.",
        tag=_TAG,
        request_schema="PriceQuery",
        response_schema="PricePrediction",
    ),
    Operation(
        name="get_target_group_price",
        method="GET",
        path=f"{_UNIT}/target-groups/{{target_group_id}}/price",
        handler=_group_price,
        summary="Get the price of a target group; for accounts with a Private Exchange.",
        tag=_TAG,
        response_schema="TargetGroupPrice",
    ),
    Operation(
        name="get_rate_card",
        method="GET",
        path=f"{_UNIT}/rate-card",
        handler=_rate_card,
        summary="Get the rate card of a country.",
        tag=_TAG,
        response_schema="RateCard",
        query=(
            QueryParam(
                "country_code",
                {"type": "string", "minLength": 2, "maxLength": 2},
                required=True,
                description="ISO 3166-1 alpha-2.",
            ),
        ),
    ),
    Operation(
        name="get_target_group_rate_card",
        method="GET",
        path=f"{TARGET_GROUP}/rate-card",
        handler=_group_rate_card,
        summary="Get the rate card of a target group: predicted until it is live, bound from then on.",
        tag=_TAG,
        response_schema="TargetGroupRateCard",
    ),
)
