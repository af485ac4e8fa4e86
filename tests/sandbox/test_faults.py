"""Faults by name: what each does to a request, in process, and what the world looks like afterwards."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from cint_nb.sandbox import faults
from cint_nb.sandbox.faults import ALWAYS, FaultPlan, parse_fault
from cint_nb.sandbox.sandbox import Sandbox
from tests.support.sandbox_client import RawClient

UPLOAD = "recontacts/jobs/upload-respondents-by-file"


def jobs(raw_client: RawClient, group: str) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = raw_client.get(f"{group}/{UPLOAD}").json()["data"]
    return data


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("drop-reply@upload", ("drop-reply", "upload", None, 1, 0, 100)),
        ("429@list*3", ("429", "list", None, 3, 0, 100)),
        ("429@list*3=20", ("429", "list", "20", 3, 0, 100)),
        ("delay@status=40+2", ("delay", "status", "40", 1, 2, 100)),
        ("503@any%10*always", ("503", "any", None, ALWAYS, 0, 10)),
        (" invalid@draft=Allocations.TemplateId ", ("invalid", "draft", "Allocations.TemplateId", 1, 0, 100)),
    ],
)
def test_a_fault_is_read_from_its_text(text: str, parts: tuple[int | str, ...]) -> None:
    fault = parse_fault(text)
    assert (fault.name, fault.step, fault.value, fault.remaining, fault.skip, fault.percent) == parts


@pytest.mark.parametrize(
    "text", ["", "drop-reply", "@upload", "drop-reply@", "explode@upload", "429@list*", "429@list**3"]
)
def test_a_fault_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="fault"):
        parse_fault(text)


def test_a_step_nobody_knows_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(ValueError, match="upload"):
        Sandbox(faults=["429@uploading"])


def test_every_fault_of_the_list_is_explained_in_the_documentation() -> None:
    text = faults.__doc__ or ""
    assert [name for name in faults.FAULT_NAMES if f"`{name}`" not in text] == []


def test_a_chance_is_seeded() -> None:
    def happened(seed: int) -> list[bool]:
        armed = FaultPlan(["503@any%30*always"], seed=seed)
        return [bool(armed.trigger(("list",))) for _ in range(200)]

    assert happened(1) == happened(1)
    assert happened(1) != happened(2)
    assert 30 < sum(happened(1)) < 90


@pytest.mark.parametrize(
    ("name", "error", "acted"),
    [
        ("refuse", httpx.ConnectError, 0),
        ("reset", httpx.WriteError, 0),
        ("drop-reply", httpx.RemoteProtocolError, 1),
    ],
)
def test_a_broken_connection_looks_like_one_and_acts_or_not(
    sandbox: Sandbox,
    raw_client: RawClient,
    good_ids: list[str],
    name: str,
    error: type[httpx.TransportError],
    acted: int,
) -> None:
    group = raw_client.group()
    sandbox.faults.arm(f"{name}@upload")
    with pytest.raises(error):
        raw_client.upload(group, good_ids)
    assert len(jobs(raw_client, group)) == acted


@pytest.mark.parametrize(
    ("name", "status", "kind", "acted"),
    [
        ("401", 401, "authorization_error", 0),
        ("404", 404, "not_found_error", 0),
        ("429", 429, "too_many_requests_problem_details", 0),
        ("500", 500, "unexpected_internal_error", 0),
        ("503", 503, "service_unavailable_error", 0),
        ("expired-token", 403, "authorization_error", 0),
        ("stale-etag", 412, "precondition_failed_error", 0),
        ("invalid", 400, "bad_request_error", 0),
        ("500-after", 500, "unexpected_internal_error", 1),
    ],
)
def test_a_refusal_has_its_status_and_acts_or_not(
    sandbox: Sandbox, raw_client: RawClient, good_ids: list[str], name: str, status: int, kind: str, acted: int
) -> None:
    group = raw_client.group()
    sandbox.faults.arm(f"{name}@upload")
    reply = raw_client.upload(group, good_ids)
    assert (reply.status_code, reply.json()["object"]) == (status, kind)
    assert len(jobs(raw_client, group)) == acted
    assert raw_client.upload(group, good_ids).status_code == (409 if acted else 201), "once is once"


def test_too_many_requests_tells_how_long_to_wait_under_a_key_of_its_own(
    sandbox: Sandbox, raw_client: RawClient
) -> None:
    sandbox.faults.arm("429@get_locales=17")
    reply = raw_client.get("/locales")
    assert reply.headers["retry-after"] == "17"
    assert set(reply.json()) == {"object", "details"}


def test_a_bad_gateway_answers_with_a_page(sandbox: Sandbox, raw_client: RawClient) -> None:
    sandbox.faults.arm("502@get_locales")
    reply = raw_client.get("/locales")
    assert reply.status_code == 502
    assert reply.headers["content-type"] == "text/html"


@pytest.mark.parametrize("name", ["truncated", "html"])
def test_a_reply_of_success_that_cannot_be_read_comes_after_acting(
    sandbox: Sandbox, raw_client: RawClient, good_ids: list[str], name: str
) -> None:
    group = raw_client.group()
    sandbox.faults.arm(f"{name}@upload")
    reply = raw_client.upload(group, good_ids)
    assert reply.is_success
    with pytest.raises(json.JSONDecodeError):
        reply.json()
    assert len(jobs(raw_client, group)) == 1


def test_a_delay_within_patience_costs_virtual_time_only(sandbox: Sandbox, raw_client: RawClient) -> None:
    sandbox.faults.arm("delay@get_locales=3")
    before = sandbox.clock.elapsed
    assert raw_client.get("/locales", timeout=5).status_code == 200
    assert sandbox.clock.elapsed == before + 3


def test_a_delay_beyond_patience_is_a_read_timeout_after_acting(
    sandbox: Sandbox, raw_client: RawClient, good_ids: list[str]
) -> None:
    group = raw_client.group()
    sandbox.faults.arm("delay@upload=40")
    before = sandbox.clock.elapsed
    with pytest.raises(httpx.ReadTimeout):
        raw_client.upload(group, good_ids)
    assert sandbox.clock.elapsed == before + 5, "httpx waits five seconds unless told otherwise"
    assert len(jobs(raw_client, group)) == 1


def test_a_fault_may_let_some_requests_pass_and_strike_several_times(sandbox: Sandbox, raw_client: RawClient) -> None:
    sandbox.faults.arm("503@get_locales+1*2")
    assert [raw_client.get("/locales").status_code for _ in range(5)] == [200, 503, 503, 200, 200]


def test_any_strikes_every_operation_but_no_unknown_address(sandbox: Sandbox, raw_client: RawClient) -> None:
    sandbox.faults.arm("500@any*always")
    assert raw_client.get("/locales").status_code == 500
    assert raw_client.get("/nowhere").status_code == 404
    sandbox.faults.clear()
    assert raw_client.get("/locales").status_code == 200


def test_the_token_can_be_refused_too(sandbox: Sandbox, raw_client: RawClient) -> None:
    sandbox.faults.arm("503@token")
    with pytest.raises(KeyError):
        raw_client.log_in()
    raw_client.log_in()


def test_a_job_may_fail(sandbox: Sandbox, raw_client: RawClient, good_ids: list[str]) -> None:
    group = raw_client.group()
    sandbox.faults.arm("job-fails@upload")
    body = raw_client.get(raw_client.saved_ids(group, good_ids)).json()
    assert body["status"] == "Failed"
    assert body["failure_reason"]["code"] == "JobExecutionStartMessageFailed"
    assert body["job_trace_id"]
    assert raw_client.saved(group) == 0
    assert raw_client.upload(group, good_ids).status_code == 201, "the lock is free again"


def test_a_job_may_never_end_and_keeps_its_lock(sandbox: Sandbox, raw_client: RawClient, good_ids: list[str]) -> None:
    group = raw_client.group()
    sandbox.faults.arm("job-never-ends@upload")
    job = raw_client.saved_ids(group, good_ids)
    sandbox.advance(20 * 3_600)
    assert raw_client.get(job).json()["status"] == "Processing"
    assert 0 < raw_client.saved(group) < len(good_ids)
    assert raw_client.upload(group, good_ids).status_code == 409


def test_a_partial_success_can_be_mended_by_sending_the_rest(
    sandbox: Sandbox, raw_client: RawClient, good_ids: list[str]
) -> None:
    group = raw_client.group()
    sandbox.faults.arm("partial@upload")
    body = raw_client.get(raw_client.saved_ids(group, good_ids)).json()
    assert "540 respondent IDs uploaded successfully, 60 failed" in body["partial_success_reason"]["description"]
    assert raw_client.saved(group) == 540
    raw_client.saved_ids(group, good_ids[540:])
    assert raw_client.saved(group) == 600


def test_a_launch_may_fail(sandbox: Sandbox, raw_client: RawClient, good_ids: list[str]) -> None:
    group = raw_client.group()
    raw_client.saved_ids(group, good_ids)
    sandbox.faults.arm("job-fails@launch")
    path = f"{group}/fielding-run-jobs/launch-from-draft"
    job = raw_client.post(path, {"end_fielding_at": "2026-09-13T08:00:00Z"}, key="a").headers["location"]
    sandbox.advance(30)
    assert raw_client.get(job).json()["status"] == "Failed"
    assert raw_client.get(group).status_code == 200, "still a draft"
    assert raw_client.launched(group)


def test_the_marketplace_may_pause_a_group(sandbox: Sandbox, raw_client: RawClient, good_ids: list[str]) -> None:
    group = raw_client.group(completes_goal=500)
    raw_client.saved_ids(group, good_ids)
    sandbox.faults.arm("paused-by-marketplace@launch")
    run = raw_client.launched(group)
    sandbox.advance(7 * 3_600)
    assert raw_client.get(run).json()["status"] == "paused"
    change = raw_client.get(f"{group}/changelog").json()["changelog"][0]
    assert change["user"] == {"type": "system_marketplace_user"}
    assert change["changes"][0]["reason_code"] == "no_completes_in_several_days"
    etag = raw_client.get(run).headers["etag"]
    assert raw_client.post(f"{run}/resume", headers={"If-Match": etag}).status_code == 204
    sandbox.advance(7 * 3_600)
    assert raw_client.get(run).json()["status"] == "live"


def test_a_status_may_be_a_word_nobody_knows(sandbox: Sandbox, raw_client: RawClient, good_ids: list[str]) -> None:
    job = raw_client.saved_ids(raw_client.group(), good_ids)
    sandbox.faults.arm("unknown-status@status=Reticulating")
    assert raw_client.get(job).json()["status"] == "Reticulating"
    assert raw_client.get(job).json()["status"] == "Completed"


def test_a_reply_may_hold_fields_nobody_has_heard_of(sandbox: Sandbox, raw_client: RawClient) -> None:
    sandbox.faults.arm("extra-fields@get_locales")
    body = raw_client.get("/locales").json()
    assert "cint_nb_sandbox_extra" in body
    assert "cint_nb_sandbox_extra" in body["locales"][0]


def test_a_cursor_may_repeat_itself(sandbox: Sandbox, raw_client: RawClient, good_ids: list[str]) -> None:
    group = raw_client.group()
    raw_client.saved_ids(group, good_ids[:30])
    path = f"{group}/recontacts/rsids"
    first = raw_client.get(path, params={"page_size": 10}).json()["next_cursor"]
    sandbox.faults.arm("repeated-cursor@rsids")
    assert raw_client.get(path, params={"page_size": 10, "start_after": first}).json()["next_cursor"] == first


def test_a_page_may_be_shorter_than_asked_for_and_nothing_is_lost(
    sandbox: Sandbox, raw_client: RawClient, good_ids: list[str]
) -> None:
    group = raw_client.group()
    raw_client.saved_ids(group, good_ids[:30])
    sandbox.faults.arm("short-page@rsids")
    path = f"{group}/recontacts/rsids"
    page = raw_client.get(path, params={"page_size": 20}).json()
    assert len(page["data"]) == 10
    rest = raw_client.get(path, params={"page_size": 20, "start_after": page["next_cursor"]}).json()
    assert page["data"] + rest["data"] == good_ids[:30]


def test_faults_given_at_the_start_are_armed() -> None:
    sandbox = Sandbox(faults=["429@list*3", "drop-reply@upload"])
    assert [fault.text for fault in sandbox.faults.armed] == ["429@list*3", "drop-reply@upload"]
