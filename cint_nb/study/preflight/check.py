"""The preflight check: run every rule that applies and collect the findings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cint_nb.domain.findings import Findings
from cint_nb.study.preflight.registry import (
    RULES,
    ActivityExclusionFact,
    Rule,
    RuleReport,
    SourceTargetGroup,
    WaveFacts,
    rule,
)

# isort: off
# Each module registers its rules when it is imported; findings of one severity are listed in this order.
from cint_nb.study.preflight import draft_rules
from cint_nb.study.preflight import respondent_rules
from cint_nb.study.preflight import plan_rules
from cint_nb.study.preflight import choice_rules
from cint_nb.study.preflight import source_rules
# isort: on

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ActivityExclusionFact",
    "Rule",
    "RuleReport",
    "SourceTargetGroup",
    "WaveFacts",
    "check",
    "choice_rules",
    "draft_rules",
    "findings_frame",
    "plan_rules",
    "respondent_rules",
    "rule",
    "rules_frame",
    "source_rules",
]


def check(facts: WaveFacts, *, without: Iterable[str] = ()) -> Findings:
    """Run every rule of the step on the facts and return the findings, the most serious first.

    Args:
        facts: What is known about the wave.
        without: Codes of rules to omit.

    Serves both guides.
    """
    omitted = frozenset(without)
    return Findings.of(
        finding
        for code, each in RULES.items()
        if facts.step in each.steps and code not in omitted
        for finding in each.findings(facts)
    )


def findings_frame(findings: Findings) -> pd.DataFrame:
    """Return findings as a frame: `severity`, `rule`, `message`, `evidence`, `fix`, `section`."""
    import pandas as pd

    from cint_nb.study.readable_frame import ReadableFrame

    columns = ("severity", "rule", "message", "evidence", "fix", "section")
    return ReadableFrame(
        {name: pd.Series([str(getattr(each, name) or "") for each in findings], dtype="str") for name in columns}
    )


def rules_frame() -> pd.DataFrame:
    """Return every rule: `rule`, `steps` it runs in, `says` (in one sentence), `section` of the guide."""
    from cint_nb.study.readable_frame import ReadableFrame

    rows = [
        (each.code, ", ".join(sorted(each.steps)), (each.function.__doc__ or "").strip(), each.section or "")
        for each in RULES.values()
    ]
    return ReadableFrame(rows, columns=["rule", "steps", "says", "section"])
