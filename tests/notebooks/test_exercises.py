"""Every exercise can be answered, and its answer can be tried."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.notebooks.course import NUMBERED, Exercise, answered, clean_up, code_cells, exercises, prose, read

GONE = re.compile(r"\b(?:client|session)\.close\(|__exit__\(|\.cleanup\(|\.unlink\(|\brmtree\(")


@pytest.fixture(params=NUMBERED, ids=lambda path: path.stem)
def found(request: pytest.FixtureRequest) -> list[Exercise]:
    path: Path = request.param
    assert prose(read(path)).count("<details>") == 2
    return exercises(read(path))


def test_there_are_two_numbered_ones_with_a_folded_answer(found: list[Exercise]) -> None:
    assert [each.question.partition(".")[0] for each in found] == ["1", "2"]
    for each in found:
        assert "<summary>Answer</summary>" in each.answer


def test_an_answer_says_in_words_what_is_to_be_learned(found: list[Exercise]) -> None:
    for each in found:
        assert len(each.words.split()) >= 5, each.question


def test_an_answer_in_code_is_a_block_that_can_be_copied(found: list[Exercise]) -> None:
    for each in found:
        for code in each.code:
            ast.parse(code)
        assert each.answer.count("```") == 2 * len(each.code), "a block of an answer is marked as python"


def test_a_call_within_an_answer_stands_in_a_block_and_is_executed(found: list[Exercise]) -> None:
    """A whole statement in the middle of a sentence would be code that nothing runs."""
    for each in found:
        spans = each.words.split("`")[1::2]
        calls = [span for span in spans if len(span) > 40 and "(" in span]
        assert not calls, calls


@pytest.mark.parametrize("path", NUMBERED, ids=lambda path: path.stem)
def test_whoever_reads_from_top_to_bottom_can_run_the_answers(path: Path) -> None:
    """They are about what the notebook made: no cell before them ends the session or deletes a file."""
    notebook = read(path)
    place = answered(notebook)
    before = [cell.source for cell in code_cells(notebook) if notebook.cells.index(cell) < place]
    assert [source for source in before if GONE.search(source)] == []
    assert place <= clean_up(notebook)
