"""What is counted of a wave: people from lines to completes, and its budget; what is not known is None, never 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from cint_nb.domain.jobs import JobKind, JobSnapshot
from cint_nb.domain.plan import Money
from cint_nb.panels.look.cell_format import is_empty
from cint_nb.panels.look.text_format import escape, format_count, show_money
from cint_nb.study.files.respondents import Respondents
from cint_nb.wave.exchange.state import ExchangeState
from cint_nb.wave.journal.journal import JournalEntry
from cint_nb.wave.journal.payloads import JobPayload, Payload

UPLOAD_KINDS = (JobKind.UPLOAD, JobKind.UPLOAD_RSIDS)
"""What saves people: by the present URL and by the older one."""


@dataclass(frozen=True)
class WaveFigures:
    """The counts of a wave.

    Args:
        lines: Lines of the source.
        usable: Of them, ids that can be sent.
        left_out: Why the others were left out, in words.
        sent: Ids sent.
        saved: Ids in the target group.
        rejected: Ids sent and not saved.
        entrants: People who entered.
        completes: People who completed.
        goal: Completes wanted.
        lost: Why visits ended before the end, in words.
        currency: Of all amounts.
        approved: The budget that was approved here.
        committed: The most that it can still cost in all.
        spent: What it has cost.
        warnings: Sentences of the status.
        read_at: When the status was read; None if only what was known before is shown.
    """

    lines: int | None = None
    usable: int | None = None
    left_out: str | None = None
    sent: int | None = None
    saved: int | None = None
    rejected: int | None = None
    entrants: int | None = None
    completes: int | None = None
    goal: int | None = None
    lost: str | None = None
    currency: str | None = None
    approved: Decimal | None = None
    committed: Decimal | None = None
    spent: Decimal | None = None
    warnings: tuple[str, ...] = ()
    read_at: datetime | None = None

    def stages(self) -> list[tuple[str, int, str]]:
        """Return the stages that are known, each with its people and a remark."""
        rejected = f"{self.rejected:,} not saved by the exchange" if self.rejected else None
        found = (
            ("lines", self.lines, None),
            ("usable", self.usable, self.left_out),
            ("sent", self.sent, None),
            ("saved", self.saved, rejected),
            ("entered", self.entrants, None),
            ("completed", self.completes, self.lost),
        )
        return [(name, number, remark or "") for name, number, remark in found if number is not None]


def known_figures(
    people: Respondents | None,
    entries: Sequence[JournalEntry[Payload]],
    state: ExchangeState | None,
    before: WaveFigures | None = None,
    approved: Money | None = None,
) -> WaveFigures:
    """Return what is known without a question to the exchange: by list, journal and the state that was read.

    Args:
        people: The list; None where there is none.
        entries: What the journal holds of the wave, oldest first.
        state: The state that was read.
        before: Figures read earlier: what only a status shows is kept.
        approved: The budget last approved here.
    """
    found = before or WaveFigures()
    if approved is not None:
        found = replace(found, approved=approved.value, currency=approved.currency_code)
    if people is not None:
        counts = people.counts
        left_out = ", ".join(
            f"{number:,} {name}"
            for name in ("malformed", "duplicate", "blank", "header", "hidden")
            if (number := getattr(counts, name))
        )
        found = replace(
            found, lines=counts.lines, usable=counts.usable, left_out=f"{left_out} left out" if left_out else None
        )
    last = _last_upload(entries)
    if last is not None and found.read_at is None:
        sent = found.usable
        rejected = sent - last.saved_count if sent is not None and last.saved_count is not None else None
        found = replace(found, sent=sent, saved=last.saved_count, rejected=rejected)
    overview = state.overview if state is not None else None
    if overview is not None:
        cost = overview.current_cost
        found = replace(
            found,
            completes=_newer(overview.progress.current_completes, found.completes),
            goal=_newer(overview.progress.filling_goal, found.goal),
            spent=_newer(cost.value if cost else None, found.spent),
            currency=_newer(cost.currency_code if cost else None, found.currency),
        )
    return found


def _newer(now: Any, before: Any) -> Any:
    return before if now is None else now


def _last_upload(entries: Sequence[JournalEntry[Payload]]) -> JobSnapshot | None:
    removed = max((entry.number for entry in entries if entry.step == "remove"), default=0)
    for entry in reversed(entries):
        payload = entry.payload
        if entry.step == "upload" and entry.number > removed and isinstance(payload, JobPayload) and payload.snapshot:
            return payload.snapshot if payload.snapshot.handle.kind in UPLOAD_KINDS else None
    return None


def figures_with_status(found: WaveFigures, row: Mapping[Any, Any], read_at: datetime) -> WaveFigures:
    """Return figures with those of a row of `wave.status()`."""

    def whole(name: str) -> int | None:
        return None if is_empty(row.get(name)) else int(row[name])

    def money(name: str) -> Decimal | None:
        return None if is_empty(row.get(name)) else Decimal(str(row[name]))

    screened = whole("screenouts")
    sent, saved = whole("sent"), whole("saved")
    return replace(
        found,
        sent=_newer(sent, found.sent),
        saved=_newer(saved, found.saved),
        rejected=sent - saved if sent is not None and saved is not None and saved <= sent else None,
        entrants=whole("entrants"),
        completes=_newer(whole("completes"), found.completes),
        goal=_newer(whole("goal"), found.goal),
        lost=f"{screened:,} screened out or over quota" if screened else None,
        currency=None if is_empty(row.get("currency")) else str(row["currency"]),
        approved=money("approved"),
        committed=money("committed"),
        spent=money("spent"),
        warnings=tuple(text for text in str(row.get("warnings") or "").split("; ") if text),
        read_at=read_at,
    )


def render_funnel(figures: WaveFigures) -> str:
    """Draw people from lines to completes as one funnel, each with its share of the step before."""
    stages = figures.stages()
    if len(stages) < 2:
        return ""
    most = max(number for _, number, _ in stages) or 1
    rows, before = [], 0
    for place, (name, number, remark) in enumerate(stages):
        share = f"{number / before:.0%}".replace("%", " %") if place and before else ""
        rows.append(
            f'<span>{name}</span><i aria-hidden="true" style="width:{100 * number / most:.1f}%"></i><b>{number:,}</b>'
            f"<em>{share}</em>{f'<small>{escape(remark)}</small>' if remark else ''}"
        )
        before = number
    return f'<div><h4>People, and the share of the step before</h4><div class="wv-fun">{"".join(rows)}</div></div>'


def render_budget(figures: WaveFigures) -> str:
    """Draw what was spent and what may still come against what was approved; beyond it is red and hatched."""
    rows = budget_rows(figures)
    if not rows:
        return ""
    spent, most = figures.spent or Decimal(0), max(figures.committed or Decimal(0), figures.spent or Decimal(0))
    whole = max(figures.approved or Decimal(0), most) or Decimal(1)
    within = min(most, figures.approved) if figures.approved is not None else most
    parts = (
        ("", min(spent, within)),
        (' class="cint-maybe"', within - min(spent, within)),
        (' class="cint-maybe wv-over"', most - within),
    )
    bar = "".join(f'<i{css} style="width:{100 * part / whole:.1f}%"></i>' for css, part in parts if part)
    said = ", ".join(f"{name} {value}" for _, name, value in rows)
    key = "".join(
        f"<span>{f'<s class={css!r}></s>' if css != '-' else ''}{escape(name)}</span><span>{escape(value)}</span>"
        for css, name, value in rows
    )
    unit = f", {escape(figures.currency)}" if figures.currency else ""
    return (
        f'<div><h4>Budget{unit}</h4><div class="cint-bar" role="img" aria-label="{escape(said)}">{bar}</div>'
        f'<div class="wv-key">{key}</div></div>'
    )


def budget_rows(figures: WaveFigures) -> list[tuple[str, str, str]]:
    """Return the lines of the budget: sign, name and amount; nothing where no amount is known."""
    if figures.approved is None and figures.spent is None and figures.committed is None:
        return []

    def shown(amount: Decimal | None) -> str:
        return "not known" if amount is None else show_money(amount, figures.currency, unit=False)

    rows = [("", "spent", shown(figures.spent))]
    spent, committed, approved = figures.spent, figures.committed, figures.approved
    if committed is not None:
        rows.append(("m", "may still come", shown(max(committed - (spent or Decimal(0)), Decimal(0)))))
    most = max(committed or Decimal(0), spent or Decimal(0))
    if approved is not None and most > approved:
        rows.append(("o", "over the approval", shown(most - approved)))
    elif approved is not None:
        rows.append(("f", "free", shown(approved - most)))
    return [*rows, ("-", "approved", shown(approved))]


def reached_text(figures: WaveFigures) -> str:
    """Return how far the goal is reached, in words; empty where nothing is known."""
    if figures.completes is None:
        return ""
    if figures.goal is None:
        return format_count(figures.completes, "complete")
    return f"{figures.completes:,} of {format_count(figures.goal, 'complete')}"
