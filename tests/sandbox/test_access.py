"""Access: tokens, the version header, the account; and the envelopes of errors."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from cint_nb.sandbox.sandbox import Sandbox
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


def test_a_token_lives_24_hours(sandbox: Sandbox, raw_client: RawClient) -> None:
    body = ask_token(raw_client, TOKEN).json()
    assert body["expires_in"] == 86_400
    assert body["token_type"] == "Bearer"
    sandbox.advance(86_390)
    assert raw_client.get("/accounts").status_code == 200
    sandbox.advance(20)
    reply = raw_client.get("/accounts")
    assert reply.status_code == 403
    assert reply.json()["object"] == "authorization_error"


def test_wrong_credentials_have_an_envelope_of_their_own(raw_client: RawClient) -> None:
    reply = ask_token(raw_client, {**TOKEN, "client_secret": "wrong"})
    assert reply.status_code == 401
    assert reply.json() == {"error": "access_denied", "error_description": "Unauthorized"}


@pytest.mark.parametrize("body", [None, [], {}, {**TOKEN, "grant_type": "password"}])
def test_a_token_needs_client_credentials(raw_client: RawClient, body: dict[str, str] | list[Any] | None) -> None:
    assert ask_token(raw_client, body).status_code == 400


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer x", "Bearer a.b.c", "Basic c2FuZGJveA=="])
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
