"""How a process that used the client ends: at once, and without a word."""

import subprocess
import sys
import textwrap

import pytest

STORIES = {
    "work left in the background": """
        import asyncio; loop.submit(asyncio.sleep(3600))
    """,
    "a client that was never closed": """
        loop.run(http.send(call))
    """,
    "a client closed after use": """
        loop.run(http.send(call)); loop.run(http.aclose())
    """,
    "a client that was never used": "",
    "an event loop of its own": """
        import asyncio
        async def main():
            await http.send(call)
            await http.aclose()
        asyncio.run(main())
    """,
}
SETTING = """
import httpx
from cint_nb.wire import loop
from cint_nb.wire.http import Call, Http, Repeat
from cint_nb.wire.settings import Settings
http = Http(Settings.read(environ={}, token="t"), transport=httpx.MockTransport(lambda _: httpx.Response(200, json={})))
call = Call("read", "GET", "/demand/accounts/{account_id}/things", Repeat.SAFE)
"""


@pytest.mark.parametrize("name", STORIES)
def test_a_process_ends_at_once_and_silently(name):
    story = SETTING + textwrap.dedent(STORIES[name])
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", story], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
