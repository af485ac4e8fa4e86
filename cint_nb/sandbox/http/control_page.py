"""The control page at `/`: an overview, and forms to advance time and arm a fault. Plain HTML; it loads nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from cint_nb.sandbox.faults import FAULT_NAMES
from cint_nb.sandbox.http.control_api import SandboxLike, advance, read_limited_body, world_to_json

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
form { margin: .5rem 0; } input, button { font: inherit; padding: .2rem .5rem; }
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
    "fault": "Unknown fault. Write NAME@STEP, such as drop-reply@upload or 429@list*3.",
}
_GROUP_COLUMNS = ("name", "status", "goal", "saved", "entrants", "completes", "id")


def page_routes(sandbox: SandboxLike) -> list[Route]:
    """Return the routes of the page and its two forms."""

    async def page(request: Request) -> Response:
        return HTMLResponse(render(sandbox, request.query_params.get("problem", "")), headers=_SECURITY_HEADERS)

    async def advance_clock(request: Request) -> Response:
        values = parse_qs((await read_limited_body(request)).decode("utf-8", "replace"))
        try:
            advance(sandbox, float(values.get("seconds", ["0"])[0]))
        except ValueError:
            return _redirect_back("time")
        return _redirect_back()

    async def fault(request: Request) -> Response:
        values = parse_qs((await read_limited_body(request)).decode("utf-8", "replace"))
        if "clear" in values:
            sandbox.faults.clear()
            return _redirect_back()
        try:
            sandbox.faults.arm(values.get("fault", [""])[0])
        except ValueError:
            return _redirect_back("fault")
        return _redirect_back()

    return [
        Route("/", page),
        Route("/sandbox/page/advance", advance_clock, methods=["POST"]),
        Route("/sandbox/page/fault", fault, methods=["POST"]),
    ]


def render(sandbox: SandboxLike, problem: str = "") -> str:
    """Render the page.

    Args:
        sandbox: The sandbox.
        problem: What was not valid: `time`, `fault`, or nothing.
    """
    state = world_to_json(sandbox)
    clock = state["clock"]
    speed = "is paused; advances on request" if clock["speed"] is None else f"runs ×{clock['speed']:g}"
    buttons = " ".join(
        f'<button name="seconds" value="{seconds}">+ {label}</button>' for label, seconds in _ADVANCES.items()
    )
    text = _PROBLEM_TEXTS.get(problem, "")
    warning = f'<p class="problem" role="alert">{escape(text)}</p>' if text else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>cint_nb sandbox</title><style>{_STYLE}</style></head><body>
<h1>cint_nb sandbox</h1>
<p>A simulated Demand API for practice. Nothing here reaches Cint. Its API is under <code>/v1</code>, described at
<a href="/openapi.json">/openapi.json</a>; client id and secret are <code>sandbox</code>.</p>{warning}
<h2>Clock</h2><p><time>{escape(clock["now"])}</time> UTC; the clock {speed}.</p>
<form method="post" action="/sandbox/page/advance">{buttons}</form>
<h2>Target groups</h2>{_table(_GROUP_COLUMNS, state["target_groups"])}
<h2>Jobs</h2>{_table(("kind", "status", "file_name", "id"), state["jobs"][-50:])}
<h2>Faults</h2>{_table(("fault", "left", "happened"), state["faults"])}
<form method="post" action="/sandbox/page/fault"><label for="fault">Fault</label>
<input id="fault" name="fault" list="faults" placeholder="drop-reply@upload" size="32" maxlength="80">
<datalist id="faults">{"".join(f'<option value="{escape(name)}@any">' for name in sorted(FAULT_NAMES))}</datalist>
<button>Arm</button></form>
<form method="post" action="/sandbox/page/fault"><button name="clear" value="1">Disarm all</button></form>
</body></html>"""


def _table(columns: tuple[str, ...], rows: Iterable[Mapping[str, object]]) -> str:
    head = "".join(f'<th scope="col">{escape(column.replace("_", " "))}</th>' for column in columns)
    cells = [["" if row[column] is None else str(row[column]) for column in columns] for row in rows]
    lines = ["".join(f"<td>{escape(cell)}</td>" for cell in line) for line in cells]
    if not lines:
        return "<p>None yet.</p>"
    return (
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(f'<tr>{line}</tr>' for line in lines)}</tbody></table>"
    )


def _redirect_back(problem: str = "") -> Response:
    return RedirectResponse(f"/?problem={problem}" if problem else "/", status_code=303, headers=_SECURITY_HEADERS)
