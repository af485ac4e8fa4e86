"""How a file picker draws what it knows of a file: HTML, every text escaped."""

from __future__ import annotations

import re

from cint_nb.domain import limits
from cint_nb.domain.ids import ENTITY_TYPE_MEANINGS, EntityType, mask_ids_in
from cint_nb.panels.file_picker.model import BadLine, FileSummary
from cint_nb.panels.look.base import render_line, state_html
from cint_nb.panels.look.static_html import plain_table
from cint_nb.panels.look.text_format import DASH, escape, format_count, format_size

HEADINGS = ("Line", "Verdict", "Why", "Shape, every character as x")
_STYLES = {
    "usable": ("good", "✓"),
    "duplicate": ("calm", "="),
    "malformed": ("bad", "✕"),
    "blank": ("calm", "○"),
    "header": ("calm", "≡"),
    "hidden": ("warn", "▲"),
}


def render_summary(facts: FileSummary) -> str:
    """Draw name, size and verdicts: a bar of shares, and every number in words below it."""
    about = [format_size(facts.bytes), format_count(facts.lines, "line")]
    about += [f"column {facts.column}"] if facts.column else []
    about += [bit for bit in (facts.encoding, facts.separator) if bit]
    spans = "".join(f"<span>{escape(bit)}</span>" for bit in about)
    parts, numbers = [], []
    for verdict, number in facts.counts:
        if not number:
            continue
        css, icon = _STYLES[verdict]
        share = max(100 * number / (facts.lines or 1), 0.6)
        parts.append(f'<div class="cint-share-part cint-{css}" style="flex-grow:{share:.3f}"></div>')
        numbers.append(
            f'<li class="cint-{css}"><span aria-hidden="true">{icon} </span><b>{number:,}</b> {verdict}</li>'
        )
    return (
        f'<div class="cint-file-name">{escape(facts.name)}</div><div class="cint-facts">{spans}</div>'
        f'<div class="cint-bar cint-shares" aria-hidden="true">{"".join(parts)}</div>'
        f'<ul class="cint-numbers">{"".join(numbers)}</ul>'
    )


def render_bad_lines(facts: FileSummary) -> str:
    """Draw the first lines that cannot be used, with the reason; ids come masked."""
    if not facts.bad_lines:
        return ""
    heads = "".join(f'<th scope="col">{head}</th>' for head in HEADINGS)
    body = "".join(map(_row, facts.bad_lines))
    more = (
        f'<div class="cint-soft">{escape(format_count(facts.hidden_bad_lines, "more line"))} like these: '
        "<code>picker.value.lines()</code> lists all, <code>picker.value.to_rejects(…)</code> writes them to a file."
        "</div>"
        if facts.hidden_bad_lines > 0
        else ""
    )
    return (
        '<div class="cint-scroll" tabindex="0" role="region" aria-label="First lines that cannot be used">'
        f'<table class="cint-t"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>{more}'
    )


def _row(bad: BadLine) -> str:
    css, icon = _STYLES.get(bad.verdict, ("calm", "•"))
    return (
        f'<tr><td class="cint-n">{bad.line:,}</td><td>{state_html(css, icon, bad.verdict)}</td>'
        f"<td>{escape(bad.reason) or DASH}</td><td><code>{_odd(bad.masked) or DASH}</code></td></tr>"
    )


def _odd(shape: str) -> str:
    """Mark the signs that stand among the characters of a line, dashes apart, for they are what is wrong with it."""
    return re.sub(r"[^x\s-]+", lambda found: f'<span class="cint-odd">{escape(found[0])}</span>', shape)


def ragged_text(facts: FileSummary) -> str:
    """Return what is said of rows that do not fit the header; empty where all do."""
    if not facts.ragged:
        return ""
    numbers = ", ".join(f"{line:,}" for line in facts.ragged_lines)
    others = f" and {facts.ragged - len(facts.ragged_lines):,} more" if facts.ragged > len(facts.ragged_lines) else ""
    rows = "row does" if facts.ragged == 1 else "rows do"
    return (
        f"{facts.ragged:,} {rows} not fit the columns: {'line' if facts.ragged == 1 else 'lines'} {numbers}{others}. A "
        "separator inside a text moves the id into another column, so they are left out and counted as malformed."
    )


def render_hints(facts: FileSummary, kind: EntityType | None) -> str:
    """Draw what names say about the kind of id: help before the answer, a warning after one they speak against."""
    ragged = ragged_text(facts)
    lines = [
        f"<li>{state_html('warn', '▲', 'check this')} {escape(ragged)} "
        "<code>picker.value.to_rejects(…)</code> writes them to a file; another separator or header line can be chosen "
        "above.</li>"
    ] * bool(ragged)
    if facts.is_guess:
        lines.append(
            '<li><span class="cint-soft">Hint:</span> the text does not say how it is written. If a name looks wrong, '
            "choose another encoding; ids are the same in all of them.</li>"
        )
    lines += [f"<li>{state_html('warn', '▲', 'check this')} {escape(note)}</li>" for note in facts.notes]
    lines += [f"<li>{state_html('warn', '▲', 'check this')} {escape(text)}</li>" for text in facts.kind_warnings]
    lines += [
        f'<li><span class="cint-soft">Hint:</span> {escape(detail)}, which suggests {ENTITY_TYPE_MEANINGS[says]} '
        f"({says}).</li>"
        for says, detail in facts.hints
        if kind in (None, says)
    ]
    return f'<ul class="cint-hints">{"".join(lines)}</ul>' if lines else ""


def render_code(line: str, facts: FileSummary) -> str:
    """Draw the line that uses the people, and the one that reads the same file without a click, ids in it masked.

    Args:
        line: The line that reads the same file.
        facts: What is shown of the file: more people than one target group takes are offered as parts and as a sample.
    """
    limit, usable = limits.IDS_PER_TARGET_GROUP, facts.usable
    uses = ["people = picker.value"]
    if usable > limit:
        parts = -(-usable // limit)
        uses = [
            f"parts = picker.value.split({-(-usable // parts)})",
            f"people = picker.value.sample({limit:_}, seed=1)",
        ]
    shown = mask_ids_in(line)
    whole = "" if shown == line else " (an id is masked: <code>picker.to_code()</code> returns the line as it runs)"
    again = f'<div class="cint-tiny cint-soft">The same without a click{whole}:</div>{render_line(shown)}'
    return f'<div class="cint-code">{"".join(map(render_line, uses))}{again}</div>'


def render_static_lines(facts: FileSummary) -> str:
    """Write what contradicts the kind of id, and the first bad lines as a table, for a saved notebook."""
    against = "".join(f"<p>check this: {escape(text)}</p>" for text in facts.kind_warnings)
    ragged = ragged_text(facts)
    against += f"<p>check this: {escape(ragged)}</p>" if ragged else ""
    rows = [(f"{bad.line:,}", bad.verdict, bad.reason, bad.masked) for bad in facts.bad_lines]
    return against + (plain_table(HEADINGS, rows) if rows else "")


def format_lines(facts: FileSummary) -> list[str]:
    """Write the facts as lines of text: the same numbers, and the bad lines masked."""
    lines = [f"  {number:>9,}  {verdict}" for verdict, number in facts.counts if number]
    lines += [f"  line {bad.line:,}: {bad.verdict}{f', {bad.reason}' if bad.reason else ''}" for bad in facts.bad_lines]
    lines += [f"  check this: {note}" for note in (ragged_text(facts), *facts.notes) if note]
    lines += [f"  cannot be uploaded: {what}" for what, _ in facts.problems]
    lines += [f"  check this: {text}" for text in facts.kind_warnings]
    return lines
