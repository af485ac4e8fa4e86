"""What a file picker says of a file, without any widget: verdicts as a bar and numbers, the first bad lines masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cint_nb.domain.ids import EntityType
from cint_nb.panels.wording import DASH, count, esc, size

BAD_LINES_SHOWN = 5

ENTITY_WORDS = (
    ("one per person – RSID, respondent ids", EntityType.RSID.value),
    ("one per visit – RID, response ids", EntityType.RID.value),
)
"""The question that no file can answer by itself: both kinds of id look alike."""

_VERDICTS = (
    ("usable", "good", "✔"),
    ("duplicate", "calm", "⧉"),
    ("malformed", "bad", "✖"),
    ("blank", "calm", "○"),
    ("header", "calm", "H"),
)


class RespondentsRead(Protocol):
    """Stand for what was read from a file, such as `study.respondents.Respondents`."""

    @property
    def entity_type(self) -> EntityType:
        """Return what the ids identify."""
        ...

    @property
    def counts(self) -> Any:
        """Return the line counts, one attribute a verdict."""
        ...

    def lines(self) -> Any:
        """Return one row a line, ids masked."""
        ...


@dataclass(frozen=True)
class FileFacts:
    """Hold what is shown of a file.

    Args:
        name: File name, never a path.
        bytes: Size.
        entity_type: What the ids identify.
        column: The column read, empty for a file of one column.
        encoding: How the text is written, empty when unknown.
        counts: Lines of each verdict, `usable` first.
        bad: The first lines that cannot be used: line number, verdict, reason, masked text.
    """

    name: str
    bytes: int
    entity_type: EntityType
    column: str = ""
    encoding: str = ""
    counts: tuple[tuple[str, int], ...] = ()
    bad: tuple[tuple[int, str, str, str], ...] = ()

    @property
    def usable(self) -> int:
        """Return how many ids can be sent."""
        return dict(self.counts).get("usable", 0)

    @property
    def lines(self) -> int:
        """Return how many lines were counted."""
        return sum(number for _, number in self.counts)


def facts_of(people: RespondentsRead, *, name: str, size_bytes: int, column: str = "", encoding: str = "") -> FileFacts:
    """Gather what is shown of a file that was read."""
    counts = tuple((verdict, int(getattr(people.counts, verdict, 0))) for verdict, _, _ in _VERDICTS)
    return FileFacts(name, size_bytes, people.entity_type, column, encoding, counts, _bad_lines(people))


def _bad_lines(people: RespondentsRead) -> tuple[tuple[int, str, str, str], ...]:
    frame = people.lines()
    worth = frame[frame["verdict"].isin(["malformed", "header", "duplicate"])]
    order = worth["verdict"].map({"malformed": 0, "header": 1, "duplicate": 2})
    first = worth.assign(_rank=order).sort_values(["_rank", "line"], kind="stable").head(BAD_LINES_SHOWN)
    return tuple(
        (int(row["line"]), str(row["verdict"]), str(row["reason"]), str(row["id"]))
        for row in first.sort_values("line").to_dict("records")
    )


def draw_facts(facts: FileFacts) -> str:
    """Draw name, size and verdicts: a bar of shares, and every number in words beside it."""
    about = [size(facts.bytes), count(facts.lines, "line")]
    about += [f"column {facts.column}"] if facts.column else []
    about += [facts.encoding] if facts.encoding else []
    about.append("one per person (RSID)" if facts.entity_type is EntityType.RSID else "one per visit (RID)")
    spans = "".join(f"<span>{esc(bit)}</span>" for bit in about)
    total = facts.lines or 1
    looks = {verdict: (css, icon) for verdict, css, icon in _VERDICTS}
    parts, numbers = [], []
    for verdict, number in facts.counts:
        if not number:
            continue
        css, icon = looks[verdict]
        parts.append(f'<div class="cint-verdict-{verdict} cint-{css}" style="width:{100 * number / total:.3f}%"></div>')
        numbers.append(
            f'<li class="cint-{css}"><span class="cint-icon" aria-hidden="true">{icon}</span>'
            f"<b>{number:,}</b> {verdict}</li>"
        )
    return (
        f'<div class="cint-file-name">{esc(facts.name)}</div><div class="cint-facts">{spans}</div>'
        f'<div class="cint-bar cint-verdicts" aria-hidden="true">{"".join(parts)}</div>'
        f'<ul class="cint-numbers">{"".join(numbers)}</ul>'
    )


def draw_bad(rows: Sequence[tuple[int, str, str, str]]) -> str:
    """Draw the first lines that cannot be used, with the reason; ids come masked."""
    if not rows:
        return ""
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("Line", "Verdict", "Reason", "Text, masked"))
    body = "".join(
        f'<tr><td class="cint-right">{line:,}</td><td>{esc(verdict)}</td><td>{esc(reason)}</td>'
        f"<td><code>{esc(text or DASH)}</code></td></tr>"
        for line, verdict, reason, text in rows
    )
    return (
        '<div class="cint-scroll" tabindex="0" role="region" aria-label="First lines that cannot be used">'
        f'<table class="cint-table"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'
    )
