"""An error as a card: what happened, what is known, what is safe, and the next step."""

from __future__ import annotations

from cint_nb.domain.errors import CintError
from cint_nb.panels.look.card import Card, Facts


def error_card(error: CintError, mode: str | None) -> Card:
    """Return a card of an error: what happened, what is known, what is safe, and the next step."""
    known = ", ".join(f"{name} {value}" for name, value in error.evidence.items())
    rows = [("cause", error.what, ""), ("known", known, ""), ("safe", error.safe or "", "")]
    rows += [("next", error.next_step or "", "")]
    return Card(type(error).__name__, [Facts([row for row in rows if row[1]])], mode, tone="bad")
