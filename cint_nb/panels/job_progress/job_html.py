"""A job as HTML: state line, bar, facts and what there is to say, all of it drawn at once and sent as one message.

What moves by itself between two drawings is moved by the browser: the clocks by CSS; share, bar and time left by the
panels' script, from the figures in the attributes of the whole. Without the script each poll is drawn.
"""

from __future__ import annotations

from typing import Literal

from cint_nb.panels.job_progress.clocks import countdown_style, render_countdown, render_elapsed
from cint_nb.panels.job_progress.model import JobDisplay
from cint_nb.panels.look.base import render_line, render_warnings, state_html
from cint_nb.panels.look.text_format import escape, inline_html


def render_job(text: JobDisplay, speed: float | None, offer: Literal["stop", "watch"] | None = None) -> str:
    """Draw the whole.

    Args:
        text: What the panel says.
        speed: Seconds of the job's clock in one real second; None where time jumps, and nothing can be seen to come.
        offer: Which button is offered, if any; the style sheet hides the others, so that none has to be sent.
    """
    counts = text.next_poll_in is not None and text.elapsed is not None and speed is not None
    return (
        f'<div class="jb" data-offer="{offer or ""}"{_figures(text, speed) if counts and speed is not None else ""}>'
        f"{render_status(text)}{render_bar(text)}{render_facts(text, speed)}{render_message(text, speed)}</div>"
    )


def _figures(text: JobDisplay, speed: float) -> str:
    """Return what the script counts on from: shares and seconds, what they gain in a second, and how fast it passes."""
    figures = {
        "speed": (speed,),
        "share": (text.low, text.high),
        "growth": text.growth,
        "left": text.left_seconds or (),
    }
    return "".join(f' data-{name}="{" ".join(f"{each:.6g}" for each in each_of)}"' for name, each_of in figures.items())


def render_bar(text: JobDisplay) -> str:
    """Draw the bar as HTML: what was counted solid, what is estimated hatched to its end, a mark where it begins.

    Of a partial success the rest is drawn in red.
    """
    low, high, rest = text.low * 100, text.high * 100, text.rejected * 100
    solid, maybe = (low, 0.0) if text.is_measured else (0.0, high)
    mark = f'<i class="jb-mark" style="left:{low:.2f}%"></i>' if not text.is_measured and 0 < low < high else ""
    said = text.bar.replace("–", " to ").replace(" %", " percent") or text.word
    css = "good" if text.rejected else text.css
    return (
        f'<div class="cint-bar cint-{css}" role="progressbar" aria-label="Progress" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{low:.0f}" aria-valuetext="{escape(said)}">'
        f'<i style="width:{solid:.2f}%"></i><i class="cint-maybe" style="width:{maybe:.2f}%"></i>'
        f'<i class="jb-rest" style="width:{rest:.2f}%"></i>{mark}</div>'
    )


def render_status(text: JobDisplay) -> str:
    """Draw the state line, which a screen reader reads when it changes, and what it becomes without a kernel."""
    detail = f'<span class="cint-n">{escape(text.detail)}</span>' if text.detail else ""
    state = f"{state_html(text.css, text.icon, text.word)} {detail}"
    if text.css not in ("good", "warn", "bad"):
        gone = f"<span>{state_html('calm', '■', 'kernel gone')} last seen: {detail or escape(text.word)}</span>"
        state = f'<span class="jb-live">{state}</span><span class="jb-gone">{gone}</span>'
    return f'<div role="status" class="jb-1"><span>{state}</span><span>{escape(text.bar)}</span></div>'


def render_facts(text: JobDisplay, speed: float | None) -> str:
    """Draw elapsed, left and polls, apart from the state line, which a screen reader reads.

    The browser counts on: a kernel that counted seconds would spend more on the panel than on a third of the polls.

    Args:
        text: What the panel says.
        speed: Seconds of the job's clock in one real second; None where time jumps, and nothing can be seen to come.
    """
    if not text.facts:
        return '<div class="jb-3"></div>'
    facts = [f"<span>{escape(fact)}</span>" for fact in text.facts]
    if text.next_poll_in is not None and text.elapsed is not None and speed is not None:
        since = (text.poll or "").partition(" at ")[2]
        left = f'<span class="jb-left">{escape(text.left)}</span>' if text.left else ""
        bits = [render_elapsed(text.elapsed, speed), left, escape(text.poll or "")]
        bits.append(render_countdown(text.next_poll_in, speed, since, text.quiet))
        facts = [f"<span>{bit}</span>" for bit in bits if bit]
    return f'<div class="jb-3"><div class="cint-facts jb-live">{"".join(facts)}</div>{_gone_facts(text)}</div>'


def _gone_facts(text: JobDisplay) -> str:
    if text.css in ("good", "warn", "bad"):
        return ""
    seen = f"<span>last {escape(text.poll)}</span>" if text.poll else ""
    return f'<span class="jb-gone"><div class="cint-facts">{seen}<span>this panel no longer changes</span></div></span>'


def render_message(text: JobDisplay, speed: float | None) -> str:
    """Draw what there is to say: the exchange's words, what to do next, and what the browser says without news."""
    parts = []
    if text.exchange_message:
        css, sign = ("bad", "✕") if text.css == "bad" else ("calm", "❝")
        parts.append(
            f'<div class="cint-note cint-{css}"><span aria-hidden="true">{sign}</span><div><b>The exchange says:</b> '
            f"{escape(text.exchange_message)}</div></div>"
        )
    parts.append(render_warnings(text.warnings))
    if text.advice:
        parts.append(f'<div class="cint-small cint-advice">{inline_html(text.advice)}</div>')
    if text.code:
        parts.append(render_line(text.code))
    if text.next_poll_in is None or speed is None:
        body = f"<div>{''.join(parts)}</div>" if any(parts) else ""
        return f'<div class="jb-msg">{body}{_gone_message(text)}</div>'
    moment = countdown_style(text.next_poll_in, speed, text.quiet)
    calm = '<div class="cint-small cint-soft">The job continues on the exchange, also if you close the notebook.</div>'
    return (
        f'<div class="jb-msg" style="{moment}"><div class="jb-fade jb-live">{"".join(parts) or calm}</div>'
        '<div class="jb-late jb-live"><div class="cint-note cint-warn"><span aria-hidden="true">▲</span><div>'
        "<b>No reply from the kernel.</b> The job continues on the exchange. A busy kernel clears this; after a "
        f"restart run <code>cint.resume_jobs()</code>.</div></div></div>{_gone_message(text)}</div>"
    )


def _gone_message(text: JobDisplay) -> str:
    if text.css in ("good", "warn", "bad"):
        return ""
    return (
        '<span class="jb-gone"><div class="cint-small">The job continues on the exchange. Run '
        "<code>cint.resume_jobs()</code> in a cell: it asks the exchange and shows what runs.</div></span>"
    )
