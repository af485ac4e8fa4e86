"""The paragraph for a methods section: its numbers, and what it never says."""

from __future__ import annotations

import pandas as pd
import pytest

import cint_nb as cint
from cint_nb.domain.errors import InputError
from tests.measure.worlds import in_polars, panel, quiet, rows_of, shares, visit

NEVER = ("response rate", "nan", "None", "  ")


@pytest.mark.parametrize("seed", [1, 2])
def test_it_holds_the_numbers_of_retention(seed: int) -> None:
    rows, _ = panel(seed, people=90, goal_in=2)
    text = quiet(cint.measure.methods_text, in_polars(rows))
    for row in rows_of(quiet(cint.measure.retention, in_polars(rows))):
        line = next(line for line in text.splitlines() if line.startswith(f"Wave {row['wave']}:"))
        assert f"{row['completed']} of {row['n']} people" in line
        for name in ("share", "low", "high"):
            assert f"{100 * row[name]:.1f} %" in line
        assert ("lower bound" in line) == (row["kind"] == "lower_bound")
    assert "COMR" in text
    assert "not a probability sample" in text
    assert "missing not at random" in text
    assert [word for word in NEVER if word in text] == []


def test_what_is_not_known_is_said() -> None:
    rows = [visit("P1", 1, "completed", after=1), visit("P2", 1, None), visit("P1", 2, "not_known")]
    rows += [visit("P1", 3, "completed", after=1), visit("P2", 3, None, closed_by="open"), visit("P3", 4, "rejected")]
    rows += [visit("P1", 5, "completed", after=1), visit("P2", 5, "not_known")]
    lines = cint.measure.methods_text(in_polars(rows)).splitlines()
    assert "no rate can be given: the report is missing for 1 people" in lines[2]
    assert "provisional" in lines[3]
    assert "nobody was asked" in lines[4]
    assert "the report is missing for 1 people, who are not counted" in lines[5]
    assert "P1" not in "".join(lines)


def test_latex_is_escaped() -> None:
    text = cint.measure.methods_text(in_polars(shares([(3, 4)])), style="latex")
    assert r"75.0\%" in text
    assert r"\&" in text
    assert " %" not in text
    assert "%" not in text.replace(r"\%", "")


def test_some_waves_and_another_confidence() -> None:
    frame = in_polars(shares([(3, 4), (2, 4)]))
    text = cint.measure.methods_text(frame, waves=[2], conf=0.9)
    assert "Wave 1:" not in text
    assert "90 % Wilson" in text


def test_an_empty_frame_has_an_empty_text() -> None:
    assert cint.measure.methods_text(pd.DataFrame({"person": [], "wave": [], "reason": []})) == ""


def test_another_style_is_refused() -> None:
    with pytest.raises(InputError, match="style"):
        cint.measure.methods_text(in_polars(shares([(1, 1)])), style="html")  # type: ignore[arg-type]
