"""Whatever answers, however it answers: a value or an error of ours, with cause, what is safe and what is next.

Each kind of reply is given to a read, to a request that must not be repeated, and to the token request.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cint_nb.domain import limits
from cint_nb.domain.errors import CintError, InputError, NotSent, SettingsError, UnexpectedReply
from cint_nb.wire import loop_thread
from cint_nb.wire.api_errors import error_from_reply
from cint_nb.wire.calls import make_reply
from cint_nb.wire.client_pool import ClientPool
from cint_nb.wire.clock import ReplayClock
from cint_nb.wire.http import Call, Http, Idempotency
from cint_nb.wire.replies.json_body import parse_json
from cint_nb.wire.retry_policy import parse_retry_after
from cint_nb.wire.settings import Settings
from cint_nb.wire.token_factory import SeededTokenFactory
from tests.support.constants import START
from tests.support.exchange import FakeExchange, numbered_token
from tests.support.hostile import gzip_bomb
from tests.support.servers import ScriptedServer, raw_response
from tests.support.strategies import any_text

SECRET = "c1ient-SECRETWORD"
READ = ("GET", Idempotency.SAFE)
WRITE = ("POST", Idempotency.NON_IDEMPOTENT)
DEEP = 100_000
DIGITS = b"9" * 5_000

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "space": b"   ",
    "lists nested": b'{"accounts":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "objects nested": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "nesting that never ends": b"[" * DEEP,
    "an int of 5,000 digits": b'{"id":' + DIGITS + b',"status":' + DIGITS + b"}",
    "a negative int of 5,000 digits": b'{"expires_in":-' + DIGITS + b"}",
    "a float beyond all": b'{"expires_in":1e999999}',
    "NaN": b'{"id":NaN}',
    "Infinity": b'{"detail":-Infinity}',
    "half a surrogate pair": b'{"detail":"\\ud800","object":"\\udfff","access_token":"\\ud800"}',
    "half a surrogate pair in bytes": b'{"detail":"\xed\xa0\x80"}',
    "invalid UTF-8": b'{"detail":"\xff\xfe"}',
    "UTF-16": '{"detail":"no"}'.encode("utf-16"),
    "a byte-order mark": b'\xef\xbb\xbf{"detail":"no"}',
    "null": b"null",
    "a text": b'"abc"',
    "a number": b"1",
    "a list of lists": b"[[1]]",
    "duplicate keys": b'{"detail":"a","detail":"b"}',
    "a key of 1 MB": b'{"' + b"k" * 1_000_000 + b'":1}',
    "zero bytes": b"\0" * 100,
    "HTML": b"<html><h1>Access denied</h1></html>",
    "XML": b"<?xml version='1.0'?><a/>",
    "cut": b'{"detail": "n',
    "wrong kinds": b'{"object":[],"detail":{"a":1},"id":5,"invalid_params":[1,{"name":[],"reason":{}},{"name":1}]}',
    "params nested": b'{"invalid_params":[{"name":"' + b"A" * 5_000 + b'","reason":' + b"[" * 900 + b"]" * 900 + b"}]}",
    "above the limit": b" " * (limits.JSON_MAX_BYTES + 1),
}
STATUSES = [
    200,
    201,
    204,
    299,
    302,
    308,
    400,
    401,
    403,
    404,
    408,
    409,
    412,
    418,
    422,
    425,
    429,
    500,
    503,
    599,
    600,
    999,
]

RETRY_AFTER = [
    "31536000", "-5", "1e300", "1e400", "-inf", "inf", "nan", "0x10", "1_0", "9" * 5_000,
    "-" + "9" * 400, "bald", "", " ", "\xe9",
    "Mon, 01 Jan 2001 00:00:00 GMT", "Mon, 01 Jan 2001 00:00:00 -9999", "Fri, 31 Dec 9999 23:59:59 GMT",
    "Fri, 31 Dec 99999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 +2359", f"Mon, 01 Jan {'9' * 30} 00:00:00 GMT",
    f"Mon, 01 Jan 2001 {'9' * 30}:00:00 GMT", f"Mon, {'9' * 30} Jan 2001 00:00:00 GMT",
    f"Mon, 01 Jan 2001 00:00:00 +{'9' * 30}",
]  # fmt: skip
HEADERS: dict[str, dict[str, str]] = {
    "latin-1": {"x-request-id": "\xe9\xff", "etag": "\xff", "sunset": "\xe9", "traceparent": "\xe9"},
    "1 MB": {"x-a": "a" * 1_000_000, "etag": "e" * 1_000_000, "sunset": "s" * 1_000_000},
    "a location that is no address": {"location": "http://[::1"},
    "a location of many brackets": {"location": "http://[" * 100},
    "a length of 5,000 digits": {"content-length": "9" * 5_000},
    "a length below zero": {"content-length": "-5"},
    "an unknown encoding": {"content-encoding": "zstd, br, \xe9"},
    "a broken gzip": {"content-encoding": "gzip"},
    "a content type of 100,000 letters": {"content-type": "j" * 100_000},
    **{f"retry-after {value[:40]!r}": {"retry-after": value} for value in RETRY_AFTER},
}  # fmt: skip


def outcome(http: Http, made: Call) -> httpx.Response | CintError | object:
    """Send a call and return what comes of it, after looking at all of it as a caller would."""
    try:
        reply = loop_thread.run(http.send(made))
        _ = reply.etag, reply.location_id, reply.json_object()
    except CintError as error:
        return checked(error)
    json.dumps(reply.json(), ensure_ascii=False).encode()
    return reply


def checked(error: CintError) -> CintError:
    """Return an error that has all its lines, no secret, and text that can be printed and stored."""
    said = str(error)
    assert error.safe, said
    assert error.next_step, said
    assert SECRET not in said
    assert len(said) < 2_000
    said.encode()
    return error


@pytest.mark.sampled(every=13)
@pytest.mark.parametrize("sent", [READ, WRITE], ids=["a read", "a write"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("kind", ["application/json", "text/html", ""])
def test_any_body_with_any_status_is_a_value_or_an_error_of_ours(
    connect: Callable[..., tuple[Http, FakeExchange]],
    call: Callable[..., Call],
    kind: str,
    body: bytes,
    sent: tuple[str, Idempotency],
) -> None:
    for status in STATUSES:
        http, exchange = connect(httpx.Response(status, content=body, headers={"content-type": kind} if kind else {}))
        found = outcome(http, call(*sent))
        if status >= 300:
            assert isinstance(found, CintError)
        if sent is WRITE and status not in (401, 403, 429):  # rejected before any work, so they may go out again
            assert len(exchange.requests) == 1
        assert len(exchange.requests) <= 1 + limits.RETRIES_PER_CALL


@pytest.mark.sampled
@pytest.mark.parametrize("status", [200, 301, 400, 429, 503])
@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
@pytest.mark.filterwarnings("ignore:The reply to .* header Sunset:cint_nb.errors.CintWarning")
def test_any_header_is_a_value_or_an_error_of_ours(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], headers: dict[str, str], status: int
) -> None:
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    http, _ = connect(lambda _: httpx.Response(status, content=b'{"detail": "no"}', headers=encoded))
    found = outcome(http, call())
    assert isinstance(found, CintError) or status == 200


@pytest.mark.parametrize("etag", ["\xff", 'W/"\xe9"', '"' + "e" * 10_000 + '"'])
def test_an_etag_goes_back_byte_for_byte(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], etag: str
) -> None:
    http, exchange = connect(httpx.Response(200, json={}))
    loop_thread.run(http.send(call("PUT", Idempotency.CONDITIONAL, if_match=etag)))
    assert (b"If-Match", etag.encode("latin-1")) in exchange.requests[0].headers.raw


@pytest.mark.sampled
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("status", STATUSES)
def test_any_reply_to_the_token_request_sends_nothing_to_the_api(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], status: int, body: bytes
) -> None:
    http, exchange = connect(mode="live", client_secret=SECRET)
    exchange.token_response = lambda _: httpx.Response(
        status, content=body, headers={"content-type": "application/json"}
    )
    found = outcome(http, call(*WRITE))
    assert isinstance(found, CintError)
    assert exchange.requests == []


@pytest.mark.sampled
@pytest.mark.parametrize(
    "expires_in",
    [b'"3600"', b"0", b"-1", b"1e30", b"1e999", b"NaN", b"99999999", b"true", b"0.001", b"null", b"[]",
     b"{}", b"-" + DIGITS],
)  # fmt: skip
@pytest.mark.parametrize("token", [b'"tok-SECRETTOKEN"', b'["a"]', b'"a\\nb: c"', b'"\\ud800"', b'""', b'"\xe9"', b"5"])
def test_any_token_is_used_or_refused_in_words(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], token: bytes, expires_in: bytes
) -> None:
    body = b'{"access_token":' + token + b',"expires_in":' + expires_in + b"}"
    http, exchange = connect(httpx.Response(200, json={}), mode="live", client_secret=SECRET)
    exchange.token_response = lambda _: httpx.Response(200, content=body, headers={"content-type": "application/json"})
    found = outcome(http, call())
    assert "SECRETTOKEN" not in str(found)
    assert (exchange.requests == []) is isinstance(found, CintError)


@given(
    st.text(st.characters(max_codepoint=255), max_size=40)
    | st.sampled_from(RETRY_AFTER)
    | st.floats().map(str)
    | st.integers().map(str)
    | st.datetimes().map(format_datetime)
)
def test_every_retry_after_is_a_time_within_the_calendar(value: str) -> None:
    seconds = parse_retry_after(value, START)
    assert seconds is None or 0 <= seconds <= 366 * 86_400


@given(st.text(st.characters(), max_size=200))
def test_every_text_that_is_parsed_can_be_stored(text: str) -> None:
    parsed = parse_json(json.dumps({"a": text}).encode())
    assert (
        parsed["a"].encode("utf-8").decode("utf-8") == text.encode("utf-8", "replace").decode()
        or "\ufffd" in parsed["a"]
    )


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert parse_json(b'["\\ud83d\\ude00", "\\ud83d", "a"]') == ["\U0001f600", "\ufffd", "a"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | any_text(5),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    ["object", "error", "detail", "details", "id", "invalid_params", "name", "reason", "x"]
                ),
                inner,
                max_size=5,
            )
        ),
    )
)
def test_every_error_envelope_makes_an_error(value: object) -> None:
    made = Call("do a thing", "POST", "/things", Idempotency.NON_IDEMPOTENT)
    reply = make_reply(made, 400, httpx.Headers(), json.dumps(value).encode())
    str(error_from_reply(reply, operation=made.operation)).encode()


# --- what is sent -----------------------------------------------------------------------------------------------

HALF = "\ud800"
PARTS = {
    "a header of two lines": {"idempotency_key": "a\r\nX-Evil: 1"},
    "a header beyond latin-1": {"idempotency_key": "ключ"},
    "an etag of two lines": {"if_match": "a\nb"},
    "an etag beyond latin-1": {"if_match": "“1”"},
    "half a surrogate pair in a header": {"idempotency_key": HALF},
    "a header that is no text": {"if_match": 5},
    "half a surrogate pair in the query": {"query": {"name": HALF}},
    "an address too long": {"query": {"name": "x" * 100_000}},
    "half a surrogate pair in the body": {"json": {"name": HALF}},
    "NaN in the body": {"json": {"price": float("nan")}},
    "infinity in the body": {"json": {"price": float("inf")}},
    "an object in the body": {"json": {"price": object()}},
    "a set in the body": {"json": {"ids": {1, 2}}},
    "bytes in the body": {"json": {"name": b"x"}},
    "an int of 5,000 digits in the body": {"json": {"goal": 10**5_000}},
    "a body nested": {"json": None},
}


@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
def test_what_cannot_be_written_is_refused_before_anything_is_sent(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], parts: dict[str, object]
) -> None:
    if parts == {"json": None}:
        nested: object = None
        for _ in range(DEEP):
            nested = [nested]
        parts = {"json": nested}
    http, exchange = connect()
    found = outcome(http, call(*WRITE, **parts))
    assert isinstance(found, InputError)
    assert exchange.requests == []


PROXIES = {
    "no host": {"HTTPS_PROXY": "::::"},
    "a port of letters": {"HTTPS_PROXY": "proxy.example:abc"},
    "a port above all": {"HTTPS_PROXY": "http://me:hunter2@127.0.0.1:99999"},
    "a port above all, without a scheme": {"ALL_PROXY": "me:hunter2@127.0.0.1:65536"},
    "a space before it": {"HTTPS_PROXY": " http://me:hunter2@127.0.0.1:9"},
    "an unknown scheme": {"HTTPS_PROXY": "htp://127.0.0.1:9"},
    "a # in the password": {"HTTPS_PROXY": "http://me:hunter#2@127.0.0.1:9"},
    "a control character": {"HTTPS_PROXY": "http://me:hunter\x01@127.0.0.1:9"},
    "brackets": {"HTTPS_PROXY": "http://[me:hunter"},
    "SOCKS": {"ALL_PROXY": "socks5://me:hunter@127.0.0.1:9"},
    "in small letters": {"https_proxy": "::::"},
    "an IPv6 address among exceptions": {"NO_PROXY": "localhost,[::1]"},
    "a network among exceptions": {"NO_PROXY": "fe80::/10"},
}


DEAD_PROXY = "http://me:hunter2@127.0.0.1:9"


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.sampled(every=3)
@pytest.mark.usefixtures("no_proxies")
@pytest.mark.parametrize("environment", PROXIES.values(), ids=PROXIES)
def test_a_proxy_that_cannot_be_is_named_by_its_variable_and_never_quoted(
    monkeypatch: pytest.MonkeyPatch, call: Callable[..., Call], environment: dict[str, str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = Settings.load("live", environ={}, account_id=7, client_id="me", client_secret=SECRET)
    http = Http(settings, clock=ReplayClock(START), token_factory=SeededTokenFactory("proxies"))
    with pytest.raises(SettingsError) as caught:
        loop_thread.run(http.send(call()))
    assert next(iter(environment)) in str(caught.value)
    assert "hunter" not in str(caught.value)
    assert "hunter" not in repr(caught.value.__context__)
    loop_thread.run(http.aclose())


@pytest.mark.usefixtures("no_proxies")
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_dead_proxy_is_named_by_its_variable_and_never_quoted(
    monkeypatch: pytest.MonkeyPatch, call: Callable[..., Call], variable: str
) -> None:
    monkeypatch.setenv(variable, DEAD_PROXY)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:8")
    settings = Settings.load("live", environ={}, account_id=7, client_id="me", client_secret=SECRET)
    http = Http(settings, clock=ReplayClock(START), token_factory=SeededTokenFactory("proxies"))
    with pytest.raises(NotSent) as caught:
        loop_thread.run(http.send(call()))
    assert caught.value.evidence["variable"] == variable
    assert "hunter" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)
    loop_thread.run(http.aclose())


@pytest.mark.usefixtures("no_proxies")
def test_a_proxy_that_a_request_does_not_go_through_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = ClientPool(None, None, 1, proxies=True)
    url = httpx.URL("https://api.example/v1")
    assert pool.proxy_variable(url) is None
    monkeypatch.setenv("HTTPS_PROXY", DEAD_PROXY)
    assert pool.proxy_variable(url) == "HTTPS_PROXY"
    assert pool.proxy_variable(httpx.URL("http://api.example/v1")) is None
    assert ClientPool(None, None, 1, proxies=False).proxy_variable(url) is None
    assert (
        ClientPool(httpx.MockTransport(lambda _: httpx.Response(200)), None, 1, proxies=True).proxy_variable(url)
        is None
    )
    monkeypatch.setenv("NO_PROXY", "api.example")
    assert pool.proxy_variable(url) is None


# --- over a socket: bytes that are no HTTP, or HTTP that breaks its own rules --------------------------------------


def gzipped(content: bytes) -> bytes:
    return raw_response(gzip.compress(content), more="Content-Encoding: gzip\r\n")


def bomb(status: str) -> bytes:
    return raw_response(gzip_bomb(b"0"), status=status, more="Content-Encoding: gzip\r\n")


WIRE: dict[str, bytes] = {
    "hangs up": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x46" * 100,
    "half a status line": b"HTTP/1.1 2",
    "half a header": b"HTTP/1.1 200 OK\r\nContent-Le",
    "no status": b"HTTP/1.1\r\n\r\n",
    "a status of letters": b"HTTP/1.1 ABC OK\r\n\r\n",
    "HTTP/9.9": b"HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "HTTP/1.0 without a length": b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{}",
    "a header without a name": b"HTTP/1.1 200 OK\r\n: x\r\n\r\n",
    "a header of zero bytes": b"HTTP/1.1 200 OK\r\nX-A: \0\0\r\n\r\n",
    "a header of 1 MB": b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 1_000_000 + b"\r\nContent-Length: 2\r\n\r\n{}",
    "10,000 headers": b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 10_000 + b"Content-Length: 2\r\n\r\n{}",
    "headers that never end": b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 100_000,
    "latin-1 headers": b"HTTP/1.1 200 OK\r\nETag: \xff\r\nSunset: \xe9\r\nContent-Length: 2\r\n\r\n{}",
    "chunks of garbage": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\nhello",
    "a chunk of 2 ** 68": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nhello",
    "chunks without an end": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    "longer than it is": raw_response(b"{}", length=500),
    "shorter than it is": raw_response(b'{"accounts":[]}', length=5),
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length below zero": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}",
    "a length of 5,000 digits": b"HTTP/1.1 200 OK\r\nContent-Length: " + DIGITS + b"\r\n\r\n{}",
    "204 with a body": raw_response(b"{}", status="204 No Content"),
    "101": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    "100 many times": b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000,
    "103 before it": b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + raw_response(b"{}"),
    "status 999": raw_response(b"{}", status="999 What"),
    "a redirect elsewhere": raw_response(b"", status="302 Found", more="Location: http://127.0.0.1:9/steal\r\n"),
    "a redirect to itself": raw_response(b"", status="308 X", more="Location: /v1/demand/accounts/7/things\r\n"),
    "gzip cut": gzipped(b"{}" * 500)[:-20],
    "gzip of garbage": raw_response(b"garbage", more="Content-Encoding: gzip\r\n"),
    "gzip twice": gzipped(gzip.compress(b"{}")),
    "a gzip bomb": bomb("200 OK"),
    "a gzip bomb in an error": bomb("400 Bad Request"),
    "an error of 5 MB": raw_response(b"x" * 5_000_000, status="400 Bad Request"),
    "nested": raw_response(BODIES["lists nested"]),
    "nested in an error": raw_response(BODIES["objects nested"], status="400 Bad Request"),
}


@pytest.fixture
def serve() -> Iterator[Callable[[bytes], tuple[Http, ScriptedServer]]]:
    made: list[tuple[Http, ScriptedServer]] = []

    def make(said: bytes) -> tuple[Http, ScriptedServer]:
        server = ScriptedServer(said)
        loop_thread.run(server.start())
        settings = Settings.load(
            "live", environ={}, account_id=7, token=SECRET, base_url=f"http://127.0.0.1:{server.port}/v1"
        )
        made.append((Http(settings, clock=ReplayClock(START), token_factory=SeededTokenFactory("hostile")), server))
        return made[-1]

    yield make
    for http, server in made:
        loop_thread.run(http.aclose())
        loop_thread.run(server.stop())


@pytest.mark.sampled(every=7)
@pytest.mark.parametrize("sent", [READ, WRITE], ids=["a read", "a write"])
@pytest.mark.parametrize("said", WIRE.values(), ids=WIRE)
@pytest.mark.filterwarnings("ignore:The reply to .* header Sunset:cint_nb.errors.CintWarning")
def test_any_bytes_are_a_value_or_an_error_of_ours(
    serve: Callable[[bytes], tuple[Http, ScriptedServer]],
    call: Callable[..., Call],
    said: bytes,
    sent: tuple[str, Idempotency],
) -> None:
    http, server = serve(said)
    outcome(http, call(*sent))
    if sent is WRITE:
        assert len(server.heads) == 1


@pytest.mark.parametrize("quote", ["body", "header"])
def test_an_error_that_quotes_the_request_does_not_quote_its_secret(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], quote: str
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        token = request.headers["authorization"]
        if quote == "body":
            return httpx.Response(400, json={"detail": f"{token} is bad"})
        return httpx.Response(200, content=b"no", headers={"content-type": f"{token}; json"})

    http, exchange = connect(answer)
    exchange.token_response = lambda _: httpx.Response(200, json={"access_token": "tok-SECRETTOKEN", "expires_in": 60})
    assert "SECRETTOKEN" not in str(outcome(http, call()))


def test_a_reply_nested_too_deeply_says_that_it_cannot_be_read(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(
        httpx.Response(200, content=BODIES["lists nested"], headers={"content-type": "application/json"})
    )
    exchange.token_response = numbered_token
    with pytest.raises(UnexpectedReply, match="not JSON"):
        loop_thread.run(http.send(call(*WRITE)))
