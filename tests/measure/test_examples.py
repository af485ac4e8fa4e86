"""The examples in the docstrings run and print what they say; and every measure explains itself in full."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import cint_nb as cint
from cint_nb.domain.reconciliation import deadlines
from cint_nb.study.outcome import reason_codes
from tests.measure.calls import MEASURES
from tests.measure.worlds import in_polars, quiet, rows_of, warned

PAGE = (Path(__file__).parents[2] / "docs" / "measures.md").read_text(encoding="utf-8")

MODULES = [each.name for each in pkgutil.walk_packages(cint.measure.__path__, "cint_nb.measure.")]


@pytest.mark.sampled(every=4)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [*MODULES, *(module.__name__ for module in (reason_codes, deadlines))])
def test_they_print_what_they_say(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", cint.measure.__all__)
def test_a_measure_explains_itself(name: str) -> None:
    measure = getattr(cint.measure, name)
    text = inspect.getdoc(measure) or ""
    for part in ("Formula:", "Args:", "Returns:", "Raises:", "Assumes:", "Example:"):
        assert part in text, part
    given = text.partition("Args:")[2].partition("Returns:")[0]
    assert [each for each in inspect.signature(measure).parameters if f"\n    {each}: " not in given] == []
    assert re.search(r"\b(18|19|20)\d\d\b|as `\w+`", text), "the source"
    assert ">>> import cint_nb as cint" in text
    assert f"cint.measure.{name}(" in text


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("name", [name for name in cint.measure.__all__ if name != "methods_text"])
def test_a_measure_and_the_page_name_the_columns_it_returns(name: str) -> None:
    text = inspect.getdoc(getattr(cint.measure, name)) or ""
    columns = [each for each in rows_of(quiet(MEASURES[name], in_polars))[0] if each != "cell"]
    assert set(columns) <= set(re.findall(r"\w+", text.partition("Returns:")[2].partition("Raises:")[0]))
    assert f"| `{' '.join(columns)}` |" in PAGE


@pytest.mark.parametrize("name", cint.measure.__all__)
def test_the_page_has_the_source_of_each_measure_and_its_arguments(name: str) -> None:
    rows = re.findall(rf"^\| `{name}` \| (.+)$", PAGE, re.MULTILINE)
    assert len(rows) == 2
    optional = [
        each
        for each, parameter in inspect.signature(getattr(cint.measure, name)).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    ]
    named = re.findall(r"\w+", rows[1]) if name != "bootstrap_weights" else [*optional]  # it names those of another
    assert [each for each in optional if each not in named] == []


@pytest.mark.thorough
def test_the_code_on_the_page_runs_and_calls_each_measure(capsys: pytest.CaptureFixture[str]) -> None:
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
    with warned() as texts:
        exec(compile(code, "docs/measures.md", "exec"), {})  # noqa: S102 - our own page
    assert texts == []
    assert "Wave 4: 90 of 200 people asked completed" in capsys.readouterr().out
    assert [name for name in cint.measure.__all__ if f"cint.measure.{name}(" not in code] == []


def test_the_figures_on_the_page_are_those_of_a_report() -> None:
    """Every cell has a share of bands that held, on the sandbox and of plain draws; the benchmark judges them."""
    shown = PAGE.partition("<!-- calibration -->")[2].partition("<!-- end of calibration -->")[0]
    assert len(re.findall(r"\d+\.\d% \(\d+%\)", shown)) == 32
    assert len(re.findall(r"\| [+−-]\d+\.\d\d and [+−-]\d+\.\d\d", shown)) == 16
