"""What the exchange expects of a wave: goals, prices and days compared, and what it cannot know is said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from cint_nb.domain.errors import InputError, PlanError
from cint_nb.domain.profiling.profiles import Profile
from cint_nb.domain.target_groups import Feasibility
from cint_nb.wave.client import Client
from cint_nb.wave.wave import Wave
from tests.support.fresh_waves import QUOTAS, fresh_wave, live_wave

MakeWave = Callable[..., Wave]


def test_the_plan_alone_is_forecast_before_anything_is_created(client: Client) -> None:
    wave = fresh_wave(client)
    (row,) = wave.feasibility().to_dict("records")
    assert (row["goal"], row["currency"], row["enough"]) == (100, "EUR", "yes")
    assert row["completes_low"] <= row["completes_high"]
    assert row["suggested_price_low"] < row["suggested_price"] < row["suggested_price_high"]
    assert row["days"] == pytest.approx((wave.plan.end_at - wave.plan.start_at) / timedelta(days=1), abs=0.01)
    assert wave.target_group is None
    assert not [*client.projects.list()]


def test_goals_prices_and_days_are_combined_one_row_each(client: Client) -> None:
    frame = fresh_wave(client).feasibility(goals=[100, 9_000], prices=["0.50 EUR", "3 EUR"], days=[1, 14])
    assert len(frame) == 8
    assert frame.groupby(["goal", "price", "days"]).ngroups == 8
    by = frame.set_index(["goal", "price", "days"])["completes_high"]
    assert by[(100, 3.0, 14.0)] > by[(100, 3.0, 1.0)]
    assert by[(100, 3.0, 14.0)] > by[(100, 0.5, 14.0)]
    enough = frame.set_index(["goal", "price", "days"])["enough"]
    assert (enough[(100, 3.0, 14.0)], enough[(9_000, 3.0, 1.0)]) == ("yes", "no")


def test_of_a_list_it_is_said_that_the_exchange_does_not_look_at_it(make_wave: MakeWave) -> None:
    wave = make_wave()
    frame = wave.feasibility(goals=[100, len(wave.respondents) + 1])
    assert frame["people"].tolist() == [len(wave.respondents)] * 2
    assert frame["enough"].tolist() == ["not known", "no"]
    assert frame["note"].str.contains("does not look at the list").all()
    assert any("does not look at the list" in note for note in frame.attrs["notes"])


def test_a_zero_is_not_computable_and_no_number(client: Client) -> None:
    codes = [f"{number:05}" for number in range(10_000, 10_101)]
    wave = fresh_wave(client)
    read = client.aio.target_groups.feasibility

    async def with_codes(body: dict[str, object]) -> object:
        condition = {
            "object": "open_ended",
            "question_id": 45,
            "allow_all_values": False,
            "open_ended_values": codes,
        }
        profile = {"object": "regular", "quotas_enabled": False, "targets": [{"conditions": [condition]}]}
        return await read({**body, "profiling": {"profile_adjustment_type": "percentage", "profiles": [profile]}})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client.aio.target_groups, "feasibility", with_codes)
        frame = wave.feasibility()
    assert frame["enough"].tolist() == ["not computable"]
    assert frame["completes_high"].isna().all()
    assert "does not mean that there are none" in frame["note"].item()


def test_profiles_are_looked_up_and_sent(client: Client) -> None:
    assert fresh_wave(client, profiling=QUOTAS).feasibility()["enough"].tolist() == ["yes"]
    with pytest.raises(PlanError):
        fresh_wave(client, profiling=[Profile("no such question", {"x": 100})]).feasibility()


def test_a_launched_wave_is_forecast_from_what_it_has_collected(client: Client) -> None:
    wave = live_wave(client)
    before = wave.exchange_state()
    frame = wave.feasibility(days=[20])
    assert frame["days"].tolist() == [20]
    assert frame["note"].str.contains("collected already").all()
    assert wave.feasibility()["goal"].tolist() == [100]
    assert wave.exchange_state().run == before.run


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"goals": [10_001]}, "10,000 completes at most"),
        ({"goals": range(1, 12), "days": range(1, 11)}, "110 combinations"),
        ({"prices": ["3 USD"]}, "The plan is in EUR"),
        ({"days": [0]}, "length of fielding"),
        ({"days": [-3]}, "length of fielding"),
        ({"goals": [0]}, "goals"),
        ({"prices": ["cheap"]}, "cheap|amount"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_sent(
    client: Client, given: dict[str, object], why: str
) -> None:
    wave, sent = fresh_wave(client), client.requests_sent
    with pytest.raises(InputError, match=why):
        wave.feasibility(**given)  # type: ignore[arg-type]
    assert client.requests_sent == sent


def test_a_wave_without_a_plan_has_no_forecast(client: Client) -> None:
    with pytest.raises(PlanError, match="without a plan"):
        client.wave("Tracker, wave 1", project="Brand tracker").feasibility()


def test_what_the_reply_does_not_hold_is_missing_and_never_zero(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(_: object) -> Feasibility:
        return Feasibility()

    monkeypatch.setattr(client.aio.target_groups, "feasibility", nothing)
    frame = fresh_wave(client).feasibility()
    assert frame["enough"].tolist() == ["not computable"]
    empty = ["completes_low", "completes_high", "suggested_price", "suggested_price_low", "suggested_price_high"]
    assert frame[empty].isna().all(axis=None)


def test_a_rate_card_is_said_to_ignore_the_price(client: Client) -> None:
    frame = fresh_wave(client, pricing_model="rate_card").feasibility()
    assert "ignores the price" in frame["note"].item()
