"""Second half of the tour: launch, control, read metrics, exclude, report, remove."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import Any

from cint_nb.domain.ids import synthetic_id
from cint_nb.domain.profiling.quotas import quota_goal_changes
from cint_nb.domain.reconciliation.requests import DownloadType
from cint_nb.domain.reports import ReportType
from cint_nb.domain.respondent_lists import ActivityExclusion
from cint_nb.sandbox.openapi.examples import PROFILING
from cint_nb.sandbox.world.catalogue import BUSINESS_UNIT_ID, PROJECT_MANAGER_ID
from tests.contract.tour_state import NOBODY, TourState, end_or_refusal, ended, every, example, people, refusal

# --- fielding -----------------------------------------------------------------------------------------------------


async def launches(to: TourState) -> Any:
    fielding, ref = to.client.fielding, to.groups["wave"]
    before = await fielding.run(ref)
    soon = await refusal(fielding.launch(ref, to.client.clock.now()))
    launched = await ended(await fielding.launch(ref, to.plan.end_at))
    again = await fielding.launch(ref, to.plan.end_at)
    return {
        "before": before,
        "soon": soon,
        "launched": launched,
        "twice": await refusal(ended(again)),
        "run": await fielding.run(ref),
        "allowed": await fielding.allowed_actions(to.project, [ref.target_group_id]),
    }


async def course_of_a_run(to: TourState) -> Any:
    fielding, ref = to.client.fielding, to.groups["wave"]
    return {
        "paused": await fielding.pause(ref),
        "not completed": await refusal(fielding.complete(ref)),
        "resumed": await fielding.resume(ref),
        "completed": await fielding.complete(ref),
        "relaunched": await fielding.relaunch(ref),
        "paused again": await fielding.pause(ref),
        "resumed and completed": await fielding.complete(ref, resume_first=True),
        "relaunched again": await fielding.relaunch(ref),
    }


async def changes_of_a_live_group(to: TourState) -> Any:
    groups, ref = to.client.target_groups, to.groups["wave"]
    return {
        "details": await groups.update_details(ref, example("DetailsUpdate")),
        "price": await groups.set_cost_per_interview(ref, "2.9 EUR"),
        "goal": await groups.set_completes_goal(ref, 70),
        "too high a goal": await refusal(groups.set_completes_goal(ref, 1_000)),
    }


async def schedules(to: TourState) -> Any:
    fielding, ref = to.client.fielding, to.groups["later"]
    now = to.client.clock.now()
    job = await fielding.schedule(ref, now + timedelta(days=3), now + timedelta(days=9))
    return {
        "scheduled": await job,
        "moved": await fielding.update_run(ref, now + timedelta(days=4), now + timedelta(days=8)),
        "live": await fielding.launch_now(ref),
    }


async def profiles_of_a_live_group(to: TourState) -> Any:
    profiles, groups, ref = to.client.profiles, to.client.target_groups, to.groups["later"]
    before = await profiles.list(ref)
    (gender,) = before.profiles or ()
    assert gender.id is not None
    goals = {str(target.id): goal for target, goal in zip(gender.targets, (50, 20), strict=True)}
    return {
        "before": before,
        "none": await profiles.list(to.groups["wave"]),
        "goal": await groups.set_completes_goal(ref, 70, profiles=quota_goal_changes({gender.id: goals})),
        "quotas": await profiles.list(ref),
        "unknown": await refusal(groups.set_completes_goal(ref, 70, profiles=quota_goal_changes({NOBODY: goals}))),
        "replaced": await profiles.replace(ref, 70, PROFILING),
        "draft": await refusal(profiles.list(to.groups["client"])),
    }


async def figures_of_a_live_group(to: TourState) -> Any:
    await to.client.http.sleep(30 * 3_600.0)
    groups, ref = to.client.target_groups, to.groups["wave"]
    return {
        "read": await groups.get(ref),
        "details": await groups.details(ref),
        "overview": await groups.overview(ref),
        "performance": await groups.performance(ref),
        "by the hour": await groups.completes_by_interval(ref, "PT1H"),
        "by the day": await groups.completes_by_interval(ref),
        "changes": await every(groups.changelog(ref)),
        "changes of status": await every(groups.changelog(ref, types=("status_change",))),
        "list": await every(groups.list(to.project, statuses=("live",))),
        "project": await to.client.projects.overview(to.project),
        "projects": await every(to.client.projects.list()),
    }


async def batches(to: TourState) -> Any:
    fielding, refs = to.client.fielding, (to.groups["batch"], to.groups["third"])
    ids = [ref.target_group_id for ref in refs]
    results = {}
    for verb in ("launch", "pause", "resume", "complete", "relaunch"):
        job = await fielding.start_batch(verb, to.project, ids)
        results[verb] = (await end_or_refusal(job), await fielding.batch_result(job.handle))
    return results


# --- exclusions ---------------------------------------------------------------------------------------------------


async def exclusions_by_file(to: TourState) -> Any:
    exclusions, ref = to.client.exclusions, to.groups["client"]
    results = {}
    for kind in ("RSID", "ACCESS_RESPONDENT_GUID"):
        job = await exclusions.upload(ref, people(30, seed="out"), entity_type=kind, token="out")
        results[kind] = (await job, await exclusions.overview(ref), await exclusions.effective_rsids(ref))
        results[f"{kind} removed"] = await ended(await exclusions.remove_all(ref, entity_type=kind))
    return results


async def exclusions_by_rule(to: TourState) -> Any:
    exclusions, ref = to.client.exclusions, to.groups["client"]
    before = await exclusions.activity(ref)
    await exclusions.set_policies(to.project, {ref.target_group_id: True})
    other = await to.client.projects.create("Elsewhere", PROJECT_MANAGER_ID)
    rules = [
        ActivityExclusion(type="project", id=other.id, duration="P90D"),
        ActivityExclusion(type="target-group", id=to.groups["guide"].target_group_id, duration="P30D"),
    ]
    await exclusions.set_activity(ref, rules)
    after = await exclusions.activity(ref)
    await exclusions.set_activity(ref, after)
    return {
        "policy": await exclusions.policy(ref),
        "policies": await exclusions.policies(to.project),
        "activity": (before, after),
        "groups": await exclusions.groups(ref),
    }


# --- prices -------------------------------------------------------------------------------------------------------


async def prices(to: TourState) -> Any:
    prices, live, draft = to.client.prices, to.groups["wave"], to.groups["client"]
    by_card: dict[str, Any] = {
        "country_code": "DE",
        "expected_length_of_interview_minutes": 10,
        "expected_incidence_rate": 0.29,
    }
    return {
        "offered": await prices.predict(BUSINESS_UNIT_ID, cost_per_interview="2.75 EUR"),
        "by the card": await prices.predict(BUSINESS_UNIT_ID, **by_card),
        "at most": await prices.predict(BUSINESS_UNIT_ID, **by_card, maximum_cpi="3 EUR", cpi_boost="0.50 EUR"),
        "groups": [await prices.target_group(ref, BUSINESS_UNIT_ID) for ref in (live, draft)],
        "card": await prices.rate_card(BUSINESS_UNIT_ID, "DE"),
        "cards": [await prices.target_group_rate_card(ref) for ref in (live, draft)],
        "nobody": await refusal(prices.rate_card(99, "DE")),
    }


# --- reports and the end ------------------------------------------------------------------------------------------


async def reports(to: TourState) -> Any:
    made, group = to.client.reports, to.groups["wave"].target_group_id
    first, last = date(2026, 9, 1), date(2026, 9, 30)
    results: dict[str, Any] = {}
    for kind in ReportType:
        by, ids = ("project", [to.project]) if kind is ReportType.RESPONDENT_ANALYSIS else ("target_group", [group])
        job = await made.generate(kind, first, last, by=by, ids=ids)
        assert job.handle.job_id is not None
        results[kind] = (await job, await made.status(job.handle.job_id), await made.download(job.handle.job_id))
    await made.generate(
        "completes",
        first,
        last,
        by="business_unit",
        ids=[str(BUSINESS_UNIT_ID)],
        email_recipients=[PROJECT_MANAGER_ID],
        include_respondent_answers=True,
    )
    return {
        **results,
        "all": await every(made.list()),
        "some": await every(made.list(report_type="respondent-analysis", status="completed", level="project")),
        "nobody": await refusal(made.status(NOBODY)),
    }


async def reconciliations(to: TourState) -> Any:
    made, group = to.client.reconciliations, to.groups["wave"].target_group_id
    job = await to.client.reports.generate(
        "respondent-analysis", date(2026, 9, 1), date(2026, 9, 30), by="target_group", ids=[group]
    )
    await job
    report = await to.client.reports.download(str(job.handle.job_id))
    rows = list(csv.DictReader(io.StringIO(report.content.decode())))
    rids = {code: [row["Response ID (RID)"] for row in rows if row["Client Status"] == code] for code in ("10", "20")}
    changes: dict[str, int | str] = {
        rids["10"][0]: "speeder",
        rids["10"][1]: 930,
        rids["20"][0]: "complete",
        synthetic_id("nobody", 1): 26,
    }
    request = await made.submit(changes, name="tour")
    kinds: tuple[DownloadType, ...] = ("submitted-rids", "expired-rids", "invalid-rids")
    return {
        "submitted": request,
        "again": await made.submit(changes, name="tour"),
        "too early": await refusal(made.download(request, "invalid-rids")),
        "running": await made.get(request),
        "done": await made.wait(request),
        "found": await made.find("tour"),
        "all": await every(made.list()),
        "some": await every(made.list(name="tour", status="complete", user_id=PROJECT_MANAGER_ID)),
        "groups": await every(made.target_groups(request)),
        "group": await made.target_group(request, group),
        "files": [await made.download(request, kind) for kind in kinds],
        "due": [await every(made.eligible_target_groups(due=due)) for due in ("current_month", "next_month")],
        "named": await every(made.eligible_target_groups(due="next_month", name="wave")),
        "codes": await made.reason_codes(),
        "nobody": await refusal(made.get(NOBODY)),
    }


async def removals(to: TourState) -> Any:
    recontacts, ref = to.client.recontacts, to.groups["second"]
    removed = await ended(await recontacts.remove_all(ref))
    return removed, await recontacts.saved_count(ref)
