"""The rules that no source settles: each switch, its default, and what else the exchange refuses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from cint_nb.domain.errors import InputError
from cint_nb.domain.ids import EntityType, synthetic_id
from cint_nb.sandbox.openapi.drafts import REQUIRED
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.world.id_store import to_id_bytes
from cint_nb.sandbox.world.ids import kind_of, made_up_id
from cint_nb.sandbox.world.population import UploadResult, rid_of, rsid_of, visit_count
from cint_nb.sandbox.world.rules import ExchangeRules, parse_rules, rule_choices
from tests.support.sandbox_client import RawClient

UPLOADS = "recontacts/jobs/upload-respondents-by-file"
Connect = Callable[..., RawClient]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Make a raw client of a sandbox with some rules."""
    clients: list[RawClient] = []

    def make(**rules: Any) -> RawClient:
        client = RawClient(Sandbox(seed=1, rules=ExchangeRules(**rules)))
        client.log_in()
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


def accepted(client: RawClient, candidates: Iterator[str], count: int) -> list[str]:
    """Return ids that stand for people whom the exchange accepts."""
    people = client.sandbox.world.population
    found: list[str] = []
    for one in candidates:
        key = to_id_bytes(one)
        person = people.person_of_rid(key) if kind_of(key) is EntityType.RID else key
        if people.upload_result(person) is UploadResult.ACCEPTED:
            found.append(one)
        if len(found) == count:
            break
    return found


def rids(count: int = 10_000) -> Iterator[str]:
    return (rid_of(1, number, visit) for number in range(count) for visit in range(visit_count(number)))


def rsids(count: int = 10_000) -> Iterator[str]:
    return (rsid_of(1, number) for number in range(count))


def reason_of(client: RawClient, job: str) -> str:
    return str((client.get(job).json()["partial_success_reason"] or {"description": ""})["description"])


# --- kinds of ids ------------------------------------------------------------------------------------------------


def test_every_id_of_every_seed_tells_its_kind_and_foreign_ones_tell_none() -> None:
    for seed in (1, 2, 77, -3):
        for number in (0, 1, 19_999, 2**40):
            assert kind_of(to_id_bytes(rsid_of(seed, number))) is EntityType.RSID
            assert kind_of(to_id_bytes(rid_of(seed, number, number % 4))) is EntityType.RID
    foreign = [to_id_bytes(synthetic_id("foreign", number)) for number in range(20_000)]
    assert {kind_of(key) for key in foreign} == {None}
    assert kind_of(bytes(16)) is None
    assert made_up_id(EntityType.RSID, "a", 1)[:27] == made_up_id(EntityType.RID, "a", 1)[:27], "they look alike"


@pytest.mark.sampled
@pytest.mark.parametrize("rule", ["unknown", "accepted"])
@pytest.mark.parametrize("word", ["RSID", "RESPONDENT_ID", "RID", "RESPONSE_ID"])
@pytest.mark.parametrize("kind", ["RSID", "RID", "foreign"])
def test_ids_of_the_wrong_kind_are_unknown(connect: Connect, kind: str, word: str, rule: str) -> None:
    client = connect(wrong_kind=rule)
    people = {"RSID": rsids(), "RID": rids(), "foreign": (synthetic_id("foreign", n) for n in range(10_000))}[kind]
    sent = accepted(client, people, 20)
    group = client.group()
    job = client.saved_ids(group, sent, entity_type=word)
    fits = kind == "foreign" or rule == "accepted" or (kind == "RID") == word.startswith(("RID", "RESPONSE"))
    if fits:
        assert client.saved(group) > 0
        return
    assert client.saved(group) == 0
    assert client.get(job).json()["status"] == "Completed"
    assert "0 respondent IDs uploaded successfully, 20 failed" in reason_of(client, job)


def test_response_ids_of_visits_in_this_sandbox_are_no_respondent_ids_either(connect: Connect) -> None:
    client = connect()
    group = client.group(completes_goal=20)
    client.saved_ids(group, accepted(client, rsids(), 200))
    client.launched(group)
    client.sandbox.advance(6 * 86_400)
    client.log_in()
    body = {"filter": "target_group", "filter_ids": [group.rsplit("/", 1)[1]]}
    report = client.post(f"{client.account}/reports/respondent-analysis", body).json()["report_id"]
    client.sandbox.advance(120)
    text = client.get(f"{client.account}/reports/{report}/download").text
    seen = [to_id_bytes(one) for one in re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", text)]
    assert {kind_of(key) for key in seen} == {EntityType.RSID, EntityType.RID}
    assert sum(kind_of(key) is EntityType.RID for key in seen) == sum(kind_of(key) is EntityType.RSID for key in seen)


def test_excluding_response_ids_excludes_nobody(connect: Connect) -> None:
    for rule, failed in (("unknown", 5), ("accepted", 0)):
        client = connect(wrong_kind=rule)
        group = client.group()
        file = {"file": ("out.csv", "\n".join(accepted(client, rids(), 5)).encode(), "text/csv")}
        jobs = f"{group}/exclusions/jobs/upload-respondents-by-file"
        job = client.ask("POST", jobs, files=file, params={"entity_type": "RSID"}).json()["job_id"]
        client.sandbox.advance(60)
        count = client.get(f"{group}/exclusions/overview").json()["saved_respondent_ids_count"]
        assert count == 5 - failed
        assert ("partial_success_reason" in client.get(f"{jobs}/{job}").json()) is bool(failed)


# --- what a file holds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lines",
    [["not an id"], ["RSID", "", "x"], ["{id},2026", '"{id}"'], ["{id}0"], ["\ufeff{id}"], [" ", "", "\t", "-"]],
)
@pytest.mark.parametrize("path", [f"{UPLOADS}?entity_type=RSID", "recontacts/jobs/upload-rsids-by-file"])
def test_a_file_without_one_valid_id_fails(connect: Connect, lines: list[str], path: str) -> None:
    client = connect()
    group = client.group()
    content = "\n".join(line.replace("{id}", rsid_of(1, 1)) for line in lines).encode()
    reply = client.ask("POST", f"{group}/{path}", files={"file": ("wave.csv", content, "text/csv")})
    assert reply.status_code == 201
    client.sandbox.advance(60)
    job = client.get(f"{group}/{UPLOADS}/{reply.json()['job_id']}").json()
    assert (job["status"], job["failure_reason"]["code"]) == ("Failed", "NoValidIdentifiers")
    assert job["partial_success_reason"] is None
    assert client.saved(group) == 0
    assert client.upload(group, [rsid_of(1, 1)]).status_code == 201, "the next file is taken"


def test_a_file_of_exclusions_without_one_valid_id_fails_too(connect: Connect) -> None:
    client = connect()
    group = client.group()
    jobs = f"{group}/exclusions/jobs/upload-respondents-by-file"
    file = {"file": ("out.csv", b"nobody", "text/csv")}
    job = client.ask("POST", jobs, files=file, params={"entity_type": "RSID"}).json()["job_id"]
    client.sandbox.advance(60)
    assert client.get(f"{jobs}/{job}").json()["status"] == "Failed"


@pytest.mark.parametrize(
    ("rule", "text"), [("saved", ""), ("failed", "5 respondent IDs uploaded successfully, 8 failed")]
)
def test_ids_that_repeat_are_counted_as_the_rule_says(connect: Connect, rule: str, text: str) -> None:
    client = connect(repeated_ids=rule)
    people = accepted(client, rsids(), 10)
    group = client.group()
    client.saved_ids(group, people[:5])
    job = client.saved_ids(group, [*people, *people[5:8]])  # five saved before, three twice
    assert text in reason_of(client, job)
    assert bool(reason_of(client, job)) is bool(text)
    assert client.saved(group) == 10


# --- the goal ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["refused", "allowed"])
def test_a_goal_above_the_saved_ids_is_refused_once_there_are_any(connect: Connect, rule: str) -> None:
    client = connect(goal_above_saved=rule)
    group = client.group(completes_goal=50)
    goals = f"{group}/profiles/completes-goal"
    assert client.ask("PUT", group, json=client.draft_body(completes_goal=60)).status_code == 204, "none are saved yet"
    assert client.ask("PUT", goals, json={"completes_goal": 50}).status_code == 200
    client.saved_ids(group, accepted(client, rsids(), 40))
    put = client.ask("PUT", group, json=client.draft_body(completes_goal=41))
    change = client.ask("PUT", goals, json={"completes_goal": 41})
    if rule == "allowed":
        assert (put.status_code, change.status_code) == (204, 200)
        return
    assert put.status_code == 400
    assert put.json()["invalid_params"] == [
        {"name": "ExpectedCompletes", "reason": "the completes goal is 41, but only 40 respondent ids are saved."}
    ]
    assert change.status_code == 422
    assert "only 40 respondent ids are saved" in change.json()["detail"]
    assert client.ask("PUT", group, json=client.draft_body(completes_goal=40)).status_code == 204


def test_the_goal_is_open_while_an_upload_runs_and_for_groups_of_new_people(connect: Connect) -> None:
    client = connect()
    group = client.group(completes_goal=50)
    people = accepted(client, rsids(), 900)
    client.saved_ids(group, people[:100])
    client.upload(group, people[100:])
    assert client.ask("PUT", group, json=client.draft_body(completes_goal=800)).status_code == 204
    fresh = client.group(study_type_code="adhoc", allocations=None, completes_goal=5)
    body = client.draft_body(study_type_code="adhoc", allocations=None, completes_goal=5_000)
    assert client.ask("PUT", fresh, json=body).status_code == 204


@pytest.mark.parametrize("action", ["resume", "relaunch"])
@pytest.mark.parametrize("way", ["single", "batch"])
def test_a_recontact_group_with_nothing_saved_lets_nobody_in(connect: Connect, action: str, way: str) -> None:
    client = connect()
    group = client.group(completes_goal=20)
    client.saved_ids(group, accepted(client, rsids(), 100))
    run = client.launched(group)
    stop = "pause" if action == "resume" else "complete"
    client.post(f"{run}/{stop}", headers={"If-Match": client.get(run).headers["etag"]})
    client.post(f"{group}/recontacts/jobs/remove-all-rsids")
    client.sandbox.advance(600)
    project, group_id = group.split("/target-groups/")
    ids = {"included_target_group_ids": [group_id]}
    assert not client.post(f"{project}/compute-target-group-transitions", ids).json()[f"is_{action}_allowed"]
    if way == "single":
        reply = client.post(f"{run}/{action}", headers={"If-Match": client.get(run).headers["etag"]})
        assert reply.status_code == 422
        assert "no respondent ids are saved" in reply.json()["detail"]
    else:
        jobs = f"{project}/batch-jobs/{action}-fielding-runs-by-target-group-id"
        job = client.post(jobs, {"target_group_ids": [group_id]}, key="one").headers["location"]
        client.sandbox.advance(60)
        [failed] = client.get(job).json()["failed_target_groups"]["data"]
        assert "no respondent ids are saved" in failed["failure_reason"]["description"]
    client.saved_ids(group, accepted(client, rsids(), 100))
    reply = client.post(f"{run}/{action}", headers={"If-Match": client.get(run).headers["etag"]})
    assert reply.status_code == 204, "people were added again"


# --- quotas ------------------------------------------------------------------------------------------------------


def profiling(kind: str | None, parts: list[Any], **profile: Any) -> dict[str, Any]:
    field = "completes_goal" if kind == "nominal" else "completes_goal_percentage"
    targets = [
        {
            "conditions": [{"object": "selection", "question_id": 43, "option": str(number)}],
            **({} if part is None else {"quota": {field: part}}),
        }
        for number, part in enumerate(parts)
    ]
    one = {"object": "regular", "quotas_enabled": True, "targets": targets, **profile}
    return {**({} if kind is None else {"profile_adjustment_type": kind}), "profiles": [one]}


@pytest.mark.parametrize(
    ("kind", "parts", "more", "status"),
    [
        ("percentage", [50, 50], {}, 201),
        ("percentage", [100], {}, 201),
        ("percentage", [33.33, 33.33, 33.33], {}, 201),
        ("percentage", [14.29] * 7, {}, 201),
        ("percentage", [50, 49], {}, 400),
        ("percentage", [50, 49.9], {}, 400),
        ("percentage", [60, 50], {}, 400),
        ("percentage", [0, 0], {}, 400),
        ("percentage", [None, None], {}, 201),
        ("percentage", [50, 40], {"quotas_enabled": False}, 201),
        ("percentage", [20], {"object": "blended", "blended_type": "control"}, 201),
        ("percentage", [20], {"object": "blended", "blended_type": "interlock"}, 400),
        ("nominal", [6, 4], {}, 201),
        ("nominal", [6, 5], {}, 400),
        ("nominal", [5, 4], {}, 400),
        (None, [50, 50], {}, 400),
    ],
)
def test_quotas_add_up_to_100_percent_or_to_the_goal(
    connect: Connect, kind: str | None, parts: list[Any], more: dict[str, Any], status: int
) -> None:
    client = connect()
    fresh = client.draft_body(study_type_code="adhoc", allocations=None, completes_goal=10)
    body = {**fresh, "profiling": profiling(kind, parts, **more)}
    reply = client.post(f"{client.project()}/target-groups", body)
    assert reply.status_code == status, reply.text
    if status == 400:
        assert reply.json()["invalid_params"][0]["name"].startswith("Profiling.")


def test_quotas_of_the_other_kind_are_refused(connect: Connect) -> None:
    client = connect()
    body = client.draft_body(study_type_code="adhoc", allocations=None, completes_goal=10)
    body["profiling"] = {**profiling("nominal", [5, 5]), "profile_adjustment_type": "percentage"}
    assert client.post(f"{client.project()}/target-groups", body).status_code == 400


@pytest.mark.parametrize("kind", ["percentage", "nominal"])
def test_the_reply_to_a_new_goal_holds_all_profiles_with_their_quotas(connect: Connect, kind: str) -> None:
    client = connect()
    parts = [30, 70] if kind == "percentage" else [3, 7]
    body = client.draft_body(
        study_type_code="adhoc", allocations=None, completes_goal=10, profiling=profiling(kind, parts)
    )
    group = (
        f"{(project := client.project())}/target-groups/{client.post(f'{project}/target-groups', body).json()['id']}"
    )
    goals = f"{group}/profiles/completes-goal"
    reply = client.ask("PUT", goals, json={"completes_goal": 200}).json()
    [profile] = reply["profiles"]
    assert (reply["locale"], reply["completes_goal"]) == ("ger_de", 200)
    assert {"object", "id", "quotas_enabled", "name", "description", "targets"} <= set(profile)
    assert (profile["name"], profile["description"]) == ("GENDER", "Welches Geschlecht haben Sie?")
    quotas = [target["quota"] for target in profile["targets"]]
    # Computed anew from what suppliers can deliver, they move a little, and add up.
    assert sum(quota["completes_goal"] for quota in quotas) == 200
    assert [quota["quota_nominal"] for quota in quotas] == [quota["completes_goal"] for quota in quotas]
    assert sum(quota["completes_goal_percentage"] for quota in quotas) == pytest.approx(100)
    assert 25 < quotas[0]["completes_goal_percentage"] < 35
    # The ids of this reply name a quota in the next request.
    ids = [target["id"] for target in profile["targets"]]
    named = {
        "profile_id": profile["id"],
        "targets": [
            {"id": each, "quota": {"completes_goal": count}} for each, count in zip(ids, (50, 150), strict=True)
        ],
    }
    again = client.ask("PUT", goals, json={"profiles": [named]}).json()
    assert [target["quota"]["completes_goal"] for target in again["profiles"][0]["targets"]] == [50, 150]
    for wrong in (
        {"profiles": [{**named, "profile_id": "01BTGNYV6HRNK8K8VKZASZCFP1"}]},
        {"profiles": [{**named, "targets": [{"id": ids[0], "quota": {"completes_goal": 201}}]}]},
        {"profiles": [{**named, "targets": [{"id": ids[0], "quota": {"completes_goal": 60}}]}]},
    ):
        assert client.ask("PUT", goals, json=wrong).status_code == 422
    assert client.ask("PUT", goals, json={}).status_code == 400


# --- exclusion.list, templates ---------------------------------------------------------------------------------------


def test_ids_listed_in_the_draft_are_excluded_and_a_new_draft_replaces_them(connect: Connect) -> None:
    client = connect()
    people = accepted(client, rsids(), 6)
    rids_listed = {"entity_type": "RID", "entity_ids": people[:3]}
    guids = {"entity_type": "CID", "entity_ids": [synthetic_id("access", 1)]}
    group = client.group(exclusion={"enabled": False, "list": [rids_listed, guids]})
    effective = f"{group}/exclusions/rsid/paginated"
    assert sorted(client.get(effective).json()["data"]) == sorted(people[:3])
    assert client.get(f"{group}/exclusions/access-respondent-guid/paginated").json()["data"] == guids["entity_ids"]
    file = {"file": ("out.csv", people[5].encode(), "text/csv")}
    jobs = f"{group}/exclusions/jobs/upload-respondents-by-file"
    client.ask("POST", jobs, files=file, params={"entity_type": "RSID"})
    client.sandbox.advance(60)
    body = client.draft_body(exclusion={"enabled": False, "list": [{"entity_type": "RID", "entity_ids": people[2:4]}]})
    assert client.ask("PUT", group, json=body).status_code == 204
    assert sorted(client.get(effective).json()["data"]) == sorted([*people[2:4], people[5]])
    assert client.ask("PUT", group, json=client.draft_body(exclusion={"enabled": True, "list": []})).status_code == 204
    assert client.get(effective).json()["data"] == [people[5]]


def test_who_is_listed_in_the_draft_does_not_enter(connect: Connect) -> None:
    def entered(exclusion: dict[str, Any]) -> tuple[int, int]:
        client = connect()
        people = accepted(client, rsids(), 120)
        listed = {"enabled": False, **({"list": [{"entity_type": "RID", "entity_ids": people}]} if exclusion else {})}
        group = client.group(completes_goal=100, exclusion=listed)
        client.saved_ids(group, people)
        client.launched(group)
        client.sandbox.advance(5 * 86_400)
        client.log_in()
        performance = client.get(f"{group}/performance").json()
        return performance["entrants"], performance["completes"]

    assert entered({})[1] > 20
    entrants, completes = entered({"list": True})
    assert (entrants > 20, completes) == (True, 0)


@pytest.mark.parametrize(
    "wrong", [[{"entity_type": "RSID", "entity_ids": []}], [{"entity_type": "RID", "entity_ids": ["somebody"]}], "list"]
)
def test_a_list_of_something_else_is_refused(connect: Connect, wrong: Any) -> None:
    client = connect()
    body = client.draft_body(exclusion={"enabled": False, "list": wrong})
    assert client.post(f"{client.project()}/target-groups", body).status_code == 400


@pytest.mark.parametrize(
    "shape",
    [
        {"allocations": {"template_id": "01JH0PEGPC4Z8RDD304E2SF0EW"}},
        {"allocation_template": {"id": "01JH0PEGPC4Z8RDD304E2SF0EW", "type": "global"}},
    ],
)
def test_the_allocation_specification_writes_the_template_out(connect: Connect, shape: dict[str, Any]) -> None:
    client = connect()
    project = client.project()
    body = {**client.draft_body(allocations=None), **shape}
    group = f"{project}/target-groups/{client.post(f'{project}/target-groups', body).json()['id']}"
    template = client.get("/demand/allocation-templates/01JH0PEGPC4Z8RDD304E2SF0EW").json()
    exchange = next(part for part in template["supply_allocations"] if part["type"] == "exchange")
    read = client.get(f"{group}/allocation-specification").json()["open_exchange_allocations"]
    assert [one["id"] for one in read["exchange_suppliers"]] == [one["supplier_id"] for one in exchange["suppliers"]]
    assert (read["exchange_min_percentage"], read["exchange_max_percentage"]) == (
        exchange["percentage_min"],
        exchange["percentage_max"],
    )
    text = client.get(f"{group}/allocation-specification").text + client.get(group).text
    assert "template" not in text


def test_a_blocked_supplier_is_no_exchange_supplier(connect: Connect) -> None:
    client = connect()
    allocations = {
        "open_exchange_allocations": {
            "blocked_supplier_ids": ["201", "205"],
            "exchange_min_percentage": 10,
            "exchange_max_percentage": 90,
            "groups": [{"group_name": "A", "min_percentage": 0, "max_percentage": 50, "suppliers": ["202"]}],
        }
    }
    group = client.group(study_type_code="adhoc", allocations=allocations)
    read = client.get(f"{group}/allocation-specification").json()["open_exchange_allocations"]
    assert [one["id"] for one in read["blocked_suppliers"]] == [201, 205]
    assert not {201, 205} & {one["id"] for one in read["exchange_suppliers"]}
    assert read["groups"][0]["suppliers"] == [{"id": 202, "name": "Sandbox supplier 2"}]


# --- fields that are not documented, and missing ones ----------------------------------------------------------------


def test_unknown_fields_are_refused_one_by_one_by_a_switch(connect: Connect) -> None:
    changes: dict[str, Any] = {"colour": "red", "exclusion": {"enabled": False, "since": 1}}
    client = connect()
    assert client.post(f"{client.project()}/target-groups", client.draft_body(**changes)).status_code == 201
    client = connect(undocumented_fields="refused")
    body = client.draft_body(**changes)
    body["fielding_assistant_assignment"] = {"pricing": {"type": "dynamic", "speed": 1}, "bot": {}}
    del body["locale"]
    reply = client.post(f"{client.project()}/target-groups", body)
    assert reply.status_code == 400
    assert {problem["name"] for problem in reply.json()["invalid_params"]} == {
        "Locale",
        "Colour",
        "Exclusion.Since",
        "FieldingAssistantAssignment.Pricing.Speed",
        "FieldingAssistantAssignment.Bot",
    }


def test_unknown_query_parameters_are_refused_by_the_same_switch(connect: Connect) -> None:
    for rule, status in (("ignored", 200), ("refused", 400)):
        client = connect(undocumented_fields=rule)
        reply = client.get(f"{client.account}/projects?page_size=5&pagesize=7")
        assert reply.status_code == status
    assert [problem["name"] for problem in reply.json()["invalid_params"]] == ["pagesize"]


@pytest.mark.parametrize("rule", ["ignored", "refused"])
@pytest.mark.parametrize("missing", [*((name,) for name in REQUIRED), REQUIRED])
def test_missing_required_fields_are_named_one_by_one(connect: Connect, missing: tuple[str, ...], rule: str) -> None:
    client = connect(undocumented_fields=rule)
    body = {name: value for name, value in client.draft_body().items() if name not in missing}
    reply = client.post(f"{client.project()}/target-groups", body)
    assert reply.status_code == 400
    named = [problem["name"] for problem in reply.json()["invalid_params"]]
    assert len(named) == len(missing)
    assert all(problem["reason"].endswith("must not be empty.") for problem in reply.json()["invalid_params"])


# --- the switches themselves -----------------------------------------------------------------------------------------


def test_every_rule_has_choices_and_its_default_is_the_first() -> None:
    choices = rule_choices()
    hints = get_type_hints(ExchangeRules)
    assert list(choices) == [field.name for field in fields(ExchangeRules)]
    for field in fields(ExchangeRules):
        assert choices[field.name] == get_args(hints[field.name])
        assert choices[field.name][0] == field.default
        for value in choices[field.name]:
            assert getattr(parse_rules([f"{field.name}={value}"]), field.name) == value
    assert parse_rules([]) == ExchangeRules()
    assert parse_rules(ExchangeRules().to_text().split()) == ExchangeRules()


@pytest.mark.parametrize("text", ["", "speed=1", "expiry_status", "expiry_status=500", "wrong_kind=", "=401"])
def test_a_rule_that_does_not_exist_is_refused_with_the_known_ones(text: str) -> None:
    with pytest.raises(ValueError, match="choose from"):
        parse_rules([text])


def test_a_rule_of_another_value_is_refused() -> None:
    with pytest.raises(InputError, match="expiry_status"):
        ExchangeRules(expiry_status="500")  # type: ignore[arg-type]


def test_a_state_file_is_of_one_set_of_rules(tmp_path: Path) -> None:
    Sandbox(state=tmp_path / "world.sqlite").close()
    with pytest.raises(InputError, match="rules"):
        Sandbox(state=tmp_path / "world.sqlite", rules=ExchangeRules(wrong_kind="accepted"))


# --- what prevent_overfill does ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "counts"), [("kept", "completes"), ("prescreens", "prescreens")])
def test_prevent_overfill_turns_a_live_group_to_prescreens_where_the_rule_says_so(
    connect: Connect, rule: str, counts: str
) -> None:
    client = connect(prevent_overfill=rule)
    group = client.group(study_type_code="adhoc", allocations=None, completes_goal=100)
    client.launched(group)
    progress = client.get(f"{group}/overview").json()["progress"]
    assert progress["filling_strategy"] == counts
    client.sandbox.advance(9 * 86_400)
    client.log_in()
    progress = client.get(f"{group}/overview").json()["progress"]
    assert (progress["current_completes"] < 100 <= progress["current_prescreens"]) == (rule == "prescreens")


def test_an_account_without_a_private_exchange_predicts_no_prices(connect: Connect) -> None:
    config = {"type": "dynamic", "user_requested_cpi": {"value": "2", "currency_code": "EUR"}}
    for rule, status in (("present", 200), ("absent", 403)):
        client = connect(private_exchange=rule)
        path = f"{client.account}/business-units/1234/generate-price-prediction"
        assert client.post(path, {"config": config}).status_code == status
