"""The control page at `/`: an overview, and forms to advance time, arm a fault and change things elsewhere.

Plain HTML; it loads nothing.
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
from cint_nb.sandbox.http.control_api import SandboxLike, advance, arm, read_limited_body, world_to_json
from cint_nb.sandbox.protocol.messages import JsonObject

_SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 1rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; display: block; overflow-x: auto; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #ccc; white-space: nowrap; }
form { margin: .5rem 0; } input, select, button { font: inherit; padding: .2rem .5rem; }
.problem { border-left: .3rem solid #a00; padding-left: .7rem; }
"""
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
_GROUP_COLUMNS = ("name", "status", "goal", "saved", "entrants", "completes", "id")


def page_routes(sandbox: SandboxLike) -> list[Route]:
    """Return the routes of the page and its two forms."""

    async def page(request: Request) -> Response:
        problem = _PROBLEM_TEXTS.get(request.query_params.get("problem", ""))
        return HTMLResponse(render(sandbox, problem, _root(request)), headers=_SECURITY_HEADERS)

    async def advance_clock(request: Request) -> Response:
        values = parse_qs((await read_limited_body(request)).decode("utf-8", "replace"))
        try:
            advance(sandbox, float(values.get("seconds", ["0"])[0]))
        except ValueError:
            return _redirect_back(request, "time")
        return _redirect_back(request)

    async def fault(request: Request) -> Response:
        values = parse_qs((await read_limited_body(request)).decode("utf-8", "replace"))
        if "clear" in values:
            sandbox.faults.clear()
            return _redirect_back(request)
        given = {name: texts[0].strip() for name, texts in values.items()}
        try:
            arm(sandbox, _read_form(given))
        except (ValueError, KeyError) as error:
            return HTMLResponse(render(sandbox, str(error)[:300], _root(request)), 400, headers=_SECURITY_HEADERS)
        return _redirect_back(request)

    return [
        Route("/", page),
        Route("/sandbox/page/advance", advance_clock, methods=["POST"]),
        Route("/sandbox/page/fault", fault, methods=["POST"]),
    ]


def render(sandbox: SandboxLike, problem: str | None, root: str | None) -> str:
    """Render the page.

    Args:
        sandbox: The sandbox.
        problem: What was not valid, in words; None for nothing.
        root: Path below which the sandbox is served; None where it is alone.
    """
    state = world_to_json(sandbox)
    clock = state["clock"]
    speed = "is paused; advances on request" if clock["speed"] is None else f"runs ×{clock['speed']:g}"
    buttons = " ".join(
        f'<button name="seconds" value="{seconds}">+ {label}</button>' for label, seconds in _ADVANCES.items()
    )
    credentials = "its token was printed at the start" if root else "client id and secret are <code>sandbox</code>"
    warning = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>cint_nb sandbox</title><style>{_STYLE}</style></head><body>
<h1>cint_nb sandbox</h1>
<p>A simulated Demand API for practice. Nothing here reaches Cint. Its API is under <code>/v1</code>, described at
<a href="{root or ""}/openapi.json">/openapi.json</a>; {credentials}.</p>{warning}
<h2>Clock</h2><p><time>{escape(clock["now"])}</time> UTC; the clock {speed}.</p>
<form method="post" action="{root or ""}/sandbox/page/advance">{buttons}</form>
<h2>Target groups</h2>{_table(_GROUP_COLUMNS, state["target_groups"])}
<h2>Jobs</h2>{_table(("kind", "status", "file_name", "id"), state["jobs"][-50:])}
<h2>Faults and changes elsewhere</h2>{_table(("fault", "left", "happened", "problem"), state["faults"])}
<form method="post" action="{root or ""}/sandbox/page/fault"><label for="fault">Fault</label>
<input id="fault" name="fault" list="faults" placeholder="drop-reply@upload" size="32" maxlength="80">
{_datalist("faults", (f"{name}@any" for name in sorted(FAULT_NAMES)))}
<button>Arm</button></form>
<form method="post" action="{root or ""}/sandbox/page/fault"><fieldset>
<legend>What a colleague or the marketplace changes</legend>
{_select("name", "Change", {name: _words(name) for name in CHANGES})}
<label for="argument">Field or list</label>
<input id="argument" name="argument" list="arguments" size="24" maxlength="60">
{_datalist("arguments", dict.fromkeys(name for kind in CHANGES.values() for name in kind.arguments))}
<label for="value">Value</label> <input id="value" name="value" size="24" maxlength="3000">
{_select("moment", "When", _MOMENTS)}
<label for="step">Request</label>
<input id="step" name="step" list="steps" placeholder="launch" size="16" maxlength="80">
{_datalist("steps", sorted(sandbox.faults.known_steps))}
<label for="target">Target group id</label>
<input id="target" name="target" placeholder="the newest" size="28" maxlength="26">
<button>Change</button></fieldset></form>
<form method="post" action="{root or ""}/sandbox/page/fault"><button name="clear" value="1">Disarm all</button></form>
</body></html>"""


def render_classroom(rows: list[dict[str, str]]) -> tuple[str, int, dict[str, str]]:
    """Return the page of a class, its status and headers, from rows whose cells are HTML."""
    columns = tuple(rows[0])
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    lines = "".join(f"<tr>{''.join(f'<td>{row[column]}</td>' for column in columns)}</tr>" for row in rows)
    text = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>cint_nb sandbox: a class</title><style>{_STYLE}</style></head><body>
<h1>cint_nb sandbox: a class</h1>
<p>A simulated Demand API for practice, with an account for each student. Each links to its own clock and faults; tokens
are printed where the sandbox was started.</p>
<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></body></html>"""
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
    return f'<label for="{name}">{escape(label)}</label> <select id="{name}" name="{name}">{listed}</select>'


def _datalist(name: str, values: Iterable[str]) -> str:
    return f'<datalist id="{name}">{"".join(f"""<option value="{escape(value)}">""" for value in values)}</datalist>'


def _table(columns: tuple[str, ...], rows: Iterable[Mapping[str, object]]) -> str:
    head = "".join(f'<th scope="col">{escape(column.replace("_", " "))}</th>' for column in columns)
    cells = [["" if row.get(column) is None else str(row[column]) for column in columns] for row in rows]
    lines = ["".join(f"<td>{escape(cell)}</td>" for cell in line) for line in cells]
    if not lines:
        return "<p>None yet.</p>"
    return (
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(f'<tr>{line}</tr>' for line in lines)}</tbody></table>"
    )


def _root(request: Request) -> str | None:
    return request.scope.get("root_path") or None


def _redirect_back(request: Request, problem: str | None = None) -> Response:
    target = f"{_root(request) or ''}/"
    return RedirectResponse(f"{target}?problem={problem}" if problem else target, 303, headers=_SECURITY_HEADERS)
