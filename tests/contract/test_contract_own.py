"""The client and the sandbox against our own OpenAPI description: always, and without any difference."""

from __future__ import annotations

import inspect
from unittest.mock import MagicMock

import httpx
import pytest

from cint_nb.api.operations import OPERATIONS, STATUS_OPERATIONS
from cint_nb.wire.retry_policy import Idempotency
from tests.contract.openapi_documents import own
from tests.contract.operation_calls import OPERATION_CALLS
from tests.contract.recorded_tour import RecordedTour
from tests.contract.validator import ContractValidator, Difference, HttpCall

TOKEN = {"authorization": "Bearer x", "cint-api-version": "2025-12-18"}
BASE = "http://sandbox.invalid/v1"
GROUP = "/demand/accounts/101/projects/01JX2KPG5VEBF8498Z8YTTE8TB/target-groups/01JX2X0N5RTR012AYDTA83QWTW"
FILE = {"file": ("ids.csv", b"a\n", "text/csv")}
TRACE = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}


@pytest.fixture(scope="module")
def validator() -> ContractValidator:
    return ContractValidator(own())


def test_every_operation_is_described() -> None:
    assert [name for name, operation in OPERATIONS.items() if not own().knows(operation)] == []


def test_every_operation_has_the_name_of_the_method_that_sends_it() -> None:
    for name, operation in OPERATIONS.items():
        client = MagicMock()
        sent = OPERATION_CALLS[name].through(client)
        if inspect.iscoroutine(sent):
            sent.close()
        if operation in STATUS_OPERATIONS.values() and name != "reconciliations.get":  # a method of its own sends that
            assert name == "reports.status" or name.removesuffix("_status") in set(OPERATIONS) - {name}
        else:
            assert client.mock_calls[0][0] in (name, name.rpartition("_")[0])


def test_the_protection_of_an_operation_is_the_described_one() -> None:
    for name, operation in OPERATIONS.items():
        headers = own().parameters(operation, "header")
        if operation.idempotency is Idempotency.KEYED:
            assert "idempotency-key" in headers, name
        if operation.idempotency is not Idempotency.CONDITIONAL:
            assert "if-match" not in headers, name


def test_the_journey_uses_every_method_and_sends_every_operation(recorded_tour: RecordedTour) -> None:
    assert recorded_tour.methods - recorded_tour.used_methods == set()
    assert set(OPERATIONS) - {call.operation.name for call in recorded_tour.calls} == set()


def test_every_request_and_every_reply_is_as_we_describe_it(
    recorded_tour: RecordedTour, validator: ContractValidator
) -> None:
    found = {row: words for call in recorded_tour.calls for row, words in validator.differences(call).items()}
    assert found == {}


def ask(operation: str, path: str = "", **parts: object) -> HttpCall:
    method = OPERATIONS[operation].method
    headers = {name: value for name, value in {**TOKEN, **parts.pop("headers", {})}.items() if value}  # type: ignore[dict-item]
    request = httpx.Request(method, f"{BASE}{path}", headers=headers, **parts)  # type: ignore[arg-type]
    request.read()
    return HttpCall(OPERATIONS[operation], request)


UPLOADS = f"{GROUP}/recontacts/jobs/upload-respondents-by-file"
LAUNCH = f"{GROUP}/fielding-run-jobs/launch-from-draft"
PAUSE = f"{GROUP}/fielding-runs/01JX2X0N5RTR012AYDTA83QWTW/pause"
END = {"end_fielding_at": "2026-09-12T08:00:00.000Z"}
FAULTS = {
    "no version": (
        ask("definitions.locales", "/locales", headers={"cint-api-version": ""}),
        ("definitions.locales", "request header: Cint-API-Version", "missing required parameter"),
    ),
    "an unknown query": (
        ask("definitions.locales", "/locales?colour=red"),
        ("definitions.locales", "request query: colour", "undeclared"),
    ),
    "a page too large": (
        ask("recontacts.jobs", f"{UPLOADS}?page_size=5000"),
        ("recontacts.jobs", "request query: page_size", "maximum"),
    ),
    "an id of another form": (
        ask("projects.get", "/demand/accounts/101/projects/nonsense"),
        ("projects.get", "request path: project_id", "pattern"),
    ),
    "no entity type": (
        ask("recontacts.upload", UPLOADS, files=FILE),
        ("recontacts.upload", "request query: entity_type", "missing required parameter"),
    ),
    "no file": (
        ask("recontacts.upload", f"{UPLOADS}?entity_type=RSID", files={"data": FILE["file"]}),
        ("recontacts.upload", "request body: file", "required"),
    ),
    "no key": (
        ask("fielding.launch", LAUNCH, json=END),
        ("fielding.launch", "request header: idempotency-key", "missing required parameter"),
    ),
    "no version of the run": (
        ask("fielding.pause", PAUSE),
        ("fielding.pause", "request header: If-Match", "missing required parameter"),
    ),
    "a field missing": (
        ask("fielding.launch", LAUNCH, json={}, headers={"idempotency-key": "k"}),
        ("fielding.launch", "request body: end_fielding_at", "required"),
    ),
    "a field too many": (
        ask("fielding.launch", LAUNCH, json={**END, "budget": 1}, headers={"idempotency-key": "k"}),
        ("fielding.launch", "request body: budget", "undeclared"),
    ),
    "a body where none belongs": (
        ask("recontacts.remove_all", f"{GROUP}/recontacts/jobs/remove-all-rsids", json={"ids": []}),
        ("recontacts.remove_all", "request body", "undeclared"),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_request_does_not_pass(validator: ContractValidator, fault: str) -> None:
    call, difference = FAULTS[fault]
    assert set(validator.differences(call)) == {Difference(*difference)}


@pytest.mark.parametrize(
    ("reply", "place", "rule"),
    [
        (httpx.Response(418, json={}), "reply 418", "response not found"),
        (httpx.Response(200, text="<html>", headers=TRACE), "reply 200", "media type not found"),
        (httpx.Response(200, json={"locales": "all"}, headers=TRACE), "reply 200: locales", "type"),
        (httpx.Response(200, json={}, headers=TRACE), "reply 200: locales", "required"),
        (httpx.Response(200, json={"locales": []}), "reply 200 header: traceparent", "missing required header"),
    ],
)
def test_a_wrong_reply_does_not_pass(
    validator: ContractValidator, reply: httpx.Response, place: str, rule: str
) -> None:
    asked = ask("definitions.locales", "/locales")
    answered = HttpCall(asked.operation, asked.request, reply)
    assert set(validator.differences(answered)) == {Difference("definitions.locales", place, rule)}
