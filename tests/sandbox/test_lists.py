"""Lists: pages, cursors, filters; every list of the exchange is a little different."""

from __future__ import annotations

from typing import Any

import pytest

from cint_nb.domain import ids
from cint_nb.sandbox.http.routes import OPERATIONS, Router
from cint_nb.sandbox.protocol.json_schema import Schema, find_problems
from cint_nb.sandbox.world.catalogue import PROJECT_MANAGER_ID
from tests.support.sandbox_client import RawClient


@pytest.fixture
def groups(raw_client: RawClient) -> tuple[str, list[str]]:
    project = raw_client.project()
    made = [
        raw_client.group(project, name=f"Wave {n}", target_group_customer_reference_number=f"ref {n}") for n in range(5)
    ]
    return project, made


def named(raw_client: RawClient, project: str, **params: Any) -> list[str]:
    reply = raw_client.get(f"{project}/target-groups", params=params)
    assert reply.status_code == 200, reply.text
    return [entry["name"] for entry in reply.json()["target_groups"]]


def test_groups_are_listed_newest_first_page_by_page(raw_client: RawClient, groups: tuple[str, list[str]]) -> None:
    project, _ = groups
    first = raw_client.get(f"{project}/target-groups", params={"page_size": 2}).json()
    assert [entry["name"] for entry in first["target_groups"]] == ["Wave 4", "Wave 3"]
    assert first["has_more"] is True
    second = raw_client.get(
        f"{project}/target-groups", params={"page_size": 9, "start_after": first["next_cursor"]}
    ).json()
    assert [entry["name"] for entry in second["target_groups"]] == ["Wave 2", "Wave 1", "Wave 0"]
    assert (second["has_more"], second["next_cursor"]) == (False, None)
    back = raw_client.get(
        f"{project}/target-groups", params={"page_size": 1, "end_before": first["next_cursor"]}
    ).json()
    assert [entry["name"] for entry in back["target_groups"]] == ["Wave 4"]


def test_groups_are_found_by_reference_sent_repeated_or_with_commas(
    raw_client: RawClient, groups: tuple[str, list[str]]
) -> None:
    project, _ = groups
    key = "target_group_customer_reference_numbers"
    assert named(raw_client, project, **{key: ["ref 1", "ref 3"]}) == ["Wave 3", "Wave 1"]
    assert named(raw_client, project, **{key: "ref 1,ref 3"}) == ["Wave 3", "Wave 1"]
    assert named(raw_client, project, **{key: "ref 9"}) == []


@pytest.mark.parametrize(
    ("params", "count"),
    [
        ({"name": "wave"}, 5),
        ({"search_string": "ref 2"}, 1),
        ({"status": "draft"}, 5),
        ({"status": ["live", "paused"]}, 0),
        ({"country": "de", "language": "ger"}, 5),
        ({"country": "fr"}, 0),
        ({"project_manager_id": PROJECT_MANAGER_ID.upper()}, 5),
        ({"exclusion_status": "true"}, 0),
        ({"exclusion_status": "false"}, 5),
    ],
)
def test_groups_can_be_filtered(
    raw_client: RawClient, groups: tuple[str, list[str]], params: dict[str, Any], count: int
) -> None:
    assert len(named(raw_client, groups[0], **params)) == count


@pytest.mark.parametrize(
    "params",
    [
        {"page_size": 0},
        {"page_size": 101},
        {"page_size": "x"},
        {"page_size": ""},
        {"status": "asleep"},
        {"country": "DE"},
        {"exclusion_status": "maybe"},
        {"start_after": "made-up"},
        {"start_after": "MDFKUkc0UFdISDRKMEpWRVRTTTNKTlZKWlc"},
        {"end_before": "ä"},
        {"project_manager_id": ""},
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused_by_name(
    raw_client: RawClient, groups: tuple[str, list[str]], params: dict[str, Any]
) -> None:
    reply = raw_client.get(f"{groups[0]}/target-groups", params=params)
    assert reply.status_code == 400
    assert reply.json()["invalid_params"][0]["name"] in params


def test_a_cursor_of_one_group_is_none_of_another(
    raw_client: RawClient, good_ids: list[str], groups: tuple[str, list[str]]
) -> None:
    _, (first, second, *_) = groups
    for group in (first, second):
        raw_client.saved_ids(group, good_ids[:20])
    cursor = raw_client.get(f"{first}/recontacts/rsids", params={"page_size": 5}).json()["next_cursor"]
    assert raw_client.get(f"{second}/recontacts/rsids", params={"start_after": cursor}).status_code == 400


def test_cursors_hold_no_respondent_id(raw_client: RawClient, good_ids: list[str]) -> None:
    import base64

    group = raw_client.group()
    raw_client.saved_ids(group, good_ids[:20])
    cursor = raw_client.get(f"{group}/recontacts/rsids", params={"page_size": 5}).json()["next_cursor"]
    text = base64.urlsafe_b64decode(cursor + "==").decode()
    assert not any(one in text for one in good_ids[:20])


def test_an_empty_list_of_saved_ids_may_lack_its_data(raw_client: RawClient) -> None:
    assert "data" not in raw_client.get(f"{raw_client.group()}/recontacts/rsids").json()


def test_the_list_of_templates_ends_with_an_empty_cursor(raw_client: RawClient) -> None:
    first = raw_client.get("/demand/allocation-templates", params={"page_size": 1}).json()
    assert first["has_more"] is True
    last = raw_client.get("/demand/allocation-templates", params={"start_after": first["next_cursor"]}).json()
    assert (last["has_more"], last["next_cursor"]) == (False, "")


def test_projects_can_be_found_and_counted(raw_client: RawClient, groups: tuple[str, list[str]]) -> None:
    raw_client.project("Another study")
    path = f"{raw_client.account}/projects"
    [found] = raw_client.get(path, params={"name": "brand"}).json()["projects"]
    assert found["target_group_count"] == 5
    assert found["target_group_customer_reference_numbers"] == [f"ref {n}" for n in (4, 3, 2, 1, 0)]
    assert [p["name"] for p in raw_client.get(path).json()["projects"]] == ["Another study", "Brand tracker"]


def test_every_operation_is_found_by_its_own_path_and_no_other() -> None:
    tree = Router()
    for row in OPERATIONS:
        path = row.path.replace("{account_id}", "101")
        for name in (
            "project_id",
            "target_group_id",
            "job_id",
            "fielding_run_id",
            "report_id",
            "template_id",
            "user_id",
        ):
            path = path.replace(f"{{{name}}}", "X" * 26)
        path = path.replace("{report_type}", "completes")
        found, values, methods = tree.match(row.method, path)
        assert found is row
        assert row.method in methods
        assert all(values.values())
    assert tree.match("GET", "/accounts/")[0] is not None
    assert tree.match("GET", "/accounts//users") == (None, {}, ())
    assert tree.match("GET", "")[2] == ()


def test_names_of_operations_and_faults_are_unique_where_they_must_be() -> None:
    names = [row.name for row in OPERATIONS]
    assert len(names) == len(set(names))
    assert not {short for row in OPERATIONS for short in row.aliases} & set(names)


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "integer", "minimum": 1}, [1, 5.0], [0, 1.5, True, "1", None, float("inf")]),
        ({"type": "number", "multipleOf": 0.01}, [0.8, 0.07, 1], [0.805, float("nan"), float("inf"), "0"]),
        ({"type": ["string", "null"], "maxLength": 3}, ["abc", None, ""], ["abcd", 1]),
        ({"type": "string", "pattern": "^[a-z]+$"}, ["ab"], ["", "ab\n", "aB", "ä"]),
        (
            {"type": "string", "format": "date-time"},
            ["2026-09-02T08:22:18.822Z"],
            ["2026-09-02", "2026-13-02T00:00:00Z"],
        ),
        ({"type": "string", "format": "date"}, ["2026-02-28"], ["2026-02-30", "26-02-28"]),
        ({"type": "string", "format": "duration"}, ["P90D", "PT24H", "P1Y2M"], ["P", "PT", "90D", "P1D ", ""]),
        ({"type": "string", "format": "uuid"}, [PROJECT_MANAGER_ID], ["x", PROJECT_MANAGER_ID[:-1]]),
        (
            {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 2},
            [[True]],
            [[], [1], [True] * 3],
        ),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, ["a", None], [1, [], {}]),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            [{"a": "", "b": 1}],
            [{}, {"a": 1}],
        ),
        ({"enum": ["a", "b"]}, ["a"], ["c", None, 1]),
    ],
)
def test_the_reader_of_shapes_takes_what_fits_and_nothing_else(schema: Schema, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        assert find_problems(schema, value, {}) == [], value
    for value in bad:
        assert find_problems(schema, value, {}) != [], value


def test_ids_in_lists_are_lower_case(raw_client: RawClient, good_ids: list[str]) -> None:
    group = raw_client.group()
    raw_client.saved_ids(group, [one.upper() for one in good_ids[:3]])
    listed = raw_client.get(f"{group}/recontacts/rsids").json()["data"]
    assert listed == [ids.normalise_id(one) for one in good_ids[:3]]
