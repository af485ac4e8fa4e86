"""What users may import, and what importing costs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import cint_nb

ROOT = Path(__file__).parents[2]


def test_public_names_are_these_and_no_others() -> None:
    assert cint_nb.__all__ == [
        "CintError",
        "Client",
        "Crosswalk",
        "EntityType",
        "FilePicker",
        "Findings",
        "FindingsTable",
        "History",
        "HistoryView",
        "Job",
        "JobProgress",
        "JobSnapshot",
        "Money",
        "Outcome",
        "Profile",
        "Respondents",
        "StatusTable",
        "TargetGroupPlan",
        "TargetGroupRef",
        "VisitReport",
        "Wave",
        "WaveView",
        "__version__",
        "allow_nested_loops",
        "connect",
        "errors",
        "frames",
        "measure",
        "plots",
        "read_report",
        "read_respondents",
        "resume_jobs",
        "sandbox",
    ]


@pytest.mark.parametrize("name", cint_nb.__all__)
def test_every_public_name_loads_and_says_what_it_is(name: str) -> None:
    thing = getattr(cint_nb, name)
    assert name == "__version__" or (thing.__doc__ or "").strip()


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'conect'"):
        _ = cint_nb.conect


def test_dir_lists_the_public_names() -> None:
    assert dir(cint_nb) == sorted(cint_nb.__all__)


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = "{'pandas', 'narwhals', 'httpx', 'ipywidgets', 'pydantic', 'starlette', 'matplotlib'}"
    code = f"import sys, cint_nb; print(sorted({heavy} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_the_package_is_marked_as_typed() -> None:
    assert (Path(cint_nb.__file__).parent / "py.typed").exists()


def test_pins_name_no_host() -> None:
    pins = (ROOT / "binder" / "constraints.txt").read_text(encoding="utf-8")
    assert "==" in pins
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links|@ file", pins)


def test_every_dependency_states_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    declared = text[text.index("dependencies = [") : text.index("[project.scripts]")]
    entries = [line for line in declared.splitlines() if line.strip().startswith('"')]
    assert entries
    assert [line for line in entries if "#" not in line] == []
