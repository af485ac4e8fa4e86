"""Each operation called by itself, with ids any exchange accepts: for examples and for a stock mock server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cint_nb.api.client import AsyncClient
from cint_nb.api.jobs.job import Job
from cint_nb.domain.ids import synthetic_id
from cint_nb.domain.jobs import JobHandle, JobKind
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.respondent_lists import ActivityExclusion
from cint_nb.sandbox.openapi.examples import PROFILING
from tests.contract.tour_state import example, people
from tests.support.plans import RSID_URL, make_plan

PROJECT = "01BTGNYV6HRNK8K8VKZASZCFP0"
GROUP = "01BTGNYV6HRNK8K8VKZASZCFP1"
JOB = "01BTGNYV6HRNK8K8VKZASZCFP2"
USER = "b551326b-ac9d-4d32-8823-4f025787dab9"
RID, OTHER_RID = (synthetic_id("reconciled", number) for number in range(2))
REF = TargetGroupRef(project_id=PROJECT, target_group_id=GROUP)
START = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
BEGIN, END = START + timedelta(days=1), START + timedelta(days=12)
PLAN = make_plan(
    START,
    completes_goal=60,
    start_at=BEGIN,
    end_at=END,
    live_url=RSID_URL,
    allocation_format="open_exchange",
    open_exchange_allocations={
        "blocked_supplier_ids": [],
        "exchange_min_percentage": 0,
        "exchange_max_percentage": 100,
        "groups": [],
    },
)


@dataclass(frozen=True)
class OperationCall:
    """One operation called by itself.

    Args:
        through: The client's method, with arguments.
        scene: Replies of other operations whose examples would not lead to it: a JSON body or a status.
    """

    through: Callable[[AsyncClient], Awaitable[Any]]
    scene: dict[str, Any] = field(default_factory=dict)


async def _every(rows: AsyncIterator[Any]) -> tuple[Any, ...]:
    return tuple([row async for row in rows])


def _poll(kind: JobKind) -> Callable[[AsyncClient], Awaitable[Any]]:
    async def poll(client: AsyncClient) -> Any:
        settings = client.http.settings
        handle = JobHandle(
            kind=kind,
            base_url=settings.base_url,
            account_id=settings.account_id or 0,
            project_id="" if kind is JobKind.REPORT else PROJECT,
            target_group_id="" if kind is JobKind.REPORT else GROUP,
            job_id=JOB,
            id_count=10,
        )
        return await Job.attach(client, handle).refresh()

    return poll


def _start_batch(verb: str) -> Callable[[AsyncClient], Awaitable[Any]]:
    return lambda client: client.fielding.start_batch(verb, PROJECT, [GROUP])


def _run(status: str) -> dict[str, Any]:
    times = {"start_fielding_at": "2026-09-02T08:00:00.000Z", "end_fielding_at": "2026-09-12T08:00:00.000Z"}
    run = {"id": JOB, "status": status, **times, "last_changed_at": "2026-09-01T08:00:00.000Z", "version": 1}
    return {"fielding.run_list": {"data": [run], "has_more": False}, "fielding.run": run}


_QUIET: dict[str, Any] = {"recontacts.jobs": {"data": []}}
OPERATION_CALLS: dict[str, OperationCall] = {
    "prices.predict": OperationCall(lambda c: c.prices.predict(1234, cost_per_interview="2.75 EUR")),
    "prices.target_group": OperationCall(lambda c: c.prices.target_group(REF, 1234)),
    "prices.rate_card": OperationCall(lambda c: c.prices.rate_card(1234, "DE")),
    "prices.target_group_rate_card": OperationCall(lambda c: c.prices.target_group_rate_card(REF)),
    "definitions.accounts": OperationCall(lambda c: c.definitions.accounts()),
    "definitions.users": OperationCall(lambda c: c.definitions.users(project_managers=True)),
    "definitions.business_units": OperationCall(lambda c: c.definitions.business_units()),
    "definitions.user_business_unit": OperationCall(lambda c: c.definitions.user_business_unit(USER)),
    "definitions.locales": OperationCall(lambda c: c.definitions.locales()),
    "definitions.industries": OperationCall(lambda c: c.definitions.industries()),
    "definitions.study_types": OperationCall(lambda c: c.definitions.study_types()),
    "definitions.suppliers": OperationCall(lambda c: c.definitions.suppliers()),
    "definitions.questions": OperationCall(lambda c: c.definitions.questions("ger_de", search="gender", custom=True)),
    "definitions.allocation_templates": OperationCall(lambda c: c.definitions.allocation_templates()),
    "definitions.allocation_template": OperationCall(lambda c: c.definitions.allocation_template(JOB)),
    "projects.create": OperationCall(lambda c: c.projects.create("Brand tracker", USER, reference="tracker 2026")),
    "projects.list": OperationCall(lambda c: _every(c.projects.list(search="tracker", status="active"))),
    "projects.get": OperationCall(lambda c: c.projects.get(PROJECT)),
    "projects.overview": OperationCall(lambda c: c.projects.overview(PROJECT)),
    "target_groups.create_draft": OperationCall(
        lambda c: c.target_groups.create_draft(PROJECT, PLAN, name="Group: wave", reference="no such reference")
    ),
    "target_groups.list": OperationCall(
        lambda c: _every(c.target_groups.list(PROJECT, statuses=("draft",), countries=("de",)))
    ),
    "target_groups.get": OperationCall(lambda c: c.target_groups.get(REF)),
    "target_groups.update_draft": OperationCall(
        lambda c: c.target_groups.update_draft(REF, PLAN.to_body(name="Group: wave"))
    ),
    "target_groups.details": OperationCall(lambda c: c.target_groups.details(REF)),
    "target_groups.update_details": OperationCall(
        lambda c: c.target_groups.update_details(REF, example("DetailsUpdate"))
    ),
    "target_groups.overview": OperationCall(lambda c: c.target_groups.overview(REF)),
    "target_groups.performance": OperationCall(lambda c: c.target_groups.performance(REF)),
    "target_groups.completes_by_interval": OperationCall(lambda c: c.target_groups.completes_by_interval(REF)),
    "target_groups.changelog": OperationCall(
        lambda c: _every(c.target_groups.changelog(REF, types=("status_change",)))
    ),
    "target_groups.set_cost_per_interview": OperationCall(
        lambda c: c.target_groups.set_cost_per_interview(REF, "2.9 EUR")
    ),
    "target_groups.set_filling_strategy": OperationCall(
        lambda c: c.target_groups.set_filling_strategy(REF, "completes")
    ),
    "target_groups.set_completes_goal": OperationCall(lambda c: c.target_groups.set_completes_goal(REF, 70)),
    "target_groups.feasibility": OperationCall(lambda c: c.target_groups.feasibility(example("FeasibilityDraft"))),
    "target_groups.group_feasibility": OperationCall(
        lambda c: c.target_groups.group_feasibility(REF, {"completes_goal": 40})
    ),
    "target_groups.allocation_specification": OperationCall(lambda c: c.target_groups.allocation_specification(REF)),
    "target_groups.fielding_assistant": OperationCall(lambda c: c.target_groups.fielding_assistant(REF)),
    "profiles.validate": OperationCall(lambda c: c.profiles.validate("ger_de", 60, PROFILING)),
    "profiles.list": OperationCall(lambda c: c.profiles.list(REF)),
    "profiles.replace": OperationCall(lambda c: c.profiles.replace(REF, 60, PROFILING)),
    "recontacts.upload": OperationCall(lambda c: c.recontacts.upload(REF, people(5), token="asked"), _QUIET),
    "recontacts.jobs": OperationCall(lambda c: c.recontacts.jobs(REF)),
    "recontacts.upload_status": OperationCall(_poll(JobKind.UPLOAD)),
    "recontacts.download": OperationCall(lambda c: c.recontacts.download(REF, JOB)),
    "recontacts.upload_rsids": OperationCall(
        lambda c: c.recontacts.upload(REF, people(5), token="older"), {**_QUIET, "recontacts.upload": 404}
    ),
    "recontacts.upload_rsids_status": OperationCall(_poll(JobKind.UPLOAD_RSIDS)),
    "recontacts.remove_all": OperationCall(lambda c: c.recontacts.remove_all(REF)),
    "recontacts.remove_all_status": OperationCall(_poll(JobKind.REMOVAL)),
    "recontacts.saved_count": OperationCall(lambda c: c.recontacts.saved_count(REF)),
    "recontacts.saved_ids": OperationCall(lambda c: c.recontacts.saved_ids(REF)),
    "exclusions.upload": OperationCall(lambda c: c.exclusions.upload(REF, people(5), token="asked")),
    "exclusions.upload_status": OperationCall(_poll(JobKind.EXCLUSION_UPLOAD)),
    "exclusions.remove_all": OperationCall(lambda c: c.exclusions.remove_all(REF)),
    "exclusions.remove_all_status": OperationCall(_poll(JobKind.EXCLUSION_REMOVAL)),
    "exclusions.overview": OperationCall(lambda c: c.exclusions.overview(REF)),
    "exclusions.effective_rsids": OperationCall(lambda c: c.exclusions.effective_rsids(REF)),
    "exclusions.policy": OperationCall(lambda c: c.exclusions.policy(REF)),
    "exclusions.policies": OperationCall(lambda c: c.exclusions.policies(PROJECT)),
    "exclusions.set_policies": OperationCall(lambda c: c.exclusions.set_policies(PROJECT, {GROUP: True})),
    "exclusions.groups": OperationCall(lambda c: c.exclusions.groups(REF)),
    "exclusions.activity": OperationCall(lambda c: c.exclusions.activity(REF)),
    "exclusions.set_activity": OperationCall(
        lambda c: c.exclusions.set_activity(REF, [ActivityExclusion(type="project", id=JOB, duration="P30D")])
    ),
    "fielding.launch": OperationCall(lambda c: c.fielding.launch(REF, END)),
    "fielding.launch_status": OperationCall(_poll(JobKind.LAUNCH)),
    "fielding.schedule": OperationCall(lambda c: c.fielding.schedule(REF, BEGIN, END)),
    "fielding.schedule_status": OperationCall(_poll(JobKind.SCHEDULE)),
    "fielding.run_list": OperationCall(lambda c: c.fielding.run(REF)),
    "fielding.run": OperationCall(lambda c: c.fielding.run(REF)),
    "fielding.update_run": OperationCall(lambda c: c.fielding.update_run(REF, BEGIN, END)),
    "fielding.launch_now": OperationCall(lambda c: c.fielding.launch_now(REF), _run("scheduled")),
    "fielding.pause": OperationCall(lambda c: c.fielding.pause(REF), _run("live")),
    "fielding.resume": OperationCall(lambda c: c.fielding.resume(REF), _run("paused")),
    "fielding.complete": OperationCall(lambda c: c.fielding.complete(REF), _run("live")),
    "fielding.relaunch": OperationCall(lambda c: c.fielding.relaunch(REF), _run("completed")),
    "fielding.allowed_actions": OperationCall(lambda c: c.fielding.allowed_actions(PROJECT, [GROUP])),
    **{
        f"fielding.start_batch_{verb}": OperationCall(_start_batch(verb))
        for verb in ("launch", "pause", "resume", "complete", "relaunch")
    },
    **{
        f"fielding.start_batch_{verb}_status": OperationCall(_poll(JobKind(f"batch-{verb}")))
        for verb in ("launch", "pause", "resume", "complete", "relaunch")
    },
    "reconciliations.submit": OperationCall(
        lambda c: c.reconciliations.submit([(RID, 933), (OTHER_RID, "complete")], name="wave 2")
    ),
    "reconciliations.list": OperationCall(
        lambda c: _every(c.reconciliations.list(name="wave 2", status="complete", user_id=USER))
    ),
    "reconciliations.get": OperationCall(lambda c: c.reconciliations.get(JOB)),
    "reconciliations.target_groups": OperationCall(lambda c: _every(c.reconciliations.target_groups(JOB))),
    "reconciliations.target_group": OperationCall(lambda c: c.reconciliations.target_group(JOB, GROUP)),
    "reconciliations.download": OperationCall(lambda c: c.reconciliations.download(JOB, "submitted-rids")),
    "reconciliations.eligible_target_groups": OperationCall(
        lambda c: _every(c.reconciliations.eligible_target_groups(due="next_month", name="wave"))
    ),
    "reconciliations.reason_codes": OperationCall(lambda c: c.reconciliations.reason_codes()),
    "reports.generate": OperationCall(
        lambda c: c.reports.generate(
            "completes", date(2026, 9, 1), date(2026, 9, 30), by="target_group", ids=[GROUP], email_recipients=[USER]
        )
    ),
    "reports.list": OperationCall(lambda c: _every(c.reports.list(status="completed", level="project"))),
    "reports.status": OperationCall(_poll(JobKind.REPORT)),
    "reports.download": OperationCall(lambda c: c.reports.download(JOB)),
}
