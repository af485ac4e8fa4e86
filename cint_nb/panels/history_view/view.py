"""How a history view draws its figures: tables of waves and of retention, and notes about what expires."""

from __future__ import annotations

from datetime import datetime

from cint_nb.panels.history_view.figures import HistoryFigures, RetentionRow, WaveRow
from cint_nb.panels.look.card import Block, Cell, Mark, Note, Range, Rows, Say, percent
from cint_nb.panels.look.text_format import DASH, format_count, format_moment

BASES = {
    "previous": "Retention: who completed the wave before, and this one",
    "first": "Retention: who completed the first wave, and this one",
    "ever": "Retention: who completed any earlier wave, and this one",
    "asked": "Participation: who was asked in the wave, and completed it",
}
"""What the rates are shares of, by the bases of `measure.retention`."""

_NOT_KNOWN = "not known"
_CLOSINGS = {
    "goal": "goal",
    "end": "end date",
    "hand": "by hand",
    "pause": "paused",
    "open": "still open",
    "not_known": _NOT_KNOWN,
}
_CENSORED = Mark("warn", "▲", "goal: censored, not attrition")
_KINDS: dict[str, Cell] = {
    "rate": "rate",
    "lower_bound": Mark("warn", "▲", "at least: it stopped at its goal"),
    "provisional": Mark("busy", "▶", "so far: still open, or read early"),
    "not_known": Mark("warn", "?", "not known: no report"),
}
_REPORTS: dict[str, Cell] = {
    "final": "final",
    "mid-field": Mark("busy", "▶", "mid-field"),
    "report missing": Mark("warn", "?", "missing"),
}
_WAVE_HEADS = (
    "Wave", "Name", "Opened", "Closed", "Why closed", "Listed", "Came", "Completes", "Report", "Readable until",
)  # fmt: skip
_RATE_HEADS = ("Wave", "Of", "Not asked", "Completed", "Share", "", "95 % interval", "What it is")


def history_blocks(figures: HistoryFigures) -> list[Block]:
    """Return what is shown of a history: counts, its waves, retention between them, and what expires."""
    if not figures.rows:
        return [Say("nothing added yet", "`history.add(wave)` adds one")]
    visits = figures.visits
    counted = [
        format_count(figures.waves, "wave"),
        "visits not known" if visits is None else format_count(visits, "visit"),
    ]
    blocks: list[Block] = [
        Say(" · ".join(counted), "all times in UTC"),
        Rows(
            _WAVE_HEADS,
            [_wave_cells(row) for row in figures.rows],
            [head in ("Wave", "Listed", "Came", "Completes") for head in _WAVE_HEADS],
            name="Waves",
            stacks=True,
        ),
    ]
    blocks += _expiry_notes(figures)
    if figures.refused is not None:
        blocks.append(Note("warn", "▲", f"No rates. {figures.refused}"))
    elif figures.retention:
        more = f"The same with all columns: `cint.measure.retention(history.long(), base={figures.base!r})`"
        right = [True] * 5 + [False, True, False]
        rates = [_rate_cells(row) for row in figures.retention]
        blocks.append(Rows(_RATE_HEADS, rates, right, more, name=BASES[figures.base], titled=True, stacks=True))
    return blocks


def _wave_cells(row: WaveRow) -> list[Cell]:
    censored = row.closed_by == "goal" and row.listed is not None
    closed = _moment(row.closed)
    return [
        f"{row.wave}",
        row.name,
        _moment(row.opened),
        f"planned {closed}" if row.closed_by == "open" and row.closed is not None else closed,
        _CENSORED if censored else _CLOSINGS.get(row.closed_by, row.closed_by),
        DASH if row.listed is None else f"{row.listed:,}",
        _count(row.came),
        _count(row.completes),
        _REPORTS.get(row.report, row.report),
        _day(row.expires),
    ]


def _rate_cells(row: RetentionRow) -> list[Cell]:
    share, low, high = row.share, row.low, row.high
    figures = [f"{row.wave}", f"{row.n:,}", f"{row.not_asked:,}"]
    kind = _KINDS.get(row.kind, row.kind)
    if share is None or low is None or high is None:
        return [*figures, _NOT_KNOWN, _NOT_KNOWN, "", _NOT_KNOWN, kind if row.n else "nobody to come back"]
    css = "busy" if row.kind == "rate" else "warn"
    between = f"{100 * low:.1f}{DASH}{percent(high)}"
    return [*figures, f"{row.completed:,}", percent(share), Range(css, low, high), between, kind]


def _expiry_notes(figures: HistoryFigures) -> list[Block]:
    """Return a note for each wave that expires soon; where none does, nothing: its date stands in its row."""
    notes: list[Block] = []
    for row, days_left in figures.expiring:
        day, wave = _day(row.expires), f"wave {row.wave} ({row.name})"
        if days_left > 0:
            said = f"Reports of {wave} can be read until {day}. `history.refresh(client)` keeps what they say."
            notes.append(Note("warn", "▲", said))
        elif row.report == "final":
            notes.append(Note("calm", "ℹ", f"Reports of {wave} have been going since {day}. What is kept here stays."))
        else:
            said = (
                f"Reports of {wave} have been going since {day}, and the one kept is {row.report}. What it says stays."
            )
            notes.append(Note("warn", "▲", said))
    return notes


def _count(number: int | None) -> str:
    return _NOT_KNOWN if number is None else f"{number:,}"


def _moment(time: datetime | None) -> str:
    return _NOT_KNOWN if time is None else format_moment(time)


def _day(time: datetime | None) -> str:
    return _NOT_KNOWN if time is None else f"{time.day} {time:%b %Y}"
