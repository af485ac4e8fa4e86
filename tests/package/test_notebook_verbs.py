"""Whoever works through the notebooks needs no engineer's call; one chapter, on errors, shows what lies beneath."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.notebooks.course import NUMBERED, ROOT, SHEETS, TEMPLATES, code_cells, exercises, read

ENGINEERS_CHAPTERS = {"90-when-things-go-wrong", "97-work-below-the-verbs"}
_ENGINEERS_CALL = re.compile(r"\.aio\b|(?<!fielding)\.run\(|\.make_call\(|cint_nb\.api\b")


def engineers_calls(code: str) -> list[str]:
    """Return the lines that go below the verbs of client, wave and sandbox."""
    return [line for line in code.splitlines() if _ENGINEERS_CALL.search(line)]


@pytest.mark.parametrize(
    "path",
    [path for path in (*NUMBERED, *TEMPLATES, *SHEETS) if path.stem not in ENGINEERS_CHAPTERS],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_a_notebook_uses_verbs_only(path: Path) -> None:
    notebook = read(path)
    code = [cell.source for cell in code_cells(notebook)]
    code += [block for exercise in exercises(notebook) for block in exercise.code]
    assert [line for each in code for line in engineers_calls(each)] == []


@pytest.mark.parametrize(
    "line",
    [
        "client.aio.run(client.aio.http.send(call))",
        "client.run(client.fielding.launch(group))",
        "from cint_nb.api.operations import SET_GOAL",
        "call = SET_GOAL.make_call(group.path_params())",
    ],
)
def test_an_engineers_call_is_noticed(line: str) -> None:
    assert engineers_calls(line) == [line]


@pytest.mark.parametrize("line", ["run = client.fielding.run(group)", 'client.inject("goal-raised", value=600)'])
def test_a_verb_is_none(line: str) -> None:
    assert engineers_calls(line) == []
