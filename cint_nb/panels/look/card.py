"""A card: a head, and blocks below it. One description is drawn as HTML and as text, so that both say the same."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from cint_nb.domain.ids import printable
from cint_nb.panels.look.base import mode_badge_html, state_html
from cint_nb.panels.look.static_html import NO_MATHJAX_CLASS
from cint_nb.panels.look.style import CARD_STYLE
from cint_nb.panels.look.text_format import align_columns, escape, inline_html, inline_text

WIDTH = 80
"""Columns of a terminal."""


def wrap(text: str, indent: str = "  ", first: str | None = None) -> list[str]:
    """Break a text into lines of at most 80 columns; code and long words stay whole."""
    return textwrap.wrap(
        inline_text(text),
        WIDTH,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


class Block(Protocol):
    """Protocol for a part of a card."""

    def html(self) -> str:
        """Return the part as HTML."""
        ...

    def lines(self) -> list[str]:
        """Return the part as lines of text."""
        ...


@dataclass(frozen=True)
class Say:
    """The sentence that matters, with what is less important behind it.

    Args:
        text: The sentence.
        soft: What stands behind it.
        state: Colour, sign and word before it.
        big: Whether it is the one number of the card.
        tiny: Whether it is a remark.
    """

    text: str | None = None
    soft: str | None = None
    state: tuple[str, str, str] | None = None
    big: bool = False
    tiny: bool = False

    def html(self) -> str:
        """Return the sentence as HTML."""
        bits = [state_html(*self.state)] if self.state else []
        if self.text:
            bits.append(f'<span class="{"cint-big" if self.big else "cint-n"}">{inline_html(self.text)}</span>')
        if self.soft:
            bits.append(f'<span class="cint-soft{" cint-small" if self.big else ""}">{inline_html(self.soft)}</span>')
        css = ' class="cint-tiny cint-soft"' if self.tiny else ""
        return f"<div{css}>{' '.join(bits)}</div>"

    def lines(self) -> list[str]:
        """Return the sentence as text."""
        state = f"{self.state[1]} {self.state[2]}" if self.state else ""
        return wrap("  ".join(bit for bit in (state, self.text, self.soft) if bit))


@dataclass(frozen=True)
class Facts:
    """Names with what they are, in one or two columns.

    Args:
        rows: Name, value, and a remark on it.
        columns: In how many columns they stand where there is room.
    """

    rows: Sequence[tuple[str, str, str]]
    columns: int = 1

    def html(self) -> str:
        """Return the facts as HTML."""
        half = -(-len(self.rows) // self.columns)
        lists = [self.rows[start : start + half] for start in range(0, len(self.rows), half or 1)]
        parts = ["".join(map(_fact_html, rows)) for rows in lists]
        drawn = "".join(f'<dl class="cint-dl">{part}</dl>' for part in parts)
        return f'<div class="cint-two">{drawn}</div>' if self.columns > 1 else drawn

    def lines(self) -> list[str]:
        """Return the facts as text."""
        wide = max((len(name) for name, _, _ in self.rows), default=0)
        return [
            line
            for name, value, remark in self.rows
            for line in wrap(
                "  ".join(bit for bit in (value, remark) if bit), " " * (wide + 4), f"  {name.ljust(wide)}  "
            )
        ]


def _fact_html(row: tuple[str, str, str]) -> str:
    name, value, remark = row
    tail = f' <span class="cint-soft">{inline_html(remark)}</span>' if remark else ""
    return f"<dt>{escape(name)}</dt><dd>{inline_html(value)}{tail}</dd>"


@dataclass(frozen=True)
class Item:
    """A point of a list: its state, what it says, and what to do.

    Args:
        state: Colour, sign and word.
        text: What it says.
        evidence: What was seen.
        fix: What to do.
    """

    state: tuple[str, str, str]
    text: str
    evidence: str | None = None
    fix: str | None = None

    def html(self) -> str:
        """Return the point as HTML."""
        evidence = f' <span class="cint-soft">{inline_html(self.evidence)}</span>' if self.evidence else ""
        fix = f'<p class="cint-soft">Fix: {inline_html(self.fix)}</p>' if self.fix else ""
        return (
            f'<div class="cint-f">{state_html(*self.state)}<div><p>{inline_html(self.text)}{evidence}</p>{fix}</div>'
            "</div>"
        )

    def lines(self) -> list[str]:
        """Return the point as text."""
        head = f"  {self.state[1]} {self.state[2].ljust(8)} "
        indent = " " * len(head)
        shown = wrap(" ".join(bit for bit in (self.text, self.evidence) if bit), indent, head)
        return shown + (wrap(f"Fix: {self.fix}", indent) if self.fix else [])


@dataclass(frozen=True)
class Items:
    """A list of points."""

    items: Sequence[Item]

    def html(self) -> str:
        """Return the list as HTML."""
        return f"<div>{''.join(item.html() for item in self.items)}</div>"

    def lines(self) -> list[str]:
        """Return the list as text."""
        return [line for item in self.items for line in item.lines()]


@dataclass(frozen=True)
class Shares:
    """A table of counts with their shares.

    Args:
        heads: Of the name, the count, the share and the meaning.
        rows: Colour, name, count, share 0–1, meaning.
        total: Count, and what is said of it.
    """

    heads: tuple[str, str, str, str]
    rows: Sequence[tuple[str, str, int, float, str]]
    total: tuple[int, str]

    def html(self) -> str:
        """Return the table as HTML."""
        name, count, share, meaning = map(escape, self.heads)
        head = (
            f'<tr><th scope="col">{name}</th><th scope="col" class="r">{count}</th><th scope="col" class="r">{share}'
            f'</th><td class="cint-share-cell"></td><th scope="col">{meaning}</th></tr>'
        )
        body = "".join(
            f'<tr><td class="cint-{css}">{escape(word)}</td><td class="r">{lines:,}</td>'
            f'<td class="r">{percent(part)}</td><td class="cint-share-cell cint-{css}" aria-hidden="true">'
            f'<span class="cint-share" style="width:{max(90 * part, 1.5 if lines else 0):.1f}px"></span></td>'
            f"<td>{inline_html(said)}</td></tr>"
            for css, word, lines, part, said in self.rows
        )
        last = (
            f'<tr><td><b>all</b></td><td class="r"><b>{self.total[0]:,}</b></td><td class="r">100 %</td>'
            f'<td class="cint-share-cell"></td><td class="cint-soft">{inline_html(self.total[1])}</td></tr>'
        )
        return (
            f'<div class="cint-scroll" tabindex="0" role="region" aria-label="{name}"><table class="cint-t"><thead>'
            f"{head}</thead><tbody>{body}{last}</tbody></table></div>"
        )

    def lines(self) -> list[str]:
        """Return the table as text."""
        rows = [(word, f"{lines:,}", percent(part), said) for _, word, lines, part, said in self.rows]
        rows += [("all", f"{self.total[0]:,}", "100 %", self.total[1])]
        table = [self.heads, *rows]
        wide = [max(len(row[place]) for row in table) for place in range(3)]
        return [
            line
            for row in table
            for line in wrap(
                row[3],
                " " * (sum(wide) + 8),
                f"  {row[0].ljust(wide[0])}  {row[1].rjust(wide[1])}  {row[2].rjust(wide[2])}  ",
            )
        ]


@dataclass(frozen=True)
class Mark:
    """A cell of a table that stands out.

    Args:
        css: Its colour.
        icon: One character.
        word: What it says.
    """

    css: str
    icon: str
    word: str

    def html(self) -> str:
        """Return the cell as HTML."""
        return state_html(self.css, self.icon, self.word)

    def __str__(self) -> str:
        """Return the cell as text."""
        return f"{self.icon} {self.word}"


@dataclass(frozen=True)
class Range:
    """A cell of a table that draws a share with its interval; the figures stand in the cells beside it.

    Args:
        css: Its colour.
        low: Lower end of the interval, 0–1.
        high: Upper end, 0–1.
    """

    css: str
    low: float
    high: float

    def html(self) -> str:
        """Return the cell as HTML, for the eye alone."""
        return (
            f'<div class="cint-bar cint-{self.css}" style="width:90px;margin-top:5px" aria-hidden="true">'
            f'<i style="width:{100 * self.low:.1f}%"></i>'
            f'<i class="cint-maybe" style="width:{100 * (self.high - self.low):.1f}%"></i></div>'
        )

    def __str__(self) -> str:
        """Return nothing: a text has the figures."""
        return ""


Cell: TypeAlias = str | Mark | Range
"""What stands in a table."""


@dataclass(frozen=True)
class Rows:
    """A table; as text, where it is wider than a terminal, a line for each row and its other cells below it.

    Args:
        heads: Its headings.
        rows: Its cells.
        right: Which columns hold numbers.
        more: What is said below of rows that are not shown.
        name: What it is, for a screen reader; a heading where it is `titled`.
        titled: Whether its name is shown.
        stacks: Whether a narrow panel draws its rows one below the other.
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    right: Sequence[bool]
    more: str | None = None
    name: str = "Rows"
    titled: bool = False
    stacks: bool = False

    def html(self) -> str:
        """Return the table as HTML."""
        css = [' class="r"' if right else "" for right in self.right]
        # Where rows may be drawn one below the other, roles are said, and each cell names its heading.
        table, group, line, column, cell = (
            (f' role="{role}"' if self.stacks else "") for role in ("table", "rowgroup", "row", "columnheader", "cell")
        )
        names = [f' data-l="{escape(text)}"' if self.stacks and text else "" for text in self.heads]
        head = "".join(
            f'<th scope="col"{column}{each}>{escape(text)}</th>' if text else f"<td{cell}></td>"
            for each, text in zip(css, self.heads, strict=True)
        )
        body = "".join(
            f"<tr{line}>"
            + "".join(
                f"<td{cell}{each}{name}>{_cell_html(value)}</td>"
                for each, name, value in zip(css, names, row, strict=True)
            )
            + "</tr>"
            for row in self.rows
        )
        more = f'<p class="cint-tiny cint-soft">{inline_html(self.more)}</p>' if self.more else ""
        heading = f'<p class="cint-small cint-soft" role="heading" aria-level="4"><b>{escape(self.name)}</b></p>'
        title = heading if self.titled else ""
        return (
            f'{title}<div class="cint-scroll" tabindex="0" role="region" aria-label="{escape(self.name)}">'
            f'<table class="cint-t"{table}><thead{group}><tr{line}>{head}</tr></thead>'
            f"<tbody{group}>{body}</tbody></table></div>{more}"
        )

    def lines(self) -> list[str]:
        """Return the table as text."""
        named = [place for place, head in enumerate(self.heads) if head]  # a drawing has no heading, and no text
        table = [[str(line[place]) for place in named] for line in (self.heads, *self.rows)]
        shown = align_columns(table, [self.right[place] for place in named])
        if max(map(len, shown)) > WIDTH:
            shown = [line for row in table[1:] for line in row_lines(table[0], row)]
        title = [f"  {self.name}"] if self.titled else []
        return [*title, *shown, *(wrap(self.more) if self.more else [])]


def _cell_html(cell: Cell) -> str:
    return escape(cell) if isinstance(cell, str) else cell.html()


def row_lines(heads: Sequence[str], row: Sequence[str]) -> list[str]:
    """Write a row that is too wide for a terminal: its first two cells, and below them the others, with headings."""
    said = [
        text if head == "Name" else f"{head[:1].lower()}{head[1:]} {text}"
        for head, text in zip(heads, row, strict=True)
    ]
    return [*wrap(" · ".join(said[:2]), "    ", "  "), *wrap(" · ".join(said[2:]), "    ")]


@dataclass(frozen=True)
class Bar:
    """A bar: what is certain, and what may be.

    Args:
        css: Its colour.
        low: Share that is certain, 0–1.
        high: Share that may be, 0–1.
        said: The bar in words.
    """

    css: str
    low: float
    high: float
    said: str

    def html(self) -> str:
        """Return the bar as HTML."""
        return (
            f'<div class="cint-bar cint-{self.css}" role="img" aria-label="{escape(self.said)}">'
            f'<i style="width:{100 * self.low:.1f}%"></i><i class="cint-maybe" '
            f'style="width:{100 * (self.high - self.low):.1f}%"></i></div>'
        )

    def lines(self) -> list[str]:
        """Return the bar as text."""
        wide = 40
        solid, maybe = round(self.low * wide), round(self.high * wide)
        return [f"  [{'#' * solid}{'~' * (maybe - solid)}{'.' * (wide - maybe)}]"]


@dataclass(frozen=True)
class Dots:
    """Short facts in one line."""

    facts: Sequence[str]

    def html(self) -> str:
        """Return the facts as HTML."""
        return f'<div class="cint-facts">{"".join(f"<span>{inline_html(fact)}</span>" for fact in self.facts)}</div>'

    def lines(self) -> list[str]:
        """Return the facts as text."""
        return wrap(" · ".join(self.facts))


@dataclass(frozen=True)
class Note:
    """A warning or a remark that stands out.

    Args:
        css: `warn`, `bad`, `busy`, `good` or `calm`.
        icon: One character.
        text: What it says; up to the first full stop it is bold.
    """

    css: str
    icon: str
    text: str

    def html(self) -> str:
        """Return the note as HTML."""
        return (
            f'<div class="cint-note cint-{self.css}"><span aria-hidden="true">{escape(self.icon)}</span>'
            f"<div>{inline_html(self.text)}</div></div>"
        )

    def lines(self) -> list[str]:
        """Return the note as text."""
        return wrap(self.text, "    ", f"  {self.icon} ")


@printable
@dataclass(frozen=True)
class Card:
    """A value as it is shown.

    Args:
        title: What it is.
        blocks: What is said of it.
        mode: The mode of the exchange; None where it is not certain.
        aside: What stands to the right, such as when it was read.
        tone: `bad` for an error.
    """

    title: str
    blocks: Sequence[Block]
    mode: str | None = None
    aside: str | None = None
    tone: str | None = None

    def html(self) -> str:
        """Return the card as HTML that needs nothing else."""
        badge = mode_badge_html(self.mode) if self.mode else ""
        aside = f'<span class="cint-right cint-n">{escape(self.aside)}</span>' if self.aside else ""
        tone = f" cint-card-{self.tone}" if self.tone else ""
        return (
            f'{CARD_STYLE}<section class="cint cint-card{tone} {NO_MATHJAX_CLASS}">'
            f'<div class="cint-head"><span class="cint-title">{escape(self.title)}</span>{badge}{aside}</div>'
            f'<div class="cint-body">{self.body()}</div></section>'
        )

    def body(self) -> str:
        """Return what stands below the head, as HTML."""
        return "".join(block.html() for block in self.blocks)

    def text(self) -> str:
        """Return the card as text."""
        head = "  ".join(bit for bit in (self.title, f"[{self.mode}]" if self.mode else "", self.aside) if bit)
        return "\n".join([head, *(line for block in self.blocks for line in block.lines())])


def percent(share: float, decimals: int = 1) -> str:
    """Write a share as a percentage for people."""
    return f"{100 * share:.{decimals}f} %"
