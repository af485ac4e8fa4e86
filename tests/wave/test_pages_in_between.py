"""A firewall's page in place of a reply is no refusal: what was done is looked up, and nothing is done twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from cint_nb.domain.errors import OutcomeUnknown
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.wave.client import Client
from cint_nb.wave.wave import Wave

Make = Callable[..., Wave]
VERBS: dict[str, Callable[[Wave], Any]] = {
    "create": Wave.create,
    "upload": Wave.upload,
    "launch": lambda wave: wave.launch(budget="1000 EUR"),
    "pause": Wave.pause,
    "resume": Wave.resume,
    "close": Wave.close,
    "remove": Wave.remove,
}
REQUESTS = {
    "/projects": "create",
    "/target-groups": "create",
    "/upload-respondents-by-file": "upload",
    "/launch-from-draft": "launch",
    "/pause": "pause",
    "/resume": "resume",
    "/complete": "close",
    "/remove-all-rsids": "remove",
}


@dataclass
class Page:
    """A page that answers requests in place of the exchange.

    Args:
        path: How the addresses of these requests end.
        status: Its status.
        times: How often it still answers.
        lets_through: Whether the exchange gets the request.
    """

    path: str = ""
    status: int = 403
    times: int = 0
    lets_through: bool = True


class PageInBetween(httpx.AsyncBaseTransport):
    """Passes requests on, and puts a page in place of some replies."""

    def __init__(self, inner: httpx.AsyncBaseTransport, page: Page) -> None:
        self._inner, self._page = inner, page

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        page = self._page
        if request.method != "POST" or not page.times or not request.url.path.endswith(page.path):
            return await self._inner.handle_async_request(request)
        page.times -= 1
        if page.lets_through:
            await (await self._inner.handle_async_request(request)).aread()
        return httpx.Response(page.status, headers={"content-type": "text/html"}, content=b"<html>Access denied</html>")


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    """What stands between every client and its sandbox, from now on."""
    page, plain = Page(), Sandbox.transport
    monkeypatch.setattr(Sandbox, "transport", lambda sandbox: PageInBetween(plain(sandbox), page))
    return page


def count(client: Client) -> Counter[str]:
    world = client.sandbox.world
    jobs = Counter(job.kind for job in world.jobs.values())
    return jobs + Counter(projects=len(world.projects), groups=len(world.groups))


@pytest.mark.sampled(every=19)
@pytest.mark.parametrize("lets_through", [True, False])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
@pytest.mark.parametrize("path", REQUESTS)
def test_a_page_once_changes_nothing(
    page: Page, client: Client, make_wave: Make, path: str, status: int, lets_through: bool
) -> None:
    wave = make_wave()
    for name, verb in VERBS.items():
        if name == REQUESTS[path]:
            page.path, page.status, page.times, page.lets_through = path, status, 1, lets_through
        verb(wave)
    assert page.times == 0
    assert count(client) == {"projects": 1, "groups": 1, "recontact-upload": 1, "launch": 1, "recontact-removal": 1}
    assert wave.status()["state"].item() == "completed"


@pytest.mark.parametrize("path", ["/target-groups", "/upload-respondents-by-file"])
def test_a_page_that_stays_is_named_and_sends_nothing_a_third_time(
    page: Page, client: Client, make_wave: Make, path: str
) -> None:
    wave = make_wave()
    if path != "/target-groups":
        wave.create()
    page.path, page.times, page.lets_through = path, 10, False
    with pytest.raises(OutcomeUnknown, match="a web page in place of what the exchange said") as caught:
        VERBS[REQUESTS[path]](wave)
    assert "cint-nb doctor" in str(caught.value.next_step)
    assert page.times == 8
    page.times = 0
    VERBS[REQUESTS[path]](wave)
    made = count(client)
    assert made["groups"] == 1
    assert made["recontact-upload"] == (path != "/target-groups")
