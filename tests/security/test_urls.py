"""Where requests go: to the configured host and to the address meant, whatever a value or a reply says."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from cint_nb.api import operations as ops
from cint_nb.domain.errors import ApiError, CintError, CintWarning, InputError, SettingsError, UnexpectedReply
from cint_nb.wave.client import Client
from cint_nb.wave.wave import Wave
from cint_nb.wire.settings import Settings
from tests.support.canaries import SECRET, TOKEN
from tests.support.servers import Listener, raw_response

OPERATIONS = [one for one in vars(ops).values() if isinstance(one, ops.Operation)]
PLACES = [(one, place) for one in OPERATIONS for place in re.findall(r"{(\w+)}", one.template)]
HOSTILE = [
    "a/b", "..", ".", "../../accounts", "a/../../b", "%2e%2e", "%2E%2E%2Faccounts", "..%2f", "a%00", "a\x00b", "a\\b",
    "a?x=1", "a#b", "a;b", "a&b=c", "//evil.example/x", "https://evil.example", "a@b", "a b", "a\r\nHost: evil", "",
    "\uff0e\uff0e\uff0f", "\u2025", "é", "Ⅷ", "٣", "a" * 129,
]  # fmt: skip


def filled(operation: ops.Operation, **places: str) -> dict[str, str]:
    names = re.findall(r"{(\w+)}", operation.template)
    return {name: places.get(name, "1") for name in names}


@pytest.mark.sampled(every=11)
@pytest.mark.parametrize(("operation", "place"), PLACES, ids=lambda one: getattr(one, "name", one))
def test_a_path_value_cannot_reach_another_endpoint(
    listen: Callable[..., Listener], go_live: Callable[..., Client], operation: ops.Operation, place: str
) -> None:
    server = listen()
    client = go_live(server)
    for value in HOSTILE:
        with pytest.raises(InputError, match=place) as caught:
            client.aio.run(client.http.send(operation.make_call(filled(operation, **{place: value}))))
        assert "evil" not in str(caught.value)
    assert server.heads == []


def test_every_operation_is_asked_at_its_own_address_only(
    listen: Callable[..., Listener], go_live: Callable[..., Client]
) -> None:
    server = listen(lambda path, _: raw_response(b"{}"))
    client = go_live(server)
    for operation in OPERATIONS:
        with suppress(UnexpectedReply):  # what is answered does not matter here
            client.aio.run(client.http.send(operation.make_call(filled(operation))))
        method, target, _ = server.heads[-1].split(b"\r\n")[0].decode().split(" ")
        assert method == operation.method
        assert target == "/v1" + re.sub(r"{\w+}", "1", operation.template)
    assert len(server.heads) == len(OPERATIONS)


@pytest.mark.parametrize("value", ["a&entity_type=RID", "a#b", "a=b", "%26x=1", "../x", "a\r\nX-Evil: 1", "é+ ;"])
def test_a_query_value_stays_one_value(
    listen: Callable[..., Listener], go_live: Callable[..., Client], value: str
) -> None:
    server = listen(lambda path, _: raw_response(b"{}"))
    client = go_live(server)
    with suppress(UnexpectedReply):  # what is answered does not matter here
        client.aio.run(client.http.send(ops.LIST_PROJECTS.make_call(query={"name": value, "page_size": 5})))
    head = server.heads[0].decode()
    parts = urlsplit(head.split(" ")[1])
    assert parts.path == "/v1/demand/accounts/7/projects"
    assert parse_qsl(parts.query) == [("name", value), ("page_size", "5")]
    assert "x-evil" not in head.lower().split("\r\n", 1)[1]


@pytest.mark.parametrize("value", ["key\r\nX-Evil: 1", "\r\n\r\nGET /evil HTTP/1.1"])
@pytest.mark.parametrize("field", ["if_match", "idempotency_key"])
def test_a_header_value_cannot_become_another_header(
    listen: Callable[..., Listener], go_live: Callable[..., Client], field: str, value: str
) -> None:
    server = listen(lambda path, _: raw_response(b"{}"))
    client = go_live(server)
    with pytest.raises(CintError):
        client.aio.run(client.http.send(ops.GET_PROJECT.make_call(filled(ops.GET_PROJECT), **{field: value})))
    assert b"evil" not in server.heard.lower()


# The token


REDIRECTS = [301, 302, 303, 307, 308]


@pytest.mark.sampled
@pytest.mark.parametrize("own_client", [False, True], ids=["our client", "a client of the caller's that follows"])
@pytest.mark.parametrize("status", REDIRECTS)
def test_no_redirect_is_followed_to_another_host(
    listen: Callable[..., Listener], go_live: Callable[..., Client], status: int, own_client: bool
) -> None:
    elsewhere = listen(lambda path, _: raw_response(b"{}"))
    more = f"Location: {elsewhere.url}/v1/x\r\nRefresh: 0; url={elsewhere.url}\r\nContent-Location: {elsewhere.url}\r\n"
    here = listen(lambda path, _: raw_response(b"{}", status=f"{status} Go", more=more))
    own = {"http_client": httpx.AsyncClient(follow_redirects=True)} if own_client else {}
    client = go_live(here, **own)
    for operation in (ops.LIST_PROJECTS, ops.CREATE_DRAFT, ops.UPLOAD_RECONTACTS, ops.DOWNLOAD_REPORT):
        with pytest.raises(ApiError, match="redirect"):
            client.aio.run(client.http.send(operation.make_call(filled(operation))))
    assert TOKEN.encode() in here.heard
    assert elsewhere.heads == []
    if own_client:
        client.aio.run(own["http_client"].aclose())


@pytest.mark.parametrize("status", REDIRECTS)
def test_the_secret_follows_no_redirect_of_the_token_endpoint(
    listen: Callable[..., Listener], go_live: Callable[..., Client], monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.delenv("CINT_NB_TOKEN")
    elsewhere = listen()
    here = listen(
        lambda path, _: raw_response(b"{}", status=f"{status} Go", more=f"Location: {elsewhere.url}/oauth/token\r\n")
    )
    client = go_live(here)
    with pytest.raises(CintError):
        client.definitions.locales()
    assert SECRET.encode() in here.heard
    assert elsewhere.heads == []


def test_no_address_in_a_reply_is_ever_asked(listen: Callable[..., Listener], go_live: Callable[..., Client]) -> None:
    elsewhere = listen(lambda path, _: raw_response(b"{}"))
    url = f"{elsewhere.url}/v1/x"
    more = f'Location: {url}\r\nLink: <{url}>; rel=next\r\nAlt-Svc: http/1.1="127.0.0.1:{elsewhere.port}"\r\n'
    body = (
        '{"id": "01JX2KPG5VEBF8498Z8YTTE8TB", "job_id": "01JX2KPG5VEBF8498Z8YTTE8TB", "status": "Completed",'
        f' "url": "{url}", "download_url": "{url}", "file_url": "{url}", "next": "{url}", "href": "{url}",'
        f' "links": {{"next": {{"href": "{url}"}}}}, "next_cursor": "{url}", "projects": [], "has_more": true,'
        f' "report_id": "01JX2KPG5VEBF8498Z8YTTE8TB", "upload_url": "{url}", "location": "{url}"}}'
    ).encode()  # fmt: skip
    pages = iter(range(3))
    last = b'{"projects": [], "has_more": false, "reports_requests": [], "data": []}'
    here = listen(lambda path, _: raw_response(body if next(pages, None) is not None else last, more=more))
    client = go_live(here)

    with pytest.warns(CintWarning, match="next_cursor was repeated"):
        client.projects.list()
    asked = [urlsplit(head.split(b" ")[1].decode()) for head in here.heads]
    assert {parts.path for parts in asked} == {"/v1/demand/accounts/7/projects"}
    pages = iter(range(50))
    client.reports.download("01JX2KPG5VEBF8498Z8YTTE8TB")
    client.reports.status("01JX2KPG5VEBF8498Z8YTTE8TB")
    assert TOKEN.encode() in here.heard
    assert elsewhere.heads == []


def test_a_whole_wave_in_the_sandbox_opens_no_connection_and_a_live_client_one_place_only(
    listen: Callable[..., Listener],
    go_live: Callable[..., Client],
    client: Client,
    make_wave: Callable[..., Wave],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No telemetry, no look for updates, no font, no style sheet."""
    connected: list[object] = []
    connect = socket.socket.connect

    def noted(self: socket.socket, address: tuple[Any, ...] | str) -> None:
        connected.append(address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", noted)
    wave = make_wave()
    wave.create()
    wave.upload()
    wave.launch(budget="900 EUR")
    wave.status()
    assert connected == []
    server = listen(lambda path, _: raw_response(b'{"locales": []}'))
    live = go_live(server)
    live.definitions.locales()
    assert set(connected) == {("127.0.0.1", server.port)}


# The address itself


@pytest.mark.sampled
@pytest.mark.parametrize("name", ["base_url", "token_url"])
@pytest.mark.parametrize(
    "url",
    [
        "http://api.cint.com/v1", "http://10.0.0.7/v1", "http://0.0.0.0/v1", "http://127.0.0.1.evil.example/v1",
        "http://localhost.evil.example/v1", "http://localhost@evil.example/v1", "http://127.0.0.1\\.evil.example/v1",
        "http://[::ffff:10.0.0.7]/v1", "http://sandbox.invalid/v1", "http://replay.invalid/v1", "http://2130706433/v1",
        "HTTP://api.cint.com/v1", "ftp://api.cint.com/v1", "//api.cint.com/v1", "api.cint.com/v1", "file:///etc/passwd",
        "https://user:pass@api.cint.com/v1", "https://api.cint.com/v1?x=1", "https://api.cint.com/v1#x", "https://", "",
        "https://api.cint.com:99999/v1", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_a_live_address_is_https_or_on_this_machine(name: str, url: str) -> None:
    given = {"account_id": 7, "token": TOKEN, name: url or " "}
    with pytest.raises(SettingsError) as caught:
        Settings.load("live", environ={}, **given)
    assert "pass@" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8640/v1", "http://localhost:8640/v1", "http://[::1]:8640/v1"])
def test_this_machine_may_be_asked_without_tls(url: str) -> None:
    assert Settings.load("live", environ={}, account_id=7, token=TOKEN, base_url=url).is_local


def test_the_sandbox_never_reads_the_credentials_of_the_environment(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real secret cannot reach a sandbox, in this process or served elsewhere."""
    settings = client.http.settings
    assert settings.token is None
    assert settings.client_secret is not None
    assert settings.client_secret.get_secret_value() == "sandbox"
    for url in ("https://class.example/v1", "http://127.0.0.1:8640/v1"):
        secret = Settings.load("sandbox", base_url=url).client_secret
        assert secret is not None
        assert secret.get_secret_value() != SECRET
    assert Settings.load("sandbox", base_url="https://class.example/v1").token is None
