"""A history and a cohort as cards: what is kept of each wave, and what the exchange will soon no longer give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cint_nb.history.cohort import Cohort
from cint_nb.history.history import History
from cint_nb.panels.look.card import Block, Card, Note, Rows, Say
from cint_nb.panels.look.cell_format import is_empty
from cint_nb.panels.look.text_format import DASH, format_count, format_moment

_CLOSED_BY = {
    "goal": "goal: censored, not attrition",
    "end": "end date",
    "hand": "by hand",
    "pause": "paused",
    "open": "still open",
    "not_known": "not known",
}
_HEADS = ("Wave", "Name", "Field, UTC", "Listed", "Saved", "Came", "Ended by", "Report")


def history_card(history: History, mode: str | None) -> Card:
    """Return a card of a history: a row for each part of each wave, and which reports go out of reach."""
    if not history.waves:
        return Card(f"History {history.folder.name}", [Say("nothing added yet", "`history.add(wave)` adds one")], mode)
    parts = history.parts().to_dict("records")
    rows = [_row(part) for part in parts]
    people = max((int(part["people"]) for part in parts), default=0)
    counted = " · ".join(
        [
            format_count(len({int(part["wave"]) for part in parts}), "wave"),
            format_count(sum(int(part["visits"]) for part in parts), "visit"),
            f"{people:,} people in the largest",
        ]
    )
    blocks: list[Block] = [Say(counted), Rows(_HEADS, rows, [True, False, False, True, True, True, False, False])]
    for row in history.expiring().to_dict("records")[:3]:
        when = f"{row['expires'].day} {row['expires']:%b %Y}"
        blocks.append(Note("warn", "▲", f"Reports of wave {row['wave']} can be read until {when}: refresh keeps them."))
    return Card(f"History {history.folder.name}", blocks, mode)


def _row(part: dict[Any, Any]) -> list[str]:
    began, ended = part["open_from"], part["open_until"]
    field = [DASH if is_empty(each) else format_moment(each.to_pydatetime()) for each in (began, ended)]
    counts = [DASH if is_empty(part[name]) else f"{int(part[name]):,}" for name in ("listed", "saved", "people")]
    closed = str(part["closed_by"])
    return [
        f"{int(part['wave'])}",
        str(part["name"]),
        f"{field[0]} – {field[1]}",
        *counts,
        _CLOSED_BY.get(closed, closed),
        str(part["state"]),
    ]


def cohort_card(cohort: Cohort, mode: str | None) -> Card:
    """Return a card of a cohort: how many people, by which rule, and how they become the next list."""
    said = format_count(len(cohort), "person", "people")
    advice = Say(soft="As the next list: call its `respondents` method.", tiny=True)
    return Card("Cohort", [Say(said, cohort.name, big=True), advice], mode)


CARDS: tuple[tuple[type, Callable[[Any, str | None], Card]], ...] = ((History, history_card), (Cohort, cohort_card))
"""What draws a history and its cohorts."""
