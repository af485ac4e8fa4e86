"""The README's first command runs one whole wave and accounts for every line."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from cint_nb.cli import main

KEYS = [
    "lines", "blank", "malformed", "duplicate", "sent", "saved", "already_saved", "rejected", "resubmitted",
    "target_group_id", "launched", "completes", "requests", "virtual_seconds", "wall_seconds",
]  # fmt: skip


def demo(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> str:
    assert main(["demo", "--folder", str(folder), *arguments]) == 0
    return capsys.readouterr().out


@pytest.mark.thorough
def test_json_has_the_promised_numbers_and_they_add_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    numbers = json.loads(demo(capsys, tmp_path, "--json"))
    assert list(numbers) == KEYS
    assert numbers["lines"] == 10_000
    parts = ("blank", "malformed", "duplicate", "saved", "already_saved", "rejected")
    assert sum(numbers[part] for part in parts) == numbers["lines"]
    assert numbers["sent"] == numbers["saved"] + numbers["already_saved"] + numbers["rejected"]
    assert all(numbers[part] > 0 for part in ("blank", "malformed", "duplicate", "rejected", "resubmitted"))
    assert numbers["launched"] is True
    assert 1_000 < numbers["completes"] <= 4_000
    assert numbers["virtual_seconds"] > 10 * 86_400
    assert len(numbers["target_group_id"]) == 26


@pytest.mark.thorough
def test_the_same_seed_gives_the_same_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [json.loads(demo(capsys, tmp_path / word, "--json", "--lines", "500")) for word in ("one", "two")]
    for run in runs:
        del run["wall_seconds"]
    assert runs[0] == runs[1]


@pytest.mark.parametrize(
    "lines", [1, pytest.param(10_000, marks=pytest.mark.thorough), pytest.param(100_000, marks=pytest.mark.thorough)]
)
def test_it_runs_to_its_end_whatever_the_number_of_lines(
    lines: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The budget follows from the list: a fixed one stopped the demo of a long list at its launch."""
    numbers = json.loads(demo(capsys, tmp_path, "--json", "--lines", str(lines)))
    assert numbers["launched"] is True
    assert numbers["lines"] == lines


def test_the_story_says_where_the_files_are_and_what_is_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = demo(capsys, tmp_path, "--lines", "500")
    for word in ("respondents.csv", "outcome.csv", "cint-nb lab", "sandbox", "rejected", "completes"):
        assert word in printed
    outcome = pd.read_csv(tmp_path / "outcome.csv")
    assert len(outcome) == 500
    assert set(outcome["outcome"]) >= {"saved", "rejected", "duplicate", "malformed", "blank"}
    assert all(str(shown).startswith("••••") for shown in outcome["id"].dropna())


def test_the_sample_has_what_real_files_have(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo(capsys, tmp_path, "--lines", "500", "--json")
    content = (tmp_path / "respondents.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in content
    assert b'"' in content
    assert content.upper() != content != content.lower()
