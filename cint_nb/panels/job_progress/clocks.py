"""Clocks that the browser moves: strips of digits pushed up step by step by CSS, without a script or a message.

Transforms of text cost next to nothing, and nothing has to come from the kernel. Where motion is not wanted the digits
step all the same: they carry a meaning, and a clock that stands would say something false.
"""

from __future__ import annotations

from cint_nb.panels.job_progress.model import GRACE_SECONDS
from cint_nb.panels.look.text_format import escape, format_duration

_LONGEST_COUNTDOWN = 120


def render_elapsed(seconds: float, speed: float) -> str:
    """Draw a clock that goes on from so many seconds; a screen reader reads what it showed at the last poll."""
    start = int(seconds)
    digits = [_strip(3600 * 24, 24, start)] if start >= 3000 else []
    clock = ":".join(
        [*digits, _strip(3600, 6, start) + _strip(600, 10, start), _strip(60, 6, start) + _strip(10, 10, start)]
    )
    return (
        f'<span aria-hidden="true" style="--speed:{speed:g}">{clock}</span>'
        f'<span class="cint-vh">{escape(format_duration(seconds))} at the last poll</span> elapsed'
    )


def countdown_style(seconds: float, speed: float, quiet: float) -> str:
    """Return when a poll is due and how long after it there may be no news, as variables of the style sheet.

    Args:
        seconds: Until the next poll, by the job's clock.
        speed: Seconds of the job's clock in one real second.
        quiet: Seconds, by the job's clock, in which polls that find nothing new are not shown.
    """
    due = max(round(seconds), 1)
    grace = GRACE_SECONDS + max(quiet - due, 0.0) / speed
    return f"--due:{due};--grace:{grace:.0f};--speed:{speed:g}"


def render_countdown(seconds: float, speed: float, since: str, quiet: float = 0.0) -> str:
    """Draw the seconds until the next poll, then that it is due, then that there is no news.

    Args:
        seconds: Until the next poll, by the job's clock.
        speed: Seconds of the job's clock in one real second.
        since: When the last poll was.
        quiet: Seconds, by the job's clock, in which polls that find nothing new are not shown.
    """
    due = max(round(seconds), 1)
    news = f"no news since {escape(since)}" if since else "no news"
    if due > _LONGEST_COUNTDOWN:
        ahead = f"next poll in {escape(format_duration(seconds))}"
    else:
        numbers = "\n".join(map(str, range(due, -1, -1)))
        ahead = (
            f'next poll in <span class="jb-d n"><b style="--t:{due + 1};--k:{due + 1};--from:0">{numbers}</b></span> s'
        )
    return (
        f'<span class="jb-next" aria-hidden="true" style="{countdown_style(seconds, speed, quiet)}">'
        f'<span class="a">{ahead}</span><span class="b">polling{", nothing new" if quiet > due else " …"}</span>'
        f'<span class="c cint-warn">{news}</span></span>'
    )


def _strip(period: int, steps: int, start: int) -> str:
    """Draw one digit, which passes through its steps in a period of seconds; the style sheet holds the digits."""
    return f'<span class="jb-d d{steps}"><b style="--t:{period};--k:{steps};--from:{start}"></b></span>'
