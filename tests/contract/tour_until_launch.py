"""First half of the tour: read definitions, create a project and its drafts, upload recontacts."""

from __future__ import annotations

from typing import Any

from cint_nb.domain.ids import EntityType
from cint_nb.domain.profiling.profiles import Profile
from cint_nb.sandbox.openapi.examples import PROFILING
from cint_nb.sandbox.world.catalogue import PROJECT_MANAGER_ID
from tests.contract.tour_state import NOBODY, TourState, every, example, people, refusal
from tests.support.plans import RECONTACT_TEMPLATE

NAMED = (Profile("gender", {"male": 50, "female": 50}), Profile("age", {"18-49": 60, "50+": 40}))


# --- definitions ------------------------------------------------------------------------------------------------


async def definitions(to: TourState) -> Any:
    known = to.client.definitions
    known.clear_cache()
    return {
        "accounts": await known.accounts(),
        "users": await known.users(),
        "project managers": await known.users(project_managers=True),
        "business units": await known.business_units(),
        "unit of the user": await known.user_business_unit(PROJECT_MANAGER_ID),
        "locales": await known.locales(),
        "industries": await known.industries(),
        "study types": await known.study_types(),
        "suppliers": await known.suppliers(),
    }


async def profiles_before_a_draft(to: TourState) -> Any:
    """Find questions, look up names, have profiles validated."""
    known, profiles = to.client.definitions, to.client.profiles
    whole = await known.questions("eng_us", custom=True)
    known.clear_cache()
    plan = to.plan.model_copy(update={"profiling": NAMED})
    profiles_twice: Any = PROFILING["profiles"]
    too_many = {**PROFILING, "profiles": [*profiles_twice, *profiles_twice]}
    return {
        "library": whole,
        "again": await known.questions("eng_us", custom=True),
        "found": await known.questions("ger_de", search="geschlecht"),
        "by id": await known.questions("fre_fr", ids=[42, 43]),
        "none": await known.questions("fre_fr", search="no such words"),
        "looked up": (await profiles.look_up(plan)).to_body(name="Group: names")["profiling"],
        "valid": await profiles.validate("ger_de", 10, PROFILING),
        "not valid": await profiles.validate("ger_de", 10, too_many),
    }


async def allocation_templates(to: TourState) -> Any:
    listed = await to.client.definitions.allocation_templates()
    return listed, [await to.client.definitions.allocation_template(row.template_id) for row in listed]


# --- projects and drafts ------------------------------------------------------------------------------------------


async def projects(to: TourState) -> Any:
    made = await to.client.projects.create("Brand tracker", PROJECT_MANAGER_ID, reference="tracker 2026")
    other = await to.client.projects.create("A second tracker", PROJECT_MANAGER_ID)
    to.project = made.id
    filters: dict[str, Any] = {
        "name": "Brand tracker",
        "search": "tracker",
        "project_manager_id": PROJECT_MANAGER_ID,
    }
    return {
        "made": (made, other),
        "read": await to.client.projects.get(made.id),
        "overview": await to.client.projects.overview(made.id),
        "all": await every(to.client.projects.list()),
        "some": await every(to.client.projects.list(**filters, status="active")),
        "nobody": await refusal(to.client.projects.get(NOBODY)),
    }


async def drafts(to: TourState) -> Any:
    """Create one draft in each format the documents know, and one as in the create guide."""
    groups = to.client.target_groups
    template = await to.client.definitions.allocation_template(RECONTACT_TEMPLATE)
    open_exchange = {
        "allocation_format": "open_exchange",
        "open_exchange_allocations": template.to_open_exchange_allocations(),
    }
    as_plan: dict[str, dict[str, Any]] = {
        "wave": {},
        "second": {"allocation_format": "allocation_template"},
        "third": open_exchange,
        "later": {"study_type_code": "adhoc", "profiling": PROFILING, **open_exchange},
        "batch": {"study_type_code": "adhoc", "exclusion_enabled": True},
    }
    for name, changes in as_plan.items():
        plan = to.plan.model_copy(update=changes)
        to.groups[name] = await groups.create_draft(to.project, plan, name=f"Group: {name}", reference=f"ref {name}")
    as_guide = {**example("Draft"), "profiling": PROFILING}
    to.groups["guide"] = await groups.create_draft(to.project, as_guide, reference="ref guide")
    to.groups["client"] = await groups.create_draft(
        to.project, {**example("Draft"), "client_id": 77, "industry_lockout_code": "other"}, reference="ref client"
    )
    return {
        "made": to.groups,
        "again": await groups.create_draft(to.project, to.plan, name="Group: wave", reference="ref wave"),
        "read": [await groups.get(ref) for ref in to.groups.values()],
        "found": await groups.find(to.project, "ref second"),
        "not found": await groups.find(to.project, "ref nobody"),
        "allocations": await groups.allocation_specification(to.groups["wave"]),
        "assistant": await groups.fielding_assistant(to.groups["wave"]),
        "no overview": await refusal(groups.overview(to.groups["wave"])),
        "no details": await refusal(groups.details(to.groups["wave"])),
        "too soon": await refusal(
            groups.create_draft(
                to.project, to.plan.model_copy(update={"end_at": to.plan.start_at}), name="Too soon", reference="soon"
            )
        ),
    }


async def lists_of_groups(to: TourState) -> Any:
    groups = to.client.target_groups
    return {
        "all": await every(groups.list(to.project)),
        "by reference": await every(groups.list(to.project, references=("ref wave", "ref second"))),
        "by much": await every(
            groups.list(
                to.project,
                statuses=("draft", "live"),
                name="Group: wave",
                search="Group",
                countries=("de",),
                languages=("ger",),
                exclusion=False,
            )
        ),
    }


async def changes_of_drafts(to: TourState) -> Any:
    groups = to.client.target_groups
    await groups.update_draft(to.groups["wave"], to.plan.model_copy(update={"completes_goal": 50}))
    await groups.update_draft(to.groups["guide"], {**example("Draft"), "profiling": PROFILING})
    return {
        "strategy": await groups.set_filling_strategy(to.groups["wave"], "completes"),
        "forecast": await groups.feasibility(example("FeasibilityDraft")),
        "forecast of it": await groups.group_feasibility(to.groups["wave"]),
        "what if": await groups.group_feasibility(to.groups["wave"], {"completes_goal": 40}),
    }


# --- recontacts ---------------------------------------------------------------------------------------------------


async def uploads(to: TourState) -> Any:
    recontacts, ref = to.client.recontacts, to.groups["wave"]
    job = await recontacts.upload(ref, people(300), token="first")
    again = await recontacts.upload(ref, people(300), token="first")
    running = await recontacts.running_job(ref)
    busy = await refusal(recontacts.upload(ref, people(5), token="busy"))
    locked = await refusal(recontacts.remove_all(ref))
    done = await job
    rids = await recontacts.upload(to.groups["second"], people(40, seed="rid", entity=EntityType.RID), token="rids")
    assert job.handle.job_id is not None
    assert job.handle.file_name is not None
    found = await recontacts.find_job(ref, job.handle.file_name)
    return {
        "done": done,
        "adopted": again.handle.job_id == job.handle.job_id,
        "running": running,
        "busy": (busy, locked),
        "rids": await rids,
        "jobs": await recontacts.jobs(ref),
        "taken up": await recontacts.job(ref, job.handle.job_id, ids=300).refresh(),
        "found": None if found is None else await found.refresh(),
        "downloaded": await recontacts.download(ref, job.handle.job_id),
        "count": await recontacts.saved_count(ref),
        "saved": await recontacts.saved_ids(ref),
        "none saved": await recontacts.saved_ids(to.groups["third"]),
        "no job": await refusal(recontacts.job(ref, NOBODY).refresh()),
    }
