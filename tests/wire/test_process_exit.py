"""How a process that used the client ends: at once, and without a word."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

STORIES = {
    "work left in the background": """
        import asyncio; loop_thread.submit(asyncio.sleep(3600))
    """,
    "a client that was never closed": """
        loop_thread.run(http.send(call))
    """,
    "a client closed after use": """
        loop_thread.run(http.send(call)); loop_thread.run(http.aclose())
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
from cint_nb.wire import loop_thread
from cint_nb.wire.http import Call, Http, Idempotency
from cint_nb.wire.settings import Settings
http = Http(Settings.load(environ={}, token="t"), transport=httpx.MockTransport(lambda _: httpx.Response(200, json={})))
call = Call("read", "GET", "/demand/accounts/{account_id}/things", Idempotency.SAFE)
"""


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("name", STORIES)
def test_a_process_ends_at_once_and_silently(name: str) -> None:
    story = SETTING + textwrap.dedent(STORIES[name])
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", story], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


class KeepAlive(BaseHTTPRequestHandler):
    """Answer everything with an empty object and keep the connection open, as real servers do."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), KeepAlive) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


@pytest.mark.thorough
@pytest.mark.parametrize("last", ["", "loop_thread.run(http.aclose())"], ids=["never closed", "closed"])
def test_a_process_with_a_connection_still_open_ends_silently_too(address: str, last: str) -> None:
    story = f"""
        from cint_nb.wire import loop_thread
        from cint_nb.wire.http import Call, Http, Idempotency
        from cint_nb.wire.settings import Settings
        http = Http(Settings.load("live", environ={{}}, account_id=7, token="t", base_url="{address}"))
        loop_thread.run(http.send(Call("read", "GET", "/demand/accounts/{{account_id}}/things", Idempotency.SAFE)))
        {last}
    """
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", textwrap.dedent(story)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
