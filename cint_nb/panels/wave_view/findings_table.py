"""A panel that shows preflight findings, the most serious first, each with its evidence and its fix."""

from __future__ import annotations

from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.findings import Finding, Findings, Severity
from cint_nb.panels.look import static_html
from cint_nb.panels.look.base import Panel, make_html_part, set_html, show_state, state_html
from cint_nb.panels.look.mode import mode_of
from cint_nb.panels.look.text_format import escape, format_count

HEADINGS = ("Severity", "Rule", "Finding", "Fix", "Guide")
_COUNTED = {
    Severity.BLOCK: ("finding that blocks", "findings that block"),
    Severity.WARN: ("warning", "warnings"),
    Severity.NOTE: ("note", "notes"),
}
_SEVERITIES = {
    Severity.BLOCK: ("bad", "✖", "block"),
    Severity.WARN: ("part", "▲", "warn"),
    Severity.NOTE: ("calm", "ℹ", "note"),
}


def headline(findings: Findings) -> str:
    """Return in one line what the findings mean for the wave."""
    if not findings:
        return "nothing stands against this step"
    counts = [
        format_count(number, *_COUNTED[severity])
        for severity in Severity
        if (number := sum(finding.severity is severity for finding in findings))
    ]
    return ", ".join(counts) + ("; the wave cannot go on" if findings.blocking else "; the wave can go on")


def _row(finding: Finding) -> str:
    evidence = f'<div class="cint-soft">{escape(finding.evidence)}</div>' if finding.evidence else ""
    fix = escape(finding.fix) if finding.fix else '<span class="cint-soft">nothing to change</span>'
    return (
        f'<tr class="cint-finding cint-finding-{finding.severity}">'
        f"<td>{state_html(*_SEVERITIES[finding.severity])}</td>"
        f"<td><code>{escape(finding.rule)}</code></td><td>{escape(finding.message)}{evidence}</td><td>{fix}</td>"
        f'<td class="cint-soft">{escape(finding.section or "")}</td></tr>'
    )


def render_findings(findings: Findings) -> str:
    """Draw findings as an HTML table, every text escaped."""
    if not findings:
        return ""
    heads = "".join(f'<th scope="col">{head}</th>' for head in HEADINGS)
    rows = "".join(_row(finding) for finding in findings)
    return (
        '<div class="cint-scroll" tabindex="0" role="region" aria-label="Findings">'
        f'<table class="cint-table"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


@check_arguments()
class FindingsTable(Panel):
    """Show findings by severity, with evidence, fix and the guide section each rests on.

    Args:
        findings: What preflight said.
        mode: `sandbox`, `replay` or `live`; that of the latest `connect` when left out.
        title: Heading.

    `value` is the `Findings`; `update` shows others. Serves the rules of both guides.
    """

    def __init__(self, findings: Findings | None = None, *, mode: str | None = None, title: str = "Findings") -> None:
        self._line = make_html_part("cint-status-part")
        self._table = make_html_part("cint-table-part")
        super().__init__("findings-table", mode or mode_of(None), title, (self._line, self._table))
        self.update(findings if findings is not None else Findings())

    def update(self, findings: Findings) -> None:
        """Show these findings."""
        self.value = findings
        worst = next(iter(findings)).severity if findings else None
        css, icon, word = _SEVERITIES[worst] if worst else ("good", "✔", "clear")
        show_state(self._line, css, icon, word, headline(findings))
        set_html(self._table, render_findings(findings))

    def summary(self) -> list[str]:
        """Return the title and the verdict."""
        return [self._title, headline(self.value)]

    def to_static_html(self) -> str:
        """Return the findings as a table."""
        rows = [
            (
                each.severity,
                each.rule,
                f"{each.message} {each.evidence or ''}".strip(),
                each.fix or "",
                each.section or "",
            )
            for each in self.value
        ]
        return super().to_static_html() + (static_html.plain_table(HEADINGS, rows) if rows else "")

    def to_text(self) -> str:
        """Return the repr and one line a finding."""
        lines = [repr(self)]
        for finding in self.value:
            lines.append(f"  {finding.severity}  {finding.rule}: {finding.message}")
            if finding.evidence:
                lines.append(f"         evidence: {finding.evidence}")
            if finding.fix:
                lines.append(f"         fix: {finding.fix}")
        return "\n".join(lines)
