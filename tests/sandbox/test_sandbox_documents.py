"""Every operation is asked once; each reply fits our own description, and the vendor's document where it is at hand."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cint_nb.api.operations import OPERATIONS
from cint_nb.domain import ids, limits
from cint_nb.sandbox.catalogue import PROJECT_MANAGER_ID
from cint_nb.sandbox.description import describe
from cint_nb.sandbox.routes import TABLE, Tree

# The vendor's OpenAPI document is not ours to carry. Read when collected: no test itself sees the user's variables.
DEVIATIONS = tomllib.loads((Path(__file__).parents[1] / "contract" / "deviations.toml").read_text("utf-8"))
VENDOR_FILE = os.environ.get("CINT_NB_VENDOR_OPENAPI", "")
PERIOD = {"start_fielding_at": "2026-09-03T08:00:00Z", "end_fielding_at": "2026-09-12T08:00:00Z"}
ACTIONS = ("launch", "pause", "resume", "complete", "relaunch")


class Recorder:
    """Remember each exchange of a stranger by operation."""

    def __init__(self, stranger) -> None:
        self.stranger = stranger
        self.tree = Tree()
        self.exchanges: list[tuple[str, Any]] = []
        plain = stranger.ask

        def ask(method: str, path: str, **more: Any):
            reply = plain(method, path, **more)
            operation, _, _ = self.tree.find(method, path.split("?")[0])
            self.exchanges.append((operation.name if operation else path, reply))
            return reply

        stranger.ask = ask


def take_tour(stranger) -> None:
    """Call every operation at least once, with success."""
    account, people = stranger.account, [ids.synthetic_id("tour", number) for number in range(400)]
    for path in ("/accounts", "/locales", "/industries", "/study-types", "/demand/allocation-templates"):
        stranger.get(path)
    stranger.get(f"/demand/allocation-templates/{limits.RECONTACT_TEMPLATE_ID}")
    for path in ("users", f"users/{PROJECT_MANAGER_ID}/business-units", "business-units"):
        stranger.get(f"/accounts/101/{path}")
    project = stranger.project()
    group = stranger.group(project, completes_goal=150, target_group_customer_reference_number="tour")
    for path in (project, f"{project}/overview", f"{account}/projects", f"{project}/target-groups", group):
        stranger.get(path)
    stranger.ask("PUT", group, json=stranger.draft_body(completes_goal=160))
    price = {"target_group_cpi": {"value": "3.10", "currency_code": "EUR"}}
    stranger.ask("PUT", f"{group}/cost-per-interview", json=price)
    stranger.ask("PUT", f"{group}/filling-strategy", json={"filling_strategy": "completes"})
    stranger.get(f"{group}/allocation-specification")
    feasibility = {
        "business_unit_id": 1234,
        "locale": "ger_de",
        "expected_incidence_rate": 0.5,
        "expected_length_of_interview_minutes": 10,
        "completes_goal": 100,
        "fielding_specification": {"start_at": "2026-09-02T08:00:00Z", "end_at": "2026-09-09T08:00:00Z"},
    }
    stranger.post(f"{account}/target-groups/calculate-feasibility", feasibility)
    stranger.post(f"{group}/calculate-feasibility", {"completes_goal": 50})
    job = stranger.stored(group, [*people, "broken"])
    for path in (job, f"{job}/download", job.replace("respondents-by-file", "rsids-by-file")):
        stranger.get(path)
    file = {"file": ("old.txt", people[0].encode(), "text/csv")}
    old = stranger.ask("POST", f"{group}/recontacts/jobs/upload-rsids-by-file", files=file).json()["job_id"]
    stranger.sandbox.advance(60)
    for way in ("upload-rsids-by-file", "upload-respondents-by-file"):
        stranger.get(f"{group}/recontacts/jobs/{way}/{old}")
    for path in ("jobs/upload-respondents-by-file", "overview", "rsids"):
        stranger.get(f"{group}/recontacts/{path}")
    stranger.sandbox.advance(60)
    run = stranger.launched(group)
    stranger.sandbox.advance(7_200)
    for path in (
        "details",
        "overview",
        "performance",
        "completes-aggregated-by-interval",
        "changelog",
        "fielding-runs",
    ):
        stranger.get(f"{group}/{path}")
    for path in (f"{project}/target-groups", f"{account}/projects", f"{project}/overview"):
        stranger.get(path)
    details = {
        "name": "Tracker, wave two",
        "project_manager_id": PROJECT_MANAGER_ID,
        "expected_length_of_interview_minutes": 6,
        "expected_incidence_rate": 0.7,
        "industry_lockout_code": "",
        "live_url": stranger.draft_body()["live_url"],
        "test_url": stranger.draft_body()["live_url"],
    }
    stranger.ask("PUT", f"{group}/details", json=details)
    stranger.ask("PUT", f"{group}/profiles/completes-goal", json={"completes_goal": 170})
    stranger.ask("PUT", run, json=PERIOD, headers={"If-Match": stranger.get(run).headers["etag"]})
    for action in ("pause", "resume", "complete", "relaunch"):
        stranger.post(f"{run}/{action}", headers={"If-Match": stranger.get(run).headers["etag"]})
    take_tour_of_exclusions(stranger, project, group, people)
    take_tour_of_schedules_and_batches(stranger, project)
    removal = stranger.post(f"{group}/recontacts/jobs/remove-all-rsids").json()["job_id"]
    stranger.get(f"{group}/recontacts/jobs/remove-all-rsids/{removal}")
    take_tour_of_reports(stranger, group)


def take_tour_of_exclusions(stranger, project: str, group: str, people: list[str]) -> None:
    jobs = f"{group}/exclusions/jobs"
    file = {"file": ("out.csv", f"{people[0]}\nbroken".encode(), "text/csv")}
    for kind in ("RSID", "ACCESS_RESPONDENT_GUID"):
        params = {"entity_type": kind}
        job = stranger.ask("POST", f"{jobs}/upload-respondents-by-file", files=file, params=params).json()["job_id"]
        stranger.sandbox.advance(60)
        stranger.get(f"{jobs}/upload-respondents-by-file/{job}")
        for path in ("overview", "rsid/paginated", "access-respondent-guid/paginated"):
            stranger.get(f"{group}/exclusions/{path}")
        job = stranger.ask("POST", f"{jobs}/remove-all-respondents", params=params).json()["job_id"]
        stranger.get(f"{jobs}/remove-all-respondents/{job}")
        stranger.sandbox.advance(60)
    policies = [{"target_group_id": group.rsplit("/", 1)[1], "project_exclusion_enabled": True}]
    stranger.ask("PUT", f"{project}/exclusion-policies", json=policies)
    stranger.get(f"{group}/exclusion-policy")
    stranger.get(f"{project}/exclusions")
    other = stranger.group(project).rsplit("/", 1)[1]
    rules = {"respondent_activity_exclusions": [{"type": "target-group", "id": other, "duration": "P30D"}]}
    stranger.ask("PUT", f"{group}/respondent-activity-exclusions", json=rules)
    stranger.get(f"{group}/respondent-activity-exclusions")


def take_tour_of_schedules_and_batches(stranger, project: str) -> None:
    later = stranger.group(project, study_type_code="adhoc", allocations=None)
    job = stranger.post(f"{later}/fielding-run-jobs/schedule-from-draft", PERIOD, key="later").headers["location"]
    stranger.sandbox.advance(60)
    run = f"{later}/fielding-runs/{stranger.get(job).json()['created_fielding_run_id']}"
    stranger.post(f"{run}/launch-now", headers={"If-Match": stranger.get(run).headers["etag"]})
    several = {
        "target_group_ids": [stranger.group(project, study_type_code="adhoc", allocations=None).rsplit("/", 1)[1]]
    }
    for action in ACTIONS:
        path = f"{project}/batch-jobs/{action}-fielding-runs-by-target-group-id"
        job = stranger.post(path, several, key=f"batch {action}").headers["location"]
        stranger.sandbox.advance(60)
        stranger.get(job)
    stranger.post(f"{project}/compute-target-group-transitions", {})


def take_tour_of_reports(stranger, group: str) -> None:
    reports = f"{stranger.account}/reports"
    body = {"filter": "target_group", "filter_ids": [group.rsplit("/", 1)[1]]}
    for kind in ("respondent-analysis", "term-details"):
        report = stranger.post(f"{reports}/{kind}", body).json()["report_id"]
        stranger.get(f"{reports}/{report}/status")
        stranger.sandbox.advance(120)
        for path in ("status", "download", "share"):
            stranger.get(f"{reports}/{report}/{path}")
    stranger.get(reports)


@pytest.fixture
def tour(stranger):
    recorder = Recorder(stranger)
    take_tour(stranger)
    return recorder.exchanges


def test_the_tour_asks_every_operation_with_success(tour):
    fulfilled = {name for name, reply in tour if reply.is_success}
    assert {row.name for row in TABLE} - fulfilled == set()
    refused = [(name, reply.status_code, reply.text) for name, reply in tour if not reply.is_success]
    assert refused == []


def test_every_reply_fits_our_own_description(tour):
    document = describe()
    described = {row["operationId"]: row for path in document["paths"].values() for row in path.values()}
    for name, reply in tour:
        response = described[name]["responses"][str(reply.status_code)]
        assert "traceparent" in reply.headers, name
        content = response.get("content")
        if content is None:
            assert reply.content == b"", name
            continue
        assert reply.headers["content-type"] in content, name
        if "application/json" in content:
            schema = {**content["application/json"]["schema"], "components": document["components"]}
            jsonschema.validate(reply.json(), schema, format_checker=jsonschema.FormatChecker())


def known_in_replies() -> set[tuple[str, str]]:
    """Return operation and field of each listed deviation of a reply, the operation as the document names it."""
    names = {(row.method, row.path): row.name for row in TABLE}
    return {
        (names[OPERATIONS[row["operation"]].method, OPERATIONS[row["operation"]].template], row["place"].split(": ")[1])
        for row in DEVIATIONS["deviation"]
        if row["place"].startswith("reply 200: ")
    }


def load_vendor_document() -> Any:
    import yaml

    return yaml.load(Path(VENDOR_FILE).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


@pytest.mark.skipif(not VENDOR_FILE, reason="the vendor's OpenAPI document is not at hand")
def test_every_reply_fits_the_vendors_document_but_for_known_deviations(tour):
    from openapi_schema_validator import OAS30Validator
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT4

    document = load_vendor_document()
    registry: Any = Registry().with_resource("urn:vendor", Resource(contents=document, specification=DRAFT4))
    resolver = registry.resolver("urn:vendor")
    known = {
        row["operationId"]: row for item in document["paths"].values() for row in item.values() if "operationId" in row
    }
    found, listed = [], known_in_replies()
    for name, reply in tour:
        responses = known[name]["responses"]
        assert str(reply.status_code) in responses, (name, reply.status_code)
        response = responses[str(reply.status_code)]
        if "$ref" in response:
            response = resolver.lookup(response["$ref"]).contents
        content = response.get("content") or {}
        if "application/json" not in content or not reply.content:
            continue
        schema = absolute(content["application/json"]["schema"])
        for error in OAS30Validator(schema, registry=registry).iter_errors(reply.json()):
            place = ".".join(str(part) for part in error.absolute_path)
            if (name, place) not in listed:
                found.append(f"{name} {place}: {error.message[:200]}")
    assert not found, "\n".join(found)


def absolute(schema: Any) -> Any:
    """Point a schema's references into the registered document."""
    if isinstance(schema, dict):
        return {
            key: f"urn:vendor{value}" if key == "$ref" and isinstance(value, str) else absolute(value)
            for key, value in schema.items()
        }
    return [absolute(item) for item in schema] if isinstance(schema, list) else schema
