"""Who is missing, and why: each switch alone, in process, over HTTP, and after a restart."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

import httpx
import pytest

from cint_nb.domain import ids
from cint_nb.domain.errors import InputError
from cint_nb.sandbox.classroom import Classroom
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.world.id_store import to_id_bytes
from cint_nb.sandbox.world.missingness import MECHANISMS, Missingness
from cint_nb.sandbox.world.people import Attribute, Person
from cint_nb.sandbox.world.population import Population, PopulationParameters, Wave
from cint_nb.sandbox.world.settings import changed_settings, read_settings
from tests.support.sandbox_client import RawClient

DAY = 86_400
PEOPLE = [Person(to_id_bytes(ids.synthetic_id("missing", number))) for number in range(3_000)]
WAVE = Wave(b"wave", 1.0)
ATTRIBUTES: tuple[Attribute, ...] = ("age", "gender", "region", "education", "device", "tenure")
PLAIN = PopulationParameters(loyalty_spread=0, supplier_takes_part=1)


def returning(missingness: Missingness, *, months: float = 0.0, completed_waves: int = 0) -> list[Person]:
    population = Population(1, PLAIN, missingness)
    return [
        person for person in PEOPLE if population.return_delay(person.key, WAVE, months, completed_waves) is not None
    ]


def share(missingness: Missingness, **more: Any) -> float:
    return len(returning(missingness, **more)) / len(PEOPLE)


def lift(missingness: Missingness, attribute: Attribute) -> float:
    """Return by how much an attribute of who returns lies above that of all, in standard deviations."""
    return fmean(person.score(attribute) for person in returning(missingness)) - fmean(
        person.score(attribute) for person in PEOPLE
    )


# --- each switch ------------------------------------------------------------------------------------------------


def test_without_a_switch_chance_alone_decides() -> None:
    assert share(Missingness()) == pytest.approx(0.62, abs=0.03)
    assert all(abs(lift(Missingness(), attribute)) < 0.06 for attribute in ATTRIBUTES)


def test_by_chance_fewer_return_and_they_are_no_others() -> None:
    assert share(Missingness(by_chance=0.5)) == pytest.approx(0.31, abs=0.03)
    assert share(Missingness(by_chance=1)) == 0
    assert all(abs(lift(Missingness(by_chance=0.5), attribute)) < 0.08 for attribute in ATTRIBUTES)


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_an_attribute_decides_in_the_direction_of_its_switch(attribute: Attribute) -> None:
    up, down = (Missingness(**{f"by_{attribute}": effect}) for effect in (1.0, -1.0))  # type: ignore[arg-type]
    assert lift(up, attribute) > 0.15
    assert lift(down, attribute) < -0.15
    assert {"age", "gender", "region", "education", "device", "tenure"} == set(ATTRIBUTES)


@pytest.mark.thorough
def test_the_answer_decides_in_the_direction_of_its_switch() -> None:
    population = Population(1, PLAIN)

    def mean(people: list[Person]) -> float:
        return fmean(population.answer(person, WAVE) for person in people)

    for effect in (1.0, -1.0):
        difference = mean(returning(Missingness(by_answer=effect))) - mean(PEOPLE)
        assert 2 < difference * effect < 8


@pytest.mark.thorough
def test_who_has_completed_many_waves_or_was_not_seen_for_long_returns_less() -> None:
    tired, gap = Missingness(wear_off=0.4), Missingness(gap=0.2)
    assert share(tired) > share(tired, completed_waves=2) + 0.1 > share(tired, completed_waves=5) + 0.2
    assert share(gap) > share(gap, months=3) + 0.1
    assert share(Missingness(), months=3) == pytest.approx(0.62 * 0.95**3, abs=0.03), "attrition is there anyway"


def test_waves_spread_by_the_points_that_were_set() -> None:
    population = Population(1, PLAIN, Missingness(wave_spread=6))
    chances = [population.propensity(PEOPLE[0], population.wave(b"wave %d" % number, 0), 0) for number in range(600)]
    assert fmean(chances) == pytest.approx(0.62, abs=0.01)
    assert pstdev(chances) == pytest.approx(0.06, rel=0.1)
    assert population.wave(b"one", 0) == population.wave(b"one", 0)
    other = Population(2, PLAIN, Missingness(wave_spread=6)).wave(b"one", 0)
    assert other.shift != population.wave(b"one", 0).shift, "another seed, other waves"


def test_loyal_people_return_to_every_wave() -> None:
    population = Population(1, PopulationParameters(loyalty_spread=2.0))
    loyal = [person for person in PEOPLE if person.loyalty > 1]
    others = [person for person in PEOPLE if person.loyalty < -1]
    chances = [fmean(population.propensity(person, WAVE, 0) for person in group) for group in (loyal, others)]
    assert chances[0] > chances[1] + 0.5


@pytest.mark.parametrize("effect", [-20.0, 20.0])
def test_the_strongest_effects_stay_chances(effect: float) -> None:
    every = Missingness(**{f"by_{name}": effect for name in (*ATTRIBUTES, "answer")}, wave_spread=50)  # type: ignore[arg-type]
    for returns in (0.0, 0.5, 1.0):
        population = Population(1, PopulationParameters(returns=returns), every)
        wave = population.wave(b"wave", 12)
        assert all(0 <= population.propensity(person, wave, 12, 9) <= 1 for person in PEOPLE[:300])


# --- in a wave --------------------------------------------------------------------------------------------------


@pytest.fixture
def people() -> list[str]:
    return [ids.synthetic_id("outage", number) for number in range(400)]


def entrants(sandbox: Sandbox, raw_client: RawClient, group: str) -> set[int]:
    """Return the suppliers of who has entered."""
    raw_client.log_in()
    raw_client.get(f"{group}/overview")
    found = sandbox.world.groups[group.rsplit("/", 1)[1]]
    return {sandbox.world.population.supplier_of(visit.key) for visit in found.fieldwork.visits}


def test_people_of_a_supplier_that_is_down_come_later(
    sandbox: Sandbox, raw_client: RawClient, people: list[str]
) -> None:
    down = (201, 202, 203, 204, 205, 206, 207)
    group = raw_client.group(completes_goal=380)
    raw_client.saved_ids(group, people)
    raw_client.launched(group)
    sandbox.switch(Missingness(suppliers_out=down))
    sandbox.advance(2 * DAY)
    assert entrants(sandbox, raw_client, group) == set(range(208, 215))
    sandbox.switch(Missingness())
    sandbox.advance(2 * DAY)
    assert entrants(sandbox, raw_client, group) >= set(down)


def test_a_switch_counts_for_waves_that_go_live_later(
    sandbox: Sandbox, raw_client: RawClient, people: list[str]
) -> None:
    before, after = (raw_client.group(completes_goal=380) for _ in range(2))
    for group in (before, after):
        raw_client.saved_ids(group, people)
    raw_client.launched(before)
    sandbox.switch(Missingness(by_chance=1.0))
    raw_client.launched(after)
    sandbox.advance(5 * DAY)
    assert entrants(sandbox, raw_client, before)
    assert not entrants(sandbox, raw_client, after)
    truth = sandbox.truth()
    highest = dict.fromkeys(truth["wave"], 0.0)
    for wave, chance in zip(truth["wave"], truth["propensity"], strict=True):
        highest[wave] = max(highest[wave], chance)
    assert highest[1] > 0.5
    assert highest[2] == 0


def control(raw_client: RawClient, method: str, body: Any = None) -> httpx.Response:
    """Call the control API of the people."""
    return raw_client.ask(method, f"{raw_client.sandbox.base_url.removesuffix('/v1')}/sandbox/people", json=body)


# --- settings ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [field.name for field in fields(Missingness)])
@pytest.mark.parametrize("value", [1e9, float("nan"), -1e9])
def test_a_switch_out_of_its_range_is_refused_by_name(name: str, value: float) -> None:
    wrong: Any = (int(1e9),) if name == "suppliers_out" else value
    with pytest.raises(InputError, match=name):
        Missingness(**{name: wrong})


@pytest.mark.parametrize("name", list(MECHANISMS))
def test_a_mechanism_is_known_by_its_name_and_shows_what_it_switches(name: str) -> None:
    missingness = MECHANISMS[name]()
    assert repr(missingness).startswith("Missingness(")
    assert (repr(missingness) == "Missingness()") == (name == "none")
    assert read_settings(Missingness, changed_settings(missingness)) == missingness
    assert eval(repr(missingness), {"Missingness": Missingness}) == missingness  # noqa: S307 - our own repr


def test_the_strength_of_a_mechanism_can_be_chosen() -> None:
    assert Missingness.mar(0.5).by_age == Missingness.mar().by_age / 2
    assert Missingness.mnar(2).by_answer == 2 * Missingness.mnar().by_answer
    assert Missingness.mcar(0.1).by_chance == 0.1


def test_the_served_sandbox_shows_its_people_and_switches_them(sandbox: Sandbox, raw_client: RawClient) -> None:
    def patch(body: Any) -> httpx.Response:
        return control(raw_client, "PATCH", body)

    shown = control(raw_client, "GET").json()
    assert shown["population"]["returns"] == 0.62
    assert set(shown["missingness"]) == {field.name for field in fields(Missingness)}
    reply = patch({"missingness": {"by_answer": -0.5, "suppliers_out": [203]}, "population": {"returns": 0.3}})
    assert reply.status_code == 200
    assert reply.json()["missingness"]["by_answer"] == -0.5
    assert sandbox.world.population.missingness == Missingness(by_answer=-0.5, suppliers_out=(203,))
    patch({"missingness": {"wave_spread": 4}})
    assert sandbox.world.population.missingness == Missingness(by_answer=-0.5, suppliers_out=(203,), wave_spread=4)
    assert sandbox.world.population.parameters == PopulationParameters(returns=0.3)
    assert patch({"missingness": "mar"}).json()["missingness"]["by_age"] == Missingness.mar().by_age
    assert sandbox.world.population.missingness == Missingness.mar(), "a mechanism replaces what was on"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"missingness": {"by_agee": 1}}, "by_age"),
        ({"missingness": "mnarr"}, "mnar"),
        ({"population": {"returns": 2}}, "between 0 and 1"),
        ({"population": {"returns": "often"}}, "returns"),
        ({"peoples": {}}, "population"),
        ({"missingness": {"suppliers_out": 203}}, "suppliers_out"),
        ([], "settings by name"),
        (7, "settings by name"),
    ],
)
def test_a_switch_that_makes_no_sense_is_refused_and_changes_nothing(
    sandbox: Sandbox, raw_client: RawClient, body: Any, said: str
) -> None:
    before = sandbox.world.population
    reply = control(raw_client, "PATCH", body)
    assert reply.status_code == 400
    assert said in reply.json()["detail"]
    assert sandbox.world.population is before


def test_a_restarted_sandbox_has_the_same_people_and_switches(tmp_path: Path, people: list[str]) -> None:
    path = tmp_path / "laboratory.sqlite"
    settings: dict[str, Any] = {
        "population": PopulationParameters(reconciled=0.2, reconciled_after_days=3),
        "missingness": Missingness(by_age=0.5),
    }
    first = Sandbox(seed=3, state=path, **settings)
    raw_client = RawClient(first)
    raw_client.log_in()
    groups = [raw_client.group(completes_goal=300) for _ in range(2)]
    for group in groups:
        raw_client.saved_ids(group, people)
    raw_client.launched(groups[0])
    first.advance(DAY)
    first.switch(Missingness.mnar())
    raw_client.log_in()
    raw_client.launched(groups[1])
    first.advance(6 * DAY)
    before = first.truth(reveal=True)
    visits = [group.fieldwork.visits for group in first.world.groups.values()]
    first.close()
    raw_client.close()
    again = Sandbox(seed=3, state=path, **settings)
    assert again.truth(reveal=True) == before
    assert [group.fieldwork.visits for group in again.world.groups.values()] == visits
    assert again.world.population.missingness == Missingness.mnar()
    again.close()
    for wrong in ({}, {**settings, "missingness": Missingness()}):
        with pytest.raises(ValueError, match=r"was made with (population|missingness)"):
            Sandbox(seed=3, state=path, **wrong)


def test_each_student_has_people_of_the_same_kind() -> None:
    classroom = Classroom(2, missingness=Missingness.mar(), population=PopulationParameters(returns=0.4))
    for sandbox in classroom.sandboxes.values():
        assert sandbox.world.population.missingness == Missingness.mar()
        assert sandbox.world.population.parameters.returns == 0.4
