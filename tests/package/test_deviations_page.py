"""docs/deviations.md shows the table of deviations of today, and every deviation has two sources that contradict."""

from __future__ import annotations

from typing import Any

import pytest

from cint_nb.sandbox.world.rules import rule_choices
from tests.support.vendor import DEVIATIONS
from tools.deviations_page import PAGE, write_page

KINDS_OF_SOURCES = (
    "recontact guide, ",
    "create guide, ",
    "OpenAPI document, ",
    "OpenAPI document of July 2026, ",
    "OpenAPI document as published in October 2026: ",
    "developer portal, ",
    "RFC 9110, ",
)
CONTRADICTIONS = [row for kind in ("deviation", "unchecked", "choice") for row in DEVIATIONS[kind]]


def test_the_page_is_that_of_today() -> None:
    assert PAGE.read_text(encoding="utf-8") == write_page(), "run `python tools/deviations_page.py`"


@pytest.mark.parametrize("row", CONTRADICTIONS, ids=lambda row: str(row.get("operation", row.get("subject"))))
def test_a_deviation_cites_two_sources_that_contradict_each_other(row: dict[str, Any]) -> None:
    one, other = row["sources"]
    assert one != other
    for source in (one, other):
        assert source.startswith(KINDS_OF_SOURCES)
        place, _, said = source.partition(": ")
        assert place
        assert said
    assert one.partition(": ")[2] != other.partition(": ")[2], "they say the same"


def test_every_rule_is_explained_once() -> None:
    explained = [row["rule"] for kind in ("choice", "open") for row in DEVIATIONS[kind] if "rule" in row]
    assert sorted(explained) == sorted(rule_choices())


def test_the_readme_names_the_page() -> None:
    assert "(docs/deviations.md)" in (PAGE.parents[1] / "README.md").read_text(encoding="utf-8")
