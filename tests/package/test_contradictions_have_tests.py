"""Cint's documents contradict each other in 27 known places, B1 to B27; each has a test that bears its number."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]


def test_each_contradiction_has_its_test() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*contradictions*.py"))
    numbers = {int(number) for number in re.findall(r"def test_b(\d+)_", text)}
    assert sorted(set(range(1, 28)) - numbers) == []
