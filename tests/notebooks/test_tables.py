"""A table that is stored in a notebook is whole: no cell, no row and no column of it is cut."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9]*.ipynb"))
_CELL = re.compile(r"<t[dh][^>]*>(.*?)</t[dh]>", re.DOTALL)


def cut_cells(html: str) -> list[str]:
    """Return the cells of a page's tables that pandas has cut, or put in the place of what it left out."""
    return [cell for cell in _CELL.findall(html) if cell.strip().endswith(("...", "…", "&hellip;"))]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_stored_table_is_cut(notebook: Path) -> None:
    for cell in nbformat.read(notebook, as_version=4).cells:
        for output in cell.get("outputs", []):
            assert cut_cells(output.get("data", {}).get("text/html", "")) == [], cell.source


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"meaning": ["a text of more than fifty characters, which pandas cuts"]}),
        pd.DataFrame({"line": range(100)}),
        pd.DataFrame([range(30)]),
    ],
    ids=["cell", "rows", "columns"],
)
def test_a_cut_table_is_noticed(frame: pd.DataFrame) -> None:
    with pd.option_context("display.max_columns", 20):  # as in a notebook; a terminal is measured
        shown: Any = frame  # its HTML is not in the stubs of pandas
        assert cut_cells(shown._repr_html_())
