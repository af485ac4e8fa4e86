"""Access: tokens, the version header, the account; and the envelopes of errors."""

from __future__ import annotations

import base64
import json
import re
from typing import Any, Literal

import httpx
import pytest

from cint_nb.sandbox.handlers.operation import Operation
from cint_nb.sandbox.http.routes import OPERATIONS
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.world.rules import ExchangeRules
from tests.support.sandbox_client import RawClient

TOKEN = {
    "client_id": "sandbox",
    "client_secret": "sandbox",
    "grant_type": "client_credentials",
    "audience": "https://api.luc.id",
    "auth_scopes": "app:api",
}


def ask_token(raw_client: RawClient, body: dict[str, str] | list[Any] | None) -> httpx.Response:
    return raw_client.runner.run(raw_client.client.post(raw_client.sandbox.token_url, json=body))


@pytest.mark.parametrize("status", ["401", "403"])
def test_a_token_lives_24_hours(status: Literal["401", "403"]) -> None:
    sandbox = Sandbox(rules=ExchangeRules(expiry_status=status))
    raw_client = RawClient(sandbox)
    raw_client.log_in()
    body = ask_token(raw_client, TOKEN).json()
    assert body["expires_in"] == 86_400
    assert body["token_type"] == "Bearer"
    sandbox.advance(86_390)
    assert raw_client.get("/accounts").status_code == 200
    sandbox.advance(20)
    reply = raw_client.get("/accounts")
    assert reply.status_code == int(status)
    assert reply.json()["object"] == "authorization_error"
    raw_client.log_in()
    assert raw_client.get("/accounts").status_code == 200
    raw_client.close()


def test_a_token_has_the_shape_of_a_json_web_token(sandbox: Sandbox, raw_client: RawClient) -> None:
    head, claims, _ = raw_client.headers["Authorization"].removeprefix("Bearer ").split(".")
    read = [json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in (head, claims)]
    assert read[0] == {"alg": "HS256", "typ": "JWT"}
    assert read[1]["exp"] - read[1]["iat"] == 86_400
    assert read[1]["iat"] == sandbox.clock.start.timestamp()
    assert read[1]["aud"] == "https://api.luc.id"


def test_a_token_whose_claims_were_changed_is_401(raw_client: RawClient) -> None:
    head, claims, signature = raw_client.headers["Authorization"].removeprefix("Bearer ").split(".")
    longer = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))) | {"exp": 10**12}
    forged = base64.urlsafe_b64encode(json.dumps(longer).encode()).decode().rstrip("=")
    for token in (f"{head}.{forged}.{signature}", f"{head}.{claims}.", f"{claims}.{signature}", f"..{signature}"):
        assert raw_client.get("/accounts", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_wrong_credentials_have_an_envelope_of_their_own(raw_client: RawClient) -> None:
    reply = ask_token(raw_client, {**TOKEN, "client_secret": "wrong"})
    assert reply.status_code == 401
    assert reply.json() == {"error": "access_denied", "error_description": "Unauthorized"}


@pytest.mark.parametrize("body", [None, [], {}, {**TOKEN, "grant_type": "password"}])
def test_a_token_needs_client_credentials(raw_client: RawClient, body: dict[str, str] | list[Any] | None) -> None:
    assert ask_token(raw_client, body).status_code == 400


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer x", "Bearer a.b.c", "Bearer eyJ.eyJ.e30", "Bearer ..", "Basic c2FuZGJveA=="]
)
def test_a_missing_or_made_up_token_is_401(raw_client: RawClient, value: str) -> None:
    reply = raw_client.get("/accounts", headers={"Authorization": value})
    assert reply.status_code == 401
    assert reply.json()["object"] == "authorization_error"


def test_a_token_of_another_seed_is_401(raw_client: RawClient) -> None:
    from cint_nb.sandbox.sandbox import Sandbox

    token = Sandbox(seed=2).dispatcher.make_token(0)
    assert raw_client.get("/accounts", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_missing_version_header_is_403_with_a_word_of_its_own(raw_client: RawClient) -> None:
    del raw_client.headers["Cint-API-Version"]
    reply = raw_client.get("/accounts")
    assert reply.status_code == 403
    assert reply.json()["object"] == "required_header_missing"


def test_another_version_is_refused(raw_client: RawClient) -> None:
    assert raw_client.get("/accounts", headers={"Cint-API-Version": "2025-05-27"}).status_code == 400


def test_an_account_that_is_not_yours_is_403(raw_client: RawClient) -> None:
    assert raw_client.get("/demand/accounts/102/projects").status_code == 403
    assert raw_client.get("/demand/accounts/mine/projects").status_code == 400


def test_errors_carry_an_id_and_replies_a_trace(raw_client: RawClient) -> None:
    replies = [raw_client.get("/accounts"), raw_client.get("/nowhere"), raw_client.get("/locales/1")]
    traces = {reply.headers["traceparent"] for reply in replies}
    assert len(traces) == 3
    assert replies[1].status_code == 404
    assert {"id", "object", "detail"} <= set(replies[1].json())


def test_a_known_path_with_another_method_is_405_and_names_the_methods(raw_client: RawClient) -> None:
    reply = raw_client.ask("PATCH", "/accounts")
    assert reply.status_code == 405
    assert reply.headers["allow"] == "GET"


BODIED = [row for row in OPERATIONS if row.request_schema is not None]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "json", ""])
@pytest.mark.parametrize("row", BODIED, ids=lambda row: row.name)
@pytest.mark.sampled
def test_a_body_that_is_not_declared_as_json_is_415(raw_client: RawClient, row: Operation, kind: str) -> None:
    path = re.sub(r"{\w+}", lambda found: "101" if found[0] == "{account_id}" else "0" * 26, row.path)
    headers = {"Content-Type": kind, "idempotency-key": "one", "If-Match": "*"}
    reply = raw_client.ask(row.method, path, content=b"{}", headers=headers)
    assert reply.status_code == 415
    assert reply.json()["object"] == "unsupported_media_type_error"


def test_json_may_name_its_charset(raw_client: RawClient) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    path = f"{raw_client.project()}/target-groups"
    content = json.dumps(raw_client.draft_body()).encode()
    assert raw_client.ask("POST", path, content=content, headers=headers).status_code == 201


ODD_PATHS = [
    "", "/", "//", "/v1", "/v1/", "/v1//", "/v1/v1/accounts", "/v1/%2e%2e/accounts", "/v1/accounts/%00", "/v1/%ff%fe",
    "/v2/accounts", "/accounts", "/demand", "/demand/accounts/101/projects", "/nowhere", "/nowhere/", "/oauth",
    "/oauth/token/", "/v1/accounts/..%2f", "/openapi.json/", "/sandbox", "/sandbox/nowhere", "/favicon.ico", "/v1?x=1",
]  # fmt: skip


@pytest.mark.sampled(every=4)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", ODD_PATHS)
def test_every_address_that_is_not_one_has_the_error_envelope(raw_client: RawClient, path: str, method: str) -> None:
    if path in ("", "/", "//") and method == "GET":
        return  # the page
    url = f"http://sandbox.invalid{path}"
    reply = raw_client.runner.run(raw_client.client.request(method, url, headers=raw_client.headers))
    assert reply.status_code in (404, 405)
    assert reply.json()["object"] == {404: "not_found_error", 405: "method_not_allowed_error"}[reply.status_code]
    assert {"id", "object", "detail"} == set(reply.json())
    assert "traceparent" in reply.headers


def test_a_project_can_be_read_a_moment_after_it_was_accepted(sandbox: Sandbox, raw_client: RawClient) -> None:
    body = {"name": "Brand tracker", "project_manager_id": "b551326b-ac9d-4d32-8823-4f025787dab9"}
    reply = raw_client.post(f"{raw_client.account}/projects", body, key="one")
    assert reply.status_code == 202
    path = f"{raw_client.account}/projects/{reply.json()['id']}"
    assert raw_client.get(path).status_code == 404
    assert raw_client.post(f"{path}/target-groups", raw_client.draft_body()).status_code == 404
    assert raw_client.get(f"{raw_client.account}/projects").json()["projects"] == []
    sandbox.advance(3)
    assert raw_client.get(path).json()["name"] == "Brand tracker"


def test_a_keyed_request_acts_once_however_often_it_is_sent(raw_client: RawClient) -> None:
    body = {"name": "Brand tracker", "project_manager_id": "b551326b-ac9d-4d32-8823-4f025787dab9"}
    path = f"{raw_client.account}/projects"
    first, again = (raw_client.post(path, body, key="same") for _ in range(2))
    assert first.json() == again.json()
    assert raw_client.post(path, body, key="other").json() != first.json()
    assert raw_client.post(path, {**body, "name": "Another"}, key="same").status_code == 400
    assert raw_client.post(path, body).status_code == 400, "the key is required"
