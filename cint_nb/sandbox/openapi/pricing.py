"""The schemas of price predictions and rate cards."""

from __future__ import annotations

from cint_nb.sandbox.openapi.builders import array, integer, number, object_, ref, string, ulid
from cint_nb.sandbox.protocol.json_schema import Schema

_MONEY = ref("Money")
_MODEL = string(enum=["dynamic", "rate_card"])
_context = object_({"type": _MODEL, "rate_card_token": string()}, optional=("rate_card_token",))
_price = {"pricing_context": _context, "cost_per_interview": _MONEY}
_prediction = {
    "buyer_account_id": integer(),
    "buyer_business_unit_id": string(),
    "buyer_business_unit_exchange_rate_from_usd": number(),
    "open_exchange_price": object_(_price),
    "private_exchange_prices": array(object_({"supplier_id": string(), **_price})),
}
_card = object_(
    {
        "data_format": string(enum=["loi_ir_matrix"]),
        "length_of_interview_minutes": array(integer(1)),
        "incidence_rate_percents": array(integer(0, 100)),
        "pricing_table_currency_code": string(pattern="^[A-Z]{3}$"),
        "pricing_table_data": array(array(integer(0))),
    }
)


def _group_card(kind: str) -> Schema:
    return object_({"country_code": string(), f"{kind}_rate_card_token": string(), f"{kind}_rate_card": _card})


PRICES: dict[str, Schema] = {
    "PriceQuery": object_(
        {
            "config": object_(
                {
                    "type": _MODEL,
                    "user_requested_cpi": _MONEY,
                    "country_code": string(low=2, high=2),
                    "expected_incidence_rate": {**number(0, 1), "multipleOf": 0.01},
                    "expected_length_of_interview_minutes": integer(1, 45),
                    "maximum_cpi": _MONEY,
                    "cpi_boost": _MONEY,
                },
                optional=(
                    "user_requested_cpi",
                    "country_code",
                    "expected_incidence_rate",
                    "expected_length_of_interview_minutes",
                    "maximum_cpi",
                    "cpi_boost",
                ),
            )
        }
    ),
    "PricePrediction": object_(_prediction),
    "TargetGroupPrice": object_(
        {
            "price_type": string(enum=["specification", "prediction"]),
            "target_group_id": ulid,
            "pricing_config_token": string(),
            **_prediction,
        }
    ),
    "RateCard": object_({"country_code": string(), "token": string(), "rate_card_data": _card}),
    "TargetGroupRateCard": {"anyOf": [_group_card(kind) for kind in ("predicted", "bound")]},
}
