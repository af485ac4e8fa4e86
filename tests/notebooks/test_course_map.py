"""The course map tells of the notebooks what they say themselves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.notebooks.course import FOLDER, NUMBERED, TEMPLATES, read

MAP = (FOLDER / "README.md").read_text(encoding="utf-8")
ROW = re.compile(
    r"^\| \[([\w-]+)\]\(((?:templates/)?[\w-]+\.ipynb)\) \| (.+?) \|(?: (\d+) \| ([^|]+) \|)?$", re.MULTILINE
)
WORDS = {"five": 5, "ten": 10, "fifteen": 15, "twenty": 20, "twenty-five": 25, "thirty": 30}
EXERCISE = 5


def before_you_start(path: Path, word: str) -> str:
    cells = read(path).cells
    text = next(cell.source for cell in cells if "**Before you start**" in cell.source)
    found = re.search(rf"^\| {word} \| (.*) \|$", text, re.MULTILINE)
    assert found, word
    return found[1]


def minutes(path: Path) -> int:
    return WORDS[before_you_start(path, "Time").split()[0]]


def path_of(name: str) -> list[Path]:
    found = re.search(rf"^\*\*{name}:\*\* ((?:\d\d,? )*\d\d),", MAP, re.MULTILINE)
    assert found, name
    numbers = re.findall(r"\d\d", found[1])
    return [next(path for path in NUMBERED if path.stem.startswith(number)) for number in numbers]


def test_it_lists_every_notebook_in_order_and_every_template() -> None:
    rows = [(name, target) for name, target, *_ in ROW.findall(MAP)]
    assert [target for _, target in rows if "/" not in target] == [path.name for path in NUMBERED]
    assert {target for _, target in rows if "/" in target} == {f"templates/{path.name}" for path in TEMPLATES}
    assert all(Path(target).stem == name for name, target in rows)


@pytest.mark.parametrize("path", NUMBERED, ids=lambda path: path.stem)
def test_time_and_prerequisites_are_those_of_the_notebook(path: Path) -> None:
    listed = {name: (int(time), before) for name, _, _, time, before in ROW.findall(MAP) if time}
    needed = sorted(set(re.findall(r"\]\((\d\d)-[\w-]+\.ipynb\)", before_you_start(path, "Level"))))
    assert listed[path.stem] == (minutes(path), ", ".join(needed) or "–")


def test_a_prerequisite_comes_earlier() -> None:
    for name, _, _, _, before in ROW.findall(MAP):
        assert all(number < name[:2] for number in re.findall(r"\d\d", before))


def test_every_question_is_one() -> None:
    assert all(question.endswith("?") for _, _, question, time, _ in ROW.findall(MAP) if time)


@pytest.mark.parametrize(
    ("name", "limit", "exercises"), [("One hour", 60, 1), ("Half a day", 240, 2), ("Two days", 840, 2)]
)
def test_a_path_fits_into_its_time_and_meets_no_notebook_before_its_prerequisite(
    name: str, limit: int, exercises: int
) -> None:
    chosen = path_of(name)
    assert chosen == sorted(chosen)
    assert limit / 2 < sum(minutes(path) + exercises * EXERCISE for path in chosen) <= limit
    met = {path.stem[:2] for path in chosen}
    needed = {number for path in chosen for number in re.findall(r"\]\((\d\d)-", before_you_start(path, "Level"))}
    assert needed <= met


def test_two_days_are_the_whole_course() -> None:
    assert path_of("Two days") == NUMBERED
