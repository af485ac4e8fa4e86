"""How a file picker draws what it knows of a file: HTML, every text escaped."""

from __future__ import annotations

from cint_nb.domain.ids import EntityType, mask_ids_in
from cint_nb.panels.file_picker.model import MEANS, BadLine, FileFacts
from cint_nb.panels.look.base import state
from cint_nb.panels.look.static_html import plain_table
from cint_nb.panels.look.text_format import DASH, count, esc, size

HEADS = ("Line", "Verdict", "Why", "Text, masked")
_LOOKS = {
    "usable": ("good", "✔"),
    "duplicate": ("calm", "="),
    "malformed": ("bad", "✖"),
    "blank": ("calm", "○"),
    "header": ("calm", "≡"),
}


def draw_facts(facts: FileFacts) -> str:
    """Draw name, size and verdicts: a bar of shares, and every number in words below it."""
    about = [size(facts.bytes), count(facts.lines, "line")]
    about += [f"column {facts.column}"] if facts.column else []
    about += [facts.encoding] if facts.encoding else []
    spans = "".join(f"<span>{esc(bit)}</span>" for bit in about)
    parts, numbers = [], []
    for verdict, number in facts.counts:
        if not number:
            continue
        css, icon = _LOOKS[verdict]
        share = max(100 * number / (facts.lines or 1), 0.6)
        parts.append(f'<div class="cint-share cint-share-{verdict} cint-{css}" style="flex-grow:{share:.3f}"></div>')
        numbers.append(
            f'<li class="cint-{css}"><span class="cint-icon" aria-hidden="true">{icon}</span>'
            f"<b>{number:,}</b> {verdict}</li>"
        )
    return (
        f'<div class="cint-file-name">{esc(facts.name)}</div><div class="cint-facts">{spans}</div>'
        f'<div class="cint-bar cint-shares" aria-hidden="true">{"".join(parts)}</div>'
        f'<ul class="cint-numbers">{"".join(numbers)}</ul>'
    )


def draw_bad(facts: FileFacts) -> str:
    """Draw the first lines that cannot be used, with the reason; ids come masked."""
    if not facts.bad:
        return ""
    heads = "".join(f'<th scope="col">{head}</th>' for head in HEADS)
    body = "".join(map(_row, facts.bad))
    more = (
        f'<div class="cint-soft">{esc(count(facts.more_bad, "more line"))} like these: '
        "<code>picker.value.lines()</code> lists all, <code>picker.value.to_rejects(…)</code> writes them to a file."
        "</div>"
        if facts.more_bad > 0
        else ""
    )
    return (
        '<div class="cint-scroll" tabindex="0" role="region" aria-label="First lines that cannot be used">'
        f'<table class="cint-table"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>{more}'
    )


def _row(bad: BadLine) -> str:
    css, icon = _LOOKS.get(bad.verdict, ("calm", "•"))
    return (
        f'<tr><td class="cint-number">{bad.line:,}</td><td>{state(css, icon, bad.verdict)}</td>'
        f"<td>{esc(bad.reason) or DASH}</td><td><code>{esc(bad.masked) or DASH}</code></td></tr>"
    )


def draw_hints(facts: FileFacts, kind: EntityType | None) -> str:
    """Draw what names say about the kind of id: help before the answer, a warning after one they speak against."""
    lines = []
    for says, detail in facts.hints:
        against = kind is not None and says is not kind
        mark = state("part", "▲", "check this") if against else '<span class="cint-soft">Hint:</span>'
        lines.append(f"<li>{mark} {esc(detail)}, which suggests {MEANS[says]} ({says}).</li>")
    return f'<ul class="cint-hints">{"".join(lines)}</ul>' if lines else ""


_AHEAD = """client = cint.connect()
plan = cint.TargetGroupPlan.of()  # says which fields it needs
wave = client.wave("Wave 2", project="My tracker", respondents=picker.value, plan=plan)
cint.WavePanel(wave)  # leads from here"""


def draw_code(line: str, *, usable: bool) -> str:
    """Draw the line of code that does the same, ids in it masked, and the lines that come next."""
    if not line:
        return ""
    shown = mask_ids_in(line)
    whole = "" if shown == line else " (an id is masked: <code>picker.to_code()</code> returns the line as it runs)"
    ahead = f"<div>Next, in cells:</div><pre><code>{esc(_AHEAD)}</code></pre>" if usable else ""
    return (
        f'<div class="cint-code cint-soft"><div>The same in code: <code>{esc(shown)}</code>{whole}</div>{ahead}</div>'
    )


def still_lines(facts: FileFacts) -> str:
    """Write the first bad lines as a table for a saved notebook."""
    rows = [(f"{bad.line:,}", bad.verdict, bad.reason, bad.masked) for bad in facts.bad]
    return plain_table(HEADS, rows) if rows else ""


def text_lines(facts: FileFacts, kind: EntityType | None) -> list[str]:
    """Write the facts as lines of text: the same numbers, and the bad lines masked."""
    lines = [f"  {number:>9,}  {verdict}" for verdict, number in facts.counts if number]
    lines += [f"  line {bad.line:,}: {bad.verdict}{f', {bad.reason}' if bad.reason else ''}" for bad in facts.bad]
    lines += [f"  check this: {detail}" for says, detail in facts.hints if kind is not None and says is not kind]
    return lines
