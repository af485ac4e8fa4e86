"""Certificates are checked, and nothing but a client of the caller's own making can change that."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import trustme

from cint_nb.domain.errors import NotSent, SettingsError
from cint_nb.wave.client import Client
from cint_nb.wire import loop_thread
from cint_nb.wire.settings import MODE_VARIABLE, VARIABLES, Settings
from tests.support.servers import Listener, raw_response

HOST = "exchange.test"
# What switches checking off, or moves trust, in other programs and libraries; set to what does it there.
ELSEWHERE = {
    "PYTHONHTTPSVERIFY": "0",
    "CURL_CA_BUNDLE": "",
    "REQUESTS_CA_BUNDLE": "",
    "NODE_TLS_REJECT_UNAUTHORIZED": "0",
    "GIT_SSL_NO_VERIFY": "1",
    "HTTPX_VERIFY": "0",
    "CINT_NB_VERIFY": "0",
    "CINT_NB_INSECURE": "1",
}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def serve(
    listen: Callable[..., Listener], authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Listener]:
    """Serve a certificate for a name that is not this machine's, and let that name lead here."""
    resolve = socket.getaddrinfo

    def here(host: str | bytes | None, port: bytes | str | int | None, *more: int, **named: int) -> object:
        return resolve("127.0.0.1" if host in (HOST, HOST.encode()) else host, port, *more, **named)

    def start(name: str = HOST, by: trustme.CA | None = None) -> Listener:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (by or authority).issue_cert(name).configure_cert(context)
        return listen(lambda path, _: None if "oauth" in path else raw_response(b'{"locales": []}'), context)

    monkeypatch.setattr(socket, "getaddrinfo", here)
    return start


@pytest.fixture
def ask(go_live: Callable[..., Client]) -> Callable[..., object]:
    """Ask a server under its name, as a live client does."""

    def once(server: Listener, **settings: object) -> object:
        url = f"https://{HOST}:{server.port}"
        client = go_live(server, **({"base_url": f"{url}/v1", "token_url": f"{url}/oauth/token"} | settings))
        return client.definitions.locales()

    return once


def trust(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


def test_a_certificate_nobody_vouches_for_is_refused_before_anything_is_sent(
    serve: Callable[..., Listener], ask: Callable[..., object]
) -> None:
    server = serve()
    with pytest.raises(NotSent) as caught:
        ask(server)
    assert caught.value.evidence["cause"] == "ConnectError"
    assert server.heads == []


def test_a_certificate_of_an_authority_the_user_names_is_taken(
    serve: Callable[..., Listener],
    ask: Callable[..., object],
    authority: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SSL_CERT_FILE adds whom to trust, as behind a company's proxy; it cannot say: nobody in particular."""
    trust(authority, tmp_path, monkeypatch)
    server = serve()
    assert ask(server) == ()
    assert len(server.heads) == 1


def test_a_certificate_of_another_authority_or_for_another_name_is_refused(
    serve: Callable[..., Listener],
    ask: Callable[..., object],
    authority: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trust(authority, tmp_path, monkeypatch)
    for server in (serve(by=trustme.CA()), serve(name="other.test")):
        with pytest.raises(NotSent):
            ask(server)
        assert server.heads == []


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("variable", ELSEWHERE)
def test_no_variable_switches_checking_off(
    serve: Callable[..., Listener], ask: Callable[..., object], monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, ELSEWHERE[variable])
    server = serve()
    with pytest.raises(NotSent):
        ask(server)
    assert server.heads == []


@pytest.mark.parametrize("value", ["", "/dev/null", "/no/such/file"])
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_an_empty_list_of_authorities_trusts_nobody_more(
    serve: Callable[..., Listener],
    ask: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
) -> None:
    monkeypatch.setenv(variable, value)
    server = serve()
    with pytest.raises((NotSent, SettingsError)):
        ask(server)
    assert server.heads == []


def test_the_token_endpoint_is_checked_too(
    serve: Callable[..., Listener],
    ask: Callable[..., object],
    listen: Callable[..., Listener],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CINT_NB_TOKEN")
    server, plain = serve(), listen(lambda path, _: raw_response(b"{}"))
    with pytest.raises(NotSent):
        ask(server, base_url=f"{plain.url}/v1")
    assert server.heads == plain.heads == []


def test_recording_a_live_session_checks_too(
    serve: Callable[..., Listener], ask: Callable[..., object], tmp_path: Path
) -> None:
    server = serve()
    with pytest.raises(NotSent):
        ask(server, record=tmp_path / "live.jsonl")
    assert server.heads == []


@pytest.mark.parametrize("name", ["verify", "verify_ssl", "insecure", "ssl", "cert", "trust_env"])
def test_no_setting_switches_checking_off(name: str) -> None:
    with pytest.raises(SettingsError, match="Unknown setting"):
        Settings.load("live", environ={}, account_id=7, token="t", **{name: False})
    assert name not in Settings.model_fields
    assert f"CINT_NB_{name.upper()}" not in {*VARIABLES.values(), MODE_VARIABLE}


def test_a_client_of_the_callers_own_brings_its_own_rules(
    serve: Callable[..., Listener], ask: Callable[..., object], authority: trustme.CA
) -> None:
    """Whoever makes an httpx client decides for it: that is on purpose, and visible in their code."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    server = serve()
    trusting, usual = httpx.AsyncClient(verify=context), httpx.AsyncClient()
    assert ask(server, http_client=trusting) == ()
    with pytest.raises(NotSent):
        ask(server, http_client=usual)
    assert len(server.heads) == 1
    for own in (trusting, usual):
        loop_thread.run(own.aclose())
