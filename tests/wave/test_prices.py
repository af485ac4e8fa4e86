"""What a complete costs, as the exchange computes it, for the accounts that may ask."""

from __future__ import annotations

from typing import Any

import pytest

from cint_nb.domain.errors import InputError, PermissionDenied
from cint_nb.sandbox.world.rules import ExchangeRules
from cint_nb.wave.client import Client
from tests.support.fresh_waves import fresh_wave, live_wave


def test_before_there_is_a_group_the_price_is_predicted_from_the_plan(client: Client) -> None:
    frame = fresh_wave(client).prices()
    assert list(frame["who"]) == ["open exchange", "supplier 201"]
    first = frame[["price", "currency", "pricing_model", "basis"]].to_dict("records")[0]
    assert list(first.values()) == [2.7352, "EUR", "dynamic", "prediction"]
    assert frame.attrs["mode"] == "sandbox"


def test_the_price_of_a_rate_card_follows_length_and_incidence_up_to_the_cap(client: Client) -> None:
    card: dict[str, Any] = {"pricing_model": "rate_card", "cost_per_interview": None}
    free = fresh_wave(client, **card, maximum_cpi="9 EUR").prices()
    capped = fresh_wave(client, **card, maximum_cpi="1 EUR").prices()
    assert free.loc[0, "pricing_model"] == "rate_card"
    assert free["price"].iloc[0] > capped["price"].iloc[0] == 1.0


def test_the_price_of_a_launched_group_is_no_prediction(client: Client) -> None:
    assert live_wave(client).prices().loc[0, "basis"] == "specification"


def test_an_account_without_a_private_exchange_is_told_so_and_what_it_can_ask(client: Client) -> None:
    client.sandbox.world.rules = ExchangeRules(private_exchange="absent")
    wave = fresh_wave(client)
    with pytest.raises(PermissionDenied, match="Private Exchange") as caught:
        wave.prices()
    assert "wave.feasibility()" in str(caught.value)
    assert len(wave.feasibility()) == 1
    wave.create()
    with pytest.raises(PermissionDenied, match="Private Exchange"):
        wave.prices()


def test_a_rate_card_is_a_table_whose_unit_is_not_known(client: Client) -> None:
    frame = fresh_wave(client).rate_card()
    assert frame.index.name == "minutes"
    assert frame.columns.name == "incidence_percent"
    assert float(frame.loc[45, 1]) > float(frame.loc[3, 75])  # type: ignore[arg-type]
    assert (frame.attrs["kind"], frame.attrs["country"], frame.attrs["currency"]) == ("current", "DE", "EUR")
    assert "compute no invoice" in frame.attrs["note"]


def test_the_rate_card_of_a_group_is_bound_once_it_is_live(client: Client) -> None:
    wave = fresh_wave(client)
    wave.create()
    assert wave.rate_card().attrs["kind"] == "predicted"
    wave.launch(budget="300 EUR")
    assert wave.rate_card().attrs["kind"] == "bound"


def test_what_belongs_to_the_other_way_of_pricing_is_refused_before_anything_is_sent(client: Client) -> None:
    with pytest.raises(InputError, match="country_code"):
        client.prices.predict(1234, cost_per_interview="2 EUR", country_code="DE")
    with pytest.raises(InputError, match="expected_incidence_rate"):
        client.prices.predict(1234, country_code="DE", expected_length_of_interview_minutes=10)
    with pytest.raises(InputError, match="two letters"):
        client.prices.rate_card(1234, "Germany")
    assert client.requests_sent == 0


@pytest.mark.parametrize("rate", [0.07, 0.14, 0.28, 0.29, 0.47, 0.56, 0.57, 0.58, 0.59, 0.94])
def test_hundredths_that_no_float_divides_are_rates(client: Client, rate: float) -> None:
    found = client.prices.predict(
        1234, country_code="DE", expected_length_of_interview_minutes=10, expected_incidence_rate=rate
    )
    assert found.open_exchange_price.cost_per_interview is not None
    wave = fresh_wave(client, f"Tracker, {rate}", expected_incidence_rate=rate)
    wave.create()
    assert wave.target_group is not None
