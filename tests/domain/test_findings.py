"""Findings in words, for scripts and terminals."""

from __future__ import annotations

from cint_nb.domain.findings import Finding, Findings, Severity

GOAL = Finding("goal", Severity.BLOCK, "The goal is above the ids.", "goal 500, ids 400", "lower the goal to 400.")
NOTE = Finding("ready", Severity.NOTE, "The file is ready.")


def test_printing_findings_says_rule_evidence_and_fix_of_each_the_most_serious_first() -> None:
    assert str(Findings.of([NOTE, GOAL])).splitlines() == [
        "<Findings: 1 block, 0 warn, 1 note>",
        "block goal: The goal is above the ids.",
        "      seen: goal 500, ids 400",
        "      fix: lower the goal to 400.",
        "note  ready: The file is ready.",
    ]


def test_no_findings_print_as_their_count() -> None:
    assert str(Findings()) == "<Findings: 0 block, 0 warn, 0 note>"
