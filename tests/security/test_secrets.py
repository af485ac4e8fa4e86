"""Nothing the product shows, logs, raises or keeps holds a token or a secret."""

from __future__ import annotations

import copy
import json
import logging
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from cint_nb.domain.errors import ApiError, CintError, NotAuthenticated, SettingsError
from cint_nb.wave.client import Client
from cint_nb.wire.auth import AccessToken
from cint_nb.wire.settings import Settings
from tests.support.canaries import SECRET, TOKEN, files_with_secrets, secrets_in
from tests.support.servers import Listener, raw_response

ROOT = Path(__file__).parents[2]


def refuse(path: str, request: bytes) -> bytes:
    """Answer as a server or a proxy does that quotes the whole request in its error."""
    quoted = request.decode("latin-1").replace("\r\n", " ")
    body = {"object": "authorization_error", "detail": f"cannot take {quoted}", "error_description": quoted}
    return raw_response(json.dumps(body).encode(), status="401 Unauthorized", more=f"X-Request-Id: {TOKEN}\r\n")


# What is searched in every test, and in what is stored


LEAKS = """
import logging, sys
from pathlib import Path
from tests.support.canaries import SECRET, TOKEN

def test_print(): print("my secret is", SECRET)
def test_stderr(): print(TOKEN, file=sys.stderr)
def test_log(): logging.getLogger("httpcore.http11").debug("header %s", TOKEN)
def test_file(tmp_path): (tmp_path / "state.bin").write_bytes(b"\\0" + TOKEN.encode())
def test_failure(): assert SECRET == ""
def test_person(): logging.getLogger("cint_nb").info("0f1ce179-a917-" + "8c17-b5ec-1234567890ab")
def test_sandbox(): print("Bearer eyJhbGciOiJI" + "UzI1NiJ9.eyJpc3MiOiJ4In0" + ".0123456789abcdef0123456789")
def test_nothing(tmp_path): (tmp_path / "fine.txt").write_text("nothing"); print("planted-client")
"""


@pytest.mark.thorough
def test_a_test_that_leaks_a_secret_in_any_way_fails_and_the_report_does_not_repeat_it(tmp_path: Path) -> None:
    file = tmp_path / "test_leaks.py"
    file.write_text(LEAKS)
    command = [
        sys.executable,
        "-B",  # compiled, the halves of a token stand together, in a file of this test
        "-m",
        "pytest",
        "-p",
        "tests.support.canaries",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [*command, "-o", "log_level=DEBUG", "-c", os.devnull, "--rootdir", str(tmp_path), str(file)],
        capture_output=True, text=True, cwd=ROOT, check=False,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""},
    )  # fmt: skip
    assert "7 failed, 1 passed" in done.stdout
    assert secrets_in(done.stdout + done.stderr) == []
    for where in (
        "captured stdout",
        "captured stderr",
        "captured log",
        "the file state.bin",
        "report of the failure",
        "respondent in a log",
    ):
        assert where in done.stdout


@pytest.mark.parametrize("folder", ["notebooks", "tests/recordings", "cint_nb", "docs", "benchmarks"])
def test_what_is_stored_in_the_project_holds_none(folder: str) -> None:
    assert (ROOT / folder).is_dir()
    assert files_with_secrets(ROOT / folder) == []


# Logs and errors


@pytest.fixture
def every_logger(caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    """Let every logger there is say everything, also those of httpx, httpcore and asyncio."""
    names = ["", "httpx", "httpcore", "asyncio", "cint_nb", "hpack", *logging.root.manager.loggerDict]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    caplog.set_level(logging.DEBUG)
    yield caplog
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def test_loggers_at_debug_tell_of_a_request_by_its_template_alone(
    listen: Callable[..., Listener], go_live: Callable[..., Client], every_logger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CINT_NB_TOKEN")
    server = listen(lambda path, _: None if "oauth" in path else raw_response(b'{"projects": [], "has_more": false}'))
    client = go_live(server)
    client.projects.list(name="0f1ce179-a917-4bd1-9a4f-1234567890ab")
    assert SECRET.encode() in server.heard, "the secret was used"
    assert TOKEN.encode() in server.heard, "and so was the token"
    lines = [record.getMessage() + repr(record.args) for record in every_logger.records]
    ours = [line for line in lines if "/demand/accounts/{account_id}/projects" in line]
    assert ours
    assert [line for line in lines if secrets_in(line) or "0f1ce179" in line] == []


def test_a_client_of_the_callers_that_speaks_http2_logs_no_header_of_ours(
    listen: Callable[..., Listener],
    go_live: Callable[..., Client],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = listen(lambda path, _: None if "oauth" in path else raw_response(b'{"locales": []}'))
    client = go_live(server)
    send = httpx.AsyncClient.send

    async def speak(own: httpx.AsyncClient, request: httpx.Request, **more: Any) -> httpx.Response:
        logging.getLogger("hpack.hpack").warning("Adding (authorization, Bearer %s) to the header table", TOKEN)
        return await send(own, request, **more)

    monkeypatch.setattr(httpx.AsyncClient, "send", speak)
    assert client.definitions.locales() is not None
    assert "header table" not in caplog.text


@pytest.mark.parametrize("renewable", [True, False], ids=["token fetched", "token given"])
def test_a_refusal_that_quotes_the_request_is_told_without_the_credentials(
    listen: Callable[..., Listener],
    go_live: Callable[..., Client],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    renewable: bool,
) -> None:
    server = listen(lambda path, request: None if "oauth" in path else refuse(path, request))
    monkeypatch.delenv("CINT_NB_TOKEN" if renewable else "CINT_NB_CLIENT_SECRET")
    client = go_live(server)
    with pytest.raises(NotAuthenticated, match=r"\(secret\)") as caught:
        client.definitions.locales()
    error = caught.value
    held = [str(error), repr(error), repr(vars(error)), repr(error.body), caplog.text]
    held += traceback.TracebackException.from_exception(error, capture_locals=True).format()
    assert secrets_in("\n".join(held)) == []


def test_a_token_endpoint_that_quotes_the_secret_is_told_without_it(
    listen: Callable[..., Listener], go_live: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CINT_NB_TOKEN")
    client = go_live(listen(refuse))
    with pytest.raises(NotAuthenticated, match=r"\(secret\)") as caught:
        client.definitions.locales()
    assert secrets_in(str(caught.value) + repr(vars(caught.value))) == []


@pytest.mark.parametrize("odd", ["é", "\u00a0x", " x", "\nx", "\u200b", "\x00", "，"])
def test_a_token_no_header_can_carry_is_refused_before_a_library_quotes_it(odd: str) -> None:
    with pytest.raises(SettingsError, match="characters that are not valid in a token") as caught:
        Settings.load("live", environ={}, account_id=7, token=TOKEN + odd)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    assert secrets_in("".join(shown)) == []
    assert "CINT_NB_TOKEN" in str(caught.value)


@pytest.mark.parametrize("field", ["account_id", "keep_token", "base_url"])
def test_a_setting_that_is_a_secret_by_mistake_is_not_repeated(field: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load("live", environ={}, **{"account_id": 7, "token": TOKEN, field: SECRET})
    assert secrets_in(str(caught.value)) == []


# Tracebacks as IPython shows them


STORIES = """
import os, sys
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
shell.run_line_magic("xmode", "Verbose")
shell.run_line_magic("colors", "NoColor")
base, refusing = sys.argv[1:]

def tell(story):
    print("=== ", story)
    shell.run_cell(story)

tell("import cint_nb as cint; from cint_nb.domain.models import TargetGroupRef")
tell("ref = TargetGroupRef(project_id='p', target_group_id='t')")
tell("import logging; logging.basicConfig(level=logging.DEBUG, stream=__import__('sys').stdout)")
live = "client = cint.connect('live', account_id={}, base_url='{}/v1', token_url='{}/oauth/token')"
tell(live.format(7, base, base))
tell("from cint_nb.wire.clock import ReplayClock; client.http.clock = ReplayClock(client.clock.now())")
tell("client.recontacts.jobs(ref)")
tell("await client.aio.recontacts.jobs(ref)")
tell("client.definitions.locales()")
tell("client.wave('A', project='p', respondents=[], plan=None)")
tell("client")
tell("client.http.settings")
tell("vars(client.http), vars(client.http._tokens), vars(client.http._sender)")
tell("first = client.http._tokens._token.secret")
tell(live.format(7, base, refusing))
tell("client.definitions.locales()")
tell(live.format(7, refusing, base))
tell("client.definitions.locales()")
tell(live.format(os.getpid(), base, base))
tell("client.definitions.users()")
tell("%tb")
tell("cint.connect('live')")
tell("import os; os.environ['CINT_NB_TOKEN'] = first.get_secret_value() + chr(0xe9)")
tell("cint.connect('live', account_id=7)")
print("=== end")
"""


@pytest.mark.thorough
def test_ipython_tracebacks_with_all_local_variables_show_none(listen: Callable[..., Listener], tmp_path: Path) -> None:
    def say(path: str, request: bytes) -> bytes | None:
        if "oauth" in path:
            return None
        if path.endswith("/users"):  # the account's number is the process that asks: it is interrupted while it waits
            os.kill(int(path.split("/")[-2]), signal.SIGINT)
            return None
        return raw_response(b'{"detail": "broken"}', status="422 No") if "jobs" in path else b""

    base, refusing = listen(say), listen(refuse)
    script = tmp_path / "stories.py"
    script.write_text(textwrap.dedent(STORIES))
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path / "ipython"), "CINT_NB_FULL_TRACEBACK": "1"}
    del environment["CINT_NB_TOKEN"]
    done = subprocess.run(
        [sys.executable, str(script), base.url, refusing.url],
        capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=120, check=False,
    )  # fmt: skip
    # A connection whose reply beat the interrupt stays open, and says that it closes after the last line.
    assert "\n=== end\n" in done.stdout, done.stdout[-3000:] + done.stderr
    assert done.returncode == 0
    for seen in ("InvalidState", "OutcomeUnknown", "NotAuthenticated", "KeyboardInterrupt", "SettingsError"):
        assert seen in done.stdout, seen
    assert "state = _CallState(call=Call(" in done.stdout, "local variables are shown"
    assert TOKEN.encode() in base.heard
    assert secrets_in(done.stdout + done.stderr) == []
    assert files_with_secrets(tmp_path) == []


# Pickles and copies


def test_what_holds_credentials_refuses_to_be_pickled(
    go_live: Callable[..., Client], listen: Callable[..., Listener]
) -> None:
    client = go_live(listen())
    settings = client.http.settings
    for one in (settings, client, client.http, client.http._tokens, AccessToken(SecretStr(TOKEN)), client.projects):
        with pytest.raises((TypeError, AttributeError, NotImplementedError)) as caught:
            pickle.dumps(one)
        assert secrets_in(str(caught.value)) == []
    for twin in (copy.copy(settings), copy.deepcopy(settings)):
        assert twin == settings
        assert secrets_in(repr(twin) + str(twin) + twin.model_dump_json() + repr(twin.model_dump())) == []


def test_an_error_is_pickled_without_the_raw_reply(
    listen: Callable[..., Listener], go_live: Callable[..., Client]
) -> None:
    client = go_live(listen(lambda path, _: raw_response(b'{"detail": "no", "ids": ["0f1ce179"]}', status="422 No")))
    with pytest.raises(CintError) as caught:
        client.definitions.locales()
    assert isinstance(caught.value, ApiError)
    assert b"0f1ce179" in caught.value.body
    assert b"0f1ce179" not in pickle.dumps(caught.value)
