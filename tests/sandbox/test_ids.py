"""Ids: how they are stored, whose they are, their upload results, and the sample file of them."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from cint_nb.domain import ids
from cint_nb.sandbox.sample import write_sample
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.world.id_store import IdStore, to_id_bytes, to_uuid_text
from cint_nb.sandbox.world.population import Population, UploadResult, Wave, rid_of, visit_count


def test_ids_are_kept_in_order_and_positions_survive_removal() -> None:
    every = [ids.synthetic_id("store", number) for number in range(100)]
    store = IdStore()
    store.extend(b"".join(to_id_bytes(one) for one in every))
    assert store.page(90, 20) == every[90:]
    assert [to_uuid_text(key) for key in store.keys()] == every  # noqa: SIM118 - a method, no dictionary
    store.drop(30)
    assert (len(store), store.first, store.end) == (70, 30, 100)
    assert store.page(40, 5) == every[40:45]
    assert store.page(0, 2) == every[30:32], "a position before the first begins at the first"
    store.drop(1_000)
    assert len(store) == 0
    assert every[0] not in repr(store)


def test_about_97_of_100_well_formed_ids_are_accepted_whatever_the_seed() -> None:
    every = [to_id_bytes(ids.synthetic_id("fate", number)) for number in range(20_000)]
    first, other = Population(1), Population(2)
    fates = [first.upload_result(key) for key in every]
    assert fates == [other.upload_result(key) for key in every]
    shares = {fate: fates.count(fate) / len(fates) for fate in UploadResult}
    assert shares[UploadResult.ACCEPTED] == pytest.approx(0.97, abs=0.005)
    assert shares[UploadResult.ACCEPTED_LATER] == pytest.approx(0.01, abs=0.004)
    assert all(shares[fate] > 0.003 for fate in (UploadResult.UNKNOWN, UploadResult.ERASED, UploadResult.SUPPLIER_LEFT))


def test_the_population_is_fixed_by_its_seed_and_each_has_one_to_four_visits() -> None:
    people = Population(7)
    assert people.rsid(12) == Population(7).rsid(12) != Population(8).rsid(12)
    for number in (0, 1, 2, 3, 19_999):
        owners = {people.person_of_rid(to_id_bytes(rid_of(7, number, visit))) for visit in range(visit_count(number))}
        assert owners == {to_id_bytes(people.rsid(number))}


def test_an_unknown_response_id_belongs_to_a_person_of_its_own() -> None:
    people = Population(7)
    first, second = (people.person_of_rid(to_id_bytes(ids.synthetic_id("unknown", number))) for number in (1, 2))
    assert first != second
    assert first == people.person_of_rid(to_id_bytes(ids.synthetic_id("unknown", 1)))


def test_attrition_grows_with_the_time_since_a_person_was_last_seen() -> None:
    people = Population(1)
    every = [to_id_bytes(ids.synthetic_id("attrition", number)) for number in range(3_000)]

    def returning(months: float) -> int:
        return sum(people.return_delay(key, Wave(b"wave"), months) is not None for key in every)

    fresh, half, year = returning(0), returning(6), returning(12)
    assert fresh > half > year > 0
    assert half / fresh == pytest.approx(0.95**6, abs=0.05)


def test_people_of_slow_suppliers_come_later() -> None:
    people = Population(1)
    every = [to_id_bytes(ids.synthetic_id("slow", number)) for number in range(6_000)]
    delays: dict[bool, list[float]] = {True: [], False: []}
    for key in every:
        delay = people.return_delay(key, Wave(b"wave"), 0)
        if delay is not None:
            delays[people.is_slow(people.supplier_of(key))].append(delay)
    middle = {slow: sorted(found)[len(found) // 2] for slow, found in delays.items()}
    assert middle[True] > 2 * middle[False]


@pytest.mark.parametrize("entity_type", ["RSID", "RID"])
def test_the_sample_holds_the_dirt_of_real_files(tmp_path: Path, entity_type: str) -> None:
    path = write_sample(tmp_path / "wave.csv", lines=10_000, seed=1, entity_type=entity_type)
    content = path.read_bytes()
    assert content.startswith(codecs.BOM_UTF8)
    lines = content.decode("utf-8-sig").split("\r\n")
    assert lines.pop() == ""
    assert len(lines) == 10_000
    texts = [ids.normalise_id(line) for line in lines]
    good = [text for text in texts if ids.is_respondent_id(text)]
    assert all(ids.is_synthetic(text) for text in good)
    blank = sum(not line.strip() for line in lines)
    assert (blank, len(good) - len(set(good)), len(lines) - blank - len(good)) == (40, 150, 60)
    assert any(line.isupper() for line in lines if len(line) == 36)
    assert any(line.startswith('"') for line in lines)
    assert any(line.startswith("{") for line in lines)
    assert any(line != line.strip() and line.strip() for line in lines)
    people = Sandbox(seed=1).world.population
    keys = [to_id_bytes(text) for text in set(good)]
    if entity_type == "RID":
        owners = [people.person_of_rid(key) for key in keys]
        assert len(set(owners)) < len(keys), "some people appear with two visits"
        keys = owners
    fates = [people.upload_result(key) for key in keys]
    assert 50 < fates.count(UploadResult.ACCEPTED_LATER) < 150
    assert 120 < sum(fate not in (UploadResult.ACCEPTED, UploadResult.ACCEPTED_LATER) for fate in fates) < 280


def test_the_same_sample_is_written_twice(tmp_path: Path) -> None:
    one, two, other = (
        write_sample(tmp_path / f"{n}.csv", 500, seed=s).read_bytes() for n, s in ((1, 3), (2, 3), (3, 4))
    )
    assert one == two != other


@pytest.mark.parametrize("lines", [1, 2, 3, 39, 40, 41, 100])
def test_a_sample_has_exactly_the_lines_asked_for(tmp_path: Path, lines: int) -> None:
    text = write_sample(tmp_path / "small.txt", lines).read_bytes().decode("utf-8-sig")
    assert text.count("\r\n") == lines
    if lines >= 40:
        parts = text.split("\r\n")[:-1]
        assert any(not part.strip() for part in parts)
        assert any(part.strip() and not ids.is_respondent_id(ids.normalise_id(part)) for part in parts)


def test_a_sample_without_lines_or_with_an_unknown_type_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="lines"):
        write_sample(tmp_path / "none.csv", 0)
    with pytest.raises(ValueError, match="entity_type"):
        write_sample(tmp_path / "none.csv", 10, entity_type="PID")


def test_ulids_of_one_millisecond_sort_by_their_order_and_repeat_by_seed() -> None:
    made = [Sandbox(seed=1).world.id_factory.ulid(0) for _ in range(2)]
    assert made[0] == made[1]
    world = Sandbox(seed=1).world
    several = [world.id_factory.ulid(5) for _ in range(300)]
    assert several == sorted(several)
    assert len(set(several)) == 300
    assert all(ids.is_ulid(one) for one in several)


def test_a_sample_is_of_the_sandbox_the_environment_chooses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = write_sample(tmp_path / "plain.csv", 100, entity_type="RID").read_bytes()
    monkeypatch.setenv("CINT_NB_SEED", "23")
    chosen = write_sample(tmp_path / "chosen.csv", 100, entity_type="RID").read_bytes()
    assert plain == write_sample(tmp_path / "1.csv", 100, 1, "RID").read_bytes() != chosen
    assert chosen == write_sample(tmp_path / "23.csv", 100, 23, "RID").read_bytes()
