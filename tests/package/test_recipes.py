"""The recipes, pasted one after the other into a notebook with the wave of 00-start-here, as readers paste them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cint_nb as cint

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "analysts" / "recipes.md").read_text(encoding="utf-8")
RECIPES = {
    part.partition("\n")[0].strip(): re.findall(r"^```python\n(.+?)^```", part, re.MULTILINE | re.DOTALL)
    for part in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]
}
WITHDREW = "Somebody withdrew. How do I take them out?"
RECONTACT_SOME = "How do I recontact only those who answered X?"
OF_THE_COURSE = {"client", "wave", "people", "plan", "now"}


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Return what the first notebook of the course leaves before its upload."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CINT_NB_MODE", "sandbox")
    with cint.connect() as client:
        file = cint.sandbox.write_sample("respondents.csv", lines=300)
        people = cint.read_respondents(file, entity_type="RSID")
        now = client.clock.now()
        plan = cint.TargetGroupPlan.recontact(
            business_unit_id=cint.sandbox.BUSINESS_UNIT_ID,
            project_manager_id=cint.sandbox.PROJECT_MANAGER_ID,
            locale="ger_de",
            completes_goal=100,
            expected_length_of_interview_minutes=10,
            expected_incidence_rate=0.8,
            cost_per_interview="2.7352 EUR",
            start_at=now + timedelta(hours=1),
            end_at=now + timedelta(days=14),
            live_url="https://your-survey.com?RID=[%RID%]&RECONTACT_RSID=[%RECONTACT_RSID%]",
        )
        wave = client.wave("Tracker Q4, wave 2", project="Brand tracker", respondents=people, plan=plan)
        given = {"client": client, "people": people, "plan": plan, "now": now, "wave": wave}
        yield {"cint": cint, "timedelta": timedelta, **given}


def paste(question: str, names: dict[str, Any]) -> None:
    for block in RECIPES[question]:
        exec(block, names)  # noqa: S102 - our own text


@pytest.mark.thorough
def test_every_recipe_runs_where_its_place_on_the_page_says(names: dict[str, Any]) -> None:
    wave, people, client = names["wave"], names["people"], names["client"]
    before, during, after = (re.findall(r"^### (.+)$", part, re.MULTILINE) for part in PAGE.split("\n## ")[1:4])
    needs_a_report = [RECONTACT_SOME]
    for question in before:
        if question not in needs_a_report:
            paste(question, names)
    wave.create()
    wave.upload()
    wave.launch(budget="300 EUR")
    people.sample(3).to_file("withdrawn.csv")
    for question in during:
        paste(question, names)
    client.pass_time(days=15)
    rids = wave.report().visits(reveal=True)["Response ID (RID)"]
    cars = ["yes" if number % 2 else "no" for number in range(len(rids))]
    pd.DataFrame({"RID": rids, "owns_a_car": cars}).to_csv("answers.csv", index=False)
    for question in [*needs_a_report, *after]:
        paste(question, names)
    assert 0 < len(names["car_owners"]) < len(wave.report().completes)
    assert set(names["car_owners"].ids) <= set(names["chosen"].ids)
    assert names["newcomers"].status()["goal"].item() == 250
    assert names["balanced"].quotas()["percent"].tolist() == [50, 50]


def test_who_pastes_the_withdrawal_on_a_live_wave_excludes_those_who_withdrew_and_nobody_else(
    names: dict[str, Any],
) -> None:
    wave, people = names["wave"], names["people"]
    wave.create()
    wave.upload()
    wave.launch(budget="300 EUR")
    gone = people.sample(3)
    gone.to_file("withdrawn.csv")
    paste(WITHDREW, names)
    assert set(wave.withdrawn.ids) == set(gone.ids)
    assert len(names["people"]) == len(people)
    assert len(names["without_withdrawn"]) == len(people) - 3


def test_no_recipe_gives_another_meaning_to_a_name_of_the_course() -> None:
    """A recipe that takes `people` for something else would do it to the whole list of whoever pastes it."""
    meant = {
        name: question
        for question, blocks in RECIPES.items()
        for block in blocks
        for name in re.findall(r"^(\w+)(?:, \w+)* = ", block, re.MULTILINE)
        if name in OF_THE_COURSE
    }
    assert meant == {"people": "What is in my file, and can it be uploaded?"}, "which reads the list of the wave"


def test_a_page_that_a_recipe_sends_its_readers_to_shows_the_verb_of_the_recipe() -> None:
    part = PAGE.partition(f"### {WITHDREW}")[2].partition("\n### ")[0]
    (target,) = re.findall(r"\]\((\.\./\.\./notebooks/[^)]+\.ipynb)\)", part)
    cells = json.loads((ROOT / "docs" / "analysts" / target).read_text(encoding="utf-8"))["cells"]
    assert "wave.withdraw(" in "".join("".join(cell["source"]) for cell in cells)


def test_every_question_is_a_heading_and_can_be_linked_to() -> None:
    assert not re.findall(r"^\*\*[^*]+[?.]\*\*", PAGE, re.MULTILINE)
    assert len(RECIPES) >= 18
