"""Weights: against statsmodels, by hand, and on panels in which what is true is known."""

from __future__ import annotations

import itertools
import math
import random
import statistics
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.discrete.discrete_model import Logit
from statsmodels.regression.linear_model import WLS

import cint_nb as cint
from cint_nb.domain.errors import InputError
from tests.measure.worlds import Rows, by_key, panel, quiet, rows_of, shares, warned
from tests.support.sampling import examples


def chained(seed: int, people: int = 150) -> tuple[pd.DataFrame, pd.DataFrame, list[set[int]]]:
    """Return visits, attributes, and who completed every wave so far."""
    rows, attributes = panel(seed, people=people)
    done = [
        {row["person"] for row in rows if row["wave"] == wave and row["reason"] == "completed"} for wave in (1, 2, 3)
    ]
    return pd.DataFrame(rows), pd.DataFrame(attributes), [done[0], done[0] & done[1], done[0] & done[1] & done[2]]


def design(known: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "one": 1.0,
            "age": known.age,
            "m": (known.gender == "m") * 1.0,
            "phone": (known.device == "phone") * 1.0,
            "tablet": (known.device == "tablet") * 1.0,
        }
    )


@pytest.mark.parametrize("seed", [1, 6])
def test_a_chain_of_logits_is_that_of_statsmodels(seed: int) -> None:
    frame, known, done = chained(seed)
    found = by_key(rows_of(cint.measure.attrition_weights(frame, known)), "wave", "person")
    assert {key for key in found if key[0] == 1} == {(1, person) for person in done[0]}
    weight = dict.fromkeys(done[0], 1.0)
    for wave, (before, after) in enumerate(itertools.pairwise(done), start=2):
        here = known[known.person.isin(before)]
        stayed = here.person.isin(after).astype(float).to_numpy()
        p = Logit(stayed, design(here)).fit(disp=0, tol=1e-12, maxiter=100).predict(design(here))
        weight = {
            person: weight[person] / chance for person, chance in zip(here.person, p, strict=True) if person in after
        }
        assert {key[1] for key in found if key[0] == wave} == after
        for person, chance in zip(here.person, p, strict=True):
            if person in after:
                row = found[wave, person]
                assert math.isclose(row["p"], chance, rel_tol=1e-6)
                assert math.isclose(row["weight"], weight[person], rel_tol=1e-6)
                assert row["weight"] == row["weight_raw"]


def test_classes_by_hand() -> None:
    """Four levels of one attribute are four probabilities; two classes join them two by two."""
    levels = "a" * 10 + "b" * 10 + "c" * 10 + "d" * 10
    stay = {"a": 2, "b": 4, "c": 6, "d": 9}
    rows = [{"person": place, "wave": 1, "reason": "completed"} for place in range(40)]
    rows += [
        {"person": place, "wave": 2, "reason": "completed" if place % 10 < stay[level] else "absent"}
        for place, level in enumerate(levels)
    ]
    known = pd.DataFrame({"person": range(40), "kind": list(levels)})
    found = by_key(
        rows_of(cint.measure.attrition_weights(pd.DataFrame(rows), known, method="classes", classes=2)),
        "wave",
        "person",
    )
    for place, level in enumerate(levels):
        if place % 10 < stay[level]:
            assert found[2, place]["p"] == pytest.approx(6 / 20 if level in "ab" else 15 / 20)


@settings(max_examples=examples(12), deadline=None)
@given(st.integers(0, 10_000))
def test_classes_and_saturated_models_return_the_sum_they_began_with(seed: int) -> None:
    """Where p is the share of a cell, weights sum to the number of people who began."""
    generator = random.Random(seed)  # noqa: S311 - a made-up panel, no secret
    people = range(60)
    rows = [{"person": person, "wave": 1, "reason": "completed"} for person in people]
    rows += [{"person": person, "wave": 2, "reason": generator.choice(["completed", "absent"])} for person in people]
    known = pd.DataFrame({"person": people, "kind": [generator.choice("ab") for _ in people]})
    frame = pd.DataFrame(rows)
    kinds = known.kind[[row["reason"] == "completed" for row in rows[60:]]]
    cells = pd.crosstab(known.kind, [row["reason"] for row in rows[60:]])
    if len(set(kinds)) < 2 or (cells == 0).any().any():
        return  # separation is tested by itself
    ways: list[dict[str, Any]] = [{}, {"method": "classes", "classes": 3}]
    for arguments in ways:
        summary = rows_of(cint.measure.weight_summary(cint.measure.attrition_weights(frame, known, **arguments)))
        assert summary[1]["sum"] == pytest.approx(60)


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("trim", [1.2, 2.0])
def test_trimming_cuts_once_and_keeps_the_sum(trim: float) -> None:
    frame, known, _ = chained(2)
    found = rows_of(cint.measure.attrition_weights(frame, known, trim=trim))
    for wave in (1, 2, 3):
        raw = [row["weight_raw"] for row in found if row["wave"] == wave]
        cut = [min(weight, trim * statistics.median(raw)) for weight in raw]
        expected = [weight * sum(raw) / sum(cut) for weight in cut]
        assert [row["weight"] for row in found if row["wave"] == wave] == pytest.approx(expected)
    untrimmed = rows_of(cint.measure.attrition_weights(frame, known))
    assert [row["weight_raw"] for row in found] == pytest.approx([row["weight"] for row in untrimmed])


def test_a_base_weight_multiplies_and_predicts_nothing() -> None:
    frame, known, _ = chained(3)
    plain = rows_of(cint.measure.attrition_weights(frame, known))
    based = known.assign(base=known.person / 10)
    found = rows_of(cint.measure.attrition_weights(frame, based, base_weight="base"))
    assert [row["p"] for row in found] == pytest.approx([row["p"] for row in plain])
    assert [row["weight"] for row in found] == pytest.approx([row["weight"] * row["person"] / 10 for row in plain])


def test_where_everybody_stayed_weights_stay() -> None:
    frame = pd.DataFrame(shares([(6, 6), (6, 6), (3, 6)]))
    known = pd.DataFrame({"person": range(6), "kind": list("ababab")})
    found = by_key(rows_of(cint.measure.attrition_weights(frame, known)), "wave", "person")
    assert [found[2, person]["weight"] for person in range(6)] == [1] * 6


def test_people_who_were_not_asked_count_as_left_and_it_is_said() -> None:
    rows = [{"person": person, "wave": 1, "reason": "completed"} for person in range(8)]
    rows += [{"person": person, "wave": 2, "reason": "completed"} for person in range(0, 8, 2)]
    known = pd.DataFrame({"person": range(8), "kind": list("aabbaabb")})
    rows += [{"person": 1, "wave": 2, "reason": "rejected"}]
    with warned() as texts:
        found = by_key(rows_of(cint.measure.attrition_weights(pd.DataFrame(rows), known)), "wave", "person")
    assert [found[2, person]["p"] for person in range(0, 8, 2)] == pytest.approx([0.5] * 4)
    assert any("4 of 8 people were not asked (1 rejected) and count as left" in text for text in texts)


def test_a_person_whose_report_is_missing_leaves_and_it_is_said() -> None:
    rows = shares([(12, 12), (6, 12)])
    rows[-1]["reason"] = "not_known"
    known = pd.DataFrame({"person": range(12), "kind": list("ab") * 6})
    with warned() as texts:
        found = rows_of(cint.measure.attrition_weights(pd.DataFrame(rows), known))
    assert any("1 people is not known" in text for text in texts)
    assert sum(1 / row["p"] for row in found if row["wave"] == 2) == pytest.approx(11)


GOOD = shares([(12, 12), (6, 12), (3, 12)])
KNOWN = pd.DataFrame({"person": range(12), "kind": list("ab") * 6, "base": 1.0, "age": [None, *range(11)]})


@pytest.mark.sampled(every=4)
@pytest.mark.parametrize(
    ("rows", "arguments", "said"),
    [
        (GOOD[:12], {}, "two waves"),
        ([], {}, "two waves"),
        (GOOD, {"waves": [2]}, "two waves"),
        (GOOD, {"waves": [1, 7]}, "no wave 7"),
        ([*GOOD[:23], GOOD[23] | {"reason": None, "closed_by": "open"}], {}, "still open"),
        ([*GOOD[:23], GOOD[23] | {"reason": None, "closed_by": "goal"}], {}, "cut off"),
        ([*GOOD[:12], *(row | {"reason": "not_known"} for row in GOOD[12:24])], {}, "not known"),
        ([*GOOD[:12], *(row | {"reason": "absent"} for row in GOOD[12:24])], {}, "nobody stayed"),
        (GOOD, {"trim": 0.5}, "trim"),
        (GOOD, {"trim": 1}, "trim"),
        (GOOD, {"classes": 1}, "classes"),
        (GOOD, {"method": "tree"}, "method"),
        (GOOD, {"cut_off": "ignore"}, "cut_off"),
        (GOOD, {"columns": ["shoe"]}, "no column shoe"),
        (GOOD, {"columns": ["age"]}, "number age is not known for 1"),
        (GOOD, {"base_weight": "kind"}, "base weight kind"),
        (GOOD, {"base_weight": "age"}, "base weight age"),
        (GOOD, {"base_weight": "shoe"}, "no column shoe"),
    ],
)
def test_what_has_no_weights_is_refused_in_words(rows: Rows, arguments: dict[str, Any], said: str) -> None:
    frame = pd.DataFrame(rows) if rows else pd.DataFrame({"person": [], "wave": [], "reason": []})
    for measure in (cint.measure.attrition_weights, cint.measure.bootstrap_weights):
        if "trim" in arguments and measure is cint.measure.bootstrap_weights:
            continue
        with pytest.raises(InputError) as refused:
            quiet(measure, frame, KNOWN, **{"columns": ["kind"], **arguments})
        assert said in str(refused.value)


def test_separation_and_a_class_without_stayers_are_refused() -> None:
    rows = [{"person": person, "wave": 1, "reason": "completed"} for person in range(30)]
    rows += [
        {"person": person, "wave": 2, "reason": "completed" if person >= 10 and person % 3 else "absent"}
        for person in range(30)
    ]
    frame = pd.DataFrame(rows)
    kinds = pd.DataFrame({"person": range(30), "kind": ["a"] * 10 + ["b"] * 20})
    with pytest.raises(InputError, match="separation"):
        cint.measure.attrition_weights(frame, kinds)
    ages = pd.DataFrame({"person": range(30), "age": range(30)})
    with pytest.raises(InputError, match="empty class"):
        cint.measure.attrition_weights(frame, ages, method="classes", classes=5)


def test_cut_off_people_count_as_left_only_on_request_and_it_is_said() -> None:
    rows = [*GOOD[:23], GOOD[23] | {"reason": None, "closed_by": "goal"}]
    with warned() as texts:
        found = rows_of(
            cint.measure.attrition_weights(pd.DataFrame(rows), KNOWN, columns=["kind"], cut_off="as_left", waves=[1, 2])
        )
    assert len([row for row in found if row["wave"] == 2]) == 6
    assert any("who was quick" in text for text in texts)


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("method", ["logit", "classes"])
def test_a_replicate_is_the_weights_of_its_resample(method: Literal["logit", "classes"]) -> None:
    frame, known, done = chained(4, people=120)
    generator = random.Random(3)  # noqa: S311 - a resample, no secret
    drawn = generator.choices(sorted(done[0]), k=len(done[0]))
    draws = pd.DataFrame({"person": sorted(set(drawn))}).assign(replicate=1)
    draws["times"] = [drawn.count(person) for person in draws.person]
    found = rows_of(cint.measure.bootstrap_weights(frame, known, draws=draws, method=method, classes=3))
    # The resample itself, each copy of a person under a key of its own.
    copies = [(person, copy, 10_000 * copy + person) for person in set(drawn) for copy in range(drawn.count(person))]
    resampled = pd.concat([frame[frame.person == person].assign(person=key) for person, _, key in copies])
    attributes = pd.concat([known[known.person == person].assign(person=key) for person, _, key in copies])
    expected = rows_of(cint.measure.attrition_weights(resampled, attributes, method=method, classes=3))
    for wave in (1, 2, 3):
        ours = {row["person"]: row["weight"] for row in found if row["wave"] == wave}
        theirs: dict[int, float] = {}
        for row in expected:
            if row["wave"] == wave:
                theirs[row["person"] % 10_000] = theirs.get(row["person"] % 10_000, 0) + row["weight"]
        assert ours.keys() == theirs.keys()
        assert ours == {person: pytest.approx(weight, rel=1e-6) for person, weight in theirs.items()}


def test_the_same_seed_draws_the_same_and_resamples_have_as_many_people() -> None:
    frame, known, done = chained(5, people=200)  # so many that no resample separates
    first, again, other = (
        rows_of(quiet(cint.measure.bootstrap_weights, frame, known, replicates=3, seed=seed, columns=["gender"]))
        for seed in (8, 8, 9)
    )
    assert first == again
    assert first != other
    for replicate in (1, 2, 3):
        assert sum(row["times"] for row in first if (row["replicate"], row["wave"]) == (replicate, 1)) == len(done[0])


def test_unusable_replicates_are_left_out_and_counted() -> None:
    rows = shares([(12, 12), (6, 12)])
    known = pd.DataFrame({"person": range(12), "kind": list("ab") * 6})
    draws = pd.DataFrame(
        [{"replicate": 1, "person": person, "times": 1} for person in range(12)]
        + [{"replicate": 2, "person": person, "times": 3} for person in (6, 7, 8, 9)]  # of whom nobody stayed
        + [{"replicate": 3, "person": 99, "times": 1}]
    )
    with warned() as texts:
        found = rows_of(cint.measure.bootstrap_weights(pd.DataFrame(rows), known, draws=draws))
    assert {row["replicate"] for row in found} == {1}
    assert any("1 of 2 replicates" in text for text in texts)
    assert any("1 rows of draws" in text for text in texts)
    with pytest.raises(InputError, match="None of the"):
        cint.measure.bootstrap_weights(pd.DataFrame(rows), known, draws=draws[draws.replicate == 2])


@pytest.mark.parametrize(
    ("draws", "said"),
    [
        ([{"replicate": 1, "person": 1}], "no column times"),
        ([{"replicate": 1, "person": 1, "times": 0.5}], "times is a whole number"),
        ([{"replicate": 1, "person": 1, "times": -1}], "times is a whole number"),
        ([{"replicate": None, "person": 1, "times": 1}], "column replicate has 1"),
        ([{"replicate": 1, "person": 77, "times": 1}], "no row of anybody"),
    ],
)
def test_draws_that_cannot_be_used_are_refused(draws: Rows, said: str) -> None:
    with pytest.raises(InputError, match=said):
        quiet(cint.measure.bootstrap_weights, pd.DataFrame(GOOD), KNOWN, draws=pd.DataFrame(draws), columns=["kind"])


def test_kishs_effective_size_by_hand() -> None:
    weights = pd.DataFrame({"person": [1, 2, 3, 4], "wave": 2, "weight": [1.0, 1.0, 2.0, 4.0]})
    (found,) = rows_of(cint.measure.weight_summary(weights))
    assert found["deff"] == pytest.approx(4 * 22 / 64)
    assert found["n_eff"] == pytest.approx(64 / 22)
    assert found["deff"] == pytest.approx(1 + found["cv"] ** 2)
    assert (found["n"], found["sum"], found["mean"], found["min"], found["max"]) == (4, 8, 2, 1, 4)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"person": [1], "wave": [1]}, "no column weight"),
        ({"person": [1, 1], "wave": [1, 1], "weight": [1, 2]}, "one row per person and wave"),
        ({"person": [1], "wave": [1], "weight": [-1]}, "0 or more"),
        ({"person": [1], "wave": [1], "weight": [1e200]}, "0 or more, up to 1e"),
        ({"person": [1], "wave": [1], "weight": [None]}, "column weight has 1"),
        ({"person": [1], "wave": [1], "weight": ["x"]}, "column weight has 1"),
        ({"person": [1], "wave": [1], "weight": [0]}, "sum to 0"),
    ],
)
def test_weights_that_are_none_are_refused(weights: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        cint.measure.weight_summary(pd.DataFrame(weights))


def test_balance_with_a_first_wave_of_no_weight_is_refused() -> None:
    weights = pd.DataFrame({"person": [*range(12), *range(6)], "wave": [1] * 12 + [2] * 6, "weight": 0.0})
    with pytest.raises(InputError, match="weights of wave 1 sum to 0"):
        cint.measure.balance(pd.DataFrame(GOOD), KNOWN, weights, wave=2, columns=["kind"])


def test_what_weights_cost_does_not_depend_on_their_unit() -> None:
    usual = pd.DataFrame({"person": range(4), "wave": 1, "weight": [1.0, 1.0, 4.0, 0.5]})
    (expected,) = rows_of(cint.measure.weight_summary(usual))
    for unit in (1e-300, 1e99):
        (found,) = rows_of(cint.measure.weight_summary(usual.assign(weight=usual.weight * unit)))
        assert [found[name] for name in ("cv", "deff", "n_eff")] == pytest.approx(
            [expected[name] for name in ("cv", "deff", "n_eff")]
        )


def test_balance_is_measured_from_those_who_began() -> None:
    frame, known, done = chained(6, people=300)
    weights = cint.measure.attrition_weights(frame, known)
    found = by_key(rows_of(cint.measure.balance(frame, known, weights, wave=3)), "attribute", "level")
    begun, stayed = known[known.person.isin(done[0])], known[known.person.isin(done[2])]
    weight = {row["person"]: row["weight"] for row in rows_of(weights) if row["wave"] == 3}
    w = np.array([weight[person] for person in stayed.person])
    age = found["age", None]
    assert age["target"] == pytest.approx(begun.age.mean())
    assert age["unweighted"] == pytest.approx(stayed.age.mean())
    assert age["weighted"] == pytest.approx((w * stayed.age).sum() / w.sum())
    assert age["smd_before"] == pytest.approx((stayed.age.mean() - begun.age.mean()) / begun.age.std())
    p = (begun.device == "phone").mean()
    phone = found["device", "phone"]
    assert phone["smd_before"] == pytest.approx(((stayed.device == "phone").mean() - p) / math.sqrt(p * (1 - p)))
    assert all(abs(row["smd_after"]) < max(0.05, abs(row["smd_before"])) for row in found.values())


def test_balance_with_a_base_weight_is_measured_from_what_the_weights_are_to_reproduce() -> None:
    frame, known, done = chained(6, people=300)
    based = known.assign(base=10 + 30 * (known.device == "phone"))
    weights = cint.measure.attrition_weights(frame, based, base_weight="base")
    found = by_key(rows_of(cint.measure.balance(frame, known, weights, wave=3)), "attribute", "level")
    begun = based[based.person.isin(done[0])]
    p = begun.base[begun.device == "phone"].sum() / begun.base.sum()
    assert found["device", "phone"]["target"] == pytest.approx(p)
    after = found["device", "phone"]["weighted"] - p
    assert found["device", "phone"]["smd_after"] == pytest.approx(after / math.sqrt(p * (1 - p)))
    age = np.average(begun.age, weights=begun.base)
    variance = np.average((begun.age - age) ** 2, weights=begun.base) * len(begun) / (len(begun) - 1)
    assert found["age", None]["target"] == pytest.approx(age)
    after = found["age", None]["weighted"] - age
    assert found["age", None]["smd_after"] == pytest.approx(after / math.sqrt(variance))


def test_where_everybody_stayed_base_weights_are_in_balance() -> None:
    frame = pd.DataFrame(shares([(6, 6), (6, 6)]))
    known = pd.DataFrame({"person": range(6), "kind": list("aabbbb"), "age": range(20, 26), "base": [1, 2, 3, 4, 5, 9]})
    weights = cint.measure.attrition_weights(frame, known, base_weight="base")
    found = rows_of(cint.measure.balance(frame, known, weights, wave=2, columns=["kind", "age"]))
    assert [row["smd_after"] for row in found] == [0, 0, 0]
    assert all(row["smd_before"] for row in found)


def test_balance_of_one_wave_alone_says_that_it_compares_people_with_themselves() -> None:
    frame, known, _ = chained(6)
    weights = cint.measure.attrition_weights(frame, known)
    with warned() as texts:
        cint.measure.balance(frame, known, weights[weights.wave == 3], wave=3)
    assert any("compared with themselves" in text for text in texts)


def test_a_mean_and_its_error_are_those_of_statsmodels() -> None:
    generator = np.random.default_rng(1)
    y, w = generator.normal(50, 10, 40), generator.uniform(0.5, 4, 40)
    weights = pd.DataFrame({"person": range(40), "wave": 1, "weight": w})
    (found,) = rows_of(cint.measure.weighted_mean(pd.DataFrame({"person": range(40), "value": y}), weights, wave=1))
    fit = WLS(y, np.ones(40), weights=w).fit(cov_type="HC1")  # the sandwich, with n / (n − 1)
    assert found["mean"] == pytest.approx(fit.params[0])
    assert found["se"] == pytest.approx(fit.bse[0])
    assert found["high"] - found["low"] == pytest.approx(2 * 1.959963984540054 * fit.bse[0])


def test_replicates_with_weights_below_0_are_refused() -> None:
    weights = pd.DataFrame({"person": [1, 2], "wave": 1, "weight": [1.0, 1.0]})
    values = pd.DataFrame({"person": [1, 2], "value": [0.0, 10.0]})
    replicates = pd.DataFrame({"replicate": [1, 2], "person": 1, "wave": 1, "weight": [1.0, -1.0]})
    with pytest.raises(InputError, match="0 or more"):
        cint.measure.weighted_mean(values, weights, wave=1, replicates=replicates)


def test_an_estimate_that_rests_on_a_value_far_out_is_refused_for_what_it_is() -> None:
    frame = pd.DataFrame(shares([(40, 40), (20, 40)]))
    usual = [2000 - 20 * person + 37 * person % 400 for person in range(1, 40)]
    known = pd.DataFrame({"person": range(40), "income": [1e6, *usual]})
    with pytest.raises(InputError, match="so far out"):
        cint.measure.attrition_weights(frame, known)


def test_replicates_give_the_error_of_their_means() -> None:
    weights = pd.DataFrame({"person": [1, 2], "wave": 1, "weight": [1.0, 1.0]})
    values = pd.DataFrame({"person": [1, 2], "value": [0.0, 10.0]})
    replicates = pd.DataFrame(
        {
            "replicate": [1, 1, 2, 3],
            "person": [1, 2, 2, 1],
            "wave": 1,
            "times": [1, 1, 2, 2],
            "weight": [1.0, 1.0, 2.0, 2.0],
        }
    )
    (found,) = rows_of(cint.measure.weighted_mean(values, weights, wave=1, replicates=replicates))
    assert found["se"] == pytest.approx(statistics.stdev([5.0, 10.0, 0.0]))
    with pytest.raises(InputError, match="two replicates"):
        cint.measure.weighted_mean(values, weights, wave=1, replicates=replicates[:2])


@pytest.mark.parametrize(
    ("values", "arguments", "said"),
    [
        ({"person": [1], "value": ["a"]}, {"wave": 1}, "no numbers"),
        ({"person": [1], "value": [math.inf]}, {"wave": 1}, "infinite"),
        ({"person": [1], "value": [1e200]}, {"wave": 1}, "too large"),
        ({"person": [1, 1], "value": [1, 2]}, {"wave": 1}, "one row per person"),
        ({"person": [5], "value": [1.0]}, {"wave": 1}, "Nobody has both"),
        ({"person": [1], "value": [1.0]}, {"wave": 2}, "no wave 2"),
        ({"person": [1], "value": [1.0]}, {"wave": 1, "conf": 2}, "conf"),
    ],
)
def test_means_that_cannot_be_taken_are_refused(values: dict[str, Any], arguments: dict[str, Any], said: str) -> None:
    weights = pd.DataFrame({"person": [1, 2], "wave": 1, "weight": [1.0, 1.0]})
    with pytest.raises(InputError, match=said):
        quiet(cint.measure.weighted_mean, pd.DataFrame(values), weights, **arguments)


def answered(seed: int, on: str, people: int = 500) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, float]:
    """Return a panel where staying depends on an attribute (`mar`) or on the answer itself (`mnar`), and the truth."""
    generator = np.random.default_rng(seed)
    age = generator.integers(18, 80, people)
    answer = 20 + 0.5 * age + generator.normal(0, 8, people)
    cause = (age - 49) / 12 if on == "mar" else (answer - answer.mean()) / 8
    rows = [{"person": person, "wave": 1, "reason": "completed"} for person in range(people)]
    stays = np.ones(people, dtype=bool)
    for wave in (2, 3):
        stays &= generator.random(people) < 1 / (1 + np.exp(-(0.6 + 0.8 * cause)))
        rows += [
            {"person": person, "wave": wave, "reason": "completed" if stays[person] else "absent"}
            for person in range(people)
        ]
    known = pd.DataFrame({"person": range(people), "age": age})
    return pd.DataFrame(rows), known, pd.DataFrame({"person": range(people), "value": answer}), float(answer.mean())


def biases(on: str, seeds: range) -> tuple[float, float]:
    """Return the mean bias of the third wave's mean, without and with weights."""
    plain, weighted = [], []
    for seed in seeds:
        frame, known, values, truth = answered(seed, on)
        weights = cint.measure.attrition_weights(frame, known)
        (found,) = rows_of(cint.measure.weighted_mean(values, weights, wave=3))
        stayed = {row["person"] for row in rows_of(weights) if row["wave"] == 3}
        plain.append(values[values.person.isin(stayed)].value.mean() - truth)
        weighted.append(found["mean"] - truth)
    return statistics.mean(plain), statistics.mean(weighted)


@pytest.mark.thorough
def test_bias_falls_where_attributes_explain_who_stays_and_remains_where_they_do_not() -> None:
    before, after = biases("mar", range(6))
    assert before > 3
    assert abs(after) < 0.2 * before
    before, after = biases("mnar", range(6))
    assert after > 0.5 * before


@pytest.mark.thorough
def test_intervals_with_refitted_replicates_hold_as_often_as_they_say() -> None:
    inside = 0
    for seed in range(100):
        frame, known, values, _ = answered(seed, "mar", people=250)
        weights = cint.measure.attrition_weights(frame, known)
        replicates = quiet(cint.measure.bootstrap_weights, frame, known, replicates=30, seed=seed)
        (found,) = rows_of(cint.measure.weighted_mean(values, weights, wave=3, replicates=replicates))
        inside += found["low"] <= 20 + 0.5 * 48.5 <= found["high"]
    assert inside >= 86
