"""A cohort shows its rule, and nobody."""

from __future__ import annotations

from pathlib import Path

from tests.history.studies import rsid, two_waves


def test_a_cohort_shows_its_rule_and_nobody(tmp_path: Path) -> None:
    cohort = two_waves(tmp_path).cohort(completed=1, not_completed=2)
    html = str(cohort._repr_html_())
    assert "3 people" in html
    assert "wave 1: completed, wave 2: not completed" in html
    assert not any(rsid(number) in html for number in range(20))
