"""The guide on creating a target group as a table of tests: one row a statement, in the guide's order, in our words."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cint_nb.domain import ids, limits
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.server import ServedSandbox
from cint_nb.sandbox.world.catalogue import PROJECT_MANAGER_ID
from tests.sandbox.exchange_views import ServedRawClient
from tests.support.plans import guide_draft, price_body
from tests.support.sandbox_client import RawClient
from tests.support.statements import UNKNOWN, Statement, StatementTable, curl

GUIDE = says = StatementTable("T")


@pytest.fixture
def over_http() -> Iterator[RawClient]:
    with ServedSandbox(Sandbox(seed=1)) as served:
        client = ServedRawClient(served)
        client.log_in()
        yield client
        client.close()


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("row", GUIDE.rows, ids=str)
def test_the_statement_holds(row: Statement, raw_client: RawClient) -> None:
    row.check(raw_client)


@pytest.mark.thorough
@pytest.mark.parametrize("row", GUIDE.rows, ids=str)
def test_the_statement_holds_over_http(row: Statement, over_http: RawClient) -> None:
    row.check(over_http)


def test_so_many_statements_were_counted() -> None:
    assert len(GUIDE.rows) == 45
    assert len({row.says for row in GUIDE.rows}) == len(GUIDE.rows)


def create(client: RawClient, body: Any = None, **changes: Any) -> httpx.Response:
    body = {**guide_draft(), **changes} if body is None else body
    return client.post(f"{client.project()}/target-groups", body)


def refused(client: RawClient, **changes: Any) -> list[str]:
    """Return the names of the fields for which the example, changed, is refused."""
    reply = create(client, **changes)
    assert reply.status_code == 400, reply.text
    return [problem["name"] for problem in reply.json()["invalid_params"]]


def read_back(client: RawClient) -> dict[str, Any]:
    """Return the example as the exchange shows it."""
    project = client.project()
    made = client.post(f"{project}/target-groups", guide_draft()).json()["id"]
    return dict(client.get(f"{project}/target-groups/{made}").json())


def dates(start_at: str, end_at: str) -> dict[str, Any]:
    return {"fielding_specification": {"start_at": start_at, "end_at": end_at}}


# --- the address and the headers ------------------------------------------------------------------------------


@says("POST …/target-groups creates a draft target group")
def _(client: RawClient) -> None:
    project = client.project()
    client.post(f"{project}/target-groups", guide_draft())
    [listed] = client.get(f"{project}/target-groups").json()["target_groups"]
    assert listed["status"] == "draft"


@says("account_id in the path is required, and one's own")
def _(client: RawClient) -> None:
    path = f"{client.project()}/target-groups"
    assert client.post(path.replace("/101/", "/12345/"), guide_draft()).status_code == 403
    assert client.post(path.replace("/101/", "/mine/"), guide_draft()).status_code == 400


@says("project_id in the path is required, and that of a project")
def _(client: RawClient) -> None:
    path = client.project().rsplit("/", 1)[0]
    assert client.post(f"{path}/{UNKNOWN}/target-groups", guide_draft()).status_code == 404


@says("a project_id has 26 characters, like the example's")
def _(client: RawClient) -> None:
    assert ids.is_ulid(client.project().rsplit("/", 1)[1])


@says("Authorization is required")
def _(client: RawClient) -> None:
    path = f"{client.project()}/target-groups"
    del client.headers["Authorization"]
    assert client.post(path, guide_draft()).status_code == 401


@says("the token in it is prefixed with Bearer")
def _(client: RawClient) -> None:
    path = f"{client.project()}/target-groups"
    client.headers["Authorization"] = client.headers["Authorization"].removeprefix("Bearer ")
    assert client.post(path, guide_draft()).status_code == 401


@says("the token is a JSON Web Token")
def _(client: RawClient) -> None:
    token = client.headers["Authorization"].removeprefix("Bearer ")
    head, claims, _ = token.split(".")
    assert token.startswith("eyJ")
    for part in (head, claims):
        assert isinstance(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))), dict)


@says("Cint-API-Version is required")
def _(client: RawClient) -> None:
    path = f"{client.project()}/target-groups"
    del client.headers["Cint-API-Version"]
    assert client.post(path, guide_draft()).status_code == 403


@says("Cint-API-Version names the version 2025-12-18")
def _(client: RawClient) -> None:
    assert limits.API_VERSION == "2025-12-18"
    headers = {"Cint-API-Version": "2025-12-18"}
    assert client.post(f"{client.project()}/target-groups", guide_draft(), headers=headers).status_code == 201


@says("Content-Type must be application/json")
def _(client: RawClient) -> None:
    path, content = f"{client.project()}/target-groups", json.dumps(guide_draft()).encode()
    for kind, status in (("application/json", 201), ("text/plain", 415), ("application/x-www-form-urlencoded", 415)):
        assert client.ask("POST", path, content=content, headers={"Content-Type": kind}).status_code == status


@says("an idempotency key is not required")
def _(client: RawClient) -> None:
    assert create(client).status_code == 201


@says("each request creates a new target group")
def _(client: RawClient) -> None:
    path = f"{client.project()}/target-groups"
    made = {client.post(path, guide_draft(), key="the same").json()["id"] for _ in range(3)}
    assert len(made) == len(client.get(path).json()["target_groups"]) == 3


# --- the body ------------------------------------------------------------------------------------------------


@says("the placeholder of the business unit must be replaced")
def _(client: RawClient) -> None:
    assert refused(client, business_unit_id="<YOUR_BUSINESS_UNIT_ID>") == ["BusinessUnitId"]


@says("the placeholder of the project manager must be replaced")
def _(client: RawClient) -> None:
    assert refused(client, project_manager_id="<YOUR_PROJECT_MANAGER_ID>") == ["ProjectManagerId"]


@says("the business unit is one's own")
def _(client: RawClient) -> None:
    units = client.get("/accounts/101/business-units").json()["business_units"]
    assert create(client, business_unit_id=str(units[0]["id"])).status_code == 201
    assert refused(client, business_unit_id="999")


@says("the project manager is a user of the account")
def _(client: RawClient) -> None:
    users = client.get("/accounts/101/users").json()["users"]
    assert create(client, project_manager_id=users[-1]["id"]).status_code == 201
    assert refused(client, project_manager_id="00000000-0000-4000-8000-000000000000")


@says("the currency of cost_per_interview is the business unit's")
def _(client: RawClient) -> None:
    assert refused(client, cost_per_interview=price_body(currency="USD")) == ["CostPerInterview.CurrencyCode"]


@says("the currency of maximum_cpi is the business unit's")
def _(client: RawClient) -> None:
    pricing = {"type": "dynamic", "maximum_cpi": price_body(currency="USD")}
    [name] = refused(client, fielding_assistant_assignment={"pricing": pricing})
    assert name.endswith("MaximumCpi.CurrencyCode")


@says("start_at lies in the future")
def _(client: RawClient) -> None:
    assert refused(client, **dates("2026-08-31T08:00:00Z", "2026-09-13T08:00:00Z")) == ["FieldingSpecification.StartAt"]


@says("end_at lies in the future")
def _(client: RawClient) -> None:
    names = refused(client, **dates("2026-08-30T08:00:00Z", "2026-08-31T08:00:00Z"))
    assert "FieldingSpecification.EndAt" in names


@says("the dates are written by ISO 8601")
def _(client: RawClient) -> None:
    assert create(client, **dates("2026-09-02T08:22:18.822Z", "2026-09-13T10:22:18+02:00")).status_code == 201
    assert len(refused(client, **dates("02.09.2026 08:22", "September 13, 2026"))) == 2


@says("the printed body is accepted as it is, its placeholders replaced")
def _(client: RawClient) -> None:
    assert create(client, guide_draft()).status_code == 201


@says("no allocation is needed")
def _(client: RawClient) -> None:
    assert not {"allocations", "allocation_template"} & set(guide_draft())
    assert create(client).status_code == 201


@says("name, locale, study type and industry are kept")
def _(client: RawClient) -> None:
    read = read_back(client)
    assert read["name"] == "My first target group"
    assert (read["locale"], read["study_type_code"], read["industry_code"]) == ("ger_de", "adhoc", "other")


@says("business unit and project manager are kept")
def _(client: RawClient) -> None:
    read = read_back(client)
    assert (read["business_unit_id"], read["project_manager_id"]) == (1234, PROJECT_MANAGER_ID)


@says("amounts are decimal texts, kept to the last digit")
def _(client: RawClient) -> None:
    read = read_back(client)
    amount = {"value": "2.7352", "currency_code": "EUR"}
    assert read["cost_per_interview"] == amount
    assert read["fielding_assistant_assignment"]["pricing"] == {"type": "dynamic", "maximum_cpi": amount}
    assert refused(client, cost_per_interview={"value": 2.7352, "currency_code": "EUR"})


@says("collects_pii, length, incidence and goal are kept")
def _(client: RawClient) -> None:
    read = read_back(client)
    assert read["collects_pii"] is False
    assert read["expected_length_of_interview_minutes"] == 5
    assert read["expected_incidence_rate"] == 0.8
    assert read["completes_goal"] == 10


@says("the dates of fielding are kept")
def _(client: RawClient) -> None:
    assert read_back(client)["fielding_specification"] == guide_draft()["fielding_specification"]


@says("live_url and test_url are kept, and need no recontact variable")
def _(client: RawClient) -> None:
    read = read_back(client)
    assert read["live_url"] == read["test_url"] == "https://mytestsurvey.com/?RID=[%RID%]"


@says("overfill is prevented, and quotas are not balanced")
def _(client: RawClient) -> None:
    overlay = read_back(client)["fielding_assistant_assignment"]["quota_overlay"]
    assert overlay == {"prevent_overfill": True, "balance_fill": False}


@says("exclusion may be enabled with an empty list")
def _(client: RawClient) -> None:
    assert read_back(client)["exclusion"] == {"enabled": True, "list": []}


@says("profiling is in percentages, with one regular profile")
def _(client: RawClient) -> None:
    profiling = read_back(client)["profiling"]
    assert profiling == guide_draft()["profiling"]
    assert (profiling["profile_adjustment_type"], len(profiling["profiles"])) == ("percentage", 1)


@says("its two quotas have half of the goal each")
def _(client: RawClient) -> None:
    project = client.project()
    made = client.post(f"{project}/target-groups", guide_draft()).json()["id"]
    goals = f"{project}/target-groups/{made}/profiles/completes-goal"
    [profile] = client.ask("PUT", goals, json={"completes_goal": 10}).json()["profiles"]
    assert [target["quota"]["completes_goal"] for target in profile["targets"]] == [5, 5]
    halves = copy.deepcopy(guide_draft()["profiling"])
    halves["profiles"][0]["targets"][0]["quota"]["completes_goal_percentage"] = 51
    assert refused(client, profiling=halves) == ["Profiling.Profiles[0]"]


# --- the request, its reply, and errors ---------------------------------------------------------------------------


@says("the printed curl command creates a target group")
def _(client: RawClient) -> None:
    path = f"{client.project()}/target-groups"
    reply = curl(
        client, "POST", path, "-H", "Content-Type: application/json", "-d", json.dumps(guide_draft(), indent=1)
    )
    assert reply.status_code == 201


@says("success is 201")
def _(client: RawClient) -> None:
    assert create(client).status_code == 201


@says("the reply is a JSON object with the id alone")
def _(client: RawClient) -> None:
    reply = create(client)
    assert reply.headers["content-type"] == "application/json"
    assert list(reply.json()) == ["id"]


@says("the id is a text like the example's, unique")
def _(client: RawClient) -> None:
    first, second = create(client).json()["id"], create(client).json()["id"]
    assert ids.is_ulid(first)
    assert first != second


@says("the id leads to the target group in later calls")
def _(client: RawClient) -> None:
    project = client.project()
    made = client.post(f"{project}/target-groups", guide_draft()).json()["id"]
    assert client.get(f"{project}/target-groups/{made}").status_code == 200


def example_error(client: RawClient) -> httpx.Response:
    """Return the reply to what the example of an error is about: an end that has passed, and no goal."""
    body = {**guide_draft(), **dates("2026-09-02T08:22:18.822Z", "2025-06-29T08:22:18.821Z")}
    del body["completes_goal"]
    return create(client, body)


@says("an unsuccessful request is answered with an error status and a body of its own")
def _(client: RawClient) -> None:
    reply = create(client, {})
    assert reply.status_code == 400
    assert {"object", "detail", "invalid_params"} <= set(reply.json())


@says("a validation failure is 400, and its object is bad_request_error")
def _(client: RawClient) -> None:
    reply = example_error(client)
    assert (reply.status_code, reply.json()["object"]) == (400, "bad_request_error")


@says("its detail is the printed one")
def _(client: RawClient) -> None:
    assert example_error(client).json()["detail"] == "request had validation errors"


@says("invalid_params holds a name and a reason for each field")
def _(client: RawClient) -> None:
    assert [set(problem) for problem in example_error(client).json()["invalid_params"]] == [{"name", "reason"}] * 2


@says("a wrong end is named as the example names it, with its date")
def _(client: RawClient) -> None:
    first = example_error(client).json()["invalid_params"][0]
    assert first["name"] == "FieldingSpecification.EndAt"
    assert first["reason"].startswith("date string 2025-06-29T08:22:18.821Z must be greater than or equal to")


@says("end_at is at least an hour from now")
def _(client: RawClient) -> None:
    assert refused(client, **dates("2026-09-01T08:10:00Z", "2026-09-01T08:59:00Z")) == ["FieldingSpecification.EndAt"]
    assert create(client, **dates("2026-09-01T08:10:00Z", "2026-09-01T09:05:00Z")).status_code == 201


@says("a missing goal is named as the example names it")
def _(client: RawClient) -> None:
    assert example_error(client).json()["invalid_params"][1] == {
        "name": "ExpectedCompletes",
        "reason": "'Expected Completes' must not be empty.",
    }
