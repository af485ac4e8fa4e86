"""The form every notebook keeps, so that a reader who knows one knows them all."""

from __future__ import annotations

import re
import statistics
from pathlib import Path
from typing import Any

import pytest

from tests.notebooks.course import NUMBERED, clean_up, code_cells, exercises, prose, read
from tests.notebooks.notebook_kernel import warnings
from tests.notebooks.numbers_in_prose import output_texts

UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE)
WITHOUT_CINT = {"95-measure-any-panel"}
FOR_ENGINEERS = {"97-work-below-the-verbs"}
KNOWN_UUIDS = {"b551326b-ac9d-4d32-8823-4f025787dab9"}  # the guide's own example of a user


@pytest.fixture(params=NUMBERED, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@pytest.fixture
def notebook(path: Path) -> Any:
    return read(path)


def lines(cell: Any) -> list[str]:
    return [line for line in cell.source.splitlines() if line.strip()]


def test_there_are_notebooks() -> None:
    assert {path.stem for path in NUMBERED} >= {"00-start-here", "40-upload-and-watch"}


def test_names_say_a_number_and_a_verb_and_mostly_an_object(path: Path) -> None:
    assert re.fullmatch(r"\d\d(-[a-z]+){1,6}", path.stem)


def test_it_opens_with_title_goals_and_prerequisites(notebook: Any) -> None:
    opening = "\n".join(cell.source for cell in notebook.cells[:3] if cell.cell_type == "markdown")
    assert opening.startswith("# ")
    assert "**You will**" in opening
    assert "**Before you start**" in opening
    for word in ("time", "level", "cost"):
        assert f"| {word}" in opening.lower()


def test_each_goal_is_a_section(notebook: Any) -> None:
    opening = next(cell.source for cell in notebook.cells if "**You will**" in cell.source)
    goals = re.findall(r"^\d\. ", opening, re.MULTILINE)
    sections = [line for line in prose(notebook).splitlines() if re.match(r"## \d\. ", line)]
    assert 3 <= len(goals) <= 5
    assert len(sections) == len(goals)


def test_there_is_one_import_cell_and_one_visible_connect(path: Path, notebook: Any) -> None:
    imports = [cell for cell in code_cells(notebook) if re.search(r"^(import|from) ", cell.source, re.MULTILINE)]
    connects = [cell for cell in code_cells(notebook) if "cint.connect(" in cell.source]
    assert len(imports) == 1
    assert len(connects) == (path.stem not in WITHOUT_CINT)


def test_its_code_uses_plain_verbs(path: Path, notebook: Any) -> None:
    if path.stem in FOR_ENGINEERS:
        pytest.skip("it is about what lies below them")
    code = [
        *(cell.source for cell in code_cells(notebook)),
        *(code for each in exercises(notebook) for code in each.code),
    ]
    assert not [source for source in code if re.search(r"\b(await|async)\b|(?<!\.aio)(?<!fielding)\.run\(", source)]


def test_it_is_as_long_as_a_reader_can_hold(notebook: Any) -> None:
    assert 20 <= len(notebook.cells) <= 45
    lengths = [len(lines(cell)) for cell in code_cells(notebook)]
    assert statistics.median(lengths) <= 4
    assert max(lengths) <= 14


def test_code_stands_between_prose(notebook: Any) -> None:
    kinds = "".join("c" if cell.cell_type == "code" else "m" for cell in notebook.cells)
    assert "ccc" not in kinds


def test_it_asserts_something_the_reader_would_want(notebook: Any) -> None:
    assert any(re.search(r"^assert ", cell.source, re.MULTILINE) for cell in code_cells(notebook))


def test_it_closes_with_summary_next_two_exercises_and_clean_up(notebook: Any) -> None:
    text = prose(notebook)
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings[-4:] == ["## Summary", "## What next", "## Exercises", "## Clean up"]
    assert text.count("<details>") == text.count("</details>") == 2


def test_nothing_comes_after_the_clean_up_and_it_stays_one_cell(notebook: Any) -> None:
    assert clean_up(notebook) == len(notebook.cells) - 1
    assert notebook.cells[-1].cell_type == "code"


def test_words_that_talk_down_are_absent(notebook: Any) -> None:
    assert not re.search(r"\b(simply|just|obviously|easily)\b", prose(notebook), re.IGNORECASE)


def test_every_code_cell_was_run_in_order(notebook: Any) -> None:
    assert [cell.execution_count for cell in code_cells(notebook)] == list(range(1, len(code_cells(notebook)) + 1))


def test_no_output_is_an_error_unless_the_cell_says_so(notebook: Any) -> None:
    for cell in code_cells(notebook):
        errors = [output for output in cell.outputs if output.output_type == "error"]
        assert bool(errors) == ("raises-exception" in cell.metadata.get("tags", []))


def test_numbers_are_shown_without_the_type_numpy_gives_them(notebook: Any) -> None:
    shown = [text for cell in code_cells(notebook) for text in output_texts(cell)]
    assert [text for text in shown if re.search(r"\bnp\.\w+\(", text)] == []


def test_the_clean_up_ends_quietly(notebook: Any) -> None:
    assert warnings(notebook.cells[clean_up(notebook) :]) == []


def test_it_holds_nothing_that_is_private_or_of_one_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace(r"client_secret\": \"sandbox", "")  # known to everybody
    assert not re.search(r"/(home|root|Users|tmp|work)/", text)
    assert not re.search(r"Bearer (?!\{)|eyJ[A-Za-z0-9_-]{10}|client_secret", text)
    assert set(UUID.findall(text)) <= KNOWN_UUIDS
    assert not re.search(r"at 0x[0-9a-f]{6,}", text)
    assert "127.0.0.1" not in text
    assert "widget-view+json" not in text


def test_it_stays_small(path: Path) -> None:
    assert path.stat().st_size < 350_000  # of which one plot, as a drawing and as a picture, takes up to 200,000
