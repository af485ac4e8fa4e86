"""docs/witnesses.md shows the table by which a launch is guarded, and the README leads to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cint_nb.study.preflight.draft_witnesses import UNWITNESSED, WITNESSES
from tools.witness_table import PAGE, write_page

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_table_is_that_of_today() -> None:
    assert write_page(TEXT) == TEXT, "run `python tools/witness_table.py`"


@pytest.mark.parametrize("field", [each.field for each in WITNESSES] + [each.name for each in UNWITNESSED])
def test_every_field_has_one_row(field: str) -> None:
    assert TEXT.count(f"\n| `{field}`") == 1


def test_the_readme_names_the_page() -> None:
    assert "(docs/witnesses.md)" in (Path(PAGE).parents[1] / "README.md").read_text(encoding="utf-8")
