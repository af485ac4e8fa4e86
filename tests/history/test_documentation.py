"""The page on histories: its code runs, and its tables say what is stored."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cint_nb.history.tables import TABLES
from cint_nb.wave.client import open_client
from tests.support.fresh_waves import live_wave

PAGE = (Path(__file__).parents[2] / "docs" / "history.md").read_text(encoding="utf-8")


def test_the_page_names_every_table_and_column() -> None:
    found = re.findall(r"^\| `(\w+)` \|[^|]*\|(.*)\|$", PAGE, re.MULTILINE)
    rows = {name: set(re.findall(r"`(\w+)`", columns)) for name, columns in found}
    assert {name: rows[name] - {"saved", "rejected"} for name in TABLES} == {
        name: set(columns) for name, columns in TABLES.items()
    }


@pytest.mark.thorough
def test_the_code_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    monkeypatch.chdir(tmp_path)
    with open_client("sandbox", seed=1) as client:
        first = live_wave(client)
        client.pass_time(days=4)
        second = live_wave(client, "Tracker, wave 2")
        client.pass_time(days=4)
        exec(compile(code, "docs/history.md", "exec"), {"client": client, "first": first, "second": second})  # noqa: S102
    assert (tmp_path / "brand-tracker" / "history.json").exists()
