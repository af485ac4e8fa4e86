"""docs/laboratory.md names every switch, every outcome with its codes, and shows figures that say what it claims."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from cint_nb.sandbox.simulation.outcomes import OUTCOMES
from cint_nb.sandbox.world.missingness import MECHANISMS, Missingness
from cint_nb.sandbox.world.population import PopulationParameters
from cint_nb.sandbox.world.profiling import QUESTIONS

PAGE = (Path(__file__).parents[2] / "docs" / "laboratory.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")]


def test_each_switch_has_a_row_that_says_what_it_teaches() -> None:
    named = [name for row in ROWS if len(row) == 3 and row[2] for name in re.findall(r"`(\w+)`", row[0])]
    switches = [field.name for field in fields(Missingness)]
    assert [name for name in named if name in switches] == switches


def test_the_parameters_it_names_exist() -> None:
    known = {field.name for field in fields(PopulationParameters)}
    named = {name for row in ROWS if len(row) == 2 for name in re.findall(r"`(\w+)`", row[0])}
    assert named - {"PopulationParameters"} <= known
    assert len(named) > 10


def test_the_codes_are_those_that_visits_have() -> None:
    table = [row for row in ROWS if len(row) == 3 and re.fullmatch(r"[−\d, ]+", row[1])]
    shown = {
        (int(client.replace("−", "-")), int(marketplace))
        for _, clients, marketplaces in table
        for client in clients.split(",")
        for marketplace in marketplaces.split(",")
    }
    assert shown == {
        (-1 if outcome.client is None else outcome.client, outcome.marketplace) for outcome in OUTCOMES.values()
    }


def test_the_questions_are_those_that_people_answer() -> None:
    said = re.search(r"by what they are: (.*?)\. Of any other", PAGE, re.DOTALL)
    assert said is not None
    assert set(map(int, re.findall(r"(?:^|, |question )(\d+)\b", said[1].replace("\n", " ")))) == set(QUESTIONS)


@pytest.mark.parametrize("column", [2, 3])
def test_the_figures_say_what_each_mechanism_does(column: int) -> None:
    rows = [row for row in ROWS if len(row) == 4 and "±" in row[2]]
    assert len(rows) == len(MECHANISMS)
    biases = {}
    for name, row in zip(MECHANISMS, rows, strict=True):
        mean, error = map(float, row[column].split(" ± "))
        biases[name] = mean / error
    assert abs(biases["none"]) < 3
    assert abs(biases["mcar"]) < 3
    assert (biases["mar"] > 10) == (column == 2), "weights by the attributes remove it"
    assert abs(biases["mar"]) < 3 or column == 2
    assert biases["mnar"] > 10
