"""The access token: when it is asked for, how often, and what happens when it is refused."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from cint_nb.domain import errors, limits
from cint_nb.wire import loop_thread
from cint_nb.wire.auth import FileTokenStore
from cint_nb.wire.http import Call, Http, Idempotency
from cint_nb.wire.settings import Settings
from tests.support.exchange import FakeExchange

FINE = httpx.Response(200, json={})
EXPIRED = httpx.Response(401, json={"object": "authorization_error", "detail": "expired"})


def always(answer: httpx.Response) -> Callable[[int], httpx.Response]:
    return lambda _: answer


def living(seconds: float | int | str | None) -> Callable[[int], httpx.Response]:
    return lambda number: httpx.Response(200, json={"access_token": f"token-{number}", "expires_in": seconds})


def test_the_request_is_the_one_the_documents_describe(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(FINE, mode="live")
    loop_thread.run(http.send(call()))
    request = exchange.token_requests[0]
    assert str(request.url) == "https://auth.cint.com/oauth/token"
    assert json.loads(request.content) == {
        "client_id": "me",
        "client_secret": "not-a-secret",
        "grant_type": "client_credentials",
        "audience": "https://api.luc.id",
        "auth_scopes": "app:api",
    }
    assert "authorization" not in request.headers


def test_making_a_client_sends_nothing_and_one_token_serves_many_requests(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(FINE)
    assert exchange.token_requests == []
    for _ in range(3):
        loop_thread.run(http.send(call()))
    assert exchange.tokens_used == ["token-1"] * 3
    assert (http.requests_sent, http.token_requests_sent) == (3, 1)


def test_however_many_ask_at_once_one_token_is_fetched(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(FINE)

    async def all_at_once() -> None:
        await asyncio.gather(*(http.send(call()) for _ in range(20)))

    loop_thread.run(all_at_once())
    assert len(exchange.token_requests) == 1


def test_however_many_are_rejected_at_once_one_new_token_is_fetched(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(lambda request: FINE if request.headers["authorization"] == "Bearer token-2" else EXPIRED)

    async def all_at_once() -> None:
        await asyncio.gather(*(http.send(call()) for _ in range(20)))

    loop_thread.run(all_at_once())
    assert len(exchange.token_requests) == 2


def test_a_token_is_renewed_five_minutes_before_its_end(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(FINE)
    loop_thread.run(http.send(call()))
    loop_thread.run(http.sleep(86_400 - 301))
    loop_thread.run(http.send(call()))
    assert len(exchange.token_requests) == 1
    loop_thread.run(http.sleep(2))
    loop_thread.run(http.send(call()))
    assert exchange.tokens_used == ["token-1", "token-1", "token-2"]


def test_a_token_shorter_than_that_is_still_used_for_half_its_life(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(FINE)
    exchange.token_response = living(60)
    loop_thread.run(http.send(call()))
    loop_thread.run(http.send(call()))
    assert len(exchange.token_requests) == 1
    loop_thread.run(http.sleep(31))
    loop_thread.run(http.send(call()))
    assert len(exchange.token_requests) == 2


@pytest.mark.parametrize("life", [None, "soon", -5, 0, True, 1e300])
def test_a_token_of_unreadable_life_is_taken_to_last_an_hour(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], life: float | int | str | None
) -> None:
    http, exchange = connect(FINE)
    exchange.token_response = living(life)
    loop_thread.run(http.send(call()))
    loop_thread.run(http.sleep(3_000))
    loop_thread.run(http.send(call()))
    assert len(exchange.token_requests) == 1
    loop_thread.run(http.sleep(600))
    loop_thread.run(http.send(call()))
    assert len(exchange.token_requests) == 2


def test_the_token_endpoints_own_error_envelope_is_read(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(FINE)
    exchange.token_response = lambda _: httpx.Response(
        401, json={"error": "access_denied", "error_description": "Unauthorized"}
    )
    with pytest.raises(errors.NotAuthenticated, match="Unauthorized") as caught:
        loop_thread.run(http.send(call()))
    assert caught.value.evidence["object"] == "access_denied"
    assert "CINT_NB_CLIENT_SECRET" in str(caught.value.next_step)
    assert exchange.requests == []
    assert len(exchange.token_requests) == 1


def test_no_error_about_the_token_shows_the_secret_even_with_all_local_variables(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    for answer in (httpx.Response(401, json={"error": "access_denied"}), httpx.Response(200, json={"other": 1})):
        http, exchange = connect(FINE, mode="live")
        exchange.token_response = always(answer)
        with pytest.raises(errors.CintError) as caught:
            loop_thread.run(http.send(call()))
        shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
        assert "not-a-secret" not in shown
        assert "not-a-secret" not in repr(http) + repr(http.settings) + repr(http._tokens.__dict__)


def test_a_failing_token_endpoint_is_asked_again_and_then_the_request_counts_as_unsent(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(FINE)
    exchange.token_response = lambda number: httpx.ReadError("x") if number < 3 else living(60)(number)
    loop_thread.run(http.send(call("POST", Idempotency.NON_IDEMPOTENT)))
    assert len(exchange.token_requests) == 3
    http, exchange = connect(FINE)
    exchange.token_response = lambda _: httpx.Response(503, text="busy")
    with pytest.raises(errors.NotSent, match="no access token"):
        loop_thread.run(http.send(call("POST", Idempotency.NON_IDEMPOTENT)))
    assert exchange.requests == []


@pytest.mark.parametrize("body", [{}, {"access_token": ""}, {"access_token": 5}, []])
def test_an_answer_without_a_token_is_no_token(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], body: dict[str, Any] | list[Any]
) -> None:
    http, exchange = connect(FINE)
    exchange.token_response = lambda _: httpx.Response(200, json=body)
    with pytest.raises(errors.NotSent):
        loop_thread.run(http.send(call()))
    assert exchange.requests == []


def test_a_ready_token_is_used_as_it_is_and_a_refusal_says_to_renew_it(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(EXPIRED, mode="live", token="ready", client_id="")
    with pytest.raises(errors.NotAuthenticated, match="expired") as caught:
        loop_thread.run(http.send(call()))
    assert exchange.tokens_used == ["ready"]
    assert exchange.token_requests == []
    assert "CINT_NB_TOKEN" in str(caught.value.next_step)


def test_the_token_is_renewed_once_in_a_call_and_a_second_refusal_is_final(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(EXPIRED)
    with pytest.raises(errors.NotAuthenticated) as caught:
        loop_thread.run(http.send(call("POST", Idempotency.NON_IDEMPOTENT)))
    assert exchange.tokens_used == ["token-1", "token-2"]
    assert "a new token was rejected too" in str(caught.value.next_step)


def test_a_token_proven_good_is_not_renewed_for_every_missing_right(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(httpx.Response(403, json={"object": "authorization_error", "detail": "no right"}))
    for _ in range(4):
        with pytest.raises(errors.PermissionDenied):
            loop_thread.run(http.send(call()))
    assert len(exchange.token_requests) == 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_was_good_once_and_is_rejected_later_is_renewed_again(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], status: int
) -> None:
    """It may have been revoked since, long before its end; a missing right met earlier says nothing about that."""
    no_right = httpx.Response(403, json={"object": "authorization_error", "detail": "no right"})
    revoked = httpx.Response(status, json={"object": "authorization_error", "detail": "expired"})
    http, exchange = connect(no_right, no_right, FINE, revoked, FINE)
    with pytest.raises(errors.PermissionDenied):
        loop_thread.run(http.send(call()))
    loop_thread.run(http.send(call()))
    loop_thread.run(http.sleep(limits.TOKEN_TRUSTED_FOR.total_seconds() + 1))
    assert loop_thread.run(http.send(call())).status == 200
    assert exchange.tokens_used == ["token-1", "token-2", "token-2", "token-2", "token-3"]


def test_without_credentials_nothing_is_asked() -> None:
    settings = Settings(
        base_url="https://api.invalid/v1", token_url="https://auth.invalid/oauth/token", account_id=1, mode="live"
    )
    http = Http(settings, transport=httpx.MockTransport(lambda _: pytest.fail("sent")))
    from cint_nb.wire.http import Call

    with pytest.raises(errors.SettingsError, match="credentials"):
        loop_thread.run(http.send(Call("x", "GET", "/x", Idempotency.SAFE)))


# The token on disk


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: tmp_path / "cache")
    return tmp_path / "cache"


def test_a_token_is_kept_on_disk_only_on_request(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], kept: Path
) -> None:
    http, _ = connect(FINE, mode="live")
    loop_thread.run(http.send(call()))
    assert not kept.exists()


def test_a_kept_token_serves_the_next_client_and_only_its_owner_can_read_it(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], kept: Path
) -> None:
    http, _ = connect(FINE, mode="live", keep_token=True)
    loop_thread.run(http.send(call()))
    (file,) = kept.iterdir()
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "not-a-secret" not in file.read_text() + file.name
    http, exchange = connect(FINE, mode="live", keep_token=True)
    loop_thread.run(http.send(call()))
    assert exchange.token_requests == []
    assert exchange.tokens_used == ["token-1"]


def test_another_client_id_has_another_token(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], kept: Path
) -> None:
    for client_id in ("me", "you"):
        http, exchange = connect(FINE, mode="live", keep_token=True, client_id=client_id)
        loop_thread.run(http.send(call()))
        assert len(exchange.token_requests) == 1
    assert len(list(kept.iterdir())) == 2


def test_a_kept_token_that_is_rejected_is_replaced(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], kept: Path
) -> None:
    first, _ = connect(FINE, mode="live", keep_token=True)
    loop_thread.run(first.send(call()))
    http, exchange = connect(EXPIRED, FINE, mode="live", keep_token=True)
    exchange.token_response = lambda _: httpx.Response(200, json={"access_token": "newer", "expires_in": 86400})
    loop_thread.run(http.send(call()))
    assert exchange.tokens_used == ["token-1", "newer"]
    assert "newer" in next(kept.iterdir()).read_text()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"access_token": "old"}', '{"access_token": 1, "expires_at": "x"}']
)
def test_a_damaged_kept_token_counts_as_none(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], kept: Path, content: str
) -> None:
    http, exchange = connect(FINE, mode="live", keep_token=True)
    file = FileTokenStore(http.settings)
    file.path.parent.mkdir(parents=True)
    file.path.touch(0o600)
    file.path.write_text(content)
    loop_thread.run(http.send(call()))
    assert len(exchange.token_requests) == 1


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_a_kept_token_others_can_read_or_that_is_a_link_counts_as_none(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], kept: Path
) -> None:
    first, _ = connect(FINE, mode="live", keep_token=True)
    loop_thread.run(first.send(call()))
    (file,) = kept.iterdir()
    file.chmod(0o644)
    assert FileTokenStore(first.settings).load() is None
    file.chmod(0o600)
    assert FileTokenStore(first.settings).load() is not None
    aside = file.rename(kept / "aside")
    file.symlink_to(aside)
    assert FileTokenStore(first.settings).load() is None


def test_an_expired_kept_token_is_not_used(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], kept: Path
) -> None:
    first, _ = connect(FINE, mode="live", keep_token=True)
    loop_thread.run(first.send(call()))
    http, exchange = connect(FINE, mode="live", keep_token=True)
    loop_thread.run(http.sleep(timedelta(days=1).total_seconds()))
    loop_thread.run(http.send(call()))
    assert len(exchange.token_requests) == 1


def test_a_disk_that_refuses_is_no_reason_to_fail(
    connect: Callable[..., tuple[Http, FakeExchange]],
    call: Callable[..., Call],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: tmp_path / "file" / "below")
    http, _ = connect(FINE, mode="live", keep_token=True)
    assert loop_thread.run(http.send(call())).status == 200


def test_what_a_killed_process_left_beside_a_token_is_removed(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], kept: Path
) -> None:
    kept.mkdir(parents=True)
    for name in (".token-k1lled_0", ".token-at_work1", "notes.txt"):
        (kept / name).write_text("a token")
    for name in (".token-k1lled_0", "notes.txt"):
        os.utime(kept / name, (0, 0))
    http, _ = connect(FINE, mode="live", keep_token=True)
    loop_thread.run(http.send(call()))
    assert sorted(path.name for path in kept.iterdir())[:2] == [".token-at_work1", "notes.txt"]
    assert len(list(kept.iterdir())) == 3


def test_a_token_that_cannot_get_its_name_leaves_nothing(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], kept: Path
) -> None:
    http, _ = connect(FINE, mode="live", keep_token=True)
    FileTokenStore(http.settings).path.mkdir(parents=True)
    loop_thread.run(http.send(call()))
    assert [path.is_dir() for path in kept.iterdir()] == [True]
