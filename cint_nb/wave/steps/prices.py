"""What a complete of a wave costs, as the exchange computes it, where the account may ask."""

from __future__ import annotations

import pandas as pd

from cint_nb.domain.definitions import RateCard
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.domain.target_groups import ExchangePrice, PricePrediction
from cint_nb.study.readable_frame import ReadableFrame
from cint_nb.wave.context import WaveContext

PRICE_COLUMNS = {"who": "str", "price": "Float64", "currency": "str", "pricing_model": "str", "basis": "str"}
OF_A_CARD = (
    "No document states the unit of the cells, nor how prices between rows and columns are found: compare them, and "
    "compute no invoice from them."
)


class PriceSteps:
    """The steps of one wave that ask for prices; they change nothing."""

    def __init__(self, wave: WaveContext) -> None:
        self._wave = wave

    async def prices(self) -> PricePrediction:
        """Return the price of a complete: of the target group, or predicted from the plan before there is one."""
        plan, prices = self._wave.plan, self._wave.client.prices
        ref = await self._wave.locate()
        if ref is not None:
            return await prices.target_group(ref, plan.business_unit_id)
        if plan.pricing_model == "dynamic" and (price := plan.cost_per_interview or plan.price_cap) is not None:
            return await prices.predict(plan.business_unit_id, cost_per_interview=price)
        return await prices.predict(
            plan.business_unit_id,
            country_code=_country(plan),
            expected_length_of_interview_minutes=plan.expected_length_of_interview_minutes,
            expected_incidence_rate=float(plan.expected_incidence_rate),
            maximum_cpi=plan.maximum_cpi,
        )

    async def rate_card(self) -> RateCard:
        """Return the rate card of the target group, or of the plan's country before there is one."""
        ref = await self._wave.locate()
        if ref is not None:
            return await self._wave.client.prices.target_group_rate_card(ref)
        plan = self._wave.plan
        return await self._wave.client.prices.rate_card(plan.business_unit_id, _country(plan))


def _country(plan: TargetGroupPlan) -> str:
    return plan.locale.rpartition("_")[2].upper()


def price_frame(found: PricePrediction) -> pd.DataFrame:
    """Return the prices as a frame: first that of the open exchange, then those of private suppliers."""
    rows = [_row("open exchange", found.open_exchange_price, found)]
    rows += [_row(f"supplier {each.supplier_id or 'not named'}", each, found) for each in found.private_exchange_prices]
    frame = ReadableFrame(rows, columns=list(PRICE_COLUMNS))
    frame["price"] = pd.to_numeric(frame["price"])
    known = frame.notna()
    return frame.astype(PRICE_COLUMNS).where(known)


def _row(who: str, price: ExchangePrice, found: PricePrediction) -> dict[str, object]:
    amount = price.cost_per_interview
    return {
        "who": who,
        "price": None if amount is None or amount.value is None else float(amount.value),
        "currency": None if amount is None else amount.currency_code,
        "pricing_model": price.pricing_model,
        "basis": found.price_type or "prediction",
    }


def rate_card_frame(card: RateCard) -> pd.DataFrame:
    """Return a rate card as a frame: one row per length of interview, one column per incidence in percent."""
    frame = ReadableFrame(
        [list(row) for row in card.pricing_table_data],
        index=pd.Index(card.length_of_interview_minutes, name="minutes"),
        columns=pd.Index(card.incidence_rate_percents, name="incidence_percent"),
    )
    frame.attrs |= {
        "kind": card.kind,
        "country": card.country_code,
        "currency": card.pricing_table_currency_code,
        "note": OF_A_CARD,
    }
    return frame
