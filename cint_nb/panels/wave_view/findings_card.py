"""Findings as a card: how many of each, then each with its evidence and fix; notes are counted."""

from __future__ import annotations

from cint_nb.domain.findings import Finding, Findings, Severity
from cint_nb.panels.look.card import Block, Item, Items, Say
from cint_nb.panels.look.text_format import format_count

SEVERITY_STATES = {
    Severity.BLOCK: ("bad", "✕", "block"),
    Severity.WARN: ("warn", "▲", "warning"),
    Severity.NOTE: ("calm", "ℹ", "note"),
}
"""Colour, sign and word of each severity."""


REFUSED = "the step is refused until the blocks are gone"


def counts(findings: Findings) -> list[str]:
    """Return how many findings there are of each severity, as words."""
    numbers = {severity: sum(finding.severity is severity for finding in findings) for severity in Severity}
    return [format_count(number, SEVERITY_STATES[severity][2]) for severity, number in numbers.items() if number]


def headline(findings: Findings) -> str:
    """Return in one line how many findings there are, and what they mean for the wave."""
    if not findings:
        return "nothing stands against this step"
    return ", ".join(counts(findings)) + (f"; {REFUSED}" if findings.blocking else "")


def findings_blocks(findings: Findings) -> list[Block]:
    """Return what is shown of findings: of notes only their number, where anything weighs more."""
    if not findings:
        return [Say(state=("good", "✓", "clear"), soft=headline(findings))]
    first, *others = counts(findings)
    css, sign, _ = SEVERITY_STATES[next(iter(findings)).severity]
    soft = " · ".join([*others, *([REFUSED] if findings.blocking else [])])
    shown = [finding for finding in findings if finding.severity is not Severity.NOTE]
    notes = len(findings) - len(shown)
    blocks: list[Block] = [Say(state=(css, sign, first), soft=f"· {soft}" if soft else None)]
    blocks.append(Items([_item(each) for each in (shown or findings)]))
    tail = f"{format_count(notes, 'note')} more, shown by print. " if shown and notes else ""
    blocks.append(Say(soft=f"{tail}As a table: `cint.frames.findings_frame(wave.check())`", tiny=True))
    return blocks


def _item(finding: Finding) -> Item:
    return Item(SEVERITY_STATES[finding.severity], finding.message, finding.evidence, finding.fix)
