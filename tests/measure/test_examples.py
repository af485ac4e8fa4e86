"""The examples in the docstrings run and print what they say; and every measure explains itself in full."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re

import pytest

import cint_nb as cint
from cint_nb.study.outcome import reason_codes

MODULES = [each.name for each in pkgutil.walk_packages(cint.measure.__path__, "cint_nb.measure.")]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [*MODULES, reason_codes.__name__])
def test_they_print_what_they_say(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", cint.measure.__all__)
def test_a_measure_explains_itself(name: str) -> None:
    text = inspect.getdoc(getattr(cint.measure, name)) or ""
    for part in ("Formula:", "Args:", "Returns:", "Raises:", "Assumes:", "Example:"):
        assert part in text, part
    assert re.search(r"\b(18|19|20)\d\d\b|as `\w+`", text), "the source"
    assert ">>> import cint_nb as cint" in text
    assert f"cint.measure.{name}(" in text
