"""A changed version means: read and decide once more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from cint_nb.api.client import AsyncClient
from cint_nb.domain.errors import ApiError, InvalidState, PreconditionFailed, UnexpectedReply
from cint_nb.domain.models import TargetGroupRef
from tests.support.constants import START
from tests.support.exchange import error_response, json_response

RUN = "01JX2Y0N5RTR012AYDTA83QWTR"


@pytest.fixture
def run(exchange: Any) -> dict[str, Any]:
    """A run in the exchange, changed by the tests while the client acts."""
    state: dict[str, Any] = {"id": RUN, "status": "live", "version": 1}
    exchange.on("GET", "/fielding-runs", lambda _: httpx.Response(200, json={"data": [state], "has_more": False}))
    shown = {"etag": ""}

    def one(_: httpx.Request) -> httpx.Response:
        shown["etag"] = f'W/"{state["version"]}"'
        return httpx.Response(200, json=state, headers=shown)

    exchange.on("GET", RUN, one)
    return state


def changed(run: dict[str, Any], **to: Any) -> Any:
    """Answer 412, as if somebody else had changed the run."""

    def answer(_: httpx.Request) -> httpx.Response:
        run.update(to, version=run["version"] + 1)
        return httpx.Response(412, json={"object": "precondition_failed_error", "detail": "modified"})

    return answer


def act(run: dict[str, Any], status: str) -> Any:
    def answer(_: httpx.Request) -> httpx.Response:
        run.update(status=status, version=run["version"] + 1)
        return httpx.Response(204)

    return answer


def test_a_changed_run_is_read_again_and_paused_with_its_new_version(
    client: AsyncClient, exchange: Any, run: dict[str, Any], ref: TargetGroupRef
) -> None:
    exchange.on("POST", "/pause", changed(run), act(run, "paused"))
    assert client.run(client.fielding.pause(ref)).state == "paused"
    assert [request.headers["if-match"] for request in exchange.sent("POST", "/pause")] == ['W/"1"', 'W/"2"']


def test_a_run_somebody_else_paused_is_not_paused_again(
    client: AsyncClient, exchange: Any, run: dict[str, Any], ref: TargetGroupRef
) -> None:
    exchange.on("POST", "/pause", changed(run, status="paused"))
    assert client.run(client.fielding.pause(ref)).state == "paused"
    assert len(exchange.sent("POST", "/pause")) == 1


def test_a_run_somebody_else_completed_is_decided_upon_again(
    client: AsyncClient, exchange: Any, run: dict[str, Any], ref: TargetGroupRef
) -> None:
    exchange.on("POST", "/pause", changed(run, status="completed"))
    with pytest.raises(InvalidState, match="completed"):
        client.run(client.fielding.pause(ref))
    assert len(exchange.sent("POST", "/pause")) == 1


def test_a_run_that_keeps_changing_is_given_up_after_the_second_time(
    client: AsyncClient, exchange: Any, run: dict[str, Any], ref: TargetGroupRef
) -> None:
    exchange.on("POST", "/pause", changed(run))
    with pytest.raises(PreconditionFailed):
        client.run(client.fielding.pause(ref))
    assert len(exchange.sent("POST", "/pause")) == 2


def test_an_unknown_state_is_left_to_the_exchange_to_judge(
    client: AsyncClient, exchange: Any, run: dict[str, Any], ref: TargetGroupRef
) -> None:
    run["status"] = "hibernating"
    exchange.on("POST", "/pause", act(run, "paused"))
    assert client.run(client.fielding.pause(ref)).state == "paused"


def test_a_run_already_as_wanted_is_left_alone(
    client: AsyncClient, exchange: Any, run: dict[str, Any], ref: TargetGroupRef
) -> None:
    run["status"] = "completed"
    assert client.run(client.fielding.complete(ref)).state == "completed"
    assert {request.method for request in exchange.requests} == {"GET"}


@pytest.mark.parametrize("verb", ["pause", "complete", "update_run"])
def test_a_run_that_came_without_its_version_is_not_changed(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef, verb: str
) -> None:
    state = {"id": RUN, "status": "live", "version": 1}
    exchange.on("GET", "/fielding-runs", json_response(200, {"data": [state]})).on(
        "GET", RUN, json_response(200, state)
    )
    times = (START, START + timedelta(days=1)) if verb == "update_run" else ()
    with pytest.raises(UnexpectedReply, match="without an ETag header") as caught:
        client.run(getattr(client.fielding, verb)(ref, *times))
    assert "nothing that could change it was sent" in str(caught.value)
    assert {request.method for request in exchange.requests} == {"GET"}


def lost(run: dict[str, Any], **to: Any) -> Any:
    """Act, and lose the reply."""

    def answer(_: httpx.Request) -> httpx.Response:
        run.update(to, version=run["version"] + 1)
        raise httpx.ReadError("cut")

    return answer


@pytest.mark.parametrize("status", [409, 412, 422])
def test_a_repeat_refused_because_the_first_attempt_had_acted_is_no_failure(
    client: AsyncClient, exchange: Any, run: dict[str, Any], ref: TargetGroupRef, status: int
) -> None:
    """An exchange may check the state before the version: then the repeat of a pause that worked meets a 422."""
    exchange.on("POST", "/pause", lost(run, status="paused"), error_response(status, "invalid_state_error"))
    assert client.run(client.fielding.pause(ref)).state == "paused"
    assert len(exchange.sent("POST", "/pause")) == 2


@pytest.mark.parametrize("status", [409, 422])
def test_a_refused_act_whose_run_is_not_as_wanted_stays_refused_after_one_request(
    client: AsyncClient, exchange: Any, run: dict[str, Any], ref: TargetGroupRef, status: int
) -> None:
    exchange.on("POST", "/pause", error_response(status, "invalid_state_error", "not now"))
    with pytest.raises(ApiError, match="not now") as caught:
        client.run(client.fielding.pause(ref))
    assert caught.value.status == status
    assert len(exchange.sent("POST", "/pause")) == 1


def test_a_network_that_breaks_down_after_the_act_is_looked_behind(
    client: AsyncClient, exchange: Any, run: dict[str, Any], ref: TargetGroupRef
) -> None:
    def away(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away")

    exchange.on("POST", "/pause", lost(run, status="paused"), away)
    assert client.run(client.fielding.pause(ref)).state == "paused"
