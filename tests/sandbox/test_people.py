"""The people: their attributes, their suppliers, what they answer, and that a million of them take no memory."""

from __future__ import annotations

import tracemalloc
from statistics import fmean, pstdev

import pytest

from cint_nb.domain import ids
from cint_nb.sandbox.world.id_store import to_id_bytes
from cint_nb.sandbox.world.people import ANSWER_WEIGHTS, FIRST_SUPPLIER, Person
from cint_nb.sandbox.world.population import Population, PopulationParameters, Wave, rid_of, visit_count

KEYS = [to_id_bytes(ids.synthetic_id("people", number)) for number in range(6_000)]
PEOPLE = [Person(key) for key in KEYS]


def correlation(one: list[float], other: list[float]) -> float:
    means = fmean(one), fmean(other)
    shared = fmean((a - means[0]) * (b - means[1]) for a, b in zip(one, other, strict=True))
    return shared / (pstdev(one) * pstdev(other))


def test_an_id_is_the_same_person_in_every_sandbox_and_shows_no_id() -> None:
    one, again = PEOPLE[7], Person(bytes(KEYS[7]))
    assert (one.age, one.gender, one.trait, one.loyalty) == (again.age, again.gender, again.trait, again.loyalty)
    assert len({person.trait for person in PEOPLE}) == len(PEOPLE)
    assert one.key.hex()[:8] not in repr(one)


@pytest.mark.parametrize("attribute", list(ANSWER_WEIGHTS))
def test_a_score_has_mean_0_and_standard_deviation_1(attribute: str) -> None:
    scores = [person.score(attribute) for person in PEOPLE]  # type: ignore[arg-type]
    assert fmean(scores) == pytest.approx(0, abs=0.05)
    assert pstdev(scores) == pytest.approx(1, abs=0.05)


def test_every_attribute_has_all_its_values_and_the_young_are_better_educated_and_mobile() -> None:
    assert {person.age for person in PEOPLE} == set(range(18, 80))
    assert {person.gender for person in PEOPLE} == {"female", "male", "other"}
    assert {person.region for person in PEOPLE} == {"north", "east", "south", "west"}
    assert {person.education for person in PEOPLE} == {"low", "middle", "high"}
    assert {person.device for person in PEOPLE} == {"desktop", "tablet", "mobile"}
    assert all(0 <= person.tenure_months <= 120 for person in PEOPLE)
    ages = [float(person.age) for person in PEOPLE]
    for name in ("education", "device"):
        assert correlation(ages, [person.score(name) for person in PEOPLE]) < -0.1
    assert abs(correlation(ages, [person.loyalty for person in PEOPLE])) < 0.05, "loyalty has to do with nothing else"
    assert abs(correlation([p.trait for p in PEOPLE], [p.loyalty for p in PEOPLE])) < 0.05


def test_suppliers_differ_in_pace_and_quality_and_hold_on_average() -> None:
    population = Population(1)
    suppliers = range(FIRST_SUPPLIER, FIRST_SUPPLIER + 14)
    assert {population.supplier_of(key) for key in KEYS} == set(suppliers)
    paces = [population.pace(each) / (3 if population.is_slow(each) else 1) for each in suppliers]
    assert len({round(pace, 6) for pace in paces}) == 14
    assert fmean(paces) == pytest.approx(1, abs=0.05)
    assert fmean(map(population.quality_share, suppliers)) == pytest.approx(0.01, rel=0.1)
    alike = Population(1, PopulationParameters(supplier_pace_spread=0, supplier_quality_spread=0))
    assert {alike.pace(each) for each in suppliers} == {1.0, 3.0}
    assert {alike.quality_share(each) for each in suppliers} == {0.01}


@pytest.mark.parametrize("count", range(1, 15))
def test_each_number_of_suppliers_has_a_pace_for_each(count: int) -> None:
    population = Population(1, PopulationParameters(suppliers=count, slow_suppliers=0))
    assert len({population.pace(FIRST_SUPPLIER + number) for number in range(count)}) == count
    assert {population.supplier_of(key) for key in KEYS} == set(range(FIRST_SUPPLIER, FIRST_SUPPLIER + count))


def test_an_answer_follows_attributes_and_trait_and_moves_over_time() -> None:
    population = Population(1, PopulationParameters(answer_drift=1.0))
    first, later = (
        [float(population.answer(person, Wave(name, months))) for person in PEOPLE]
        for name, months in ((b"first", 0.0), (b"later", 6.0))
    )
    assert all(0 <= answer <= 100 and answer == int(answer) for answer in first)
    assert pstdev(first) == pytest.approx((7**2 + 10**2 + 7**2) ** 0.5, rel=0.05)
    assert fmean(later) - fmean(first) == pytest.approx(6.0, abs=0.5), "everybody's mean moves"
    assert 0.6 < correlation(first, later) < 0.85, "a person stays a person, and changes"
    assert correlation(first, [person.answer_index() for person in PEOPLE]) == pytest.approx(0.5, abs=0.05)
    assert population.answer(PEOPLE[0], Wave(b"first")) == first[0], "asked twice, the same"


@pytest.mark.parametrize("spread", ["answer_by_attributes", "answer_by_trait", "answer_noise", "answer_drift_spread"])
def test_what_moves_the_answer_can_be_switched_off(spread: str) -> None:
    names = ("answer_by_attributes", "answer_by_trait", "answer_noise", "answer_drift_spread")
    off = PopulationParameters(**{name: 8.0 if name == spread else 0.0 for name in names})  # type: ignore[arg-type]
    population = Population(1, off)
    answers = [population.answer(person, Wave(b"wave", 1.0)) for person in PEOPLE[:2_000]]
    assert pstdev(answers) == pytest.approx(8.0, rel=0.1)
    nobody = Population(1, PopulationParameters(**dict.fromkeys(names, 0.0)))  # type: ignore[arg-type]
    assert {nobody.answer(person, Wave(b"wave", 9.0)) for person in PEOPLE[:100]} == {60}


def test_fast_people_are_fast_in_every_wave_and_the_fastest_interviews_are_speeders() -> None:
    from cint_nb.sandbox.world.people import Draws

    population = Population(1, PopulationParameters(speeders=0.05))
    visits = [
        [population.interview(person, Draws(person.key, wave), 300.0) for person in PEOPLE] for wave in (b"one", b"two")
    ]
    lengths = [[length for length, _ in wave] for wave in visits]
    assert correlation(*lengths) > 0.3
    for wave in visits:
        shortest = max(length for length, too_fast in wave if too_fast)
        assert all(too_fast == (length <= shortest) for length, too_fast in wave)
        assert fmean(too_fast for _, too_fast in wave) == pytest.approx(0.05, abs=0.01)
    for share, everybody in ((0.0, False), (1.0, True)):
        all_or_none = Population(1, PopulationParameters(speeders=share))
        assert {all_or_none.interview(one, Draws(one.key, b"one"), 300.0)[1] for one in PEOPLE[:50]} == {everybody}


def test_a_response_id_is_found_among_a_million_without_a_table() -> None:
    population = Population(3, PopulationParameters(population=1_000_000))
    numbers = [0, 1, 2, 3, 999_998, 999_999, *range(5_000, 5_400)]
    tracemalloc.start()
    owners = [population.person_of_rid(to_id_bytes(rid_of(3, number, visit_count(number) - 1))) for number in numbers]
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert owners == [to_id_bytes(population.rsid(number)) for number in numbers]
    assert used < 1_000_000, "a table of a million people takes hundreds of megabytes"


@pytest.mark.parametrize(
    "rid",
    [
        rid_of(4, 5, 0),  # of another seed
        rid_of(3, 1_000_000, 0),  # beyond the population
        rid_of(3, 4, 1),  # person 4 has one visit
        ids.synthetic_id("respondent 3", 5),  # an RSID
    ],
)
def test_other_ids_are_no_response_ids_of_the_population(rid: str) -> None:
    population = Population(3, PopulationParameters(population=1_000_000))
    assert population.number_of_rid(to_id_bytes(rid)) is None
    changed = rid_of(3, 5, 0)[:-1] + ("0" if rid_of(3, 5, 0)[-1] != "0" else "1")
    assert population.number_of_rid(to_id_bytes(changed)) != 5


@pytest.mark.parametrize(
    ("name", "value"), [("returns", 1.5), ("drop_rate", -0.1), ("suppliers", 15), ("population", 0), ("quality", 2.0)]
)
def test_a_parameter_out_of_its_range_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} must be between"):
        PopulationParameters(**{name: value})  # type: ignore[arg-type]
