"""How a progress panel looks: HTML of what `job_model` says of one moment."""

from __future__ import annotations

from cint_nb.panels.base import state
from cint_nb.panels.job_model import JobText
from cint_nb.panels.wording import esc


def draw_bar(text: JobText) -> str:
    """Draw the bar as HTML: what is certain filled, what may be done hatched, the words beside it."""
    low, high = text.low * 100, text.high * 100
    return (
        f'<div class="cint-bar-row"><div class="cint-bar cint-{text.css}" role="progressbar" aria-label="Progress" '
        f'aria-valuemin="0" aria-valuemax="100" aria-valuenow="{low:.0f}" aria-valuetext="{esc(text.bar)}">'
        f'<div class="cint-fill" style="width:{low:.2f}%"></div>'
        f'<div class="cint-maybe" style="width:{high - low:.2f}%"></div></div>'
        f'<span class="cint-progress-text">{esc(text.bar)}</span></div>'
    )


def draw_status(text: JobText) -> str:
    """Draw the state line, which a screen reader reads when it changes."""
    detail = f'<span class="cint-number">{esc(text.detail)}</span>' if text.detail else ""
    quote = f'<div class="cint-quote">The exchange says: {esc(text.quote)}</div>' if text.quote else ""
    advice = f'<div class="cint-advice">{esc(text.advice)}</div>' if text.advice else ""
    return (
        f'<div role="status"><div class="cint-status">{state(text.css, text.icon, text.word)}{detail}</div>'
        f"{quote}{advice}</div>"
    )


def draw_facts(text: JobText, speed: float | None) -> str:
    """Draw elapsed, left and looks, apart from the state line, which a screen reader reads; under them a moving line.

    The line fills until the next look. The browser moves it: a kernel that counted seconds would spend more on the
    panel than on a third of the looks.

    Args:
        text: What the panel says.
        speed: Seconds of the job's clock in one real second; None where time jumps, and nothing can be seen to come.
    """
    if not text.facts:
        return ""
    due = ""
    if text.due is not None and speed is not None:
        due = f'<div class="cint-due" style="animation-duration:{text.due / speed:.1f}s"></div>'
    return f'<div class="cint-facts">{"".join(f"<span>{esc(fact)}</span>" for fact in text.facts)}</div>{due}'


def draw_hint(hint: str) -> str:
    """Draw the line of code that goes on elsewhere, folded away; nothing where there is none."""
    if not hint:
        return ""
    return (
        '<details class="cint-hint"><summary>The line that goes on in another notebook</summary>'
        f"<code>{esc(hint)}</code></details>"
    )
