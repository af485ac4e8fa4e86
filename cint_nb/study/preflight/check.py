"""Everything that can be wrong with a wave, said before anything is sent."""

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
    "draft_rules",
    "findings_frame",
    "plan_rules",
    "respondent_rules",
    "rule",
    "rules_frame",
    "source_rules",
]


def check(facts: WaveFacts, *, without: Iterable[str] = ()) -> Findings:
    """Run every rule of the step on what is known, and return what they found, the most serious first.

    Args:
        facts: What is known of the wave.
        without: Codes of rules to leave out.

    Serves both guides.
    """
    left_out = frozenset(without)
    return Findings.of(
        finding
        for code, each in RULES.items()
        if facts.step in each.steps and code not in left_out
        for finding in each.findings(facts)
    )


def findings_frame(findings: Findings) -> pd.DataFrame:
    """Return findings as a small frame: `severity`, `rule`, `message`, `evidence`, `fix`, `section`."""
    import pandas as pd

    columns = ("severity", "rule", "message", "evidence", "fix", "section")
    return pd.DataFrame(
        {name: pd.Series([str(getattr(each, name)) for each in findings], dtype="str") for name in columns}
    )


def rules_frame() -> pd.DataFrame:
    """Return every rule: `rule`, `steps` it runs in, `says` in one sentence, `section` of the guide."""
    import pandas as pd

    rows = [
        (each.code, ", ".join(sorted(each.steps)), (each.function.__doc__ or "").strip(), each.section)
        for each in RULES.values()
    ]
    return pd.DataFrame(rows, columns=["rule", "steps", "says", "section"])
