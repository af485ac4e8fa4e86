"""Those who stayed and those who left: against scipy, statsmodels, and effects found by moving everybody."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.discrete.discrete_model import Logit

import cint_nb as cint
from cint_nb.domain.errors import InputError
from tests.measure.worlds import Rows, by_key, panel, quiet, rows_of, shares, visit, warned


def complete(seed: int, people: int = 240) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return visits, attributes, and the attributes of those who completed wave 1 with what they did in wave 2."""
    rows, attributes = panel(seed, people=people, waves=2)
    frame, known = pd.DataFrame(rows), pd.DataFrame(attributes)
    done = {
        wave: {row["person"] for row in rows if row["wave"] == wave and row["reason"] == "completed"} for wave in (1, 2)
    }
    base = known[known.person.isin(done[1])].assign(stayed=lambda each: each.person.isin(done[2]).astype(int))
    return frame, known, base


@pytest.mark.parametrize("seed", [1, 2])
def test_differences_and_tests_are_those_of_scipy(seed: int) -> None:
    frame, known, base = complete(seed)
    found = by_key(rows_of(quiet(cint.measure.contrast, frame, known, wave=2)), "attribute", "level")
    here, gone = base[base.stayed == 1], base[base.stayed == 0]
    age = found["age", None]
    welch = stats.ttest_ind(here.age, gone.age, equal_var=False)
    assert math.isclose(age["statistic"], welch.statistic, rel_tol=1e-9)
    assert math.isclose(age["df"], welch.df, rel_tol=1e-9)
    assert math.isclose(age["p"], welch.pvalue, rel_tol=1e-8)
    assert math.isclose(
        age["smd"], (here.age.mean() - gone.age.mean()) / math.sqrt((here.age.var() + gone.age.var()) / 2)
    )
    for name in ("gender", "device"):
        test = stats.chi2_contingency(pd.crosstab(base[name], base.stayed), correction=False)
        for level in sorted(base[name].unique()):
            row = found[name, level]
            p1, p0 = (here[name] == level).mean(), (gone[name] == level).mean()
            assert (row["n"], row["n_stayed"]) == ((base[name] == level).sum(), (here[name] == level).sum())
            assert math.isclose(row["stayed"], p1)
            assert math.isclose(row["left"], p0)
            assert math.isclose(row["smd"], (p1 - p0) / math.sqrt((p1 * (1 - p1) + p0 * (1 - p0)) / 2))
            assert math.isclose(row["p"], test.pvalue, rel_tol=1e-9)
            assert row["df"] == test.dof
    raw = sorted({row["attribute"]: row["p"] for row in found.values()}.items(), key=lambda pair: pair[1])
    highest = 0.0
    for place, (name, p) in enumerate(raw):
        highest = max(highest, min(1.0, p * (3 - place)))
        assert math.isclose(next(row["p_holm"] for row in found.values() if row["attribute"] == name), highest)


def test_effects_are_what_moving_everybody_does() -> None:
    frame, known, base = complete(7)
    design = pd.DataFrame(
        {
            "one": 1.0,
            "age": base.age,
            "m": (base.gender == "m") * 1.0,
            "phone": (base.device == "phone") * 1.0,
            "tablet": (base.device == "tablet") * 1.0,
        }
    )
    fit = Logit(base.stayed, design).fit(disp=0, tol=1e-12, maxiter=100)

    def mean(parameters: Any, **changed: Any) -> float:
        matrix = design.assign(**changed).to_numpy()
        return float((1 / (1 + np.exp(-(matrix @ parameters)))).mean())

    def effect(name: str, parameters: Any) -> float:
        if name == "age":
            step = 1e-4
            older, younger = (mean(parameters, age=design.age + sign * step) for sign in (1, -1))
            return (older - younger) / (2 * step)
        others = {"phone": 0.0, "tablet": 0.0} if name in ("phone", "tablet") else {}
        return mean(parameters, **{**others, name: 1.0}) - mean(parameters, **{**others, name: 0.0})

    found = by_key(rows_of(quiet(cint.measure.contrast, frame, known, wave=2, conf=0.9)), "attribute", "level")
    for key, name in (
        (("age", None), "age"),
        (("gender", "m"), "m"),
        (("device", "phone"), "phone"),
        (("device", "tablet"), "tablet"),
    ):
        parameters = fit.params.to_numpy()
        expected = effect(name, parameters)
        gradient = []
        for place in range(len(parameters)):
            step = np.zeros(len(parameters))
            step[place] = 1e-5
            gradient.append((effect(name, parameters + step) - effect(name, parameters - step)) / 2e-5)
        se = math.sqrt(np.array(gradient) @ fit.cov_params().to_numpy() @ np.array(gradient))
        row = found[key]
        assert math.isclose(row["ame"], expected, rel_tol=1e-5)
        assert math.isclose(row["ame_high"] - row["ame_low"], 2 * stats.norm.ppf(0.95) * se, rel_tol=1e-4)
        assert math.isclose(row["ame_p"], 2 * stats.norm.sf(abs(expected / se)), rel_tol=1e-3)
    assert found["gender", "f"]["ame"] is None
    assert found["device", "desktop"]["ame"] is None


def test_two_levels_and_few_people_have_fishers_exact_test() -> None:
    frame = pd.DataFrame(shares([(10, 10), (6, 10)]))
    known = pd.DataFrame({"person": range(10), "kind": ["a"] * 5 + ["b"] * 5})
    (row, _) = rows_of(quiet(cint.measure.contrast, frame, known, wave=2))
    assert (row["test"], row["statistic"], row["df"]) == ("fisher", None, None)
    assert math.isclose(row["p"], stats.fisher_exact([[5, 0], [1, 4]]).pvalue)


def test_more_levels_and_few_people_keep_chi_square_and_it_is_said() -> None:
    frame = pd.DataFrame(shares([(12, 12), (6, 12)]))
    known = pd.DataFrame({"person": range(12), "kind": ["a", "b", "c"] * 4})
    with warned() as texts:
        found = rows_of(cint.measure.contrast(frame, known, wave=2))
    assert {row["test"] for row in found} == {"chi2"}
    assert any("small expected counts" in text for text in texts)


def test_what_does_not_vary_has_no_test() -> None:
    frame = pd.DataFrame(shares([(8, 8), (4, 8)]))
    known = pd.DataFrame({"person": range(8), "land": "de", "size": 3.0, "age": [1, 2, 3, 4, 5, 6, 7, 8]})
    found = by_key(rows_of(quiet(cint.measure.contrast, frame, known, wave=2, joint=False)), "attribute")
    assert [(found[name]["test"], found[name]["p"], found[name]["p_holm"]) for name in ("land", "size")] == [
        ("none", None, None)
    ] * 2
    assert found["age"]["p"] == found["age"]["p_holm"]  # the only test


def test_numbers_that_are_not_known_leave_the_model_and_words_are_a_level() -> None:
    frame, known, _ = complete(3)
    known = known.assign(age=known.age.where(known.person % 5 > 0), device=known.device.where(known.person % 7 > 0))
    found = by_key(rows_of(quiet(cint.measure.contrast, frame, known, wave=2)), "attribute", "level")
    assert found["device", "not_known"]["n"] > 0
    assert found["age", None]["n"] < sum(row["n"] for key, row in found.items() if key[0] == "gender")
    assert found["age", None]["ame"] is not None


@pytest.mark.parametrize(
    ("age", "said"),
    [([None] * 8, "of nobody all numbers are known"), ([30.0, 40, 50, *[None] * 5], "all numbers are known stayed")],
)
def test_numbers_known_of_too_few_are_not_called_separation(age: list[float | None], said: str) -> None:
    frame = pd.DataFrame(shares([(8, 8), (4, 8)]))
    known = pd.DataFrame({"person": range(8), "kind": list("abababab"), "age": pd.Series(age, dtype=float)})
    with warned() as texts:
        found = rows_of(cint.measure.contrast(frame, known, wave=2))
    assert any(said in text for text in texts)
    assert not any("separation" in text for text in texts)
    assert {row["ame"] for row in found} == {None}


@pytest.mark.parametrize(
    "known",
    [
        {"kind": ["a"] * 4 + ["b"] * 4},  # all of one level stayed
        {"age": [10.0, 11, 12, 13, 1, 2, 3, 4]},  # a number that tells them apart
        {"one": ["a", "b"] * 4, "same": ["x", "y"] * 4},  # the same said twice
    ],
)
def test_separation_leaves_the_rest_standing(known: dict[str, Any]) -> None:
    frame = pd.DataFrame(shares([(8, 8), (4, 8)]))
    with warned() as texts:
        found = rows_of(cint.measure.contrast(frame, pd.DataFrame({"person": range(8), **known}), wave=2))
    assert {row["ame"] for row in found} == {None}
    assert all(row["n"] for row in found)
    assert any("separation" in text for text in texts)


def test_people_cut_off_and_people_without_attributes_are_named() -> None:
    rows = [visit(person, 1, "completed", after=1) for person in range(12)]
    rows += [visit(person, 2, "completed", after=1) for person in range(6)]
    rows += [visit(person, 2, None, closed_by="goal") for person in range(6, 12)]
    known = pd.DataFrame({"person": range(11), "age": range(11)})
    with warned() as texts:
        found = rows_of(cint.measure.contrast(pd.DataFrame(rows), known, wave=2, joint=False))
    assert found[0]["n"] == 11
    assert any("1 of 12 people have no attributes" in text for text in texts)
    assert any("cut off" in text for text in texts)


def test_people_not_asked_are_named_where_they_count_as_left() -> None:
    rows = [visit(person, 1, "completed", after=1) for person in range(12)]
    rows += [visit(person, 2, "completed" if person < 6 else "absent", after=1) for person in range(9)]
    known = pd.DataFrame({"person": range(12), "age": range(12)})
    said = "3 of 12 people were not asked and count as left"
    for base, is_said in (("previous", True), ("first", True), ("asked", False)):
        with warned() as texts:
            cint.measure.contrast(pd.DataFrame(rows), known, wave=2, base=base, joint=False)
        assert any(said in text for text in texts) == is_said


FULL = shares([(8, 8), (4, 8), (8, 8), (0, 8)])
KNOWN = pd.DataFrame({"person": range(8), "age": range(8)})


@pytest.mark.sampled(every=4)
@pytest.mark.parametrize(
    ("rows", "arguments", "said"),
    [
        (FULL, {"wave": 1}, "the first"),
        (FULL, {"wave": 9}, "no wave 9"),
        (FULL, {"wave": 2, "base": "all"}, "base is one of"),
        (FULL, {"wave": 2, "conf": 1}, "conf"),
        (FULL, {"wave": 2, "columns": ["shoe"]}, "no column shoe"),
        (FULL, {"wave": 2, "columns": ["age", "age"]}, "columns names"),
        (FULL, {"wave": 3, "base": "first"}, "everybody stayed"),
        (FULL, {"wave": 4}, "nobody stayed"),
        ([*FULL[:8], *(row | {"reason": "not_known"} for row in FULL[8:16])], {"wave": 2}, "not known"),
        ([], {"wave": 2}, "no wave 2"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(rows: Rows, arguments: dict[str, Any], said: str) -> None:
    frame = pd.DataFrame(rows) if rows else pd.DataFrame({"person": [], "wave": [], "reason": []})
    for measure in (cint.measure.contrast, cint.measure.r_indicator):
        with pytest.raises(InputError) as refused:
            measure(frame, KNOWN, **arguments)
        assert said in str(refused.value)


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize(
    ("known", "said"),
    [
        (pd.DataFrame({"person": [1, 1], "age": [3, 4]}), "one row per person"),
        (pd.DataFrame({"person": [1, None], "age": [3, 4]}), "one row per person"),
        (pd.DataFrame({"person": [1, 2]}), "no column but person"),
        (pd.DataFrame({"age": [1, 2]}), "no column person"),
        (pd.DataFrame({"person": range(8), "age": [math.inf] * 8}), "infinite"),
        (pd.DataFrame({"person": range(8), "age": [1e200, 2.0] * 4}), "too large"),
        (pd.DataFrame({"person": ["a", "b"], "age": [3, 4]}), "nobody with attributes"),
    ],
)
def test_attributes_that_cannot_be_used_are_refused_in_words(known: pd.DataFrame, said: str) -> None:
    with pytest.raises(InputError) as refused:
        quiet(cint.measure.contrast, pd.DataFrame(FULL), known, wave=2)
    assert said in str(refused.value)
