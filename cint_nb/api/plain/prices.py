"""Prices as plain verbs."""

# Generated from cint_nb/api/resources/prices.py by `nox -s plain`; change that file instead.

from __future__ import annotations

from cint_nb.api.resources import prices
from cint_nb.domain.definitions import CountryCode, Minutes, Rate, RateCard, UnitId
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import Money, MoneyText
from cint_nb.domain.target_groups import PricePrediction
from cint_nb.wire import loop_thread


class Prices:
    """What a complete costs, as the exchange computes it: predictions and rate cards; nothing is changed."""

    def __init__(self, aio: prices.Prices) -> None:
        self._aio = aio

    def predict(
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
        return loop_thread.run(
            self._aio.predict(
                business_unit_id,
                cost_per_interview=cost_per_interview,
                country_code=country_code,
                expected_length_of_interview_minutes=expected_length_of_interview_minutes,
                expected_incidence_rate=expected_incidence_rate,
                maximum_cpi=maximum_cpi,
                cpi_boost=cpi_boost,
            )
        )

    def target_group(self, ref: TargetGroupRef, business_unit_id: UnitId) -> PricePrediction:
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
        return loop_thread.run(self._aio.target_group(ref, business_unit_id))

    def rate_card(self, business_unit_id: UnitId, country_code: CountryCode) -> RateCard:
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
        return loop_thread.run(self._aio.rate_card(business_unit_id, country_code))

    def target_group_rate_card(self, ref: TargetGroupRef) -> RateCard:
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
        return loop_thread.run(self._aio.target_group_rate_card(ref))
