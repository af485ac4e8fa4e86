"""What somebody else changes: each change changes what it says and nothing else, as documented reads show it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from cint_nb.sandbox import changes_elsewhere
from cint_nb.sandbox.changes_elsewhere import CHANGES, ChangeName, LaggingList, field_edits
from cint_nb.sandbox.draft_edits import DraftField
from cint_nb.sandbox.fault_kinds import KINDS, FaultName
from cint_nb.sandbox.faults import ALWAYS, CHANGE_NAMES, FAULT_NAMES, parse_fault, write_fault
from cint_nb.sandbox.http.control_api import world_to_json
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.server import ServedSandbox
from cint_nb.sandbox.world.catalogue import COLLEAGUE_ID, PROJECT_MANAGER_ID
from tests.sandbox.exchange_views import ServedRawClient, changed, view
from tests.support.sandbox_client import RawClient

LIST = "groups.target_groups.0"
PROJECT_ITEM = "projects.projects.0"
RUN = ("run.etag", "runs.data.0.status", "runs.data.0.version")
STATUS = (f"{LIST}.status", "overview.status")
LAUNCHED = ("draft.", "details.", "overview.", f"{LIST}.status", "runs.", "run.etag")
FOR_A_DRAFT: dict[str, tuple[str, ...]] = {
    "group-renamed": ("draft.name", f"{LIST}.name"),
    "project-renamed": ("project.name", "project.etag", f"{PROJECT_ITEM}.name"),
    "goal-raised": ("draft.completes_goal", f"{LIST}.statistics.progress", f"{PROJECT_ITEM}.statistics.filling_goal"),
    "price-raised": ("draft.cost_per_interview", f"{LIST}.statistics.average_cost_per_interview"),
    "launched-elsewhere": LAUNCHED,
    "scheduled-elsewhere": LAUNCHED,
    "people-added": ("ids.", "jobs.", "saved."),
    "list-emptied": ("ids.", "saved."),
    "list-swapped": ("ids.", "jobs."),
    "group-archived": ("draft.", "details.", "overview.", f"{LIST}.status", f"{PROJECT_ITEM}.status"),
}
FOR_A_RUN: dict[tuple[str, str], tuple[str, ...]] = {
    ("live", "group-renamed"): ("details.name", f"{LIST}.name", "overview.target_group_name"),
    ("live", "goal-raised"): (
        "details.completes_goal",
        f"{LIST}.statistics.progress",
        "overview.progress.filling_goal",
        f"{PROJECT_ITEM}.statistics.filling_goal",
    ),
    ("live", "price-raised"): (
        f"{LIST}.statistics.average_cost",
        "overview.average_cost",
        "overview.current_cost_per_interview",
    ),
    ("live", "paused-elsewhere"): (*STATUS, *RUN),
    ("live", "completed-elsewhere"): (*STATUS, *RUN, f"{PROJECT_ITEM}.status"),
    ("live", "people-added"): ("ids.", "jobs.", "saved."),
    ("live", "list-emptied"): ("ids.", "saved."),
    ("live", "list-swapped"): ("ids.", "jobs."),
    ("live", "group-archived"): (*STATUS, *RUN, f"{PROJECT_ITEM}.status"),
    ("paused", "resumed-elsewhere"): (*STATUS, *RUN),
    ("completed", "relaunched-elsewhere"): (*STATUS, *RUN, f"{PROJECT_ITEM}.status"),
}
WHERE_FIELDS_ARE_SHOWN: dict[str, tuple[str, ...]] = {
    "name": ("draft.name", f"{LIST}.name"),
    "business_unit_id": ("draft.business_unit_id", "draft.cost_per_interview.currency_code", f"{LIST}.statistics"),
    "project_manager_id": ("draft.project_manager_id", f"{LIST}.project_manager_id"),
    "locale": ("draft.locale", f"{LIST}.locale"),
    "completes_goal": FOR_A_DRAFT["goal-raised"],
    "filling_strategy": (f"{LIST}.statistics.progress.value.filling_strategy",),
    "start_at": ("draft.fielding_specification.start_at",),
    "end_at": ("draft.fielding_specification.end_at",),
    "cost_per_interview": FOR_A_DRAFT["price-raised"],
    "pricing_model": ("draft.pricing_model", "draft.fielding_assistant_assignment.pricing", "draft.cost_per", LIST),
    "maximum_cpi": ("draft.fielding_assistant_assignment.pricing",),
    "minimum_cpi": ("draft.fielding_assistant_assignment.pricing",),
    "total_budget": ("draft.fielding_assistant_assignment.pricing",),
    "prevent_overfill": ("draft.fielding_assistant_assignment.quota_overlay.prevent_overfill",),
    "balance_fill": ("draft.fielding_assistant_assignment.quota_overlay.balance_fill",),
    "pacing": ("draft.fielding_assistant_assignment.pacing",),
    "soft_launch": ("draft.fielding_assistant_assignment.soft_launch",),
    "exclusion": ("draft.exclusion.enabled", f"{LIST}.exclusion_enabled", "policy.project_exclusion_enabled"),
    "respondent_activity_exclusions": ("draft.respondent_activity", "activity.respondent_activity"),
    "allocations": ("draft.allocations.", "allocation."),
    "target_group_customer_reference_number": (
        "draft.target_group_customer_reference_number",
        f"{LIST}.target_group_customer_reference_number",
        f"{PROJECT_ITEM}.",
    ),
}
"""Where an edited field of a draft is seen; those that are missing here are seen in the draft alone, by their name."""


@pytest.fixture(params=["in process", pytest.param("served", marks=pytest.mark.thorough)])
def client(request: pytest.FixtureRequest) -> Iterator[RawClient]:
    if request.param == "in process":
        client = RawClient(Sandbox(seed=1))
        client.log_in()
        yield client
        client.close()
        return
    with ServedSandbox(Sandbox(seed=1)) as served:
        client = ServedRawClient(served)
        client.log_in()
        yield client
        client.close()


def inject(client: RawClient, **fault: Any) -> None:
    """Inject a fault as somebody would: by a call in process, by the control API over HTTP."""
    if isinstance(client, ServedRawClient):
        reply = client.inject(**fault)
        assert reply.status_code == 200, reply.text
    else:
        client.sandbox.inject(**fault)


def prepared(client: RawClient, good_ids: list[str], state: str = "draft", **fields: Any) -> str:
    """Return the path of a target group with 90 saved ids in a state."""
    group = client.group(**{"completes_goal": 40, **fields})
    client.saved_ids(group, good_ids[:90])
    if state != "draft":
        run = client.launched(group)
        for action in {"paused": ["pause"], "completed": ["complete"]}.get(state, []):
            etag = client.get(run).headers["etag"]
            assert client.post(f"{run}/{action}", headers={"If-Match": etag}).status_code == 204
    client.sandbox.advance(1)
    return group


def assert_changed(before: dict[str, Any], after: dict[str, Any], where: tuple[str, ...]) -> None:
    found = changed(before, after)
    assert [path for path in sorted(found) if not path.startswith(where)] == [], "only what it says"
    assert [prefix for prefix in where if not any(path.startswith(prefix) for path in found)] == [], "all it says"


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("field", get_args(DraftField))
def test_a_colleague_edits_one_field_of_a_draft(raw_client: RawClient, good_ids: list[str], field: str) -> None:
    group = prepared(raw_client, good_ids)
    before = view(raw_client, group)
    inject(raw_client, name="field-edited", at="now", argument=field)
    assert_changed(before, view(raw_client, group), WHERE_FIELDS_ARE_SHOWN.get(field, (f"draft.{field}",)))


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("name", FOR_A_DRAFT)
def test_a_change_of_a_draft_changes_what_it_says(raw_client: RawClient, good_ids: list[str], name: str) -> None:
    group = prepared(raw_client, good_ids)
    before = view(raw_client, group)
    inject(raw_client, name=name, at="now")
    assert_changed(before, view(raw_client, group), FOR_A_DRAFT[name])


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize(("state", "name"), FOR_A_RUN)
def test_a_change_of_a_run_changes_what_it_says_and_its_etag(
    raw_client: RawClient, good_ids: list[str], state: str, name: str
) -> None:
    group = prepared(raw_client, good_ids, state)
    before = view(raw_client, group)
    inject(raw_client, name=name, at="now")
    after = view(raw_client, group)
    assert_changed(before, after, FOR_A_RUN[state, name])
    if "run.etag" in FOR_A_RUN[state, name]:
        run = f"{group}/fielding-runs/{before['runs.data.0.id']}"
        old = {"If-Match": before["run.etag"]}
        assert raw_client.post(f"{run}/pause", headers=old).status_code == 412, "the client's version is outdated"


def test_a_deleted_target_group_is_gone_and_so_is_what_was_due_in_it(client: RawClient, good_ids: list[str]) -> None:
    group = prepared(client, good_ids, "live")
    job = client.upload(group, good_ids[90:]).json()["job_id"]
    project = group.split("/target-groups/")[0]
    kept = client.group(project)
    inject(client, name="group-deleted", at="now", target=group.rsplit("/", 1)[1])
    listed = client.get(f"{project}/target-groups").json()["target_groups"]
    assert [item["id"] for item in listed] == [kept.rsplit("/", 1)[1]]
    for path in ("", "/overview", "/fielding-runs", f"/recontacts/jobs/upload-respondents-by-file/{job}"):
        assert client.get(group + path).status_code == 404
    client.sandbox.advance(20 * 86_400)
    client.log_in()
    assert client.get(kept).status_code == 200, "time goes on without it"


def test_every_change_is_tried_here() -> None:
    tried = {*FOR_A_DRAFT, *(name for _, name in FOR_A_RUN)}
    assert tried | {"field-edited", "group-deleted", "second-machine", "replica-lags"} == CHANGE_NAMES
    assert field_edits() == [f"field-edited:{field}" for field in get_args(DraftField)]


def test_names_are_typed_and_documented() -> None:
    assert set(get_args(ChangeName)) == set(CHANGES) == CHANGE_NAMES
    assert set(get_args(FaultName)) == set(KINDS) == FAULT_NAMES
    table = re.findall(r"^\| `([a-z-]+)(?::[A-Z]+)?` \|", changes_elsewhere.__doc__ or "", re.MULTILINE)
    assert table == list(CHANGES)
    assert len({type(kind) for kind in CHANGES.values()}) == len(CHANGES), "one class each"


def test_a_launch_elsewhere_is_a_launch_with_a_run_visits_and_costs(raw_client: RawClient, good_ids: list[str]) -> None:
    group = prepared(raw_client, good_ids)
    inject(raw_client, name="launched-elsewhere", at="now")
    raw_client.sandbox.advance(3 * 86_400)
    raw_client.log_in()
    overview = raw_client.get(f"{group}/overview").json()
    assert overview["progress"]["current_completes"] > 0
    assert float(overview["current_cost"]["value"]) == pytest.approx(overview["progress"]["current_completes"] * 2.7352)
    path = f"{group}/fielding-run-jobs/launch-from-draft"
    ours = raw_client.post(path, {"end_fielding_at": "2026-09-13T08:00:00.000Z"}, key="ours").headers["location"]
    raw_client.sandbox.advance(30)
    assert raw_client.get(ours).json()["failure_reason"]["code"] == "TargetGroupInvalidState"


def test_swapped_people_are_all_others_and_enter(raw_client: RawClient, good_ids: list[str]) -> None:
    group = prepared(raw_client, good_ids, "live")
    inject(raw_client, name="list-swapped", at="now", value=70)
    saved = raw_client.get(f"{group}/recontacts/rsids?page_size=100").json()["data"]
    assert len(set(saved) - set(good_ids[:90])) == 70
    raw_client.sandbox.advance(10 * 86_400)
    raw_client.log_in()
    assert raw_client.get(f"{group}/overview").json()["progress"]["current_completes"] > 0
    held = raw_client.sandbox.world.groups[group.rsplit("/", 1)[1]]
    assert {visit.key.hex() for visit in held.fieldwork.visits} <= {one.replace("-", "") for one in saved}


@pytest.mark.parametrize(
    ("name", "value", "user"),
    [
        ("paused-elsewhere", None, {"type": "las_user", "las_user_id": COLLEAGUE_ID}),
        ("paused-elsewhere", "marketplace", {"type": "system_marketplace_user"}),
        ("group-renamed", "Wave 2 of a colleague", {"type": "las_user", "las_user_id": COLLEAGUE_ID}),
    ],
)
def test_the_changelog_says_who_it_was(
    raw_client: RawClient, good_ids: list[str], name: str, value: str | None, user: dict[str, str]
) -> None:
    group = prepared(raw_client, good_ids, "live")
    inject(raw_client, name=name, at="now", value=value)
    entry = raw_client.get(f"{group}/changelog").json()["changelog"][0]
    assert entry["user"] == user
    raw_client.sandbox.advance(1)
    price = {"target_group_cpi": {"value": "3.10", "currency_code": "EUR"}}
    raw_client.ask("PUT", f"{group}/cost-per-interview", json=price)
    entry = raw_client.get(f"{group}/changelog").json()["changelog"][0]
    assert entry["user"]["las_user_id"] == PROJECT_MANAGER_ID, "what the client does is still its own"


def test_in_process_and_served_have_the_same_result(good_ids: list[str]) -> None:
    fields = [field for field in get_args(DraftField) if field != "study_type_code"]
    later = ("people-added", "project-renamed", "launched-elsewhere", "paused-elsewhere", "resumed-elsewhere")
    names = (*later, "list-swapped", "completed-elsewhere", "group-archived")

    def result(client: RawClient) -> list[dict[str, Any]]:
        client.log_in()
        group, seen = prepared(client, good_ids), []
        for field in fields:
            inject(client, name="field-edited", at="now", argument=field)
        for name in names:
            inject(client, name=name, at="now")
            client.sandbox.advance(3_600)
            seen.append(view(client, group))
        client.close()
        return seen

    with ServedSandbox(Sandbox(seed=1)) as served:
        assert result(ServedRawClient(served)) == result(RawClient(Sandbox(seed=1)))


# Moments


def test_a_change_happens_before_the_request_or_after_it(client: RawClient, good_ids: list[str]) -> None:
    group = prepared(client, good_ids)
    inject(client, name="field-edited", at="get-draft", argument="completes_goal", value=50, skip=1)
    inject(client, name="field-edited", at="after-get-draft", argument="completes_goal", value=60, skip=2)
    goals = [client.get(group).json()["completes_goal"] for _ in range(5)]
    assert goals == [40, 50, 50, 60, 60]


def test_several_changes_of_one_kind_at_one_moment_all_happen(client: RawClient, good_ids: list[str]) -> None:
    group = prepared(client, good_ids)
    inject(client, name="field-edited", at="get-draft", argument="name", value="Quoted = * % # name")
    inject(client, name="field-edited", at="get-draft", argument="test_url", value="null")
    draft = client.get(group).json()
    assert draft["name"] == "Quoted = * % # name"
    # A recontact needs its variable in both URLs, so removing one is rejected, and the list of faults says so.
    assert draft["test_url"]
    assert "TestUrl" in str(client.sandbox.faults.armed[1].problem)


def test_a_change_is_about_the_target_group_of_the_request(client: RawClient, good_ids: list[str]) -> None:
    first, newest = prepared(client, good_ids), prepared(client, good_ids)
    inject(client, name="group-renamed", at="get-draft", value="of-the-request")
    assert client.get(first).json()["name"] == "of-the-request"
    inject(client, name="group-renamed", at="now", value="the-newest")
    assert client.get(newest).json()["name"] == "the-newest"
    inject(client, name="group-renamed", at="now", value="the-named-one", target=first.rsplit("/", 1)[1])
    assert client.get(first).json()["name"] == "the-named-one"
    inject(client, name="group-renamed", at="after-create", value="just-created")
    assert client.get(client.group()).json()["name"] == "just-created"


def test_a_colleague_edits_although_the_start_has_passed(client: RawClient, good_ids: list[str]) -> None:
    group = prepared(client, good_ids)
    client.sandbox.advance(2 * 86_400)
    client.log_in()
    inject(client, name="field-edited", at="now", argument="study_type_code", value="adhoc")
    assert client.get(group).json()["study_type_code"] == "adhoc"


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize(
    ("field", "path", "value"),
    [
        ("live_url", "details.live_url", None),
        ("end_at", "runs.data.0.end_fielding_at", None),
        ("exclusion", "policy.project_exclusion_enabled", None),
        ("filling_strategy", "overview.progress.filling_strategy", None),
        ("cost_per_interview", "overview.current_cost_per_interview.value", None),
        ("completes_goal", "details.completes_goal", 30),
        ("expected_length_of_interview_minutes", "details.expected_length_of_interview_minutes", None),
        ("target_group_customer_reference_number", "details.target_group_customer_reference_number", None),
    ],
)
def test_a_launched_target_group_is_edited_where_the_exchange_lets_it(
    raw_client: RawClient, good_ids: list[str], field: str, path: str, value: int | None
) -> None:
    group = prepared(raw_client, good_ids, "live")
    before = view(raw_client, group)
    inject(raw_client, name="field-edited", at="now", argument=field, value=value)
    after = view(raw_client, group)
    assert before.get(path) != after[path]
    assert (before["run.etag"] != after["run.etag"]) is (field == "end_at")


# Two machines, and replicas


def test_two_machines_create_the_same_draft_in_one_moment(client: RawClient) -> None:
    project = client.project()
    inject(client, name="second-machine", at="create")
    ours = client.post(f"{project}/target-groups", client.draft_body(name="Two machines")).json()["id"]
    listed = client.get(f"{project}/target-groups?name=Two machines").json()["target_groups"]
    assert len(listed) == 2
    assert ours == max(item["id"] for item in listed), "theirs came first"
    drafts = [client.get(f"{project}/target-groups/{item['id']}").json() for item in listed]
    own = ("id", "human_readable_id", "created_at", "target_group_id")
    assert len({str({key: value for key, value in draft.items() if key not in own}) for draft in drafts}) == 1


def test_another_machine_has_a_key_of_its_own_and_runs_into_the_same_locks(
    client: RawClient, good_ids: list[str]
) -> None:
    inject(client, name="second-machine", at="create_project")
    client.project("Twice")
    assert len(client.get(f"{client.account}/projects?name=Twice").json()["projects"]) == 2
    group = prepared(client, good_ids)
    inject(client, name="second-machine", at="upload")
    assert client.upload(group, good_ids[90:200]).status_code == 409, "their upload is still running"


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("name", get_args(LaggingList))
def test_a_replica_shows_the_state_before_a_write_for_some_reads(
    client: RawClient, good_ids: list[str], name: LaggingList
) -> None:
    group = prepared(client, good_ids)
    project = group.split("/target-groups/")[0]
    cases: dict[LaggingList, tuple[str, Callable[[], object]]] = {
        "projects": (f"{client.account}/projects", lambda: client.project("Another")),
        "target-groups": (f"{project}/target-groups", lambda: client.group(project)),
        "upload-jobs": (
            f"{group}/recontacts/jobs/upload-respondents-by-file",
            lambda: client.saved_ids(group, good_ids[:150]),
        ),
        "saved-count": (f"{group}/recontacts/overview", lambda: client.saved_ids(group, good_ids[:150])),
        "saved-ids": (f"{group}/recontacts/rsids?page_size=100", lambda: client.saved_ids(group, good_ids[:95])),
        "fielding-runs": (f"{group}/fielding-runs", lambda: client.launched(group)),
    }
    path, write = cases[name]
    before = client.get(path).json()
    inject(client, name="replica-lags", at="now", argument=name, value=2)
    write()
    others = {other: client.get(read).status_code for other, read in {"draft": group, "project": project}.items()}
    assert [client.get(path).json() for _ in range(2)] == [before, before]
    assert client.get(path).json() != before, "the replica has caught up"
    assert set(others.values()) <= {200, 301}, "other reads do not lag"


def test_a_replica_lags_from_the_creation_that_a_client_looks_for(client: RawClient) -> None:
    project = client.project()
    inject(client, name="replica-lags", at="create", argument="target-groups")
    client.group(project)
    counts = [len(client.get(f"{project}/target-groups").json()["target_groups"]) for _ in range(2)]
    assert counts == [0, 1]


# What cannot happen, and what cannot be meant


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize(
    ("state", "name", "value", "reason"),
    [
        ("draft", "paused-elsewhere", None, "no fielding run"),
        ("live", "resumed-elsewhere", None, "does not allow resume"),
        ("live", "launched-elsewhere", None, "not in a draft state"),
        ("live", "goal-raised", 91, "90 respondent ids are saved"),
        ("live", "goal-raised", 40, "cannot be raised"),
        ("paused", "completed-elsewhere", None, "does not allow complete"),
        ("draft", "second-machine", None, "needs a request"),
    ],
)
def test_a_change_that_the_state_does_not_allow_does_not_happen(
    client: RawClient, good_ids: list[str], state: str, name: str, value: int | None, reason: str
) -> None:
    group = prepared(client, good_ids, state)
    before = view(client, group)
    if isinstance(client, ServedRawClient):
        reply = client.inject(name=name, at="now", value=value)
        assert (reply.status_code, reason in reply.json()["detail"]) == (400, True), reply.text
    else:
        with pytest.raises(ValueError, match=reason):
            client.sandbox.inject(name, "now", value=value)  # type: ignore[arg-type]  # one of the names above
    assert changed(before, view(client, group)) == set()
    assert client.sandbox.faults.armed == []


def test_a_change_that_was_not_possible_at_its_moment_says_why(client: RawClient, good_ids: list[str]) -> None:
    group = prepared(client, good_ids)
    inject(client, name="resumed-elsewhere", at="get-draft")
    client.get(group)
    (fault,) = world_to_json(client.sandbox)["faults"]
    assert (fault["left"], fault["happened"]) == (0, 0)
    assert "has no fielding run" in fault["problem"]


def test_nothing_can_change_in_an_empty_world() -> None:
    with pytest.raises(ValueError, match="nothing exists yet"):
        Sandbox(faults=["paused-elsewhere@now"])
    with pytest.raises(ValueError, match="there is no target group yet"):
        Sandbox().inject("paused-elsewhere")
    with pytest.raises(ValueError, match="there is no project yet"):
        Sandbox().inject("project-renamed")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("paused-elswhere@now", "did you mean paused-elsewhere?"),
        ("field-edited:completes_gaol@now", "did you mean completes_goal?"),
        ("field-edited:goal@now", "did you mean completes_goal?"),
        ("field-edited:price@now", "choose from"),
        ("field-edited@now", "field-edited:NAME"),
        ("replica-lags:target-group@create", "did you mean target-groups?"),
        ("paused-elsewhere:name@now", "write paused-elsewhere alone"),
        ("paused-elsewhere@statsu", "did you mean status?"),
        ("paused-elsewhere@now=colleague", "marketplace"),
        ("paused-elsewhere@now=marktplace", "did you mean marketplace?"),
        ("resumed-elsewhere@now=5", "takes no value"),
        ("field-edited:completes_goal@now=many", "cannot be completes_goal"),
        ("field-edited:prevent_overfill@now=yes", "true or false"),
        ("field-edited:end_at@now=2026-09-20", "zone"),
        ('price-raised@now="2,735 EUR"', "amount"),
        ("people-added@now=0", "from 1 on"),
        ("429@now", "write 429@STEP"),
        ("429@after-upload", "write 429@STEP"),
        ("429:name@upload", "write 429@STEP"),
    ],
)
def test_what_is_misspelled_is_refused_with_what_was_nearly_meant(text: str, hint: str) -> None:
    sandbox = Sandbox()
    with pytest.raises(ValueError, match=re.escape(hint)):
        sandbox.faults.arm(text)
    assert sandbox.faults.armed == []


def test_the_parts_of_a_fault_and_its_text_say_the_same() -> None:
    text = write_fault(
        "field-edited", "after-launch", "name", value='A "quoted" name', times=ALWAYS, skip=2, target="01X"
    )
    assert text == 'field-edited:name@after-launch*always+2#01X="A \\"quoted\\" name"'
    with pytest.raises(ValueError, match="not valid"):
        parse_fault(text)  # an id has at least six characters
    fault = parse_fault(text.replace("01X", "01JZ00"))
    assert (fault.name, fault.argument, fault.after, fault.step) == ("field-edited", "name", True, "launch")
    assert (fault.value, fault.remaining, fault.skip, fault.target) == ('A "quoted" name', ALWAYS, 2, "01JZ00")
    assert write_fault("429", "list", value=20, times=3) == "429@list*3=20"


# The control API, the page and the state file


def test_the_control_api_names_a_part_that_is_misspelled() -> None:
    with ServedSandbox(Sandbox(seed=1)) as served:
        client = ServedRawClient(served)
        reply = client.inject(name="paused-elsewhere", att="now")
        assert (reply.status_code, "did you mean at?" in reply.json()["detail"]) == (400, True)
        assert client.inject(name="paused-elsewhere").status_code == 400
        client.close()


def test_the_page_has_a_form_for_changes(good_ids: list[str]) -> None:
    with ServedSandbox(Sandbox(seed=1)) as served:
        client = ServedRawClient(served)
        client.log_in()
        group = prepared(client, good_ids)

        def post(**form: str) -> Any:
            return client.runner.run(client.client.post(f"{served.url}/sandbox/page/fault", data=form))

        empty = {"argument": "", "value": "", "step": "", "target": ""}
        assert post(**empty, name="goal-raised", moment="now").status_code == 303
        assert client.get(group).json()["completes_goal"] == 80
        assert (
            post(**{**empty, "argument": "locale", "step": "get-draft"}, name="field-edited", moment="").status_code
            == 303
        )
        assert client.get(group).json()["locale"] == "fre_fr"
        refused = post(**{**empty, "argument": "goal"}, name="field-edited", moment="now")
        assert refused.status_code == 400
        assert "did you mean completes_goal?" in refused.text
        page = client.runner.run(client.client.get(f"{served.url}/")).text
        assert all(f'<option value="{name}">' in page for name in (*CHANGE_NAMES, *get_args(DraftField)))
        assert "field-edited:locale@get-draft" in page
        client.close()


def test_what_others_changed_is_there_after_a_restart(tmp_path: Path, good_ids: list[str]) -> None:
    path = tmp_path / "class.sqlite"
    first = Sandbox(seed=1, state=path)
    client = RawClient(first)
    client.log_in()
    group = prepared(client, good_ids)
    for name in ("group-renamed", "project-renamed", "people-added", "goal-raised", "launched-elsewhere"):
        first.faults.arm(f"{name}@now")
    first.inject("paused-elsewhere", value="marketplace")
    first.inject("second-machine", "create")
    other = client.group()
    first.advance(60)
    before = view(client, group), view(client, other)
    client.close()
    first.close()
    second = Sandbox(seed=1, state=path)
    client = RawClient(second)
    client.log_in()
    assert (view(client, group), view(client, other)) == before
    client.close()
    second.close()
