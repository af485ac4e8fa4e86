"""A tour of the sandbox: every operation once, with success, by a raw client."""

from __future__ import annotations

from cint_nb.domain import ids, limits
from cint_nb.sandbox.openapi.examples import PROFILING
from cint_nb.sandbox.simulation.visit_ids import visit_rid
from cint_nb.sandbox.world.catalogue import BUSINESS_UNIT_ID, PROJECT_MANAGER_ID
from tests.support.sandbox_client import RawClient

PERIOD = {"start_fielding_at": "2026-09-03T08:00:00Z", "end_fielding_at": "2026-09-12T08:00:00Z"}
ACTIONS = ("launch", "pause", "resume", "complete", "relaunch")


def take_tour(raw_client: RawClient) -> None:
    """Call every operation at least once, with success."""
    account, people = raw_client.account, [ids.synthetic_id("tour", number) for number in range(400)]
    for path in (
        "/accounts",
        "/locales",
        "/industries",
        "/study-types",
        "/suppliers",
        "/demand/allocation-templates",
        f"{account}/questions-translation?locale=ger_de&allow_custom_quals=true&page_size=3",
    ):
        raw_client.get(path)
    raw_client.get(f"/demand/allocation-templates/{limits.RECONTACT_TEMPLATE_ID}")
    for path in ("users", f"users/{PROJECT_MANAGER_ID}/business-units", "business-units"):
        raw_client.get(f"/accounts/101/{path}")
    project = raw_client.project()
    group = raw_client.group(project, completes_goal=150, target_group_customer_reference_number="tour")
    for path in (project, f"{project}/overview", f"{account}/projects", f"{project}/target-groups", group):
        raw_client.get(path)
    activity = [{"type": "project", "id": project.rsplit("/", 1)[1]}]
    changed = raw_client.draft_body(completes_goal=160, respondent_activity_exclusions=activity)
    raw_client.ask("PUT", group, json=changed)
    price = {"target_group_cpi": {"value": "3.10", "currency_code": "EUR"}}
    raw_client.ask("PUT", f"{group}/cost-per-interview", json=price)
    raw_client.ask("PUT", f"{group}/filling-strategy", json={"filling_strategy": "completes"})
    raw_client.get(f"{group}/allocation-specification")
    raw_client.get(f"{group}/fielding-assistant-assignment")
    feasibility = {
        "business_unit_id": 1234,
        "locale": "ger_de",
        "expected_incidence_rate": 0.5,
        "expected_length_of_interview_minutes": 10,
        "completes_goal": 100,
        "fielding_specification": {"start_at": "2026-09-02T08:00:00Z", "end_at": "2026-09-09T08:00:00Z"},
    }
    raw_client.post(f"{account}/target-groups/calculate-feasibility", feasibility)
    raw_client.post(f"{group}/calculate-feasibility", {"completes_goal": 50})
    job = raw_client.saved_ids(group, [*people, "broken"])
    for path in (job, f"{job}/download", job.replace("respondents-by-file", "rsids-by-file")):
        raw_client.get(path)
    file = {"file": ("old.txt", people[0].encode(), "text/csv")}
    old = raw_client.ask("POST", f"{group}/recontacts/jobs/upload-rsids-by-file", files=file).json()["job_id"]
    raw_client.sandbox.advance(60)
    for way in ("upload-rsids-by-file", "upload-respondents-by-file"):
        raw_client.get(f"{group}/recontacts/jobs/{way}/{old}")
    for path in ("jobs/upload-respondents-by-file", "overview", "rsids"):
        raw_client.get(f"{group}/recontacts/{path}")
    raw_client.sandbox.advance(60)
    run = raw_client.launched(group)
    raw_client.sandbox.advance(7_200)
    for path in (
        "details",
        "overview",
        "performance",
        "completes-aggregated-by-interval",
        "changelog",
        "fielding-runs",
    ):
        raw_client.get(f"{group}/{path}")
    for path in (f"{project}/target-groups", f"{account}/projects", f"{project}/overview"):
        raw_client.get(path)
    details = {
        "name": "Tracker, wave two",
        "project_manager_id": PROJECT_MANAGER_ID,
        "expected_length_of_interview_minutes": 6,
        "expected_incidence_rate": 0.7,
        "industry_lockout_code": "",
        "live_url": raw_client.draft_body()["live_url"],
        "test_url": raw_client.draft_body()["live_url"],
    }
    raw_client.ask("PUT", f"{group}/details", json=details)
    raw_client.ask("PUT", f"{group}/profiles/completes-goal", json={"completes_goal": 170})
    raw_client.ask("PUT", run, json=PERIOD, headers={"If-Match": raw_client.get(run).headers["etag"]})
    for action in ("pause", "resume", "complete", "relaunch"):
        raw_client.post(f"{run}/{action}", headers={"If-Match": raw_client.get(run).headers["etag"]})
    take_tour_of_profiles(raw_client, group)
    take_tour_of_exclusions(raw_client, project, group, people)
    take_tour_of_schedules_and_batches(raw_client, project)
    removal = raw_client.post(f"{group}/recontacts/jobs/remove-all-rsids").json()["job_id"]
    raw_client.get(f"{group}/recontacts/jobs/remove-all-rsids/{removal}")
    take_tour_of_prices(raw_client, group)
    take_tour_of_reports(raw_client, group)
    take_tour_of_reconciliations(raw_client, group)


def take_tour_of_profiles(raw_client: RawClient, group: str) -> None:
    valid = {"locale": "ger_de", "completes_goal": 170, "profiling": PROFILING}
    raw_client.post(f"{raw_client.account}/profiles/validate", valid)
    raw_client.post(f"{group}/profiles/manage-profiles", {"completes_goal": 170, "profiling": PROFILING})
    (shown,) = raw_client.get(f"{group}/profiles").json()["profiles"]
    goals = [
        {"id": target["id"], "quota": {"completes_goal": goal}}
        for target, goal in zip(shown["targets"], (90, 80), strict=True)
    ]
    change = {"completes_goal": 170, "profiles": [{"profile_id": shown["id"], "targets": goals}]}
    raw_client.ask("PUT", f"{group}/profiles/completes-goal", json=change)


def take_tour_of_exclusions(raw_client: RawClient, project: str, group: str, people: list[str]) -> None:
    jobs = f"{group}/exclusions/jobs"
    file = {"file": ("out.csv", f"{people[0]}\nbroken".encode(), "text/csv")}
    for kind in ("RSID", "ACCESS_RESPONDENT_GUID"):
        params = {"entity_type": kind}
        job = raw_client.ask("POST", f"{jobs}/upload-respondents-by-file", files=file, params=params).json()["job_id"]
        raw_client.sandbox.advance(60)
        raw_client.get(f"{jobs}/upload-respondents-by-file/{job}")
        for path in ("overview", "rsid/paginated", "access-respondent-guid/paginated"):
            raw_client.get(f"{group}/exclusions/{path}")
        job = raw_client.ask("POST", f"{jobs}/remove-all-respondents", params=params).json()["job_id"]
        raw_client.get(f"{jobs}/remove-all-respondents/{job}")
        raw_client.sandbox.advance(60)
    policies = [{"target_group_id": group.rsplit("/", 1)[1], "project_exclusion_enabled": True}]
    raw_client.ask("PUT", f"{project}/exclusion-policies", json=policies)
    raw_client.get(f"{group}/exclusion-policy")
    raw_client.get(f"{project}/exclusions")
    other = raw_client.group(project).rsplit("/", 1)[1]
    rules = {"respondent_activity_exclusions": [{"type": "target-group", "id": other, "duration": "P30D"}]}
    raw_client.ask("PUT", f"{group}/respondent-activity-exclusions", json=rules)
    raw_client.get(f"{group}/respondent-activity-exclusions")
    groups = f"{raw_client.account}/exclusion-groups"
    new = {"tag": "Tracker", "description": "Nobody twice"}
    one = f"{groups}/{raw_client.post(groups, new).json()['exclusion_group_id']}"
    members = {"data": [group.rsplit("/", 1)[1], other]}
    raw_client.post(f"{one}/target-groups/add", members)
    raw_client.get(f"{raw_client.account}/target-groups/{other}/exclusion-groups")
    raw_client.post(f"{one}/target-groups/remove", members)


def take_tour_of_prices(raw_client: RawClient, group: str) -> None:
    unit = f"{raw_client.account}/business-units/{BUSINESS_UNIT_ID}"
    raw_client.post(
        f"{unit}/generate-price-prediction",
        {"config": {"type": "dynamic", "user_requested_cpi": {"value": "2.75", "currency_code": "EUR"}}},
    )
    raw_client.get(f"{unit}/target-groups/{group.rsplit('/', 1)[1]}/price")
    raw_client.get(f"{unit}/rate-card?country_code=DE")
    raw_client.get(f"{group}/rate-card")


def take_tour_of_schedules_and_batches(raw_client: RawClient, project: str) -> None:
    later = raw_client.group(project, study_type_code="adhoc", allocations=None)
    job = raw_client.post(f"{later}/fielding-run-jobs/schedule-from-draft", PERIOD, key="later").headers["location"]
    raw_client.sandbox.advance(60)
    run = f"{later}/fielding-runs/{raw_client.get(job).json()['created_fielding_run_id']}"
    raw_client.post(f"{run}/launch-now", headers={"If-Match": raw_client.get(run).headers["etag"]})
    several = {
        "target_group_ids": [raw_client.group(project, study_type_code="adhoc", allocations=None).rsplit("/", 1)[1]]
    }
    for action in ACTIONS:
        path = f"{project}/batch-jobs/{action}-fielding-runs-by-target-group-id"
        job = raw_client.post(path, several, key=f"batch {action}").headers["location"]
        raw_client.sandbox.advance(60)
        raw_client.get(job)
    raw_client.post(f"{project}/compute-target-group-transitions", {})


def take_tour_of_reports(raw_client: RawClient, group: str) -> None:
    reports = f"{raw_client.account}/reports"
    body = {"filter": "target_group", "filter_ids": [group.rsplit("/", 1)[1]]}
    for kind in ("respondent-analysis", "term-details"):
        report = raw_client.post(f"{reports}/{kind}", body).json()["report_id"]
        raw_client.get(f"{reports}/{report}/status")
        raw_client.sandbox.advance(120)
        for path in ("status", "download", "share"):
            raw_client.get(f"{reports}/{report}/{path}")
    raw_client.get(reports)


def take_tour_of_reconciliations(raw_client: RawClient, group: str) -> None:
    reconciliations = f"{raw_client.account}/reconciliations"
    lines = f"{ids.synthetic_id('nobody', 1)},933\n".encode()
    csv = {"content-type": "text/csv", "idempotency-key": raw_client.new_key()}
    world = raw_client.sandbox.world
    target = world.groups[group.rsplit("/", 1)[1]]
    lines += f"{visit_rid(target, target.fieldwork.visits[0])},933\n".encode()
    reply = raw_client.ask("POST", reconciliations, params={"name": "tour"}, content=lines, headers=csv)
    request = f"{reconciliations}/{reply.json()['request_id']}"
    raw_client.sandbox.advance(200)
    for path in (
        reconciliations,
        request,
        f"{request}/target-groups",
        f"{request}/target-groups/{target.id}",
        f"{request}/downloads/submitted-rids",
        f"{reconciliations}/reason-codes",
        f"{reconciliations}/eligible-target-groups",
        f"{reconciliations}/eligible-target-groups?due_month=next_month",
    ):
        raw_client.get(path)
