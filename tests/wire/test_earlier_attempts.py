"""An attempt that may have taken effect is not forgotten: later errors never claim that nothing was done."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from cint_nb.domain import errors
from cint_nb.wire import loop_thread
from cint_nb.wire.http import Call, Http, Idempotency
from tests.support.exchange import FakeExchange

LOST = httpx.ReadTimeout("x")
AWAY = httpx.ConnectError("x")
BUSY = httpx.Response(503, json={"object": "error", "detail": "busy"}, headers={"retry-after": "600"})
SLOW = httpx.Response(429, json={"details": "slow down"}, headers={"retry-after": "600"})
EXPIRED = httpx.Response(401, json={"object": "authorization_error", "detail": "expired"})
REFUSED = httpx.Response(409, json={"object": "conflict_error", "detail": "in use"})
MAY_HAVE_TAKEN_EFFECT = [Idempotency.KEYED, Idempotency.CONDITIONAL, Idempotency.IDEMPOTENT]


@pytest.mark.parametrize("repeat", MAY_HAVE_TAKEN_EFFECT)
@pytest.mark.parametrize("first", [LOST, httpx.Response(502)])
def test_a_network_that_breaks_down_after_a_lost_reply_leaves_the_outcome_unknown(
    connect: Callable[..., tuple[Http, FakeExchange]],
    call: Callable[..., Call],
    repeat: Idempotency,
    first: httpx.ReadTimeout | httpx.Response,
) -> None:
    http, exchange = connect(first, AWAY)
    with pytest.raises(errors.OutcomeUnknown) as caught:
        loop_thread.run(http.send(call("POST", repeat, idempotency_key="k")))
    assert len(exchange.requests) == 6
    assert caught.value.evidence["attempts"] == 6
    assert "may have taken effect" in str(caught.value.safe)
    assert "check" in str(caught.value.next_step)
    assert caught.value.evidence["idempotency_key"] == "k"


@pytest.mark.parametrize("repeat", MAY_HAVE_TAKEN_EFFECT)
def test_a_token_that_cannot_be_had_after_a_lost_reply_leaves_the_outcome_unknown(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], repeat: Idempotency
) -> None:
    http, exchange = connect(LOST, EXPIRED)
    exchange.token_response = lambda number: (
        httpx.Response(200, json={"access_token": "t", "expires_in": 86400}) if number == 1 else httpx.Response(503)
    )
    with pytest.raises(errors.OutcomeUnknown) as caught:
        loop_thread.run(http.send(call("POST", repeat, idempotency_key="k")))
    assert len(exchange.requests) == 2
    assert "may have taken effect" in str(caught.value.safe)


@pytest.mark.parametrize("repeat", MAY_HAVE_TAKEN_EFFECT)
@pytest.mark.parametrize("second", [SLOW, REFUSED])
def test_a_refusal_after_a_lost_reply_does_not_say_that_nothing_was_changed(
    connect: Callable[..., tuple[Http, FakeExchange]],
    call: Callable[..., Call],
    repeat: Idempotency,
    second: httpx.Response,
) -> None:
    http, _ = connect(LOST, second)
    with pytest.raises(errors.ApiError) as caught:
        loop_thread.run(http.send(call("POST", repeat, idempotency_key="k")))
    assert caught.value.safe == "unknown: an earlier attempt may have taken effect."
    assert caught.value.evidence["idempotency_key"] == "k"


def test_where_nothing_can_have_acted_nothing_is_called_unknown(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, _ = connect(LOST, AWAY)
    with pytest.raises(errors.NotSent):
        loop_thread.run(http.send(call()))
    http, _ = connect(SLOW, AWAY)
    with pytest.raises(errors.RateLimited, match="nothing was changed"):
        loop_thread.run(http.send(call("POST", Idempotency.NON_IDEMPOTENT)))
    http, _ = connect(AWAY, REFUSED)
    with pytest.raises(errors.Conflict, match="nothing was changed"):
        loop_thread.run(http.send(call("POST", Idempotency.KEYED)))
