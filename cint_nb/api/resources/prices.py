"""Prices: predicted for an account with a Private Exchange, and the rate cards of business units and target groups."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cint_nb.api import operations as ops
from cint_nb.api.parsing import parse
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.definitions import CountryCode, Minutes, Rate, RateCard, UnitId
from cint_nb.domain.errors import InputError, PermissionDenied
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import Money, MoneyText
from cint_nb.domain.target_groups import PricePrediction
from cint_nb.wire.calls import Reply
from cint_nb.wire.http import Http

_NO_PREDICTION = (
    "price predictions need a Private Exchange, which this account may not have: client.target_groups.feasibility(…) "
    "and wave.feasibility() suggest a price without one"
)
_NO_RATE_CARD = "this account may not read rate cards"


@check_arguments()
class Prices:
    """What a complete costs, as the exchange computes it: predictions and rate cards; nothing is changed."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def predict(
        self,
        business_unit_id: UnitId,
        *,
        cost_per_interview: Money | MoneyText | None = None,
        country_code: CountryCode | None = None,
        expected_length_of_interview_minutes: Minutes | None = None,
        expected_incidence_rate: Rate | None = None,
        maximum_cpi: Money | MoneyText | None = None,
        cpi_boost: Money | MoneyText | None = None,
    ) -> PricePrediction:
        """Predict the price of a complete of a target group that does not exist yet.

        With `cost_per_interview` it is that of dynamic pricing, for this offer; without, that of the country's rate
        card, for which country, length and incidence are needed.

        Args:
            business_unit_id: Number of the business unit, whose currency all amounts have.
            cost_per_interview: What would be offered for a complete.
            country_code: Country of the people, ISO 3166-1 alpha-2.
            expected_length_of_interview_minutes: Median length, 1–45.
            expected_incidence_rate: Share of those asked who qualify, 0–1 in steps of 0.01.
            maximum_cpi: The most that a complete may cost by the rate card.
            cpi_boost: What to add to the price of the rate card.

        Raises:
            InputError: something is missing, or belongs to the other way of pricing; nothing was sent.
            PermissionDenied: the account may not, as one without a Private Exchange.

        Serves `POST …/business-units/{business_unit_id}/generate-price-prediction`.

        Example:
            >>> found = client.prices.predict(1234, cost_per_interview="2.75 EUR")
            >>> print(found.open_exchange_price.cost_per_interview)
            2.75 EUR
        """
        card = {
            "country_code": country_code,
            "expected_length_of_interview_minutes": expected_length_of_interview_minutes,
            "expected_incidence_rate": expected_incidence_rate,
        }
        limits = {"maximum_cpi": maximum_cpi, "cpi_boost": cpi_boost}
        config: dict[str, Any]
        if cost_per_interview is not None:
            _require_none({**card, **limits}, "with cost_per_interview, which is dynamic pricing")
            config = {"type": "dynamic", "user_requested_cpi": Money.parse(cost_per_interview).to_body()}
        else:
            _require_all(card)
            amounts = {name: Money.parse(each).to_body() for name, each in limits.items() if each is not None}
            config = {"type": "rate_card", **card, "country_code": str(country_code).upper(), **amounts}
        call = ops.PREDICT_PRICE.make_call({"business_unit_id": business_unit_id}, json={"config": config})
        with _explaining_refusals(_NO_PREDICTION):
            return parse(PricePrediction, await self._http.send(call))

    async def target_group(self, ref: TargetGroupRef, business_unit_id: UnitId) -> PricePrediction:
        """Read the price of a complete of a target group: of a draft predicted, else as it is.

        Args:
            ref: The target group.
            business_unit_id: Number of its business unit.

        Raises:
            PermissionDenied: the account may not, as one without a Private Exchange.

        Serves `GET …/business-units/{business_unit_id}/target-groups/{target_group_id}/price`.

        Example:
            >>> price = client.prices.target_group(ref, 1234)
            >>> print(price.price_type, price.open_exchange_price.cost_per_interview)
            specification 2.75 EUR
        """
        path: dict[str, str | int | None] = {
            "business_unit_id": business_unit_id,
            "target_group_id": ref.target_group_id,
        }
        with _explaining_refusals(_NO_PREDICTION):
            return parse(PricePrediction, await self._http.send(ops.GET_GROUP_PRICE.make_call(path)))

    async def rate_card(self, business_unit_id: UnitId, country_code: CountryCode) -> RateCard:
        """Read the rate card of a country for a business unit.

        Its cells are whole numbers whose unit no document states, and how prices between its rows and columns are
        found neither: it is to be looked at, and no invoice can be computed from it.

        Args:
            business_unit_id: Number of the business unit.
            country_code: ISO 3166-1 alpha-2.

        Raises:
            PermissionDenied: the account may not.

        Serves `GET …/business-units/{business_unit_id}/rate-card`.

        Example:
            >>> card = client.prices.rate_card(1234, "DE")
            >>> card.length_of_interview_minutes[:3], card.pricing_table_data[0][:3]
            ((3.0, 6.0, 10.0), (206.0, 246.0, 326.0))
        """
        query = {"country_code": country_code.upper()}
        call = ops.GET_RATE_CARD.make_call({"business_unit_id": business_unit_id}, query=query)
        with _explaining_refusals(_NO_RATE_CARD):
            reply = await self._http.send(call)
        return _parse_card(reply, "current")

    async def target_group_rate_card(self, ref: TargetGroupRef) -> RateCard:
        """Read the rate card of a target group: `predicted` until it first goes live, `bound` for ever after.

        Args:
            ref: The target group.

        Raises:
            PermissionDenied: the account may not.

        Serves `GET …/target-groups/{target_group_id}/rate-card`.

        Example:
            >>> client.prices.target_group_rate_card(ref).kind
            'bound'
        """
        with _explaining_refusals(_NO_RATE_CARD):
            reply = await self._http.send(ops.GET_GROUP_RATE_CARD.make_call(ref.path_params()))
        kind = next((each for each in ("bound", "predicted") if reply.json_object().get(f"{each}_rate_card")), None)
        if kind is None:
            raise reply.unexpected_reply_error(
                f"The reply to the request to {ops.GET_GROUP_RATE_CARD.description} has neither predicted_rate_card "
                "nor bound_rate_card."
            )
        return _parse_card(reply, kind)


def _parse_card(reply: Reply, kind: str) -> RateCard:
    body = reply.json_object()
    key, token = ("rate_card_data", "token") if kind == "current" else (f"{kind}_rate_card", f"{kind}_rate_card_token")
    card = body.get(key)
    more = {"kind": kind, "country_code": body.get("country_code"), "token": body.get(token)}
    found = parse(RateCard, reply, **{**(card if isinstance(card, dict) else {}), **more})
    if not found.is_complete:
        asked = ops.GET_RATE_CARD if kind == "current" else ops.GET_GROUP_RATE_CARD
        raise reply.unexpected_reply_error(
            f"The reply to the request to {asked.description} is not as documented: the cells in pricing_table_data do "
            "not match length_of_interview_minutes, their rows, and incidence_rate_percents, their columns."
        )
    return found


def _require_all(card: dict[str, Any]) -> None:
    if missing := [name for name, value in card.items() if value is None]:
        raise InputError(
            f"A price from the rate card needs {', '.join(missing)}.",
            evidence={"fields": ", ".join(missing)},
            safe="nothing was sent.",
            next_step="pass them, or cost_per_interview for dynamic pricing.",
        )


def _require_none(given: dict[str, Any], why: str) -> None:
    if strange := [name for name, value in given.items() if value is not None]:
        raise InputError(
            f"{', '.join(strange)} cannot be given {why}.",
            evidence={"fields": ", ".join(strange)},
            safe="nothing was sent.",
            next_step="leave them out, or leave out cost_per_interview for the price of the rate card.",
        )


@contextmanager
def _explaining_refusals(why: str) -> Iterator[None]:
    try:
        yield
    except PermissionDenied as error:
        error.next_step = f"{why}. Else: {error.next_step}"
        raise
