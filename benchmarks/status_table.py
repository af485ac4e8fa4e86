"""How long a status table of 500 target groups takes: to be drawn anew by the kernel, to be sorted by a browser.

The kernel's part is beside pandas, which writes the same frame as HTML. The browser's part runs in headless Chromium on
the table as the kernel writes it, with the panels' own script: from the click to the next frame that is painted.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
from importlib.resources import files

import pandas as pd
from measuring import Row, in_turn, over, run_alone, seconds, spread

from cint_nb.panels.look.style import style_sheet
from cint_nb.panels.status_table.model import StatusView
from cint_nb.panels.status_table.table_html import MENU_HTML, TOOLS_HTML, render_table

GROUPS, REPEATS = 500, 7
MOST_MILLISECONDS = 200
STEPS = """async () => {
  const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  const box = document.querySelector('.st-filter');
  const type = words => { box.value = words; box.dispatchEvent(new Event('input', {bubbles: true})); };
  const part = document.querySelector('.cint-table-part');
  const steps = {
    sort: () => document.querySelector('.st thead th[data-c=cost] button').click(),
    filter: () => type('live 4'), unfilter: () => type(''), refresh: () => { part.innerHTML = part.innerHTML; },
  };
  const taken = {};
  for (const [name, step] of Object.entries(steps)) {
    const begun = performance.now();
    step();
    await frame();
    taken[name] = performance.now() - begun;
  }
  return JSON.stringify(taken);
}"""


def groups(number: int) -> pd.DataFrame:
    """Return a status of so many groups."""
    draw = random.Random(1)  # noqa: S311 - no secret
    rows = []
    for place in range(number):
        goal = draw.choice([100, 400, 600])
        done = draw.randint(0, goal)
        rows.append(
            {
                "name": f"Tea tracker, group {place}", "state": draw.choice(["live", "paused", "completed"]),
                "goal": goal, "completes": done, "filled": done / goal, "saved": 9_912, "entrants": 2 * done,
                "conversion_rate": 0.42,
                "drop_off_rate": 0.08, "screenouts": done // 3, "cost": 2.735 * done, "cost_per_complete": 2.735,
                "currency": "EUR", "ends_at": pd.Timestamp("2026-09-15T19:01Z") + pd.Timedelta(hours=place),
                "trend": [done * share // 10 for share in range(11)],
                "warnings": draw.choice([None, None, "ends soon: in 14 h", "price cap reached; ends soon: in 14 h"]),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def in_browser(table: str) -> dict[str, float] | None:
    """Return the milliseconds of each step in Chromium; None where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        return None
    from playwright.sync_api import sync_playwright

    script = (files("cint_nb.panels.look") / "panel.js").read_text(encoding="utf-8")
    begins = script.replace("export default { render };", "begin(document.querySelector('.cint-panel'));")
    body = f'{TOOLS_HTML}{MENU_HTML}<div class="cint-table-part">{table}</div>'
    page_text = f'{style_sheet().value}<div class="cint cint-panel cint-status-table">{body}</div>'
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 836, "height": 480})
        page.set_content(f'{page_text}<script type="module">{begins}</script>')
        page.wait_for_selector(".cint-scripted")
        taken: dict[str, float] = json.loads(page.evaluate(STEPS))
        browser.close()
    return taken


def rows() -> list[Row]:
    frame = groups(GROUPS)
    view = StatusView(frame)
    ours, theirs = in_turn(
        [
            lambda: seconds(lambda: render_table(view, caption="Status"), processor=True),
            lambda: seconds(frame.to_html, processor=True),
        ],
        REPEATS,
    )
    table = render_table(view, caption="Status")
    says = (
        f"Processor time of the kernel: {spread(ours, 'ms', scale=1000)} ours, "
        f"{spread(theirs, 'ms', scale=1000)} pandas; ours is {len(table) / 1e6:.1f} MB of HTML with bars, lines and "
        "what each cell is sorted by."
    )
    drawn = Row(f"status table of {GROUPS} groups, drawn", "pandas, DataFrame.to_html", over(ours, theirs), 5.0, says)
    taken = in_browser(table)
    if taken is None:
        return [drawn]
    steps = ", ".join(f"{name} {milliseconds:.0f} ms" for name, milliseconds in taken.items())
    most = max(taken.values())
    return [
        drawn,
        Row(
            f"status table of {GROUPS} groups, in a browser", "—", [], None, f"To the next painted frame: {steps}.",
            wanted=f"≤ {MOST_MILLISECONDS} ms", met=most <= MOST_MILLISECONDS, shown=f"at most {most:.0f} ms",
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(run_alone(rows, __doc__))
