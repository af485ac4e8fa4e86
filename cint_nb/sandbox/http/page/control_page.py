"""The control page at `/`: who comes, what runs, and clicks that move time, arm faults and change things elsewhere.

Plain HTML without scripts; it loads nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from cint_nb.sandbox.changes_elsewhere import CHANGES
from cint_nb.sandbox.faults import FAULT_NAMES, NOW
from cint_nb.sandbox.http.control_api import (
    SandboxLike,
    TargetGroupState,
    WorldState,
    advance,
    arm,
    read_limited_body,
    world_to_json,
)
from cint_nb.sandbox.http.page.charts import draw_completes
from cint_nb.sandbox.http.page.lessons import CHANGE_LESSONS, FAULT_LESSONS, Lesson
from cint_nb.sandbox.http.page.style import STYLE
from cint_nb.sandbox.protocol.messages import JsonObject

_SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_ADVANCES = {
    "1 minute": 60,
    "15 minutes": 900,
    "1 hour": 3_600,
    "6 hours": 21_600,
    "1 day": 86_400,
    "7 days": 604_800,
}
_PROBLEM_TEXTS = {
    "time": "Enter a number of seconds between 0 and 400 days.",
}
_MOMENTS = {"now": "now", "": "before the next", "after-": "after the next"}
_GROUPS_SHOWN, _CARDS_SHOWN, _JOBS_SHOWN = 100, 6, 50
_REFRESH_SECONDS = 5
_MANY = 1_000_000
_OUTCOME_WORDS = {"dropped": "dropped out", "over_quota": "over quota", "screened_out": "screened out"}


def page_routes(sandbox: SandboxLike) -> list[Route]:
    """Return the routes of the page and its forms."""

    async def page(request: Request) -> Response:
        problem = _PROBLEM_TEXTS.get(request.query_params.get("problem", ""))
        text = render(sandbox, problem, _root(request), refreshes="refresh" in request.query_params)
        return HTMLResponse(text, headers=_SECURITY_HEADERS)

    async def advance_clock(request: Request) -> Response:
        values = parse_qs((await read_limited_body(request)).decode("utf-8", "replace"))
        try:
            advance(sandbox, float(values.get("seconds", ["0"])[0]))
        except ValueError:
            return _redirect_back(request, "time")
        return _redirect_back(request)

    async def fault(request: Request) -> Response:
        values = parse_qs((await read_limited_body(request)).decode("utf-8", "replace"))
        given = {name: texts[0].strip() for name, texts in values.items()}
        try:
            if "clear" in given:
                sandbox.faults.clear()
            elif "disarm" in given:
                sandbox.faults.disarm(given["disarm"])
            else:
                arm(sandbox, _read_form(given))
        except (ValueError, KeyError) as error:
            return HTMLResponse(render(sandbox, str(error)[:300], _root(request)), 400, headers=_SECURITY_HEADERS)
        return _redirect_back(request)

    return [
        Route("/", page),
        Route("/sandbox/page/advance", advance_clock, methods=["POST"]),
        Route("/sandbox/page/fault", fault, methods=["POST"]),
    ]


def render(sandbox: SandboxLike, problem: str | None, root: str | None, *, refreshes: bool = False) -> str:
    """Render the page.

    Args:
        sandbox: The sandbox.
        problem: What was not valid, in words; None for nothing.
        root: Path below which the sandbox is served; None where it is alone.
        refreshes: Whether the page loads itself again every few seconds.
    """
    state = world_to_json(sandbox)
    warning = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
    credentials = "its token was printed at the start" if root else "client id and secret are <code>sandbox</code>"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
{f'<meta http-equiv="refresh" content="{_REFRESH_SECONDS}">' if refreshes else ""}
<title>cint_nb sandbox</title><style>{STYLE}</style></head><body>
<header><h1>cint_nb sandbox</h1>
<p class="soft">A simulated Demand API for practice. Nothing here reaches Cint. Its API is under <code>/v1</code>,
described at <a href="{root or ""}/openapi.json">/openapi.json</a>; {credentials}.</p></header>{warning}<main>
{_clock(state, sandbox, root, refreshes=refreshes)}
{_groups(state)}
{_jobs(state)}
{_faults(state, sandbox, root)}
</main></body></html>"""


def _clock(state: WorldState, sandbox: SandboxLike, root: str | None, *, refreshes: bool) -> str:
    buttons = " ".join(
        f'<button name="seconds" value="{seconds}">+ {label}</button>' for label, seconds in _ADVANCES.items()
    )
    link = (
        f'<a href="{root or ""}/">Stop refreshing</a>'
        if refreshes
        else f'<a href="{root or ""}/?refresh=1">Refresh every {_REFRESH_SECONDS} seconds</a>'
    )
    now = state["clock"]["now"]
    return f"""<section class="card" aria-label="Clock"><div class="between">
<p><time class="clock" datetime="{escape(now)}">{_time(now)}</time> UTC</p>{link}</div>
<p class="soft">{escape(sandbox.clock.pace[:1].upper() + sandbox.clock.pace[1:])}.</p>
<form method="post" action="{root or ""}/sandbox/page/advance" class="row">{buttons}</form></section>"""


def _groups(state: WorldState) -> str:
    groups = state["target_groups"]
    if not groups:
        return '<h2>Target groups</h2><p class="soft">None yet.</p>'
    launched = [group for group in groups if group["completes_over_time"]][:_CARDS_SHOWN]
    cards = "".join(_card(group) for group in launched)
    rows = [
        [
            _text(group["name"], group["id"]),
            _state(group["status"]),
            _text(group["project"]),
            *(_number(group[name]) for name in ("goal", "saved", "entrants", "in_survey", "completes")),
            _time(group["created_at"]),
        ]
        for group in groups[:_GROUPS_SHOWN]
    ]
    columns = ("name", "state", "project", "goal", "saved", "entered", "in survey", "completes", "created")
    older = _older(len(groups) - _GROUPS_SHOWN, "target groups")
    return (
        f'<h2>Target groups</h2>{f"""<div class="cards">{cards}</div>""" if cards else ""}'
        f"{_table('All target groups, newest first', columns, rows, numbers=range(3, 8))}{older}"
    )


def _card(group: TargetGroupState) -> str:
    people = {
        "saved": group["saved"],
        "entered": group["entrants"],
        "in the survey now": group["in_survey"],
        **{_OUTCOME_WORDS.get(name, name.replace("_", " ")): count for name, count in group["outcomes"].items()},
    }
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{count:,}</dd>" for name, count in people.items())
    heading = f"<h3>{escape(group['name'])}</h3>{_state(group['status'])}"
    return f"""<article class="card"><div class="between">{heading}</div>
<p class="soft">{escape(group["project"])} · {group["completes"]:,} of {group["goal"]:,} completes</p>
{draw_completes(group["completes_over_time"], group["goal"])}<dl aria-label="People">{listed}</dl></article>"""


def _jobs(state: WorldState) -> str:
    jobs = state["jobs"]
    if not jobs:
        return '<h2>Jobs</h2><p class="soft">None yet.</p>'
    rows = [
        [
            _text(job["kind"].replace("-", " "), job["id"]),
            _state(job["status"]),
            _text(job["target_group"] or ""),
            _text(job["file_name"] or ""),
            _time(job["created_at"]),
            _time(job["ends_at"]) if job["ends_at"] else "",
        ]
        for job in jobs[:_JOBS_SHOWN]
    ]
    columns = ("job", "state", "target group", "file", "started", "ended")
    return f"<h2>Jobs</h2>{_table('Jobs, newest first', columns, rows)}{_older(len(jobs) - _JOBS_SHOWN, 'jobs')}"


def _faults(state: WorldState, sandbox: SandboxLike, root: str | None) -> str:
    action = f'method="post" action="{root or ""}/sandbox/page/fault"'
    rows = [
        [
            f'<form {action}><button name="disarm" value="{escape(fault["fault"])}">'
            f"{'Disarm' if fault['left'] else 'Remove'}</button></form>",
            f"<code>{escape(fault['fault'])}</code>",
            _number("without end" if fault["left"] > _MANY else fault["left"]),
            _number(fault["happened"]),
            _text(fault.get("problem", "")),
        ]
        for fault in reversed(state["faults"])
    ]
    armed = (
        _table("Armed faults, newest first", ("", "fault", "left", "happened", "why not"), rows, numbers=range(2, 4))
        + f'<form {action} class="row"><button name="clear" value="1">Disarm all</button></form>'
        if rows
        else '<p class="soft">None is armed.</p>'
    )
    waiting = {fault["fault"] for fault in state["faults"] if fault["left"]}
    return f"""<h2>Faults and changes elsewhere</h2>{armed}
<details open><summary>What can break</summary>
<p class="soft">A click arms the fault for the next request of its kind; another click disarms it.</p>
{_lessons(FAULT_LESSONS, waiting, action)}
<form {action} class="row"><label for="fault">Another fault, or the same elsewhere</label>
<input id="fault" name="fault" list="faults" placeholder="drop-reply@upload" size="28" maxlength="80">
{_datalist("faults", (f"{name}@any" for name in sorted(FAULT_NAMES)))}<button>Arm</button></form>
</details><details open><summary>What others can change</summary>
<p class="soft">What a colleague, the marketplace or a second machine does: at once, in the newest target group.</p>
{_lessons(CHANGE_LESSONS, waiting, action)}
<form {action}><fieldset class="row"><legend>Another change</legend>
{_select("name", "Change", {name: _words(name) for name in CHANGES})}
<span class="field"><label for="argument">Field or list</label>
<input id="argument" name="argument" list="arguments" maxlength="60"></span>
{_datalist("arguments", dict.fromkeys(name for kind in CHANGES.values() for name in kind.arguments))}
<span class="field"><label for="value">Value</label><input id="value" name="value" maxlength="3000"></span>
{_select("moment", "When", _MOMENTS)}
<span class="field"><label for="step">Request</label>
<input id="step" name="step" list="steps" placeholder="launch" maxlength="80"></span>
{_datalist("steps", sorted(sandbox.faults.known_steps))}
<span class="field"><label for="target">Target group id</label>
<input id="target" name="target" placeholder="the newest" maxlength="26"></span>
<button>Change</button></fieldset></form></details>"""


def _lessons(lessons: tuple[Lesson, ...], waiting: set[str], action: str) -> str:
    items = []
    for lesson in lessons:
        is_armed = lesson.fault in waiting
        verb = "Disarm" if is_armed else "Do it" if lesson.fault.endswith(f"@{NOW}") else "Arm"
        button = f'<button name="{"disarm" if is_armed else "fault"}" value="{escape(lesson.fault)}">{verb}</button>'
        items.append(
            f'<li class="card{" armed" if is_armed else ""}"><div><code>{escape(lesson.fault)}</code>'
            f"<p>{escape(lesson.teaches)}</p></div><form {action}>{button}</form></li>"
        )
    return f'<ul class="lessons">{"".join(items)}</ul>'


def render_classroom(rows: list[dict[str, str]]) -> tuple[str, int, dict[str, str]]:
    """Return the page of a class, its status and headers, from rows whose cells are HTML."""
    columns = tuple(rows[0])
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    lines = "".join(f"<tr>{''.join(f'<td>{row[column]}</td>' for column in columns)}</tr>" for row in rows)
    text = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>cint_nb sandbox: a class</title><style>{STYLE}</style></head><body>
<h1>cint_nb sandbox: a class</h1>
<p>A simulated Demand API for practice, with an account for each student. Each links to its own clock and faults; tokens
are printed where the sandbox was started.</p>
<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div></body></html>"""
    return text, 200, _SECURITY_HEADERS


def _read_form(given: dict[str, str]) -> JsonObject:
    """Return the parts of a fault from a form, whose empty fields were not given."""
    parts: JsonObject = {name: text for name, text in given.items() if text and name not in ("moment", "step")}
    if "name" in parts:
        moment = given.get("moment", "")
        parts["at"] = moment if moment == NOW else f"{moment}{given.get('step', '')}"
    return parts if parts else {"fault": ""}


def _words(name: str) -> str:
    return name.replace("-", " ")


def _select(name: str, label: str, options: Mapping[str, str]) -> str:
    listed = "".join(f'<option value="{escape(value)}">{escape(text)}</option>' for value, text in options.items())
    return (
        f'<span class="field"><label for="{name}">{escape(label)}</label>'
        f'<select id="{name}" name="{name}">{listed}</select></span>'
    )


def _datalist(name: str, values: Iterable[str]) -> str:
    return f'<datalist id="{name}">{"".join(f"""<option value="{escape(value)}">""" for value in values)}</datalist>'


def _table(caption: str, columns: tuple[str, ...], rows: list[list[str]], numbers: Iterable[int] = ()) -> str:
    """Return a table from cells that are HTML; wide ones scroll inside their frame."""
    aligned = dict.fromkeys(numbers, ' class="number"')

    def cells(tag: str, texts: Iterable[str]) -> str:
        return "".join(f"<{tag}{aligned.get(place, '')}>{text}</{tag[:2]}>" for place, text in enumerate(texts))

    head = cells('th scope="col"', map(escape, columns))
    lines = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _text(text: str, identifier: str | None = None) -> str:
    below = f"<br><code>{escape(identifier)}</code>" if identifier is not None else ""
    return f'<span class="words">{escape(text)}{below}</span>' if text else ""


def _state(status: str) -> str:
    return f'<span class="state state-{escape(status)}">{escape(status)}</span>'


def _number(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else escape(value)


def _older(count: int, what: str) -> str:
    return f'<p class="soft">… and {count:,} older {what}.</p>' if count > 0 else ""


def _time(text: str) -> str:
    return escape(f"{text[:10]} {text[11:19]}")


def _root(request: Request) -> str | None:
    return request.scope.get("root_path") or None


def _redirect_back(request: Request, problem: str | None = None) -> Response:
    target = f"{_root(request) or ''}/"
    return RedirectResponse(f"{target}?problem={problem}" if problem else target, 303, headers=_SECURITY_HEADERS)
