"""A panel that shows preflight findings, the most serious first, each with its evidence and its fix."""

from __future__ import annotations

from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.findings import Findings
from cint_nb.panels.look.base import Panel, make_html_part, set_html
from cint_nb.panels.look.card import Card
from cint_nb.panels.look.mode import mode_of
from cint_nb.panels.wave_view.findings_card import findings_blocks, headline


@check_arguments()
class FindingsTable(Panel):
    """Show findings by severity, with evidence and fix. `findings` alone as the last line of a cell looks the same.

    Args:
        findings: What preflight said.
        mode: `sandbox`, `replay` or `live`; that of the latest `connect` when left out.
        title: Heading.

    `value` is the `Findings`; `update` shows others. Serves the rules of both guides.

    Example:
        >>> cint.FindingsTable(wave.check())
        <FindingsTable: sandbox · Findings · 1 warning, 1 note>
    """

    def __init__(self, findings: Findings | None = None, *, mode: str | None = None, title: str = "Findings") -> None:
        self._body = make_html_part("cint-findings-part")
        super().__init__("findings-table", mode or mode_of(None), title, (self._body,))
        self.update(findings if findings is not None else Findings())

    def update(self, findings: Findings) -> None:
        """Show these findings."""
        self.value = findings
        set_html(self._body, f'<div class="cint-body" role="status">{self._card().body()}</div>')

    def _card(self) -> Card:
        return Card(self._title, findings_blocks(self.value), self.mode)

    def summary(self) -> list[str]:
        """Return the title and the verdict."""
        return [self._title, headline(self.value)]

    def to_static_html(self) -> str:
        """Return the findings as a still picture."""
        return self._card().html()

    def to_text(self) -> str:
        """Return the repr, and the findings as text."""
        return "\n".join([repr(self), *self._card().text().splitlines()[1:]])
