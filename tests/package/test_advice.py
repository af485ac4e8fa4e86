"""Code in a message runs when it is pasted: each call begins with a name that a user has, and exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cint_nb
from cint_nb.api.jobs.job import Job
from cint_nb.api.resources.downloads import Download
from cint_nb.domain.jobs import JobHandle
from cint_nb.history.history import History
from cint_nb.panels.file_picker.widget import FilePicker
from cint_nb.panels.job_progress.widget import JobProgress
from cint_nb.study.files.respondents import Respondents
from cint_nb.study.outcome.visit_reports import VisitReport
from cint_nb.wave.client import open_client
from cint_nb.wave.wave import Wave
from tests.support.sources import parsed

PACKAGE = Path(cint_nb.__file__).parent
MODULES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.relative_to(PACKAGE).parts[0] != "sandbox"  # it answers in the words of the exchange
    and path.name != "style.py"  # functions of CSS
]
HELD: dict[str, Any] = {
    "cint": cint_nb,
    "cint_nb": cint_nb,
    "download": Download,
    "history": History,
    "job": Job,
    "job.handle": JobHandle,
    "panel": JobProgress,
    "picker": FilePicker,
    "picker.value": Respondents,
    "report": VisitReport,
    "respondents": Respondents,
    "text": str,
    "wave": Wave,
}
"""What a user holds under these names, beside `client`."""
OTHER_LIBRARIES = {"datetime", "duckdb.connect"}
QUERY = re.compile(r"\b(SELECT|FROM|CASE|CAST|COPY|WHERE|WHEN|JOIN|ORDER BY|GROUP BY|AS|OR|AND|IN|SET)\b")
"""What a text has that is a query of a database, or a piece of one, and no advice."""
QUERY_FUNCTIONS = {
    "read_parquet",
    "read_csv",
    "trim",
    "nullif",
    "round",
    "concat_ws",
    "coalesce",
    "split_part",
    "substr",
    "regexp_matches",
    "regexp_replace",
}
CALL = re.compile(r"(?<![\w.:…])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?=\()")


def messages(tree: ast.AST) -> Iterator[str]:
    """Yield every text of a module but docstrings and regular expressions; what an f-string fills in is `…`."""
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile":
            skipped.update(id(each) for each in ast.walk(node))
        elif isinstance(node, ast.JoinedStr) and id(node) not in skipped:
            skipped.update(id(each) for each in node.values)
            yield "".join(str(each.value) if isinstance(each, ast.Constant) else "…" for each in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.value


def calls(source: str) -> set[str]:
    """Return the dotted names that the messages of a module call."""
    texts = [text for text in messages(parsed(source)) if not QUERY.search(text)]
    return {call for text in texts for call in CALL.findall(text)} - QUERY_FUNCTIONS


def unfilled(source: str) -> list[str]:
    """Return the places in texts that name a variable of their function, but stand in no f-string."""
    found = []
    for function in ast.walk(parsed(source)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        nodes = list(ast.walk(function))
        filled = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        filled |= {id(node.value) for node in nodes if isinstance(node, ast.Expr)}  # docstrings
        names = {node.arg for node in nodes if isinstance(node, ast.arg)}
        names |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        texts = [node.value for node in nodes if isinstance(node, ast.Constant) and id(node) not in filled]
        found += [
            f"{function.name}: {place}"
            for text in texts
            if isinstance(text, str)
            for place in re.findall(r"{(\w+)}", text)
            if place in names
        ]
    return found


def is_runnable(call: str, held: dict[str, Any]) -> bool:
    """Return whether a dotted name begins with what a user holds, and each attribute of it exists."""
    if call in OTHER_LIBRARIES:
        return True
    root = max((name for name in held if call.startswith(f"{name}.")), key=len, default=None)
    if root is None:
        return False
    value = held[root]
    for name in call.removeprefix(f"{root}.").split("."):
        if isinstance(value, property):  # what it returns is not known without an instance
            return True
        value = getattr(value, name, None)
        if value is None:
            return False
    return True


@pytest.fixture(scope="module")
def held() -> Iterator[dict[str, Any]]:
    with open_client("sandbox") as client:
        yield HELD | {"client": client}


@pytest.mark.thorough
def test_code_in_a_message_runs_when_it_is_pasted(held: dict[str, Any]) -> None:
    found = {path: calls(path.read_text("utf-8")) for path in MODULES}
    assert len(set().union(*found.values())) > 30
    assert [
        f"{path.relative_to(PACKAGE)}: {call}"
        for path, each in found.items()
        for call in sorted(each)
        if not is_runnable(call, held)
    ] == []


@pytest.mark.thorough
def test_no_text_shows_the_name_of_a_variable_for_its_value() -> None:
    found = {str(path.relative_to(PACKAGE)): unfilled(path.read_text("utf-8")) for path in PACKAGE.rglob("*.py")}
    assert {name: places for name, places in found.items() if places} == {}


def test_a_text_that_lacks_its_f_is_found() -> None:
    code = 'def limit(low):\n    """Return {low}."""\n    high = 9\n    return f"{low}/{{low}}", "{other}", "to {high}"'
    assert unfilled(code) == ["limit: high"]


@pytest.mark.parametrize(
    "advice", ["Job.attach(client)", "connect('live')", "cint.gone()", "wave.gone()", "client.projects.gone()", "x.y()"]
)
def test_a_call_that_would_fail_is_found(advice: str, held: dict[str, Any]) -> None:
    (call,) = calls(f'fix = f"{{why}}: write {advice}."')
    assert not is_runnable(call, held)


def test_a_call_with_its_prefix_is_accepted_and_docstrings_and_patterns_are_not_read(held: dict[str, Any]) -> None:
    code = (
        '"""Call nothing()."""\nimport re\nA = re.compile(r"a(b)")\nB = "write cint.connect(\'live\'), wave.close()."'
    )
    assert calls(code) == {"cint.connect", "wave.close"}
    assert all(is_runnable(call, held) for call in calls(code))
