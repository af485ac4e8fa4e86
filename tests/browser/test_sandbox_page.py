"""The sandbox's control page in Chromium: light and dark, narrow and wide, usable by everybody, faults by a click."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.server import ServedSandbox
from tests.support.sandbox_client import RawClient
from tests.support.statements import wave

pytestmark = pytest.mark.browser


def make_world() -> Sandbox:
    """Make a sandbox with a live target group, a draft with a running upload, and an armed fault."""
    sandbox = Sandbox(seed=1)
    client = RawClient(sandbox)
    client.log_in()
    client.launched(
        wave(client, 400, name="Tracker, wave 2, of a name that does not fit a narrow page", completes_goal=200)
    )
    draft = client.group(name="Tracker, wave 3")
    sandbox.advance(20 * 3_600)
    client.upload(draft, ["not an id"] * 3)
    sandbox.faults.arm("429@list*3")
    client.close()
    return sandbox


@pytest.fixture(scope="module")
def served() -> Iterator[ServedSandbox]:
    with ThreadPoolExecutor(1) as elsewhere:  # Playwright runs an event loop in this thread
        sandbox = elsewhere.submit(make_world).result()
    with ServedSandbox(sandbox) as served:
        yield served


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, chromium: Any, served: ServedSandbox) -> Iterator[Any]:
    context = chromium.new_context(color_scheme=request.param, bypass_csp=True)  # axe is a script
    page = context.new_page()
    page.goto(f"{served.url}/")
    yield page
    context.close()


@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_is_cut_off_and_axe_finds_nothing_serious(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page)
    assert found.response["passes"], "axe looked at nothing"
    serious = [rule for rule in found.response["violations"] if rule["impact"] in ("serious", "critical")]
    assert [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in serious] == []


def test_the_ground_is_as_dark_as_was_asked_for(page: Any) -> None:
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    red = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]")
    assert (red < 60) is dark


def test_nothing_is_requested_from_elsewhere(page: Any, served: ServedSandbox) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    assert asked
    assert all(url.startswith(served.url) for url in asked)


def test_a_click_arms_a_fault_and_another_disarms_it(page: Any, served: ServedSandbox) -> None:
    card = page.locator("li", has=page.get_by_text("drop-reply@upload", exact=True))
    card.get_by_role("button", name="Arm").click()
    assert [fault.text for fault in served.sandbox.faults.armed] == ["429@list*3", "drop-reply@upload"]
    card.get_by_role("button", name="Disarm").click()
    assert [fault.text for fault in served.sandbox.faults.armed] == ["429@list*3"]
