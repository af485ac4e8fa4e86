"""Preflight findings as values: severity, message, evidence and fix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from cint_nb.domain.arguments import UNUSABLE, check_arguments
from cint_nb.domain.errors import PreflightBlocked
from cint_nb.domain.ids import RichDisplay, printable


class Severity(StrEnum):
    """How serious a finding is: `block` stops the wave, `warn` asks for a decision, `note` informs."""

    BLOCK = "block"
    WARN = "warn"
    NOTE = "note"


@printable
@dataclass(frozen=True, slots=True)
class Finding:
    """One statement about a wave, with its evidence and how to fix it.

    Args:
        rule: Stable code, words joined by dashes, such as `goal-above-ids`.
        severity: How serious it is.
        message: One sentence for the analyst.
        evidence: The values the rule saw; never a whole respondent id.
        fix: What to change.
        section: The guide section it enforces, such as `recontact guide, step 1`.
    """

    rule: str
    severity: Severity
    message: str
    evidence: str | None = None
    fix: str | None = None
    section: str | None = None


@check_arguments(refusals=UNUSABLE)
@dataclass(frozen=True)
class Findings(RichDisplay):
    """The findings of one check, the most serious first. `print` shows them all, and a loop yields one by one.

    A finding has `rule`, such as `goal-above-ids`; `severity`: `block`, `warn` or `note`; `message`, `evidence` and
    `fix`; and `section`, the part of a guide that it enforces.

    Args:
        items: The findings.

    Example:
        >>> wave.check()
        <Findings: 0 block, 1 warn, 1 note>
    """

    items: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Findings:
        """Create it from findings, sorted by severity; the order within a severity stays.

        Example:
            >>> cint.Findings.of([finding for finding in wave.check() if finding.severity == "warn"])
            <Findings: 0 block, 1 warn, 0 note>
        """
        rank = list(Severity)
        return cls(tuple(sorted(findings, key=lambda finding: rank.index(finding.severity))))

    def __iter__(self) -> Iterator[Finding]:
        """Iterate over the findings, the most serious first."""
        return iter(self.items)

    def __len__(self) -> int:
        """Return the number of findings."""
        return len(self.items)

    def __bool__(self) -> bool:
        """Return whether there is any finding."""
        return bool(self.items)

    def rules(self) -> tuple[str, ...]:
        """Return the codes of all findings.

        Example:
            >>> wave.check().rules()
            ('lines-left-out', 'lines-left-out')
        """
        return tuple(finding.rule for finding in self.items)

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """The findings that stop the wave."""
        return tuple(finding for finding in self.items if finding.severity is Severity.BLOCK)

    def raise_if_blocking(self) -> None:
        """Raise if a finding blocks.

        Raises:
            PreflightBlocked: naming each blocking rule and its fix; its `findings` has them.

        Example:
            >>> client.pass_time(days=30)
            >>> try:
            ...     draft.check().raise_if_blocking()
            ... except cint.errors.PreflightBlocked as error:
            ...     print(error.what)
            Fielding would end less than one hour from now. Fielding would start in the past.
        """
        blocking = self.blocking
        if not blocking:
            return
        error = PreflightBlocked(
            " ".join(finding.message for finding in blocking),
            evidence={"rules": ", ".join(dict.fromkeys(finding.rule for finding in blocking))},
            safe="nothing was sent for this step.",
            next_step="; ".join(dict.fromkeys(finding.fix.rstrip(".") for finding in blocking if finding.fix)) + ".",
        )
        error.findings = blocking
        raise error

    @printable
    def __str__(self) -> str:
        """Return every finding as text for a terminal: severity, rule, message, evidence and fix."""
        return "\n".join([repr(self), *(line for finding in self.items for line in _format_finding(finding))])

    @printable
    def __repr__(self) -> str:
        """Show the number of findings by severity."""
        counts = ", ".join(
            f"{sum(finding.severity is severity for finding in self.items)} {severity}" for severity in Severity
        )
        return f"<Findings: {counts}>"


def _format_finding(finding: Finding) -> Iterator[str]:
    yield f"{finding.severity:<5} {finding.rule}: {finding.message}"
    yield from (f"      {word}: {text}" for word, text in (("seen", finding.evidence), ("fix", finding.fix)) if text)
